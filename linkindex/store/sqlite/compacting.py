"""Packing an index tighter: first the words of its pages, then the file as a whole. No answer changes.

Words are packed anew with a dictionary larger than ingest could bear, harder than ingest has the time for; to read them costs
the same. Some pages at a time are compressed while others write, and then put where nobody has written them meanwhile, in a
transaction of milliseconds. A piece says by its dictionary that it has been packed so, hence there is nothing to keep of how
far a compaction came.

The file is then written anew, in the order of its keys and without gaps (SQLite's VACUUM). Readers go on with what they see;
who wants to write waits. The new file is made beside (a temporary file, then the log, from which it gets to its place), so
that takes room twice; killed at any point, it leaves the index as it was, or as it was to be.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from linkindex.errors import Unavailable
from linkindex.store.selection import Compacted
from linkindex.store.sqlite.dictionaries import PUT, Dictionaries, is_whole, trained
from linkindex.store.sqlite.opening import is_read_only

if TYPE_CHECKING or sys.version_info < (3, 14):
    from backports import zstd
else:
    from compression import zstd

LEVEL = 17  # 0.24 ms a page with 20 links; 19 takes 0.42 and saves 0.3 % more
SIZE = 256 << 10  # bytes of a dictionary, at most
SHARE = 100  # bytes of words to one of the dictionary, at least
SAMPLE = 10_000  # pages that one is trained on: 2 s in all
JUDGES = 10  # one in so many of them is left out, for it to be judged by
BETTER = 0.97  # of the size with the best one that there is: then a new one is worth it
TOGETHER = 500  # pages that are packed, then written

SCRATCH = "SQLITE_TMPDIR"  # names where SQLite keeps its temporary files; it is read once, when Python loads SQLite

_LAST = "SELECT coalesce(max(page), 0) FROM around"
_OURS = "SELECT id, content FROM dictionary WHERE pages = 0"
_PIECES = "SELECT page, words FROM around WHERE page > ? ORDER BY page LIMIT ?"
_REPACK = "UPDATE around SET words = ? WHERE page = ? AND words = ?"


class Compacting(Dictionaries):
    """The part of :class:`linkindex.store.sqlite.SqliteIndex` that gives back what it does not need."""

    def compact(self) -> Iterator[Compacted]:
        if is_read_only(self._path):
            raise self._read_only()
        self._see_room()
        before, pages = self._size(), self._all(_LAST)[0][0]
        for page in self._repack(pages):
            yield Compacted(part="words", done=page, of=pages, before=before, after=self._size())
        yield Compacted(part="file", done=0, of=1, before=before, after=self._size())
        self._rewrite()
        yield Compacted(part="file", done=1, of=1, before=before, after=self._size())

    def _size(self) -> int:
        """Return the bytes of the file and of its log."""
        return self._path.stat().st_size + self._log()

    def _log(self) -> int:
        log = Path(f"{self._path.resolve()}-wal")
        return log.stat().st_size if log.exists() else 0

    def _see_room(self) -> None:
        """See whether there is room for the file to be written anew; its log is written over. Raises :class:`Unavailable`."""
        pages, unused, size = (
            self._all(f"PRAGMA {name}")[0][0] for name in ("page_count", "freelist_count", "page_size")
        )
        folders = [self._path.resolve().parent, self._scratch()]
        disks = [folder.stat().st_dev for folder in folders]
        for folder, disk in zip(folders, disks, strict=True):
            needed, free = (pages - unused) * size * disks.count(disk), shutil.disk_usage(folder).free
            if free + self._log() * (disk == disks[0]) < needed:
                raise Unavailable(
                    f"index {self._path}: compacting it takes {needed / 1e6:,.1f} MB in {folder}, and {free / 1e6:,.1f} MB "
                    f"are free; make room, or name a folder on another disk by {SCRATCH} for half; the file stays as it is"
                )

    def _scratch(self) -> Path:
        """Return where the temporary file goes: beside the index, unless somebody said where. As large as an index, it would
        not do in /tmp, which may be in memory."""
        named = os.environ.get(SCRATCH)
        if named and Path(named).is_dir() and os.access(named, os.W_OK | os.X_OK):
            return Path(named).absolute()
        return self._path.resolve().parent

    # ---------------------------------------------------------------- words

    def _repack(self, pages: int) -> Iterator[int]:
        """Pack the words of all pages anew that are not packed so yet; yield up to which page."""
        with self._snapshot():
            sample = list(self._sample(pages, SAMPLE))
        dictionary = self._chosen(sample, pages)
        if dictionary is None:
            return
        compressor, last = zstd.ZstdCompressor(level=LEVEL, zstd_dict=dictionary), 0
        while pieces := self._all(_PIECES, (last, TOGETHER)):
            last = pieces[-1][0]
            smaller = [(made, *piece) for piece in pieces if (made := self._smaller(piece[1], dictionary, compressor))]
            if smaller:
                with self._transaction():
                    self._db.executemany(_REPACK, smaller)
            yield min(last, pages)

    def _smaller(self, packed: bytes, dictionary: zstd.ZstdDict, compressor: zstd.ZstdCompressor) -> bytes | None:
        """Return words packed anew; None where that is done already, gains nothing, or cannot be done."""
        try:
            if not packed or zstd.get_frame_info(packed).dictionary_id == dictionary.dict_id:
                return None
            made = compressor.compress(self._plain(packed), zstd.ZstdCompressor.FLUSH_FRAME)
        except (zstd.ZstdError, ValueError, TypeError):
            return None  # whoever asks for them is told
        return made if len(made) < len(packed) else None

    def _chosen(self, sample: Sequence[bytes], pages: int) -> zstd.ZstdDict | None:
        """Return the dictionary to pack with: the best of earlier compactions, or a new one, which is stored, where that is
        worth it; None where words are too few for any.

        So a compaction that was stopped goes on with the one it had, and a later one trains another only for words that
        have become others, or many more.
        """
        judges = sample[::JUDGES]
        known = [zstd.ZstdDict(row[1]) for row in self._all(_OURS) if is_whole(*row)]
        sizes = {_packed(judges, dictionary): dictionary for dictionary in known}
        best = sizes[min(sizes)] if sizes else None
        learned = [plain for number, plain in enumerate(sample) if number % JUDGES]
        words = sum(map(len, learned)) * pages // max(1, len(learned))
        row = trained(learned, 0, min(SIZE, words // SHARE))
        if row[0] and (not sizes or _packed(judges, zstd.ZstdDict(row[2])) < BETTER * min(sizes)):
            with self._transaction():
                self._db.execute(PUT, row)
            return zstd.ZstdDict(row[2])
        return best

    # ---------------------------------------------------------------- the file

    def _rewrite(self) -> None:
        try:
            self._db.execute("PRAGMA wal_checkpoint")  # so that the log is written over from its beginning
            self._see_room()
            with self._temporary_files_in(self._scratch()):
                self._db.execute("VACUUM")
            emptied = self._empty_log()
        except sqlite3.Error as error:
            damaged = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_CORRUPT
            remedy = "linkatlas doctor tells more" if damaged else "nothing was lost, run the same command again"
            raise self._error(error, remedy) from error
        if not emptied:
            raise Unavailable(
                f"index {self._path}: packed, but {self._log() / 1e6:,.1f} MB stay in its log while others read what was there "
                "before; run this again when they have ended"
            )

    @contextmanager
    def _temporary_files_in(self, folder: Path) -> Iterator[None]:
        """Have SQLite, in all of this process, keep its temporary files in a folder."""
        quoted = str(folder).replace("'", "''")
        self._db.execute(f"PRAGMA temp_store_directory = '{quoted}'")  # takes no parameter
        try:
            yield
        finally:
            self._db.execute("PRAGMA temp_store_directory = ''")  # where it had them

    def _empty_log(self) -> bool:
        """Get what is in the log to its place; return whether nobody who reads was in the way of that."""
        ((wait,),) = self._all("PRAGMA busy_timeout")
        until = time.monotonic() + wait / 1000
        # SQLite waits for readers by itself, and not for another who empties the log, as each that writes does now and then.
        while self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        return True


def _packed(pieces: Sequence[bytes], dictionary: zstd.ZstdDict) -> int:
    compressor = zstd.ZstdCompressor(level=LEVEL, zstd_dict=dictionary)
    return sum(len(compressor.compress(plain, zstd.ZstdCompressor.FLUSH_FRAME)) for plain in pieces)
