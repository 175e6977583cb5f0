"""What is kept of pages, and how near in topic they are."""

from __future__ import annotations

from typing import Any

from linkindex.answers.pages import pages
from linkindex.answers.rows import moment
from linkindex.model import Outcome
from linkindex.relevance import pack
from linkindex.store import LinkIndex
from linkindex.target import parse_target
from tests.linkindex.contract.making import DAY, Places, found, link, redirect, visit


class Pages(Places):
    def test_a_page_says_what_it_said_when_it_was_last_read(self, index: LinkIndex) -> None:
        facts: dict[str, Any] = {
            "title": "T",
            "description": "D",
            "language": "de",
            "author": "A",
            "type": "article",
            "platform": "WordPress",
            "canonical": "https://a.test/c",
            "charset": "utf-8",
            "words": 12,
            "content_type": "text/html",
        }
        read = visit(
            "https://a.test/1",
            5,
            link("https://b.test/"),
            **facts,
            published=1000,
            robots=("noindex", "unavailable_after: wed, 21 oct 2026 07:28:00 gmt"),
            text_digest=-1,
            near_digest=255,
        )
        index.store([read, visit("https://a.test/2", 6)])
        index.store([visit("https://a.test/1", 9, outcome=Outcome.UNREACHABLE, reason="dns")])
        row, bare = pages(index, parse_target("a.test"))
        assert {name: getattr(row, name) for name in facts if name != "content_type"} == {
            name: value for name, value in facts.items() if name != "content_type"
        }
        assert (row.published, row.modified, row.robots) == (moment(1000), None, list(read.robots))
        assert (row.text_digest, row.near_digest, row.indexable) == ("f" * 16, "00000000000000ff", False)
        assert (row.outcome, row.status, row.last_visited) == ("unreachable", None, moment(9))
        assert (bare.url, bare.text_digest, bare.indexable) == ("https://a.test/2", "", True)
        assert len(list(pages(index, parse_target("a.test"), limit=1))) == 1
        (backlink,) = found(index, "b.test", state="all")  # such a page does not count
        assert (backlink.source_author, backlink.source_words, backlink.source_indexable) == ("A", 12, False)
        assert (backlink.position, backlink.source_external_links) == (0, 1)

    def test_where_a_page_redirected_when_it_was_last_read(self, index: LinkIndex) -> None:
        index.store([redirect("https://a.test/", 1, "https://b.test/")])
        index.store([visit("https://a.test/", 2, outcome=Outcome.UNREACHABLE, reason="dns")])
        (row,) = pages(index, parse_target("a.test"))
        assert (row.outcome, row.redirect) == ("unreachable", "https://b.test/")

    def test_a_link_is_as_relevant_as_its_pages_are_alike(self, index: LinkIndex) -> None:
        health, casino = pack({1: 3, 2: 2, 3: 1}), pack({7: 3, 8: 2, 9: 1})
        index.store(
            [
                visit("https://clinic.test/", 1, link("https://gym.test/plan"), terms=health),
                visit("https://casino.test/", 1, link("https://gym.test/plan"), terms=casino),
                visit("https://mute.test/", 1, link("https://gym.test/plan")),
                visit("https://mixed.test/", 1, link("https://gym.test/never"), terms=pack({1: 1, 7: 1})),
                visit("https://gym.test/plan", 1, terms=health),
            ]
        )
        relevance = {row.source_domain: (row.relevance, row.domain_relevance) for row in found(index, "gym.test")}
        assert relevance["clinic.test"] == (1.0, 1.0)
        assert relevance["casino.test"] == (0.0, 0.0)
        assert relevance["mute.test"] == (None, None)
        mixed = relevance["mixed.test"]
        assert mixed[0] is None
        assert mixed[1] is not None
        assert 0 < mixed[1] < 1

    def test_an_answer_that_nothing_changed_confirms_the_links(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", DAY, link("https://b.test/"))])
        index.store([visit("https://a.test/", 3 * DAY, outcome=Outcome.UNCHANGED, status=304)])
        (row,) = found(index, "b.test")
        assert row.last_seen == moment(3 * DAY)
        assert row.lost_at is None
        assert index.outcome("https://a.test/") == "page"
