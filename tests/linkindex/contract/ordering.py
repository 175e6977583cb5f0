"""In which order links come, how they are put together and counted, and how an answer goes on."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from linkindex.answers.rows import Backlink
from linkindex.model import Outcome
from linkindex.store import LinkIndex
from linkindex.store.selection import ORDERS, PER, By, Order, Per
from linkindex.target import parse_target
from tests.linkindex.contract.making import DAY, Places, found, link, redirect, selected, sources, visit

QUESTIONS: list[dict[str, Any]] = [
    {"state": "all"},
    {"state": "live"},
    {"state": "lost"},
    {"follow": False, "rel": ("ugc",)},
    {"anchor": "W"},
    {"state": "all", "follow": True},
    {"state": "all", "as_found": True},
    {"as_of": 3500},
    {"state": "all", "rel": ("ugc",)},
    {"state": "all", "anchor": "w"},
    {"state": "all", "since": 2000, "until": 4000},
    {"state": "all", "source": "site1.test"},
]
BY: tuple[By, ...] = ("", "domain", "anchor", "kind", "placement")
KEYS: dict[By, Callable[[Backlink], str]] = {
    "": lambda _: "",
    "domain": lambda row: row.source_domain,
    "anchor": lambda row: row.anchor,
    "kind": lambda row: row.kind,
    "placement": lambda row: row.placement,
}


def grown(index: LinkIndex) -> None:
    """Store the pages of some sites, some of whose links are alike, with much that is equal, and ranks."""
    dice = random.Random(4)
    pages = [f"https://{'www.' * (n % 3 == 0)}site{n % 4}.test/{n}" for n in range(16)]
    for at in (1000, 2000, 3000, 4000):
        for page in pages:
            if dice.random() < 0.7:
                chosen = [
                    link(
                        f"https://{dice.choice(('b', 'b', 'www.b', 'old'))}.test/{dice.randrange(2)}",
                        dice.choice(("w", "W x", "")),
                        follow=dice.random() < 0.6,
                        rel=dice.choice(((), ("ugc",))),
                        placement=dice.choice(("footer", "content")),
                    )
                    for _ in range(dice.randrange(4))
                ]
                index.store([visit(page, at, *chosen)])
    index.store([redirect("https://old.test/0", 5000, "https://b.test/1")])
    index.store([visit(pages[0], 5000, outcome=Outcome.BLOCKED, status=403)])
    ranks = [(page, n % 3 / 4) for n, page in enumerate(pages) if n % 5]
    index.put_ranks(ranks, [("site0.test", 0.5), ("site1.test", 0.5), ("site2.test", 0.75)])


class Ordering(Places):
    def test_followed_links_come_first_then_those_confirmed_last(self, index: LinkIndex) -> None:
        target = "https://t.test/"
        for name, at in (("e", 3000), ("d", 1000), ("c", 2000), ("b", 2000), ("lost", 1000)):
            index.store([visit(f"https://{name}.test/", at, link(target, follow=name != "e"))])
        index.store([visit("https://lost.test/", 4000)])
        assert sources(found(index, "t.test", state="all")) == ["b", "c", "d", "e", "lost"]
        assert sources(found(index, "t.test", order="new")) == ["e", "b", "c", "d"]
        assert sources(found(index, "t.test", state="all", order="new"))[-1] == "lost"
        assert sources(found(index, "t.test", limit=2)) == ["b", "c"]
        assert found(index, "t.test", limit=0) == []

    def test_what_is_equal_comes_by_source_target_and_ordinal(self, index: LinkIndex) -> None:
        twice = [link(f"https://b.test/{n}") for n in (2, 1, 2, 1, 10)]
        index.store([visit("https://z.test/", 1000, *twice), visit("https://a.test/", 1000, *twice)])
        expected = [
            (source, target, ordinal)
            for source in ("https://a.test/", "https://z.test/")
            for target, ordinal in (("1", 0), ("1", 1), ("10", 0), ("2", 0), ("2", 1))
        ]
        for order in ORDERS:
            rows = [
                (row.source, row.target.removeprefix("https://b.test/"), row.ordinal)
                for row in found(index, "b.test", order=order)
            ]
            assert rows == expected

    def test_links_of_ranked_domains_and_pages_come_first(self, index: LinkIndex) -> None:
        target = link("https://t.test/")
        pages = ["https://a.test/", "https://b.test/", "https://b.test/2", "https://b.test/3", "https://c.test/"]
        index.store([visit(page, 1000, target) for page in pages])
        index.store([visit("https://c.test/new", 2000, target), visit("https://lost.test/", 1000, target)])
        index.store([visit("https://lost.test/", 2000)])
        index.put_ranks(
            [
                ("https://b.test/2", 0.9),
                ("https://b.test/3", 0.1),
                ("https://a.test/", 1.0),
                ("https://nobody.test/", 1.0),
            ],
            [("b.test", 0.5), ("a.test", 0.25), ("lost.test", 1.0), ("nobody.test", 1.0)],
        )
        rows = found(index, "t.test", state="all", order="rank")
        assert [(row.source, row.domain_rank, row.source_rank) for row in rows] == [
            ("https://b.test/2", 0.5, 0.9),
            ("https://b.test/3", 0.5, 0.1),
            ("https://b.test/", 0.5, None),
            ("https://a.test/", 0.25, 1.0),
            ("https://c.test/new", None, None),
            ("https://c.test/", None, None),
            ("https://lost.test/", 1.0, None),
        ]
        index.put_ranks([("https://c.test/", 0.1)], [("c.test", 0.1)])
        rows = found(index, "t.test", order="rank")
        assert [row.source for row in rows[:3]] == ["https://c.test/", "https://c.test/new", "https://a.test/"]
        assert {(row.domain_rank, row.source_rank) for row in rows[2:]} == {(None, None)}
        index.put_ranks([], [])
        assert sources(found(index, "t.test", order="rank")) == sources(found(index, "t.test"))

    @pytest.mark.parametrize("per", PER)
    def test_a_rank_of_0_is_as_good_as_none(self, index: LinkIndex, per: Per) -> None:
        for at, name in enumerate(("ranked", "zero", "none", "later-zero"), 1):
            index.store([visit(f"https://a.test/{name}", at, link("https://b.test/"))])
        names = {"ranked": 0.5, "zero": 0.0, "later-zero": 0.0}
        index.put_ranks([(f"https://a.test/{name}", rank) for name, rank in names.items()], [("a.test", 0.0)])
        whole = found(index, "b.test", order="rank", per=per)
        if per in ("link", "page"):
            assert [row.source.rpartition("/")[2] for row in whole] == ["ranked", "later-zero", "none", "zero"]
        for at in range(len(whole)):
            after = whole[at - 1] if at else None
            assert found(index, "b.test", order="rank", per=per, after=after, limit=1) == [whole[at]]

    def test_what_has_no_page_has_no_rank(self, index: LinkIndex) -> None:
        target = link("https://b.test/", rel=("ugc",))
        index.store([visit("https://a.test/1", 1, target, link("https://c.test/"))])
        index.put_ranks([("https://a.test/1", 0.5), ("https://c.test/", 0.5)], [("a.test", 0.5), ("c.test", 0.5)])
        index.forget(parse_target("https://a.test/1"))
        index.store([visit("https://c.test/", 2, target), visit("https://a.test/1", 2, target)])
        ranks = {row.source_domain: (row.domain_rank, row.source_rank) for row in found(index, "b.test")}
        assert ranks == {"a.test": (0.5, None), "c.test": (None, None)}

    def test_one_row_may_stand_for_several_links(self, index: LinkIndex) -> None:
        foot, text = (
            link("https://b.test/", "B", placement="footer"),
            link("https://b.test/", "see B", placement="content"),
        )
        other = link("https://b.test/2", "B", placement="footer")
        index.store([visit(f"https://www.a.test/{n}", 1000 + n, foot, text, other) for n in range(3)])
        index.store([visit("https://blog.a.test/", 1000, foot), visit("https://c.test/", 1000, foot, foot)])

        def told(per: Per) -> list[tuple[str, str, str, int, int]]:
            rows = found(index, "b.test", per=per)
            return [(row.source, row.target[-1], row.anchor, row.links, row.pages) for row in rows]

        assert len(told("link")) == 12
        assert told("similar") == [
            ("https://www.a.test/2", "/", "B", 3, 3),
            ("https://www.a.test/2", "/", "see B", 3, 3),
            ("https://www.a.test/2", "2", "B", 3, 3),
            ("https://blog.a.test/", "/", "B", 1, 1),
            ("https://c.test/", "/", "B", 2, 1),
        ]
        assert told("page") == [
            ("https://www.a.test/2", "/", "B", 3, 1),
            ("https://www.a.test/1", "/", "B", 3, 1),
            ("https://blog.a.test/", "/", "B", 1, 1),
            ("https://c.test/", "/", "B", 2, 1),
            ("https://www.a.test/0", "/", "B", 3, 1),
        ]
        assert told("domain") == [("https://www.a.test/2", "/", "B", 10, 4), ("https://c.test/", "/", "B", 2, 1)]
        assert [row.links for row in found(index, "b.test", per="domain", anchor="see")] == [3]
        assert [row.links for row in found(index, "b.test", per="domain", limit=1)] == [10]

    # ---- going on behind a row

    @pytest.mark.parametrize("order", ORDERS)
    @pytest.mark.parametrize("per", PER)
    def test_an_answer_in_parts_is_the_whole_answer(self, full: LinkIndex, order: Order, per: Per) -> None:
        grown(full)
        for conditions in QUESTIONS:
            whole = found(full, "b.test", order=order, per=per, **conditions)
            assert len(whole) > (2 if per != "domain" else 0)
            for size in (1, 7) if conditions == QUESTIONS[0] else (5,):
                parts: list[Backlink] = []
                while part := found(
                    full, "b.test", order=order, per=per, after=parts[-1] if parts else None, limit=size, **conditions
                ):
                    assert len(part) <= size
                    parts += part
                assert parts == whole

    @pytest.mark.parametrize("order", ORDERS)
    def test_an_answer_goes_on_though_its_last_row_went_away(self, index: LinkIndex, order: Order) -> None:
        target = link("https://b.test/")
        index.store([visit(f"https://a{n}.test/", 1000 + n % 3, target) for n in range(9)])
        whole = found(index, "b.test", order=order)
        last = whole[3]
        index.store([visit(last.source, 5000)])
        assert found(index, "b.test", order=order, after=last) == whole[4:]

    @pytest.mark.parametrize("per", PER)
    def test_an_answer_goes_on_with_links_that_a_page_which_was_cut_did_not_show_again(
        self, index: LinkIndex, per: Per
    ) -> None:
        index.store([visit("https://a.test/", 1000, link("https://b.test/1"), link("https://b.test/2"))])
        index.store([visit("https://c.test/", 2000, link("https://b.test/1"), link("https://b.test/2"))])
        index.store([visit("https://a.test/", 3000, link("https://b.test/3"), cut=True)])
        for order in ORDERS:
            whole = found(index, "b.test", order=order, per=per)
            parts: list[Backlink] = []
            while part := found(index, "b.test", order=order, per=per, after=parts[-1] if parts else None, limit=1):
                parts += part
            assert parts == whole

    def test_behind_the_last_row_is_nothing(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1000, link("https://b.test/"))])
        (row,) = found(index, "b.test")
        assert found(index, "b.test", after=row) == []

    # ---- counted

    def test_groups_agree_with_the_rows_of_the_same_question(self, full: LinkIndex) -> None:
        grown(full)
        for conditions in QUESTIONS:
            rows = found(full, "b.test", **conditions)
            for by in BY:
                groups = list(full.groups(selected("b.test", **conditions), by))
                assert [(group.links, group.key) for group in groups] == sorted(
                    ((group.links, group.key) for group in groups), key=lambda pair: (-pair[0], pair[1])
                )
                assert {group.key for group in groups} == {KEYS[by](row) for row in rows}
                for group in groups:
                    mine = [row for row in rows if KEYS[by](row) == group.key]
                    assert (group.links, group.sources, group.domains, group.targets) == (
                        len(mine),
                        len({row.source for row in mine}) if by in ("", "domain") else None,
                        len({row.source_domain for row in mine}),
                        None if by else len({row.target for row in mine}),
                    )
                    assert (group.follow, group.ugc, group.sponsored, group.doubtful) == (
                        sum(row.follow for row in mine),
                        sum("ugc" in row.rel for row in mine),
                        0,
                        sum(row.doubt is not None for row in mine),
                    )
                    assert (group.first_seen, group.last_seen) == (
                        round(min(row.first_seen for row in mine).timestamp() * 1000),
                        round(max(row.last_seen for row in mine).timestamp() * 1000),
                    )
                assert list(full.groups(selected("b.test", **conditions), by, limit=2)) == groups[:2]

    def test_a_profile_is_what_the_groups_say(self, full: LinkIndex) -> None:
        grown(full)
        for conditions in (*QUESTIONS, {"state": "all", "since": 2000}, {"as_of": 2500}):
            selection = selected("b.test", **conditions)
            kinds, placements = (
                {group.key: group.links for group in full.groups(selection, by)} for by in ("kind", "placement")
            )
            profile = full.profile(selection)
            assert profile.whole == next(full.groups(selection, ""), None)
            assert full.links_of(selection) == (profile.whole.links if profile.whole else 0)
            assert [list(share.items()) for share in (profile.by_kind, profile.by_placement)] == [
                list(kinds.items()),
                list(placements.items()),
            ]
        assert full.profile(selected("nobody.test")).whole is None

    def test_nothing_that_is_selected_makes_no_group(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", DAY, link("https://b.test/"))])
        for by in BY:
            assert list(index.groups(selected("nobody.test"), by)) == []
            assert list(index.groups(selected("b.test", state="lost"), by)) == []
