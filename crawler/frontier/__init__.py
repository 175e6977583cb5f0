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

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, Self

import msgspec

from linkindex.errors import BadInput


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A canonical URL that was discovered (or seeded), on its way into the frontier."""

    url: str
    host: str
    domain: str
    depth: int = 0  # links from a seed
    hops: int = 0  # redirects in a row that led here
    sitemap: int = 0  # how many sitemaps deep it is one itself; 0: nobody calls it a sitemap
    excluded: str = ""  # why the scope refuses it; "" admits it

    @property
    def priority(self) -> int:
        """Smaller goes first: breadth first, the end of a redirect before its own level.

        A site's first sitemap follows its seed; further ones wait until the pages that are known have been visited, so
        that an index of 50,000 sitemaps does not use up a crawl.
        """
        return self.depth * 2 - (1 if self.hops else 0) + (0, 1, 3)[min(self.sitemap, 2)]


class Added(msgspec.Struct, frozen=True):
    """What ``add`` did with its entries: new to the queue, known before, refused by the scope."""

    new: int
    known: int
    refused: int


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """The right of one node to visit one URL until the lease expires."""

    token: str  # fences: no other lease, of this URL or any, ever has it
    url: str
    host: str
    depth: int
    hops: int
    attempt: int  # 1 on the first
    delay: float  # s between fetches of this host
    sitemap: int = 0


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a lease after its visit is durable in the index."""

    token: str
    state: str = "done"  # done, failed or excluded
    reason: str = ""  # of failed and excluded
    ago: float = 0.0  # s since the fetch ended, by the node's monotonic clock
    discovered: Sequence[Entry] = ()


class Robots(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a host's robots.txt, for all nodes."""

    verdict: str  # "rules" (obey ``body``), "open" (there are none) or "closed" (unreachable: RFC 9309, 2.3.1.4)
    body: bytes = b""  # at most 500 KiB
    reason: str = ""  # why closed: "dns", "503"…
    failures: int = 0  # fetches in a row that failed; while the verdict is still "closed" to be asked again


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """The accounting of a frontier, kept as it changes: reading it is O(1)."""

    queued: int = 0
    scheduled: int = 0
    leased: int = 0
    done: int = 0
    failed: int = 0
    excluded: int = 0
    hosts: int = 0
    excluded_by: dict[str, int] = {}
    failed_by: dict[str, int] = {}

    @property
    def discovered(self) -> int:
        return self.queued + self.scheduled + self.leased + self.done + self.failed + self.excluded

    @property
    def visited(self) -> int:
        return self.done + self.failed


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What is left to do. "Nothing to lease now" differs from "finished"."""

    finished: bool  # nothing is queued, scheduled or leased
    spent: bool = False  # the budget is used up, with work left
    wait: float = 0.0  # s until something may be leased, as far as is known; 0 when it may be now


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """All that the frontier knows about one URL. Times are ms since 1970, UTC; None for what did not happen."""

    url: str
    state: str
    reason: str
    host: str
    depth: int
    hops: int
    sitemap: int
    attempts: int
    crashes: int  # leases that ran out, or whose node died
    node: str  # the last that leased it
    discovered_at: int
    discovered_on: str  # the page that led here first; "" for a seed
    due: int | None  # when it may be leased again, while scheduled
    ended_at: int | None
    host_opens: int | None
    host_delay: float
    host_held_until: int | None
    host_held_because: str
    robots: str  # verdict on the host's robots.txt, "" while unknown


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """How much a job may visit. 0 means no limit."""

    pages: int = 0
    pages_per_host: int = 0


class Frontier(Protocol):
    """The contract. Backends: :mod:`crawler.frontier.sqlite`."""

    def add(self, entries: Iterable[Entry], discovered_on: str = "") -> Added:
        """Queue what is new, in one atomic step. A known URL that was excluded and is admitted now is queued too."""

    def lease(self, limit: int, node: str, ttl: float, span: float = 5.0) -> list[Lease]:
        """Lease up to ``limit`` URLs of hosts whose gates are open, by priority, and shut those gates.

        Of one host, at most as many as can be fetched within ``span`` seconds at its delay.
        Empty means "nothing now"; :meth:`outlook` tells why. Leases that ran out are taken back first.
        """

    def renew(self, tokens: Iterable[str], ttl: float) -> None:
        """Let leases run ``ttl`` seconds from now. Expired ones stay expired."""

    def complete_many(self, completed: Sequence[Completed]) -> list[str]:
        """End leases and add what their pages led to, in one atomic step; return the tokens that had expired.

        Of an expired lease nothing is applied: another node holds the URL, or will.
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

    def excluded(self, reasons: Iterable[str]) -> Iterator[Entry]:
        """Stream the entries that were excluded for any of these reasons, for a scope that changed."""

    def again(self) -> int:
        """Queue everything that had ended, anew: attempts start over, budgets too. Returns how many."""

    def why(self, url: str) -> Life | None:
        """Return the life of a canonical URL, or None if it was never discovered."""

    def counts(self) -> Counts:
        """Return the accounting."""

    def outlook(self) -> Outlook:
        """Return what is left to do."""

    def close(self) -> None:
        """Let go of the store. Leases stay as they are."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


def open_frontier(url: str, *, create: bool = True, exclusive: bool = False) -> Frontier:
    """Open the frontier that ``url`` names: ``sqlite:///PATH``.

    ``exclusive`` claims it for one crawl and its workers: every lease still out belongs to a node that died, and is
    taken back at once. Raises :class:`BadInput` for another scheme, a path that cannot be used or (without ``create``)
    does not exist, :class:`linkindex.errors.Busy` when another crawl has claimed it.
    """
    if url.startswith("sqlite:///"):
        from crawler.frontier.sqlite import SqliteFrontier

        return SqliteFrontier.open(url.removeprefix("sqlite:///"), create=create, exclusive=exclusive)
    raise BadInput(f"frontier {url!r}: not a frontier URL; write sqlite:///PATH")
