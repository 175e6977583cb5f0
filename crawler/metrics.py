"""What a node measures of its own work: numbers that only grow, kept on its event loop at well under a microsecond each.

Knows nothing of who reads them: ``interfaces.web.exposition`` tells them to Prometheus.
"""

from __future__ import annotations

import asyncio
import logging
import time
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Sequence

from crawler.lines import fields
from linkindex.model import Outcome, Visit

logger = logging.getLogger(__name__)

LOOK = 0.5  # s between looks at how late the event loop is

_CALL = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_FETCH = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 60.0)
_LAG = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0)


class Histogram:
    """How many times were at most so long. ``bounds`` are seconds, ascending; one bucket more takes what is longer."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.sum += seconds


class _Answers:
    """What the latest fetches of one host came to."""

    __slots__ = ("at", "errors", "failing", "fetches")

    def __init__(self) -> None:
        self.fetches = self.errors = self.at = 0.0
        self.failing = False


class HostErrors:
    """The share of errors among the latest fetches of each host. A host's name is in the log, and in no metric: strangers
    choose names, and there is no end of them."""

    ENOUGH = 20  # fetches of a host before its share says anything
    HOSTS = 10_000  # that are kept in mind
    LATELY = 900.0  # s after which a host that is not fetched from counts no more

    def __init__(self) -> None:
        self._hosts: OrderedDict[str, _Answers] = OrderedDict()
        self._enough: dict[str, _Answers] = {}

    def heard(self, host: str, error: bool) -> None:
        """Hear what a fetch came to. Old ones fade: after twice ``ENOUGH``, all count half."""
        answers = self._hosts.get(host)
        if answers is None:
            answers = self._hosts[host] = _Answers()
            if len(self._hosts) > self.HOSTS:
                self._enough.pop(self._hosts.popitem(last=False)[0], None)
        else:
            self._hosts.move_to_end(host)
        answers.fetches += 1
        answers.errors += error
        answers.at = time.monotonic()
        if answers.fetches >= self.ENOUGH:
            self._judge(host, answers)

    def _judge(self, host: str, answers: _Answers) -> None:
        self._enough[host] = answers
        share = answers.errors / answers.fetches
        if share > 0.5 and not answers.failing:
            told = fields(host=host, share=round(share, 2))
            logger.warning("%.0f %% of the latest fetches from %s failed", share * 100, host, extra=told)
        answers.failing = share > (0.25 if answers.failing else 0.5)
        if answers.fetches >= 2 * self.ENOUGH:
            answers.fetches /= 2
            answers.errors /= 2

    def _lately(self) -> list[_Answers]:
        since = time.monotonic() - self.LATELY
        return [answers for answers in self._enough.values() if answers.at > since]

    def worst(self) -> float:
        """Return the largest share of any host."""
        return max((answers.errors / answers.fetches for answers in self._lately()), default=0.0)

    def failing(self) -> int:
        """Return at how many hosts more than half of the fetches fail."""
        return sum(answers.failing for answers in self._lately())


class Metrics:
    """One node's, since it began. Times are seconds."""

    def __init__(self) -> None:
        self.pages = dict.fromkeys(Outcome, 0)  # visits that are durable
        self.bytes = 0  # of bodies, as they came
        self.links = 0
        self.leases_lost = 0  # that had run out before their visits were acknowledged
        self.fetch = Histogram(_FETCH)
        self.parse = Histogram(_CALL)
        self.store = Histogram(_CALL)
        self.complete = Histogram(_CALL)
        self.lag = Histogram(_LAG)
        self.hosts = HostErrors()

    def fetched(self, seconds: float, size: int) -> None:
        """Hear that a fetch has ended, of a page or of what stands beside pages, with an answer or without."""
        self.bytes += size
        self.fetch.observe(seconds)

    def visited(self, visit: Visit, *, fetched: bool, read: float | None) -> None:
        """Hear that a visit is durable; ``read``: how long its page took to be read."""
        self.pages[visit.outcome] += 1
        self.links += len(visit.links)
        if read is not None:
            self.parse.observe(read)
        if fetched:
            self.hosts.heard(visit.host, visit.outcome in (Outcome.UNREACHABLE, Outcome.BLOCKED))

    def completed(self, seconds: float, lost: int) -> None:
        """Hear that the leases of a batch of visits have ended, ``lost`` of them before."""
        self.complete.observe(seconds)
        self.leases_lost += lost

    async def watch_lag(self) -> None:
        """Until it is cancelled, measure how late the event loop does what it is to do."""
        while True:
            began = time.monotonic()
            await asyncio.sleep(LOOK)
            self.lag.observe(max(0.0, time.monotonic() - began - LOOK))
