"""What sites and the index as a whole tell: templates, samples, notes, and what a frontier is rebuilt from."""

from __future__ import annotations

from linkindex import url_rules, urls
from linkindex.answers.overview import overview
from linkindex.classify import classify
from linkindex.model import Outcome
from linkindex.relevance import pack
from linkindex.store import LinkIndex
from linkindex.store.selection import Template
from linkindex.target import parse_target
from tests.linkindex.contract.making import DAY, Places, found, link, selected, visit


class Sites(Places):
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

    def test_hosts_are_told_with_their_pages_that_were_read(self, index: LinkIndex) -> None:
        for host, pages in (("a.test", 2), ("www.a.test", 1), ("b.test", 3), ("c.test:8080", 1)):
            index.store([visit(f"https://{host}/{n}", 1, link("https://d.test/")) for n in range(pages)])
        index.store([visit("https://b.test/gone", 1, outcome=Outcome.GONE)])
        index.store([visit("https://e.test/", 1, outcome=Outcome.BLOCKED), visit("https://b.test/1", 2)])
        assert sorted(index.hosts()) == [("a.test", 2), ("b.test", 3), ("c.test:8080", 1), ("www.a.test", 1)]

    def test_a_template_that_went_is_none_any_more(self, index: LinkIndex) -> None:
        partner = link("https://partner.test/", "Partner")
        index.store([visit(f"https://a.test/{n}", 1, partner) for n in range(6)])
        list(classify(index))
        index.store([visit(f"https://a.test/{n}", 2) for n in range(4)])
        list(classify(index))
        assert {(row.placement, row.template_pages) for row in found(index, "partner.test")} == {("unknown", 0)}

    def test_a_placement_is_the_sites_word_where_it_has_one(self, index: LinkIndex) -> None:
        index.store([visit(f"https://a.test/{n}", 1, link("https://b.test/", placement="content")) for n in range(3)])
        word = Template(
            target="https://b.test/",
            anchor="words",
            placement_found="content",
            pages=3,
            placement="footer",
            confidence=0.6,
        )
        index.put_templates("a.test", [word])
        assert len(found(index, "b.test", placements=("footer",))) == 3
        assert found(index, "b.test", placements=("content",)) == []
        assert [group.key for group in index.groups(selected("b.test"), "placement")] == ["footer"]
        assert {version.placement for version in index.versions("https://a.test/0")} == {"content"}

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

    def test_a_host_that_only_pages_of_its_domain_name(self, index: LinkIndex) -> None:
        index.store([visit("https://a.test/", 1, link("https://new.a.test/1"), link("https://a.test/2"))])
        assert [named.url for named in index.named("new.a.test")] == ["https://new.a.test/1"]

    def test_pages_that_do_not_count_name_what_they_lead_to(self, index: LinkIndex) -> None:
        # A crawl follows their links: a frontier that is rebuilt must not lose what was found on them alone.
        index.store(
            [
                visit("https://a.test/", DAY, link("https://b.test/1"), robots=("noindex",)),
                visit("https://c.test/", DAY, link("https://b.test/2"), canonical="https://c.test/canonical"),
                visit("https://d.test/", DAY, link("https://b.test/3"), link("https://b.test/4")),
            ]
        )
        index.store([visit("https://d.test/", 2 * DAY, link("https://b.test/3"), robots=("noindex",))])
        index.store([visit("https://d.test/", 3 * DAY, link("https://b.test/3"))])
        assert {named.url for named in index.named("b.test")} >= {f"https://b.test/{n}" for n in (1, 2, 3)}
