"""The promises of a link index, for every backend. A backend's own test module builds it, nothing else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from linkindex import url_rules, urls
from linkindex.answers.anchors import anchors
from linkindex.answers.backlinks import backlinks
from linkindex.answers.domains import referring_domains
from linkindex.answers.outlinks import outlinks
from linkindex.answers.overview import overview
from linkindex.answers.pages import pages
from linkindex.answers.rows import Backlink, moment
from linkindex.classify import classify
from linkindex.history import GONE_SPAN
from linkindex.model import Link, Outcome, Visit
from linkindex.relevance import pack
from linkindex.store import LinkIndex
from linkindex.target import parse_target
from pipelines.canonicalise import canonicalise

DAY = 24 * 3600 * 1000


def visit(url: str, at: int, *links: Link, outcome: Outcome = Outcome.PAGE, **others: object) -> Visit:
    made = Visit(url=url, at=at, outcome=outcome, links=links, **others)  # type: ignore[arg-type]
    return canonicalise(made)


def link(target: str, anchor: str = "words", **others: object) -> Link:
    return Link(target=target, anchor=anchor, **others)  # type: ignore[arg-type]


def found(index: LinkIndex, target: str, **how: object) -> list[Backlink]:
    return list(backlinks(index, parse_target(target), **how))  # type: ignore[arg-type]


class IndexContract:
    """Subclasses give ``index`` (empty, links inside a domain as paths) and ``full`` (empty, those in full)."""

    @pytest.fixture
    def index(self) -> LinkIndex:
        raise NotImplementedError

    @pytest.fixture
    def full(self) -> LinkIndex:
        raise NotImplementedError

    # ---- what a link is

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

    def test_two_links_to_one_target_are_two(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1, link("https://b.test/", "one"), link("https://b.test/", "two"))])
        assert sorted(row.anchor for row in found(index, "b.test")) == ["one", "two"]

    def test_the_target_tells_its_status_once_visited(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1, link("https://b.test/"))])
        index.store([visit("https://b.test/", 2, outcome=Outcome.GONE, status=404)])
        assert found(index, "b.test")[0].target_status == 404

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

    # ---- versions

    def test_an_unchanged_page_confirms_its_links(self, index: LinkIndex) -> None:
        for at in (1000, 2000):
            index.store([visit("https://a.test/", at, link("https://b.test/"))])
        (row,) = found(index, "b.test", state="all")
        assert (row.first_seen, row.last_seen) == (moment(1000), moment(2000))

    @pytest.mark.parametrize(
        "change",
        [{"anchor": "other"}, {"rel": ("ugc",)}, {"follow": False}, {"kind": "image"}, {"placement": "footer"}],
    )
    def test_a_changed_attribute_is_the_same_link_in_a_new_version(
        self, index: LinkIndex, change: dict[str, object]
    ) -> None:
        before = link("https://b.test/")
        index.store([visit("https://a.test/", 1000, before)])
        index.store([visit("https://a.test/", 2000, msgspec.structs.replace(before, **change))])
        (row,) = found(index, "b.test", state="all")
        assert row.first_seen == moment(1000)
        assert row.lost_at is None
        (name, value), *_ = change.items()
        assert getattr(row, name) == (list(value) if isinstance(value, tuple) else value)

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

    # ---- lost is a finding

    @pytest.mark.parametrize("outcome", [Outcome.BLOCKED, Outcome.UNREACHABLE, Outcome.UNREADABLE, Outcome.NOT_A_PAGE])
    def test_a_page_that_could_not_be_read_leaves_its_links_live_in_doubt(
        self, index: LinkIndex, outcome: Outcome
    ) -> None:
        index.store([visit("https://a.test/", 1 * DAY, link("https://b.test/"), title="Title")])
        for day in range(2, 12):
            index.store([visit("https://a.test/", day * DAY, outcome=outcome, reason="why")])
        (row,) = found(index, "b.test")
        assert (row.doubt, row.last_seen, row.source_title) == (f"{outcome}: why", moment(DAY), "Title")
        index.store([visit("https://a.test/", 12 * DAY, link("https://b.test/"))])
        assert found(index, "b.test")[0].doubt is None

    def test_a_page_is_gone_only_after_three_visits_over_three_days(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1000, link("https://b.test/"))])
        for at in (2000, 3000, 4000):
            index.store([visit("https://a.test/", at, outcome=Outcome.GONE, status=404, reason="404")])
        assert found(index, "b.test")[0].doubt == "gone: 404"
        index.store([visit("https://a.test/", 2000 + GONE_SPAN, outcome=Outcome.GONE, status=404, reason="404")])
        assert found(index, "b.test") == []
        assert [row.lost_reason for row in found(index, "b.test", state="lost")] == ["page_gone"]
        index.store([visit("https://a.test/", 3000 + GONE_SPAN, link("https://b.test/"))])
        assert [row.lost_at for row in found(index, "b.test", state="all")] == [None]

    def test_a_page_that_redirects_now_has_lost_its_links(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1000, link("https://b.test/"))])
        moved = link("https://c.test/", "", kind="redirect")
        index.store(
            [visit("https://a.test/", 2000, moved, outcome=Outcome.REDIRECT, status=301, redirect="https://c.test/")]
        )
        assert [row.lost_reason for row in found(index, "b.test", state="lost")] == ["page_redirected"]
        assert [row.kind for row in found(index, "c.test")] == ["redirect"]

    def test_a_page_that_was_cut_proves_nothing_about_what_is_missing(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1000, link("https://b.test/1"), link("https://b.test/2"))])
        index.store([visit("https://a.test/", 2000, link("https://b.test/1"), cut=True)])
        rows = found(index, "b.test")
        assert {row.last_seen for row in rows} == {moment(1000)}
        index.store([visit("https://a.test/", 3000, link("https://b.test/1"), link("https://b.test/2"))])
        assert {row.last_seen for row in found(index, "b.test")} == {moment(3000)}

    # ---- targets

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
            row.domain: (row.backlinks, row.pages, row.follow)
            for row in referring_domains(index, parse_target("b.test"))
        }
        assert domains == {"a.test": (3, 2, 1), "c.test": (1, 1, 1)}
        texts = {row.anchor: (row.backlinks, row.domains) for row in anchors(index, parse_target("b.test"))}
        assert texts == {"x": (3, 2), "y": (1, 1)}
        nobody = overview(index, parse_target("nobody.test"))
        assert (nobody.backlinks, nobody.first_seen) == (0, None)

    # ---- pages

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
        (backlink,) = found(index, "b.test")
        assert (backlink.source_author, backlink.source_words, backlink.source_indexable) == ("A", 12, False)
        assert (backlink.position, backlink.source_external_links) == (0, 1)

    # ---- relevance

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

    # ---- templates

    def test_what_a_site_repeats_is_its_template(self, index: LinkIndex) -> None:
        partner, wrote = link("https://partner.test/", "Partner", placement="content"), link("https://b.test/", "b")
        shop = link("https://shop.test/", "Shop", placement="footer", placement_confidence=0.9)
        pages_of_a = [visit(f"https://a.test/{n}", 1, partner, link(f"https://t{n}.test/"), shop) for n in range(10)]
        pages_of_c = [visit(f"https://c.test/{n}", 1, *([partner] if n < 3 else [])) for n in range(20)]
        index.store([*pages_of_a, visit("https://a.test/one", 1, wrote), *pages_of_c])
        found_of = {one.host: (one.pages, one.templates, one.revised) for one in classify(index)}
        assert found_of == {"a.test": (11, 2, 1), "c.test": (20, 0, 0)}
        rows = {row.source_domain: row for row in found(index, "partner.test")}
        assert (rows["a.test"].placement, rows["a.test"].template_pages) == ("navigation", 10)
        assert 0.5 < rows["a.test"].placement_confidence < 1
        assert (rows["c.test"].placement, rows["c.test"].template_pages) == ("content", 0)
        foot = found(index, "shop.test")[0]
        assert (foot.placement, foot.placement_confidence, foot.template_pages) == ("footer", 0.9, 10)
        assert overview(index, parse_target("partner.test")).by_placement == {"navigation": 10, "content": 3}
        assert found(index, "b.test")[0].template_pages == 0

    def test_a_template_that_went_is_none_any_more(self, index: LinkIndex) -> None:
        partner = link("https://partner.test/", "Partner")
        index.store([visit(f"https://a.test/{n}", 1, partner) for n in range(6)])
        list(classify(index))
        index.store([visit(f"https://a.test/{n}", 2) for n in range(4)])
        list(classify(index))
        assert {(row.placement, row.template_pages) for row in found(index, "partner.test")} == {("unknown", 0)}

    def test_the_rules_that_made_its_urls_are_noted(self, index: LinkIndex) -> None:
        counts = index.counts()
        assert (counts.url_rules, counts.suffix_list) == (str(url_rules.VERSION), urls.suffix_list_version())
        assert counts.suffix_list[:2] == "20"

    def test_notes_about_the_index(self, index: LinkIndex) -> None:
        assert index.about("rules") is None
        index.put_about("rules", b"1")
        index.put_about("rules", b"2")
        assert index.about("rules") == b"2"

    def test_samples_of_terms_come_from_all_over(self, index: LinkIndex) -> None:
        index.store([visit(f"https://a{n}.test/", 1, terms=pack({n: 1})) for n in range(50)])
        assert len(list(index.terms_sample(1000))) == 50
        few = list(index.terms_sample(10))
        assert 5 <= len(set(few)) <= 11
        assert list(index.terms_of("a3.test", 9)) == [pack({3: 1})]

    # ---- counting

    def test_text_of_any_kind_comes_back_as_it_went_in(self, index: LinkIndex) -> None:
        odd = "\x00 \x1b[31m \u202e 漢字 🦜 ' \" % _ ; DROP TABLE link"
        index.store([visit("https://a.test/", 1, link("https://b.test/?q='%22;--", odd), title=odd)])
        (row,) = found(index, "b.test")
        assert (row.anchor, row.source_title) == (odd, odd)

    def test_a_frontier_can_be_rebuilt_from_what_pages_name(self, index: LinkIndex, full: LinkIndex) -> None:
        for one in (index, full):
            one.store(
                [
                    visit(
                        "https://www.a.test/",
                        DAY,
                        link("https://www.a.test/in"),
                        link("https://b.test/out", anchor="x"),
                        link("https://b.test/send", kind="form"),
                        depth=2,
                    ),
                    visit("https://c.test/", DAY, link("https://b.test/hidden"), robots=("nofollow",)),
                    visit("https://d.test/", DAY, link("https://b.test/new", kind="redirect"), depth=1),
                ]
            )
            everything = {(named.url, named.host, named.domain, named.depth, named.redirected) for named in one.named()}
            assert everything == {
                ("https://www.a.test/in", "www.a.test", "a.test", 3, False),
                ("https://b.test/out", "b.test", "b.test", 3, False),
                ("https://b.test/new", "b.test", "b.test", 1, True),
            }
            assert {named.url for named in one.named("www.a.test")} == {"https://www.a.test/in"}
            assert {(page.url, page.depth) for page in one.visited()} == {
                ("https://www.a.test/", 2),
                ("https://c.test/", 0),
                ("https://d.test/", 1),
            }
            assert [page.url for page in one.visited(parse_target("d.test"))] == ["https://d.test/"]
            assert not [*one.named("unheard.test"), *one.visited(parse_target("unheard.test"))]

    def test_an_answer_that_nothing_changed_confirms_the_links(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", DAY, link("https://b.test/"))])
        index.store([visit("https://a.test/", 3 * DAY, outcome=Outcome.UNCHANGED, status=304)])
        (row,) = found(index, "b.test")
        assert row.last_seen == moment(3 * DAY)
        assert row.lost_at is None
        assert index.outcome("https://a.test/") == "page"
