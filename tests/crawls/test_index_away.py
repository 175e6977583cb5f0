"""An index that goes away under a crawl: it is waited for, said once, and nothing is lost or fetched twice.

The index is a SQLite file that somebody else locks, one on a disk that is full, or a MongoDB that is down.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from crawler.frontier import Counts, open_frontier
from interfaces.demo.serve import serving
from interfaces.demo.site import make_site
from linkindex.store import open_index
from tests.crawls.command import command, environment
from tests.servers import MongoServer

PAGES = 60
PLACES = 4
SITE = make_site(PAGES)


class Place(Protocol):
    """An index that can go away."""

    url: str

    def leave(self) -> None: ...

    def come_back(self) -> None: ...


class Locked:
    """A SQLite file in the middle of somebody else's write."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "index.db"
        self.url = f"sqlite:///{self._path}"

    def leave(self) -> None:
        self._db = sqlite3.connect(self._path, isolation_level=None)
        self._db.execute("PRAGMA busy_timeout = 20000")
        self._db.execute("BEGIN IMMEDIATE")

    def come_back(self) -> None:
        self._db.execute("ROLLBACK")
        self._db.close()


class Full:
    """A SQLite file on a disk with no room left."""

    def __init__(self, disk: Path) -> None:
        self._disk = disk
        self.url = f"sqlite:///{disk}/index.db"

    def leave(self) -> None:
        with (self._disk / "ballast").open("wb", buffering=0) as ballast:
            try:
                while ballast.write(bytes(4096)):
                    pass
            except OSError:
                return

    def come_back(self) -> None:
        (self._disk / "ballast").unlink()


class Down:
    """A mongod that was killed."""

    def __init__(self, server: MongoServer) -> None:
        self._server = server
        self.url = server.url("links")

    def leave(self) -> None:
        self._server.kill()

    def come_back(self) -> None:
        self._server.start()


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a disk of 8 MB, as whoever may; others are told."""
    if os.geteuid():
        pytest.skip("only root can mount a disk that runs full: this promise is not checked here")
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no disk to run full ({mounted.stderr.decode().strip()}): this promise is not checked here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


@pytest.fixture(params=["locked", "full", "down"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with ExitStack() as stack:
        match request.param:
            case "locked":
                yield Locked(tmp_path)
            case "full":
                yield Full(stack.enter_context(small_disk(tmp_path)))
            case _:
                (tmp_path / "mongod").mkdir()
                yield Down(stack.enter_context(MongoServer(tmp_path / "mongod")))


class Crawl:
    """A crawl of one small site under way, its access log, and its frontier."""

    def __init__(self, folder: Path, port: int, index: str, *options: str) -> None:
        self._folder = folder
        reach = ("--connect-to", f"site.example:80:127.0.0.1:{port}", "--soft-404", "none", "--sitemaps", "none")
        pace = ("--delay", "0.05", "--concurrency", str(PLACES), "--stay", "domain", "--depth", "20")
        places = ("--index", index, "--frontier", f"sqlite:///{folder}/frontier.db")
        self._arguments = ("crawl", *SITE.seeds, *reach, *pace, *places)
        self.process = self.start(*options)

    def start(self, *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command(*self._arguments, *options),
            cwd=self._folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def asked(self) -> Counter[str]:
        lines = (self._folder / "access.log").read_text().splitlines()
        return Counter(line.split()[3] for line in lines if not line.split()[3].endswith("robots.txt"))

    def counts(self) -> Counts:
        with open_frontier(f"sqlite:///{self._folder}/frontier.db") as frontier:
            return frontier.counts()


@contextmanager
def crawling(folder: Path, index: str, *options: str) -> Iterator[Crawl]:
    with serving("--site", str(PAGES), "--log", str(folder / "access.log")) as port:
        crawl = Crawl(folder, port, index, *options)
        try:
            yield crawl
        finally:
            crawl.process.kill()
            crawl.process.communicate()


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def at_rest(crawl: Crawl) -> int:
    """Return how many pages were fetched, once no more are."""
    seen = -1
    while seen != (seen := sum(crawl.asked().values())):
        time.sleep(1.5)
    return seen


def test_it_is_waited_for_and_nothing_is_lost(place: Place, tmp_path: Path) -> None:
    with crawling(tmp_path, place.url) as crawl:
        until(lambda: crawl.counts().done >= 5)
        place.leave()
        fetched = at_rest(crawl)
        visited = crawl.counts()
        assert crawl.process.poll() is None
        # What is held is what was not acknowledged, and that is no more than a node has places.
        assert 0 < fetched - visited.done <= PLACES
        assert visited.leased >= fetched - visited.done
        place.come_back()
        until(lambda: crawl.counts().done > visited.done)
        _, err = crawl.process.communicate(timeout=120)
    assert crawl.process.returncode == 0, err
    assert err.count("waiting for it") == 1
    assert err.count("the index is back") == 1
    assert "Traceback" not in err
    assert set(crawl.asked().values()) == {1}
    with open_index(place.url) as index:
        assert index.counts().pages == PAGES == crawl.counts().done


@pytest.mark.parametrize("end", ["told", "impatient"])
def test_a_crawl_that_ends_meanwhile_loses_nothing(place: Place, tmp_path: Path, end: str) -> None:
    with crawling(tmp_path, place.url, "--store-wait", "1" if end == "impatient" else "600") as crawl:
        until(lambda: crawl.counts().done >= 5)
        place.leave()
        if end == "told":
            at_rest(crawl)
            crawl.process.send_signal(signal.SIGTERM)
        _, err = crawl.process.communicate(timeout=60)
        assert crawl.process.returncode == 69, err
        assert err.splitlines()[-1].startswith("linkatlas: stopped: index ")
        assert "Traceback" not in err
        assert crawl.counts().leased == 0
        place.come_back()
        again = crawl.start()
        _, err = again.communicate(timeout=120)
        assert again.returncode == 0, err
        assert max(crawl.asked().values()) <= 2
        assert sum(crawl.asked().values()) <= PAGES + PLACES
    with open_index(place.url) as index:
        assert index.counts().pages == PAGES == crawl.counts().done
