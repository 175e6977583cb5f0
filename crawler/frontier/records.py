"""What goes into a frontier and comes out of it. Backends and nodes share these records, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

ALIVE = 30.0  # s that a node counts as at work after its last sign of life


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A canonical URL that was discovered (or seeded), on its way into the frontier."""

    url: str
    host: str
    domain: str
    depth: int = 0  # links from a seed
    hops: int = 0  # redirects in a row that led here
    sitemap: int = 0  # how many sitemaps deep it is one itself; 0: nobody calls it a sitemap
    seen: int = 1  # how many discoveries this one stands for
    late: int = 0  # levels that it waits longer, because its like stopped telling anything new (crawler.traps)
    excluded: str = ""  # why the scope refuses it; "" admits it

    @property
    def priority(self) -> int:
        """Smaller goes first: breadth first, the end of a redirect before its own level.

        A site's first sitemap follows its seed; further ones wait until the pages that are known have been visited, so
        that an index of 50,000 sitemaps does not use up a crawl.
        """
        return self.depth * 2 - (1 if self.hops else 0) + (0, 1, 3)[min(self.sitemap, 2)] + self.late


class Added(msgspec.Struct, frozen=True):
    """What ``add`` did with its entries: new to the queue, known before, refused by the scope, left to wait outside."""

    new: int
    known: int
    refused: int
    waiting: int = 0  # not taken in, for its host's queue is full; the index names it, and it is asked for later


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
    crashes: int = 0  # leases of this URL that ran out or whose node died; from SUSPECT on it is visited alone
    memo: bytes = b""  # what the visit before left for this one
    now: int = 0  # ms since 1970, UTC, by the store's clock, when it was handed out


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a lease after its visit is durable in the index."""

    token: str
    state: str = "done"  # done, failed or excluded
    reason: str = ""  # of failed and excluded
    ago: float = 0.0  # s since the fetch ended, by the node's monotonic clock
    pause: float = 0.0  # s that the gate stays shut after the fetch, if that is more than the delay
    discovered: Sequence[Entry] = ()
    next_due: float | None = None  # s from now until it is to be visited again; None: never
    memo: bytes = b""  # for the visit after this one, with next_due; opaque, at most 1 KiB


class Robots(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a host's robots.txt, for all nodes."""

    # "rules" (obey ``body``), "open" (there are none), "own" (its owner crawls, and they are not asked for) or "closed"
    # (unreachable: RFC 9309, 2.3.1.4)
    verdict: str
    body: bytes = b""  # at most 500 KiB
    reason: str = ""  # why closed: "dns", "503"…
    failures: int = 0  # fetches in a row that failed; while the verdict is still "closed" to be asked again


def read_robots(stored: bytes) -> Robots | None:
    """Return what a store kept of a robots.txt, None where that is none of ours: it is then fetched again."""
    try:
        return msgspec.msgpack.decode(stored, type=Robots)
    except (msgspec.MsgspecError, TypeError, UnicodeDecodeError):
        return None


def read_beat(stored: bytes, decode: Callable[..., object]) -> Beat | None:
    """Return the sign of life that a store kept, None where it is none of ours: the next is near."""
    try:
        beat = decode(stored, type=Beat)
    except (msgspec.MsgspecError, TypeError, UnicodeDecodeError):
        return None
    assert isinstance(beat, Beat)
    return beat


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """The accounting of a frontier, kept as it changes: reading it is O(1)."""

    queued: int = 0
    scheduled: int = 0
    leased: int = 0
    done: int = 0
    failed: int = 0
    excluded: int = 0
    visited: int = 0  # done, failed, or scheduled to be visited again after a visit; what budgets count
    hosts: int = 0
    waiting: int = 0  # hosts with URLs that wait outside, because their queue was full
    quarantined: int = 0  # stored values of a shape that is not ours, set aside
    excluded_by: dict[str, int] = {}
    failed_by: dict[str, int] = {}

    @property
    def discovered(self) -> int:
        return self.queued + self.scheduled + self.leased + self.done + self.failed + self.excluded


class Gates(msgspec.Struct, frozen=True, kw_only=True):
    """What of a frontier may be leased at present; for whoever watches it."""

    open: int  # hosts that may be leased now; a backend may stop counting at 10,000
    held: int  # hosts that are held
    overdue: float  # s for which the lease that ran out first has waited to be taken back; 0.0: none did


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What is left to do. "Nothing to lease now" differs from "finished"."""

    finished: bool  # nothing is queued, scheduled or leased, and nothing waits outside
    spent: bool = False  # the budget is used up, with work left
    wait: float = 0.0  # s until something may be leased, as far as is known; 0 when it may be now


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """All that the frontier knows about one URL. Times are ms since 1970, UTC; None for what did not happen."""

    url: str
    state: str  # or "known": it was discovered, and the frontier keeps no more of it than that
    reason: str
    host: str
    depth: int
    hops: int
    sitemap: int
    attempts: int
    crashes: int  # leases that ran out, or whose node died
    node: str  # the last that leased it
    trail: str  # leases that did not end well, the latest last: "NODE ms reason", one a line, at most 8
    domains: int  # distinct registrable domains that link to it, estimated; its own does not count
    again: int  # how often it was discovered after the first time
    discovered_at: int
    discovered_on: str  # the page that led here first; "" for a seed
    due: int | None  # when it may be leased again, while scheduled; when its lease runs out, while leased
    ended_at: int | None
    host_opens: int | None
    host_delay: float
    host_held_until: int | None
    host_held_because: str
    host_visited: int
    host_budget: int  # pages that may be visited of the host at present; 0: no limit
    robots: str  # verdict on the host's robots.txt, "" while unknown


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """How much a job may visit. 0 means no limit."""

    pages: int = 0
    pages_per_host: int = 0
    pages_per_domain: int = 0
    growth: int = 0  # pages more, of a host and of its domain, for each distinct domain that links to it

    def host(self, linkers: int) -> int:
        """Return how many pages of a host to which ``linkers`` domains link may be visited; 0: no limit."""
        return self.pages_per_host + self.growth * linkers if self.pages_per_host else 0

    def domain(self, linkers: int) -> int:
        """Return how many pages of a domain to which ``linkers`` domains link may be visited; 0: no limit."""
        return self.pages_per_domain + self.growth * linkers if self.pages_per_domain else 0


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """A sign of life of a node."""

    node: str
    started: int  # ms since 1970, by the node's clock
    hand: int  # leases in hand
    pages: int  # visits ended since the start
    rate: float  # pages a second, over the last minute


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A node as the frontier knows it."""

    beat: Beat
    ago: float  # s since its last beat, by the store's clock
    draining: bool = False  # it is to leave, or about to

    @property
    def alive(self) -> bool:
        """Whether it can be thought to be at work still."""
        return self.ago < ALIVE
