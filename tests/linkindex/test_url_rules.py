"""Each rule by hand, and all of them together against what counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from linkindex import url_rules, urls
from tests.linkindex.vectors import whatwg

PIECES = st.sampled_from(
    "/ // . .. /./ /../ %2e %2E. ? # : @ & = utm_source=x gclid=1 b=2 \\ ä 字 ' \" < > ` { } | ^ [ ] a B 0x7f 127.1 "
    "example .example www. xn--bcher-kva.example bücher.example \u3002 \t \n \x00 https:// http:// HTTPS:// http: http:/ "
    "ftp: :80 :443 :8080 :x user@ user:word@ a..b localhost [::1] [::".split(" ")
)


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("https://example.com/a?b", []),
        (" https://exam\tple.com/ ", ["white space"]),
        ("HTTP:\\\\example.com\\a", ["scheme"]),
        ("https://me:secret@example.com/", ["user info"]),
        ("https://Bücher.example/", ["host"]),
        ("http://0x7f.1/", ["host"]),
        ("https://example.com:443/", ["port"]),
        ("https://example.com", ["dot segments"]),
        ("https://example.com/a/%2E./b/.", ["dot segments"]),
        ("https://example.com/ä?ö", ["percent-encoding"]),
        ("https://example.com/#top", ["fragment"]),
        ("https://example.com/?utm_source=x&b=1", ["tracking parameters"]),
        ("https://example.com/%41?b=2&a=1&&c", []),  # nothing that could be another resource is touched
    ],
)
def test_each(text: str, rules: list[str]) -> None:
    assert [step.rule for step in url_rules.explain(text)] == rules


def test_relative() -> None:
    (step,) = url_rules.explain("../c", "https://example.com/a/b")
    assert step == ("base", "../c", "https://example.com/c")


@given(
    st.lists(PIECES, max_size=9).map("".join),
    st.sampled_from([None, "https://site.example/dir/page?q", "http://a.example/"]),
)
@example("http:page", "http://a.example/dir/x")
@example("http:page", "https://a.example/dir/x")
@settings(max_examples=1000)
def test_the_steps_end_at_the_canonical_form(text: str, base: str | None) -> None:
    check(text, base)


def test_the_steps_of_the_standards_own_cases_do_too(oracles: Path) -> None:
    for case in whatwg(oracles):
        check(case.text, case.base)


def check(text: str, base: str | None) -> None:
    href = urls.parse(text, base)
    if href is None:
        assert url_rules.refusal(text, base)
        return
    assert url_rules.refusal(text, base) == ""
    steps = url_rules.explain(text, base)
    assert (steps[-1].after if steps else text) == urls.canonical(href)
    assert all(step.rule in url_rules.RULES and step.before != step.after for step in steps)
    assert [one.after for one in steps[:-1]] == [one.before for one in steps[1:]]
    for step in steps[1:]:  # every spelling on the way is one of the same resource
        assert urls.canonicalise(step.before) == urls.canonical(href) or base is not None, step


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "nothing"),
        ("example.com", "https:// in front"),
        ("javascript:x", "scheme javascript"),
        ("MAILTO:a@b.c", "scheme mailto"),
        ("https://", "no host"),
        ("https://a:99999/", "port 99999"),
        ("https://a:b/", "port b"),
        ("https://a b/", "host a b"),
        ("https://%00/", "host %00"),
        ("https://a/\ud800", "surrogate"),
    ],
)
def test_a_refusal_says_why(text: str, why: str) -> None:
    assert why in url_rules.refusal(text)
    with pytest.raises(ValueError, match=why.replace("+", r"\+")):
        url_rules.explain(text)
