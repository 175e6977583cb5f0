"""What a page keeps in one piece: the bundles of its links, its words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from operator import attrgetter

import msgspec

from linkindex.model import Link

Words = tuple[int, float, str, str, str]
"""What is kept of a link beside its version: position, placement confidence, text before, text after, heading."""

NO_WORDS: Words = (0, 0.0, "", "", "")

words_of: Callable[[Link], Words] = attrgetter(
    "position", "placement_confidence", "text_before", "text_after", "heading"
)


class Around(msgspec.Struct):
    """The words of a page that are read only when they are shown."""

    description: str = ""
    links: dict[int, Words] = {}  # by slot


_to_bytes = msgspec.msgpack.Encoder().encode
_numbers = msgspec.msgpack.Decoder(list[int]).decode
_columns = msgspec.msgpack.Decoder(tuple[list[int], list[int], list[int], str | list[str]]).decode


def pack_bundles(numbers: Sequence[int]) -> bytes:
    """Pack to_domain and number of the bundles of a page's versions, one after the other, by slot."""
    return _to_bytes(numbers)


def unpack_bundles(packed: bytes) -> list[int]:
    """Return what :func:`pack_bundles` packed."""
    return _numbers(packed)


def flatten(around: Around) -> bytes:
    """Return the words of a page as bytes that compress well: numbers by kind, then lines by kind; b"" where there are none."""
    if not around.links and not around.description:
        return b""
    positions, confidences, *texts = zip(*around.links.values(), strict=True) if around.links else ((),) * 5
    lines = [around.description, *chain.from_iterable(texts)]
    joined = "\n".join(lines)
    whole = joined.count("\n") < len(lines)  # else a text has a line feed of its own
    thousandths = [round(confidence * 1000) for confidence in confidences]
    return _to_bytes((list(around.links), positions, thousandths, joined if whole else lines))


def unflatten(plain: bytes) -> Around:
    """Return what :func:`flatten` flattened."""
    slots, positions, thousandths, lines = _columns(plain)
    description, *texts = lines.split("\n") if isinstance(lines, str) else lines
    size, confidences = len(slots), [number / 1000 for number in thousandths]
    words = zip(positions, confidences, texts[:size], texts[size : 2 * size], texts[2 * size :], strict=True)
    return Around(description, dict(zip(slots, words, strict=True)))


def json_numbers(numbers: Sequence[int]) -> str:
    """Return numbers as SQLite's ``json_each`` reads them."""
    return msgspec.json.encode(numbers).decode()


def json_rows(rows: Sequence[Sequence[int]]) -> str:
    """Return rows of numbers as SQLite's ``json_each`` reads them."""
    return msgspec.json.encode(rows).decode()


def json_texts(texts: Iterable[str]) -> str:
    """Return texts as SQLite's ``json_each`` reads them."""
    return msgspec.json.encode(list(texts)).decode()
