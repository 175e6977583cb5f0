"""One spelling for one resource, as browsers read URLs."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkindex import urls
from linkindex.errors import BadInput
from linkindex.target import parse_target
from tests.linkindex.vectors import whatwg


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
    checked = refused = 0
    for case in whatwg(oracles):
        if case.href == "":
            assert urls.parse(case.text, case.base) is None, case
            refused += 1
        elif case.href is not None:
            assert urls.parse(case.text, case.base) == case.href
            checked += 1
    assert (checked, refused) >= (247, 200)


@pytest.mark.parametrize(("name", "known"), [("toascii.json", 87), ("IdnaTestV2.json", 2671)])
def test_hosts_as_the_standard_has_them(oracles: Path, name: str, known: int) -> None:
    """All of them, but for the empty host, which is no host to WHATWG whatever IDNA makes of it."""
    cases = [
        case for case in json.loads((oracles / "url" / name).read_text(encoding="utf-8")) if isinstance(case, dict)
    ]
    assert len(cases) == known
    for case in cases:
        if case["input"]:
            url = urls.parse(f"https://{case['input']}/")
            assert (urls.host_of(url) if url else None) == case["output"], case


def test_escapes_of_the_standard(oracles: Path) -> None:
    for case in json.loads((oracles / "url" / "percent-encoding.json").read_text(encoding="utf-8")):
        if isinstance(case, dict):
            assert (
                urls.parse(f"https://a.example/?{case['input']}#") == f"https://a.example/?{case['output']['utf-8']}#"
            )


def _parameters(url: str) -> list[str]:
    return sorted(p.removesuffix("=") for p in url.partition("?")[2].split("&") if p.partition("=")[0])


def why_not_theirs(text: str, ours: str | None, theirs: str) -> str:
    """Where Common Crawl's normaliser goes further than WHATWG does, and so risks to name another resource."""
    if ours is None:
        return "no host" if not text.strip("htp:/") else "only http and https" if not text.startswith("http") else ""
    same = {
        "escapes stay as they were written": unquote(ours) == unquote(theirs),
        "slashes are not merged": re.sub("(?<!:)//+", "/", ours) == theirs,
        "a final dot makes another host": ours.replace("./", "/") == theirs,
        "parameters keep their order and their form": _parameters(ours) == _parameters(theirs),
    }
    return next((reason for reason, holds in same.items() if holds), "")


def test_common_crawl_agrees_but_for_what_is_named(oracles: Path) -> None:
    lines = (oracles / "url" / "weirdToNormalizedUrls.csv").read_text(encoding="utf-8").splitlines()
    rows = [row for row in csv.reader(lines, skipinitialspace=True) if len(row) == 2 and not row[0].startswith("#")]
    same = 0
    for text, theirs in rows:
        ours = urls.canonicalise(text)
        if ours == theirs.strip():
            same += 1
        else:
            assert why_not_theirs(text, ours, theirs), (text, ours, theirs)
    assert (len(rows), same) >= (105, 55)
    for text in (oracles / "url" / "invalidUrls.csv").read_text(encoding="utf-8").splitlines():
        if text and not text.startswith("#"):
            assert urls.canonicalise(text) is None


def test_resolving_as_common_crawl_does(oracles: Path) -> None:
    lines = (oracles / "url" / "url-resolve.csv").read_text(encoding="utf-8").splitlines()
    rows = [row for row in csv.reader(lines, skipinitialspace=True) if len(row) == 3 and not row[0].startswith("#")]
    assert len(rows) >= 20
    for text, base, resolved in rows:
        assert urls.parse(text, base or None) == (resolved if resolved.startswith("http") else None), text


def test_registrable_domains_of_the_list(oracles: Path) -> None:
    """All of them; where the list has no registrable domain, as a public suffix has none, the name stands for itself."""
    plain = (oracles / "psl" / "tests.txt").read_text(encoding="utf-8").splitlines()
    called = (oracles / "psl" / "test_psl.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in plain if line and not line.startswith("//")]
    rows += [re.findall(r"'([^']*)'|null", line)[:2] for line in called if line.startswith("checkPublicSuffix('")]
    checked = 0
    for name, domain in rows:
        url = urls.parse(f"https://{name}/")
        if url is None or name == "null" or name.startswith("."):
            continue  # no name of a host
        want = urls.parse(f"https://{domain}/") if domain not in ("", "null") else url
        assert want is not None
        assert urls.domain_of(urls.host_of(url)) == urls.host_of(want), name
        checked += 1
    assert checked >= 140


@given(st.data())
def test_respellings_share_a_key(data: st.DataObject) -> None:
    """Spellings that WHATWG calls equal, of a URL with every part."""
    host, scheme = data.draw(st.sampled_from([("b\u00fccher.example", "https"), ("a.example", "http")]))
    path = data.draw(st.lists(st.sampled_from(["a", "b%20c", "\u00e9", "d'e"]), max_size=3))
    plain = f"{scheme}://{host}/{'/'.join(path)}?q=1"
    spelled_host = data.draw(st.sampled_from([host, host.upper(), f"me:pw@{host}", host.replace(".", "\u3002")]))
    if host == "b\u00fccher.example":
        spelled_host = data.draw(st.sampled_from([spelled_host, "xn--bcher-kva.example", "b%C3%BCcher.example"]))
    port = data.draw(st.sampled_from(["", ":", ":443" if scheme == "https" else ":80"]))
    dots = data.draw(st.sampled_from(["/", "/./", "/x/../", "/%2e/", "\\"]))
    tail = data.draw(st.sampled_from(["", "#f", "&utm_source=x", "&gclid=1#f", " \n"]))
    spelled = f"{scheme.upper()}:{data.draw(st.sampled_from(['//', '/', '', chr(92) * 2]))}{spelled_host}{port}"
    one, other = urls.canonicalise(plain), urls.canonicalise(f"{spelled}{dots}{'/'.join(path)}?q=1{tail}")
    assert one is not None
    assert other is not None
    assert (one, urls.key(one)) == (other, urls.key(other))


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
