"""What the robots.txt of hosts say, as the frontier keeps it for all nodes; parsed rules are remembered for a while."""

from __future__ import annotations

import time
from collections.abc import Mapping
from weakref import WeakKeyDictionary

from crawler import crash, politeness
from crawler.frontier import Frontier, Robots
from crawler.lanes import Lane
from crawler.politeness import Rules
from crawler.remembered import Remembered
from linkindex.calls import Calls

NO_ROOM = "robots.txt: too many rules to have at hand with those of others"
REMEMBERED = 600.0  # s that parsed rules are used before the frontier is asked again
CROWDED = 30.0  # s that a host is left alone whose rules are too many to have at hand beside those that are
_MOST = 96 << 20  # bytes of parsed rules that are remembered; of large ones, as much again may be in use that are not
_SMALL = 768 << 10  # bytes of rules that there is always room for: hosts in hand are few, and most have less
_GROWN = 75  # times that a robots.txt can grow by being parsed: each of its patterns becomes an expression


class Rulebook:
    """One node's."""

    def __init__(self, frontier: Frontier, call: Calls, most_delay: float) -> None:
        self._frontier = frontier
        self._call = call
        self._most_delay = most_delay
        # By host: rules, and when to ask the frontier again.
        self._rules: Remembered[tuple[Rules, float]] = Remembered(_MOST)
        self._large: WeakKeyDictionary[Rules, int] = WeakKeyDictionary()  # all that are in use, with their sizes

    async def read(self, lanes: Mapping[str, Lane]) -> dict[str, Robots]:
        """Give lanes the rules of their hosts that are known, as far as there is room; return what the frontier had to
        tell."""
        now = time.monotonic()
        for host, lane in lanes.items():
            if (kept := self._rules.get(host)) and kept[1] > now:
                lane.obey(kept[0])
        unknown = [host for host, lane in lanes.items() if lane.rules is None]
        known: dict[str, Robots] = await self._call(self._frontier.robots, unknown) if unknown else {}
        for host, robots in known.items():
            lanes[host].failures = robots.failures
            if robots.verdict != "closed":
                self.obey(lanes[host], robots)
        return known

    def obey(self, lane: Lane, robots: Robots) -> bool:
        """Give a lane its rules; False where there is no room for as many: without them it must not go on."""
        size = len(robots.body) * _GROWN
        if size > _SMALL and sum(self._large.values()) + size > 2 * _MOST:
            return False
        rules = Rules(robots, most_delay=self._most_delay)
        if size > _SMALL:
            self._large[rules] = size
        lane.obey(rules)
        self._rules.put(lane.host, (rules, time.monotonic() + REMEMBERED), size)
        return True

    def crawl_delay(self, host: str) -> float:
        """Return the delay that a host asks for, in s, of which the frontier may not have heard yet."""
        kept = self._rules.get(host)
        return kept[0].crawl_delay if kept else 0.0

    async def keep(self, lane: Lane, robots: Robots) -> None:
        """Keep what a host's robots.txt says, for all nodes."""
        assert lane.rules is not None
        # The delay goes first, for what is known of a host is not asked for again after a crash.
        if lane.rules.crawl_delay:
            await self._call(self._frontier.set_delay, lane.host, lane.rules.crawl_delay)
        crash.passing("rules")
        await self._call(self._frontier.put_robots, lane.host, robots, politeness.ROBOTS_FRESH)

    async def put_off(self, host: str, robots: Robots | None = None) -> None:
        """Have a host left alone until there may be room for its rules; keep those that were fetched just now."""
        await self._call(self._frontier.hold, host, CROWDED, NO_ROOM)
        if robots is not None:
            await self._call(self._frontier.put_robots, host, robots, politeness.ROBOTS_FRESH)

    async def keep_closed(self, host: str, robots: Robots, wait: float) -> None:
        """Keep that a host's robots.txt cannot be had, and have the host left alone for ``wait`` seconds."""
        # The hold goes first: the leases that are given back meanwhile must find the host shut.
        if robots.failures < politeness.tries_robots(robots.reason):
            await self._call(self._frontier.hold, host, wait, f"robots.txt: {robots.reason}")
        await self._call(self._frontier.put_robots, host, robots, politeness.ROBOTS_FRESH)
