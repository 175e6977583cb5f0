"""A crawl that is looked after by hand: seeds that join, nodes that are seen, what is held, forgotten, rebuilt."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.frontier import Counts, open_frontier
from interfaces.demo import loopback
from interfaces.demo.serve import serving
from interfaces.demo.site import make_site
from linkindex.store import open_index
from linkindex.target import parse_target
from tests.crawls.command import Ran, command, environment, run
from tests.rawserver import page, silence
from tests.rawserver import serving as serving_raw
from tests.servers import RedisServer

PAGES = 40
SITE = make_site(PAGES)


class Crawl:
    """A crawl of one small site, and the commands about it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.reach = ("--connect-to", f"site.example:80:127.0.0.1:{port}")
        alone = ("--sitemaps", "none", "--soft-404", "none")
        self.options = (*self.reach, "--stay", "domain", "--depth", "20", "--delay", "0", *alone)

    def crawl(self) -> Ran:
        return run(self.folder, "crawl", *SITE.seeds, *self.options)

    def run(self, *arguments: str) -> Ran:
        return run(self.folder, *arguments)

    def counts(self) -> Counts:
        with open_frontier(f"sqlite:///{self.folder}/linkatlas-frontier.db") as frontier:
            return frontier.counts()

    def asked(self) -> Counter[str]:
        lines = (self.folder / "access.log").read_text().splitlines()
        return Counter(line.split()[3] for line in lines if not line.split()[3].endswith("robots.txt"))


@pytest.fixture
def crawl(tmp_path: Path) -> Iterator[Crawl]:
    with serving("--site", str(PAGES), "--log", str(tmp_path / "access.log")) as port:
        yield Crawl(tmp_path, port)


def test_a_node_takes_what_is_seeded_while_it_waits_and_leaves_when_told(crawl: Crawl) -> None:
    assert crawl.run("seed", SITE.seeds[0]).code == 0
    node = subprocess.Popen(
        command("node", "--contact", "test@example.org", *crawl.reach),
        cwd=crawl.folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _until(lambda: crawl.counts().visited >= 1)
        (seen,) = json.loads(crawl.run("nodes", "--format", "json").out)
        assert seen["beat"]["node"].endswith(f":{node.pid}")
        before = crawl.counts()
        other = next(url for url in SITE.pages if url not in SITE.seeds)
        crawl.run("seed", other)
        assert crawl.counts().discovered >= before.discovered
        _until(lambda: crawl.counts().queued + crawl.counts().leased == 0 and crawl.counts().visited > 1)
        assert node.poll() is None  # nothing is left, and it stays
    finally:
        os.kill(node.pid, signal.SIGTERM)
        out, err = node.communicate(timeout=30)
    assert node.returncode == 0, err
    assert "left the crawl" in out
    assert json.loads(crawl.run("nodes", "--format", "json").out) == []


def test_a_node_may_come_before_its_stores_and_the_first_seed(crawl: Crawl) -> None:
    server = RedisServer(crawl.folder)
    place = ("--frontier", f"redis://{server.address}/0?job=web")
    joining = ("node", "--prepare", "--contact", "us@owner.example", *place, *crawl.reach)
    assert "no connection to Redis" in crawl.run(*joining, "--store-wait", "0").err
    node = subprocess.Popen(command(*joining), cwd=crawl.folder, env=environment(), stdout=subprocess.PIPE, text=True)
    time.sleep(1.5)
    with server:
        _until(lambda: "pages" in crawl.run("nodes", *place, "--format", "json").out)
        crawl.run("seed", SITE.seeds[0], *place)
        _until(lambda: len(crawl.asked()) > 2)
        node.send_signal(signal.SIGTERM)
        assert "left the crawl (shutdown)" in node.communicate(timeout=30)[0]
        assert "pages" not in crawl.run("nodes", *place, "--format", "json").out
        assert set(crawl.asked().values()) == {1}


def test_a_node_ends_that_is_told_to_while_it_stores_a_visit_without_a_fetch(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with loopback.child("tests.chaos.site", "--log", str(log)) as (port,):
        options = ("--connect-to", f"::127.0.0.1:{port}", "--contact", "n1", "--flush-interval", "3")
        crawl = subprocess.Popen(
            command("crawl", "http://quick-0.example/private/1", *options),
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _until(lambda: log.exists() and "robots.txt" in log.read_text())
            time.sleep(0.5)  # the rules are judged, and the visit waits for others to be stored with
            crawl.terminate()
            assert crawl.wait(timeout=30) == 130
        finally:
            crawl.kill()
            crawl.wait()
    with open_index(f"sqlite:///{tmp_path}/linkatlas.db") as index:
        assert index.counts().by_outcome == {"blocked": 1}


def test_a_node_that_is_told_to_end_gives_back_what_takes_long(tmp_path: Path) -> None:
    with serving_raw({"/robots.txt": page(b"", status=b"404 Not Found"), "/slow": silence}) as server:
        options = ("--connect-to", f"::127.0.0.1:{server.port}", "--first-byte-timeout", "900", "--timeout", "900")
        crawl = subprocess.Popen(
            command("crawl", "http://site.example/slow", *options, "--sitemaps", "none"),
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _until(lambda: len(server.requests) == 2)
            crawl.terminate()
            assert crawl.wait(timeout=60) == 130
        finally:
            crawl.kill()
            crawl.wait()
    with open_frontier(f"sqlite:///{tmp_path}/linkatlas-frontier.db") as frontier:
        assert (frontier.counts().queued, frontier.counts().visited) == (1, 0)


def test_a_node_that_cannot_open_its_stores_does_not_end_as_if_all_were_done(crawl: Crawl) -> None:
    crawl.run("seed", SITE.seeds[0])
    (crawl.folder / "index").mkdir()
    ran = crawl.run("node", "--contact", "test@example.org", *crawl.reach, "--index", "sqlite:///index")
    assert ran.code not in (0, 130)
    assert "index" in ran.err.splitlines()[-1]


def test_pages_are_visited_again_when_asked_for(crawl: Crawl) -> None:
    assert crawl.crawl().code == 0
    once = crawl.asked()
    assert set(once.values()) == {1}
    url = SITE.pages[3]
    assert "1 URL is queued" in crawl.run("seed", "--again", url).out
    crawl.crawl()
    assert crawl.asked() - once == Counter({url.partition(".example")[2]: 1})
    assert f"{PAGES} URLs are queued" in crawl.run("seed", "--again", "site.example").out
    assert crawl.run("seed", "--again", "elsewhere.example").code == 1


def test_a_page_that_did_not_change_is_not_sent_again(crawl: Crawl) -> None:
    def recrawl(pages: int) -> None:
        started = subprocess.Popen(
            command("crawl", *SITE.seeds, *crawl.options, "--recrawl"),
            cwd=crawl.folder,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _until(lambda: (crawl.folder / "access.log").exists() and crawl.asked().total() >= pages)
        _until(lambda: crawl.counts().scheduled == PAGES)
        assert started.poll() is None  # all is visited, and it goes on
        os.kill(started.pid, signal.SIGTERM)
        assert started.wait(timeout=30) == 130

    recrawl(PAGES)
    assert crawl.counts().visited == PAGES
    crawl.run("seed", "--again", SITE.pages[3])
    assert crawl.counts().queued == 1
    recrawl(PAGES + 1)
    last = (crawl.folder / "access.log").read_text().splitlines()[-1].split()
    assert last[3:] == [SITE.pages[3].partition(".example")[2], "304"]
    with open_index(f"sqlite:///{crawl.folder}/linkatlas.db") as index:
        rows = list(index.pages(parse_target(SITE.pages[3])))
        assert [(row.outcome, row.status) for row in rows] == [("page", 304)]
        assert rows[0].title


def test_what_is_held_is_left_alone_until_it_is_let_go(crawl: Crawl) -> None:
    crawl.run("seed", SITE.seeds[0])
    page = SITE.pages[7]
    assert crawl.run("hold", page).code == 0
    assert crawl.run("hold", page).code == 2  # it is held already
    crawl.crawl()
    path = page.partition(".example")[2]
    assert path not in crawl.asked()
    assert "excluded (held)" in crawl.run("why", page, "--format", "table").out
    assert crawl.run("hold", page, "--let-go").code == 0
    crawl.crawl()
    assert crawl.asked()[path] == 1


def test_a_host_is_held_for_a_time(crawl: Crawl) -> None:
    crawl.run("seed", SITE.seeds[0])
    assert crawl.run("hold", "site.example", "--for", "3600", "--because", "they asked").code == 0
    ran = run(crawl.folder, "crawl", *SITE.seeds, *crawl.options)
    assert ran.code == 75
    assert not crawl.asked()
    assert "they asked" in crawl.run("why", SITE.seeds[0], "--format", "table").out
    for wrong in (["--for", "soon"], ["--for", "-1"]):
        assert crawl.run("hold", "site.example", *wrong).code == 2
    assert crawl.run("hold", "https://site.example/x", "--for", "5").code == 2


def test_what_is_forgotten_is_visited_when_it_is_found_again(crawl: Crawl) -> None:
    crawl.crawl()
    assert f"{PAGES} URLs are forgotten" in crawl.run("forget", "site.example", "--queue-only").out
    assert crawl.counts().done == 0
    assert crawl.run("forget", "site.example", "--queue-only").code == 1
    crawl.crawl()
    assert set(crawl.asked().values()) == {2}


def test_a_frontier_that_was_lost_is_rebuilt_from_the_index(crawl: Crawl) -> None:
    stopped = run(crawl.folder, "crawl", *SITE.seeds, *crawl.options, "--max-pages", "15")
    assert stopped.code == 0
    before, asked = crawl.counts(), crawl.asked()
    assert before.queued
    for path in crawl.folder.glob("linkatlas-frontier.db*"):
        path.unlink()
    assert "0 URLs" not in crawl.run("reconcile").out
    after = crawl.counts()
    assert (after.done, after.queued, after.discovered) == (before.done, before.queued, before.discovered)
    assert crawl.run("reconcile", "--check").code == 0
    crawl.crawl()
    assert set(crawl.asked().values()) == {1}
    assert len(crawl.asked()) == PAGES > len(asked)


def test_there_is_nothing_to_rebuild_without_an_index(crawl: Crawl) -> None:
    ran = run(crawl.folder, "reconcile", "--index", "sqlite:///other.db")
    assert ran.code == 2
    assert "no such file" in ran.err


def _until(true: object, seconds: float = 30.0) -> None:
    assert callable(true)
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.05)
