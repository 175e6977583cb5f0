"""What a page keeps in one piece: the bundles of its links, the words around them, its internal targets. Pure."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from linkindex.model import Link

if TYPE_CHECKING or sys.version_info < (3, 14):
    from backports import zstd
else:
    from compression import zstd

import zlib

Words = tuple[int, int, str, str, str]
"""Position, placement confidence in thousandths, text before, text after, heading."""

NO_WORDS: Words = (0, 0, "", "", "")

_to_bytes = msgspec.msgpack.Encoder().encode
_numbers = msgspec.msgpack.Decoder(list[int]).decode
_zstd = zstd.ZstdCompressor(level=1)  # kept, for a new one costs as much as what it does
_words = msgspec.msgpack.Decoder(dict[int, Words]).decode


def pack_bundles(numbers: Sequence[int]) -> bytes:
    """Pack to_domain and number of the bundles of a page's versions, one after the other, by slot."""
    return _to_bytes(numbers)


def unpack_bundles(packed: bytes) -> list[int]:
    """Return what :func:`pack_bundles` packed."""
    return _numbers(packed)


def words_of(link: Link) -> Words:
    """Return what is kept of a link beside its version."""
    confidence = round(link.placement_confidence * 1000)
    return (link.position, confidence, link.text_before, link.text_after, link.heading)


def pack_words(words: dict[int, Words]) -> bytes:
    """Pack what stands around a page's links, by slot."""
    return _zstd.compress(_to_bytes(words), _zstd.FLUSH_FRAME) if words else b""


def unpack_words(packed: bytes) -> dict[int, Words]:
    """Return what :func:`pack_words` packed."""
    try:
        return _words(zstd.decompress(packed)) if packed else {}
    except zstd.ZstdError as error:  # whoever reads knows a bad value, and not how it was packed
        raise ValueError(str(error)) from error


def pack_internal(targets: Sequence[str], page: str) -> bytes | None:
    """Compress internal targets, in order of appearance, those on the page's own origin as paths."""
    if not targets:
        return None
    origin = page[: page.find("/", 8)]
    lines = dict.fromkeys(
        target.removeprefix(origin) if target.startswith(f"{origin}/") else target for target in targets
    )
    return zlib.compress("\n".join(lines).encode(), 6)


def unpack_internal(packed: bytes, page: str) -> list[str]:
    """Return the internal targets that :func:`pack_internal` compressed."""
    origin = page[: page.find("/", 8)]
    return [origin + line if line.startswith("/") else line for line in zlib.decompress(packed).decode().split("\n")]


def json_numbers(numbers: Sequence[int]) -> str:
    """Return numbers as SQLite's ``json_each`` reads them."""
    return msgspec.json.encode(numbers).decode()


def json_rows(rows: Sequence[Sequence[int]]) -> str:
    """Return rows of numbers as SQLite's ``json_each`` reads them."""
    return msgspec.json.encode(rows).decode()


def json_texts(texts: Iterable[str]) -> str:
    """Return texts as SQLite's ``json_each`` reads them."""
    return msgspec.json.encode(list(texts)).decode()
