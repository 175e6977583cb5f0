"""Sitemaps: every URL of the valid ones, a reason for each that is refused, and nothing that hostile ones can do."""

from __future__ import annotations

import gzip
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.extract.gathering import Listing
from crawler.extract.listings import read_listing, unpacked
from crawler.extract.sitemaps import MAX_BYTES, MAX_URLS
from linkindex import urls
from linkindex.model import Link

URL = "https://www.example.com/sitemap.xml"
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
SAMPLES = (
    "sitemap.ns.xml",
    "sitemap.badns.xml",
    "sitemap.index.xml",
    "xmlSitemap.gz",
    "extension/hebdenbridgetimes-articles-sitemap.xml",
    "extension/pagemaps-sitemap.xml",
    "extension/shinpaideshou-news-sitemap.xml",
    "extension/sitemap-images.xml",
    "extension/sitemap-links.xml",
    "extension/sitemap-mobile.xml",
    "extension/sitemap-news.xml",
    "extension/sitemap-videos-tvshow.xml",
    "extension/sitemap-videos.xml",
)
LISTS = ("sitemap.txt", "sitemap-with-bom.txt", "sitemap.txt.gz")


def read(body: bytes | str, url: str = URL, content_type: str = "", *, text: bool = False) -> Listing:
    listing = read_listing(body if isinstance(body, bytes) else body.encode(), url, content_type, text=text)
    assert listing is not None
    return listing


def named(listing: Listing) -> list[str]:
    return [link.target for link in listing.links if link.kind == "sitemap"]


def sitemap(*locs: str) -> str:
    entries = "".join(f"<url><loc>{escape(loc)}</loc></url>" for loc in locs)
    return f'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="{NAMESPACE}">{entries}</urlset>'


def sample(oracles: Path, name: str) -> bytes:
    return unpacked((oracles / "sitemap" / name).read_bytes(), MAX_BYTES)[0]


def urls_in(body: bytes) -> set[str]:
    """Every URL that stands in a document as expat reads it, but for where its schema is."""
    found: set[str] = set()
    for element in ElementTree.fromstring(body).iter():
        values = [value for name, value in element.items() if not name.endswith("schemaLocation")]
        inside_data = element.tag.endswith("}Attribute")  # Google's PageMap: structured data, told to nobody else
        found.update(value.strip() for value in (element.text or "", *values) if "://" in value and not inside_data)
    return {url for text in found if text.startswith("http") and (url := urls.parse(text))}


@pytest.mark.parametrize("name", SAMPLES)
def test_every_url_of_the_samples(oracles: Path, name: str) -> None:
    body = sample(oracles, name)
    listing = read(body)
    assert {link.target for link in listing.links} == urls_in(body)
    assert listing.reason == ""


@pytest.mark.parametrize("name", LISTS)
def test_every_line_of_the_lists(oracles: Path, name: str) -> None:
    body = sample(oracles, name)
    listing = read(body, text=True)
    assert [link.target for link in listing.links] == body.decode("utf-8-sig").split()
    assert listing.reason == ""
    assert read_listing(body, URL) is None  # nobody said that this text is a sitemap


def test_all_samples_are_tested(oracles: Path) -> None:
    folder = oracles / "sitemap"
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert there == {*SAMPLES, *LISTS, "atom.xml"}  # the feed is in test_feeds.py


def test_an_index_names_sitemaps(oracles: Path) -> None:
    for link in read(sample(oracles, "sitemap.index.xml")).links:
        assert (link.kind, link.rel) == ("sitemap", ("sitemap",))
    assert read(sitemap("https://www.example.com/a")).links[0].rel == ()


def test_what_is_known_of_an_entry() -> None:
    body = f"""<urlset xmlns="{NAMESPACE}" xmlns:n="http://www.google.com/schemas/sitemap-news/0.9"
      xmlns:x="http://www.w3.org/1999/xhtml" xmlns:i="http://www.google.com/schemas/sitemap-image/1.1">
      <url><lastmod>2024-05-03</lastmod><loc> https://www.example.com/a#top </loc>
        <n:news><n:publication><n:name>P</n:name></n:publication><n:title> The  news </n:title></n:news>
        <x:link rel="alternate" hreflang="de" href="https://www.example.com/de"/>
        <i:image><i:loc>https://cdn.example.com/a.jpg</i:loc><i:title>An image</i:title></i:image></url>
    </urlset>"""
    day = 1_714_694_400_000
    assert read(body).links == (
        Link(target="https://www.example.com/a#top", kind="sitemap", anchor="The news", modified=day),
        Link(target="https://www.example.com/de", kind="alternate"),
        Link(target="https://cdn.example.com/a.jpg", kind="media"),
    )


@pytest.mark.parametrize(
    ("loc", "reason"),
    [
        ("", "no_url 1"),
        ("/relative", "not_a_url 1"),
        ("www.example.com/x", "not_a_url 1"),
        ("ftp://www.example.com/x", "not_a_url 1"),
        ("javascript:alert(1)", "not_a_url 1"),
        ("http://[::1", "not_a_url 1"),
        ("https://www.example.com/" + "x" * 2048, "url_too_long 1"),
        ("https://www.example.com/first", "duplicate 1"),
        (URL, ""),  # a sitemap may name itself; that is no link
    ],
)
def test_each_refused_entry_has_a_reason(loc: str, reason: str) -> None:
    first, last = "https://www.example.com/first", "https://www.example.com/last"
    listing = read(sitemap(first, loc, last))
    assert (named(listing), listing.reason) == ([first, last], reason)
    if loc and "duplicate" not in reason:
        assert read(f"{first}\n{loc}\n{last}\n", text=True).reason == reason


@pytest.mark.parametrize(
    ("body", "found", "reason"),
    [
        ("<urlset><url><loc>http://a.test/1</loc></url>", 1, "broken_xml"),  # broken off
        ("<urlset><url><loc>http://a.test/1</loc></url><url><loc>http://a.test/?a=1&b=2</loc></url></urlset>", 1,
         "broken_xml"),
        ("<urlset><url><loc>http://a.test/1</loc></url></url></urlset>", 1, "broken_xml"),
        ("<urlset><url><loc>http://a.test/1</loc></url></urlset>junk", 1, "broken_xml"),
        ("<urlset><url><loc>http://a.test/&nbsp;</loc></url></urlset>", 0, "broken_xml"),
        ("\n\n<?xml version='1.0'?><urlset><url><loc>http://a.test/1</loc></url></urlset>", 1, ""),
        ("<urlset><url><loc>http://a.test/\x0b1</loc></url></urlset>", 1, ""),
        ("<urlset><url><loc><![CDATA[http://a.test/?a=1&b=2]]></loc></url></urlset>", 1, ""),
        ("<urlset><url>http://a.test/1</url><sitemap><loc>http://a.test/2.xml</loc></sitemap></urlset>", 2, ""),
        ("<urlset/>", 0, ""),
        ("<urlset><other><loc>http://a.test/1</loc></other></urlset>", 0, ""),
    ],
)  # fmt: skip
def test_broken_ones_give_what_comes_before_the_error(body: str, found: int, reason: str) -> None:
    listing = read(body)
    assert (len(named(listing)), listing.reason) == (found, reason)


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [("utf-16", "utf-16"), ("utf-16-le", "utf-16"), ("utf-8-sig", "utf-8"), ("latin-1", "iso-8859-1"), ("utf-8", "")],
)
def test_encodings(encoding: str, declared: str) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    body = f"{head}<urlset><url><loc>https://www.example.com/é</loc></url></urlset>".encode(encoding)
    assert named(read(body)) == ["https://www.example.com/%C3%A9"]


def test_a_byte_that_is_no_character_costs_its_url_alone() -> None:
    body = sitemap("https://www.example.com/X", "https://www.example.com/2").encode().replace(b"X", b"\xff")
    assert named(read(body))[1:] == ["https://www.example.com/2"]


def test_more_urls_than_allowed_are_not_read() -> None:
    pages = [f"https://www.example.com/{number}" for number in range(MAX_URLS + 1)]
    for listing in (read(sitemap(*pages)), read("\n".join(pages), text=True)):
        assert (len(listing.links), listing.reason) == (MAX_URLS, "too_many_urls")
        assert listing.links[-1].target == pages[-2]


def test_images_do_not_make_a_sitemap_larger_than_it_may_be() -> None:
    images = "".join(f"<i><loc>https://www.example.com/{number}.jpg</loc></i>" for number in range(60_000))
    body = (
        f"<urlset><url><loc>https://www.example.com/a</loc>{images}</url><url>https://www.example.com/b</url></urlset>"
    )
    listing = read(body)
    assert len(named(listing)) == 2
    assert len(listing.links) == 50_002


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 30))


@pytest.mark.parametrize(
    ("doctype", "reason"),
    [
        (f'<!DOCTYPE urlset [<!ENTITY l0 "ha">{LAUGHS}]>', "entities"),
        ('<!DOCTYPE urlset [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "entities"),
        ('<!DOCTYPE urlset [<!ENTITY x SYSTEM "http://127.0.0.1:1/">]>', "entities"),
        ('<!DOCTYPE urlset [<!ENTITY % x SYSTEM "http://127.0.0.1:1/">%x;]>', "entities"),
        ('<!DOCTYPE urlset [<!ENTITY l29 "x">]>', "entities"),
        ('<!DOCTYPE urlset [<!ATTLIST loc x CDATA "y">]>', "dtd"),
        ('<!DOCTYPE urlset [<!ELEMENT urlset ANY>]>', "dtd"),
        ("<!--<!DOCTYPE urlset>--> <?x [?>\n<!DOCTYPE urlset SYSTEM '[\">' [<!ATTLIST loc x CDATA 'y'>]>", "dtd"),
    ],
)  # fmt: skip
def test_no_entity_and_no_dtd_is_read(doctype: str, reason: str) -> None:
    body = f'<?xml version="1.0"?>{doctype}<urlset><url><loc>http://a.test/1</loc></url><url><loc>http://a.test/&l29;</loc></url></urlset>'
    for encoded in (body.encode(), body.encode("utf-16")):
        listing = read(encoded)
        assert (listing.reason, listing.links) == (reason, ())


def test_a_dtd_that_is_only_named_is_left_alone() -> None:
    for place in ("file:///etc/passwd", "http://127.0.0.1:1/x.dtd"):
        body = f'<!DOCTYPE urlset SYSTEM "{place}"><urlset><url><loc>http://a.test/1</loc></url></urlset>'
        assert named(read(body)) == ["http://a.test/1"]


@pytest.mark.parametrize(
    "body",
    [
        b"<urlset>" + b"<url>" * 200_000,
        b"<urlset>" + b"<url><loc>" + b"x" * 20_000_000,
        b"<urlset " + b"a=''" * 100_000,
        b"<urlset><!--" + b"-" * 5_000_000,
        b"<urlset>" + b"".join(b"<e%d/>" % number for number in range(300_000)),
    ],
    ids=["depth", "text", "attributes", "comment", "names"],
)
def test_shapes_that_would_cost_too_much(body: bytes) -> None:
    listing = read_listing(body, URL)
    assert listing is None or (listing.broken == "broken_xml" and not listing.links)


def test_more_markup_than_an_honest_one_has_is_not_read() -> None:
    body = b"<urlset><url><loc>https://www.example.com/a</loc></url>" + b"<a/>" * 3_100_000 + b"</urlset>"
    listing = read(body)
    assert (len(listing.links), listing.reason) == (1, "too_much_markup")


def test_what_has_no_root_in_sight_is_no_xml() -> None:
    assert read_listing(b"<!--" + b" " * 100_000 + b"-->" + sitemap("http://a.test/").encode(), URL) is None


def test_gzip_bombs_end_at_the_limit() -> None:
    body, flags, limit = unpacked(gzip.compress(b" " * 5_000_000), 1_000_000)
    assert (len(body), flags, limit) == (1_000_000, ("cut",), "max_sitemap")


@pytest.mark.parametrize(
    ("body", "start", "flags"),
    [
        (gzip.compress(b"<urlset/>", mtime=0), b"<urlset/>", ()),
        (gzip.compress(b"<urlset/>" * 1000, 0, mtime=0)[:5000], b"<urlset/>", ("truncated",)),
        (b"\x1f\x8bjunk", b"", ("truncated",)),
        (b"<urlset/>", b"<urlset/>", ()),
    ],
)
def test_unpacked(body: bytes, start: bytes, flags: tuple[str, ...]) -> None:
    found, said, _ = unpacked(body, MAX_BYTES)
    assert found.startswith(start)
    assert said == flags


PATHS = st.lists(st.text("abc/?&=%é <>\"'", max_size=12), max_size=30, unique=True)


@given(PATHS)
def test_what_is_written_is_read(paths: list[str]) -> None:
    written = [f"https://www.example.com/x{path.strip()}" for path in paths]
    expected = list(dict.fromkeys(url for text in written if (url := urls.parse(text))))
    assert named(read(sitemap(*written))) == expected


@given(PATHS, st.integers(0, 3000))
def test_what_is_broken_off_is_read_to_there(paths: list[str], length: int) -> None:
    body = sitemap(*(f"https://www.example.com/{number}/{path}" for number, path in enumerate(paths))).encode()
    part = read_listing(body[:length], URL)
    if part is not None:
        found = named(part)
        assert found == named(read(body))[: len(found)]
        assert part.broken or length >= len(body)


PIECES = st.sampled_from(
    ["<urlset>", "</urlset>", "<url>", "</url>", "<loc>", "</loc>", "<sitemap>", "<rss>", "<channel>", "<item>", "<link>",
     "</link>", "</item>", "<feed xml:base='/x'>", "<entry>", "<link href='?'/>", "<title>", "</title>", "<guid>",
     "http://a.test/", "&amp;", "&", "<![CDATA[", "]]>", "<!--", "<!DOCTYPE x [", "]>", "<?xml version='1.0'?>", "é"]
)  # fmt: skip


@given(
    st.binary(max_size=300) | st.lists(PIECES, max_size=40).map(lambda parts: "".join(parts).encode()), st.booleans()
)
def test_no_bytes_raise(body: bytes, text: bool) -> None:
    for start in (b"", b"<urlset>", b"<rss><channel><item>", b"<feed><entry>", b"\xff\xfe", b"\x1f\x8b"):
        listing = read_listing(unpacked(start + body, 10_000)[0], URL, text=text)
        if listing is not None:
            assert all(urls.parse(link.target) == link.target for link in listing.links)
