"""The file itself: transactions, rows, what becomes of SQLite's errors, and the time a question may take."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from linkindex.errors import BadInput, LinkatlasError, TimedOut, Unavailable
from linkindex.history import Patience

_STEPS = 10_000  # of SQLite's machine between two looks at the clock: a millisecond or two
_TOGETHER = 64  # rows that are fetched at a time

_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}


def passes(error: sqlite3.Error) -> bool:
    """Return whether what SQLite says of a file is a matter of time: others write, the disk is full or fails."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _PASSING


class Database:
    """What all parts of :class:`linkindex.store.sqlite.SqliteIndex` stand on."""

    def __init__(
        self, path: Path, db: sqlite3.Connection, *, internal_links: bool, patience: Patience, time_limit: float
    ) -> None:
        self._path = path
        self._db = db
        self._internal_links = internal_links
        self._patience = patience
        self._time_limit = time_limit
        self._until = 0.0  # while a question is asked: when it has to be answered
        if time_limit:
            db.set_progress_handler(self._is_late, _STEPS)
        db.create_function("holds", 2, _holds, deterministic=True)

    def _rows(self, query: str, parameters: Any = (), names: list[str] | None = None) -> Iterator[Any]:
        """Yield the rows of a question, which may take as long as questions may; ``names`` takes those of the columns."""
        until = time.monotonic() + self._time_limit if self._time_limit else 0.0
        try:
            cursor = self._within(until, self._db.execute, query, parameters)
            if names is not None:
                names += (column[0] for column in cursor.description)
            while rows := self._within(until, cursor.fetchmany, _TOGETHER):
                # Not `yield from`: that closes the cursor of a reader who stops early, maybe after the database.
                for row in rows:  # noqa: UP028
                    yield row
        except UnicodeEncodeError:
            return  # half a character, which no text in here holds
        except sqlite3.Error as error:
            raise self._error(error) from error

    def _all(self, query: str, parameters: Any = ()) -> list[Any]:
        """Return the rows of a question whose answer is known to be small."""
        return list(self._rows(query, parameters))

    def _records(self, query: str, parameters: Any = ()) -> Iterator[dict[str, Any]]:
        """Yield rows by the names that ``query`` gives its columns."""
        names: list[str] = []
        for row in self._rows(query, parameters, names):
            yield dict(zip(names, row, strict=True))

    def _within(self, until: float, ask: Callable[..., Any], *arguments: Any) -> Any:
        """Return what ``ask`` returns, unless it takes longer than ``until``."""
        if until and time.monotonic() > until:
            raise self._too_long()
        self._until = until
        try:
            return ask(*arguments)
        finally:
            self._until = 0.0

    def _is_late(self) -> bool:
        return 0.0 < self._until < time.monotonic()

    def _too_long(self) -> TimedOut:
        return TimedOut(
            f"index {self._path}: the question took longer than {self._time_limit:g} s; "
            "ask for less (--limit, a narrower target), or give it more time with --time-limit"
        )

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Read what was there at one moment, whoever writes meanwhile. Inside another it is that one's."""
        if self._db.in_transaction:
            yield
            return
        try:
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                self._db.commit()  # which does nothing where a file that fails has ended it by itself
        except sqlite3.Error as error:
            raise self._error(error) from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Write all or nothing."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._begun()
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._rolled_back()
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise self._error(error, "nothing was lost, run the same command again") from error

    def _begun(self) -> None:
        """Hook: a transaction has begun."""

    def _rolled_back(self) -> None:
        """Hook: what was written since the transaction began is taken back."""

    def _error(self, error: sqlite3.Error, remedy: str = "") -> LinkatlasError:
        if getattr(error, "sqlite_errorname", "") == "SQLITE_INTERRUPT":
            return self._too_long()
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_READONLY:
            return self._read_only()
        return Unavailable(f"index {self._path}: {error}{'; ' if remedy else ''}{remedy}")

    def _read_only(self) -> BadInput:
        return BadInput(f"index {self._path}: it may not be written here; allow that, or name another with --index")


def _holds(text: str, part: str) -> bool:
    """Return whether ``part``, in lower case, is in ``text``, whatever its case; SQLite's own knows ASCII only."""
    return part in text.lower()
