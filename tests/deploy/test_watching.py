"""What Prometheus and Grafana are given works, and asks for nothing that no node tells."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from interfaces.demo.serve import serving
from interfaces.demo.site import make_site
from tests.crawls.test_watched import get, watched

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
DASHBOARD = ROOT / "deploy" / "grafana" / "linkatlas.json"
SITE = make_site(20)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of all samples that a real node tells, with their labels: "name", "name{label}"."""
    folder = tmp_path_factory.mktemp("crawl")
    with serving("--site", "20") as site:
        reach = ("--connect-to", f":80:127.0.0.1:{site}", "--stay", "domain", "--delay", "0", "--keep-alive")
        with watched(folder, "crawl", *SITE.seeds, *reach) as (port, _):
            for _ in range(600):
                if "linkatlas_frontier_urls" in (text := get(port, "/metrics")[1]):
                    break
                time.sleep(0.1)
    found = set()
    for name, labels in re.findall(r"^(linkatlas_\w+)(?:\{(.*)\})? ", text, re.MULTILINE):
        found |= {name, *(f"{name}{{{label}}}" for label in re.findall(r'(\w+)="', labels))}
    return found


def dashboard() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return read


def queries() -> list[str]:
    """Return everything that dashboard and alerts ask for."""
    asked = [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ())]
    asked += [variable["query"]["query"] for variable in dashboard()["templating"]["list"]]
    return [*asked, (PROMETHEUS / "alerts.yaml").read_text(), (PROMETHEUS / "alerts.test.yaml").read_text()]


def test_nothing_is_asked_for_that_no_node_tells(told: set[str]) -> None:
    names = {name for query in queries() for name in re.findall(r"\blinkatlas_\w+", query)}
    assert len(names) > 20
    assert names - told == set()


def test_nor_by_a_label_that_it_does_not_have(told: set[str]) -> None:
    given = {"instance", "job"}  # by Prometheus
    used = {
        f"{name}{{{label}}}"
        for query in queries()
        for name, labels in re.findall(r"\b(linkatlas_\w+)\{([^}]*)\}", query)
        for label in re.findall(r"(\w+)(?:=~?|!=|!~)", labels)
        if label not in given
    }
    assert len(used) > 5
    assert used - told == set()
    grouped = {
        label for query in queries() for group in re.findall(r"\bby \(([^)]*)\)", query) for label in group.split(", ")
    }
    assert grouped - given - {"alertname"} <= {match[1] for name in told if (match := re.search(r"\{(\w+)\}", name))}


def test_every_metric_of_ours_is_on_the_dashboard_or_in_an_alert(told: set[str]) -> None:
    asked = " ".join(queries())
    ours = {re.sub("_(bucket|sum|count)$", "", name) for name in told if "{" not in name and "_process_" not in name}
    of_all_dashboards = {"linkatlas_frontier_hosts"}  # does not change fast enough to be watched
    assert {name for name in ours if name not in asked} - of_all_dashboards == set()


def test_the_dashboard_is_whole() -> None:
    panels = dashboard()["panels"]
    ids = [panel["id"] for panel in panels]
    assert len(set(ids)) == len(ids)
    cells: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        mine = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not mine & cells, panel["title"]
        assert max(x for x, _ in mine) < 24
        cells |= mine
    source = re.search(r"uid: (\w+)", (ROOT / "deploy/grafana/provisioning/datasources/prometheus.yaml").read_text())
    assert source
    assert {target["datasource"]["uid"] for panel in panels for target in panel.get("targets", ())} == {source[1]}


def alerts() -> set[str]:
    return set(re.findall(r"- alert: (\w+)", (PROMETHEUS / "alerts.yaml").read_text()))


def test_every_alert_is_tested_and_explained() -> None:
    assert len(alerts()) > 10
    fired = re.findall(r"alertname: (\w+)\n\s+exp_alerts:", (PROMETHEUS / "alerts.test.yaml").read_text())
    quiet = re.findall(r"\{eval_time: \w+, alertname: (\w+)\}", (PROMETHEUS / "alerts.test.yaml").read_text())
    assert set(fired) == set(quiet) == alerts()
    explained = (ROOT / "docs" / "metrics.md").read_text().partition("## Alerts")[2]
    assert {
        name for row in re.findall(r"^\| (`[^|]*`) \|", explained, re.MULTILINE) for name in re.findall(r"\w+", row)
    } == alerts()


@pytest.mark.parametrize(
    "arguments",
    [("check", "config", "prometheus.yaml"), ("check", "rules", "alerts.yaml"), ("test", "rules", "alerts.test.yaml")],
    ids=" ".join,
)
def test_promtool_agrees(arguments: tuple[str, ...]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not there; it comes with Debian's package prometheus, and CI has it")
    done = subprocess.run([promtool, *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboards_queries_are_prometheus(tmp_path: Path) -> None:
    """As recording rules: promtool parses those."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not there; it comes with Debian's package prometheus, and CI has it")
    asked = [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ())]
    rules = [
        {"record": f"query:{number}", "expr": query.replace("$__rate_interval", "1m").replace("$instance", ".*")}
        for number, query in enumerate(asked)
    ]
    (tmp_path / "queries.yaml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run(
        [promtool, "check", "rules", "queries.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(asked)} rules found" in done.stdout
