"""What a visit leads to: entries for the frontier, sitemaps of a host, who may speak for whom."""

from __future__ import annotations

import pytest

from crawler.discovery import LEVELS, changed, entries, is_guess, sitemaps_of, strangers, vouches
from crawler.frontier import Lease, Robots
from crawler.offers import OFTEN, Offers
from crawler.politeness import Rules
from linkindex import urls
from linkindex.model import Link, Outcome, Visit
from pipelines.canonicalise import canonicalise

ROBOTS = "https://a.test/robots.txt"


def rules(text: str = "", verdict: str = "rules") -> Rules:
    return Rules(Robots(verdict=verdict, body=text.encode()))


def lease(url: str = "https://a.test/x", *, depth: int = 1, hops: int = 0, sitemap: int = 0) -> Lease:
    host = urls.host_of(url)
    return Lease(token="1.1", url=url, host=host, depth=depth, hops=hops, attempt=1, delay=0.0, sitemap=sitemap)


def visit(*links: Link, robots: tuple[str, ...] = (), redirect: str = "", on: str = "https://a.test/x") -> Visit:
    outcome = Outcome.REDIRECT if redirect else Outcome.PAGE
    return canonicalise(Visit(url=on, at=1, outcome=outcome, links=links, robots=robots, redirect=redirect))


def found(lease: Lease, visit: Visit, refused: frozenset[str] = frozenset()) -> list[tuple[str, int, int, int, str]]:
    return [
        (entry.url, entry.depth, entry.hops, entry.sitemap, entry.excluded)
        for entry in entries(lease, visit, Offers(), refused)
    ]


def nested(url: str) -> Link:
    return Link(target=url, kind="sitemap", rel=("sitemap",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("https://a.test/sitemap.xml", 1)]),
        ("User-agent: *\nDisallow: /", []),
        ("User-agent: *\nDisallow: /sitemap", []),
        ("Sitemap: /maps/a.xml", [("https://a.test/maps/a.xml", 1)]),
        ("sitemap: https://b.test/a.xml", [("https://b.test/a.xml", 1)]),
        ("Sitemap: /1\nSitemap: /2\nSitemap: /3", [(f"https://a.test/{n}", min(n, 2)) for n in (1, 2, 3)]),
        ("Sitemap: ftp://a.test/1", [("https://a.test/sitemap.xml", 1)]),
    ],
)
def test_the_sitemaps_of_a_host(text: str, expected: list[tuple[str, int]]) -> None:
    sitemaps = list(sitemaps_of(ROBOTS, rules(text), 2))
    assert [(entry.url, entry.sitemap) for entry in sitemaps] == expected
    assert all((entry.depth, entry.host) == (2, urls.host_of(entry.url)) for entry in sitemaps)


def test_a_robots_txt_may_name_no_end_of_sitemaps() -> None:
    text = "".join(f"Sitemap: /{number}\n" for number in range(5000))
    assert len(list(sitemaps_of(ROBOTS, rules(text), 0))) == 1000


def test_a_host_without_rules_is_looked_at_in_the_usual_place() -> None:
    assert [entry.url for entry in sitemaps_of(ROBOTS, rules(verdict="open"), 0)] == ["https://a.test/sitemap.xml"]


@pytest.mark.parametrize(
    ("url", "hops", "text", "guess"),
    [
        ("https://a.test/sitemap.xml", 0, "", True),
        ("https://a.test/sitemap.xml", 0, "Sitemap: /sitemap.xml", False),
        ("https://a.test/sitemap.xml", 1, "", False),
        ("https://a.test/other.xml", 0, "", False),
    ],
)
def test_what_is_a_guess(url: str, hops: int, text: str, guess: bool) -> None:
    assert is_guess(lease(url, hops=hops, sitemap=1), rules(text)) is guess


@pytest.mark.parametrize(
    ("text", "speaks"),
    [
        ("Sitemap: https://maps.test/b.xml", True),
        ("SITEMAP:HTTP://MAPS.test", True),
        ("Sitemap: http://maps.test:8080/b.xml", False),
        ("Sitemap: https://notmaps.test/b.xml", False),
        ("Sitemap: /maps.test.xml", False),
        ("# https://maps.test/b.xml", False),
        ("", False),
    ],
)
def test_who_may_speak_for_a_site(text: str, speaks: bool) -> None:
    assert vouches(Robots(verdict="rules", body=text.encode()), "maps.test") is speaks


def test_links_become_entries_one_step_away() -> None:
    links = (Link(target="https://b.test/"), Link(target="https://c.test/f", kind="form"))
    media = Link(target="https://c.test/i.png", kind="media")
    assert found(lease(), visit(*links, media)) == [("https://b.test/", 2, 0, 0, "")]
    assert found(lease(), visit(*links, robots=("nofollow",))) == []


def test_what_was_offered_is_offered_again_nearer_or_by_another_domain_or_often() -> None:
    def offered(domain: str, depth: int, offers: Offers) -> list[int]:
        page = visit(Link(target="https://b.test/"), on=f"https://{domain}/x")
        found = list(entries(lease(depth=depth), page, offers, frozenset()))
        offers.heard(found, domain)
        return [entry.seen for entry in found]

    offers = Offers()
    assert offered("a.test", 2, offers) == [1]
    assert [offered("a.test", depth, offers) for depth in (2, 3)] == [[], []]
    assert offered("a.test", 1, offers) == [3]  # nearer: the two before are told with it
    assert offered("c.test", 1, offers) == [1]
    often = [offered("c.test", 1, offers) for _ in range(OFTEN)]
    assert often == [[]] * (OFTEN - 1) + [[OFTEN]]


def test_what_a_sitemap_says_was_modified_since() -> None:
    links = [Link(target=f"https://a.test/{at}", kind="sitemap", modified=at) for at in (0, 5, 6)]
    stranger = Link(target="https://b.test/", kind="sitemap", modified=9)
    seen = visit(*links, stranger, Link(target="https://a.test/text", modified=9))
    assert [(entry.url, entry.depth) for entry in changed(lease(sitemap=1), seen, 5, {"b.test"})] == [
        ("https://a.test/6", 2)
    ]


def test_the_target_of_a_redirect_is_what_redirected() -> None:
    moved = visit(Link(target="https://a.test/y", kind="redirect"), redirect="https://a.test/y")
    assert found(lease(sitemap=2, hops=1), moved) == [("https://a.test/y", 1, 2, 2, "")]


def test_from_sitemap_to_sitemap_is_no_step_but_a_level() -> None:
    index = visit(nested("https://a.test/1"))
    assert found(lease(depth=0, sitemap=1), index) == [("https://a.test/1", 0, 0, 2, "")]
    assert found(lease(depth=0, sitemap=LEVELS - 1), index) == [("https://a.test/1", 0, 0, LEVELS, "")]
    assert found(lease(depth=0, sitemap=LEVELS), index) == [("https://a.test/1", 0, 0, LEVELS + 1, "sitemap_depth")]
    assert found(lease(depth=0), index) == [("https://a.test/1", 1, 0, 2, "")]  # a page that names its sitemap


def test_a_sitemap_does_not_speak_for_strangers() -> None:
    listed = visit(
        Link(target="https://a.test/1", kind="sitemap"),
        Link(target="https://www.a.test/2", kind="sitemap"),
        Link(target="https://b.test/3", kind="sitemap"),
        nested("https://c.test/4"),
        Link(target="https://d.test/5", kind="alternate"),
    )
    assert strangers(listed) == {"b.test", "c.test"}
    assert found(lease(depth=0, sitemap=1), listed, frozenset({"b.test"})) == [
        ("https://a.test/1", 1, 0, 0, ""),
        ("https://www.a.test/2", 1, 0, 0, ""),
        ("https://b.test/3", 1, 0, 0, "other_host"),
        ("https://c.test/4", 0, 0, 2, ""),
        ("https://d.test/5", 1, 0, 0, ""),
    ]
