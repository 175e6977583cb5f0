"""Out of the queue and back: leases, their ends, and the gates of the hosts."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from crawler.frontier import CRASHES, REPRIEVE, SUSPECT
from crawler.frontier.order import distinct
from crawler.frontier.records import Budget, Completed, Lease
from crawler.frontier.sqlite import schema as sql
from crawler.frontier.sqlite.entries import Entries, Origin
from crawler.frontier.sqlite.schema import DOMAIN_BUDGET, HOST_BUDGET, State

_TRAIL = 8  # lines
STRANGE = "strange"  # the reason that a row has which is no URL


class _Host(NamedTuple):
    """A host whose gate is open."""

    row: int
    name: str
    delay: float
    visited: int
    marks: int
    domain: int
    taken: int  # of the domain
    domain_marks: int


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
            rows = self._db.execute(sql.READY_HOSTS, {"now": now, "limit": limit}).fetchall()
            share = max(1, limit // max(1, len(rows)))
            leases: list[Lease] = []
            taken: dict[int, int] = {}  # domain -> leased just now
            for host in map(_Host._make, rows):
                delay = max(host.delay, least_delay)
                most = min(share, limit - len(leases), int(span / delay) or 1 if delay else share)
                left, reason = _left(budget, host, taken.get(host.domain, 0))
                if left <= 0:
                    self._spend_host(host.row, reason, now)
                    continue
                batch = self._lease_host(host, delay, min(most, left), node, now, now + int(ttl * 1000))
                taken[host.domain] = taken.get(host.domain, 0) + len(batch)
                leases += batch
            return leases

    def _lease_host(self, host: _Host, delay: float, most: int, node: str, now: int, due: int) -> list[Lease]:
        leases: list[Lease] = []
        rows = []
        queue = self._db.execute(sql.HOST_QUEUE, (host.row, most)).fetchall()
        for row, url, depth, hops, sitemap, attempt, crashes, memo in queue:
            if not isinstance(url, str):
                self._set_aside(row, host.row, now)
                continue
            if crashes >= SUSPECT and leases:
                break
            fence = secrets.randbits(62)
            rows.append((fence, due, node, row))
            leases.append(
                Lease(
                    token=f"{row}.{fence}",
                    url=url,
                    host=host.name,
                    depth=depth,
                    hops=hops,
                    attempt=attempt + 1,
                    delay=delay,
                    sitemap=sitemap,
                    crashes=crashes,
                    memo=memo if isinstance(memo, bytes) else b"",
                    now=now,
                )
            )
            if crashes >= SUSPECT:
                break
        self._db.executemany(sql.LEASE_URL, rows)
        self._move_host(host.row, queued=-len(rows), leased=len(rows))
        self._take_domain(host.row, len(rows))
        self._count(State.QUEUED, "", -len(rows))
        self._count(State.LEASED, "", len(rows))
        return leases

    def _set_aside(self, row: int, host: int, now: int) -> None:
        """End what is queued and no URL: something else wrote here."""
        self._db.execute(sql.END_URL, (State.FAILED, STRANGE, now, None, None, row))
        self._move_host(host, queued=-1, visited=1)
        self._count(State.QUEUED, "", -1)
        self._count(State.FAILED, STRANGE, 1)
        self._count(sql.VISITED, "", 1)

    def _spend_host(self, host: int, reason: str, now: int) -> None:
        """Exclude what a host still has queued once its budget is used up."""
        spent = self._db.execute(sql.SPEND_HOST, (reason, now, host)).rowcount
        self._db.execute("UPDATE host SET spent = 1 WHERE id = ?", (host,))
        self._move_host(host, queued=-spent)
        self._count(State.QUEUED, "", -spent)
        self._count(State.EXCLUDED, reason, spent)

    def _take_back(self, overdue: Iterable[tuple[int, int, int, int, int, str, int, int | None]], now: int) -> None:
        """Queue what was scheduled for now and what is leased by nodes that are gone."""
        for row, host, state, crashes, departed, node, due, ended_at in overdue:
            if state == State.LEASED:
                self._note_end(row, node, min(due, now), "node_lost")
                self._lose_node(row, host, crashes, bool(departed), now)
            else:
                self._db.execute(sql.QUEUE_AGAIN, (State.QUEUED, None, row))
                self._count(State.SCHEDULED, "", -1)
                self._count(State.QUEUED, "", 1)
                self._uncount_visit(host, state, ended_at)
                self._move_host(host, queued=1)

    def _lose_node(self, row: int, host: int, crashes: int, departed: bool, now: int) -> None:
        """End a lease whose node is gone: the URL is queued again, unless it had such nodes to itself."""
        speaks = crashes < SUSPECT or departed
        crashes += speaks
        ends = crashes >= CRASHES
        self._db.execute("UPDATE url SET crashes = ? WHERE id = ?", (crashes, row))
        self._count(State.LEASED, "", -1)
        state = State.FAILED if ends else State.SCHEDULED if speaks and crashes > SUSPECT else State.QUEUED
        if ends:
            self._db.execute(sql.END_URL, (state, "node_lost", now, None, None, row))
            self._count(sql.VISITED, "", 1)
        else:
            due = now + int(REPRIEVE * 1000) if state == State.SCHEDULED else None
            self._db.execute(sql.QUEUE_AGAIN, (state, due, row))
            self._take_domain(host, -1)
        self._count(state, "node_lost" if ends else "", 1)
        # When the dead node's fetch ended is not known: the gate opens as if it ended now.
        opens = now + self._delay_of(host)
        self._move_host(host, queued=state == State.QUEUED, leased=-1, visited=ends, opens=opens)

    def depart(self, token: str) -> None:
        with self._transaction():
            self._db.execute("UPDATE url SET departed = 1 WHERE id = ? AND fence = ? AND state = 2", _split(token))

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
                self._end(end, *held[:2], now)
                self._add(end.discovered, held[2], now)
        return lost

    def _end(self, end: Completed, row: int, host: int, now: int) -> None:
        state, due = State[end.state.upper()], None
        if end.next_due is not None and state == State.DONE:
            state, due = State.SCHEDULED, now + int(end.next_due * 1000)
        visited = state != State.EXCLUDED
        self._db.execute(sql.END_URL, (state, end.reason, now, due, end.memo or None, row))
        if due is not None:
            self._db.execute(sql.START_OVER, (row,))
        self._count(State.LEASED, "", -1)
        self._count(state, "" if due is not None else end.reason, 1)
        self._count(sql.VISITED, "", visited)
        self._take_domain(host, visited - 1)
        opens = now - int(end.ago * 1000) + max(self._delay_of(host), int(end.pause * 1000))
        self._move_host(host, leased=-1, visited=visited, opens=opens)

    def release(self, token: str, not_before: float, reason: str, *, counted: bool = True) -> None:
        with self._transaction() as now:
            held = self._held(token, now)
            if held is None:
                return
            row, host, _ = held
            state = State.SCHEDULED if not_before > 0 else State.QUEUED
            due = now + int(not_before * 1000) if not_before > 0 else None
            if counted:
                (node,) = self._db.execute("SELECT node FROM url WHERE id = ?", (row,)).fetchone()
                self._note_end(row, node, now, reason)
            self._db.execute(
                "UPDATE url SET state = ?, due = ?, fence = NULL, attempt = attempt + ?, reason = ? WHERE id = ?",
                (state, due, counted, reason, row),
            )
            self._count(State.LEASED, "", -1)
            self._count(state, "", 1)
            self._take_domain(host, -1)
            # Whatever was fetched of this host, it was no later than now.
            self._move_host(host, queued=state == State.QUEUED, leased=-1, opens=now + self._delay_of(host))

    def _note_end(self, row: int, node: str, at: int, reason: str) -> None:
        (trail,) = self._db.execute("SELECT trail FROM url WHERE id = ?", (row,)).fetchone()
        lines = [*trail.splitlines(), f"{node} {at} {reason}"][-_TRAIL:]
        self._db.execute("UPDATE url SET trail = ? WHERE id = ?", ("\n".join(lines), row))

    def _held(self, token: str, now: int) -> tuple[int, int, Origin] | None:
        """Return url id, host id and what its page's links come from, while the lease is in force."""
        row, fence = _split(token)
        found = self._db.execute(
            "SELECT u.id, u.host, u.key, d.name FROM url u JOIN host h ON h.id = u.host JOIN domain d ON d.id = h.domain "
            "WHERE u.id = ? AND u.fence = ? AND u.state = 2 AND u.due > ?",
            (row, fence, now),
        ).fetchone()
        return (found[0], found[1], Origin(found[2], found[3])) if found else None

    def hold(self, host: str, seconds: float, reason: str) -> None:
        with self._transaction() as now:
            until = now + int(seconds * 1000)
            self._db.execute(
                "UPDATE host SET held_because = ?, held_until = ? WHERE id = ? AND held_until < ?",
                (reason, until, self._host_id(host), until),
            )


def _left(budget: Budget, host: _Host, leased: int) -> tuple[int, str]:
    """Return how many pages the budgets leave to a host, and the reason to give when that is none."""
    most = 1 << 62
    of_host = budget.host(distinct(host.marks)) - host.visited if budget.pages_per_host else most
    of_domain = budget.domain(distinct(host.domain_marks)) - host.taken - leased if budget.pages_per_domain else most
    return (of_host, HOST_BUDGET) if of_host <= of_domain else (of_domain, DOMAIN_BUDGET)


def _split(token: str) -> tuple[int, int]:
    row, _, fence = token.partition(".")
    return int(row), int(fence)
