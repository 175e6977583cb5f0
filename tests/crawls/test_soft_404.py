"""Sites that answer with a page whatever is asked for: what is none of theirs is gone, what is theirs stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.frontier import open_frontier
from interfaces.demo import loopback
from linkindex.store import open_index
from tests.crawls.command import Ran, run
from tests.web.soft import GONE, REAL


class Web:
    """The sites of :mod:`tests.web.soft`, crawled."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port

    def crawl(self, host: str, *arguments: str) -> Ran:
        reach = ("--connect-to", f":80:127.0.0.1:{self.port}", "--delay", "0", "--stay", "host", "--sitemaps", "none")
        ran = run(self.folder, "crawl", f"http://{host}/", *reach, *arguments)
        assert "Traceback" not in ran.err
        return ran

    def probes(self, host: str) -> list[str]:
        lines = [line.split() for line in (self.folder / "access.log").read_text().splitlines()]
        return [path for _, _, asked, path, _ in lines if asked == host and "no-such-page" in path]

    def outcomes(self, host: str, paths: list[str]) -> set[str | None]:
        with open_index(f"sqlite:///{self.folder}/linkatlas.db") as index:
            return {index.outcome(f"http://{host}{path}") for path in paths}


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with loopback.child("tests.web.soft", "--log", str(tmp_path / "access.log")) as (port,):
        yield Web(tmp_path, port)


@pytest.mark.parametrize("name", ["page", "clock", "short", "home", "away", "slash", "honest"])
def test_what_is_not_there_is_gone_and_what_is_there_is_a_page(web: Web, name: str) -> None:
    host = f"{name}.test"
    ran = web.crawl(host)
    assert ran.code == 0, ran.err
    assert web.outcomes(host, [f"{path}/" for path in GONE] if name == "slash" else GONE) == {"gone"}
    assert web.outcomes(host, ["/", *REAL]) == {"page"}
    assert len(web.probes(host)) == (2 if name == "slash" else 1)  # it is asked where it sends who asks


@pytest.mark.parametrize(("name", "outcome"), [("shell", "page"), ("thin", "page"), ("door", "redirect")])
def test_what_looks_like_everything_else_is_not_lost(web: Web, name: str, outcome: str) -> None:
    host = f"{name}.test"
    web.crawl(host)
    assert len(web.probes(host)) == 1
    assert web.outcomes(host, REAL) == {"page"}
    assert web.outcomes(host, GONE) == {outcome}


def test_a_probe_is_no_page_no_failure_and_in_no_index(web: Web) -> None:
    ran = web.crawl("page.test", "--max-pages", "20")
    (probe,) = web.probes("page.test")
    url = f"http://page.test{probe}"
    with (
        open_frontier(f"sqlite:///{web.folder}/linkatlas-frontier.db") as frontier,
        open_index(f"sqlite:///{web.folder}/linkatlas.db") as index,
    ):
        counts = frontier.counts()
        assert frontier.why(url) is None
        assert index.outcome(url) is None
        assert counts.failed == 0
        assert counts.visited == index.counts().pages
    assert "failed" not in ran.out


def test_a_host_is_probed_once_for_all_runs(web: Web) -> None:
    web.crawl("page.test")
    web.crawl("page.test", "--again")
    assert len(web.probes("page.test")) == 1
    assert web.outcomes("page.test", GONE) == {"gone"}


def test_a_probe_asks_for_nothing_that_robots_forbid(web: Web) -> None:
    web.crawl("closed.test")
    assert web.probes("closed.test") == []
    assert web.outcomes("closed.test", REAL) == {"page"}


def test_a_host_that_does_not_answer_is_left_alone(web: Web) -> None:
    ran = web.crawl("busy.test", "--max-wait", "0")
    assert ran.code == 75
    assert len(web.probes("busy.test")) == 1


@pytest.mark.parametrize(
    ("which", "depth", "probes"), [("none", "1", 0), ("several", "0", 0), ("all", "0", 0), ("all", "1", 1)]
)
def test_which_hosts_are_probed(web: Web, which: str, depth: str, probes: int) -> None:
    web.crawl("page.test", "--soft-404", which, "--depth", depth)
    assert len(web.probes("page.test")) == probes  # a first page alone needs none
    if which == "none":
        assert web.outcomes("page.test", GONE) == {"page"}


def test_a_probe_keeps_the_delay(web: Web) -> None:
    web.crawl("page.test", "--delay", "0.3", "--depth", "1")
    lines = [line.split() for line in (web.folder / "access.log").read_text().splitlines()]
    asked = sorted((float(began), float(ended)) for began, ended, *_ in lines)
    assert len(asked) == 2 + 1 + len(REAL + GONE)
    assert min(after[0] - before[1] for before, after in zip(asked, asked[1:], strict=False)) > 0.295
