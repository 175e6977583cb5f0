"""The image by itself."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest

from tests.deploy.containers.engine import ROOT, Engine, Failed

CONFINED = ("--rm", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "none")
MEGABYTE = 1000**2


@pytest.fixture(scope="module")
def inspected(engine: Engine, image: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = json.loads(engine.podman("inspect", image))
    return found[0]


def test_it_is_the_command_line(engine: Engine, image: str) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert engine.podman("run", *CONFINED, image, "--version") == f"linkatlas, version {version}\n"
    said = engine.podman("run", *CONFINED, image, "normalize", "HTTP://Example.com:80/a/../b")
    assert "http://example.com/b" in said
    with pytest.raises(Failed, match="ended with 2:\nlinkatlas: argument TARGET is missing"):
        engine.podman("run", *CONFINED, image, "backlinks")


def test_it_is_small_and_says_what_it_is(inspected: dict[str, Any]) -> None:
    assert inspected["Size"] < 400 * MEGABYTE
    config = inspected["Config"]
    assert config["User"] == "10001:10001"
    assert config["StopSignal"] == "SIGTERM"
    assert list(config["Volumes"]) == ["/data"]
    assert inspected["HealthCheck" if "HealthCheck" in inspected else "Healthcheck"]["Test"] == [
        *("CMD", "linkatlas", "node", "--health"),
    ]
    labels = {name.removeprefix("org.opencontainers.image."): text for name, text in config["Labels"].items()}
    assert labels["title"] == "linkatlas" and labels["licenses"] == "Apache-2.0"
    assert labels["revision"] == "of-the-tests" and labels["version"]


def test_nothing_that_builds_is_in_it_and_only_data_can_be_written(engine: Engine, image: str) -> None:
    script = """
for tool in cc gcc g++ make pip pip3 hatchling git; do command -v $tool && exit 1; done
python3 -c 'import hatchling' 2>/dev/null && exit 2
touch /opt/linkatlas/x 2>/dev/null && exit 3
touch /data/x && id -u && grep "^Cap.*[1-9]" /proc/self/status && exit 4
exit 0"""
    assert engine.podman("run", *CONFINED, "--entrypoint", "sh", image, "-c", script) == "10001\n"


def test_the_demo_runs_in_it(engine: Engine, image: str) -> None:
    said = engine.podman("run", *CONFINED, image, "demo")
    assert "Who links to alpine-trails.example" in said
