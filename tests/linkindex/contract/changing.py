"""What happened to links, from one moment to another."""

from __future__ import annotations

from typing import Any

import pytest

from linkindex.answers.rows import Change, moment
from linkindex.model import Outcome
from linkindex.store import LinkIndex
from tests.linkindex.contract.making import DAY, Places, link, redirect, selected, visit


def happened(index: LinkIndex, target: str = "b.test", limit: int | None = None, **conditions: object) -> list[Change]:
    return list(index.changes(selected(target, **conditions), limit))


def told(changes: list[Change]) -> list[tuple[str, str, str, str]]:
    return [(change.what, change.attribute, change.before, change.after) for change in changes]


class Changing(Places):
    def test_a_link_that_came_changed_went_and_returned(self, index: LinkIndex) -> None:
        first = link("https://b.test/", "old words", rel=("ugc",))
        then = link("https://b.test/", "new words", rel=("nofollow", "ugc"), follow=False, kind="image")
        index.store([visit("https://www.a.test/", 1000, first)])
        index.store([visit("https://www.a.test/", 2000, then)])
        index.store([visit("https://www.a.test/", 3000)])
        index.store([visit("https://www.a.test/", 4000, then)])
        changes = happened(index)
        assert [change.at for change in changes] == sorted((change.at for change in changes), reverse=True)
        assert told(changes)[:2] == [("returned", "", "", ""), ("lost", "removed", "", "")]
        assert told(changes)[-1] == ("new", "", "", "")
        assert set(told(changes)[2:-1]) == {
            ("changed", "anchor", "old words", "new words"),
            ("changed", "rel", "ugc", "nofollow ugc"),
            ("changed", "follow", "yes", "no"),
            ("changed", "kind", "text", "image"),
        }
        assert changes[-1] == Change(
            at=moment(1000),
            what="new",
            source="https://www.a.test/",
            source_domain="a.test",
            target="https://b.test/",
            ordinal=0,
            attribute="",
            before="",
            after="",
            anchor="old words",
            follow=True,
        )
        assert {(change.anchor, change.follow) for change in changes[:-1]} == {("new words", False)}

    def test_changes_from_a_moment_until_before_another(self, index: LinkIndex) -> None:
        for at in (1000, 2000, 3000):
            index.store([visit("https://a.test/", at, link("https://b.test/", f"at {at}"))])
        index.store([visit("https://a.test/", 4000)])

        def times(**bounds: Any) -> list[int]:
            return [round(change.at.timestamp() * 1000) for change in happened(index, **bounds)]

        assert times() == [4000, 3000, 2000, 1000]
        assert times(since=2000) == [4000, 3000, 2000]
        assert times(until=2000) == [1000]
        assert times(since=2000, until=4000) == [3000, 2000]
        assert times(since=2001, until=3000) == []
        assert [round(change.at.timestamp() * 1000) for change in happened(index, limit=2)] == [4000, 3000]

    def test_state_and_as_of_do_not_matter(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1000, link("https://b.test/1"), link("https://b.test/2"))])
        index.store([visit("https://a.test/", 2000, link("https://b.test/1"))])
        everything = happened(index)
        assert len(everything) == 3
        assert happened(index, state="lost") == happened(index, state="all") == everything
        assert happened(index, as_of=1500) == everything

    def test_changes_are_those_of_the_links_that_are_selected_as_they_are_now(self, full: LinkIndex) -> None:
        index = full
        index.store(
            [
                visit("https://a.test/", 1000, link("https://b.test/", "x"), link("https://c.test/")),
                visit("https://d.test/", 1000, link("https://b.test/", "y", follow=False)),
                visit("https://b.test/in", 1000, link("https://b.test/", "z")),
            ]
        )
        index.store([visit("https://d.test/", 2000, link("https://b.test/", "y"))])
        assert {change.source_domain for change in happened(index)} == {"a.test", "d.test"}
        assert {change.source_domain for change in happened(index, internal=True)} == {"a.test", "b.test", "d.test"}
        assert {change.source_domain for change in happened(index, source="d.test")} == {"d.test"}
        assert told(happened(index, follow=True, anchor="Y")) == [
            ("changed", "follow", "no", "yes"),
            ("new", "", "", ""),
        ]
        assert happened(index, follow=False) == []
        assert happened(index, "nobody.test") == []

    @pytest.mark.parametrize("reason", ["not_indexable", "not_canonical", "page_redirected", "page_gone"])
    def test_why_a_link_was_lost(self, index: LinkIndex, reason: str) -> None:
        index.store([visit("https://a.test/", 1 * DAY, link("https://b.test/"))])
        endings = {
            "not_indexable": [visit("https://a.test/", 9 * DAY, link("https://b.test/"), robots=("noindex",))],
            "not_canonical": [visit("https://a.test/", 9 * DAY, canonical="https://a.test/c")],
            "page_redirected": [redirect("https://a.test/", 9 * DAY, "https://c.test/")],
            "page_gone": [visit("https://a.test/", day * DAY, outcome=Outcome.GONE) for day in (2, 3, 9)],
        }
        index.store(endings[reason])
        lost = happened(index)[0]
        assert (lost.what, lost.attribute, lost.at) == ("lost", reason, moment(9 * DAY))

    def test_a_link_of_a_page_that_does_not_count_is_new_and_lost_at_once(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1000, link("https://b.test/"), robots=("noindex",))])
        assert [(change.what, change.attribute, change.at) for change in happened(index)] == [
            ("lost", "not_indexable", moment(1000)),
            ("new", "", moment(1000)),
        ]

    def test_where_a_target_leads_may_change(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1000, link("https://b.test/"))])
        index.store([visit("https://gone.test/", 1000, link("https://b.test/"))])
        index.store([visit("https://gone.test/", 1500)])
        index.store([redirect("https://b.test/", 2000, "https://b.test/new")])
        index.store([redirect("https://b.test/new", 2500, "https://b.test/end")])
        index.store([redirect("https://b.test/", 3000, "https://b.test/new", 308)])  # to the same end
        index.store([redirect("https://b.test/", 4000, "https://b.test/other")])
        index.store([visit("https://b.test/", 5000)])
        moved = [change for change in happened(index) if change.what == "moved"]
        assert [(change.source, change.attribute, change.before, change.after) for change in moved] == [
            ("https://a.test/", "target_end", "https://b.test/other", "https://b.test/"),
            ("https://a.test/", "target_end", "https://b.test/end", "https://b.test/other"),
            ("https://a.test/", "target_end", "https://b.test/", "https://b.test/new"),
        ]
        assert [change.at for change in moved] == [moment(5000), moment(4000), moment(2000)]
        assert {(change.anchor, change.follow) for change in moved} == {("words", True)}
        assert [change.what for change in happened(index, since=4000, until=5000)] == ["moved"]

    def test_a_change_is_told_once_however_many_urls_lead_to_its_target(self, index: LinkIndex) -> None:
        index.store([redirect(f"https://b.test/old{number}", 500, "https://b.test/1") for number in range(30)])
        for at, links in enumerate(([link("https://b.test/1")], [], [link("https://b.test/1")]), 1):
            index.store([visit("https://a.test/", at * 1000, *links)])
        told = [change.what for change in index.changes(selected("https://b.test/1"))]
        assert told == ["returned", "lost", "new"]

    def test_a_link_that_came_after_its_target_moved_has_not_moved(self, index: LinkIndex) -> None:
        index.store([redirect("https://b.test/", 1000, "https://b.test/new")])
        index.store([visit("https://a.test/", 2000, link("https://b.test/"))])
        assert told(happened(index, source="a.test")) == [("new", "", "", "")]
