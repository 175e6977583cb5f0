"""JSON-LD as pages write it, well and badly."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.truth.reference import page_bytes, page_paths
from crawler.extract import read_page
from crawler.extract.structured import MAX_CHARS, MAX_LINKS, NOTHING, Structured, structured
from crawler.extract.tree import MAX_SCRIPTS


def read(*documents: object) -> Structured:
    return structured([json.dumps(document) for document in documents])


class TestLinks:
    def test_at_any_depth_each_once_in_order(self) -> None:
        document = {
            "@graph": [
                {"@type": "Person", "sameAs": ["https://a.example/", "https://b.example/", "https://a.example/"]},
                {"@type": "Article", "author": {"url": "//c.example/me"}, "citation": "HTTPS://d.example/paper"},
                {"@type": "Article", "citation": [{"@type": "CreativeWork", "url": " https://e.example/ "}]},
            ]
        }
        assert read(document).links == (
            ("sameAs", "https://a.example/"),
            ("sameAs", "https://b.example/"),
            ("citation", "HTTPS://d.example/paper"),
            ("url", "//c.example/me"),
            ("url", " https://e.example/ "),
        )

    @pytest.mark.parametrize(
        "node",
        [
            {"sameAs": "Wikipedia"},
            {"citation": "Someone et al. (2004), see pages 3/4"},
            {"url": "/relative"},
            {"url": ""},
            {"url": 5},
            {"url": None},
            {"sameAs": [["https://nested.example/"], {"@id": "https://id.example/"}]},
            {"@id": "https://id.example/", "mainEntityOfPage": "https://main.example/"},
            {"image": {"@type": "ImageObject", "url": "https://pictures.example/1.png"}},
            {"publisher": {"logo": {"url": "https://pictures.example/1.png"}}},
        ],
    )
    def test_what_is_none(self, node: dict[str, object]) -> None:
        assert read(node).links == ()


class TestFacts:
    def test_of_an_article(self) -> None:
        found = read(
            {
                "@type": "NewsArticle",
                "headline": "Salt &amp; pepper",
                "description": "What it is about",
                "datePublished": "2024-05-01",
                "dateModified": "2024-05-02",
                "author": [{"@type": "Person", "name": "Ann Lee"}, "Bo Berg", {"name": "Ann Lee"}],
            }
        )
        assert found == Structured(
            authors=("Ann Lee", "Bo Berg"),
            published="2024-05-01",
            modified="2024-05-02",
            headline="Salt & pepper",
            description="What it is about",
            kind="article",
        )

    def test_the_matter_comes_before_the_page(self) -> None:
        page = {"@type": "WebPage", "datePublished": "2001-01-01", "dateModified": "2002-02-02"}
        article = {"@type": ["Thing", "http://schema.org/BlogPosting"], "datePublished": "2024-05-01"}
        for graph in ([page, article], [article, page]):
            found = read({"@graph": graph})
            assert (found.published, found.modified, found.kind) == ("2024-05-01", "2002-02-02", "article")

    def test_an_author_may_be_a_reference(self) -> None:
        article = {"@type": "Article", "author": {"@id": "#ann"}}
        assert read(article, {"@type": "Person", "@id": "#ann", "name": "Ann Lee"}).authors == ("Ann Lee",)

    @pytest.mark.parametrize("place", ["comment", "review", "itemListElement", "hasPart", "isPartOf"])
    def test_what_stands_on_the_page_is_not_the_page(self, place: str) -> None:
        other = {"@type": "Article", "author": "Somebody", "datePublished": "2024-05-01", "headline": "Other"}
        found = read({"@type": "Product", "name": "Mug", place: [other]})
        assert found == Structured(headline="Mug", kind="product")

    @pytest.mark.parametrize("name", ["mainEntity", "mainEntityOfPage", "@graph"])
    def test_the_main_entity_is_the_page(self, name: str) -> None:
        assert read({"@type": "WebPage", name: {"@type": "Question", "datePublished": "2024-05-01"}}).published

    @pytest.mark.parametrize("value", [None, 5, 1e300, True, [], {}, "", "  ", [[]], {"@value": "x"}, [None, {}]])
    def test_odd_values_say_nothing(self, value: object) -> None:
        names = ("author", "datePublished", "dateModified", "headline", "name", "description")
        assert read({"@type": "Article", **dict.fromkeys(names, value)}) == Structured(kind="article")
        assert read({"@type": value, "headline": "x"}) == NOTHING


class TestBadScripts:
    @pytest.mark.parametrize(
        "script",
        [
            '<!--\n{"@type":"Article","headline":"x"}\n-->',
            '//<![CDATA[\n{"@type":"Article","headline":"x"}\n//]]>',
            '/*<![CDATA[*/[{"@type":"Article","headline":"x"}]/*]]>*/',
            '\ufeff{"@type":"Article","headline":"x"};',
            '{"@type":"Article","headline":"x","description":"\n\t"}',
            '{"headline":"first","@type":"Article","headline":"x"}',
        ],
    )
    def test_wrapped_and_loose_json_is_read(self, script: str) -> None:
        assert structured([script]).headline == "x"

    @pytest.mark.parametrize(
        "script",
        [
            "",
            "null",
            '"https://a.example/"',
            "{",
            "}{",
            "var a = 5;",
            "<!-- -->",
            "[" * 100_000,
            '{"a":' * 20_000,
            '{"a":' + "9" * 100_000 + "}",
            '{"a":1e999999}',
            '{"a":NaN}',
        ],
    )
    def test_no_json_says_nothing(self, script: str) -> None:
        assert structured([script]) == NOTHING
        assert structured([script, '{"@type":"Article"}']).kind == "article"

    def test_halves_of_surrogate_pairs_can_be_stored(self) -> None:
        found = structured(['{"@type":"Article","headline":"\\ud800x","sameAs":"https://a.example/\\udc00","b":"\n"}'])
        assert msgspec.json.decode(msgspec.json.encode(found), type=Structured) == found
        assert found.headline == "?x"

    @given(st.text(max_size=200))
    def test_any_text(self, text: str) -> None:
        assert isinstance(structured([text]), Structured)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.just("https://a.example/"),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.dictionaries(
                    st.sampled_from(
                        "@graph @type @id author name sameAs url citation headline mainEntity image".split()
                    ),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=30,
        )
    )
    def test_any_json(self, document: object) -> None:
        found = read(document)
        assert all(url == "https://a.example/" for _, url in found.links)
        msgspec.json.encode(found)


class TestLimits:
    def test_links(self) -> None:
        assert len(read({"sameAs": [f"https://a.example/{n}" for n in range(5_000)]}).links) == MAX_LINKS
        assert len(read(*({"url": f"https://a.example/{n}"} for n in range(2_000))).links) == MAX_LINKS

    def test_characters(self) -> None:
        large = {"@type": "Article", "headline": "x" * MAX_CHARS}
        assert read(large, {"@type": "Article", "headline": "small"}).headline == "small"

    def test_nodes(self) -> None:
        many: list[object] = [{} for _ in range(40_000)]
        assert read([*many, {"url": "https://a.example/"}]).links == ()

    def test_scripts(self) -> None:
        script = '<script type="application/ld+json">{}</script>'
        last = '<script type="application/ld+json">{"@type":"Article","description":"x"}</script>'
        for number, found in ((MAX_SCRIPTS - 1, "x"), (MAX_SCRIPTS, "")):
            assert read_page((script * number + last).encode(), "https://a.example/").description == found

    def test_depth(self) -> None:
        document: object = {"url": "https://a.example/"}
        for _ in range(200):
            document = {"a": [document]}
        assert read(document).links == (("url", "https://a.example/"),)


def test_scripts_of_real_pages_are_read(oracles: Path) -> None:
    marked = [page for page in map(page_bytes, page_paths()) if b'"datePublished"' in page and b"ld+json" in page]
    assert len(marked) > 100, f"pages are missing under {oracles}"
    dated = [read_page(page, "https://www.example.com/").published is not None for page in marked]
    assert sum(dated) > 0.9 * len(marked)
