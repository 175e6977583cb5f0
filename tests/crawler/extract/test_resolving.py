"""What is told by a pattern is what the URL Standard says, on whatever a page may write."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler.extract.resolving import Resolver
from linkindex import urls

BASES = ("https://site.example/dir/page?q#f", "http://site.example:8080/", "https://user:word@site.example/a/b")
PIECES = st.sampled_from(
    "/ // . .. /. /.. ./ .. %2e %2E %2f %41 % ? # : @ ~ - _ | \\ ^ a B 0 a.b .a a. ... a/b x.html \t \n \x00 \x7f \x85 ü "
    "https://site.example https://site.example/ http://site.example:8080 https://user:word@site.example "
    "https:// http://a. http://xn--a. b-- .example .xn--a 1.2.3.4 .0x7f :80 ?a=%41&b ?' #/a".split(" ")
)


@given(st.lists(PIECES, max_size=8).map("".join), st.sampled_from(BASES))
@example("https://site.example", BASES[0])
@example("", BASES[0])
@settings(max_examples=1500)
def test_agrees_with_the_parser(href: str, base: str) -> None:
    assert Resolver(base, None)(href) == urls.parse(href, base)


@pytest.mark.parametrize("code", range(0x180))
def test_each_character_in_each_place(code: int) -> None:
    for form in (
        "/a{}b",
        "/{}",
        "/a/{}/",
        "/{}a",
        "https://site.example/{}",
        "https://site.example{}",
        "/a/{}{}/b",
        "https://a{}b.example/",
        "https://a.{}b/",
        "https://a.b{}/",
        "/a?{}b",
        "/a#{}b",
    ):
        href = form.replace("{}", chr(code))
        assert Resolver(BASES[0], None)(href) == urls.parse(href, BASES[0]), href
