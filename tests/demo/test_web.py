"""The made-up web keeps its word: same bytes for one seed, all it promises inside, and a truth that is true."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from lxml import html as lxml_html

from interfaces.demo.model import Answer, PlantedLink, Web, split
from interfaces.demo.site import make_site
from interfaces.demo.vocabulary import CLOSED, MISSING
from interfaces.demo.web import make_web
from linkindex import urls

ROOT = Path(__file__).parents[2]
ATTRIBUTE = {"a": "href", "area": "href", "link": "href", "iframe": "src"}
NOT_LINKS = {"stylesheet"}


@cache
def web(seed: int = 1) -> Web:
    """The web of a seed, made once."""
    return make_web(seed)


def digest(made: Web) -> str:
    """A digest of every byte that is served, and of the truth."""
    return hashlib.sha256(repr((sorted(made.answers.items()), made.links())).encode()).hexdigest()


def domains(found: list[PlantedLink]) -> set[str]:
    """The domains of the pages with these links."""
    return {urls.domain_of(split(link.source)[0]) for link in found}


def test_one_seed_gives_the_same_bytes_in_every_process() -> None:
    program = "from tests.demo.test_web import digest, web; print(digest(web()))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=environment | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("1", "2")
    ]
    assert runs == [digest(web())] * 2


def test_another_seed_gives_another_web() -> None:
    assert digest(web(2)) != digest(web(1))


def test_sizes() -> None:
    made = web()
    assert len(made.hosts) >= 36
    assert len({urls.domain_of(host) for host in made.hosts}) >= 28
    assert 300 <= len(made.pages) <= 600
    assert len(make_web(1, hosts=50).hosts) == len(made.hosts) + 14
    with pytest.raises(ValueError, match="at least"):
        make_web(1, hosts=5)


def test_the_star_has_many_referring_domains() -> None:
    made = web()
    reached = made.reachable()
    back = [link for link in made.links() if urls.domain_of(split(link.target)[0]) == made.star]
    assert len(domains([link for link in back if link.source in reached]) - {made.star}) >= 20
    assert {link.follow for link in back} == {True, False}


def test_everything_open_is_found_within_four_links_nearly_all_within_three() -> None:
    made = web()
    distance = made.reachable()
    pages = {
        f"http://{host}{path}"
        for host, path in made.answers
        if path != "/robots.txt" and not path.startswith(made.closed.get(host, ()))
    }
    assert pages <= set(distance)
    assert made.reachable(follow_only=True).keys() == distance.keys()
    steps = Counter(distance.values())
    assert max(steps) <= 5
    assert sum(steps[n] for n in range(4)) >= 0.95 * len(distance)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_planted_link_is_in_its_document_and_no_other(seed: int) -> None:
    made = web(seed)
    planted: dict[str, list[tuple[str, str, tuple[str, ...]]]] = {}
    for link in made.links():
        if link.kind not in ("redirect", "refresh"):
            planted.setdefault(link.source, []).append((link.target, link.anchor, link.rel))
    for (host, path), answer in made.answers.items():
        if "text/html" in dict(answer.headers).get("Content-Type", ""):
            url = f"http://{host}{path}"
            assert sorted(_links_in(url, answer)) == sorted(planted.get(url, [])), url


def _links_in(url: str, answer: Answer) -> list[tuple[str, str, tuple[str, ...]]]:
    """What a parser that has nothing to do with the generator sees: target, anchor, rel."""
    document = lxml_html.fromstring(answer.body)
    base = next(iter(document.xpath("//base/@href")), url)
    links = []
    for element in document.iter("a", "area", "link", "iframe"):
        rel = tuple(sorted(element.get("rel", "").split()))
        target = urls.canonical(urls.parse(element.get(ATTRIBUTE[element.tag]), base) or "")
        if target != url and not NOT_LINKS & set(rel):
            alt = element.get("alt") or "".join(element.xpath(".//img/@alt"))
            links.append((target, alt or element.text_content(), rel))
    return links


def test_every_internal_target_is_served_or_meant_to_be_missing() -> None:
    made = web()
    missing = {link.target for link in made.links() if split(link.target) not in made.answers}
    assert missing == {
        f"http://{MISSING}/",
        f"http://{MISSING}/pier",
        "http://alpine-trails.example/herbarium",
        "http://hedge-almanac.example/no-such-hedge",
    }
    assert made.answer(MISSING, "/") is None
    assert made.answer("hedge-almanac.example", "/no-such-hedge") == made.answer("alpine-trails.example", "/herbarium")


def test_planted_links_are_of_every_kind_rel_and_placement() -> None:
    found = web().links()
    assert {link.kind for link in found} == {
        "text", "image", "area", "frame", "canonical", "alternate", "feed", "next", "prev", "refresh", "redirect",
    }  # fmt: skip
    assert {link.rel for link in found} >= {
        (), ("nofollow",), ("nofollow", "ugc"), ("sponsored",), ("nofollow", "sponsored"),
    }  # fmt: skip
    assert {link.placement for link in found} == {
        "content", "navigation", "header", "footer", "sidebar", "comment", "breadcrumb", "head", "unknown",
    }  # fmt: skip


def test_answers_are_of_every_sort() -> None:
    made = web()
    statuses = {answer.status for answer in made.answers.values()}
    assert statuses == {200, 301, 302, 410}
    types = {dict(answer.headers).get("Content-Type") for answer in made.answers.values()}
    assert types >= {"application/pdf", "application/rss+xml", "text/plain", "text/html", "text/html; charset=utf-8"}
    chain = ["http://peak-light.example/portfolio"]
    while location := dict(made.answers[split(chain[-1])].headers).get("Location"):
        chain.append(location)
    assert len(chain) == 3
    crossing = [
        link for link in made.links() if link.kind == "redirect" and split(link.source)[0] != split(link.target)[0]
    ]
    assert crossing


def test_pages_with_a_rule_of_their_own() -> None:
    made = web()
    french = made.answers["cuisine-du-lac.example", "/recettes"]
    assert "5 €" in french.body.decode("windows-1252")
    assert b'<meta charset="windows-1252">' in french.body
    assert ("X-Robots-Tag", "nofollow") in made.answers["bench-log.example", "/links"].headers
    assert b'content="noarchive, nofollow"' in made.answers["wiki.valley-observatory.example", "/sandbox"].body
    for source in ("http://bench-log.example/links", "http://wiki.valley-observatory.example/sandbox"):
        own = [link.follow for link in made.links() if link.source == source]
        assert own and not any(own)
    assert b"<base href=" in made.answers["gravel-notes.example", "/notebook/spring"].body


def test_robots_rules_close_what_is_linked_to() -> None:
    made = web()
    closed = {link.target for link in made.links() if "/private/" in link.target}
    assert len(closed) == 4 and not closed & set(made.reachable())
    assert not any(split(url)[0] == CLOSED for url in made.reachable())
    assert b"Disallow: /\n" in made.answers[CLOSED, "/robots.txt"].body
    assert b"Crawl-delay: 0.2\n" in made.answers["valley-observatory.example", "/robots.txt"].body


@pytest.mark.parametrize(("pages", "hosts"), [(1, 1), (9, 1), (600, 1), (600, 30)])
def test_a_site_is_whole(pages: int, hosts: int) -> None:
    site = make_site(pages, hosts=hosts, links_per_page=20, external_per_page=3)
    links = list(site.links())
    by_source: dict[str, list[str]] = {}
    for link in links:
        by_source.setdefault(link.source, []).append(link.target)
    seen, ring = set(site.seeds), list(site.seeds)
    while ring:
        ring = sorted({t for url in ring for t in by_source[url]} & set(site.pages) - seen)
        seen.update(ring)
    assert seen == set(site.pages) and len(seen) == pages
    assert len({(link.source, link.target) for link in links}) == len(links)
    outside = [link.target for link in links if link.target not in seen]
    assert len(outside) == len(set(outside)) == 3 * pages
    assert len({split(url)[0] for url in seen}) == hosts


def test_a_page_of_a_site_holds_its_links_and_is_as_large_as_asked() -> None:
    site = make_site(200, links_per_page=105, external_per_page=10, size=45_000)
    for url in site.pages[::40]:
        answer = site.answer(*split(url))
        assert answer and 45_000 <= len(answer.body) < 46_000
        found = [(target, anchor) for target, anchor, _ in _links_in(url, answer)]
        assert found == [(link.target, link.anchor) for link in site.links() if link.source == url]
        assert len(found) == 105
    assert site.answer("site.example", "/p/200") == site.answer("site.example", "/robots.txt")
    assert site.answer("other.example", "/") is None
