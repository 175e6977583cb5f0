"""What the spider makes of an answer: which documents are read, as what, and with what outcome."""

from __future__ import annotations

import gzip
import time

import pytest
from scrapy import Request
from scrapy.http import Response

from crawler.fetching import Fetched
from crawler.spiders.discover import visit_of
from linkindex.model import Outcome, Visit

URL = "https://a.test/x"
HTML = b'<!doctype html><title>T</title><a href="/1">one</a>'
XHTML = b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body><a href="/1">one</a></body></html>'
RSS = b"<rss><channel><item><link>https://a.test/1</link></item></channel></rss>"
SITEMAP = b"<urlset><url><loc>https://a.test/1</loc></url></urlset>"
LIST = b"https://a.test/1\n"


def visit(body: bytes, content_type: str = "", status: int = 200, sitemap: str = "", **headers: str) -> Visit:
    head = {"Content-Type": content_type} if content_type else {}
    head |= {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(URL, meta={"sitemap": sitemap} if sitemap else {})
    return visit_of(Response(URL, status, head, body, request=request))


@pytest.mark.parametrize(
    ("content_type", "body", "kind"),
    [
        ("text/html", HTML, "text"),
        ("", HTML, "text"),
        ("application/xhtml+xml", XHTML, "text"),
        ("text/html", XHTML, "text"),
        ("application/rss+xml", RSS, "feed"),
        ("application/xml", RSS, "feed"),
        ("text/html; charset=utf-8", RSS, "feed"),  # as browsers do
        ("text/html", b"\xef\xbb\xbf\n" + RSS, "feed"),
        ("", RSS, "feed"),
        ("text/xml", SITEMAP, "sitemap"),
        ("text/plain", RSS, ""),
        ("text/plain", LIST, ""),
        ("application/xml", b"<opml/>", ""),
        ("image/svg+xml", b'<svg xmlns="http://www.w3.org/2000/svg"><a href="/1"/></svg>', ""),
        ("application/json", b"{}", ""),
        ("text/xml", b"", ""),
    ],
)
def test_what_is_read_as_what(content_type: str, body: bytes, kind: str) -> None:
    seen = visit(body, content_type)
    assert seen.outcome is (Outcome.PAGE if kind else Outcome.NOT_A_PAGE)
    assert [(link.kind, link.target) for link in seen.links] == ([(kind, "https://a.test/1")] if kind else [])


@pytest.mark.parametrize("sitemap", ["named", "guessed"])
@pytest.mark.parametrize("body", [SITEMAP, LIST, RSS, gzip.compress(SITEMAP, mtime=0), gzip.compress(LIST, mtime=0)])
@pytest.mark.parametrize("content_type", ["application/octet-stream", "text/plain", "text/html", ""])
def test_a_sitemap_is_one_whatever_its_type(sitemap: str, body: bytes, content_type: str) -> None:
    seen = visit(body, content_type, sitemap=sitemap)
    assert (seen.outcome, seen.reason) == (Outcome.PAGE, "")
    assert [link.target for link in seen.links] == ["https://a.test/1"]


@pytest.mark.parametrize(
    ("status", "body", "named", "guessed"),
    [
        (200, HTML, "page", "no_sitemap"),
        (200, b"", "page", "no_sitemap"),
        (404, b"", "404", "no_sitemap"),
        (410, b"", "410", "no_sitemap"),
        (403, b"", "403", "no_sitemap"),
        (429, b"", "429", "429"),
        (503, b"", "503", "503"),
    ],
)
def test_only_a_guess_may_come_to_nothing(status: int, body: bytes, named: str, guessed: str) -> None:
    found = visit(body, "text/html", status, "named")
    assert (found.reason or found.outcome) == named
    missed = visit(body, "text/html", status, "guessed")
    assert missed.reason == guessed
    assert missed.links == ()
    assert (missed.outcome is Outcome.NOT_A_PAGE) is (guessed == "no_sitemap")


def test_a_sitemap_that_is_not_read_to_its_end_proves_no_absence() -> None:
    for body in (SITEMAP[:-9], gzip.compress(SITEMAP * 1000, 0)[:200], SITEMAP.replace(b"</url>", b"</url><x>")):
        seen = visit(body, "text/xml", sitemap="named")
        assert (seen.outcome, seen.cut, seen.reason, len(seen.links)) == (Outcome.PAGE, True, "broken_xml", 1)


def test_what_is_not_read_at_all_is_unreadable() -> None:
    seen = visit(b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + SITEMAP, "text/xml")
    assert (seen.outcome, seen.reason, seen.links) == (Outcome.UNREADABLE, "entities", ())


def test_robots_directives_hold_for_sitemaps_too() -> None:
    seen = visit(SITEMAP, "text/xml", X_Robots_Tag="noindex, nofollow")
    assert seen.robots == ("nofollow", "noindex")
    assert not seen.links[0].follow


def test_refused_entries_are_counted() -> None:
    seen = visit(SITEMAP.replace(b"</urlset>", b"<url><loc>/x</loc></url><url/><url/></urlset>"), "text/xml")
    assert (seen.outcome, seen.reason, seen.unusable) == (Outcome.PAGE, "no_url 2, not_a_url 1", 3)


@pytest.mark.parametrize("frozen", [0.0, 20.0])
def test_a_visit_is_dated_by_when_it_was_asked_for(frozen: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """So what was asked for later is newer, though a node that was frozen comes to read its answer after that."""
    now = time.monotonic()
    fetched = Fetched(elapsed_ms=1500, ended=now)
    monkeypatch.setattr(time, "monotonic", lambda: now + frozen)
    request = Request(URL, meta={"fetch": fetched, "clock": 1_700_000_000_000})
    seen = visit_of(Response(URL, 503, request=request))
    assert abs(seen.at - (1_700_000_000_000 + now * 1000 - 1500)) < 2
