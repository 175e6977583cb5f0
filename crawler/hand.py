"""The leases that a node has in hand, from when they are handed out until they have ended; and how long they hold. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Set

from crawler.frontier import Lease


class Hand:
    """Leases by URL. Times are seconds of the monotonic clock."""

    def __init__(self) -> None:
        self._leases: dict[str, Lease] = {}
        self._good: dict[str, float] = {}  # token -> until when its lease holds, for all this node can know
        self.clock = 0  # ms from the monotonic clock to the frontier's

    def __len__(self) -> int:
        return len(self._leases)

    def __iter__(self) -> Iterator[Lease]:
        return iter(self._leases.values())

    def take(self, leases: list[Lease], until: float) -> None:
        """Take leases that were handed out just now, and hold until then."""
        self.clock = leases[0].now - int(time.monotonic() * 1000)
        self._leases.update((lease.url, lease) for lease in leases)
        self._good.update((lease.token, until) for lease in leases)

    def get(self, url: str) -> Lease | None:
        return self._leases.get(url)

    def has(self, lease: Lease) -> bool:
        """Return whether a lease is in hand; its URL may have been leased again meanwhile."""
        return self._leases.get(lease.url) is lease

    def holds(self, *leases: Lease) -> bool:
        """Return whether any of these leases is in hand, and has not run out for all this node can know."""
        now = time.monotonic()
        return any(self.has(lease) and self._good.get(lease.token, now) > now for lease in leases)

    def let_go(self, lease: Lease) -> bool:
        """Have a lease in hand no more; return whether it was."""
        if not self.has(lease):
            return False
        del self._leases[lease.url]
        return True

    def hosts(self, but: Set[str] = frozenset()) -> set[str]:
        """Return the hosts of all leases, but for those of these URLs."""
        return {lease.host for url, lease in self._leases.items() if url not in but}

    def oldest(self) -> float:
        """Return for how many seconds the lease that was taken first has been in hand, 0.0 where there is none."""
        first = next(iter(self), None)
        return max(0.0, time.monotonic() - (first.now - self.clock) / 1000) if first else 0.0

    def good(self) -> list[str]:
        """Return the tokens of the leases that have not run out."""
        now = time.monotonic()
        return [lease.token for lease in self if self._good.get(lease.token, 0.0) > now]

    def renewed(self, tokens: Iterable[str], until: float) -> None:
        """Hear that leases hold until then."""
        self._good = {lease.token: self._good.get(lease.token, 0.0) for lease in self}
        self._good.update((token, until) for token in tokens if token in self._good)
