"""Pages that only a sitemap or a feed names, found by the crawl; guesses that come to nothing leave no mark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.frontier import Life, open_frontier
from interfaces.demo import loopback
from linkindex.store import open_index
from tests import stored
from tests.crawls.command import Ran, run


class Web:
    """The sites of :mod:`tests.web.mapped`, crawled."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port

    def crawl(self, *arguments: str) -> Ran:
        ran = run(self.folder, "crawl", *arguments, "--delay", "0", "--connect-to", f":80:127.0.0.1:{self.port}")
        assert "Traceback" not in ran.err
        return ran

    def asked(self, host: str) -> list[str]:
        lines = [line.split() for line in (self.folder / "access.log").read_text().splitlines()]
        return [path for _, _, asked, path, _ in lines if asked == host and path != "/robots.txt"]

    def life(self, url: str) -> Life | None:
        with open_frontier(f"sqlite:///{self.folder}/linkatlas-frontier.db") as frontier:
            return frontier.why(url)

    def end(self, url: str) -> tuple[str, str, int]:
        life = self.life(url)
        assert life is not None, url
        return life.state, life.reason, life.depth

    def page(self, url: str) -> tuple[str, str]:
        """How the last visit ended: (outcome, reason)."""
        return stored.ends(self.folder / "linkatlas.db")[url]

    def links(self, url: str) -> set[tuple[str, str, str]]:
        with open_index(f"sqlite:///{self.folder}/linkatlas.db") as index:
            return {(seen.target, seen.kind, seen.anchor) for seen in index.versions(url)}


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with loopback.child("tests.web.mapped", "--log", str(tmp_path / "access.log")) as (port,):
        yield Web(tmp_path, port)


def test_pages_that_only_a_sitemap_or_a_feed_names_are_found(web: Web) -> None:
    ran = web.crawl("http://named.test/", "--internal-links")
    assert ran.code == 0, ran.err
    assert web.end("http://named.test/orphan") == ("done", "", 1)
    assert web.end("http://www.named.test/o") == ("done", "", 1)  # of the same owner
    assert web.end("http://named.test/news/1") == ("done", "", 2)  # home page, feed, page
    assert web.end("http://named.test/maps/a.xml.gz") == ("done", "", 0)
    assert web.end("http://spam.test/") == ("excluded", "other_host", 1)
    assert web.links("http://named.test/maps/index.xml.gz") == {("http://named.test/maps/a.xml.gz", "sitemap", "")}
    assert web.links("http://named.test/feed") == {
        ("http://named.test/news/1", "feed", "First"),
        ("http://other.test/elsewhere", "feed", ""),
    }
    assert web.page("http://named.test/maps/a.xml.gz") == ("page", "not_a_url 1")
    assert "/sitemap.xml" not in web.asked("named.test")  # robots.txt names another


def test_the_usual_place_is_looked_at_where_robots_name_none(web: Web) -> None:
    web.crawl("http://guessed.test/", "http://moved.test/", "--include", "*/orphan")
    assert web.end("http://guessed.test/orphan") == ("done", "", 1)
    assert web.end("http://moved.test/orphan") == ("done", "", 1)


def test_what_robots_forbid_is_not_asked_for_though_a_sitemap_names_it(web: Web) -> None:
    web.crawl("http://guessed.test/")
    assert web.end("http://guessed.test/closed") == ("excluded", "robots", 1)
    assert "/closed" not in web.asked("guessed.test")


@pytest.mark.parametrize("host", ["none.test", "soft.test"])
def test_a_guess_that_comes_to_nothing_is_no_failure(web: Web, host: str) -> None:
    ran = web.crawl(f"http://{host}/", "--max-pages", "2")
    assert web.asked(host) == ["/", "/sitemap.xml", "/linked"]  # it uses up no budget
    assert web.end(f"http://{host}/sitemap.xml") == ("excluded", "no_sitemap", 0)
    assert web.page(f"http://{host}/sitemap.xml") == ("not_a_page", "no_sitemap")
    assert web.links(f"http://{host}/sitemap.xml") == set()
    assert "gone" not in ran.out
    assert "failed" not in ran.out


def test_a_list_of_urls(web: Web) -> None:
    web.crawl("http://list.test/")
    assert web.end("http://list.test/orphan") == ("done", "", 1)


def test_a_site_may_let_another_speak_for_it(web: Web) -> None:
    web.crawl("http://shop.test/", "--stay", "domain")
    assert web.end("http://shop.test/orphan") == ("done", "", 1)
    assert web.end("http://victim.test/")[:2] == ("excluded", "other_host")
    assert web.asked("maps.test") == ["/shop.xml"]  # it is no seed's host itself


def test_a_seed_that_has_moved_has_sitemaps_where_it_went(web: Web) -> None:
    web.crawl("http://old.test/", "--max-redirects", "1")
    assert web.end("http://guessed.test/orphan") == ("done", "", 1)


def test_indexes_of_indexes_end(web: Web) -> None:
    web.crawl("http://endless.test/")
    asked = [path for path in web.asked("endless.test") if path.endswith(".xml")]
    assert asked == [f"/{level}.xml" for level in range(10)]
    assert web.end("http://endless.test/10.xml") == ("excluded", "sitemap_depth", 0)


def test_a_sitemap_may_be_larger_than_a_page(web: Web) -> None:
    web.crawl("http://large.test/", "--max-body", "100KB")
    assert web.end("http://large.test/orphan") == ("done", "", 1)


def test_broken_ones_say_why(web: Web) -> None:
    web.crawl("http://broken.test/", "http://entities.test/")
    assert web.page("http://broken.test/sitemap.xml") == ("page", "broken_xml")
    assert web.end("http://broken.test/orphan") == ("done", "", 1)
    assert web.page("http://entities.test/sitemap.xml") == ("unreadable", "entities")
    assert web.life("http://entities.test/orphan") is None


@pytest.mark.parametrize(("whose", "named", "other"), [("none", 0, 0), ("seeds", 2, 0), ("all", 2, 1)])
def test_whose_sitemaps_are_read(web: Web, whose: str, named: int, other: int) -> None:
    web.crawl("http://named.test/feed", "--sitemaps", whose)
    assert len([path for path in web.asked("named.test") if "maps" in path]) == named
    assert web.asked("other.test").count("/sitemap.xml") == other


def test_no_sitemap_is_read_where_its_pages_would_be_too_deep(web: Web) -> None:
    web.crawl("http://named.test/", "--depth", "0")
    assert web.asked("named.test") == ["/"]


def test_a_later_run_reads_sitemaps_that_an_earlier_one_left_aside(web: Web) -> None:
    web.crawl("http://named.test/", "--sitemaps", "none")
    web.crawl("http://named.test/", "--again")
    assert web.end("http://named.test/orphan") == ("done", "", 1)


def test_a_run_that_goes_deeper_reads_sitemaps_of_a_seed_that_was_visited_before(web: Web) -> None:
    web.crawl("http://named.test/", "--sitemaps", "none", "--depth", "1")
    web.crawl("http://named.test/")
    assert web.asked("named.test").count("/") == 1
    assert web.end("http://named.test/orphan") == ("done", "", 1)


def test_why_tells_a_sitemap(web: Web) -> None:
    web.crawl("http://guessed.test/")
    assert "as a sitemap" in run(web.folder, "why", "http://guessed.test/sitemap.xml", "--format", "table").out
