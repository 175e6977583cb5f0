"""Strings of strangers: they come back as they went in, and are never operators, patterns or sort keys."""

from __future__ import annotations

from typing import Any

import pytest

from linkindex.answers.outlinks import outlinks
from linkindex.answers.pages import pages
from linkindex.store import LinkIndex
from linkindex.store.selection import Forgotten, Selection
from linkindex.target import Target
from pipelines.canonicalise import canonicalise
from tests.linkindex.contract.making import Places, found, link, selected, sources, visit

STRINGS = [
    "'; DROP TABLE link; --",
    '" OR ""="',
    "$where",
    "$ne",
    '{"$gt": ""}',
    "a.b.$c",
    "%",
    "_",
    "100%_*?[a]",
    ".*",
    "^b|(a+)+$",
    "[",
    "\\",
    "\\Q\\E",
    "(?i)x",
    "\x00",
    "nul\x00inside",
    "\x1b[31m \u202e",
    "漢字 🦜 ﷽",
    "x" * 10_000,
    "",
    " ",
]


def safe(name: str) -> str:
    return name.encode("ascii", "backslashreplace").decode()[:20]


def impossible(odd: str) -> list[dict[str, Any]]:
    """Return conditions that no link fulfils, unless they are taken for more than strings."""
    return [{"source": odd}, {"kinds": (odd,)}, {"placements": (odd,)}, {"rel": (odd, "none")}]


class Hostile(Places):
    @pytest.mark.parametrize("odd", STRINGS, ids=safe)
    def test_text_of_any_kind_comes_back_as_it_went_in(self, index: LinkIndex, odd: str) -> None:
        texts: dict[str, Any] = {"text_before": odd, "text_after": odd, "heading": odd}
        facts: dict[str, Any] = {"title": odd, "description": odd, "author": odd, "language": odd, "platform": odd}
        index.store(
            [visit("https://a.test/", 1, link("https://b.test/", odd, **texts), link("https://c.test/"), **facts)]
        )
        (row,) = found(index, "b.test")
        assert (row.anchor, row.text_before, row.text_after, row.heading) == (odd,) * 4
        assert (row.source_title, row.source_author, row.source_language, row.source_platform) == (odd,) * 4
        assert [group.key for group in index.groups(selected("b.test"), "anchor")] == [odd]
        (page,) = pages(index, Target(text="", urls=("https://a.test/",)))
        assert (page.title, page.description) == (odd, odd)
        assert [version.anchor for version in index.versions("https://a.test/", "https://b.test/")] == [odd]
        assert [change.anchor for change in index.changes(selected("b.test"))] == [odd]
        assert {out.anchor for out in outlinks(index, "https://a.test/")} == {odd, "words"}

    @pytest.mark.parametrize("odd", [name for name in STRINGS if name], ids=safe)
    def test_a_condition_is_a_string_and_nothing_else(self, index: LinkIndex, odd: str) -> None:
        index.store(
            [
                visit("https://a.test/", 1, link("https://b.test/", f"before {odd} after")),
                visit("https://c.test/", 1, link("https://b.test/", "nothing-odd")),
                visit("https://d.test/", 1, link("https://b.test/", "xX", rel=("$ne",))),
            ]
        )
        expected = [
            name for name, text in (("a", f"before {odd} after"), ("c", "nothing-odd"), ("d", "xX")) if odd in text
        ]
        assert sources(found(index, "b.test", anchor=odd)) == expected
        for conditions in impossible(odd):
            assert found(index, "b.test", **conditions) == []
            assert list(index.groups(selected("b.test", **conditions), "anchor")) == []
            assert list(index.changes(selected("b.test", **conditions))) == []
        assert sources(found(index, "b.test", rel=(odd,))) == (["d"] if odd == "$ne" else [])

    @pytest.mark.parametrize("odd", STRINGS, ids=safe)
    def test_a_target_is_a_string_and_nothing_else(self, index: LinkIndex, odd: str) -> None:
        index.store([visit("https://a.test/", 1, link("https://b.test/"), link("https://c.test/$x.*"))])
        spelled = [
            Target(text=odd, name=odd or "-"),
            Target(text=odd, urls=(odd,)),
            Target(text=odd, prefixes=(f"https://b.test/{odd}-",)),
            Target(text=odd, prefixes=(f"https://[ab].test/{odd}",)),
        ]
        for target in spelled:
            for as_found in (False, True):
                whole = Selection(target=target, state="all", as_found=as_found)
                assert [*index.links(whole), *index.groups(whole, ""), *index.changes(whole)] == []
            assert [*index.pages(target), *index.visited(target)] == []
            assert index.pages_of(target) == 0
            assert index.forget(target) == Forgotten(pages=0, links=0)
        assert (index.outcome(odd), index.leads([odd]), [*index.versions(odd)], [*index.named(odd or "-")]) == (
            *(None, {}, []),
            [],
        )
        assert [*index.versions("https://a.test/", odd or "-"), *index.outlinks(odd), *index.terms_of(odd, 3)] == []
        index.put_ranks([(odd, 1.0)], [(odd, 1.0)])
        assert found(index, "b.test", order="rank")[0].domain_rank is None
        assert index.counts().links == 2

    @pytest.mark.parametrize("odd", ["?q='%22;--", "?$ne=1", "/%00", "/.*", "/%5B", "/" + "x" * 10_000, "/?a[$gt]="])
    def test_urls_of_any_kind(self, index: LinkIndex, odd: str) -> None:
        to = canonicalise(visit("https://a.test/", 1, link(f"https://b.test{odd}"))).links[0].target
        index.store([visit("https://a.test/", 1, link(to)), visit(to, 1, link("https://c.test/"))])
        one = Target(text=odd, urls=(to,))
        assert [row.target for row in index.links(Selection(target=one))] == [to]
        assert [row.target for row in index.links(Selection(target=Target(text=odd, prefixes=(to,))))] == [to]
        assert [row.source for row in found(index, "c.test")] == [to]
        assert [version.target for version in index.versions("https://a.test/", to)] == [to]
        index.put_ranks([(to, 0.5)], [])
        assert found(index, "c.test")[0].source_rank == 0.5
        assert index.forget(one) == Forgotten(pages=1, links=1)

    @pytest.mark.parametrize("odd", ["\ud800", "lone \udfff surrogate"], ids=safe)
    def test_lone_surrogates_break_nothing(self, index: LinkIndex, odd: str) -> None:
        # No page holds one, for its bytes were decoded; an argument of the command line may: they are not UTF-8.
        index.store([visit("https://a.test/", 1, link("https://b.test/"))])
        for conditions in [{"anchor": odd}, *impossible(odd)]:
            assert found(index, "b.test", **conditions) == []
            assert list(index.groups(selected("b.test", **conditions), "")) == []
        for target in (Target(text=odd, name=odd), Target(text=odd, urls=(odd,)), Target(text=odd, prefixes=(odd,))):
            assert list(index.links(Selection(target=target))) == []
            assert index.forget(target) == Forgotten(pages=0, links=0)
        assert (index.outcome(odd), index.leads([odd]), list(index.versions(odd))) == (None, {}, [])
        assert index.forget(run=odd) == Forgotten(pages=0, links=0)

    def test_runs_may_be_called_anything(self, index: LinkIndex) -> None:
        for number, odd in enumerate(STRINGS[:-2]):
            index.store([visit(f"https://a{number}.test/", 1000 - number, link("https://b.test/"))], run=odd)
        assert [run.run for run in index.runs()] == STRINGS[:-2]
        for odd in STRINGS[:-2]:
            assert index.forget(run=odd) == Forgotten(pages=1, links=1)

    def test_notes_may_be_called_anything(self, index: LinkIndex) -> None:
        for odd in STRINGS:
            assert index.about(f"note {odd}") is None
            index.put_about(f"note {odd}", odd.encode())
        assert [index.about(f"note {odd}") for odd in STRINGS] == [odd.encode() for odd in STRINGS]
