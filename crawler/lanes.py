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
    probe: str = ""  # a URL to ask for before the next page (crawler.probes)
    probing: bool = False  # its answer is still to be judged
    busy: bool = False  # a fetch of this host is under way
    began: float = 0.0  # when it was started
    ended: float = float("-inf")  # when the last one ended
    address: str = ""  # where hosts at one address share one gate
    pause: float = 0.0  # s that a slow host is left alone between fetches, whatever its delay

    def fetch_ended(self, now: float, patience: float = 0.0) -> None:
        """End the fetch under way. Where there is a delay, it is at least ``patience`` times what answers take."""
        self.busy = False
        self.ended = now
        if self.delay:
            self.pause = max(patience * (now - self.began), self.pause / 2)

    def wait(self, now: float) -> float:
        """Seconds until the next fetch may start, at the delay that is known by now."""
        return max(0.0, self.ended + max(self.delay, self.pause) - now)

    def obey(self, rules: Rules) -> None:
        self.rules = rules
        self.delay = max(self.delay, rules.crawl_delay)

    @property
    def robots_url(self) -> str:
        """robots.txt of the host, under the scheme of the URL that is to be visited first."""
        scheme = self.leases[0].url.partition(":")[0]
        return f"{scheme}://{self.host}/robots.txt"
