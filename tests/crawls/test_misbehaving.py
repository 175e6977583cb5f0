"""A web on its worst day: every URL ends in a state with a reason, no host is asked what it refused, the crawl ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from crawler.frontier import Life, open_frontier
from interfaces.demo import loopback
from tests import stored
from tests.crawls.command import Ran, run

FAST = (
    "--delay",
    "0",
    "--sitemaps",
    "none",
    "--soft-404",
    "none",
    "--timeout",
    "2",
    "--first-byte-timeout",
    "1",
    "--retries",
    "1",
    "--max-wait",
    "1",
)


class Line(NamedTuple):
    """One request in the server's log: it is the witness of what was asked, and when."""

    began: float
    ended: float
    host: str
    path: str


class Web:
    """A running fake web, and what was asked of it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.detour = folder, ("--connect-to", f":80:127.0.0.1:{port}")

    def crawl(self, *arguments: str) -> Ran:
        return run(self.folder, "crawl", *arguments, *self.detour)

    def asked(self, host: str = "") -> list[Line]:
        lines = [line.split() for line in (self.folder / "access.log").read_text().splitlines()]
        return [Line(float(b), float(e), h, path) for b, e, h, path, *_ in lines if host in ("", h)]

    def life(self, url: str) -> Life:
        with open_frontier(f"sqlite:///{self.folder}/linkatlas-frontier.db") as frontier:
            life = frontier.why(url)
        assert life is not None, url
        return life


@contextmanager
def misbehaving(folder: Path) -> Iterator[Web]:
    with loopback.child("tests.web.misbehave", "--log", str(folder / "access.log")) as (port,):
        yield Web(folder, port)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with misbehaving(tmp_path) as web:
        yield web


# What is asked for, each on a host of its own -> (state in the frontier, outcome in the index, reason).
ENDS = {
    "ok": ("done", "page", ""),
    "status/404": ("done", "gone", "404"),
    "status/410": ("done", "gone", "410"),
    "status/403": ("done", "blocked", "403"),
    "status/500": ("failed", "unreachable", "500"),
    "status/204": ("done", "page", ""),
    "redirect/3": ("done", "redirect", ""),
    "redirect-loop": ("done", "redirect", ""),
    "redirect-nowhere": ("done", "unreadable", "redirect_without_target"),
    "redirect-to?ftp://x/": ("done", "unreadable", "redirect_without_target"),
    "redirect-to?http://127.0.0.1/": ("done", "redirect", ""),
    "slow": ("failed", "unreachable", "first_byte_timeout"),
    "silent": ("failed", "unreachable", "reset"),
    "reset": ("failed", "unreachable", "reset"),
    "bad-status": ("failed", "unreachable", "protocol"),
    "not-http": ("failed", "unreachable", "protocol"),
    "long-header": ("done", "page", ""),
    "drip": ("done", "page", "too_slow"),
    "truncated": ("done", "page", ""),
    "to-the-end": ("done", "page", ""),
    "gzip": ("done", "page", ""),
    "gzip-cut": ("done", "page", ""),
    "gzip-false": ("done", "unreadable", "undecodable"),
    "gzip-bomb": ("done", "page", "too_large"),
    "huge": ("done", "page", "too_large"),
    "image": ("done", "not_a_page", ""),
    "no-type": ("done", "page", ""),
    "latin1": ("done", "page", ""),
    "empty": ("done", "page", ""),
}


def test_every_misbehaviour_ends_in_a_state_with_a_reason(web: Web) -> None:
    seeds = {path: f"http://h{number}.example/{path}" for number, path in enumerate(ENDS)}
    patient = (
        "--first-byte-timeout",
        "4",
        "--timeout",
        "8",
    )  # of all at once, on a machine that has other things to do
    ran = web.crawl(*seeds.values(), *FAST, *patient, "--max-body", "1MB")
    assert ran.code == 0, ran.err
    assert "Traceback" not in ran.err
    ends = stored.ends(web.folder / "linkatlas.db")
    assert {path: (web.life(url).state, *ends[url]) for path, url in seeds.items()} == ENDS
    with open_frontier(f"sqlite:///{web.folder}/linkatlas-frontier.db") as frontier:
        counts = frontier.counts()
        assert frontier.outlook().finished
    assert counts.discovered == counts.done + counts.failed + counts.excluded


def test_a_crawl_that_could_read_nothing_says_so_and_ends_with_1(web: Web) -> None:
    ran = web.crawl("http://a.example/status/500", *FAST)
    assert ran.code == 1
    assert "not one page could be read; linkatlas why http://a.example/status/500" in ran.err
    again = web.crawl("http://a.example/status/500", *FAST)
    assert (again.code, again.err.count("\n")) == (1, 2)
    assert "this crawl had ended: 1 URL visited" in again.err
    assert "not one page could be read" in again.err


def test_redirects_are_followed_to_their_bound(web: Web) -> None:
    web.crawl("http://a.example/redirect-endless/0", "http://b.example/redirect/4", *FAST, "--max-redirects", "5")
    asked = [line.path for line in web.asked("a.example") if line.path != "/robots.txt"]
    assert asked == [f"/redirect-endless/{number}" for number in range(6)]
    assert web.life("http://a.example/redirect-endless/6").reason == "redirects"
    assert web.life("http://b.example/ok").state == "done"


def test_a_redirect_into_private_space_goes_nowhere(web: Web) -> None:
    ran = web.crawl("http://a.example/redirect-to?http://169.254.169.254/latest/meta-data", *FAST)
    assert ran.code == 0
    life = web.life("http://169.254.169.254/latest/meta-data")
    assert life.state in ("failed", "done")


@pytest.mark.parametrize(
    ("host", "visited"),
    [
        ("robots-open", True),
        ("robots-404", True),
        ("robots-403", True),
        ("robots-html", True),
        ("robots-empty", True),
        ("robots-loop", True),
        ("robots-agent", True),
        ("robots-503", False),
        ("robots-reset", False),
        ("robots-slow", False),
        ("robots-broken", False),
        ("robots-closed", False),
    ],
)
def test_no_page_is_asked_for_where_robots_forbid_it(web: Web, host: str, visited: bool) -> None:
    url = f"http://{host}.example/ok"
    ran = web.crawl(url, *FAST)
    paths = [line.path for line in web.asked(f"{host}.example")]
    if host != "robots-slow":  # an answer that never came is in no log
        assert paths[0] == "/robots.txt"
    assert ("/ok" in paths) is visited
    life = web.life(url)
    if visited:
        assert (ran.code, life.state) == (0, "done")
    elif host == "robots-closed":
        assert (life.state, life.reason) == ("excluded", "robots")
    else:
        assert ran.code == 75, ran.err
        assert "go on with: linkatlas crawl" in ran.err
        assert life.host_held_because.startswith("robots.txt: ")


def test_robots_rules_are_obeyed_and_fetched_once(web: Web) -> None:
    host = "http://robots-agent.example"
    web.crawl(f"{host}/private/x", f"{host}/others/x", f"{host}/ok", *FAST, "--depth", "0")
    assert sorted(line.path for line in web.asked()) == ["/ok", "/others/x", "/robots.txt"]
    assert web.life(f"{host}/private/x").reason == "robots"


def test_a_robots_redirect_is_followed(web: Web) -> None:
    web.crawl("http://robots-redirect.example/ok", *FAST)
    assert [line.path for line in web.asked("robots-redirect.example")] == ["/robots.txt"]
    assert web.life("http://robots-redirect.example/ok").reason == "robots"


def test_a_host_that_asks_to_be_left_alone_is(web: Web) -> None:
    seeds = [f"http://a.example/{path}" for path in ("retry-after/3600", "ok", "ok?2", "ok?3")]
    ran = web.crawl(*seeds, *FAST, "--retries", "3")
    assert ran.code == 75, ran.err
    assert [line.path for line in web.asked("a.example")] == ["/robots.txt", "/retry-after/3600"]
    life = web.life(seeds[1])
    assert (life.state, life.host_held_because) == ("queued", "answered 503")
    again = web.crawl(*seeds, *FAST)  # a restart does not forget it
    assert again.code == 75
    assert len(web.asked("a.example")) == 2


def test_a_failure_is_tried_again_later(web: Web) -> None:
    ran = web.crawl("http://a.example/flaky/1/x", "--delay", "0", "--max-wait", "30")
    assert ran.code == 0, ran.err
    assert web.life("http://a.example/flaky/1/x").state == "done"
    first, second = [line for line in web.asked("a.example") if line.path.startswith("/flaky")]
    assert second.began - first.ended > 3.0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_delay_is_kept_between_all_fetches_of_a_host(web: Web, workers: str) -> None:
    hosts = [f"h{number}.example" for number in range(4)]
    seeds = [f"http://{host}/ok?{number}" for host in hosts for number in range(5)]
    ran = web.crawl(*seeds, "--delay", "0.4", "--workers", workers, "--depth", "0", "--soft-404", "none")
    assert ran.code == 0, ran.err
    for host in hosts:
        asked = sorted(web.asked(host))
        assert len(asked) == 6
        gaps = [after.began - before.ended for before, after in zip(asked, asked[1:], strict=False)]
        assert min(gaps) > 0.395


def test_crawl_delay_is_kept(web: Web) -> None:
    web.crawl(*(f"http://robots-delay.example/ok?{number}" for number in range(3)), "--delay", "0", "--depth", "0")
    asked = sorted(web.asked("robots-delay.example"))
    assert len(asked) == 4
    assert min(after.began - before.ended for before, after in zip(asked, asked[1:], strict=False)) > 0.995
