"""Out of the queue and back: leases, their ends, and the gates of the hosts."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence

from crawler.frontier import Completed, Lease
from crawler.frontier.sqlite import schema as sql
from crawler.frontier.sqlite.entries import Entries
from crawler.frontier.sqlite.schema import HOST_BUDGET, State

CRASHES = 3  # a URL whose leases ran out this often is taken for what kills the nodes


class Leases(Entries):
    """``lease``, ``renew``, ``complete_many``, ``release``, ``hold``."""

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
        for row, url, depth, hops, sitemap, attempt in self._db.execute(sql.HOST_QUEUE, (host, most)).fetchall():
            fence = secrets.randbits(62)
            rows.append((fence, due, node, row))
            leases.append(
                Lease(
                    token=f"{row}.{fence}",
                    url=url,
                    host=name,
                    depth=depth,
                    hops=hops,
                    attempt=attempt + 1,
                    delay=delay,
                    sitemap=sitemap,
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
            "UPDATE url SET state = 5, reason = ?, ended_at = ? WHERE host = ? AND state = 0", (HOST_BUDGET, now, host)
        ).rowcount
        self._move_host(host, queued=-spent)
        self._count(State.QUEUED, "", -spent)
        self._count(State.EXCLUDED, HOST_BUDGET, spent)

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
            # Whatever was fetched of this host, it was no later than now.
            self._move_host(host, queued=state == State.QUEUED, leased=-1, opens=now + self._delay_of(host))

    def _held(self, token: str, now: int) -> tuple[int, int] | None:
        """Return (url id, host id) while the lease is in force."""
        row, fence = _split(token)
        found = self._db.execute(
            "SELECT id, host FROM url WHERE id = ? AND fence = ? AND state = 2 AND due > ?", (row, fence, now)
        ).fetchone()
        return (found[0], found[1]) if found else None

    def hold(self, host: str, seconds: float, reason: str) -> None:
        with self._transaction() as now:
            until = now + int(seconds * 1000)
            self._db.execute(
                "UPDATE host SET held_because = ?, held_until = ? WHERE id = ? AND held_until < ?",
                (reason, until, self._host_id(host), until),
            )


def _split(token: str) -> tuple[int, int]:
    row, _, fence = token.partition(".")
    return int(row), int(fence)
