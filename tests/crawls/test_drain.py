"""Nodes that come and go while a crawl runs: nothing is lost, nothing is done twice."""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from crawler.frontier import Budget, Counts, open_frontier
from crawler.job import begin
from crawler.scope import Scope
from interfaces.demo.serve import serving
from interfaces.demo.site import make_site
from linkindex.store import open_index
from linkindex.urls import domain_of, host_of
from settings.options import Options
from tests.crawls.command import Ran, command, environment, run
from tests.rawserver import page, silence
from tests.rawserver import serving as serving_raw
from tests.servers import RedisServer

PAGES = 240
SITE = make_site(PAGES, hosts=12)


class Fleet:
    """A crawl of a site on 12 hosts, on which any number of nodes may work."""

    def __init__(self, folder: Path, port: int, frontier: str) -> None:
        self.folder = folder
        self.frontier = frontier
        self.reach = ("--connect-to", f":80:127.0.0.1:{port}", "--contact", "test@example.org", "--sitemaps", "none")
        self.nodes: list[subprocess.Popen[str]] = []
        with open_frontier(frontier) as opened:
            begin(opened, list(SITE.seeds), Scope(depth=20, include=("http://*site*",)), Budget(), 1.2)

    def start(self, *options: str) -> subprocess.Popen[str]:
        arguments = (
            "node",
            "--frontier",
            self.frontier,
            *self.reach,
            "--soft-404",
            "none",
            "--until-finished",
            *options,
        )
        node = subprocess.Popen(
            command(*arguments), cwd=self.folder, env=environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.nodes.append(node)
        return node

    def run(self, *arguments: str) -> Ran:
        return run(self.folder, *arguments, "--frontier", self.frontier)

    def counts(self) -> Counts:
        with open_frontier(self.frontier) as frontier:
            return frontier.counts()

    def seen(self) -> dict[str, bool]:
        """Return the names of the nodes at work, and whether each is about to leave."""
        with open_frontier(self.frontier) as frontier:
            return {seen.beat.node: seen.draining for seen in frontier.nodes()}

    def name(self, node: subprocess.Popen[str]) -> str:
        return next(name for name in self.seen() if name.endswith(f":{node.pid}"))

    def asked(self) -> Counter[str]:
        lines = (line.split() for line in (self.folder / "access.log").read_text().splitlines())
        return Counter(f"http://{line[2]}{line[3]}" for line in lines if not line[3].endswith("robots.txt"))


@pytest.fixture(params=["sqlite", "redis"])
def fleet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fleet]:
    with ExitStack() as stack:
        frontier = f"sqlite:///{tmp_path}/frontier.db"
        if request.param == "redis":
            (tmp_path / "redis").mkdir()
            frontier = f"{stack.enter_context(RedisServer(tmp_path / 'redis')).url}?job=web"
        site = stack.enter_context(
            serving("--site", str(PAGES), "--hosts", "12", "--log", str(tmp_path / "access.log"))
        )
        fleet = Fleet(tmp_path, site, frontier)
        try:
            yield fleet
        finally:
            for node in fleet.nodes:
                node.kill()
                node.communicate()


def test_a_node_is_drained_halfway_and_another_joins(fleet: Fleet) -> None:
    first, second = fleet.start(), fleet.start()
    until(lambda: fleet.counts().visited > PAGES // 8 and len(fleet.seen()) == 2)
    name, other = fleet.name(first), fleet.name(second)
    drained = fleet.run("node", "drain", name)
    assert (drained.code, name in drained.out) == (0, True), drained.err
    assert fleet.seen() == {name: True, other: False}  # it has leases in hand for seconds
    third = fleet.start()
    out, err = first.communicate(timeout=60)
    assert (first.returncode, "left the crawl (drained)" in out) == (0, True), err
    assert fleet.counts().visited < PAGES  # else it had only come to the end
    assert name not in fleet.seen()
    for node in (second, third):
        out, err = node.communicate(timeout=120)
        assert (node.returncode, "left the crawl (finished)" in out) == (0, True), err
    assert fleet.asked() == Counter(dict.fromkeys(SITE.pages, 1))
    counts = fleet.counts()
    assert (counts.done, counts.leased, counts.queued, counts.scheduled) == (PAGES, 0, 0, 0)
    with open_index(f"sqlite:///{fleet.folder}/linkatlas.db") as index:
        outside = [link for link in SITE.links() if domain_of(host_of(link.source)) != domain_of(host_of(link.target))]
        assert index.counts().links == len(outside)


def test_status_and_nodes_show_who_is_about_to_leave(fleet: Fleet) -> None:
    node = fleet.start()
    until(lambda: fleet.counts().visited > 5 and len(fleet.seen()) == 1)
    name = fleet.name(node)
    node.send_signal(signal.SIGSTOP)  # so that it is there still when others look
    try:
        assert fleet.run("node", "drain", name).code == 0
        assert f"about to leave: {name}" in fleet.run("status", "--format", "table").out
        line = next(line for line in fleet.run("nodes", "--format", "table").out.splitlines() if name in line)
        assert line.endswith("draining")
    finally:
        node.send_signal(signal.SIGCONT)
    assert node.wait(timeout=60) == 0
    assert fleet.seen() == {}


def test_who_cannot_be_drained_is_told(fleet: Fleet) -> None:
    nobody = fleet.run("node", "drain", "h:1")
    assert (nobody.code, nobody.err) == (2, "linkatlas: node 'h:1' is unknown; no node works on this crawl\n")
    node = fleet.start()
    until(lambda: len(fleet.seen()) == 1)
    name = fleet.name(node)
    wrong = fleet.run("node", "drain", "h:1")
    assert (wrong.code, wrong.err) == (2, f"linkatlas: node 'h:1' is unknown; those at work: {name}\n")
    before = run(fleet.folder, "node", "--frontier", fleet.frontier, "drain", name)
    assert (before.code, before.err.count("\n")) == (2, 1)
    assert "--frontier stands before drain; write it behind" in before.err
    assert run(fleet.folder, "node", "drain").code == 2


PATIENT = (
    "import sys, crawler.process; crawler.process.DRAIN = 1e6; from interfaces.cli.main import main; sys.exit(main())"
)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_stops_a_node_now(tmp_path: Path, number: signal.Signals) -> None:
    """The first one waits for a fetch that never ends, here without giving up."""
    with serving_raw({"/robots.txt": page(b"", status=b"404 None"), "/slow": silence}) as server:
        assert run(tmp_path, "seed", "http://site.example/slow").code == 0
        reach = ("--connect-to", f"::127.0.0.1:{server.port}", "--contact", "n1", "--sitemaps", "none")
        node = subprocess.Popen(
            [*command()[:1], "-c", PATIENT, "node", *reach, "--first-byte-timeout", "900", "--timeout", "900"],
            cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        until(lambda: len(server.requests) == 2)
        node.send_signal(number)
        time.sleep(0.5)
        assert node.poll() is None
        node.send_signal(number)
        _, err = node.communicate(timeout=60)
        assert (node.returncode, "Traceback" in err) == (130, False), err
        assert err.splitlines()[-1].startswith("linkatlas: stopped at once by a second signal; nothing is lost"), err
    with open_frontier(f"sqlite:///{tmp_path}/linkatlas-frontier.db") as frontier:
        counts = frontier.counts()
        assert (counts.leased + counts.queued, counts.visited) == (1, 0)


def test_a_worker_that_is_signalled_twice_says_so_too(tmp_path: Path) -> None:
    with serving_raw({"/robots.txt": page(b"", status=b"404 None"), "/slow": silence}) as server:
        assert run(tmp_path, "seed", "http://site.example/slow").code == 0
        options = Options(
            index="sqlite:///linkatlas.db",
            connect_to=(f"::127.0.0.1:{server.port}",),
            contact="n1", sitemaps="none", first_byte_timeout=900.0, timeout=900.0, keep_alive=True,
        )  # fmt: skip
        worker = subprocess.Popen(
            [*command()[:1], "-c", PATIENT.replace("cli.main", "cli.workers")],
            cwd=tmp_path, env=environment(), stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert worker.stdin is not None
        worker.stdin.write(msgspec.json.encode(options) + b"\n")
        worker.stdin.flush()
        until(lambda: len(server.requests) == 2)
        for _ in range(2):
            time.sleep(0.5)
            worker.send_signal(signal.SIGTERM)
        worker.wait(timeout=60)  # with its standard input open, whose end is a signal too
        err = worker.communicate()[1].decode()
        assert (worker.returncode, "Traceback" in err) == (130, False), err
        assert err.splitlines()[-1].startswith("linkatlas: a worker stopped at once by a second signal"), err


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.05)
