"""What a node is given: its settings, and the machine that fetches for it."""

from __future__ import annotations

from typing import Protocol

import msgspec

from crawler import politeness
from crawler.frontier import Lease
from crawler.lanes import Lane
from linkindex.model import Visit


class Engine(Protocol):
    """What a node needs of the machine that fetches."""

    def fetch(self, lease: Lease, guessed: bool, clock: int) -> None:
        """Start the visit of a leased URL now; ``guessed``: a sitemap that may well not be there; ``clock``: ms that the
        frontier's clock is before this process' monotonic one."""

    def fetch_robots(self, lane: Lane) -> None:
        """Start fetching a host's robots.txt now."""

    def fetch_probe(self, lane: Lane, url: str, clock: int) -> None:
        """Start fetching a page that cannot be there now."""

    async def address(self, host: str) -> str:
        """Return the address that a fetch of this host would connect to, "" where that cannot be told."""

    def decided(self, visit: Visit) -> None:
        """Store a visit that ended without a fetch."""

    def begun(self, run: str) -> None:
        """Store what is visited from now on as of this run."""

    def finish(self, reason: str) -> None:
        """There is nothing more to do."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the options say of a node. Times are seconds."""

    name: str
    concurrency: int = 32
    ttl: float = 120.0
    retries: int = 3
    max_wait: float = 600.0
    batch: int = 100
    soft_404: str = "several"  # which hosts are probed for what they answer when there is no page (crawler.probes)
    sitemaps: str = "seeds"  # whose sitemaps are read: those of the hosts of seeds, of all hosts, of none
    stay: bool = False  # go on waiting for work when there is none
    patience: float = 600.0  # that a store may be away
    slow: float = 1.0  # times what an answer takes that a host is left alone, where there is a delay
    max_crawl_delay: float = politeness.MAX_CRAWL_DELAY
    recrawl: bool = False  # visit pages again when they may have changed
    per_address: bool = False  # hosts at one address share one gate
