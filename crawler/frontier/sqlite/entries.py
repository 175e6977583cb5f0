"""Into the queue: what is discovered, what is admitted later, what is to be visited again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from crawler.frontier import Added, Entry
from crawler.frontier.sqlite import schema as sql
from crawler.frontier.sqlite.schema import State
from crawler.frontier.sqlite.store import Store, chunks
from linkindex import urls


class Entries(Store):
    """``add``, ``excluded``, ``again``."""

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
        self._db.executemany(sql.QUEUE_HOST, [(len(p), min(p), min(p), host) for host, p in queued.items()])
        refused = sum(bool(entry.excluded) for _, entry in fresh)
        return Added(len(fresh) - refused, len(known), refused)

    def _reconsider(self, wanted: dict[int, Entry], queued: dict[int, list[int]]) -> set[int]:
        """Admit what the scope had refused, move up what is found nearer; return the keys that were known."""
        known: set[int] = set()
        for keys in chunks(list(wanted)):
            rows = self._db.execute(sql.KNOWN.format(",".join("?" * len(keys))), keys).fetchall()
            for key, row, host, state, priority, reason, ended in rows:
                known.add(key)
                entry = wanted[key]
                if entry.excluded:
                    continue
                admitted = state == State.EXCLUDED and ended is None
                if not admitted and not (state == State.QUEUED and entry.priority < priority):
                    continue
                place = (entry.priority, entry.depth, entry.hops, entry.sitemap)
                self._db.execute(sql.PROMOTE, (State.QUEUED, *place, row))
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
            place = (entry.priority, entry.depth, entry.hops, entry.sitemap)
            rows.append((key, entry.url, host, state, *place, entry.excluded, found_on, now))
            self._count(state, entry.excluded, 1)
            if state == State.QUEUED:
                queued[host].append(entry.priority)
        self._db.executemany(sql.INSERT_URL, rows)

    def excluded(self, reasons: Iterable[str]) -> Iterator[Entry]:
        wanted = tuple(reasons)
        for url, host, domain, depth, hops, sitemap, reason in self._read(
            sql.EXCLUDED.format(",".join("?" * len(wanted))), wanted
        ):
            yield Entry(url=url, host=host, domain=domain, depth=depth, hops=hops, sitemap=sitemap, excluded=reason)

    def again(self) -> int:
        with self._transaction():
            queued = self._db.execute(sql.AGAIN).rowcount
            self._db.execute(sql.RECOUNT_HOSTS)
            self._db.execute("DELETE FROM tally WHERE state >= 0")
            self._db.execute(sql.RECOUNT_TALLY)
            return queued
