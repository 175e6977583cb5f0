"""Feeds of all kinds: the page of each entry, its title, when it changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.extract.gathering import Listing
from crawler.extract.listings import looks_like_xml, read_listing
from linkindex.model import Link

URL = "https://blog.example.com/feed/"


def read(body: bytes | str) -> Listing:
    listing = read_listing(body if isinstance(body, bytes) else body.encode(), URL)
    assert listing is not None
    return listing


def test_the_atom_sample(oracles: Path) -> None:
    moment = 1_071_340_202_000
    listing = read((oracles / "sitemap" / "atom.xml").read_bytes())
    assert (listing.title, listing.reason) == ("Example Feed", "")
    assert listing.links == tuple(
        Link(target=target, kind="feed", anchor="Atom-Powered Robots Run Amok", modified=moment)
        for target in ("http://example.org/2003/12/13/atom03", "http://example.org/2003/12/13/atom03.html")
    )


RSS = """<?xml version="1.0"?>
<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/" xmlns:atom="http://www.w3.org/2005/Atom">
<channel><title>The <![CDATA[Blog]]></title><link>https://blog.example.com/</link>
<atom:link href="https://blog.example.com/feed/" rel="self"/><atom:link href="?paged=2" rel="next"/>
<image><url>https://blog.example.com/i.png</url><title>Logo</title><link>https://blog.example.com/</link></image>
%s
</channel></rss>"""


@pytest.mark.parametrize(
    ("item", "target", "anchor"),
    [
        ("<title>One</title><link> https://blog.example.com/1 </link>", "https://blog.example.com/1", "One"),
        ("<title>T&amp;amp;J</title><link>/2?a=1&amp;b=2</link>", "https://blog.example.com/2?a=1&b=2", "T&J"),
        ("<title><![CDATA[A <b>bold</b>  one]]></title><link>3</link>", "https://blog.example.com/feed/3", "A bold one"),
        ("<media:title>No</media:title><title>Yes</title><link>/4</link>", "https://blog.example.com/4", "Yes"),
        ("<guid>https://blog.example.com/5</guid>", "https://blog.example.com/5", ""),
        ("<guid isPermaLink='false'>abc</guid><link>/6</link>", "https://blog.example.com/6", ""),
        ("<atom:link href='/7' rel='alternate'/><description>&lt;a href='/no'&gt;</description>",
         "https://blog.example.com/7", ""),
    ],
)  # fmt: skip
def test_an_item_of_rss(item: str, target: str, anchor: str) -> None:
    listing = read(RSS % f"<item>{item}</item>")
    assert listing.title == "The Blog"
    assert [(link.kind, link.target, link.anchor) for link in listing.links] == [
        ("next", "https://blog.example.com/feed/?paged=2", ""),
        ("feed", target, anchor),
    ]
    assert listing.reason == ""


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("<title>No link</title>", "no_url 1"),
        ("<guid isPermaLink='false'>https://blog.example.com/x</guid>", "no_url 1"),
        ("<link>mailto:a@example.com</link>", "not_a_url 1"),
        ("<link>/1</link></item><item><link>/1</link>", "duplicate 1"),
        ("<link>/1", "broken_xml"),
    ],
)
def test_each_refused_item_has_a_reason(item: str, reason: str) -> None:
    assert read(RSS % f"<item>{item}</item>").reason == reason


def test_a_podcast() -> None:
    item = "<item><title>E1</title><link>/e1</link><pubDate>Sat, 07 Sep 2002 00:00:01 GMT</pubDate>{}</item>"
    links = read(RSS % item.format("<enclosure url='https://cdn.example.com/1.mp3' type='audio/mpeg'/>")).links
    assert [(link.kind, link.target, link.modified) for link in links[1:]] == [
        ("feed", "https://blog.example.com/e1", 1_031_356_801_000),
        ("media", "https://cdn.example.com/1.mp3", 1_031_356_801_000),
    ]


@pytest.mark.parametrize(
    "body",
    [
        (
            '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/publish/formats/'
            'rss-0.91.dtd"><rss version="0.91"><channel><title>F</title><item><title>One</title><link>/1</link></item>'
            "</channel></rss>"
        ),
        (
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"><channel>'
            "<title>F</title><link>/</link></channel><item><title>One</title><link>/1</link></item></rdf:RDF>"
        ),
        (
            '<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://blog.example.com/x/"><title>F</title>'
            '<entry xml:base="../"><title type="html">&lt;i&gt;One&lt;/i&gt;</title><link href="1"/></entry></feed>'
        ),
        (
            '<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:title>F</a:title><a:entry><a:title type="xhtml">'
            '<div xmlns="http://www.w3.org/1999/xhtml"><b>O</b>ne</div></a:title><a:link href="/1"/></a:entry></a:feed>'
        ),
        (
            '<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>F</title><entry><title>One</title>'
            '<link rel="alternate" href="/1"/><link rel="replies" href="/1/comments"/></entry></feed>'
        ),
    ],
    ids=["rss 0.91", "rss 1.0", "xml:base", "prefix", "atom 0.3"],
)
def test_other_feeds(body: str) -> None:
    listing = read(body)
    assert (listing.title, listing.reason) == ("F", "")
    assert [(link.kind, link.target, link.anchor) for link in listing.links] == [
        ("feed", "https://blog.example.com/1", "One")
    ]


def test_a_base_ends_with_its_element() -> None:
    entry = '<entry xml:base="%s"><link href="1"/></entry>'
    body = (
        f'<feed xml:base="/a/">{entry % "b/"}{entry % "https://c.example.com/"}<entry><link href="2"/></entry></feed>'
    )
    assert [link.target for link in read(body).links] == [
        "https://blog.example.com/a/b/1",
        "https://c.example.com/1",
        "https://blog.example.com/a/2",
    ]


def test_links_are_bounded() -> None:
    body = RSS % "".join(f"<item><link>/{number}</link></item>" for number in range(30))
    listing = read_listing(body.encode(), URL, max_links=10)
    assert listing is not None
    assert (len(listing.links), listing.reason) == (10, "too_many_urls")


@pytest.mark.parametrize("body", [b"<html><body>", b"<opml/>", b"<svg/>", b"{}", b"", b"%PDF-1.4", b"<rssx/>"])
def test_other_documents_are_none(body: bytes) -> None:
    assert read_listing(body, URL) is None


@pytest.mark.parametrize(
    ("body", "looks"),
    [
        (b"\xef\xbb\xbf  \n<?xml version='1.0'?>", True),
        (b"<rss", True),
        (b"<RDF:rdf", True),
        (b"<feed xmlns", True),
        (b"<!doctype html>", False),
        (b"text", False),
    ],
)
def test_looks_like_xml(body: bytes, looks: bool) -> None:
    assert looks_like_xml(body) is looks
