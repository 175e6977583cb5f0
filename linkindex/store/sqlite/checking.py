"""Whether a file has what an index needs."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial

from linkindex.store import paths
from linkindex.store.sampling import DRAWN, packed
from linkindex.store.selection import Check
from linkindex.store.sqlite.dictionaries import Dictionaries, is_whole
from linkindex.store.sqlite.opening import is_read_only
from linkindex.store.sqlite.packing import json_numbers, unpack_bundles
from linkindex.store.sqlite.question import SOURCE
from linkindex.store.sqlite.recounting import COUNTED, WRONG
from linkindex.store.sqlite.schema import INDEXES, VERSION, VIEWS

_LEAST_FREE = 0.05  # of the file's own size: SQLite needs room for its log

_DRAWN = f"""
SELECT {SOURCE}, o.bundles, o.internal, w.words FROM json_each(?) drawn JOIN page p ON p.id = drawn.value
JOIN url s ON s.id = p.url JOIN host sh ON sh.id = s.origin >> 1 LEFT JOIN outgoing o ON o.page = p.id
LEFT JOIN around w ON w.page = p.id"""  # noqa: S608

_SIZES = "SELECT name, sum(pgsize) FROM dbstat GROUP BY name"


class Checking(Dictionaries):
    """The part of :class:`linkindex.store.sqlite.SqliteIndex` that looks after itself."""

    def check(self) -> Iterator[Check]:
        version = next(self._rows("PRAGMA user_version"))[0]
        yield Check(name="format", ok=version == VERSION, found=str(version))
        yield self._journal()
        yield self._integrity()
        yield self._counting()
        yield self._dictionaries_are_whole()
        yield packed(self._drawn())
        yield from self._indexes()
        yield self._room()

    def _journal(self) -> Check:
        if is_read_only(self._path):  # read as one that nobody changes, it has none
            return Check(name="journal", ok=True, found="none is needed: it may only be read here")
        mode = next(self._rows("PRAGMA journal_mode"))[0]
        ok = mode == "wal"
        remedy = "" if ok else "keep the file on a local disk: without WAL, readers and the writer wait for each other"
        return Check(name="journal", ok=ok, found=str(mode), remedy=remedy)

    def _integrity(self) -> Check:
        found = [row[0] for row in self._rows("PRAGMA quick_check(10)")]
        ok = found == ["ok"]
        remedy = "" if ok else "put a backup in its place, or: sqlite3 FILE .recover"
        return Check(name="integrity", ok=ok, found="; ".join(found), remedy=remedy)

    def _counting(self) -> Check:
        wrong, bundles = next(self._rows(WRONG))
        remedy = (
            f"count them anew: sqlite3 FILE 'PRAGMA user_version = {COUNTED - 1}', then linkatlas status"
            if wrong
            else ""
        )
        return Check(name="counts", ok=not wrong, found=f"{wrong:,} of {bundles:,} bundles count wrong", remedy=remedy)

    def _dictionaries_are_whole(self) -> Check:
        rows = self._all("SELECT id, content FROM dictionary")
        broken = [str(number) for number, content in rows if not is_whole(number, content)]
        found = f"broken: {', '.join(broken)}" if broken else f"{len(rows)}"
        remedy = "put a backup in its place: words that need one of these cannot be read" if broken else ""
        return Check(name="dictionaries", ok=not broken, found=found, remedy=remedy)

    def _drawn(self) -> Iterator[tuple[str, Callable[[], object]]]:
        last = next(self._rows("SELECT coalesce(max(id), 0) FROM page"))[0]
        drawn = random.sample(range(1, last + 1), min(last, DRAWN))
        for url, *kept in self._rows(_DRAWN, (json_numbers(drawn),)):
            yield url, partial(self._unpack_all, url, *kept)

    def _unpack_all(self, url: str, bundles: bytes | None, internal: bytes | None, words: bytes | None) -> None:
        if bundles:
            unpack_bundles(bundles)
        paths.unpack(internal, url)
        self._unpack(words or b"")

    def _indexes(self) -> Iterator[Check]:
        held = {row[0] for row in self._rows("SELECT name FROM sqlite_master WHERE type IN ('index', 'view')")}
        sizes = self._sizes()
        for kind, names in (("index", INDEXES), ("view", VIEWS)):
            for name in names:
                ok = name in held
                found = f"{sizes[name] / 1e6:,.1f} MB" if name in sizes else "there" if ok else "missing"
                remedy = "" if ok else "it is made anew when a crawl opens the index"
                yield Check(name=f"{kind} {name}", ok=ok, found=found, remedy=remedy)

    def _sizes(self) -> dict[str, int]:
        try:
            return dict(self._db.execute(_SIZES))
        except sqlite3.Error:  # a SQLite that was built without dbstat
            return {}

    def _room(self) -> Check:
        size = self._path.stat().st_size
        free = shutil.disk_usage(self._path.parent).free
        ok = free > max(_LEAST_FREE * size, 64e6)
        remedy = "" if ok else "make room on this disk before the next crawl"
        return Check(name="disk", ok=ok, found=f"{size / 1e6:,.1f} MB, {free / 1e9:,.1f} GB free", remedy=remedy)
