"""The embedded link index: one SQLite file.

===================  ==================================================================================
``schema``           the tables, the indexes, the views for other programs
``opening``          the connection, also where nothing may be written
``database``         transactions, errors, the time a question may take
``ids``              from names to numbers: domains, hosts, URLs, anchors, looks
``packing``          what a page keeps in one piece; ``dictionaries`` compress its words
``bundles``          links of a host that look alike, and their counts
``leads``            where URLs lead by their own word
``writes``           visits come in; ``revising`` brings the versions of a page's links up to date
``selecting``        from a selection to a ``question``, which is asked in SQL; ``reads``, ``groups``, ``changes`` do
``ordering``         links in order, or the first of several; ``recency`` goes through pages, those read last first
``sources``          how many pages link
``pages``, ``sites`` what concerns pages, and whole sites
``whole``            what the index holds; ``forgetting``, ``checking``, ``compacting``, ``migrations`` look after it
===================  ==================================================================================
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from linkindex.errors import BadInput, Incompatible, Unavailable
from linkindex.history import Patience
from linkindex.store.sqlite.changes import Changes
from linkindex.store.sqlite.checking import Checking
from linkindex.store.sqlite.compacting import Compacting
from linkindex.store.sqlite.database import passes
from linkindex.store.sqlite.forgetting import Forgetting
from linkindex.store.sqlite.migrations import create, migrate
from linkindex.store.sqlite.opening import connect, is_read_only
from linkindex.store.sqlite.reads import Reads
from linkindex.store.sqlite.schema import APPLICATION_ID, INDEXES, VERSION, VIEWS
from linkindex.store.sqlite.writes import Writes

_PATIENCE = Patience()


WAIT = 60.0  # s for others to end their writes
LARGE = 64 << 20  # bytes of an index from which on a new format is worth a word: 1.5 GB take a minute

_logger = logging.getLogger(__name__)


class SqliteIndex(Writes, Reads, Changes, Forgetting, Checking, Compacting):
    """:class:`linkindex.store.LinkIndex` on SQLite. One thread at a time may use it; any number may read beside it."""

    @classmethod
    def open(
        cls,
        name: str,
        *,
        create: bool = False,
        internal_links: bool = False,
        full_durability: bool = False,
        patience: Patience = _PATIENCE,
        time_limit: float = 0.0,
        wait: float | None = None,
    ) -> Self:
        path = Path(name)
        if not create and not path.exists():
            raise BadInput(f"index {path}: no such file; make one with: linkatlas crawl https://example.com")
        with ExitStack() as undo:
            try:
                db = connect(path, WAIT if wait is None else wait)
                undo.callback(db.close)
                _prepare(path, db, create, full_durability)
            except sqlite3.Error as error:
                if passes(error):
                    raise Unavailable(f"index {path}: {error}; try again when it is free, or there is room") from error
                raise BadInput(f"index {path}: {error}; name another with --index sqlite:///PATH") from error
            undo.pop_all()
        return cls(path, db, internal_links=internal_links, patience=patience, time_limit=time_limit)

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _prepare(path: Path, db: sqlite3.Connection, for_writing: bool, full_durability: bool) -> None:
    empty, version = _recognise(path, db)
    if empty and not for_writing:
        raise BadInput(f"index {path}: there is nothing in it; make one with: linkatlas crawl https://example.com")
    if is_read_only(path):
        if for_writing:
            raise BadInput(f"index {path}: it may not be written here; allow that, or name another with --index")
        if version < VERSION:
            raise BadInput(
                f"index {path}: an older linkatlas wrote it (format {version}); ask once where it may be written"
            )
        db.execute("PRAGMA cache_size = -65536")
        return
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(f"PRAGMA synchronous = {'FULL' if full_durability else 'NORMAL'}")
    db.execute("PRAGMA cache_size = -65536")
    db.execute("PRAGMA wal_autocheckpoint = 10000")  # 40 MB: rows land all over the indexes, and pages are written once
    if empty:
        create(db)
    else:
        if version < VERSION and path.stat().st_size > LARGE:
            _logger.warning(
                "index %s: is brought from format %d to %d, once; that takes a while", path, version, VERSION
            )
        migrate(db, version)
        if for_writing or version < VERSION:
            _complete(db)


def _recognise(path: Path, db: sqlite3.Connection) -> tuple[bool, int]:
    """Return whether the file is empty, and its format; a file that is not ours to read is refused as it is."""
    empty = not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    application, version = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    if not empty and application != APPLICATION_ID:
        raise Incompatible(f"index {path}: a SQLite file, but no linkatlas index; name another with --index")
    if not empty and version > VERSION:
        raise Incompatible(f"index {path}: written by a newer linkatlas (format {version}); use that version")
    return empty, version


def _complete(db: sqlite3.Connection) -> None:
    """Make indexes and views anew that somebody took away."""
    held = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
    for name, statement in (INDEXES | VIEWS).items():
        if name not in held:
            db.execute(statement)
