"""Versions, and lost as a finding: what ends a link, what only casts doubt on it, and how it comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from linkindex.answers.rows import moment
from linkindex.history import Patience
from linkindex.model import Outcome, Visit
from linkindex.store import LinkIndex
from tests.linkindex.contract.making import DAY, Places, found, link, redirect, selected, visit

SPAN = Patience().span

UNREAD = [Outcome.BLOCKED, Outcome.UNREACHABLE, Outcome.UNREADABLE, Outcome.NOT_A_PAGE]
CHANGES: list[dict[str, Any]] = [
    {"anchor": "other"},
    {"rel": ("ugc",)},
    {"follow": False},
    {"kind": "image"},
    {"placement": "footer"},
]


def failed(at: int, outcome: Outcome = Outcome.GONE, **others: object) -> Visit:
    return visit("https://a.test/", at, outcome=outcome, **others)


class History(Places):
    # ---- versions

    def test_an_unchanged_page_confirms_its_links(self, index: LinkIndex) -> None:
        for at in (1000, 2000):
            index.store([visit("https://a.test/", at, link("https://b.test/"))])
        (row,) = found(index, "b.test", state="all")
        assert (row.first_seen, row.last_seen) == (moment(1000), moment(2000))

    @pytest.mark.parametrize("change", CHANGES)
    def test_a_changed_attribute_is_the_same_link_in_a_new_version(
        self, index: LinkIndex, change: dict[str, Any]
    ) -> None:
        before = link("https://b.test/")
        index.store([visit("https://a.test/", 1000, before)])
        index.store([visit("https://a.test/", 1500, before)])
        index.store([visit("https://a.test/", 2000, msgspec.structs.replace(before, **change))])
        (row,) = found(index, "b.test", state="all")
        assert row.first_seen == moment(1000)
        assert row.lost_at is None
        (name, value), *_ = change.items()
        now = list(value) if isinstance(value, tuple) else value
        assert getattr(row, name) == now
        old, new = index.versions("https://a.test/")
        assert (old.since, old.confirmed, old.until, old.ended_because) == (
            *(moment(1000), moment(1500), moment(2000)),
            "changed",
        )
        assert (new.since, new.confirmed, new.until, new.ended_because) == (moment(2000), moment(2000), None, None)
        assert getattr(old, name) != getattr(new, name) == now
        assert found(index, "b.test", state="lost") == []

    @pytest.mark.parametrize("context", [{"text_before": "x"}, {"heading": "x"}, {"placement_confidence": 0.9}])
    def test_what_stands_around_a_link_makes_no_version(self, index: LinkIndex, context: dict[str, Any]) -> None:
        index.store([visit("https://a.test/", 1000, link("https://b.test/"))])
        index.store([visit("https://a.test/", 2000, link("https://b.test/", **context), link("https://c.test/"))])
        (only,) = index.versions("https://a.test/", "https://b.test/")
        assert (only.since, only.confirmed) == (moment(1000), moment(2000))

    def test_a_version_keeps_what_stood_around_it(self, index: LinkIndex) -> None:
        first = link("https://b.test/", "old", text_before="first", heading="H", placement_confidence=0.5)
        second = link("https://b.test/", "new", text_before="second")
        index.store([visit("https://a.test/", 1000, link("https://c.test/"), first)])
        index.store([visit("https://a.test/", 2000, second), visit("https://a.test/", 3000)])
        index.store([visit("https://a.test/", 4000, link("https://c.test/", "x"), link("https://b.test/", "again"))])
        for at, *told in ((1500, "old", "first", "H", 0.5, 1), (2500, "new", "second", "", 0.0, 0)):
            (row,) = found(index, "b.test", as_of=at)
            assert [row.anchor, row.text_before, row.heading, row.placement_confidence, row.position] == told

    def test_versions_of_a_page_come_by_target_and_ordinal_the_oldest_first(self, index: LinkIndex) -> None:
        def page(at: int, *anchors: str) -> Visit:
            return visit("https://a.test/", at, *(link("https://b.test/1", anchor) for anchor in anchors))

        index.store([page(1000, "one", "two")])
        index.store([page(2000, "one", "changed")])
        index.store([page(3000, "one")])
        index.store([visit("https://a.test/", 4000, link("https://b.test/1", "one"), link("https://b.test/0", "new"))])
        index.store([visit("https://z.test/", 4000, link("https://b.test/1", "elsewhere"))])
        told = [(v.target[-1], v.ordinal, v.anchor, v.ended_because) for v in index.versions("https://a.test/")]
        assert told == [
            ("0", 0, "new", None),
            ("1", 0, "one", None),
            ("1", 1, "two", "changed"),
            ("1", 1, "changed", "removed"),
        ]
        assert [v.target for v in index.versions("https://a.test/", "https://b.test/0")] == ["https://b.test/0"]
        assert list(index.versions("https://a.test/", "https://b.test/never")) == []
        assert list(index.versions("https://never.test/")) == []

    def test_versions_of_links_inside_a_domain_are_kept_where_those_are(self, full: LinkIndex) -> None:
        full.store([visit("https://a.test/", 1000, link("https://a.test/x", "in"))])
        full.store([visit("https://a.test/", 2000)])
        assert [(v.anchor, v.ended_because) for v in full.versions("https://a.test/")] == [("in", "removed")]

    # ---- lost and back

    def test_a_removed_link_is_lost_and_may_return(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1000, link("https://b.test/"), link("https://b.test/2"))])
        index.store([visit("https://a.test/", 2000, link("https://b.test/2"))])
        assert [row.target for row in found(index, "b.test")] == ["https://b.test/2"]
        (lost,) = found(index, "b.test", state="lost")
        assert (lost.lost_at, lost.lost_reason, lost.last_seen) == (moment(2000), "removed", moment(1000))
        index.store([visit("https://a.test/", 3000, link("https://b.test/"), link("https://b.test/2"))])
        back = next(row for row in found(index, "b.test", state="all") if row.target == "https://b.test/")
        assert (back.first_seen, back.last_seen, back.lost_at) == (moment(1000), moment(3000), None)
        assert found(index, "b.test", state="lost") == []

    def test_a_link_that_lost_its_follow_has_changed_and_is_not_lost(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1000, link("https://b.test/"))])
        index.store([visit("https://a.test/", 2000, link("https://b.test/", rel=("nofollow",), follow=False))])
        assert [(row.follow, row.rel) for row in found(index, "b.test")] == [(False, ["nofollow"])]
        assert found(index, "b.test", state="lost") == []

    def test_a_page_that_redirects_now_has_lost_its_links(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1000, link("https://b.test/"))])
        index.store([redirect("https://a.test/", 2000, "https://c.test/")])
        assert [row.lost_reason for row in found(index, "b.test", state="lost")] == ["page_redirected"]
        assert [row.kind for row in found(index, "c.test")] == ["redirect"]

    def test_a_page_that_was_cut_proves_nothing_about_what_is_missing(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1000, link("https://b.test/1"), link("https://b.test/2"))])
        index.store([visit("https://a.test/", 2000, link("https://b.test/1"), cut=True)])
        rows = found(index, "b.test")
        assert {row.last_seen for row in rows} == {moment(1000)}
        index.store([visit("https://a.test/", 3000, link("https://b.test/1"), link("https://b.test/2"))])
        assert {row.last_seen for row in found(index, "b.test")} == {moment(3000)}

    def test_a_link_that_a_cut_page_shows_first_was_seen_then(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1000, link("https://b.test/1"), link("https://b.test/2"))])
        index.store([visit("https://a.test/", 2000, link("https://b.test/3"), cut=True)])
        seen = {row.target[-1]: (row.first_seen, row.last_seen) for row in found(index, "b.test")}
        assert seen["3"] == (moment(2000), moment(2000))
        assert seen["1"] == seen["2"] == (moment(1000), moment(1000))
        index.store([visit("https://a.test/", 3000, outcome=Outcome.UNCHANGED, status=304)])  # of what was cut
        assert {row.doubt for row in found(index, "b.test")} == {None}
        assert {row.last_seen for row in found(index, "b.test") if row.target[-1] != "3"} == {moment(1000)}
        index.store([visit("https://a.test/", 4000)])
        lost = {row.target[-1]: row.last_seen for row in found(index, "b.test", state="lost")}
        assert lost == {"1": moment(1000), "2": moment(1000), "3": moment(2000)}

    # ---- doubt

    @pytest.mark.parametrize("outcome", UNREAD)
    def test_a_page_that_could_not_be_read_leaves_its_links_live_in_doubt(
        self, index: LinkIndex, outcome: Outcome
    ) -> None:
        index.store([visit("https://a.test/", 1 * DAY, link("https://b.test/"), title="Title")])
        last = 3 if outcome is Outcome.UNREACHABLE else 12  # unreachable for long is a finding of its own
        for day in range(2, last):
            index.store([failed(day * DAY, outcome, reason="why")])
        (row,) = found(index, "b.test")
        assert (row.doubt, row.last_seen, row.source_title) == (f"{outcome}: why", moment(DAY), "Title")
        (group,) = index.groups(selected("b.test"), "")
        assert group.doubtful == 1
        index.store([visit("https://a.test/", 12 * DAY, link("https://b.test/"))])
        assert found(index, "b.test")[0].doubt is None

    def test_a_doubt_without_a_reason_is_the_outcome(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", DAY, link("https://b.test/"))])
        index.store([failed(2 * DAY, Outcome.BLOCKED, status=403)])
        assert found(index, "b.test")[0].doubt == "blocked"

    def test_an_unchanged_answer_ends_a_doubt(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1 * DAY, link("https://b.test/"))])
        index.store([failed(2 * DAY, Outcome.UNREACHABLE, reason="dns")])
        index.store([failed(3 * DAY, Outcome.UNCHANGED, status=304)])
        (row,) = found(index, "b.test")
        assert (row.doubt, row.last_seen) == (None, moment(3 * DAY))

    # ---- patience

    def test_a_page_is_gone_only_after_three_visits_over_three_days(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1000, link("https://b.test/"))])
        for at in (2000, 3000, 4000):
            index.store([failed(at, status=404, reason="404")])
        assert found(index, "b.test")[0].doubt == "gone: 404"
        index.store([failed(1999 + SPAN, status=404, reason="404")])
        assert len(found(index, "b.test")) == 1
        index.store([failed(2000 + SPAN, status=404, reason="404")])
        assert found(index, "b.test") == []
        (lost,) = found(index, "b.test", state="lost")
        assert (lost.lost_reason, lost.lost_at, lost.last_seen) == ("page_gone", moment(2000 + SPAN), moment(1000))
        assert lost.doubt is None
        index.store([failed(3000 + SPAN, status=404), failed(4000 + 3 * SPAN, status=404)])
        assert found(index, "b.test", state="lost")[0].lost_at == moment(2000 + SPAN)
        index.store([visit("https://a.test/", 5000 + 3 * SPAN, link("https://b.test/"))])
        (back,) = found(index, "b.test", state="all")
        assert (back.lost_at, back.first_seen) == (None, moment(1000))

    @pytest.mark.parametrize(
        ("outcomes", "reason"),
        [
            ((Outcome.GONE, Outcome.UNREACHABLE, Outcome.GONE), "page_gone"),
            ((Outcome.GONE, Outcome.GONE, Outcome.UNREACHABLE), "page_unreachable"),
            ((Outcome.UNREACHABLE,) * 3, "page_unreachable"),
        ],
    )
    def test_gone_and_unreachable_are_one_streak(
        self, index: LinkIndex, outcomes: tuple[Outcome, ...], reason: str
    ) -> None:
        index.store([visit("https://a.test/", DAY, link("https://b.test/"))])
        for day, outcome in zip((2, 3, 5), outcomes, strict=True):
            assert len(found(index, "b.test")) == 1
            index.store([failed(day * DAY, outcome, reason="why")])
        assert [row.lost_reason for row in found(index, "b.test", state="lost")] == [reason]

    @pytest.mark.parametrize("between", [*UNREAD[:1], *UNREAD[2:], Outcome.UNCHANGED])
    def test_what_is_no_failure_begins_the_streak_anew(self, index: LinkIndex, between: Outcome) -> None:
        index.store([visit("https://a.test/", DAY, link("https://b.test/"))])
        index.store([failed(2 * DAY), failed(3 * DAY), failed(4 * DAY, between, status=304)])
        index.store([failed(5 * DAY), failed(7 * DAY)])
        assert len(found(index, "b.test")) == 1
        index.store([failed(8 * DAY)])
        assert found(index, "b.test") == []

    def test_a_page_that_is_blocked_never_loses_its_links(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", DAY, link("https://b.test/"))])
        index.store([failed(day * DAY, Outcome.BLOCKED, status=403) for day in range(2, 400, 3)])
        assert (len(found(index, "b.test")), found(index, "b.test", state="lost")) == (1, [])

    @pytest.mark.parametrize(
        ("patience", "ended"),
        [
            (Patience(visits=1, span=0), [True, True, True]),
            (Patience(visits=2, span=0), [False, True, True]),
            (Patience(visits=1, span=DAY), [False, True, True]),
            (Patience(visits=9, span=0), [False, False, False]),
        ],
    )
    def test_patience_is_what_the_index_was_opened_with(
        self, place: Callable[[], str], patience: Patience, ended: list[bool]
    ) -> None:
        with self.open(place(), patience=patience) as index:
            index.store([visit("https://a.test/", DAY, link("https://b.test/"))])
            told = []
            for day in (2, 3, 4):
                index.store([failed(day * DAY, Outcome.UNREACHABLE)])
                told.append(not found(index, "b.test"))
            assert told == ended

    # ---- pages that do not count

    @pytest.mark.parametrize(
        ("why", "standing"),
        [
            ("not_indexable", {"robots": ("noindex",)}),
            ("not_indexable", {"robots": ("unavailable_after: 1970-01-01",)}),
            ("not_canonical", {"canonical": "https://a.test/other"}),
        ],
    )
    def test_links_of_a_page_that_does_not_count_are_lost_until_it_counts_again(
        self, index: LinkIndex, why: str, standing: dict[str, Any]
    ) -> None:
        old, new = link("https://b.test/old"), link("https://b.test/new")
        index.store([visit("https://a.test/", 1 * DAY, old)])
        index.store([visit("https://a.test/", 2 * DAY, old, new, **standing)])
        assert found(index, "b.test") == []
        rows = {row.target[-3:]: row for row in found(index, "b.test", state="lost")}
        assert {(row.lost_reason, row.lost_at) for row in rows.values()} == {(why, moment(2 * DAY))}
        assert (rows["old"].first_seen, rows["old"].last_seen) == (moment(1 * DAY), moment(1 * DAY))
        assert (rows["new"].first_seen, rows["new"].last_seen) == (moment(2 * DAY), moment(2 * DAY))
        index.store([visit("https://a.test/", 3 * DAY, link("https://b.test/new", "changed"), **standing)])
        index.store([visit("https://a.test/", 4 * DAY, outcome=Outcome.UNCHANGED, status=304)])
        assert {row.target[-3:]: row for row in found(index, "b.test", state="all")} == {
            name: msgspec.structs.replace(row, source_status=304, source_external_links=1) for name, row in rows.items()
        }
        index.store([visit("https://a.test/", 5 * DAY, old, new)])
        back = {row.target[-3:]: (row.first_seen, row.last_seen) for row in found(index, "b.test")}
        assert back == {"old": (moment(DAY), moment(5 * DAY)), "new": (moment(2 * DAY), moment(5 * DAY))}
        assert found(index, "b.test", state="lost") == []
        ends = [(v.since, v.until, v.ended_because) for v in index.versions("https://a.test/", "https://b.test/new")]
        assert ends == [(moment(2 * DAY), moment(2 * DAY), why), (moment(5 * DAY), None, None)]

    def test_a_page_that_names_itself_counts(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", DAY, link("https://b.test/"), canonical="https://a.test/#top")])
        index.store([visit("https://c.test/", DAY, link("https://b.test/"), robots=("nofollow", "noarchive"))])
        assert len(found(index, "b.test")) == 2
        assert index.leads(["https://a.test/"]) == {}

    def test_one_reason_for_another_changes_nothing(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1 * DAY, link("https://b.test/"), robots=("noindex",))])
        index.store([visit("https://a.test/", 2 * DAY, link("https://b.test/"), canonical="https://c.test/")])
        index.store([redirect("https://a.test/", 3 * DAY, "https://c.test/")])
        (row,) = found(index, "b.test", state="all")
        assert (row.lost_reason, row.lost_at) == ("not_indexable", moment(1 * DAY))
