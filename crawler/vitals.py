"""How a node is: what it measures, what it has in hand, whether it reaches its stores. Asked only when somebody looks.

What is true of the whole crawl is asked of its stores at most every few seconds, beside the rest: a look never waits for
a store that is away, it tells what was known before.
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from crawler.frontier import Counts, Frontier, Gates
from crawler.metrics import Metrics
from crawler.node import Node
from linkindex.calls import Calls
from linkindex.errors import LinkatlasError

FRESH = 5.0  # s that what stores said is told again
PATIENCE = 0.5  # s that a look waits for stores
LATELY = 20.0  # s that an answer may take of a store that is not known to be away


class Shared(NamedTuple):
    """What the frontier last said of the whole crawl."""

    counts: Counts
    gates: Gates
    nodes: int
    spent: bool


class Vitals:
    """One node's. ``index`` calls the index; ``unstored`` tells how many visits are on their way there; ``links`` asks the
    index how many links it holds, on a thread; ``place`` is the file of an embedded index, "" where it is none."""

    def __init__(
        self, node: Node, index: Calls, unstored: Callable[[], int], links: Callable[[], int], place: str
    ) -> None:
        self._node = node
        self._index = index
        self._ask_links = links
        self._place = place
        self._asking: asyncio.Future[None] | None = None
        self._asked = -math.inf  # when stores were asked last
        self._unanswered = math.inf  # since when the index has not answered a look
        self.unstored = unstored
        self.links: int | None = None  # that the index holds; None until it said so
        self.shared: Shared | None = None

    @property
    def metrics(self) -> Metrics:
        return self._node.metrics

    @property
    def stores(self) -> dict[str, Calls]:
        return {"frontier": self._node.call, "index": self._index}

    @property
    def leases(self) -> int:
        return len(self._node.hand)

    @property
    def oldest_lease(self) -> float:
        """Seconds that the lease which has been in hand longest has been there."""
        return self._node.hand.oldest()

    @property
    def under_way(self) -> int:
        return len(self._node.places)

    @property
    def unacknowledged(self) -> int:
        return self._node.endings.waiting

    @property
    def draining(self) -> bool:
        return self._node.draining or self._node.departures.stopping

    def silent(self) -> dict[str, float]:
        """Return for how many seconds each store has not answered what it was asked; 0.0: it answers, or nobody asks."""
        silent = {name: call.silent for name, call in self.stores.items()}
        return {**silent, "index": max(silent["index"], time.monotonic() - self._unanswered)}

    def disk(self) -> int | None:
        """Return the bytes that are free where an embedded index lies."""
        if not self._place:
            return None
        with suppress(OSError):
            free = os.statvfs(self._place)
            return free.f_bavail * free.f_frsize
        return None

    async def look(self) -> None:
        """Have the stores tell how the crawl is, unless they did a moment ago."""
        now = time.monotonic()
        if self._asking is None or (self._asking.done() and now - self._asked > FRESH):
            self._asked = now
            self._unanswered = min(self._unanswered, now)
            self._asking = asyncio.ensure_future(self._ask())
        await asyncio.wait([self._asking], timeout=PATIENCE)

    async def _ask(self) -> None:
        with suppress(LinkatlasError):  # those who work with the store tell it
            self.links = await asyncio.to_thread(self._ask_links)
            self._unanswered = math.inf
        with suppress(LinkatlasError):
            self.shared = await self._node.call(self._ask_frontier, self._node.frontier)

    def _ask_frontier(self, frontier: Frontier) -> Shared:
        nodes = sum(seen.alive for seen in frontier.nodes())
        return Shared(frontier.counts(), frontier.gates(), nodes, frontier.outlook().spent)

    def unready(self) -> str:
        """Return why the node should not be counted on, "" where it is ready."""
        if self.draining:
            return "the node is draining"
        away = {name for name, call in self.stores.items() if call.away}
        for name, seconds in self.silent().items():
            if seconds > (PATIENCE if name in away else LATELY):
                return f"the {name} has not answered for {seconds:.0f} s"
        return ""

    async def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])
