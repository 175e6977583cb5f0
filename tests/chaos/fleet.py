"""Nodes of one crawl: real ``linkatlas`` processes, acted on by their pids."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from crawler.frontier import open_frontier
from interfaces.demo import loopback
from linkindex.errors import LinkatlasError
from tests.chaos import verdicts
from tests.chaos.verdicts import Ask, Ended, read_log
from tests.chaos.web import Web
from tests.crawls.command import command, environment
from tests.servers import RedisServer

CONCURRENCY = 8  # visits under way at once, of each node
TTL = 10.0  # s, the shortest lease there is
PATIENCE = 10.0  # s within which a node ends when it is told to
WAIT = 0.005  # s between looks
SECONDS = 180.0  # that a trial takes at most, whatever breaks: it waits nowhere longer


class Stuck(Exception):
    """Something did not happen in the time that a trial has."""


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
        return self.log.read_bytes().count(b"\n") if self.log.exists() else 0

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
    def is_stopped(self) -> bool:
        stat = Path(f"/proc/{self.process.pid}/stat")
        return self.process.poll() is None and stat.read_text().rpartition(")")[2].split()[0] == "T"

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
    blind: verdicts.Span = verdicts.NEVER  # while the frontier does not know what was leased, what hosts had asked for
    allowed: Counter[str] = field(default_factory=Counter)  # name -> pages that may be asked for again because of it
    kills: int = 0
    excused: bool = False  # nodes may end with an error that tells why
    late: int = 0  # nodes that took too long to end when they were told to
    stuck: list[str] = field(default_factory=list)  # what did not end in time, and where each process stood
    refused: int = 0  # completions of leases that had run out
    over: float = field(default_factory=lambda: time.monotonic() + SECONDS)  # when the trial's time is up
    _orphans: dict[int, Node] = field(default_factory=dict)  # workers by their pids, whose leader was killed
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
                env=environment(CRASH_AT=crash_at, PYTHONFAULTHANDLER="1"),
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
        first = self.start(leads=True, crash_at=crash_at, python=python)
        if nodes > 1:
            self.wait(lambda: self.ground.asked() > 0 or first.is_stopped, "the site was never asked")
        for _ in range(1, nodes):
            self.start(python=python)

    def wait(self, true: Callable[[], bool], what: str) -> bool:
        """Wait until something is so, watching who ends; return whether anybody is alive then.

        Raises :class:`Stuck` when the trial's time is up before.
        """
        alive = self.look()
        while alive and not true():
            if time.monotonic() > self.over:
                raise Stuck(what)
            time.sleep(WAIT)
            alive = self.look()
        return alive

    def joined(self) -> None:
        """Wait until every node has given a sign of life."""
        with open_frontier(self.ground.frontier) as frontier:
            self.wait(lambda: len(frontier.nodes()) >= len(self.alive), "not every node gave a sign of life")

    def until(self, asks: int) -> bool:
        """Wait until the site was asked so often; False when the nodes all ended before."""
        return self.wait(lambda: self.ground.asked() >= asks, f"the site was not asked {asks} times")

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
            self._orphans |= dict.fromkeys(pids[1:], node)
            node.process.wait()
        else:
            self.kills += 1  # the process that started it ends it

    def struck(self, name: str, pages: int = CONCURRENCY) -> None:
        """Note that a node may leave so many pages behind that are asked for again."""
        self.allowed[name] += pages

    def run(self, *arguments: str) -> None:
        """Run another command on the frontier and the index, watching who ends meanwhile; RuntimeError when it fails."""
        places = ("--index", f"sqlite:///{self.ground.index}", "--frontier", self.ground.frontier)
        other = subprocess.Popen(command(*arguments, *places), env=environment(), stdout=subprocess.DEVNULL)
        while other.poll() is None:
            self.look()
            if time.monotonic() > self.over:
                other.kill()
            time.sleep(WAIT)
        if other.returncode:
            raise RuntimeError(f"linkatlas {' '.join(arguments)} ended with {other.returncode}")

    def tell_to_stop(self) -> None:
        """Send SIGTERM to all; who has not ended within :data:`PATIENCE` seconds is late."""
        for node in self.alive:
            node.told = True
            node.process.terminate()
        over = time.monotonic() + PATIENCE
        while self.look() and time.monotonic() < over:
            time.sleep(WAIT)
        self.late += len(self.alive)

    def finish(self) -> None:
        """Wait for the end; where it comes by itself with work left, go on as a person would, with the same command."""
        self.wait(lambda: False, "the crawl did not end")
        while self.ground.left():
            self.start(leads=True)
            self.wait(lambda: False, "the crawl did not end")
        orphans = time.monotonic() + PATIENCE
        while any(map(_is_ours, self._orphans)):
            if time.monotonic() > orphans:
                raise Stuck("a worker outlives the process that started it")
            time.sleep(WAIT)

    def close(self, because: object = None) -> None:
        """End what is left; ``because``: why that is too much, for which it is to tell where it stands."""
        for node in self.alive:
            self._orphans |= dict.fromkeys(node.pids[1:], node)
        left = {pid: node for pid, node in self._orphans.items() if _is_ours(pid)}
        left |= {node.process.pid: node for node in self.alive}
        for number in (signal.SIGABRT, signal.SIGCONT):  # Python writes its stacks to stderr (PYTHONFAULTHANDLER)
            _send(left, number)
        if because is not None:
            time.sleep(1.0)
            self.stuck.append(str(because))
            self.stuck += (
                f"{node.name}, process {pid}: {node.said.rpartition('Fatal Python error')[2]}"
                for pid, node in left.items()
            )
        _send(left, signal.SIGKILL)
        for node in self.alive:
            node.process.wait()
        self.alive.clear()


def _send(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _is_ours(pid: int) -> bool:
    try:
        return b"interfaces.cli.workers" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _refusals(node: Node) -> int:
    """Count the completions that were refused, as the node says it."""
    lines = node.said.splitlines()
    return sum(int(line.partition(" leases had run out")[0].split()[-1]) for line in lines if "leases had run" in line)
