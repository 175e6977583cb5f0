"""The compose files, brought up: stores, two nodes, and a made-up web that they crawl while they are killed and stopped."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from interfaces.demo.web import make_web
from linkindex.answers.rows import Backlink
from tests.deploy.containers.engine import Engine, Failed

WEB = make_web(1)
OURS = "tests/deploy/containers"
SHARED = ["deploy/compose.yaml", f"{OURS}/web.yaml", f"{OURS}/shared.yaml"]
EMBEDDED = ["deploy/compose.embedded.yaml", f"{OURS}/web.yaml", f"{OURS}/embedded.yaml"]
CRAWL = ("crawl", *WEB.seeds, "--depth", "9", "--max-pages", "5000")
# What two crawls of one web must say of a link alike: all but when it was seen, and relevance, as how rare a word is changes
# with every page.
SAME = set(Backlink.__struct_fields__) - {"first_seen", "last_seen", "relevance", "domain_relevance"}


class Stack:
    """A compose project."""

    def __init__(self, engine: Engine, files: list[str], project: str, node: str) -> None:
        self.engine, self.files, self.project, self.node = engine, files, project, node

    def compose(self, *arguments: str) -> str:
        return self.engine.compose(self.files, *arguments)

    def linkatlas(self, *arguments: str) -> str:
        """Run a command in a container more, as `docker compose run --rm node ARGUMENTS`."""
        return self.compose("run", "--rm", "-T", "--no-deps", self.node, *arguments)

    def container(self, service: str) -> str:
        return f"{self.project}_{service}"

    def said(self) -> str:
        """Return what the containers are and say, for who reads of a failure."""
        names = self.engine.podman("ps", "--all", "--format", "{{.Names}}").split()
        logs = (f"== {name}\n{self.engine.podman('logs', '--tail', '20', name, merged=True)}" for name in names)
        return self.engine.podman("ps", "--all") + "\n".join(logs)

    def until(self, true: Callable[[], object], seconds: float = 120.0) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, f"it does not happen\n{self.said()}"
            time.sleep(0.5)

    def healthy(self, service: str) -> bool:
        try:
            self.engine.podman("healthcheck", "run", self.container(service))
        except Failed:
            return False
        return True

    def state(self, service: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = json.loads(self.engine.podman("inspect", self.container(service)))
        return found[0]

    def nodes(self) -> dict[str, int]:
        """Return the pages of each node that is at work, by its name."""
        seen = json.loads(self.linkatlas("nodes", "--format", "json"))
        return {one["beat"]["node"]: one["beat"]["pages"] for one in seen}

    def counts(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.linkatlas("status", "--format", "json"))["frontier"]
        return found


@pytest.fixture(scope="module")
def shared(engine: Engine, image: str) -> Iterator[Stack]:
    stack = Stack(engine, SHARED, "linkatlas", "node")
    try:
        stack.compose("up", "--detach", "--no-build", "--scale", "node=2")
        yield stack
    finally:
        stack.compose("down", "--volumes")


@pytest.fixture(scope="module")
def alone(engine: Engine, image: str) -> Iterator[Stack]:
    stack = Stack(engine, EMBEDDED, "linkatlas-embedded", "linkatlas")
    try:
        stack.compose("up", "--detach", "--no-build", "web")
        yield stack
    finally:
        stack.compose("down", "--volumes")


def test_all_services_are_well(shared: Stack) -> None:
    for service in ("redis_1", "mongo_1", "node_1", "node_2"):
        shared.until(lambda service=service: shared.healthy(service))  # type: ignore[misc]
    assert shared.state("replica-set_1")["State"]["ExitCode"] == 0


def test_the_stores_ask_for_passwords_and_are_out_of_reach(shared: Stack, image: str) -> None:
    stranger = ("run", "--rm", "--no-healthcheck", "--entrypoint")
    within = shared.engine.podman(
        *stranger, "redis-cli", "--network", "linkatlas_stores", "localhost/redis", "-h", "redis", "ping"
    )
    assert "NOAUTH" in within
    asks = "import pymongo; pymongo.MongoClient('mongo', serverSelectionTimeoutMS=5000).links.pages.find_one()"
    with pytest.raises(Failed, match="requires authentication"):
        shared.engine.podman(*stranger, "python3", "--network", "linkatlas_stores", image, "-c", asks)
    for service, port in (("redis_1", 6379), ("mongo_1", 27017)):
        state = shared.state(service)
        assert not state["HostConfig"]["PortBindings"]
        address = state["NetworkSettings"]["Networks"]["linkatlas_stores"]["IPAddress"]
        knocks = f"import socket; socket.create_connection(({address!r}, {port}), 3)"
        with pytest.raises(Failed, match=r"timed out|unreachable|refused"):
            shared.engine.podman(*stranger, "python3", "--network", "linkatlas_web", image, "-c", knocks)


def test_containers_are_confined(shared: Stack) -> None:
    for service in ("redis_1", "mongo_1", "node_1"):
        state = shared.state(service)
        assert state["HostConfig"]["ReadonlyRootfs"]
        assert not state["EffectiveCaps"] and not state["BoundingCaps"]
        assert state["Config"]["User"] not in ("", "0", "root")
        assert not any("password" in text or "//:" in text for text in state["Config"]["Env"])


def test_nothing_is_lost_when_a_node_is_killed_and_another_told_to_stop(shared: Stack, alone: Stack) -> None:
    shared.compose("run", "--detach", "--no-deps", "node", *CRAWL, "--delay", "5")
    shared.until(lambda: sum(1 for pages in shared.nodes().values() if pages >= 5) >= 3)  # the two, and who began it
    began = [line for line in shared.engine.podman("ps", "--format", "{{.Names}}").split() if "_tmp" in line]
    assert len(began) == 1
    shared.engine.podman("stop", "--time", "10", *began)
    assert json.loads(shared.engine.podman("inspect", *began))[0]["State"]["ExitCode"] == 130
    assert len(shared.nodes()) == 2

    first, second = (shared.state(service)["State"]["Pid"] for service in ("node_1", "node_2"))
    os.kill(first, signal.SIGKILL)
    shared.linkatlas("node", "drain", f"{shared.state('node_2')['Config']['Hostname']}:1")
    assert any(shared.counts()[state] for state in ("queued", "scheduled", "leased"))  # there is more to do
    for service, process in (("node_1", first), ("node_2", second)):  # both end, and are started again
        shared.until(lambda s=service, p=process: shared.state(s)["State"]["Pid"] not in (0, p) and shared.healthy(s))  # type: ignore[misc]
    shared.engine.podman("stop", "--time", "10", shared.container("node_2"))  # is killed where it takes longer
    assert shared.state("node_2")["State"]["ExitCode"] == 0
    assert len(shared.nodes()) == 1
    shared.until(lambda: not any(shared.counts()[state] for state in ("queued", "scheduled", "leased")), 300.0)

    told_by_many = _backlinks(shared)
    assert len(told_by_many) > 200
    alone.compose("run", "--rm", "-T", "linkatlas", *CRAWL, "--delay", "0")
    undisturbed = _backlinks(alone)
    assert [_link(row) for row in told_by_many] == [
        _link(row) for row in undisturbed
    ]  # none is lost, none is there twice
    pairs = zip(told_by_many, undisturbed, strict=True)
    assert {
        (name, one[name], other[name]) for one, other in pairs for name in SAME if one[name] != other[name]
    } == set()


def test_all_in_one_container_is_well_and_takes_seeds(alone: Stack) -> None:
    alone.compose("up", "--detach", "--no-build")
    alone.until(lambda: alone.healthy("linkatlas_1"))
    assert "1 new" in alone.linkatlas("seed", "http://elsewhere.example/")
    assert len(alone.nodes()) == 1


def _backlinks(stack: Stack) -> list[dict[str, Any]]:
    """Return all links to the star of the web, in an order that does not depend on when they were found."""
    rows = json.loads(stack.linkatlas("backlinks", WEB.star, "--all", "--format", "json", "--limit", "0"))
    return sorted(rows, key=_link)


def _link(row: dict[str, Any]) -> tuple[str, str, int]:
    return row["source"], row["target"], row["ordinal"]
