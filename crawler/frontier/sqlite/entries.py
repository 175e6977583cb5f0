"""Into the queue: what is discovered, what is admitted later, what is to be visited again; and out of it for good."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from crawler.frontier.order import distinct, level, mark, score
from crawler.frontier.records import Added, Entry
from crawler.frontier.sqlite import schema as sql
from crawler.frontier.sqlite.schema import State
from crawler.frontier.sqlite.store import Store
from linkindex import urls
from linkindex.store.sqlite.packing import json_numbers, json_texts


class _Known(NamedTuple):
    """A row of the table of URLs, as far as a discovery may change it."""

    row: int
    host: int
    state: int
    score: int
    priority: int
    marks: int
    again: int
    found_at: int
    reason: str
    ended_at: int | None


class Origin(NamedTuple):
    """The page on which entries were discovered."""

    key: int | None = None
    domain: str = ""


class _Queue:
    """The places that URLs take in the queue of a host; ``moved`` of them had one there before."""

    __slots__ = ("moved", "places")

    def __init__(self) -> None:
        self.places: list[int] = []
        self.moved = 0

    def change(self, host: int) -> tuple[int, int, int, int]:
        """Return the values of :data:`crawler.frontier.sqlite.schema.QUEUE_HOST`."""
        first = min(self.places)
        return len(self.places) - self.moved, first, first, host


_Queues = defaultdict[int, _Queue]  # by host


class Entries(Store):
    """``add``, ``remember``, ``excluded``, ``again``, ``forget``, ``forget_host``."""

    def add(self, entries: Iterable[Entry], discovered_on: str = "", *, again: bool = False) -> Added:
        with self._transaction() as now:
            return self._add(entries, origin_of(discovered_on), now, again=again)

    def _add(self, entries: Iterable[Entry], origin: Origin, now: int, *, again: bool = False) -> Added:
        wanted: dict[int, Entry] = {}
        for entry in entries:
            key = urls.key(entry.url)
            if key not in wanted or (entry.excluded, entry.priority) < (wanted[key].excluded, wanted[key].priority):
                wanted[key] = entry
        queues: _Queues = defaultdict(_Queue)
        known = self._reconsider(wanted, origin, queues, again)
        fresh = [(key, entry) for key, entry in wanted.items() if key not in known]
        self._insert(fresh, origin, now, queues)
        self._db.executemany(sql.QUEUE_HOST, [queue.change(host) for host, queue in queues.items()])
        if origin.domain:
            self._count_linkers(wanted.values(), origin.domain)
        refused = sum(bool(entry.excluded) for _, entry in fresh)
        return Added(len(fresh) - refused, len(known), refused)

    def _reconsider(self, wanted: dict[int, Entry], origin: Origin, queues: _Queues, again: bool) -> set[int]:
        """Admit what may be visited after all, count what is discovered again; return the keys that were known."""
        known: set[int] = set()
        discoveries: list[tuple[int, int, int, int]] = []
        for key, *rest in self._db.execute(sql.KNOWN, (json_numbers(list(wanted)),)).fetchall():
            known.add(key)
            entry, row = wanted[key], _Known(*rest)
            if entry.excluded:
                continue
            if row.state == State.QUEUED:
                self._discover_again(entry, row, origin, queues, discoveries)
            elif (row.state == State.EXCLUDED and row.ended_at is None) or (again and row.state != State.LEASED):
                self._queue(entry, row, entry.priority, _mark(entry, origin), 0, queues)
                self._db.execute(sql.START_OVER, (row.row,))
                self._uncount_visit(row.host, row.state, row.ended_at)
                self._count(row.state, row.reason if row.state in {State.FAILED, State.EXCLUDED} else "", -1)
                self._count(State.QUEUED, "", 1)
        self._db.executemany(sql.COUNT_DISCOVERY, discoveries)
        return known

    def _discover_again(
        self, entry: Entry, row: _Known, origin: Origin, queues: _Queues, discoveries: list[tuple[int, int, int, int]]
    ) -> None:
        marks, again = row.marks | _mark(entry, origin), row.again + entry.seen
        if entry.priority < row.priority:
            self._queue(entry, row, entry.priority, marks, again, queues)
        else:
            place = score(level(row.priority, distinct(marks), again), row.found_at)
            discoveries.append((place, marks, again, row.row))
            if place == row.score:
                return
            queues[row.host].places.append(place)
        queues[row.host].moved += 1

    def _queue(self, entry: Entry, row: _Known, priority: int, marks: int, again: int, queues: _Queues) -> None:
        place = score(level(priority, distinct(marks), again), row.found_at)
        queues[row.host].places.append(place)
        values = (place, priority, entry.depth, entry.hops, entry.sitemap, marks, again, row.row)
        self._db.execute(sql.QUEUE_URL, values)

    def _insert(
        self,
        fresh: Sequence[tuple[int, Entry]],
        origin: Origin,
        now: int,
        queues: _Queues,
        admitted: State = State.QUEUED,
    ) -> None:
        rows = []
        for key, entry in fresh:
            host = self._host_id(entry.host, entry.domain)
            state = State.EXCLUDED if entry.excluded else admitted
            marks, again = _mark(entry, origin), entry.seen - 1
            place = score(level(entry.priority, distinct(marks), again), now)
            where = (place, entry.priority, entry.depth, entry.hops, entry.sitemap)
            rows.append((key, entry.url, host, state, *where, entry.excluded, marks, again, origin.key, now))
            self._count(state, entry.excluded, 1)
            if state == State.QUEUED:
                queues[host].places.append(place)
        self._db.executemany(sql.INSERT_URL, rows)

    def _count_linkers(self, entries: Iterable[Entry], domain: str) -> None:
        """Count ``domain`` among those that link to the hosts of ``entries``; where that raises a budget, let more in."""
        bit = mark(domain)
        linked = {entry.host: entry.domain for entry in entries if entry.domain != domain}
        unmarked = [name for name in linked if bit & ~(self._marks.get(name) or 0)]
        marks = [(bit, self._host_id(name, linked[name]), bit) for name in unmarked]
        self._db.executemany(sql.MARK_DOMAIN, marks)
        self._db.executemany(sql.MARK_HOST, marks)
        for name in unmarked:
            self._marks.put(name, bit | (self._marks.get(name) or 0))
        if self._limits()[0].growth:
            for host in (self._host_id(name, of) for name, of in linked.items()):
                if self._db.execute("SELECT spent FROM host WHERE id = ?", (host,)).fetchone()[0]:
                    self._readmit(host)

    def _readmit(self, host: int) -> None:
        """Queue what a spent budget had excluded of a host; if the budget is spent still, that is found out by leasing."""
        for reason, n in self._db.execute(sql.SPENT_OF_HOST, (host,)).fetchall():
            self._count(State.EXCLUDED, reason, -n)
        queued = self._db.execute(sql.READMIT_HOST, (host,)).rowcount
        self._db.execute("UPDATE host SET spent = 0 WHERE id = ?", (host,))
        self._move_host(host, queued=queued)
        self._count(State.QUEUED, "", queued)

    def remember(self, entries: Iterable[Entry]) -> int:
        with self._transaction() as now:
            wanted = {urls.key(entry.url): entry for entry in entries}
            known = {row[0] for row in self._db.execute(sql.KNOWN, (json_numbers(list(wanted)),))}
            fresh = [(key, entry) for key, entry in wanted.items() if key not in known]
            self._insert(fresh, Origin(), now, defaultdict(_Queue), State.DONE)
            return len(fresh)

    def excluded(self, reasons: Iterable[str]) -> Iterator[Entry]:
        for url, host, domain, depth, hops, sitemap, reason in self._read(sql.EXCLUDED, (json_texts(reasons),)):
            yield Entry(url=url, host=host, domain=domain, depth=depth, hops=hops, sitemap=sitemap, excluded=reason)

    def again(self) -> int:
        with self._transaction():
            queued = self._db.execute(sql.AGAIN).rowcount
            self._db.execute(sql.RECOUNT_HOSTS)
            self._db.execute(sql.RECOUNT_DOMAINS)
            self._db.execute("DELETE FROM tally WHERE state >= 0 OR state = ?", (sql.VISITED,))
            self._db.execute(sql.RECOUNT_TALLY)
            return queued

    def forget(self, urls_: Iterable[str]) -> int:
        with self._transaction():
            return self._forget("key IN (SELECT value FROM json_each(?))", (json_numbers([*map(urls.key, urls_)]),))

    def forget_host(self, host: str) -> int:
        with self._transaction():
            found = self._db.execute("SELECT id FROM host WHERE name = ?", (host,)).fetchone()
            if found is None:
                return 0
            forgotten = self._forget("host = ?", found)
            self._db.execute("DELETE FROM note WHERE host = ?", found)
            self._db.execute("DELETE FROM host WHERE id = ?", found)
            self._count(sql.HOSTS, "", -1)
            self._put("forgotten", msgspec.json.encode(self._hosts_forgotten() + 1))
            return forgotten

    def _forget(self, which: str, values: Sequence[object]) -> int:
        rows = self._db.execute(sql.FORGOTTEN.format(which), values).fetchall()
        for host, state, reason, ended_at in rows:
            self._uncount_visit(host, state, ended_at)
            self._count(state, reason if state in {State.FAILED, State.EXCLUDED} else "", -1)
            leased = state == State.LEASED
            self._move_host(host, queued=-(state == State.QUEUED), leased=-leased)
            self._take_domain(host, -leased)
        return len(rows)


def origin_of(page: str) -> Origin:
    """Return where what a page (a canonical URL, "" for none) links to comes from."""
    return Origin(urls.key(page), urls.domain_of(urls.host_of(page))) if page else Origin()


def _mark(entry: Entry, origin: Origin) -> int:
    return mark(origin.domain) if origin.domain and origin.domain != entry.domain else 0
