"""The embedded frontier: one SQLite file, shared by the worker processes of one machine.

Every step is one ``BEGIN IMMEDIATE`` transaction, so a kill at any point leaves the state before or after it.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec

from crawler.frontier import Added, Budget, Completed, Counts, Entry, Lease, Life, Outlook, Robots
from crawler.frontier import sqlite_schema as sql
from crawler.frontier.sqlite_schema import State
from linkindex import urls
from linkindex.errors import BadInput, Busy, Incompatible, Unavailable

CRASHES = 3  # a URL whose leases ran out this often is taken for what kills the nodes

_HOST_BUDGET = "host_budget"
_T = TypeVar("_T")


class SqliteFrontier:
    """:class:`crawler.frontier.Frontier` on SQLite. One thread at a time may use it."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, lock: int | None, clock: Callable[[], float]
    ) -> None:
        self._path = path
        self._db = connection
        self._lock = lock
        self._clock = clock
        self._host_ids: dict[str, int] = {}
        self._tally: defaultdict[tuple[int, str], int] = defaultdict(int)

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

    # ---------------------------------------------------------------- add

    def add(self, entries: Iterable[Entry], discovered_on: str = "") -> Added:
        with self._transaction() as now:
            row = self._db.execute("SELECT id FROM url WHERE key = ?", (urls.key(discovered_on),)).fetchone()
            return self._add(entries, row[0] if row else None, now)

    def _add(self, entries: Iterable[Entry], found_on: int | None, now: int) -> Added:
        wanted: dict[int, Entry] = {}
        for entry in entries:
            key = urls.key(entry.url)
            if key not in wanted or (entry.excluded, entry.priority) < (wanted[key].excluded, wanted[key].priority):
                wanted[key] = entry
        queued: defaultdict[int, list[int]] = defaultdict(list)  # host id -> priorities
        known = self._reconsider(wanted, queued)
        fresh = [(key, entry) for key, entry in wanted.items() if key not in known]
        self._insert(fresh, found_on, now, queued)
        self._db.executemany(sql.QUEUE_HOST, [(len(p), min(p), host) for host, p in queued.items()])
        refused = sum(bool(entry.excluded) for _, entry in fresh)
        return Added(len(fresh) - refused, len(known), refused)

    def _reconsider(self, wanted: dict[int, Entry], queued: dict[int, list[int]]) -> set[int]:
        """Admit what the scope had refused, move up what is found nearer; return the keys that were known."""
        known: set[int] = set()
        for keys in _chunks(list(wanted)):
            rows = self._db.execute(sql.KNOWN.format(",".join("?" * len(keys))), keys).fetchall()
            for key, row, host, state, priority, reason, ended in rows:
                known.add(key)
                entry = wanted[key]
                if entry.excluded:
                    continue
                admitted = state == State.EXCLUDED and ended is None
                if not admitted and not (state == State.QUEUED and entry.priority < priority):
                    continue
                self._db.execute(sql.PROMOTE, (State.QUEUED, entry.priority, entry.depth, entry.hops, row))
                queued[host].append(entry.priority)
                if admitted:
                    self._count(State.EXCLUDED, reason, -1)
                    self._count(State.QUEUED, "", 1)
                else:  # it was counted in its host's queue before
                    self._db.execute("UPDATE host SET queued = queued - 1 WHERE id = ?", (host,))
        return known

    def _insert(
        self, fresh: Sequence[tuple[int, Entry]], found_on: int | None, now: int, queued: dict[int, list[int]]
    ) -> None:
        rows = []
        for key, entry in fresh:
            host = self._host_id(entry.host, entry.domain)
            state = State.EXCLUDED if entry.excluded else State.QUEUED
            rows.append(
                (key, entry.url, host, state, entry.priority, entry.depth, entry.hops, entry.excluded, found_on, now)
            )
            self._count(state, entry.excluded, 1)
            if state == State.QUEUED:
                queued[host].append(entry.priority)
        self._db.executemany(sql.INSERT_URL, rows)

    def _host_id(self, name: str, domain: str = "") -> int:
        found = self._host_ids.get(name)
        if found is None:
            row = self._db.execute("SELECT id FROM host WHERE name = ?", (name,)).fetchone()
            if row is None:
                row = self._db.execute(
                    "INSERT INTO host (name, domain) VALUES (?, ?) RETURNING id", (name, domain or urls.domain_of(name))
                ).fetchone()
                self._count(-1, "", 1)
            found = self._host_ids[name] = int(row[0])
        return found

    # ---------------------------------------------------------------- lease

    def lease(self, limit: int, node: str, ttl: float, span: float = 5.0) -> list[Lease]:
        # A node that finds nothing must not queue for the write lock.
        if not self._read(sql.ANY_READY, {"now": self._now()})[0][0]:
            return []
        with self._transaction() as now:
            self._take_back(self._db.execute(sql.OVERDUE, (now,)).fetchall(), now)
            budget, least_delay = self._limits()
            if budget.pages:
                limit = min(limit, budget.pages - self._visited_or_leased())
            if limit <= 0:
                return []
            hosts = self._db.execute(sql.READY_HOSTS, {"now": now, "limit": limit}).fetchall()
            share = max(1, limit // max(1, len(hosts)))
            leases: list[Lease] = []
            for host, name, own_delay, visited in hosts:
                delay = max(own_delay, least_delay)
                most = min(share, limit - len(leases), int(span / delay) or 1 if delay else share)
                if budget.pages_per_host:
                    if visited >= budget.pages_per_host:
                        self._spend_host(host, now)
                        continue
                    most = min(most, budget.pages_per_host - visited)
                leases += self._lease_host(host, name, delay, most, node, now + int(ttl * 1000))
            return leases

    def _lease_host(self, host: int, name: str, delay: float, most: int, node: str, due: int) -> list[Lease]:
        leases, rows = [], []
        for row, url, depth, hops, attempt in self._db.execute(sql.HOST_QUEUE, (host, most)).fetchall():
            fence = secrets.randbits(62)
            rows.append((fence, due, node, row))
            leases.append(
                Lease(
                    token=f"{row}.{fence}", url=url, host=name, depth=depth, hops=hops, attempt=attempt + 1, delay=delay
                )
            )
        self._db.executemany(sql.LEASE_URL, rows)
        self._move_host(host, queued=-len(rows), leased=len(rows))
        self._count(State.QUEUED, "", -len(rows))
        self._count(State.LEASED, "", len(rows))
        return leases

    def _spend_host(self, host: int, now: int) -> None:
        """Exclude what a host still has queued once its budget is used up."""
        spent = self._db.execute(
            "UPDATE url SET state = 5, reason = ?, ended_at = ? WHERE host = ? AND state = 0", (_HOST_BUDGET, now, host)
        ).rowcount
        self._move_host(host, queued=-spent)
        self._count(State.QUEUED, "", -spent)
        self._count(State.EXCLUDED, _HOST_BUDGET, spent)

    def _take_back(self, overdue: Iterable[tuple[int, int, int, int]], now: int) -> None:
        """Queue what was scheduled for now and what is leased by nodes that are gone."""
        for row, host, state, crashes_before in overdue:
            was_leased = state == State.LEASED
            crashes = crashes_before + was_leased
            ends = crashes >= CRASHES and was_leased
            self._db.execute("UPDATE url SET crashes = ? WHERE id = ?", (crashes, row))
            self._count(state, "", -1)
            if ends:
                self._db.execute(sql.END_URL, (State.FAILED, "node_lost", now, row))
                self._count(State.FAILED, "node_lost", 1)
            else:
                self._db.execute("UPDATE url SET state = 0, due = NULL, fence = NULL WHERE id = ?", (row,))
                self._count(State.QUEUED, "", 1)
            # When the dead node's fetch ended is not known: the gate opens as if it ended now.
            opens = now + self._delay_of(host) if was_leased else 0
            self._move_host(host, queued=not ends, leased=-was_leased, visited=ends, opens=opens)

    def renew(self, tokens: Iterable[str], ttl: float) -> None:
        with self._transaction() as now:
            due = now + int(ttl * 1000)
            self._db.executemany(
                "UPDATE url SET due = ? WHERE id = ? AND fence = ? AND state = 2 AND due > ?",
                [(due, *_split(token), now) for token in tokens],
            )

    # ---------------------------------------------------------------- the end of a lease

    def complete_many(self, completed: Sequence[Completed]) -> list[str]:
        lost = []
        with self._transaction() as now:
            for end in completed:
                held = self._held(end.token, now)
                if held is None:
                    lost.append(end.token)
                    continue
                row, host = held
                state = State[end.state.upper()]
                self._db.execute(sql.END_URL, (state, end.reason, now, row))
                self._count(State.LEASED, "", -1)
                self._count(state, end.reason, 1)
                opens = now - int(end.ago * 1000) + self._delay_of(host)
                self._move_host(host, leased=-1, visited=state != State.EXCLUDED, opens=opens)
                self._add(end.discovered, row, now)
        return lost

    def release(self, token: str, not_before: float, reason: str, *, counted: bool = True) -> None:
        with self._transaction() as now:
            held = self._held(token, now)
            if held is None:
                return
            row, host = held
            state = State.SCHEDULED if not_before > 0 else State.QUEUED
            due = now + int(not_before * 1000) if not_before > 0 else None
            self._db.execute(
                "UPDATE url SET state = ?, due = ?, fence = NULL, attempt = attempt + ?, reason = ? WHERE id = ?",
                (state, due, counted, reason, row),
            )
            self._count(State.LEASED, "", -1)
            self._count(state, "", 1)
            opens = now + self._delay_of(host) if counted else 0
            self._move_host(host, queued=state == State.QUEUED, leased=-1, opens=opens)

    def _held(self, token: str, now: int) -> tuple[int, int] | None:
        """Return (url id, host id) while the lease is in force."""
        row, fence = _split(token)
        found = self._db.execute(
            "SELECT id, host FROM url WHERE id = ? AND fence = ? AND state = 2 AND due > ?", (row, fence, now)
        ).fetchone()
        return (found[0], found[1]) if found else None

    # ---------------------------------------------------------------- politeness and limits

    def hold(self, host: str, seconds: float, reason: str) -> None:
        with self._transaction() as now:
            until = now + int(seconds * 1000)
            self._db.execute(
                "UPDATE host SET held_because = ?, held_until = ? WHERE id = ? AND held_until < ?",
                (reason, until, self._host_id(host), until),
            )

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
            (_HOST_BUDGET,),
        ).fetchall()
        for (host,) in rows:
            self._move_host(host, queued=1)
        self._count(State.EXCLUDED, _HOST_BUDGET, -len(rows))
        self._count(State.QUEUED, "", len(rows))

    def robots(self, hosts: Iterable[str]) -> dict[str, Robots]:
        found = {}
        for names in _chunks(list(hosts)):
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

    # ---------------------------------------------------------------- the job

    def job(self) -> dict[str, object]:
        rows = self._read("SELECT value FROM meta WHERE name = 'job'", ())
        return msgspec.json.decode(rows[0][0], type=dict[str, object]) if rows else {}

    def set_job(self, job: dict[str, object]) -> None:
        with self._transaction():
            self._put("job", msgspec.json.encode(job))

    def excluded(self, reasons: Iterable[str]) -> Iterator[Entry]:
        wanted = tuple(reasons)
        for url, host, domain, depth, hops, reason in self._read(
            sql.EXCLUDED.format(",".join("?" * len(wanted))), wanted
        ):
            yield Entry(url=url, host=host, domain=domain, depth=depth, hops=hops, excluded=reason)

    def again(self) -> int:
        with self._transaction():
            queued = self._db.execute(sql.AGAIN).rowcount
            self._db.execute(sql.RECOUNT_HOSTS)
            self._db.execute("DELETE FROM tally WHERE state >= 0")
            self._db.execute(sql.RECOUNT_TALLY)
            return queued

    # ---------------------------------------------------------------- questions

    def why(self, url: str) -> Life | None:
        rows = self._read(sql.WHY, (urls.key(url),))
        if not rows:
            return None
        (url, state, reason, host, depth, hops, attempts, crashes, node, found, found_on, due, ended, *gate) = rows[0]
        opens, delay, held_until, held_because, robots = gate
        return Life(
            url=url,
            state=State(state).name.lower(),
            reason=reason,
            host=host,
            depth=depth,
            hops=hops,
            attempts=attempts,
            crashes=crashes,
            node=node,
            discovered_at=found,
            discovered_on=found_on or "",
            due=due,
            ended_at=ended,
            host_opens=opens or None,
            host_delay=max(delay, self._limits()[1]),
            host_held_until=held_until or None,
            host_held_because=held_because,
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
        nexts = [
            row[0] for query in (sql.NEXT_OPEN, sql.NEXT_DUE) for row in self._read(query, ()) if row[0] is not None
        ]
        wait = (min(nexts) - self._now()) / 1000 if nexts else 0.0
        return Outlook(finished=False, wait=max(0.0, wait))

    # ---------------------------------------------------------------- machinery

    def _now(self) -> int:
        return int(self._clock() * 1000)

    @contextmanager
    def _transaction(self) -> Iterator[int]:
        """One atomic step; yields the store's time in ms."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._now()
                self._db.executemany(sql.ADD_TALLY, [(*key, n) for key, n in self._tally.items() if n])
                self._tally.clear()
                self._db.execute("COMMIT")
            except BaseException:
                self._tally.clear()
                self._host_ids.clear()
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise Unavailable(
                f"frontier {self._path}: {error}; nothing was lost, run the same command again"
            ) from error

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
        kept = dict(self._read("SELECT name, value FROM meta WHERE name IN ('budget', 'delay')", ()))
        budget = msgspec.json.decode(kept["budget"], type=Budget) if "budget" in kept else Budget()
        return budget, msgspec.json.decode(kept["delay"], type=float) if "delay" in kept else 0.0

    def _delay_of(self, host: int) -> int:
        own = self._db.execute("SELECT delay FROM host WHERE id = ?", (host,)).fetchone()[0]
        return int(max(own, self._limits()[1]) * 1000)

    def _visited_or_leased(self) -> int:
        kept = int(self._db.execute("SELECT coalesce(sum(n), 0) FROM tally WHERE state IN (2, 3, 4)").fetchone()[0])
        moved = (n for (state, _), n in self._tally.items() if state in (State.LEASED, State.DONE, State.FAILED))
        return kept + sum(moved)

    def _put(self, name: str, value: bytes) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))


def _chunks(values: list[_T]) -> Iterator[list[_T]]:
    """Cut a list to what one statement takes as parameters."""
    return (values[start : start + 500] for start in range(0, len(values), 500))


def _split(token: str) -> tuple[int, int]:
    row, _, fence = token.partition(".")
    return int(row), int(fence)


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
