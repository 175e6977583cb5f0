"""How many visits a node has under way. Pure.

A visit's place is free again when its lease has ended, not when its fetch has: so a node that is killed has fetched no
more pages without acknowledging them than it has places, and no more are fetched a second time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from crawler.frontier import SUSPECT, Lease
from crawler.lanes import Lane


class Places:
    """At most ``most`` visits at once. One that is suspected to kill nodes is alone: its crash then proves it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: dict[str, Lease] = {}  # by URL
        self._alone = ""  # the URL that has the node to itself
        self._queue: deque[Lane] = deque()

    def __len__(self) -> int:
        """How many visits are under way."""
        return len(self._taken)

    def ask(self, lane: Lane) -> None:
        """Queue a lane whose first lease may be fetched by now."""
        self._queue.append(lane)

    def next(self) -> Iterator[Lane]:
        """Yield the lanes that may fetch now; each is to :meth:`take` its place, if it has a use for it."""
        while self._queue and not self._alone and len(self._taken) < self._most:
            if _is_suspect(self._queue[0]) and self._taken:
                return  # those under way end first; nobody else begins
            yield self._queue.popleft()

    def take(self, lease: Lease) -> None:
        self._taken[lease.url] = lease
        if lease.crashes >= SUSPECT:
            self._alone = lease.url

    def free(self, url: str, lease: Lease | None = None) -> None:
        """Give a URL's place back; it may never have had one. With ``lease``, only if it is that lease's: one that ran out
        may have been followed by another of the same URL, which has the place by now."""
        if lease is not None and self._taken.get(url) is not lease:
            return
        self._taken.pop(url, None)
        if self._alone == url:
            self._alone = ""


def _is_suspect(lane: Lane) -> bool:
    return lane.rules is not None and bool(lane.leases) and lane.leases[0].crashes >= SUSPECT
