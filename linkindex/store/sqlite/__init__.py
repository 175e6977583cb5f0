"""The embedded link index: one SQLite file.

``writes`` stores visits, ``reads`` answers questions, ``whole`` looks at sites and at the index as a whole.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from linkindex.errors import BadInput, Incompatible
from linkindex.store.sqlite.migrations import migrate
from linkindex.store.sqlite.schema import APPLICATION_ID, SCHEMA, VERSION
from linkindex.store.sqlite.whole import Whole


class SqliteIndex(Whole):
    """:class:`linkindex.store.LinkIndex` on SQLite. One thread at a time may use it; any number may read beside it."""

    @classmethod
    def open(
        cls, name: str, *, create: bool = False, internal_links: bool = False, full_durability: bool = False
    ) -> Self:
        path = Path(name)
        if not create and not path.exists():
            raise BadInput(f"index {path}: no such file; make one with: linkatlas crawl https://example.com")
        with ExitStack() as undo:
            try:
                db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=60)
                undo.callback(db.close)
                _prepare(path, db, full_durability)
            except sqlite3.Error as error:
                raise BadInput(f"index {path}: {error}; name another with --index sqlite:///PATH") from error
            undo.pop_all()
        return cls(path, db, internal_links)

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _prepare(path: Path, db: sqlite3.Connection, full_durability: bool) -> None:
    application, version = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    empty = not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if not empty and application != APPLICATION_ID:  # before anything is changed in a file that is not ours
        raise Incompatible(f"index {path}: a SQLite file, but no linkatlas index; name another with --index")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(f"PRAGMA synchronous = {'FULL' if full_durability else 'NORMAL'}")
    db.execute("PRAGMA cache_size = -65536")
    db.execute("PRAGMA wal_autocheckpoint = 10000")  # 40 MB: rows land all over the indexes, and pages are written once
    if empty:
        db.executescript(
            f"BEGIN IMMEDIATE; {SCHEMA}"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT;"
        )
    elif version > VERSION:
        raise Incompatible(f"index {path}: written by a newer linkatlas (format {version}); use that version")
    else:
        migrate(db, version)
