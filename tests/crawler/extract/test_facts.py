"""What pages tell of themselves: where it stands, and what is trusted first."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.truth.platforms import day_of, facts_of, mark, reviewed
from benchmarks.truth.reference import page_paths
from crawler.extract import read_page
from crawler.extract.dates import moment
from crawler.extract.facts import AUTHOR_CHARS, DESCRIPTION_CHARS, TITLE_CHARS, TYPE_CHARS
from linkindex.model import PageFacts

URL = "https://site.example/dir/page"


def facts(markup: str, **headers: str) -> PageFacts:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_page(markup.encode(), URL, headers={"content-type": "text/html; charset=utf-8", **named})


def meta(name: str, content: str, attribute: str = "name") -> str:
    return f'<meta {attribute}="{name}" content="{content}">'


def data(**node: Any) -> str:
    return f'<script type="application/ld+json">{json.dumps({"@type": "Article", **node})}</script>'


class TestTexts:
    @pytest.mark.parametrize(
        ("markup", "title"),
        [
            ("<title> A\n title </title>" + meta("og:title", "Card", "property"), "A title"),
            ("<title> </title>" + meta("og:title", "Card", "property"), "Card"),
            (data(headline="Head") + meta("twitter:title", "Card"), "Card"),
            (data(headline="Head"), "Head"),
            ("<h1>no</h1>", ""),
        ],
    )
    def test_title(self, markup: str, title: str) -> None:
        assert facts(markup).title == title

    @pytest.mark.parametrize(
        ("markup", "description"),
        [
            (meta("og:description", "Card", "property") + meta("Description", " For\n search "), "For search"),
            (meta("description", " ") + meta("og:description", "Card", "property"), "Card"),
            (meta("description", "First") + meta("description", "Second"), "First"),
            (meta("description", "Item", "itemprop") + data(description="Data"), "Item"),
            (data(description="Data &eacute;"), "Data é"),
        ],
    )
    def test_description(self, markup: str, description: str) -> None:
        assert facts(markup).description == description

    @pytest.mark.parametrize(
        ("markup", "kind"),
        [
            (meta("og:type", " Article ", "property") + data(), "article"),
            (meta("og:type", "website") + data(), "website"),
            (data(), "article"),
            (data(**{"@type": "Product"}), "product"),
            (data(**{"@type": "WebSite"}), ""),
        ],
    )
    def test_type(self, markup: str, kind: str) -> None:
        assert facts(markup).type == kind

    def test_all_are_bounded(self) -> None:
        long = "x" * 5_000
        page = facts(
            f"<title>{long}</title>" + meta("description", long) + meta("author", long) + meta("og:type", long)
        )
        bounds = (TITLE_CHARS, DESCRIPTION_CHARS, AUTHOR_CHARS, TYPE_CHARS)
        assert tuple(map(len, (page.title, page.description, page.author, page.type))) == bounds
        assert len(facts(data(author=[f"Author {n} {long[:100]}" for n in range(9)])).author) <= AUTHOR_CHARS


class TestAuthor:
    @pytest.mark.parametrize(
        ("markup", "author"),
        [
            (meta("author", "Meta") + data(author=[{"name": "Ann  Lee"}, {"name": "Bo Berg"}]), "Ann Lee, Bo Berg"),
            (meta("author", "https://a.example/ann") + meta("dc.creator", "Ann Lee"), "Ann Lee"),
            (meta("article:author", "https://www.facebook.com/ann", "property"), ""),
            (meta("author", "ann@a.example") + "<a rel='nofollow Author' href=/ann>Ann <b>Lee</b></a>", "Ann Lee"),
            (meta("author", "@ann"), ""),
            (data(author="www.a.example") + meta("author", "Ann Lee"), "Ann Lee"),
            ("<a rel=author href=/ann><img alt=Ann></a><a rel=authority href=/x>No</a>", ""),
            ("<link rel=author href=/ann>", ""),
        ],
    )
    def test_order_of_trust(self, markup: str, author: str) -> None:
        assert facts(markup).author == author


class TestDates:
    @pytest.mark.parametrize(
        ("markup", "day"),
        [
            (data(datePublished="2024-05-01") + meta("article:published_time", "2023-01-01", "property"), "2024-05-01"),
            (data(datePublished="soon") + meta("article:published_time", "2023-01-01", "property"), "2023-01-01"),
            (meta("date", "2023-01-01") + meta("DC.date.issued", "2022-02-02"), "2022-02-02"),
            (meta("datePublished", "2022-02-02", "itemprop"), "2022-02-02"),
            ("<time pubdate datetime=2022-02-02>x</time>", "2022-02-02"),
            ("<time itemprop=datePublished content=2022-02-02>x</time>", "2022-02-02"),
            ("<time class='entry-date published' datetime=2022-02-02>x</time>", "2022-02-02"),
            ("<time datetime=2022-02-02>x</time>", ""),  # of a comment, of another page, of an event
            ("<time itemprop=startDate datetime=2022-02-02>x</time>", ""),
            ("<p>Published on 2 February 2022", ""),
        ],
    )
    def test_published(self, markup: str, day: str) -> None:
        assert day_of(facts(markup).published) == day

    @pytest.mark.parametrize(
        ("markup", "day"),
        [
            (data(dateModified="2024-05-01") + meta("og:updated_time", "1672531200", "property"), "2024-05-01"),
            (meta("og:updated_time", "1672531200", "property"), "2023-01-01"),
            (meta("article:modified_time", "2022-02-02", "property"), "2022-02-02"),
            ("<time class=updated datetime=2022-02-02>x</time>", "2022-02-02"),
        ],
    )
    def test_modified(self, markup: str, day: str) -> None:
        page = facts(markup, last_modified="Wed, 01 Jan 2020 00:00:00 GMT")
        assert (day_of(page.modified), page.published) == (day, None)

    @pytest.mark.parametrize(
        ("modified", "now", "taken"),
        [
            ("Wed, 01 May 2024 10:00:00 GMT", "Thu, 02 May 2024 10:00:00 GMT", True),
            ("Wed, 01 May 2024 10:00:00 GMT", "", True),
            ("Wed, 01 May 2024 10:00:00 GMT", "Wed, 01 May 2024 10:00:01 GMT", False),  # made for this answer
            ("Wed, 01 May 2024 10:00:00 GMT", "Tue, 30 Apr 2024 10:00:00 GMT", False),  # from the future
            ("0", "Thu, 02 May 2024 10:00:00 GMT", False),
        ],
    )
    def test_last_modified(self, modified: str, now: str, taken: bool) -> None:
        assert facts("", last_modified=modified, date=now).modified == (moment(modified) if taken else None)


class TestAnyPage:
    @given(st.binary(max_size=300), st.dictionaries(st.text(max_size=20), st.text(max_size=50), max_size=5))
    def test_bytes(self, body: bytes, headers: dict[str, str]) -> None:
        page = read_page(b'<meta name="author" content="' + body, URL, headers=headers)
        assert msgspec.json.decode(msgspec.json.encode(page), type=PageFacts) == page

    @given(
        st.lists(
            st.sampled_from(
                ["author", "date", "og:type", "description", "generator", "article:published_time"]
            ).flatmap(lambda name: st.text(max_size=50).map(lambda content: meta(name, content.replace('"', ""))))
            | st.text(max_size=50).map(
                lambda text: f'<script type="application/ld+json">{{"author":"{text}"}}</script>'
            )
            | st.text(max_size=30).map(lambda text: f"<time pubdate datetime='{text}'>"),
            max_size=8,
        )
    )
    def test_what_is_written_in_the_right_places(self, parts: list[str]) -> None:
        page = read_page("".join(parts).encode("utf-8", "surrogatepass"), URL)
        assert msgspec.json.decode(msgspec.json.encode(page), type=PageFacts) == page


class TestOracles:
    def test_of_common_crawl(self, oracles: Path) -> None:
        languages = [page.language for page in warc_pages(oracles / "html/html-lang-attribute.warc")]
        assert languages == ["en", "zh-cn", "cs-cz", "en", "es-mx"]
        (item,) = warc_pages(oracles / "html/meta-itemprop.warc")
        assert (item.title, item.author, item.robots) == ("Test", "", ())
        (drawn,) = warc_pages(oracles / "html/title-extraction-embedded-SVG.warc")
        assert drawn.title == "Testing title extraction with embedded SVG"

    def test_authors_and_days_that_people_found_on_real_pages(self, oracles: Path) -> None:
        marks: Counter[str] = Counter()
        for path in page_paths():
            truth, page = reviewed(path), facts_of(path)
            marks["author" + mark(page.author, truth.get("author") or "")] += 1
            marks["day" + mark(day_of(page.published), truth.get("publish_date") or "")] += 1
        assert sum(marks.values()) > 780, f"pages are missing under {oracles}"
        # Of what is told, so much is what people read; what differs is a day's border or a later revision mostly.
        assert marks["author="] > 14 * marks["author!"]
        assert marks["day="] > 7 * marks["day!"]
        # Of what people read, so much is told; the rest stands in prose alone.
        assert marks["author="] > 2 * marks["author-"]
        assert marks["day="] > 2 * marks["day-"]


def warc_pages(path: Path) -> list[PageFacts]:
    """Read the answers of a small WARC file as pages."""
    pages = []
    for record in path.read_bytes().split(b"WARC/1.0\r\n")[1:]:
        _, _, answer = record.partition(b"\r\n\r\n")
        _, _, body = answer.partition(b"\r\n\r\n")
        pages.append(read_page(body, URL, headers={"content-type": "text/html; charset=UTF-8"}))
    return pages
