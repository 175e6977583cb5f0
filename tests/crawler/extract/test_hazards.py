"""What would stall the parser is told beforehand; what people read is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.truth.reference import page_bytes, page_paths
from crawler.extract import hazards, judged, read_page
from crawler.extract.hazards import parser_hazard, within


@pytest.mark.parametrize(
    ("body", "hazard"),
    [
        (b"<div>" * 100_000, "too_deep"),
        (b"<div><span>" * 50_000 + b"</p>" * 10, "too_deep"),
        (b"<p>" + b"".join(b"<b a=%d>" % n for n in range(1000)) + b"</p>" + b"<p>x</p>" * 1000, "too_deep"),
        (b"<p " + b" ".join(b"a%d=1" % n for n in range(20_000)) + b">", "too_many_attributes"),
        (b"<p " + b" ".join(b"a%d" % n for n in range(20_000)), "too_many_attributes"),
        (b"<b></i>" * 10_000, "too_deep"),  # an end tag closes but its own
        (b"<div></x>" * 10_000, "too_deep"),
        (b"<DIV>" * 10_000 + b"</div>" * 10_000, "too_deep"),
        (b"<svg>" + b"<path>" * 10_000 + b"</x>" * 10_000, "too_deep"),
        (b"<svg>" + b"<path d='M0'/>" * 10_000 + b"</svg>", ""),
        (b"<p>" + b"".join(b"<b a=%d>" % n for n in range(200)) + b"</p>" + b"<p>x" * 10_000, "too_deep"),
        (b"<ul>" * 3_900 + b"<li>" * 500_000, "too_deep"),
        (b"<select>" + b"<option>x</option>" * 30_000, "too_many_options"),
        (b"<select>" + b"<option>x</option>" * 5_000, ""),
        (b"<img src='data:" + b"A" * 500_000 + b"'>", ""),
        (b"<br>" * 50_000, ""),
        (b"<p>" * 50_000, ""),
        (b"<ul>" + b"<li><a href=x>y</a>" * 20_000, ""),
        (b"", ""),
        (b"<" * 100_000, ""),
    ],
)
def test_hazards(body: bytes, hazard: str) -> None:
    assert parser_hazard(body) == hazard


_NAMES = [b"a%d" % n for n in range(20_000)]


@pytest.mark.parametrize(
    "tag",
    [
        b"<p < " + b" ".join(_NAMES),
        b"<p title='>' " + b" ".join(_NAMES),
        b"<p " + b"='>' ".join(_NAMES),
        b"<p " + b"='<li>' ".join(_NAMES),
        b'<p " ' + b" ".join(_NAMES) + b' "',
        b"<p/" + b"/".join(_NAMES),
        b"<p " + b'="1"'.join(_NAMES),
        b"<p@ " + b" ".join(_NAMES),
        b"<p\0 " + b"\0 ".join(_NAMES),
        b"<p " + b'\n=\n">\'"'.join(_NAMES),
        b"<p " + (b"='" + b"x>" * 50 + b"' ").join(_NAMES),
        b"<p ='>" + b"<p " + b"='>' ".join(_NAMES),
        b"<!-- <p a=' --><p " + b"='>' ".join(_NAMES),
        b'<script>a = "<p b=\'"</script><p ' + b" ".join(_NAMES),
        b"<svg><style><p " + b" ".join(_NAMES),
    ],
    ids=lambda tag: tag[:16],
)
@pytest.mark.parametrize("before", [b"", b'<p class=x>it\'s "so"</p>' * 500], ids=["alone", "late"])
def test_no_spelling_hides_attributes(tag: bytes, before: bytes) -> None:
    assert parser_hazard(before + tag + b">") == "too_many_attributes"
    assert within(before + tag + b">" + b"x" * 40_000, 15_000) == len(before) + tag.rindex(b"<p", 0, 40)


@pytest.mark.parametrize("charset", ["utf-16le", "utf-16be", "iso-2022-jp"])
def test_no_encoding_hides_attributes(charset: str) -> None:
    page = "<p " + " ".join(f"\u5186a{n}='>'" for n in range(20_000)) + ">"
    assert parser_hazard(judged(page.encode(charset), f"text/html; charset={charset}")) == "too_many_attributes"
    facts = read_page(
        page.encode(charset), "http://a.example/", {"content-type": f"text/html; charset={charset}"}, max_nodes=999
    )
    assert facts.limits == ("max_nodes",)


@pytest.mark.parametrize("name", [b"html", b"body", b"BODY"])
def test_attributes_of_repeated_tags_are_one_elements(name: bytes) -> None:
    tags = [b"<%b %b>" % (name, b" ".join(_NAMES[start : start + 500])) for start in range(0, 20_000, 500)]
    assert parser_hazard(b"".join(tags)) == "too_many_attributes"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (b"<script>if (a<b ", b")</script>"),
        (b"<style>", b"</style>"),
        (b"<!-- <p ", b"-->"),
        (b"<textarea><p ", b"></textarea>"),
        (b"<TITLE><p ", b"></TITLE>"),
        (b"<svg><![CDATA[<p ", b">]]></svg>"),
        (b"<svg/><svg></svg><script><p ", b"></script>"),
        (b"<p>", b"</p>"),
        (b"<p title='", b"'>"),
        (b"<!doctype html ", b">"),
    ],
    ids=lambda part: part[:9],
)
def test_words_that_are_no_attributes_are_not_told(start: bytes, end: bytes) -> None:
    assert parser_hazard(start + b" ".join(_NAMES) + end + b"<p a=b>c</p>" * 100) == ""


_PARTS = st.sampled_from(
    [
        b"<p",
        b"<p ",
        b">",
        b"/",
        b" ",
        b"\n",
        b"=",
        b'"',
        b"'",
        b"='",
        b'="',
        b"a",
        b"b=c",
        b"x",
        b"\0",
        b"<",
        b"&",
        b"\x0b",
    ]
)


@given(st.lists(_PARTS, max_size=30).map(b"".join))
def test_attributes_are_counted_as_the_standard_says(text: bytes) -> None:
    tag = hazards._TOKEN.match(b"<p " + text + b"x\"'>")  # noqa: SLF001  # no value is left open
    assert tag is not None
    assert hazards._attributes(tag, 0) == counted(b"<p " + text + b"x\"'>")  # noqa: SLF001


@given(st.lists(_PARTS, max_size=80).map(b"".join), st.sampled_from([b"", b"'", b'"', b"<p ", b"='>' a=\">\" "]))
def test_the_cheap_look_passes_no_crowded_tag(text: bytes, more: bytes) -> None:
    body = (
        b"<p>x</p>" * 600
        + text
        + more * 900
        + text
        + b" ".join(_NAMES[:2500])
        + b"='>' ".join(_NAMES[:2500])
        + b"x\"'>"
    )
    tags = list(hazards._tags(body))  # noqa: SLF001
    if any(hazards._attributes(tag, 0) > hazards.MAX_ATTRIBUTES and body[tag.end() :] for tag in tags):  # noqa: SLF001
        assert hazards._may_be_crowded(body)  # noqa: SLF001


def counted(tag: bytes) -> int:
    """Return how many attributes a tag has, by the states of HTML, 13.2.5.32 to 13.2.5.40, a byte at a time."""
    state, count = "before name", 0
    for code in tag[2:]:
        byte = chr(code)
        space = byte in "\t\n\f\r "
        if state in "\"'":
            state = "before name" if byte == state else state
        elif state == "before value" and (space or byte in "\"'"):
            state = state if space else byte
        elif byte == ">":
            break
        elif state in ("before value", "unquoted"):
            state = "before name" if space else "unquoted"
        elif byte == "/":
            state = "before name"
        elif space:
            state = "after name" if state == "name" else state
        elif byte == "=" and state in ("name", "after name"):
            state = "before value"
        elif state != "name":
            state, count = "name", count + 1
    return count


def test_no_real_page_is_taken_for_one(oracles: Path) -> None:
    paths = page_paths()
    assert len(paths) > 390, oracles
    assert [path for path in paths if parser_hazard(page_bytes(path))] == []


_TAGS = st.sampled_from(
    [b"<b>", b"</b>", b"<i x=1>", b"</i >", b"<div>", b"</div>", b"<li>", b"<image x/>", b"<strong/>", b"<", b"t"]
)


@given(st.lists(_TAGS, max_size=40).map(b"".join), st.integers(1, 12))
def test_the_look_at_formatting_alone_passes_nothing_that_the_whole_one_stops(body: bytes, max_open: int) -> None:
    with pytest.MonkeyPatch.context() as small:
        for name, bound in (("MAX_FORMATTING", 3), ("FEW", 1), ("MAX_COPIES", 20), ("MAX_STEPS", 60)):
            small.setattr(hazards, name, bound)
        tags = body.count(b"<")
        whole = hazards._most_open(body, hazards._TAG)  # noqa: SLF001
        assert hazards._too_deep(body, tags, max_open) == hazards._stalls(*whole, tags, max_open)  # noqa: SLF001
