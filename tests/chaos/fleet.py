"""Nodes of one crawl: real ``linkatlas`` processes, acted on by their pids."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from crawler.frontier import open_frontier
from interfaces.demo import loopback
from linkindex.errors import LinkatlasError
from tests.chaos.verdicts import Ask, Ended, read_log
from tests.chaos.web import Web
from tests.crawls.command import command, environment
from tests.servers import RedisServer

CONCURRENCY = 8  # visits under way at once, of each node
TTL = 10.0  # s, the shortest lease there is
PATIENCE = 10.0  # s within which a node ends when it is told to
WAIT = 0.005  # s between looks


@dataclass
class Ground:
    """What a trial stands on: the web and its site, the places of the frontier and the index."""

    folder: Path
    web: Web
    port: int
    frontier: str
    redis: RedisServer | None = None  # where the frontier is, if not in SQLite

    @property
    def index(self) -> Path:
        return self.folder / "index.db"

    @property
    def log(self) -> Path:
        return self.folder / "access.log"

    def asks(self) -> list[Ask]:
        return read_log(self.log.read_text())

    def asked(self) -> int:
        return self.log.read_bytes().count(b"\n")

    def left(self) -> int:
        """Return how many URLs the frontier still has to visit; -1 where it does not tell."""
        try:
            with open_frontier(self.frontier, create=False) as frontier:
                counts = frontier.counts()
        except LinkatlasError:
            return -1
        return counts.queued + counts.scheduled + counts.leased

    def fate(self, url: str) -> str:
        """Return what the frontier says of a URL."""
        with open_frontier(self.frontier, create=False) as frontier:
            life = frontier.why(url)
        if life is None:
            return "(unknown)"
        return f"({life.state} {life.reason}, crashes {life.crashes}, attempts {life.attempts}: {life.trail})"


@contextmanager
def ground(folder: Path, backend: str, seed: int) -> Iterator[Ground]:
    """Serve the web of ``seed`` and watch it, with a place for the frontier: sqlite or redis. Servers end with the block."""
    with ExitStack() as stack:
        log = folder / "access.log"
        (port,) = stack.enter_context(loopback.child("tests.chaos.site", "--seed", str(seed), "--log", str(log)))
        if backend == "sqlite":
            yield Ground(folder, Web(seed), port, f"sqlite:///{folder}/frontier.db")
        else:
            redis = stack.enter_context(RedisServer(folder))
            yield Ground(folder, Web(seed), port, f"redis://{redis.address}/0?job=chaos", redis)


@dataclass(eq=False)
class Node:
    """One process, in one incarnation; ``name`` is what the site knows it by."""

    name: str
    process: subprocess.Popen[bytes]
    leads: bool  # it is `linkatlas crawl`, which begins the job; the others join
    err: Path
    told: bool = False  # to stop

    @property
    def said(self) -> str:
        """What it wrote to stderr."""
        return self.err.read_text(errors="replace")

    @property
    def pids(self) -> list[int]:
        """Its own, and those of its workers."""
        pid = self.process.pid
        try:
            return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
        except OSError:
            return [pid]


@dataclass
class Fleet:
    """The nodes of a crawl, alive and ended."""

    ground: Ground
    workers: int = 1  # of the node that leads
    alive: list[Node] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    deaths: dict[str, float] = field(default_factory=dict)  # name -> when
    allowed: Counter[str] = field(default_factory=Counter)  # name -> pages that may be asked for again because of it
    kills: int = 0
    excused: bool = False  # nodes may end with an error that tells why
    late: int = 0  # nodes that took too long to end when they were told to
    stuck: int = 0  # nodes that did not end in time
    refused: int = 0  # completions of leases that had run out
    _orphans: list[int] = field(default_factory=list)
    _count: int = 0

    def start(self, *, leads: bool = False, crash_at: str = "", python: Sequence[str] = ()) -> Node:
        """Start a node; ``python``: what Python runs instead of ``-m interfaces.cli.main``, before the arguments."""
        self._count += 1
        name = f"n{self._count}"
        err = self.ground.folder / f"{name}.err"
        arguments = command(*self._arguments(leads), "--contact", name)
        if python:
            arguments = [sys.executable, *python, *arguments[3:]]
        with err.open("wb") as stderr:
            process = subprocess.Popen(
                arguments,
                cwd=self.ground.folder,
                env=environment(CRASH_AT=crash_at),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
        if crash_at:
            self.struck(name)
        node = Node(name, process, leads, err)
        self.alive.append(node)
        return node

    def _arguments(self, leads: bool) -> list[str]:
        ground = self.ground
        scope = ("--depth", "1000", "--delay", "0", "--max-pages", "0", "--workers", str(self.workers))
        return [
            *(("crawl", ground.web.start, *scope) if leads else ("node", "--until-finished")),
            *("--index", f"sqlite:///{ground.index}", "--frontier", ground.frontier, "--sitemaps", "none"),
            *("--connect-to", f"::127.0.0.1:{ground.port}", "--concurrency", str(CONCURRENCY), "--lease", f"{TTL:g}"),
        ]

    def begin(self, nodes: int, *, crash_at: str = "", python: Sequence[str] = ()) -> None:
        """Start the node that leads, then the others; ``crash_at`` is for the first."""
        self.start(leads=True, crash_at=crash_at, python=python)
        if nodes > 1:
            self.until(1)
        for _ in range(1, nodes):
            self.start(python=python)

    def joined(self) -> None:
        """Wait until every node has given a sign of life."""
        with open_frontier(self.ground.frontier) as frontier:
            while self.look() and len(frontier.nodes()) < len(self.alive):
                time.sleep(10 * WAIT)

    def until(self, asks: int, timeout: float = 60.0) -> bool:
        """Wait until the site was asked so often; False when the nodes all ended before."""
        over = time.monotonic() + timeout
        while self.ground.asked() < asks if self.ground.log.exists() else True:
            if not self.look() or time.monotonic() > over:
                return False
            time.sleep(WAIT)
        return True

    def look(self) -> bool:
        """Note who has ended; return whether anybody is alive."""
        for node in [node for node in self.alive if node.process.poll() is not None]:
            self.alive.remove(node)
            code = node.process.returncode
            self.deaths[node.name] = time.monotonic()
            self.refused += _refusals(node)
            if code == -signal.SIGKILL:
                self.kills += 1
            else:
                left = self.ground.left() if code == 0 else 0
                self.ended.append(Ended(node.name, code, node.told, left, node.said[-300:]))
        return bool(self.alive)

    def kill(self, node: Node, number: int = 0) -> None:
        """Kill a process of a node: itself, or one of its workers."""
        pids = node.pids
        pid = pids[number % len(pids)]
        self.struck(node.name)
        os.kill(pid, signal.SIGKILL)
        if pid == node.process.pid:
            self._orphans += pids[1:]
            node.process.wait()
        else:
            self.kills += 1  # the process that started it ends it

    def struck(self, name: str, pages: int = CONCURRENCY) -> None:
        """Note that a node may leave so many pages behind that are asked for again."""
        self.allowed[name] += pages

    def run(self, *arguments: str) -> None:
        """Run another command on the frontier and the index; raises CalledProcessError when it fails."""
        places = ("--index", f"sqlite:///{self.ground.index}", "--frontier", self.ground.frontier)
        subprocess.run(command(*arguments, *places), env=environment(), check=True, capture_output=True, timeout=60)

    def tell_to_stop(self) -> None:
        """Send SIGTERM to all; who has not ended within :data:`PATIENCE` seconds is late."""
        for node in self.alive:
            node.told = True
            node.process.terminate()
        over = time.monotonic() + PATIENCE
        while self.look() and time.monotonic() < over:
            time.sleep(WAIT)
        self.late += len(self.alive)

    def finish(self, timeout: float = 120.0) -> None:
        """Wait for the end; where it comes by itself with work left, go on as a person would, with the same command."""
        over = time.monotonic() + timeout
        while True:
            while self.look() and time.monotonic() < over:
                time.sleep(WAIT)
            if self.alive or not self.ground.left() or time.monotonic() > over:
                break
            self.start(leads=True)
        self.stuck = len(self.alive)
        self.close()

    def close(self) -> None:
        """End what is left."""
        for node in self.alive:
            self._orphans += node.pids[1:]
            node.process.kill()
            node.process.wait()
        self.alive.clear()
        while any(_is_ours(pid) for pid in self._orphans):
            time.sleep(WAIT)


def _is_ours(pid: int) -> bool:
    try:
        return b"interfaces.cli.workers" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _refusals(node: Node) -> int:
    """Count the completions that were refused, as the node says it."""
    lines = node.said.splitlines()
    return sum(int(line.partition(" leases had run out")[0].split()[-1]) for line in lines if "leases had run" in line)
