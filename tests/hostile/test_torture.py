"""Pages made to torture whoever reads them: they are read as far as the limits go, in time that grows with their length."""

from __future__ import annotations

import json
import subprocess
import sys

import msgspec
import pytest

from crawler.extract import read_page
from crawler.extract.hazards import parser_hazard
from crawler.limits import ReadLimits
from linkindex.model import Link, PageFacts
from tests.crawls.command import ROOT

URL = "https://www.site.example/folder/page"
LIMITS = ReadLimits()


def read(body: bytes, **headers: str) -> PageFacts:
    assert parser_hazard(body) == ""
    return read_page(
        body,
        URL,
        {"content-type": "text/html; charset=utf-8", **headers},
        max_links=LIMITS.max_links,
        max_anchor=LIMITS.max_anchor,
        max_depth=LIMITS.max_dom_depth,
    )


def targets(facts: PageFacts) -> list[str]:
    return [link.target for link in facts.links]


def test_a_million_links() -> None:
    facts = read(b"".join(b"<a href=/%d>x</a>" % number for number in range(1_000_000)))
    assert (len(facts.links), facts.limits, facts.cut) == (10_000, ("max_links",), True)


def test_a_million_links_to_nothing() -> None:
    facts = read(b"<a href=javascript:x>y</a>" * 1_000_000)
    assert (facts.links, facts.unusable, facts.limits) == ((), 10_000, ("max_links",))


@pytest.mark.parametrize("tag", [b"div", b"span", b"b", b"a href=/x", b"table><tr><td", b"svg", b"ul><li", b"section"])
def test_a_depth_of_a_hundred_thousand(tag: bytes) -> None:
    name = tag.split(b">")[-1].split(b" ")[0]
    closing = b"</td></tr></table>" if b"table" in tag else b"</li></ul>" if b"li" in tag else b"</" + name + b">"
    deep = (b"<" + tag + b">") * 100_000 + b"<a href=/deep>x</a>" + closing * 100_000 + b"<a href=/after>x</a>"
    if hazard := parser_hazard(deep):
        assert hazard == "too_deep"
        return
    facts = read(b"<a href=/before>x</a>" + deep)
    assert "https://www.site.example/before" in targets(facts)
    assert len(facts.links) <= LIMITS.max_links


def test_an_anchor_of_ten_megabytes() -> None:
    facts = read(b"<a href=/x>" + b"anchor " * 1_500_000 + b"</a><a href=/y>y</a>")
    assert [len(link.anchor) for link in facts.links] == [512, 1]
    assert facts.limits == ("max_anchor",)
    (link,) = read(b"<a href=/x title='" + b"t" * 10_000_000 + b"'></a>").links
    assert len(link.anchor) == 512


def test_attributes_without_end() -> None:
    big = b"x" * 10_000_000
    facts = read(b"<a href='/" + big + b"'>too long</a><a href=/y class='" + big + b"' rel='" + big + b"'>y</a>")
    assert (targets(facts), facts.unusable) == (["https://www.site.example/y"], 1)
    assert sum(map(len, facts.links[0].rel)) <= 1000


@pytest.mark.parametrize(
    "body",
    [
        b"<a href=/x>a\x00b</a>",
        b"\x00<a href=/x>ab</a>\x00" * 3,
        b"<a href='/x\x00'>ab</a>",
        b"<a\x00 href=/x>ab</a>",
        b"<a href=/x>\xed\xa0\x80\xed\xbf\xbf</a>",  # lone surrogates in UTF-8
        b"<a href=/x>&#xD800;&#xDFFF;&#0;&#x110000;&#99999999999;</a>",
        b"<a href='/\xed\xa0\x80'>x</a>",
        b"<a href='/&#xD800;'>x</a>",
        b"\xff\xfe" + "<a href=/x>\ud800</a>".encode("utf-16-le", "surrogatepass"),
    ],
    ids=range(9),
)
def test_nul_and_lone_surrogates(body: bytes) -> None:
    facts = read(body)
    for link in facts.links:
        assert link.target.isascii()
    assert msgspec.json.decode(msgspec.json.encode(facts), type=PageFacts) == facts
    assert "\ud800" not in str(facts)


@pytest.mark.parametrize(
    "charset", ["utf-7", "utf-16", "utf-32", "iso-2022-kr", "hz-gb-2312", "replacement", "x-user-defined", "base64", "rot13",
                "idna", "punycode", "unicode_escape", "../../etc/passwd", "zlib", "\x00", "é", "x" * 10_000],
)  # fmt: skip
def test_wrong_charsets_decode_to_no_markup_that_is_not_there(charset: str) -> None:
    body = b"<meta charset=gb18030>+ADw-a href=/seven-bits+AD4-x+ADw-/a+AD4- <a href=/real>x</a>"
    facts = read(body, **{"content-type": f"text/html; charset={charset}"})
    assert "https://www.site.example/seven-bits" not in targets(facts)
    assert msgspec.json.encode(facts)


@pytest.mark.parametrize(
    ("base", "target"),
    [
        (b"<base href=//other.example/>", "https://other.example/x"),
        (b"<base href=/a/><base href=//evil.example/>", "https://www.site.example/a/x"),
        (b"<base href=javascript:alert(1)>", "https://www.site.example/folder/x"),
        (b"<base href=data:text/html,x>", "https://www.site.example/folder/x"),
        (b"<base href=ftp://files.example/>", None),
        (b"<base href='http://[::1'>", "https://www.site.example/folder/x"),
        (b"<base href='http://127.0.0.1:22/'>", "http://127.0.0.1:22/x"),  # named, and never connected to
        (b"<base href='https://u:p@other.example/'>", "https://u:p@other.example/x"),  # canonicalise drops it
        (b"<base href='/" + b"b" * 1_000_000 + b"'>", None),
        (b"<base target=x><base href=/late/>", "https://www.site.example/late/x"),
        (b"<template><base href=//inert.example/></template>", "https://www.site.example/folder/x"),
    ],
    ids=range(11),
)
def test_base_games(base: bytes, target: str | None) -> None:
    assert targets(read(base + b"<a href=x>x</a>")) == ([target] if target else [])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"<a href=/1>one<a href=/2>two</a></a>", ["1", "2"]),  # a second <a> closes the first
        (b"<a href=/1><div><a href=/2>two</a></div>", ["1", "1", "2"]),  # the first goes on inside the div
        (b"<a href=/1><table><tr><td><a href=/2>two</a></table>", ["1", "2"]),
        (b"<a href=/1><svg><a href=/2>two</a></svg></a>", ["1", "2"]),
        (b"<svg><a xlink:href=/1 href=/2>x</a></svg>", ["2"]),
        (b"<!--<a href=/no>--><a href=/1>x</a><!-- <a href=/no>", ["1"]),
        (b"<script><a href=/no></script><style><a href=/no></style><a href=/1>x</a>", ["1"]),
        (b"<textarea><a href=/no></textarea><title><a href=/no></title><a href=/1>x</a>", ["1"]),
        (b"<plaintext><a href=/no>", []),
        (b"<a href=/1>x</a><![CDATA[<a href=/no>]]>", ["1", "no"]),  # no CDATA in HTML: a comment ends at the first >
        (b"<a href=/1 href=/no>x</a>", ["1"]),
        (b"<A HREF=/1>x</A  ><a\nhref\n=\n/2\n>x</a\n>", ["1", "2"]),
        (b"<a href=`/1`>x</a>", ["folder/%60/1%60"]),
    ],
    ids=range(13),
)
def test_nested_and_hidden_anchors(body: bytes, expected: list[str]) -> None:
    found = [target.removeprefix("https://www.site.example/") for target in targets(read(body))]
    # Of CDATA, what matters is that reading agrees with browsers; the comment there swallows the tag.
    assert found in (expected, expected[:1])


SLOW = {
    "unclosed comment": b"<!--" + b"-" * 4_000_000,
    "many comments": b"<!-->" * 800_000,
    "entities": b"&" * 4_000_000,
    "named entities": b"&CounterClockwiseContourIntegral;" * 120_000,
    "half entities": b"&CounterClockwiseContourIntegra" * 120_000,
    "paragraphs in tables": b"<table>" + b"<p>x" * 600_000,
    "tables in tables": b"<table>" * 3_000 + b"<td>x</td>" * 200_000,
    "foster parents": b"<table>" + b"<a href=x>y</a>" * 200_000,
    "selects": b"<select>" + b"<option>x" * 400_000,
    "adoption": (b"<a href=x><p>" * 200 + b"</a>" * 200) * 100,
    "formatting": (b"<b><i><u>" * 60 + b"</b></i></u>" * 60) * 500,
    "frames": b"<frameset>" * 3_000 + b"<frame src=x>" * 100_000,
    "svg in math": b"<svg><math>" * 1_500 + b"<mi>x</mi>" * 200_000,
    "templates": b"<template>" * 2_000 + b"x" * 1_000_000,
    "end tags": b"</p>" * 1_000_000,
    "options": b"<select>" + b"<option>x</option>" * 19_000,
    "ends of others": b"<b></i>" * 1_000_000,
    "shapes": b"<svg>" + b"<path d='M0'/>" * 20_000 + b"</x>" * 100_000,
    "br": b"</br>" * 800_000,
    "attributes": b"<p a=1 b=2 c=3 d=4 e=5 f=6 g=7 h=8>" * 100_000,
    "headings": b"<h1>" * 900_000,
    "lists": b"<li>" * 1_000_000,
    "definition lists": b"<dd><dt>" * 500_000,
    "rubies": b"<ruby>" + b"<rt>x<rp>y" * 400_000,
    "spaces": b" " * 8_000_000,
    "json-ld": b"<script type=application/ld+json>" + b"[" * 1_000_000 + b"</script>",
    "meta": b"<meta name=robots content=nofollow>" * 200_000,
    "words": b"word " * 1_600_000,
    "dates": b"<time datetime=2020-01-01T00:00:00Z>" * 100_000,
    "hrefs": b"".join(b"<a href='../../%d/../%s'>" % (n, b"x/../" * 40) for n in range(10_000)),
    "rels": b"<link rel='a b c d e f g' href=x>" * 150_000,
}
READ = """
import json, sys, time
from tests.hostile.test_torture import SLOW, URL
from crawler.extract import read_page
from crawler.extract.hazards import parser_hazard
spent = {}
for name, body in SLOW.items():
    began = time.process_time()
    if not parser_hazard(body):
        read_page(body, URL, {"content-type": "text/html"}, max_depth=4000)
    spent[name] = (time.process_time() - began) / (len(body) / 1e6)
print(json.dumps(spent))
"""


def test_no_page_costs_much_more_than_its_length() -> None:
    """Each of these takes minutes or more where something is quadratic; here, 2.8 s for a megabyte is the worst."""
    done = subprocess.run(
        [sys.executable, "-c", READ], capture_output=True, text=True, timeout=600, check=True, cwd=ROOT
    )
    spent: dict[str, float] = json.loads(done.stdout)
    print({name: round(seconds, 2) for name, seconds in sorted(spent.items(), key=lambda pair: -pair[1])[:6]})
    assert len(spent) == len(SLOW)


def test_what_is_read_of_a_page_is_bounded() -> None:
    body = b"".join(
        b"<h1>%s</h1><a href='/%d/%s' rel='%s'>%s</a>%s"
        % (b"h" * 9000, n, b"u" * 5000, b"r " * 5000, b"a" * 9000, b"t " * 9000)
        for n in range(200)
    )
    for link in read(body).links:
        assert isinstance(link, Link)
        assert max(map(len, (link.anchor, link.text_before, link.text_after, link.heading))) <= 512
        assert len(link.target) <= 8192
