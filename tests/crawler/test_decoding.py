"""Encoded bodies: undone, bounded, and kept as far as they hold."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import brotli
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from crawler.decoding import BLOCK, MAX_ENCODINGS, MAX_MEMBERS, Body, Undecodable
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
    # As Python's own module undoes one of them. The page names its encoding.
    expected = gzip.decompress((oracles / "bombs" / "html-gzip.bin").read_bytes())
    if ENCODED[name] == "deflate":
        expected = expected.replace(b"gzip", b"deflate", 1)
    assert answer.body == expected
    assert answer.fetched.flags == ()
    assert answer.fetched.size_on_wire == len(packed)


@pytest.mark.parametrize("name", ["br", "deflate", "gzip", "zstd"])
def test_bombs_stop_at_the_limit(oracles: Path, name: str) -> None:
    bomb = (oracles / "bombs" / f"bomb-{name}.bin").read_bytes()
    answer = answer_to(encoded(name, bomb))
    assert len(answer.body) == SHORT.body
    assert answer.fetched.flags == ("cut",)
    body = Body(name, SHORT.body)
    tracemalloc.start()
    assert not body.take(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert SHORT.body < max(body._made) <= SHORT.body + BLOCK
    assert peak < SHORT.body + 4 * BLOCK


def test_nested_bombs_stop_in_between() -> None:
    bomb = gzip.compress(gzip.compress(gzip.compress(bytes(100 << 20))))
    body = Body("gzip, gzip, gzip", SHORT.body)
    assert not body.take(bomb)
    assert body.flags == ("cut",)
    assert max(body._made) <= SHORT.body + BLOCK


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


def at_once(encoding: str, data: bytes, limit: int = 1 << 20) -> tuple[bytes | None, tuple[str, ...]]:
    """Return (body, flags); None where nothing can be decoded."""
    return in_pieces(encoding, data, len(data) or 1, limit)


def in_pieces(encoding: str, data: bytes, size: int, limit: int = 1 << 20) -> tuple[bytes | None, tuple[str, ...]]:
    body = Body(encoding, limit)
    for at in range(0, len(data), size):
        if not body.take(data[at : at + size]):
            break
    try:
        return body.end(), body.flags
    except Undecodable:
        return None, body.flags


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": partial(gzip.compress, mtime=0),
    "br": brotli.compress,
    "zstd": zstd.compress,
    "deflate": zlib.compress,
    "Deflate": raw_deflate,  # as old servers send it
}
SKIPPABLE = b"\x5a\x2a\x4d\x18\x03\x00\x00\x00abc"  # RFC 8878, 3.1.2


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"one ") + gzip.compress(b"two")),
        ("gzip", gzip.compress(b"one ") + gzip.compress(b"") + gzip.compress(b"two") + bytes(7)),
        ("gzip", gzip.compress(b"one two") + b"\x1f"),
        ("gzip", gzip.compress(b"one two") + b"<!-- made by a proxy -->"),
        ("zstd", zstd.compress(b"one ") + zstd.compress(b"two")),
        ("zstd", SKIPPABLE + zstd.compress(b"one ") + SKIPPABLE + zstd.compress(b"two")),
        ("zstd", zstd.compress(b"one two") + bytes(7)),
        ("br", brotli.compress(b"one two") + b"<!-- made by a proxy -->"),
        ("deflate", zlib.compress(b"one two") + bytes(7)),
        ("deflate", raw_deflate(b"one two") + zlib.compress(b"no")),
    ],
    ids=[
        "gzip members", "an empty member and zeros", "the first byte of a member", "gzip and text", "zstd frames",
        "zstd frames to skip", "zstd and zeros", "br and text", "deflate and zeros", "raw deflate and more",
    ],
)  # fmt: skip
def test_streams_in_a_row_and_padding(encoding: str, packed: bytes, size: int) -> None:
    assert in_pieces(encoding, packed, size) == (b"one two", ())


def test_streams_in_a_row_are_limited_and_the_rest_is_known_to_be_missing() -> None:
    assert at_once("gzip", gzip.compress(b"x") * MAX_MEMBERS) == (b"x" * MAX_MEMBERS, ())
    assert at_once("gzip", gzip.compress(b"x") * (MAX_MEMBERS + 1)) == (b"x" * MAX_MEMBERS, ("truncated",))


@pytest.mark.parametrize("encoding", PACK)
def test_a_stream_that_ends_early_is_known_to(encoding: str) -> None:
    packed = PACK[encoding](PAGE)
    for end in range(1, len(packed)):
        body, flags = at_once(encoding, packed[:end])
        assert flags == ("truncated",)
        assert body is None or PAGE.startswith(body)
    answer = answer_to(encoded(encoding, PACK[encoding](random.Random(1).randbytes(9000))[:-900]))
    assert answer.fetched.flags == ("truncated",) and answer.body  # though HTTP's own frame is whole


@given(
    st.lists(st.sampled_from([*PACK]), max_size=MAX_ENCODINGS),
    st.lists(st.binary(max_size=300) | st.sampled_from([PAGE]), max_size=3).map(b"".join),
    st.tuples(st.integers(0, 500), st.binary(max_size=4)),
    st.integers(1, 50),
)
def test_pieces_are_as_good_as_the_whole(encodings: list[str], text: bytes, blot: tuple[int, bytes], size: int) -> None:
    packed = text
    for encoding in encodings:
        packed = PACK[encoding](packed)
    name = ", ".join(encodings)
    assert at_once(name, packed) == in_pieces(name, packed, size) == (text, ())
    at, wrong = blot
    spoilt = packed[:at] + wrong + packed[at + len(wrong) :]
    assert in_pieces(name, spoilt, size) == in_pieces(name, spoilt, 1) == at_once(name, spoilt)


MAGIC = [b"", gzip.compress(b""), zlib.compress(b""), brotli.compress(b""), zstd.compress(b""), SKIPPABLE]


@given(
    st.lists(st.sampled_from([*PACK]), max_size=4).map(",".join) | st.text(max_size=20),
    st.sampled_from(MAGIC),
    st.binary(max_size=600),
    st.integers(0, 1000),
)
def test_no_bytes_raise_anything_else(encoding: str, magic: bytes, noise: bytes, limit: int) -> None:
    try:
        body = Body(encoding, limit)
    except Undecodable:
        assert encoding.count(",") >= MAX_ENCODINGS
        return
    body.take(magic[:-1] + noise)
    try:
        assert len(body.end()) <= limit
    except Undecodable:
        assert body.flags == ("truncated",)


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
