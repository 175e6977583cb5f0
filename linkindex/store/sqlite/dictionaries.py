"""The words of pages, compressed with dictionaries that an index trains on its own pages.

The words of one page are too few to learn from, so what pages have in common is kept apart, once. A dictionary is trained
when the first pages are there, and anew whenever they are ten times as many: where a crawl begins is not what it finds
later. Compaction trains larger ones, for itself alone (:mod:`linkindex.store.sqlite.compacting`). Each frame names the
dictionary it was compressed with (RFC 8878, 3.1.1.1.3), so none is ever taken out, and whoever meets one that is not known
yet looks it up.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from linkindex.store.sqlite.database import Database
from linkindex.store.sqlite.packing import Around, flatten, json_numbers, unflatten

if TYPE_CHECKING or sys.version_info < (3, 14):
    from backports import zstd
else:
    from compression import zstd

FIRST = 1000  # pages that are there when the first dictionary is trained
TIMES = 10  # as many are there when the next is
SAMPLE, PART = 1000, 4096  # pages that one is trained on, bytes of each: 0.15 s
SIZE = 32 << 10  # bytes of a dictionary; with 256 KB words take 8 % less, and 15 µs a page more
LEVEL = 3
MOST = 64 << 20  # bytes of the words of a page; of one with more, none are kept

_OPTIONS: dict[int, int] = {zstd.DecompressionParameter.window_log_max: MOST.bit_length() - 1}

# One that could not be trained, for there were too few words by then, does not take the place of an earlier one.
_NEWEST = """
SELECT id, (SELECT max(pages) FROM dictionary) FROM dictionary WHERE pages > 0 ORDER BY id = 0, pages DESC LIMIT 1"""
_BY_ID = "SELECT content FROM dictionary WHERE id = ?"
PUT = "INSERT OR REPLACE INTO dictionary (id, pages, content) VALUES (?, ?, ?)"
_PAGES = "SELECT coalesce(max(page), 0) FROM {}"
_WORDS = "SELECT words FROM {} WHERE page IN (SELECT value FROM json_each(?)) AND words <> x''"


class Dictionaries(Database):
    """The part of :class:`linkindex.store.sqlite.SqliteIndex` that packs what is to be read only when it is shown."""

    _table = "around"  # that is learned from
    _newest = (0, 0)  # dictionary, pages that there were when it was trained
    _compressor: zstd.ZstdCompressor | None = None  # kept, for a new one costs as much as what it does

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._dictionaries: dict[int, zstd.ZstdDict] = {}

    def _begun(self) -> None:
        super()._begun()
        newest = self._db.execute(_NEWEST).fetchone() or (0, 0)
        if newest != self._newest:  # another writer trained it, or what we trained was taken back
            self._newest, self._compressor = newest, None

    def _pack(self, around: Around) -> bytes:
        """Compress the words of a page with the newest dictionary."""
        plain = flatten(around)
        if not 0 < len(plain) <= MOST:
            return b""
        try:
            if self._compressor is None:
                self._compressor = zstd.ZstdCompressor(level=LEVEL, zstd_dict=self._dictionary(self._newest[0]))
            return self._compressor.compress(plain, zstd.ZstdCompressor.FLUSH_FRAME)
        except zstd.ZstdError as error:
            raise _bad(error) from error

    def _unpack(self, packed: bytes) -> Around:
        """Return the words that :meth:`_pack` compressed, with whatever dictionary. Raises :class:`ValueError`."""
        return unflatten(self._plain(packed)) if packed else Around()

    def _learn(self) -> None:
        """Train a dictionary where it is time for one; inside a transaction, whose end makes it the newest."""
        pages = self._db.execute(_PAGES.format(self._table)).fetchone()[0]
        if pages >= (self._newest[1] * TIMES or FIRST):
            self._db.execute(PUT, trained(self._sample(pages, SAMPLE), pages, SIZE))

    def _sample(self, pages: int, size: int) -> Iterator[bytes]:
        """Yield how the words of some ``size`` pages begin, from all over the first ``pages``."""
        numbers = json_numbers([*range(1, pages + 1, max(1, pages // size))])
        for (packed,) in self._db.execute(_WORDS.format(self._table), (numbers,)):
            try:
                yield self._plain(packed)[:PART]
            except (ValueError, TypeError):  # whoever asks for it will be told
                continue

    def _plain(self, packed: bytes) -> bytes:
        try:
            named = zstd.get_frame_info(packed).dictionary_id
            decompressor = zstd.ZstdDecompressor(zstd_dict=self._dictionary(named), options=_OPTIONS)
            plain = decompressor.decompress(packed, max_length=MOST)
        except zstd.ZstdError as error:
            raise _bad(error) from error
        if not decompressor.eof:
            raise ValueError("words that are cut off")
        return plain

    def _dictionary(self, number: int) -> zstd.ZstdDict | None:
        """Return a dictionary by its number, None for 0."""
        if number and number not in self._dictionaries:
            rows = self._all(_BY_ID, (number,))
            if not rows:
                raise ValueError(f"words that were compressed with dictionary {number}, which is not here")
            self._dictionaries[number] = zstd.ZstdDict(rows[0][0])
        return self._dictionaries.get(number)


def trained(sample: Iterable[bytes], pages: int, size: int) -> tuple[int, int, bytes]:
    """Return the row of a dictionary of at most ``size`` bytes that is trained on the words of pages; one without content
    where they are too few."""
    try:
        made = zstd.train_dict(sample, size)
    except (zstd.ZstdError, ValueError):
        return (0, pages, b"")
    return (made.dict_id, pages, made.dict_content)


def _bad(error: zstd.ZstdError) -> ValueError:
    """Return what went wrong as a bad value: whoever asks knows one of those, and not how words are packed."""
    return ValueError(str(error))


def is_whole(number: int, content: bytes) -> bool:
    """Return whether a row of dictionary is as it was written."""
    try:
        dictionary = zstd.ZstdDict(content) if number else None
        zstd.ZstdDecompressor(zstd_dict=dictionary)  # which looks into it
        return dictionary is None or dictionary.dict_id == number
    except (zstd.ZstdError, ValueError, TypeError):
        return False
