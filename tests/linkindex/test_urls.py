"""One spelling for one resource, as browsers read URLs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkindex import urls
from linkindex.errors import BadInput
from linkindex.target import parse_target


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("HTTP://Example.COM:80/a/../b", "http://example.com/b"),
        ("https://user:secret@example.com/", "https://example.com/"),
        ("https://a@b@example.com/@x", "https://example.com/@x"),
        ("https://example.com/#top", "https://example.com/"),
        ("https://example.com/?utm_source=x&b=1&FBCLID=2&gclid=3", "https://example.com/?b=1"),
        ("https://example.com/?utm_source=x", "https://example.com/"),
        ("https://example.com/?b=2&a=1&&c", "https://example.com/?b=2&a=1&&c"),  # order may matter, so it stays
        ("https://example.com/?session=1&ref=2", "https://example.com/?session=1&ref=2"),  # may matter, so it stays
        ("http://127.1/", "http://127.0.0.1/"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("  https://example.com \n", "https://example.com/"),
    ],
)
def test_canonical_form(text: str, canonical: str) -> None:
    assert urls.canonicalise(text) == canonical


@pytest.mark.parametrize(
    "text", ["", "example.com", "javascript:x", "mailto:a@b.c", "ftp://a/", "http://", "http://a b/", "\ud800"]
)
def test_what_is_no_web_url(text: str) -> None:
    assert urls.canonicalise(text) is None


@given(st.text(max_size=60), st.sampled_from(["https://", "http://a.test/", "http://a.test/?", "//", ""]))
def test_canonical_form_is_idempotent_and_never_raises(text: str, start: str) -> None:
    once = urls.canonicalise(start + text)
    if once is not None:
        assert urls.canonicalise(once) == once
        assert urls.key(once) == urls.key(once)
        assert urls.host_of(once)
        assert urls.domain_of(urls.host_of(once))


def test_whatwg_agrees(oracles: Path) -> None:
    cases = json.loads((oracles / "url" / "urltestdata.json").read_text())
    checked = 0
    for case in cases:
        if isinstance(case, str):
            continue
        base = case["base"] if case.get("base") not in (None, "about:blank") else None
        if case.get("failure"):
            assert urls.parse(case["input"], base) is None, case
        elif case["href"].startswith(("http://", "https://")):
            checked += 1
            assert urls.parse(case["input"], base) == case["href"]
    assert checked >= 247


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("www.bbc.co.uk", "bbc.co.uk"),
        ("alice.github.io", "alice.github.io"),  # private suffixes are on: each user is another domain
        ("github.io", "github.io"),
        ("a.b.example", "b.example"),
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]:8080", "[::1]"),
        ("shop.example.com:8443", "example.com"),
    ],
)
def test_registrable_domain(host: str, domain: str) -> None:
    assert urls.domain_of(host) == domain


@pytest.mark.parametrize("text", ["", "*", "a b", "mailto:x@y.z", "https://*.example.com/", "javascript:alert(1)"])
def test_a_bad_target_is_told_with_what_to_write(text: str) -> None:
    with pytest.raises(BadInput, match=r"write example\.com"):
        parse_target(text)
