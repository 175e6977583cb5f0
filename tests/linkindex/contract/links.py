"""What a link is, what is kept of it, and which links are whose."""

from __future__ import annotations

from linkindex.answers.anchors import anchors
from linkindex.answers.domains import referring_domains
from linkindex.answers.outlinks import outlinks
from linkindex.answers.overview import overview
from linkindex.answers.rows import Backlink, moment
from linkindex.model import Link, Outcome
from linkindex.store import LinkIndex
from linkindex.target import parse_target
from tests.linkindex.contract.making import DAY, Places, found, link, selected, visit


class Links(Places):
    def test_a_link_is_kept_with_all_that_was_seen(self, index: LinkIndex) -> None:
        seen = link(
            "https://b.test/page",
            "an anchor",
            kind="image",
            rel=("nofollow", "ugc"),
            follow=False,
            placement="comment",
            placement_confidence=0.75,
            text_before="before",
            text_after="after",
            heading="Heading",
        )
        index.store([visit("https://www.a.test/", 5000, seen, status=200, title="A title", language="en")])
        (row,) = found(index, "b.test")
        kept = set(Backlink.__struct_fields__) & set(Link.__struct_fields__) - {"rel", "target_domain"}
        assert {name: getattr(row, name) for name in kept} == {name: getattr(seen, name) for name in kept}
        assert row.rel == ["nofollow", "ugc"]
        assert (row.source, row.source_domain, row.target_domain) == ("https://www.a.test/", "a.test", "b.test")
        assert (row.source_status, row.target_status, row.source_title) == (200, None, "A title")
        assert (row.first_seen, row.last_seen, row.lost_at) == (moment(5000), moment(5000), None)
        assert (row.target_end, row.hops, row.end_status) == ("https://b.test/page", [], None)
        assert (row.links, row.pages, row.source_rank, row.domain_rank) == (1, 1, None, None)

    def test_two_links_to_one_target_are_two(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1, link("https://b.test/", "one"), link("https://b.test/", "two"))])
        assert sorted(row.anchor for row in found(index, "b.test")) == ["one", "two"]

    def test_the_target_tells_its_status_once_visited(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1, link("https://b.test/"))])
        index.store([visit("https://b.test/", 2, outcome=Outcome.GONE, status=404)])
        (row,) = found(index, "b.test")
        assert (row.target_status, row.end_status) == (404, 404)

    # ---- idempotence

    def test_storing_twice_equals_storing_once(self, index: LinkIndex) -> None:
        batch = [
            visit("https://a.test/", 1, link("https://b.test/"), link("https://b.test/")),
            visit("https://c.test/", 1),
        ]
        index.store(batch)
        before = (index.counts(), found(index, "b.test", state="all"))
        index.store(batch)
        assert (index.counts(), found(index, "b.test", state="all")) == before

    def test_an_older_visit_changes_nothing(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 2 * DAY, link("https://b.test/", "new"))])
        index.store([visit("https://a.test/", 1 * DAY, link("https://b.test/", "old"))])
        assert [row.anchor for row in found(index, "b.test", state="all")] == ["new"]

    def test_a_batch_may_hold_several_visits_of_a_page_and_none(self, index: LinkIndex) -> None:
        first = visit("https://a.test/", 1000, link("https://b.test/", "old"), link("https://b.test/2"))
        second = visit("https://a.test/", 2000, link("https://b.test/", "new"))
        index.store([first, second, first])
        index.store([])
        rows = {row.target: (row.anchor, row.first_seen, row.lost_at) for row in found(index, "b.test", state="all")}
        assert rows == {
            "https://b.test/": ("new", moment(1000), None),
            "https://b.test/2": ("words", moment(1000), moment(2000)),
        }
        assert [version.anchor for version in index.versions("https://a.test/", "https://b.test/")] == ["old", "new"]

    # ---- links inside a domain

    def test_links_inside_a_domain_are_no_backlinks(self, index: LinkIndex, full: LinkIndex) -> None:
        page = visit(
            "https://a.test/",
            1,
            link("https://www.a.test/x", "inside"),
            link("https://a.test/y"),
            link("https://b.test/"),
        )
        for store in (index, full):
            store.store([page])
            assert found(store, "a.test") == []
            assert store.counts().links == 1
        assert found(index, "a.test", internal=True) == []
        assert [row.anchor for row in found(full, "www.a.test", internal=True)] == ["inside"]

    def test_outlinks_tell_all_targets_of_a_page(self, index: LinkIndex, full: LinkIndex) -> None:
        page = visit(
            "https://a.test/",
            1,
            link("https://b.test/", "out"),
            link("https://www.a.test/x", "in"),
            link("https://a.test//y"),
        )
        expected = {"https://b.test/": "out", "https://www.a.test/x": "in", "https://a.test//y": "words"}
        for store in (index, full):
            store.store([page])
        assert {row.target: row.anchor for row in outlinks(full, "https://a.test/")} == expected
        rows = {row.target: row.anchor for row in outlinks(index, "a.test")}
        assert rows == {target: anchor if target == "https://b.test/" else None for target, anchor in expected.items()}

    def test_a_limit_holds_for_all_links_of_a_page(self, index: LinkIndex) -> None:
        inside = [link(f"https://a.test/{number}") for number in range(9)]
        index.store([visit("https://a.test/", 1, link("https://b.test/"), *inside)])
        assert len(list(outlinks(index, "https://a.test/", limit=4))) == 4
        assert len(list(outlinks(index, "https://a.test/"))) == 10

    def test_outlinks_come_as_the_page_has_them_those_that_are_lost_behind(
        self, index: LinkIndex, full: LinkIndex
    ) -> None:
        def b(*numbers: int) -> list[Link]:
            return [link(f"https://b.test/{number}") for number in numbers]

        inside = link("https://a.test/in")
        for store in (index, full):
            store.store([visit("https://a.test/", 1, inside, *b(1, 2, 3))])
            store.store([visit("https://a.test/", 2, *b(9), inside, *b(2, 3))])
            whole = [row.target.removeprefix("https://") for row in store.outlinks("https://a.test/")]
            rest = ["a.test/in", "b.test/1"] if store is full else ["b.test/1", "a.test/in"]
            assert whole == ["b.test/9", "b.test/2", "b.test/3", *rest]
            for limit in range(6):
                some = [row.target.removeprefix("https://") for row in store.outlinks("https://a.test/", limit)]
                assert some == whole[:limit]

    # ---- counting

    def test_counts_agree_with_rows(self, index: LinkIndex) -> None:
        index.store(
            [
                visit(
                    "https://a.test/1",
                    1,
                    link("https://b.test/", "x"),
                    link("https://b.test/", "y", follow=False, rel=("ugc",)),
                ),
                visit("https://a.test/2", 2, link("https://b.test/2", "x", follow=False, rel=("sponsored",))),
                visit("https://c.test/", 3, link("https://b.test/", "x")),
                visit("https://d.test/", 3, link("https://elsewhere.test/", "x")),
            ]
        )
        whole = overview(index, parse_target("b.test"))
        assert (whole.backlinks, whole.referring_domains, whole.referring_pages, whole.linked_pages) == (4, 2, 3, 2)
        assert (whole.follow, whole.nofollow, whole.ugc, whole.sponsored) == (2, 2, 1, 1)
        domains = {
            row.domain: (row.backlinks, row.pages, row.follow) for row in referring_domains(index, selected("b.test"))
        }
        assert domains == {"a.test": (3, 2, 1), "c.test": (1, 1, 1)}
        texts = {row.anchor: (row.backlinks, row.domains) for row in anchors(index, selected("b.test"))}
        assert texts == {"x": (3, 2), "y": (1, 1)}
        nobody = overview(index, parse_target("nobody.test"))
        assert (nobody.backlinks, nobody.first_seen) == (0, None)

    def test_what_an_index_holds(self, index: LinkIndex) -> None:
        assert (index.counts().pages, index.counts().links, index.grown()) == (0, 0, 0)
        index.store(
            [
                visit("https://a.test/1", 1000, link("https://b.test/"), link("https://b.test/2")),
                visit("https://a.test/2", 1000, link("https://b.test/")),
                visit("https://c.test/", 1000, outcome=Outcome.BLOCKED, status=403),
            ]
        )
        index.store([visit("https://a.test/1", 2000, link("https://b.test/"))])
        counts = index.counts()
        assert (counts.pages, counts.domains, counts.links, counts.lost) == (3, 2, 2, 1)
        assert counts.by_outcome == {"page": 2, "blocked": 1}
        assert index.grown() >= 2
        index.store([visit("https://a.test/1", 3000, link("https://b.test/"), link("https://b.test/2"))])
        assert (index.counts().links, index.counts().lost) == (3, 0)
