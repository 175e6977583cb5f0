"""Runs, forgetting, ranks, checks, and questions that may not take for ever."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from linkindex.answers.outlinks import outlinks
from linkindex.answers.pages import pages
from linkindex.answers.rows import moment
from linkindex.errors import TimedOut
from linkindex.model import Outcome, Visit
from linkindex.store import LinkIndex
from linkindex.store.selection import Forgotten, RunCounts
from linkindex.target import parse_target
from tests.linkindex.contract.making import DAY, Places, found, link, redirect, selected, sources, visit

FORGETTABLE = [
    ("a.test", ["https://a.test/1", "https://a.test/2", "https://www.a.test/"]),
    ("www.a.test", ["https://www.a.test/"]),
    ("https://a.test/*", ["https://a.test/1", "https://a.test/2"]),
    ("https://a.test/2", ["https://a.test/2"]),
]


def two_sites(at: int = DAY) -> list[Visit]:
    """Return pages of a.test, two links each, and one of c.test that links to a.test and to b.test."""
    urls = ["https://a.test/1", "https://a.test/2", "https://www.a.test/"]
    return [
        *(visit(url, at, link("https://b.test/", url), link(f"https://of{n}.test/")) for n, url in enumerate(urls)),
        visit("https://c.test/", at, link("https://a.test/1"), link("https://a.test/2"), link("https://b.test/", "c")),
    ]


class Upkeep(Places):
    def test_runs_are_told_by_the_pages_they_visited_first(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/1", 1000), visit("https://a.test/2", 2000)], "first")
        index.store([visit("https://b.test/", 5000), visit("https://a.test/1", 6000)], run="second")
        index.store([visit("https://a.test/2", 7000)], run="first")
        assert [run for run in index.runs() if run.run] == [
            RunCounts(run="second", pages=1, first=5000, last=5000),
            RunCounts(run="first", pages=2, first=1000, last=2000),
        ]

    def test_the_pages_of_a_run_are_those_it_visited_first(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/1", 1000)], run="one")
        index.store([visit("https://a.test/1", 2000), visit("https://b.test/", 2000, outcome=Outcome.GONE)], run="two")
        index.store([visit("https://c.test/", 3000)])
        assert [page.url for page in index.visited(run="one")] == ["https://a.test/1"]
        assert [(page.url, page.outcome) for page in index.visited(run="two")] == [("https://b.test/", "gone")]
        assert list(index.visited(run="never")) == []
        assert len(list(index.visited())) == 3

    # ---- forgetting

    @pytest.mark.parametrize(("target", "urls"), FORGETTABLE)
    def test_what_a_target_covers_is_forgotten(self, index: LinkIndex, target: str, urls: list[str]) -> None:
        index.store(two_sites())
        assert index.forget(parse_target(target)) == Forgotten(pages=len(urls), links=2 * len(urls))
        left = {page.url for page in index.visited()}
        assert left == {visit.url for visit in two_sites()} - set(urls)
        assert {row.source for row in found(index, "b.test", state="all")} == left
        assert sources(found(index, "a.test")) == ["c", "c"]  # their words, not a.test's
        for url in urls:
            assert index.outcome(url) is None
            assert [*outlinks(index, url), *index.versions(url), *pages(index, parse_target(url))] == []
        assert index.counts().pages == len(left)
        assert index.forget(parse_target(target)) == Forgotten(pages=0, links=0)

    def test_a_run_is_forgotten_with_the_pages_it_visited_first(self, index: LinkIndex) -> None:
        first, *rest = two_sites()
        index.store([first], run="one")
        index.store([*two_sites(2 * DAY)], run="two")
        assert index.forget(run="two") == Forgotten(pages=len(rest), links=7)
        assert [page.url for page in index.visited()] == [first.url]
        assert [run.run for run in index.runs()] == ["one"]
        assert index.forget(run="never") == Forgotten(pages=0, links=0)

    def test_forgetting_nothing_in_particular_forgets_nothing(self, index: LinkIndex) -> None:
        index.store(two_sites())
        assert index.forget() == Forgotten(pages=0, links=0)
        assert index.counts().pages == 4

    def test_versions_of_a_link_count_once_whatever_their_state(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1000, link("https://b.test/", "x"), link("https://b.test/2"))])
        index.store([visit("https://a.test/", 2000, link("https://b.test/", "y"))])
        index.store([visit("https://a.test/", 3000)])
        assert index.forget(parse_target("a.test")) == Forgotten(pages=1, links=2)
        assert [*found(index, "b.test", state="all"), *index.changes(selected("b.test"))] == []
        assert found(index, "b.test", as_of=1500) == []

    def test_where_a_forgotten_page_led_is_forgotten(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1, link("https://old.test/"))])
        index.store([redirect("https://old.test/", 1, "https://new.test/")])
        assert sources(found(index, "new.test", kinds=("text",))) == ["a"]
        index.forget(parse_target("old.test"))
        assert (index.leads(["https://old.test/"]), found(index, "new.test", state="all")) == ({}, [])
        (row,) = found(index, "old.test")
        assert (row.hops, row.target_end, row.target_status) == ([], "https://old.test/", None)

    def test_what_was_forgotten_may_come_anew(self, index: LinkIndex) -> None:
        index.store(two_sites())
        index.store([visit("https://a.test/1", 2 * DAY, link("https://b.test/", "again"))])
        index.forget(parse_target("a.test"))
        index.store(two_sites(3 * DAY))
        rows = found(index, "b.test", state="all", source="a.test")
        assert {(row.first_seen, row.last_seen, row.lost_at) for row in rows} == {
            (moment(3 * DAY), moment(3 * DAY), None)
        }
        assert len(rows) == 3
        assert len(found(index, "a.test")) == 2
        index.store([visit("https://a.test/1", 2 * DAY)])  # late: forgetting does not set time back for what came anew
        assert len(found(index, "b.test", source="a.test")) == 3
        index.forget(parse_target("a.test"))
        index.store([visit("https://a.test/1", DAY, link("https://b.test/"))])  # it does for what was forgotten
        assert found(index, "b.test", source="a.test")[0].first_seen == moment(DAY)

    def test_links_inside_a_domain_are_forgotten_too(self, index: LinkIndex, full: LinkIndex) -> None:
        for one in (index, full):
            one.store([visit("https://a.test/", 1, link("https://a.test/x", "in"), link("https://a.test/y"))])
            one.forget(parse_target("https://a.test/"))
            assert [*outlinks(one, "https://a.test/"), *one.named("a.test")] == []
        assert found(full, "a.test", internal=True, state="all") == []

    def test_a_large_site_is_forgotten_whole(self, index: LinkIndex) -> None:
        index.store([visit(f"https://a.test/{n}", 1, link(f"https://b{n % 7}.test/")) for n in range(3000)])
        assert index.forget(parse_target("a.test")) == Forgotten(pages=3000, links=3000)
        assert (index.counts().pages, index.counts().links) == (0, 0)

    # ---- what it needs

    def test_a_new_index_has_all_it_needs(self, index: LinkIndex) -> None:
        index.store(two_sites())
        checks = list(index.check())
        assert checks
        assert [check for check in checks if not check.ok] == []
        assert all(check.name and check.found for check in checks)
        assert len({check.name for check in checks}) == len(checks)

    # ---- time

    def test_a_question_that_takes_too_long_is_ended(self, place: Callable[[], str]) -> None:
        url = place()
        with self.open(url) as index:
            for part in range(8):
                index.store(
                    visit(
                        f"https://a{part}.test/{n}",
                        1,
                        *(link(f"https://b.test/{n}/{m}", f"{n} {m}") for m in range(20)),
                    )
                    for n in range(100)
                )
        whole = selected("b.test")
        with self.open(url, time_limit=0.001) as hasty:
            for ask in (
                lambda: hasty.groups(whole, "anchor"),
                lambda: hasty.links(whole, order="new", per="domain"),
                lambda: hasty.changes(whole),
            ):
                with pytest.raises(TimedOut):
                    list(ask())
            hasty.store([visit("https://late.test/", 2, link("https://b.test/"))])  # what is written has no limit
        with self.open(url, time_limit=600.0) as patient:
            assert sum(group.links for group in patient.groups(whole, "")) == 16_001

    # ---- several at once

    def test_two_that_are_open_see_what_each_other_wrote(self, place: Callable[[], str]) -> None:
        url = place()
        with self.open(url) as one, self.open(url) as other:
            one.store([visit("https://a.test/", 1000, link("https://b.test/", "one"))])
            other.store([visit("https://a.test/", 2000, link("https://b.test/", "two"))])
            other.store([visit("https://c.test/", 1000, link("https://b.test/", "one"), outcome=Outcome.PAGE)])
            one.store([visit("https://a.test/", 3000, link("https://b.test/", "one"))])
            for index in (one, other):
                assert [(row.source, row.anchor) for row in found(index, "b.test")] == [
                    ("https://a.test/", "one"),
                    ("https://c.test/", "one"),
                ]
                assert [version.anchor for version in index.versions("https://a.test/")] == ["one", "two", "one"]

    def test_ids_that_another_forgot_are_not_used_again(self, place: Callable[[], str]) -> None:
        url = place()
        with self.open(url) as one, self.open(url) as other:
            one.store(two_sites())
            other.store([visit("https://x.test/", 1, link("https://b.test/", "c"))])
            other.forget(parse_target("c.test"))
            other.forget(parse_target("a.test"))
            one.store(two_sites(2 * DAY))
            assert len(found(one, "b.test")) == len(found(other, "b.test")) == 5
            assert len(found(one, "a.test")) == 2
