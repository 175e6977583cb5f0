"""SEAM 1: the frontier. What is to be visited, by whom, and when; strings in, leases out.

The life of a URL::

    add ──► queued ──lease──► leased ──complete──► done
     │        ▲                 │ ├────────────► failed(reason)    an end without an answer
     │        │   not_before    │ └────────────► excluded(reason)  robots.txt, a scope that grew narrower
     │        └── scheduled ◄── release, or the lease runs out
     └─► excluded(reason)       never to be visited under the present scope; a later add may admit it

At every moment: discovered = queued + scheduled + leased + done + failed + excluded.

A host's gate is shut while any of its URLs is leased, opens ``delay`` after its last fetch ended, and stays shut while
the host is held. Gates, delays, holds, robots.txt and budgets are state of the frontier: they hold for all nodes and
survive restarts. Time is the store's clock, never a node's. All calls are synchronous, to be made off the event loop.

Errors: :class:`linkindex.errors.Unavailable` when the store does not answer, ``Incompatible`` when its state is not
ours. A call that raises has applied nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol, Self

from crawler.frontier.records import (
    Added,
    Beat,
    Budget,
    Completed,
    Counts,
    Entry,
    Gates,
    Lease,
    Life,
    Outlook,
    Robots,
    Seen,
)
from linkindex.errors import BadInput
from linkindex.stored import checked

__all__ = [
    "CRASHES",
    "REPRIEVE",
    "SUSPECT",
    "Added",
    "Beat",
    "Budget",
    "Completed",
    "Counts",
    "Entry",
    "Frontier",
    "Gates",
    "Lease",
    "Life",
    "Outlook",
    "Robots",
    "Seen",
    "open_frontier",
]

CRASHES = 4  # a URL whose leases ran out this often, the last two while it was visited alone, ends as failed(node_lost)
SUSPECT = 2  # from so many on, a node visits it alone
REPRIEVE = 30.0  # s that it waits after the first such: if something else was killing nodes, that has passed by then


class Frontier(Protocol):
    """The contract. Backends: :mod:`crawler.frontier.sqlite`, :mod:`crawler.frontier.redis`.

    A URL goes before others by :mod:`crawler.frontier.order`. Who discovers a URL that is queued already is counted:
    how often, and from how many distinct domains, which also count for its host's budget.
    """

    keeps_ended: bool
    """Whether what is done or was refused is kept by name, for :meth:`again` and :meth:`excluded`. A backend that only counts
    it is told again from the index."""

    def add(self, entries: Iterable[Entry], discovered_on: str = "", *, again: bool = False) -> Added:
        """Queue what is new, in one atomic step (a shard). A known URL that was excluded by the scope and is admitted
        now is queued too; with ``again``, also what had ended or was due later: it starts over.

        A backend that bounds the queue of a host leaves out what does not fit: :meth:`hungry`.
        """

    def remember(self, entries: Iterable[Entry]) -> int:
        """Take URLs for done without a visit, because the index holds one. Those known stay as they are. Returns how many
        were not."""

    def lease(self, limit: int, node: str, ttl: float, span: float = 5.0) -> list[Lease]:
        """Lease up to ``limit`` URLs of hosts whose gates are open, by priority, and shut those gates.

        Of one host, at most as many as can be fetched within ``span`` seconds at its delay.
        Empty means "nothing now"; :meth:`outlook` tells why. Leases that ran out are taken back first. A URL with
        ``SUSPECT`` crashes is the only one of its host in a batch.
        """

    def depart(self, token: str) -> None:
        """Hear that the visit of a suspect begins, alone. Only then does the end of its node speak against it: one that
        died while the URL waited had other reasons."""

    def renew(self, tokens: Iterable[str], ttl: float) -> None:
        """Let leases run ``ttl`` seconds from now. Expired ones stay expired."""

    def complete_many(self, completed: Sequence[Completed]) -> list[str]:
        """End leases and add what their pages led to, in one atomic step; return the tokens that had expired.

        Of an expired lease nothing is applied: another node holds the URL, or will. (A backend of several shards adds
        before it ends the leases: what was discovered is then known though the lease had expired.) With ``next_due`` a
        URL that is done is scheduled instead; it counts as visited until it is due.
        """

    def release(self, token: str, not_before: float, reason: str, *, counted: bool = True) -> None:
        """Give a URL back, to be leased again after ``not_before`` seconds. Ignored when the lease had expired.

        ``counted`` adds to its attempts; a node that shuts down gives back what it never tried.
        """

    def hold(self, host: str, seconds: float, reason: str) -> None:
        """Shut a host for ``seconds`` from now. A hold is only ever lengthened."""

    def set_delay(self, host: str, seconds: float) -> None:
        """Set the crawl delay of one host; the job's own delay stays the least."""

    def set_budget(self, budget: Budget, delay: float) -> None:
        """Set the job's budget and least crawl delay. What a smaller budget had excluded is queued again."""

    def robots(self, hosts: Iterable[str]) -> dict[str, Robots]:
        """Return what is known and still fresh about the robots.txt of these hosts."""

    def put_robots(self, host: str, robots: Robots, fresh: float) -> None:
        """Remember a verdict for ``fresh`` seconds."""

    def job(self) -> dict[str, object]:
        """Return what :meth:`set_job` kept, {} before."""

    def set_job(self, job: dict[str, object]) -> None:
        """Keep the description of the job (seeds, scope), to recognise the same command when it comes again."""

    def notes(self, name: str, hosts: Iterable[str]) -> dict[str, bytes]:
        """Return what :meth:`put_notes` kept of these hosts under ``name``; hosts without are left out."""

    def put_notes(self, name: str, notes: Mapping[str, bytes]) -> None:
        """Keep what the node that holds the leases of hosts learned of each, for the next one: opaque, at most 64 KiB."""

    def excluded(self, reasons: Iterable[str]) -> Iterator[Entry]:
        """Stream the entries that the scope excluded for any of these reasons, for a scope that changed.

        Where ``keeps_ended`` is false: forget that they were, so that they may be discovered anew.
        """

    def again(self) -> int:
        """Queue everything that had ended and is still kept, anew: attempts start over, budgets too. Returns how many."""

    def forget(self, urls: Iterable[str]) -> int:
        """Forget canonical URLs, whatever their state: they may be discovered anew. A lease of one is lost. Returns how
        many were known."""

    def forget_host(self, host: str) -> int:
        """Forget a host: its queue, gate, hold, robots.txt, notes, budget. Returns how many URLs were forgotten.

        A backend that keeps no more of what is done than that it is known is told of those by :meth:`forget`, before.
        """

    def hungry(self, limit: int) -> list[str]:
        """Return hosts whose queue runs low while URLs of theirs wait outside. Nobody else is told for a minute."""

    def fed(self, host: str, more: bool) -> None:
        """Hear that a hungry host was given what waits; ``more``: its queue was full again before all was."""

    def arrivals(self, limit: int) -> list[str]:
        """Return URLs that people pushed where scrapy-redis reads seeds (``<job>:start_urls``), as they wrote them.

        They stay until :meth:`arrived` is told of them, so a kill in between loses none.
        """

    def arrived(self, urls: Iterable[str]) -> None:
        """Take what :meth:`arrivals` returned from there, once it is in the queue."""

    def claim(self, name: str, node: str, ttl: float) -> float:
        """Claim something that one node at a time may have (an IP address, an errand). Return 0.0 when it is ours for
        ``ttl`` seconds, else the seconds until it may be free. Its owner claims again to keep it."""

    def unclaim(self, name: str, node: str, pause: float = 0.0) -> None:
        """Give a claim back, to be claimed again by anybody after ``pause`` seconds. Ignored when it is another's."""

    def beat(self, beat: Beat) -> bool:
        """Give a sign of life; return whether the node is to :meth:`drain`. Raises ``Incompatible`` when the state of the job
        is gone (a store that was emptied)."""

    def drain(self, node: str) -> bool:
        """Have a node leave: it is told at its next beat. Return whether there is one of this name. Who starts under the same
        name later is another one."""

    def leave(self, node: str) -> None:
        """Take a node from the list."""

    def nodes(self) -> list[Seen]:
        """Return the nodes that gave a sign of life within the last day, the latest first."""

    def wait(self, seconds: float) -> None:
        """Return after ``seconds``, or as soon as another node has queued something where nothing was. May be called on
        a thread of its own."""

    def why(self, url: str) -> Life | None:
        """Return the life of a canonical URL, or None if it was never discovered."""

    def counts(self) -> Counts:
        """Return the accounting."""

    def gates(self) -> Gates:
        """Return how many gates are open and how many hosts are held, at no more cost than :meth:`counts`."""

    def outlook(self) -> Outlook:
        """Return what is left to do."""

    def close(self) -> None:
        """Let go of the store. Leases stay as they are."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


def open_frontier(
    url: str,
    *,
    create: bool = True,
    exclusive: bool = False,
    accept_volatile: bool = False,
    host_queue: int = 1000,
    client: Mapping[str, object] | None = None,
) -> Frontier:
    """Open the frontier that ``url`` names: ``sqlite:///PATH`` or ``redis://HOST:PORT/DB?job=NAME``.

    SQLite: ``exclusive`` claims it for one crawl and its workers: every lease still out belongs to a node that died, and is
    taken back at once. Redis, which is made to be shared: ``accept_volatile`` takes a server that may forget what it was
    told; ``host_queue`` is how many URLs of a host are queued at most, where the job is made; ``client`` are keyword
    arguments of redis-py.

    Raises :class:`BadInput` for another scheme, a place that cannot be used or (without ``create``) does not exist,
    :class:`linkindex.errors.Busy` when another crawl has claimed it.
    """
    if url.startswith("sqlite:///"):
        from crawler.frontier.sqlite import SqliteFrontier

        path = url.removeprefix("sqlite:///")
        return checked(
            lambda: SqliteFrontier.open(path, create=create, exclusive=exclusive),
            f"frontier {path}",
            "put it away, and linkatlas reconcile makes another from the index",
        )
    if url.startswith(("redis://", "rediss://", "redis+", "rediss+", "unix://")):
        from crawler.frontier.redis import RedisFrontier

        return checked(
            lambda: RedisFrontier.open(
                url, create=create, accept_volatile=accept_volatile, host_queue=host_queue, client=client
            ),
            "frontier in Redis",
            "name another job, and linkatlas reconcile fills it from the index",
        )
    raise BadInput(
        f"frontier {url.partition(':')[0]!r}: not a frontier URL; write sqlite:///PATH or redis://HOST:PORT/DB?job=NAME"
    )
