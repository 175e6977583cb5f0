"""The embedded frontier: one SQLite file, shared by the worker processes of one machine.

Every step is one ``BEGIN IMMEDIATE`` transaction, so a kill at any point leaves the state before or after it.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import msgspec

from crawler.frontier.order import distinct
from crawler.frontier.records import Budget, Counts, Gates, Life, Outlook, Robots, read_robots
from crawler.frontier.sqlite import schema as sql
from crawler.frontier.sqlite.clock import machine_clock
from crawler.frontier.sqlite.leases import STRANGE
from crawler.frontier.sqlite.nodes import Nodes
from crawler.frontier.sqlite.schema import State
from crawler.frontier.sqlite.store import may_not_write
from linkindex import urls
from linkindex.errors import BadInput, Busy, Incompatible, Unavailable
from linkindex.store.sqlite.opening import connect, is_read_only
from linkindex.store.sqlite.packing import json_texts

# What is a matter of time: others write, the disk is full or fails.
_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}


class SqliteFrontier(Nodes):
    """:class:`crawler.frontier.Frontier` on SQLite. One thread at a time may use it, but for :meth:`wait`."""

    keeps_ended = True

    @classmethod
    def open(
        cls, name: str, *, create: bool = True, exclusive: bool = False, clock: Callable[[], float] | None = None
    ) -> Self:
        path = Path(name)
        if not create and not path.exists():
            raise BadInput(f"frontier {path}: no such file; crawl begins one, reconcile rebuilds one that was lost")
        with ExitStack() as undo:
            lock = None
            try:
                db = connect(path, 30, "frontier")
                undo.callback(db.close)
                _recognise(path, db)
                read_only = is_read_only(path)
                if read_only and (create or exclusive):
                    raise BadInput(may_not_write(path))
                if exclusive:  # not before the file is known: nothing is left beside another program's
                    lock = _claim(path)
                    undo.callback(os.close, lock)
                _prepare(path, db, read_only)
                clock = clock or machine_clock(db, read_only=read_only)
            except sqlite3.Error as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF in _PASSING:
                    raise Unavailable(
                        f"frontier {path}: {error}; try again when it is free, or there is room"
                    ) from error
                raise BadInput(f"frontier {path}: {error}; name another with --frontier sqlite:///PATH") from error
            frontier = cls(path, db, lock, clock)
            if exclusive:
                with frontier._transaction() as now:
                    leased = db.execute(sql.LEASED_ALL).fetchall()
                    frontier._take_back([row for row in leased if not _lives(row[sql.NODE])], now)
            undo.pop_all()
        return frontier

    def close(self) -> None:
        self._db.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # ---------------------------------------------------------------- politeness, limits, the job

    def set_delay(self, host: str, seconds: float) -> None:
        with self._transaction():
            self._db.execute("UPDATE host SET delay = ? WHERE id = ?", (seconds, self._host_id(host)))

    def set_budget(self, budget: Budget, delay: float) -> None:
        with self._transaction():
            self._put("budget", msgspec.json.encode(budget))
            self._put("delay", msgspec.json.encode(delay))
            for (host,) in self._db.execute("SELECT id FROM host WHERE spent").fetchall():
                self._readmit(host)

    def robots(self, hosts: Iterable[str]) -> dict[str, Robots]:
        rows = self._read(sql.ROBOTS, (self._now(), json_texts(hosts)))
        return {name: known for name, robots in rows if (known := read_robots(robots))}

    def put_robots(self, host: str, robots: Robots, fresh: float) -> None:
        with self._transaction() as now:
            self._db.execute(
                "UPDATE host SET robots = ?, robots_until = ? WHERE id = ?",
                (msgspec.msgpack.encode(robots), now + int(fresh * 1000), self._host_id(host)),
            )

    def job(self) -> dict[str, object]:
        rows = self._read("SELECT value FROM meta WHERE name = 'job'", ())
        return msgspec.json.decode(rows[0][0], type=dict[str, object]) if rows else {}

    def set_job(self, job: dict[str, object]) -> None:
        with self._transaction():
            self._put("job", msgspec.json.encode(job))

    def notes(self, name: str, hosts: Iterable[str]) -> dict[str, bytes]:
        return dict(self._read(sql.NOTES, (name, json_texts(hosts))))

    def put_notes(self, name: str, notes: Mapping[str, bytes]) -> None:
        with self._transaction():
            self._db.executemany(
                "INSERT OR REPLACE INTO note VALUES (?, ?, ?)",
                [(self._host_id(host), name, value) for host, value in notes.items()],
            )

    # ---------------------------------------------------------------- what waits outside: nothing, a disk is large

    def hungry(self, limit: int) -> list[str]:
        return []

    def fed(self, host: str, more: bool) -> None:
        """Nothing to do: no host is ever hungry."""

    def arrivals(self, limit: int) -> list[str]:
        return []

    def arrived(self, urls: Iterable[str]) -> None:
        """Nothing to do: nothing ever arrives."""

    # ---------------------------------------------------------------- questions

    def why(self, url: str) -> Life | None:
        cursor = self._db.execute(sql.WHY, (urls.key(url),))
        row = cursor.fetchone()
        if row is None:
            return None
        found = dict(zip((column for column, *_ in cursor.description), row, strict=True))
        budget, least_delay = self._limits()
        marks, host_marks, robots = (found.pop(name) for name in ("marks", "host_marks", "robots"))
        found |= {
            "state": State(found["state"]).name.lower(),
            "domains": distinct(marks),
            "host_opens": found["host_opens"] or None,
            "host_delay": max(found["host_delay"], least_delay),
            "host_held_until": found["host_held_until"] or None,
            "host_budget": budget.host(distinct(host_marks)),
            "robots": known.verdict if robots and (known := read_robots(robots)) else "",
        }
        return Life(**found)

    def counts(self) -> Counts:
        totals: defaultdict[int, int] = defaultdict(int)
        by: dict[int, dict[str, int]] = {State.FAILED: {}, State.EXCLUDED: {}}
        for state, reason, n in self._read("SELECT state, reason, n FROM tally WHERE n > 0", ()):
            totals[state] += n
            by.get(state, {})[reason] = n
        return Counts(
            **{state.name.lower(): totals[state] for state in State},
            visited=totals[sql.VISITED],
            hosts=totals[sql.HOSTS],
            quarantined=by[State.FAILED].get(STRANGE, 0),
            excluded_by=by[State.EXCLUDED],
            failed_by=by[State.FAILED],
        )

    def gates(self) -> Gates:
        now = self._now()
        found, held, first = (
            self._read(query, {"now": now})[0][0] for query in (sql.OPEN_GATES, sql.HELD_HOSTS, sql.FIRST_LEASED)
        )
        return Gates(open=found, held=held, overdue=max(0.0, (now - first) / 1000) if first else 0.0)

    def outlook(self) -> Outlook:
        counts, (budget, _) = self.counts(), self._limits()
        if not counts.queued + counts.scheduled + counts.leased:
            return Outlook(finished=True)
        if budget.pages and counts.visited >= budget.pages and not counts.leased:
            return Outlook(finished=False, spent=True)
        if counts.leased:  # another node is at work, and may find more any moment
            return Outlook(finished=False)
        nexts = [
            row[0] for query in (sql.NEXT_OPEN, sql.NEXT_DUE) for row in self._read(query, ()) if row[0] is not None
        ]
        wait = (min(nexts) - self._now()) / 1000 if nexts else 0.0
        return Outlook(finished=False, wait=max(0.0, wait))


def _lives(node: str) -> bool:
    """Return whether the process of a node, HOST:PID of this machine, is there: it may have joined by itself."""
    pid = node.rpartition(":")[2]
    if not pid.isdigit() or int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


def _claim(path: Path) -> int:
    """Take the crawl's lock; the system lets it go when the process ends, however it ends."""
    lock = path.with_name(path.name + "-lock")
    try:
        descriptor = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise BadInput(f"frontier {path}: {error.strerror}; name another with --frontier sqlite:///PATH") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise Busy(f"frontier {path}: another crawl is using it; wait for its end or name another index") from error
    return descriptor


def _recognise(path: Path, db: sqlite3.Connection) -> bool:
    """Return whether the file is empty; one that is not ours to use is refused as it is."""
    empty = not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    application, version = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    if not empty and application != sql.APPLICATION_ID:
        raise Incompatible(f"frontier {path}: a SQLite file, but no linkatlas frontier; name another")
    if not empty and version != sql.VERSION:
        raise Incompatible(f"frontier {path}: written by another linkatlas (format {version}); use that version")
    return empty


def _prepare(path: Path, db: sqlite3.Connection, read_only: bool) -> None:
    empty = _recognise(path, db)
    if read_only:
        if empty:
            raise BadInput(may_not_write(path))
        return
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA cache_size = -16384")  # KiB; four times as much saves no time that could be measured
    if empty:
        db.executescript(
            f"BEGIN IMMEDIATE; {sql.SCHEMA}"
            f"PRAGMA application_id = {sql.APPLICATION_ID}; PRAGMA user_version = {sql.VERSION}; COMMIT;"
        )
    db.executescript(sql.ADDED)
