"""Which links a question is about: targets, states, times, conditions."""

from __future__ import annotations

from typing import Any

import pytest

from linkindex.answers.rows import moment
from linkindex.model import Outcome
from linkindex.store import LinkIndex
from tests.linkindex.contract.making import DAY, Places, found, link, selected, sources, visit

CONDITIONS: list[tuple[dict[str, Any], str]] = [
    ({}, "abcdef"),
    ({"follow": True}, "acef"),
    ({"follow": False}, "bd"),
    ({"kinds": ("image",)}, "c"),
    ({"kinds": ("image", "frame")}, "ce"),
    ({"kinds": ("redirect",)}, ""),
    ({"placements": ("footer",)}, "ad"),
    ({"placements": ("footer", "comment")}, "abd"),
    ({"rel": ("nofollow",)}, "bd"),
    ({"rel": ("nofollow", "ugc")}, "b"),
    ({"rel": ("ugc", "nofollow")}, "b"),
    ({"rel": ("ugc", "sponsored")}, ""),
    ({"rel": ("follow",)}, ""),
    ({"source": "c.test"}, "c"),
    ({"source": "www.c.test"}, ""),
    ({"anchor": "shoes"}, "acd"),
    ({"anchor": "SHOES"}, "acd"),
    ({"anchor": "größe"}, "ef"),
    ({"anchor": "ОБУВЬ"}, "b"),
    ({"anchor": "red shoes"}, "a"),
    ({"anchor": "no such words"}, ""),
    ({"follow": True, "placements": ("footer", "content"), "anchor": "shoes"}, "a"),
    ({"follow": False, "rel": ("nofollow",), "source": "d.test"}, "d"),
    ({"follow": False, "rel": ("nofollow",), "source": "a.test"}, ""),
]


def of_many_kinds(index: LinkIndex) -> None:
    """Store six links to t.test, each from a page of its own: a to f."""
    target = "https://t.test/"
    links = {
        "a": link(target, "Red shoes", placement="footer"),
        "b": link(target, "обувь", placement="comment", rel=("nofollow", "ugc"), follow=False),
        "c": link(target, "SHOES", kind="image"),
        "d": link(target, "shoes & more", placement="footer", rel=("nofollow",), follow=False),
        "e": link(target, "Größe", kind="frame", rel=("ugcx", "xnofollow")),
        "f": link(target, "GRÖẞE größe"),
    }
    index.store([visit(f"https://{name}.test/", 1000, one) for name, one in links.items()])


class Selecting(Places):
    def test_what_a_target_covers(self, index: LinkIndex) -> None:
        targets = [
            "https://b.test/",
            "https://b.test/blog/1",
            "https://www.b.test/blog/2",
            "http://b.test/x",
            "https://bb.test/",
        ]
        index.store([visit("https://a.test/", 1, *(link(target) for target in targets))])

        def covered(text: str) -> set[str]:
            return {row.target for row in found(index, text)}

        assert covered("b.test") == set(targets[:4])
        assert covered("www.b.test") == {targets[2]}
        assert covered("https://b.test/*") == set(targets[:2])
        assert covered("https://b.test/blog/*") == {targets[1]}
        assert covered("b.test/x") == {targets[3]}
        assert covered("https://b.test") == {targets[0]}
        assert covered("nobody.test") == set()
        assert covered("https://b.test/%_*") == set()

    # ---- conditions

    @pytest.mark.parametrize(("conditions", "expected"), CONDITIONS)
    def test_links_fulfil_every_condition(self, index: LinkIndex, conditions: dict[str, Any], expected: str) -> None:
        of_many_kinds(index)
        assert sorted(sources(found(index, "t.test", **conditions))) == list(expected)
        groups = list(index.groups(selected("t.test", **conditions), "domain"))
        assert sorted(group.key for group in groups) == [f"{name}.test" for name in expected]
        total = list(index.groups(selected("t.test", **conditions), ""))
        assert [group.links for group in total] == ([len(expected)] if expected else [])
        assert index.links_of(selected("t.test", **conditions)) == len(expected)
        assert len(list(index.changes(selected("t.test", **conditions)))) == len(expected)

    def test_conditions_speak_of_lost_links_as_they_were_last(self, index: LinkIndex) -> None:
        of_many_kinds(index)
        index.store([visit(f"https://{name}.test/", 2000) for name in "abcdef"])
        assert sorted(sources(found(index, "t.test", state="lost", anchor="shoes", follow=True))) == ["a", "c"]
        assert found(index, "t.test", anchor="shoes") == []

    def test_conditions_speak_of_links_as_of_then(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1000, link("https://b.test/", "old", follow=False))])
        index.store([visit("https://a.test/", 2000, link("https://b.test/", "new"))])
        assert [row.anchor for row in found(index, "b.test", follow=False, as_of=1500)] == ["old"]
        assert found(index, "b.test", follow=True, as_of=1500) == found(index, "b.test", follow=False) == []

    # ---- times

    def test_since_and_until_speak_of_what_the_state_is_about(self, index: LinkIndex) -> None:
        for at, name in ((1000, "a"), (2000, "b"), (3000, "c")):
            index.store([visit(f"https://{name}.test/", at, link("https://t.test/"))])
        index.store([visit("https://a.test/", 4000), visit("https://b.test/", 3000)])
        index.store([visit("https://c.test/", 5000, link("https://t.test/"))])

        def told(state: str, since: int | None, until: int | None) -> list[str]:
            return sorted(sources(found(index, "t.test", state=state, since=since, until=until)))

        assert told("live", 3000, None) == ["c"]
        assert told("live", 3001, None) == told("live", None, 3000) == []
        assert told("lost", 3000, 4000) == ["b"]
        assert told("lost", None, 3000) == []
        assert told("lost", 3001, 4001) == ["a"]
        assert told("lost", 1000, 2500) == []  # first seen, not lost
        assert told("all", 1000, 2000) == ["a"]
        assert told("all", 3000, 3001) == ["b", "c"]
        assert told("all", 2000, 4001) == ["a", "b", "c"]
        assert told("all", 4001, None) == []
        groups = list(index.groups(selected("t.test", state="all", since=3000, until=3001), "domain"))
        assert sorted(group.key for group in groups) == ["b.test", "c.test"]

    # ---- as of

    def test_links_as_they_were(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1000, link("https://b.test/", "old"))])
        index.store([visit("https://a.test/", 2000, link("https://b.test/", "old"))])
        index.store([visit("https://a.test/", 3000, link("https://b.test/", "new", follow=False))])
        index.store([visit("https://a.test/", 4000)])
        index.store([visit("https://a.test/", 5000, link("https://b.test/", "back"))])

        def then(at: int) -> list[tuple[object, ...]]:
            rows = found(index, "b.test", as_of=at)
            assert all(row.first_seen == moment(1000) for row in rows)
            assert all((row.lost_at, row.lost_reason, row.doubt) == (None, None, None) for row in rows)
            return [(row.anchor, row.follow, row.last_seen) for row in rows]

        assert then(999) == []
        assert then(1000) == [("old", True, moment(1000))]
        assert then(1500) == [("old", True, moment(1500))]
        assert then(2500) == then(2999) == [("old", True, moment(2000))]
        assert then(3000) == [("new", False, moment(3000))]
        assert then(3999) == [("new", False, moment(3000))]
        assert then(4000) == then(4999) == []
        assert then(5000) == [("back", True, moment(5000))]
        assert then(99_000) == [("back", True, moment(5000))]
        assert [group.key for group in index.groups(selected("b.test", as_of=2500), "anchor")] == ["old"]
        assert list(index.groups(selected("b.test", as_of=4500), "")) == []

    def test_a_doubt_of_today_is_none_of_then(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1 * DAY, link("https://b.test/"))])
        index.store([visit("https://a.test/", 3 * DAY, outcome=Outcome.BLOCKED, status=403)])
        assert found(index, "b.test")[0].doubt == "blocked"
        assert found(index, "b.test", as_of=2 * DAY)[0].doubt is None
        assert [group.doubtful for group in index.groups(selected("b.test", as_of=2 * DAY), "")] == [0]

    def test_a_link_that_never_counted_was_never_live(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1000, link("https://b.test/"), robots=("noindex",))])
        assert [found(index, "b.test", as_of=at) for at in (999, 1000, 1001)] == [[], [], []]

    def test_since_goes_with_as_of(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1000, link("https://b.test/"))])
        index.store([visit("https://c.test/", 2000, link("https://b.test/"))])
        index.store([visit("https://a.test/", 3000), visit("https://c.test/", 3000)])
        assert sources(found(index, "b.test", as_of=2500, since=1500)) == ["c"]
        assert sources(found(index, "b.test", as_of=2500, until=1500)) == ["a"]
