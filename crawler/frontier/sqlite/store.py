"""What every step on the SQLite frontier stands on: transactions, the accounting, the hosts."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from crawler.frontier.records import Budget
from crawler.frontier.sqlite import schema as sql
from crawler.frontier.sqlite.clock import NOTED
from crawler.frontier.sqlite.schema import State
from crawler.remembered import Remembered
from linkindex import urls
from linkindex.errors import BadInput, Unavailable

_T = TypeVar("_T")

_HOSTS = 8 << 20  # bytes of hosts whose numbers are remembered


def may_not_write(path: Path) -> str:
    """Return what is said to whoever would write to a frontier that may only be read."""
    return f"frontier {path}: it may not be written here; allow that, or name another with --frontier"


class Store:
    """The connection, and what keeps its tables consistent with each other."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, lock: int | None, clock: Callable[[], float]
    ) -> None:
        self._path = path
        self._db = connection
        self._lock = lock
        self._clock = clock
        self._noted = 0  # ms: the time that was noted last
        self._host_ids: Remembered[int] = Remembered(_HOSTS)
        self._marks: Remembered[int] = Remembered(_HOSTS)  # that hosts and their domains are known to have
        self._forgotten = 0  # hosts, when these two were last looked at
        self._limits_now: tuple[Budget, float] | None = None  # while a transaction keeps others from changing them
        self._tally: defaultdict[tuple[int, str], int] = defaultdict(int)

    def _now(self) -> int:
        return int(self._clock() * 1000)

    @contextmanager
    def _transaction(self) -> Iterator[int]:
        """One atomic step; yields the store's time in ms."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._look_for_forgotten()
                now = self._now()
                yield now
                self._note_time(now)
                self._db.executemany(sql.ADD_TALLY, [(*key, n) for key, n in self._tally.items() if n])
                self._tally.clear()
                self._db.execute("COMMIT")
            except BaseException:
                self._tally.clear()
                self._host_ids.clear()
                self._marks.clear()
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            finally:
                self._limits_now = None
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_READONLY:
                raise BadInput(may_not_write(self._path)) from error
            raise Unavailable(
                f"frontier {self._path}: {error}; nothing was lost, run the same command again"
            ) from error

    def _look_for_forgotten(self) -> None:
        """Numbers are given once, so those in memory stay true whoever writes beside us, but for hosts that were forgotten."""
        forgotten = self._hosts_forgotten()
        if forgotten != self._forgotten:
            self._host_ids.clear()
            self._marks.clear()
            self._forgotten = forgotten

    def _hosts_forgotten(self) -> int:
        row = self._db.execute("SELECT value FROM meta WHERE name = 'forgotten'").fetchone()
        return msgspec.json.decode(row[0], type=int) if row else 0

    def _note_time(self, now: int) -> None:
        if now >= self._noted + NOTED:
            self._put("time", msgspec.json.encode(now))
            self._noted = now

    def _read(self, query: str, parameters: Any) -> list[Any]:
        try:
            return self._db.execute(query, parameters).fetchall()
        except sqlite3.Error as error:
            raise Unavailable(f"frontier {self._path}: {error}") from error

    def _count(self, state: int, reason: str, n: int) -> None:
        self._tally[state, reason] += n

    def _move_host(self, host: int, *, queued: int = 0, leased: int = 0, visited: int = 0, opens: int = 0) -> None:
        self._db.execute(
            sql.MOVE_HOST, {"host": host, "queued": queued, "leased": leased, "visited": visited, "opens": opens}
        )

    def _limits(self) -> tuple[Budget, float]:
        if self._limits_now is not None:
            return self._limits_now
        kept = dict(self._read("SELECT name, value FROM meta WHERE name IN ('budget', 'delay')", ()))
        budget = msgspec.json.decode(kept["budget"], type=Budget) if "budget" in kept else Budget()
        limits = budget, msgspec.json.decode(kept["delay"], type=float) if "delay" in kept else 0.0
        if self._db.in_transaction:
            self._limits_now = limits
        return limits

    def _delay_of(self, host: int) -> int:
        own = self._db.execute("SELECT delay FROM host WHERE id = ?", (host,)).fetchone()[0]
        return int(max(own, self._limits()[1]) * 1000)

    def _visited_or_leased(self) -> int:
        counted = (State.LEASED, sql.VISITED)
        kept = self._db.execute("SELECT coalesce(sum(n), 0) FROM tally WHERE state IN (?, ?)", counted).fetchone()[0]
        return int(kept) + sum(n for (state, _), n in self._tally.items() if state in counted)

    def _uncount_visit(self, host: int, state: int, ended_at: int | None) -> None:
        """Take a URL that was in ``state`` out of those visited, if it is one of them: it may be visited again."""
        if ended_at is not None and state in (State.SCHEDULED, State.DONE, State.FAILED):
            self._count(sql.VISITED, "", -1)
            self._move_host(host, visited=-1)
            self._take_domain(host, -1)

    def _take_domain(self, host: int, n: int) -> None:
        """Count ``n`` URLs of a host for the budget of its domain."""
        if n:
            self._db.execute(sql.TAKE_DOMAIN, (n, host))

    def _put(self, name: str, value: bytes) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def _host_id(self, name: str, domain: str = "") -> int:
        found = self._host_ids.get(name)
        if found is None:
            row = self._db.execute("SELECT id FROM host WHERE name = ?", (name,)).fetchone()
            if row is None:
                row = self._new_host(name, domain or urls.domain_of(name))
                self._count(sql.HOSTS, "", 1)
            found = int(row[0])
            self._host_ids.put(name, found)
        return found

    def _new_host(self, name: str, domain: str) -> tuple[int]:
        self._db.execute("INSERT OR IGNORE INTO domain (name) VALUES (?)", (domain,))
        (of,) = self._db.execute("SELECT id FROM domain WHERE name = ?", (domain,)).fetchone()
        row: tuple[int] = self._db.execute(
            "INSERT INTO host (name, domain) VALUES (?, ?) RETURNING id", (name, of)
        ).fetchone()
        return row
