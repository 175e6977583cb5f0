"""Encoded bodies: undone, bounded, and kept as far as they hold."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pytest

from crawler.decoding import BLOCK, Body, Undecodable
from crawler.failures import Reason
from tests.crawler.fetches import PAGE, SHORT, answer_to, failure_of
from tests.rawserver import HTML, page


def encoded(name: str, body: bytes) -> bytes:
    return page(body, HTML + b"Content-Encoding: " + name.encode() + b"\r\n")


ENCODED = {
    "html-br.bin": "br",
    "html-gzip.bin": "gzip",
    "html-rawdeflate.bin": "deflate",
    "html-zlibdeflate.bin": "deflate",
    "html-gzip-deflate.bin": "gzip, deflate",
    "html-gzip-deflate-gzip.bin": "gzip,deflate ,x-gzip",
    "html-zstd-static-content-size.bin": "zstd",
    "html-zstd-static-no-content-size.bin": "zstd",
    "html-zstd-streaming-no-content-size.bin": "ZSTD",
}


@pytest.mark.parametrize("name", ENCODED)
def test_every_encoding_is_undone(oracles: Path, name: str) -> None:
    packed = (oracles / "bombs" / name).read_bytes()
    answer = answer_to(encoded(ENCODED[name], packed))
    assert answer.body.startswith(b"<!DOCTYPE HTML>")
    assert answer.body.endswith(b"</html>\n") and len(answer.body) > 74_000
    assert answer.fetched.flags == ()
    assert answer.fetched.size_on_wire == len(packed)


@pytest.mark.parametrize("name", ["br", "deflate", "gzip", "zstd"])
def test_bombs_stop_at_the_limit(oracles: Path, name: str) -> None:
    bomb = (oracles / "bombs" / f"bomb-{name}.bin").read_bytes()
    answer = answer_to(encoded(name, bomb))
    assert len(answer.body) == SHORT.body
    assert answer.fetched.flags == ("cut",)
    body = Body(name, SHORT.body)
    assert not body.take(bomb)
    assert max(body._made) <= SHORT.body + 3 * BLOCK


def test_nested_bombs_stop_in_between() -> None:
    bomb = gzip.compress(gzip.compress(gzip.compress(bytes(100 << 20))))
    body = Body("gzip, gzip, gzip", SHORT.body)
    assert not body.take(bomb)
    assert body.flags == ("cut",)
    assert max(body._made) <= SHORT.body + 3 * BLOCK


def test_what_unpacks_to_nothing_is_limited_too() -> None:
    nothing = b"\x00\x00\x00\xff\xff" * (1 << 18)  # empty stored blocks
    body = Body("deflate", SHORT.body)
    assert not body.take(zlib.compress(b"")[:2] + nothing)
    assert body.flags == ("cut",)


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("truncated-crc-error.gz", b"</html"),
        ("truncated-crc-error-short.gz", b"</html>"),
        ("unexpected-eof.gz", b"</a>');"),
    ],
)
def test_broken_gzip_keeps_what_could_be_decoded(oracles: Path, name: str, end: bytes) -> None:
    answer = answer_to(encoded("gzip", (oracles / "bombs" / name).read_bytes()))
    assert answer.body.endswith(end)
    assert answer.fetched.flags == ("truncated",)


def test_an_error_in_the_middle_costs_nothing_before_it() -> None:
    text = b"".join(b"<p>%d</p>\n" % number for number in range(50_000))
    packed = bytearray(gzip.compress(text))
    packed[-40_000:-39_000] = bytes(1000)
    answer = answer_to(encoded("gzip", bytes(packed)))
    assert answer.fetched.flags == ("truncated",)
    assert answer.body[:100_000] == text[:100_000]


def test_members_and_padding_of_gzip() -> None:
    packed = gzip.compress(b"one ") + gzip.compress(b"two") + bytes(7)
    answer = answer_to(encoded("gzip", packed))
    assert (answer.body, answer.fetched.flags) == (b"one two", ())


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "deflate", "gzip, br"])
def test_what_is_not_encoded_as_it_says_fails(encoding: str) -> None:
    assert failure_of(encoded(encoding, PAGE)).reason is Reason.UNDECODABLE


def test_too_many_encodings_fail() -> None:
    assert failure_of(encoded("gzip, gzip, gzip, gzip", PAGE)).reason is Reason.UNDECODABLE
    with pytest.raises(Undecodable):
        Body("gzip, " * 1000, 10)


def test_unknown_encodings_count_as_none_and_no_body_needs_no_decoding() -> None:
    assert answer_to(encoded("utf-8", PAGE)).body == PAGE
    assert answer_to(encoded("gzip", b"")).body == b""
    assert answer_to(b"HTTP/1.1 204 No\r\nContent-Encoding: gzip\r\n\r\n").body == b""
