"""``linkatlas top``: the picture of a crawl under way is what its stores and nodes say."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from crawler.frontier import Beat, Counts, Gates, Seen, open_frontier
from interfaces.cli.looks import Look, MetricsRow, NodeRow, state_of
from interfaces.cli.tables import cell_len
from interfaces.cli.top import picture
from interfaces.demo.serve import serving
from interfaces.demo.site import make_site
from linkindex.store import open_index
from tests.crawls.command import command, environment, run
from tests.crawls.test_watched import until, watched
from tests.servers import MongoServer, RedisServer

PAGES = 30
SITE = make_site(PAGES)


class Crawl(NamedTuple):
    """A crawl that waits for more, all being visited."""

    folder: Path
    where: tuple[str, ...]
    frontier: str
    links: str
    port: int
    node: str


@pytest.fixture(scope="module", params=["embedded", "shared"])
def crawl(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawl]:
    folder = tmp_path_factory.mktemp("crawl")
    with ExitStack() as stack:
        frontier, index = f"sqlite:///{folder}/f.db", f"sqlite:///{folder}/links.db"
        if request.param == "shared":
            for name in ("redis", "mongo"):
                (folder / name).mkdir()
            frontier = f"{stack.enter_context(RedisServer(folder / 'redis')).url}?job=web"
            index = stack.enter_context(MongoServer(folder / "mongo")).url("web")
        where = ("--frontier", frontier, "--index", index)
        site = stack.enter_context(serving("--site", str(PAGES)))
        reach = (
            "--connect-to",
            f":80:127.0.0.1:{site}",
            "--stay",
            "domain",
            "--delay",
            "0",
            "--keep-alive",
            "--depth",
            "9",
        )
        options = (*reach, "--sitemaps", "none", "--soft-404", "none")
        port, process = stack.enter_context(watched(folder, "crawl", *SITE.seeds, *options, *where))
        until(port, "/readyz", 200)
        with open_frontier(frontier) as opened:
            for _ in range(1200):
                if sum(seen.beat.pages for seen in opened.nodes()) == PAGES:  # as it says with every sign of life
                    break
                time.sleep(0.05)
        yield Crawl(folder, where, frontier, index, port, f":{process.pid}")


def test_one_look_is_what_the_stores_say(crawl: Crawl) -> None:
    ran = run(crawl.folder, "top", "--once", *crawl.where, "--metrics", f"127.0.0.1:{crawl.port}")
    assert (ran.code, ran.err) == (0, "")
    (look,) = [json.loads(line) for line in ran.out.splitlines()]
    with open_frontier(crawl.frontier) as frontier, open_index(crawl.links) as index:
        counts = frontier.counts()
        assert look["links"] == index.grown()
    assert look["counts"]["done"] == counts.done == PAGES
    assert look["counts"]["hosts"] == counts.hosts
    (node,) = look["nodes"]
    assert node["node"].endswith(crawl.node)
    assert (node["state"], node["pages"]) == ("at work", PAGES)
    (told,) = look["metrics"]
    assert (told["address"], told["state"], told["under_way"]) == (f"127.0.0.1:{crawl.port}", "ready", 0)
    assert told["fetch"] > 0
    assert told["memory"] > 10
    assert look["problem"] == ""


def test_in_a_pipe_it_goes_on_line_by_line(crawl: Crawl) -> None:
    top = subprocess.Popen(
        command("top", "--every", "0.1", *crawl.where), cwd=crawl.folder, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert top.stdout is not None
    looks = [json.loads(top.stdout.readline()) for _ in range(3)]
    top.send_signal(signal.SIGINT)
    _, err = top.communicate(timeout=30)
    assert (top.returncode, err) == (0, "")
    assert looks[0]["at"] < looks[1]["at"] < looks[2]["at"]
    assert [look["links_a_second"] for look in looks] == [None, 0.0, 0.0]


def test_on_a_terminal_it_is_a_picture_that_renews_itself(crawl: Crawl) -> None:
    ours, theirs = pty.openpty()
    top = subprocess.Popen(
        command("top", "--every", "0.1", *crawl.where), cwd=crawl.folder, stdin=theirs, stdout=theirs, stderr=theirs,
        env=environment(TERM="xterm", COLUMNS="100", LINES="30"), start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    while seen.count(b"pages/s") < 3:
        seen += os.read(ours, 65536)
    top.send_signal(signal.SIGINT)
    try:
        while data := os.read(ours, 65536):
            seen += data
    except OSError:  # Linux' way to say that nobody writes any more
        pass
    os.close(ours)
    assert top.wait(timeout=30) == 0
    assert b"Traceback" not in seen
    assert seen.count(b"\x1b[?1049h") == seen.count(b"\x1b[?1049l") == 1  # the screen is given back
    assert f"behind    {PAGES} done".encode() in seen


def test_who_does_not_answer_is_told_and_the_rest_is_shown(crawl: Crawl) -> None:
    ran = run(crawl.folder, "top", "--once", "--format", "table", *crawl.where, "--metrics", "127.0.0.1:1")
    assert ran.code == 0
    assert re.search(r"^127\.0\.0\.1:1 +does not answer$", ran.out, re.MULTILINE)
    assert f"behind    {PAGES} done" in ran.out
    for wrong in ("nowhere", "h:x", ":80", "h:0"):
        ran = run(crawl.folder, "top", "--once", *crawl.where, "--metrics", wrong)
        assert (ran.code, ran.err.count("\n"), "write HOST:PORT" in ran.err) == (2, 1, True)


def test_without_a_crawl_there_is_nothing_to_show(tmp_path: Path) -> None:
    ran = run(tmp_path, "top", "--once")
    assert (ran.code, ran.err.count("\n"), "no such file" in ran.err) == (2, 1, True)


def test_a_store_that_goes_away_is_told_and_waited_for(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as redis:
        with open_frontier(f"{redis.url}?job=web") as frontier:
            frontier.beat(Beat(node="h:1", started=1, hand=2, pages=3, rate=4.5))
        top = subprocess.Popen(
            command("top", "--every", "0.1", "--frontier", f"{redis.url}?job=web"), cwd=tmp_path, env=environment(),
            text=True, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert top.stdout is not None
        try:
            assert json.loads(top.stdout.readline())["problem"] == ""
            redis.kill()
            look = next(look for line in top.stdout if (look := json.loads(line))["problem"])
            assert [node["node"] for node in look["nodes"]] == ["h:1"]  # what was known
            redis.start()
            assert next(look for line in top.stdout if not (look := json.loads(line))["problem"])
        finally:
            top.kill()
            top.communicate()


MANY = 10**11
NAME = "n" * 60 + "\x1b[2J日本"
WIDE = Look(
    at=datetime(2026, 11, 25, tzinfo=UTC),
    run="2026-11-25T19:10:01Z",
    pages_a_second=12345.6,
    counts=Counts(queued=MANY, scheduled=MANY, leased=MANY, done=MANY, failed=MANY, excluded=MANY, hosts=MANY),
    gates=Gates(open=10**6, held=10**6, overdue=1e6),
    spent=True,
    links=10**12,
    links_a_second=-12345.6,
    nodes=[
        NodeRow(
            node=f"{'n' * 60}\x1b[2J日本:{number}",
            state="at work",
            seen=1e5,
            leases=10**6,
            pages=10**9,
            pages_a_second=1e4,
        )
        for number in range(50)
    ],
    metrics=[
        MetricsRow(address=f"{'h' * 60}:9464", state="the index has not answered for 12 s", fetch=1e6, memory=10**5)
    ],
    problem="redis://me:s3cr3t-w0rd@h: \x1b[2Jno answer",
)


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
@pytest.mark.parametrize("rows", [5, 24, 100])
def test_the_picture_fits(columns: int, rows: int) -> None:
    lines = picture(WIDE, columns, rows)
    assert len(lines) <= rows
    assert max(map(cell_len, lines)) <= columns
    assert "\x1b" not in "".join(lines)
    assert "s3cr3t-w0rd" not in "".join(picture(WIDE, 200))


def test_a_node_that_gives_no_sign_is_silent() -> None:
    beat = Beat(node="h:1", started=1, hand=2, pages=3, rate=4.5)
    states = [
        state_of(Seen(beat=beat, ago=ago, draining=draining)) for ago, draining in ((1, False), (1, True), (99, True))
    ]
    assert states == ["at work", "draining", "silent"]
