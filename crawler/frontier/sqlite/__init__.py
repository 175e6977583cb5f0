"""The embedded frontier: one SQLite file, shared by the worker processes of one machine.

Every step is one ``BEGIN IMMEDIATE`` transaction, so a kill at any point leaves the state before or after it.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import msgspec

from crawler.frontier import Budget, Counts, Life, Outlook, Robots
from crawler.frontier.sqlite import schema as sql
from crawler.frontier.sqlite.leases import Leases
from crawler.frontier.sqlite.schema import HOST_BUDGET, State
from crawler.frontier.sqlite.store import chunks
from linkindex import urls
from linkindex.errors import BadInput, Busy, Incompatible


class SqliteFrontier(Leases):
    """:class:`crawler.frontier.Frontier` on SQLite. One thread at a time may use it."""

    @classmethod
    def open(
        cls, name: str, *, create: bool = True, exclusive: bool = False, clock: Callable[[], float] = time.time
    ) -> Self:
        path = Path(name)
        if not create and not path.exists():
            raise BadInput(f"frontier {path}: no such file; a crawl makes one")
        with ExitStack() as undo:
            lock = _claim(path) if exclusive else None
            if lock is not None:
                undo.callback(os.close, lock)
            try:
                db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
                undo.callback(db.close)
                _prepare(path, db)
            except sqlite3.Error as error:
                raise BadInput(f"frontier {path}: {error}; name another with --frontier sqlite:///PATH") from error
            frontier = cls(path, db, lock, clock)
            if exclusive:
                with frontier._transaction() as now:
                    frontier._take_back(db.execute(sql.LEASED_ALL).fetchall(), now)
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
            before, _ = self._limits()
            self._put("budget", msgspec.json.encode(budget))
            self._put("delay", msgspec.json.encode(delay))
            larger = not budget.pages_per_host or budget.pages_per_host > before.pages_per_host > 0
            if larger and before.pages_per_host:
                self._readmit_spent()

    def _readmit_spent(self) -> None:
        rows = self._db.execute(
            "UPDATE url SET state = 0, reason = '', ended_at = NULL WHERE state = 5 AND reason = ? RETURNING host",
            (HOST_BUDGET,),
        ).fetchall()
        for (host,) in rows:
            self._move_host(host, queued=1)
        self._count(State.EXCLUDED, HOST_BUDGET, -len(rows))
        self._count(State.QUEUED, "", len(rows))

    def robots(self, hosts: Iterable[str]) -> dict[str, Robots]:
        found = {}
        for names in chunks(list(hosts)):
            marks = ",".join("?" * len(names))
            rows = self._read(
                f"SELECT name, robots FROM host WHERE robots_until > ? AND name IN ({marks})",  # noqa: S608
                (self._now(), *names),
            )
            found.update({name: msgspec.msgpack.decode(robots, type=Robots) for name, robots in rows})
        return found

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
        found: dict[str, bytes] = {}
        for names in chunks(list(hosts)):
            found.update(self._read(sql.NOTES.format(",".join("?" * len(names))), (name, *names)))
        return found

    def put_notes(self, name: str, notes: Mapping[str, bytes]) -> None:
        with self._transaction():
            rows = [(self._host_id(host), name, value) for host, value in notes.items()]
            self._db.executemany("INSERT OR REPLACE INTO note VALUES (?, ?, ?)", rows)

    # ---------------------------------------------------------------- questions

    def why(self, url: str) -> Life | None:
        rows = self._read(sql.WHY, (urls.key(url),))
        if not rows:
            return None
        (
            url,
            state,
            reason,
            host,
            depth,
            hops,
            sitemap,
            attempts,
            crashes,
            node,
            found,
            found_on,
            due,
            ended,
            *gate,
        ) = rows[0]
        opens, delay, held_until, held_because, robots, visited = gate
        return Life(
            url=url,
            state=State(state).name.lower(),
            reason=reason,
            host=host,
            depth=depth,
            hops=hops,
            sitemap=sitemap,
            attempts=attempts,
            crashes=crashes,
            node=node,
            trail="",
            domains=0,
            again=0,
            discovered_at=found,
            discovered_on=found_on or "",
            due=due,
            ended_at=ended,
            host_opens=opens or None,
            host_delay=max(delay, self._limits()[1]),
            host_held_until=held_until or None,
            host_held_because=held_because,
            host_visited=visited,
            host_budget=self._limits()[0].pages_per_host,
            robots=msgspec.msgpack.decode(robots, type=Robots).verdict if robots else "",
        )

    def counts(self) -> Counts:
        totals: defaultdict[int, int] = defaultdict(int)
        by: dict[int, dict[str, int]] = {State.FAILED: {}, State.EXCLUDED: {}}
        for state, reason, n in self._read("SELECT state, reason, n FROM tally WHERE n > 0", ()):
            totals[state] += n
            by.get(state, {})[reason] = n
        return Counts(
            **{state.name.lower(): totals[state] for state in State},
            hosts=totals[-1],
            excluded_by=by[State.EXCLUDED],
            failed_by=by[State.FAILED],
        )

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


def _prepare(path: Path, db: sqlite3.Connection) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA cache_size = -65536")
    application, version = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    empty = not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if empty:
        db.executescript(
            f"BEGIN IMMEDIATE; {sql.SCHEMA}"
            f"PRAGMA application_id = {sql.APPLICATION_ID}; PRAGMA user_version = {sql.VERSION}; COMMIT;"
        )
    elif application != sql.APPLICATION_ID:
        raise Incompatible(f"frontier {path}: a SQLite file, but no linkatlas frontier; name another")
    elif version != sql.VERSION:
        raise Incompatible(f"frontier {path}: written by another linkatlas (format {version}); use that version")
