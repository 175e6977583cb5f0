"""What people see of hosts that are not ASCII."""

from __future__ import annotations

import ada_url
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkindex.hosts import readable, readable_hosts


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        ("bücher.example", True),
        ("пример.example", True),
        ("παράδειγμα.example", True),
        ("日本語テスト.example", True),
        ("한국어abc.example", True),
        ("例え-7.example", True),
        ("раypal.example", False),  # Cyrillic ra, Latin ypal
        ("аррӏе.example", False),  # Cyrillic throughout, and every letter looks Latin
        ("ορο.example", False),
        ("пример漢.example", False),
        ("shop.аррӏе.example", False),
    ],
)
def test_alone_or_beside_its_a_label(host: str, alone: bool) -> None:
    ascii_form = str(ada_url.idna_to_ascii(host).decode())
    assert ascii_form.startswith(("xn--", "shop.xn--"))
    assert readable(ascii_form) == (host if alone else f"{host} ({ascii_form})")


@pytest.mark.parametrize("host", ["example.com", "xn--", "xn--a.example", "a.xn--0.example", "127.0.0.1:80", ""])
def test_what_cannot_be_read_stays(host: str) -> None:
    assert readable(host) == host


def test_hosts_within_urls() -> None:
    assert readable_hosts("https://www.xn--bcher-kva.example:81/xn--a") == "https://www.bücher.example:81/xn--a"
    assert readable_hosts("https://example.com/") == "https://example.com/"


@given(st.text(alphabet="xn-abc0189.é/", max_size=40))
def test_anything(text: str) -> None:
    for host in (text, f"xn--{text}"):
        assert readable(host) == host or readable(host).isprintable()
        assert readable_hosts(host) == host or "xn--" in host
