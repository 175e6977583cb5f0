"""From format 5 to 6: the words of pages are packed anew, with their descriptions, which were among the facts."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

import msgspec

from linkindex.history import Patience
from linkindex.store.sqlite.dictionaries import Dictionaries
from linkindex.store.sqlite.packing import Around, Words, flatten
from linkindex.store.sqlite.schema import FACTS

_AT_ONCE = 1000  # pages
_PAGES = """
SELECT f.page, a.words, f.description FROM old_fact f LEFT JOIN old_around a ON a.page = f.page
WHERE f.page > ? ORDER BY f.page LIMIT ?"""
_PUT = "INSERT INTO around (page, words) VALUES (?, ?)"
_FACTS = f"INSERT INTO fact (page, {', '.join(FACTS)}) SELECT page, {', '.join(FACTS)} FROM old_fact ORDER BY page"  # noqa: S608

_words = msgspec.msgpack.Decoder(dict[int, Words]).decode
_logger = logging.getLogger(__name__)


class _Earlier(Dictionaries):
    """An index whose words are those of format 5, read as if they were of today's."""

    _table = "old_around"
    unreadable = 0

    def repack(self) -> None:
        self._db.execute(_FACTS)
        self._learn()
        self._begun()
        last = 0
        while rows := self._db.execute(_PAGES, (last, _AT_ONCE)).fetchall():
            self._db.executemany(_PUT, [(page, self._again(*row)) for page, *row in rows if row != [None, ""]])
            last = rows[-1][0]

    def _again(self, packed: bytes | None, description: str) -> bytes:
        try:
            return self._pack(Around(description, self._unpack(packed or b"").links))
        except (ValueError, TypeError):
            self.unreadable += 1
            return self._pack(Around(str(description)))

    def _plain(self, packed: bytes) -> bytes:
        try:
            links = _words(super()._plain(packed))
        except msgspec.MsgspecError as error:
            raise ValueError(str(error)) from error
        for slot, (position, thousandths, *texts) in links.items():
            links[slot] = (position, thousandths / 1000, texts[0], texts[1], texts[2])
        return flatten(Around(links=links))


def repack(db: sqlite3.Connection) -> None:
    """Fill fact and around from old_fact and old_around, with a dictionary of their own; inside the caller's transaction."""
    index = _Earlier(Path(), db, internal_links=False, patience=Patience(), time_limit=0)
    index.repack()
    if index.unreadable:
        _logger.warning("the words of %d pages cannot be read, and are left out", index.unreadable)
