"""The leases of one host that this node has in hand, and when its next fetch may start. Pure but for the clock it is told.

The frontier sees to it that no other node has leases of the host; within the node a lane keeps the delay.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from crawler.frontier import Lease
from crawler.politeness import Rules


@dataclass(slots=True, eq=False)
class Lane:
    """One host. ``ended`` and ``now`` are seconds of the node's monotonic clock."""

    host: str
    delay: float
    leases: deque[Lease] = field(default_factory=deque)
    rules: Rules | None = None  # None: robots.txt must be fetched first
    failures: int = 0  # of robots.txt, in a row, before this
    busy: bool = False  # a fetch of this host is under way
    ended: float = float("-inf")  # when the last one ended

    def fetch_ended(self, now: float) -> None:
        self.busy = False
        self.ended = now

    def wait(self, now: float) -> float:
        """Seconds until the next fetch may start, at the delay that is known by now."""
        return max(0.0, self.ended + self.delay - now)

    def obey(self, rules: Rules) -> None:
        self.rules = rules
        self.delay = max(self.delay, rules.crawl_delay)

    @property
    def robots_url(self) -> str:
        """robots.txt of the host, under the scheme of the URL that is to be visited first."""
        scheme = self.leases[0].url.partition(":")[0]
        return f"{scheme}://{self.host}/robots.txt"
