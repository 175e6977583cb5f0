"""What deploy/ says to Docker, compose and Kubernetes, as far as it can be judged without running any of them."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
import tomllib
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from crawler import addresses
from settings.options import IN_FILE, PREFIX, default, specs

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = sorted(DEPLOY.glob("compose*.yaml"))
DOCKERFILES = [DEPLOY / "Dockerfile", *sorted(Path(__file__).parent.glob("containers/images/*.Dockerfile"))]
OVERLAYS = sorted((DEPLOY / "kubernetes" / "overlays").iterdir())
OPERATORS = "monitoring.coreos.com/v1"  # kinds that Kubernetes itself does not know

Thing = dict[str, Any]


def _tool(name: str, *arguments: str | Path, given: str | None = None) -> str:
    """Run a program of the test environment; fail with what it says where it ends otherwise than well."""
    program = Path(sys.executable).parent / name
    if not program.exists() and (sys.platform, platform.machine()) != ("linux", "x86_64"):
        pytest.skip(f"the lock has no {name} for this machine: what it would check is not checked here")
    done = subprocess.run(
        [program, *arguments], input=given, capture_output=True, text=True, timeout=120.0, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _name(path: Path) -> str:
    return path.name


def services(file: Path) -> dict[str, Thing]:
    found: dict[str, Thing] = yaml.safe_load(file.read_text())["services"]
    return found


def things(overlay: Path) -> list[Thing]:
    """Return what an overlay puts into a cluster."""
    return list(yaml.safe_load_all(_tool("kubectl", "kustomize", overlay)))


def pods(found: list[Thing]) -> dict[str, Thing]:
    """Return the pods that the workloads make, by kind and name."""
    made = {}
    for thing in found:
        spec = thing.get("spec", {})
        template = spec.get("template") or spec.get("jobTemplate", {}).get("spec", {}).get("template")
        if template:
            made[f"{thing['kind']} {thing['metadata']['name']}"] = template
    return made


# -------------------------------------------------------------------- the image


@pytest.mark.parametrize("file", DOCKERFILES, ids=_name)
def test_hadolint_has_no_complaints(file: Path) -> None:
    assert _tool("hadolint", file) == ""


def test_the_image_says_the_version_that_it_holds() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"\nARG VERSION={version}\n" in (DEPLOY / "Dockerfile").read_text()
    assert f"newTag: {version}\n" in (DEPLOY / "kubernetes" / "base" / "kustomization.yaml").read_text()


def test_what_goes_into_the_image_is_there() -> None:
    allowed = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert [name for name in allowed if not (ROOT / name).exists()] == []
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
        "packages"
    ]
    assert set(packages) <= set(allowed)


# -------------------------------------------------------------------- compose


@pytest.mark.parametrize("file", COMPOSE, ids=_name)
def test_compose_files_are_as_their_schema_says(file: Path) -> None:
    assert "ok" in _tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", file)


@pytest.mark.parametrize("file", COMPOSE, ids=_name)
def test_every_service_is_confined(file: Path) -> None:
    for name, service in services(file).items():
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges"] and service["pids_limit"], name
        assert name in ("keys", "replica-set") or service["mem_limit"], name


def test_no_store_can_be_reached_from_outside() -> None:
    file = DEPLOY / "compose.yaml"
    networks = yaml.safe_load(file.read_text())["networks"]
    for name in ("redis", "mongo"):
        service = services(file)[name]
        assert "ports" not in service and service["networks"] == ["stores"]
    assert networks["stores"] == {"internal": True}
    assert {name for name, service in services(file).items() if "stores" in service.get("networks", ())} == {
        *("redis", "mongo", "node")
    }
    published = [port for service in services(file).values() for port in service.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in published)


@pytest.mark.parametrize("file", COMPOSE, ids=_name)
def test_no_password_stands_in_a_compose_file(file: Path) -> None:
    text = file.read_text()
    assert not re.search(r"(?i)(password|requirepass|secret)\S*\s*[:=]\s*(?!/keys/)[^\s&$]", text)
    assert not re.search(r"://[^/\s]*:[^/\s]*@", text)


def test_variables_for_linkatlas_are_options() -> None:
    known = {PREFIX + name.upper() for name in specs()}
    texts = [file.read_text() for file in (*COMPOSE, *DEPLOY.glob("kubernetes/**/*.yaml"), DEPLOY / "Dockerfile")]
    named = {name for text in texts for name in re.findall(r"\bLINKATLAS_[A-Z_]+\b", text)}
    assert "LINKATLAS_INDEX_FILE" in named
    assert named <= known | {name + IN_FILE for name in known}


def test_variables_that_the_docs_name_for_env_are_those_of_the_files() -> None:
    told = dict(
        re.findall(r"^\| ((?:`[A-Z_]+`(?:, )?)+) \| ([^|]+) \|", (ROOT / "docs/deploy.md").read_text(), re.MULTILINE)
    )
    defaults: dict[str, str | None] = {}
    for names, values in told.items():
        each = [name.strip("`") for name in names.split(", ")]
        given = [None] * len(each) if values == "see the file" else values.split(", ")
        defaults |= dict(zip(each, given, strict=True))
    used = dict(re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", (DEPLOY / "compose.yaml").read_text()))
    assert set(defaults) == set(used)
    assert {name: used[name] for name, value in defaults.items() if value} == {n: v for n, v in defaults.items() if v}
    embedded = (DEPLOY / "compose.embedded.yaml").read_text()
    text = (ROOT / "docs/deploy.md").read_text().partition("## Compose: all in one container")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([A-Z_]+)`", text))
    assert named == set(re.findall(r"\$\{([A-Z_]+):-", embedded))


# -------------------------------------------------------------------- Kubernetes


@pytest.fixture(scope="module", params=OVERLAYS, ids=_name)
def overlay(request: pytest.FixtureRequest) -> list[Thing]:
    return things(request.param)


def test_kubernetes_knows_all_that_is_said(overlay: list[Thing], tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(yaml.safe_dump_all([thing for thing in overlay if thing["apiVersion"] != OPERATORS]))
    _tool("kubernetes-validate", "--strict", file)
    assert {thing["kind"] for thing in overlay if thing["apiVersion"] == OPERATORS} <= {
        "ServiceMonitor",
        "PrometheusRule",
    }


def test_pods_are_confined_and_bounded(overlay: list[Thing]) -> None:
    made = pods(overlay)
    assert {"Deployment node", "CronJob classify", "CronJob reconcile"} <= set(made)
    for name, pod in made.items():
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True and spec["securityContext"]["runAsUser"] > 0, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["automountServiceAccountToken"] is False, name
        for container in spec["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True and context["allowPrivilegeEscalation"] is False, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}, name
            assert "memory" in container["resources"]["limits"], name
            assert not any("value" in variable for variable in container.get("env", ())), name  # secrets by reference


def test_a_node_has_time_to_end_and_is_judged_by_what_it_answers(overlay: list[Thing]) -> None:
    spec = pods(overlay)["Deployment node"]["spec"]
    assert spec["terminationGracePeriodSeconds"] > default("timeout")
    (container,) = spec["containers"]
    assert container["livenessProbe"]["httpGet"]["path"] == container["startupProbe"]["httpGet"]["path"] == "/livez"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] > default("store_wait")
    assert len(spec["topologySpreadConstraints"]) == 2


def test_labels_that_are_selected_by_are_there(overlay: list[Thing]) -> None:
    labels = [pod["metadata"]["labels"] for pod in pods(overlay).values()]
    for thing in overlay:
        if thing["kind"] in ("NetworkPolicy", "PodDisruptionBudget", "Deployment", "StatefulSet"):
            selector = thing["spec"].get("podSelector", thing["spec"].get("selector"))
            wanted = selector.get("matchLabels", {}).items()
            assert any(wanted <= each.items() for each in labels), thing["metadata"]["name"]


def test_nodes_are_kept_out_of_every_range_that_the_crawler_refuses(overlay: list[Thing]) -> None:
    (policy,) = (thing for thing in overlay if thing["kind"] == "NetworkPolicy" and thing["metadata"]["name"] == "web")
    blocks = [to["ipBlock"] for to in policy["spec"]["egress"][0]["to"]]
    opened = [(ip_network(block["cidr"]), [ip_network(each) for each in block["except"]]) for block in blocks]
    for network, kind in (*addresses._PRIVATE, *addresses._SPECIAL):
        for whole, shut in opened:
            if network.version == whole.version and network.overlaps(whole):
                assert any(network.subnet_of(each) for each in shut), f"{network} is open: {kind}"  # type: ignore[arg-type]
    assert {port["port"] for port in policy["spec"]["egress"][0]["ports"]} == set(default("ports"))


def test_whatever_is_not_named_is_shut(overlay: list[Thing]) -> None:
    policies = {thing["metadata"]["name"]: thing["spec"] for thing in overlay if thing["kind"] == "NetworkPolicy"}
    assert policies["closed"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert {"names", "web", "watched", "to-stores"} <= set(policies)


def test_the_overlays_are_what_their_names_say() -> None:
    small, large = (pods(things(DEPLOY / "kubernetes" / "overlays" / name)) for name in ("small", "large"))
    assert {"StatefulSet redis", "StatefulSet mongo"} == set(small) - set(large)
    scaled = next(thing for thing in things(OVERLAYS[0]) if thing["kind"] == "HorizontalPodAutoscaler")
    assert [metric["type"] for metric in scaled["spec"]["metrics"]] == ["Resource", "External"]


def test_alerts_are_the_same_for_the_operator() -> None:
    rule = yaml.safe_load((DEPLOY / "kubernetes" / "components" / "monitoring" / "rules.yaml").read_text())
    assert rule["spec"] == yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text())
