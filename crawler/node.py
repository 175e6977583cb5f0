"""One node at work: takes leases, keeps each host's pace, ends every lease once its visit is durable.

Knows no Scrapy. The scheduler gives it an :class:`crawler.contract.Engine` and tells its parts what happened. The frontier is
only ever called on one thread of its own, so the event loop never waits for a store.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable

import msgspec

from crawler import crash, discovery, politeness, trap_notes
from crawler.consent import is_opted_out
from crawler.contract import Engine, Settings
from crawler.departures import Departures
from crawler.endings import Endings
from crawler.errands import Errands, Sources
from crawler.frontier import Beat, Entry, Frontier, Lease, Outlook, Robots
from crawler.hand import Hand
from crawler.job import Job
from crawler.lanes import Lane
from crawler.lines import fields
from crawler.metrics import Metrics
from crawler.places import Places
from crawler.probes import Probes
from crawler.rulebook import NO_ROOM, Rulebook
from crawler.scope import Scope
from crawler.tasks import Tasks
from crawler.trap_notes import TrapNotes
from linkindex import urls
from linkindex.calls import Calls
from linkindex.errors import LinkatlasError
from linkindex.model import Outcome, Visit

logger = logging.getLogger(__name__)

IDLE_PAUSE = (0.05, 1.0)  # s, first and longest, between looks at a frontier that has nothing to lease
PARTING = 3.0  # s that a node which ends waits for a store that is away


class Node:
    """The work of one process on one frontier. ``departures`` hear of its fetches, ``endings`` of its visits."""

    def __init__(self, frontier: Frontier, scope: Scope, settings: Settings, engine: Engine, sources: Sources) -> None:
        self.frontier = frontier
        self._settings = settings
        self._engine = engine
        self.call = call = Calls("frontier", settings.patience)
        self.metrics = metrics = Metrics()
        self._tasks = tasks = Tasks(self.fail)
        self._errands = Errands(frontier, call, sources, self._beat, self._on_job, self._drain)
        self._traps = traps = TrapNotes()
        self.probes = probes = Probes(frontier, call, settings.soft_404)
        self._rulebook = rulebook = Rulebook(frontier, call, settings.max_crawl_delay)
        self.hand = hand = Hand()
        self.places = places = Places(settings.concurrency)
        common = (frontier, call, settings, engine, hand, places, tasks)
        self.endings = Endings(*common, rulebook, traps, metrics, self._depart)
        self.departures = Departures(*common, traps, probes, self.endings)
        self.endings.scope = scope
        self.failure: LinkatlasError | None = None
        self.draining = False  # it takes no new lease, and leaves when those in hand have ended

    def _depart(self) -> None:
        self.departures.depart()

    @property
    def _scope(self) -> Scope:
        return self.endings.scope

    # ---------------------------------------------------------------- leases in

    def start(self) -> None:
        name, concurrency = self._settings.name, self._settings.concurrency
        told = fields(node=name, concurrency=concurrency)
        logger.info("node %s begins, with %d visits at once", name, concurrency, extra=told)
        errands = self._errands
        for loop in (self._lease_forever, self._renew_forever, errands.beat_forever, errands.fetch_forever):
            self._tasks.loop(loop)
        self._tasks.loop(self.metrics.watch_lag)

    async def _lease_forever(self) -> None:
        settings, pause, news = self._settings, IDLE_PAUSE[0], self.endings.news
        most = settings.concurrency * 4
        while not self.departures.stopping:
            room = most - len(self.hand)
            leases: list[Lease] = []
            asked = time.monotonic()
            if room > most // 4 and not self.draining:
                leases = await self.call(self.frontier.lease, room, settings.name, settings.ttl)
            if leases:
                crash.passing("lease")
                pause = IDLE_PAUSE[0]
                self.hand.take(leases, asked + settings.ttl)
                await self._sort(leases)
                continue
            if not self.hand and await self._is_over():
                return
            news.clear()
            pause = IDLE_PAUSE[0] if await self._something_happens(pause) else min(pause * 2, IDLE_PAUSE[1])

    async def _something_happens(self, seconds: float) -> bool:
        """Wait for news of this node's own work, with nothing in hand for those of others'; False: there were none."""
        if self.hand:
            try:
                await asyncio.wait_for(self.endings.news.wait(), seconds)
            except TimeoutError:
                return False
            return True
        began = time.monotonic()
        await self._errands.wait(seconds, self.endings.news)
        return time.monotonic() - began < seconds

    async def _is_over(self) -> bool:
        if self.draining:
            self._finish("drained")
            return True
        outlook: Outlook = await self.call(self.frontier.outlook)
        if self._settings.stay:
            return False
        if outlook.finished:
            self._finish("finished")
        elif outlook.spent:
            self._finish("budget")
        elif outlook.wait > self._settings.max_wait:
            self._finish("waiting")
        return self.departures.stopping

    async def _renew_forever(self) -> None:
        ttl = self._settings.ttl
        while True:
            await asyncio.sleep(ttl / 3)
            asked, tokens = time.monotonic(), self.hand.good()
            await self.call(self.frontier.renew, tokens, ttl)
            self.hand.renewed(tokens, asked + ttl)

    def _beat(self) -> Beat:
        return self._errands.sign_of_life(self._settings.name, len(self.hand), self.endings.pages)

    def _drain(self) -> None:
        if not self.draining:
            leases = len(self.hand)
            logger.info("asked to leave: takes no more, with %d leases in hand", leases, extra=fields(leases=leases))
        self.draining = True
        self.endings.news.set()

    def _on_job(self, job: Job) -> None:
        self.endings.scope = job.scope  # seeds may have joined
        self._engine.begun(job.run)

    async def _sort(self, leases: Iterable[Lease]) -> None:
        """Put leases on the lanes of their hosts."""
        fresh: dict[str, Lane] = {}
        for lease in leases:
            refusal = self._scope.refusal(_entry(lease))
            if refusal:  # the scope grew narrower since it was queued
                self.endings.exclude(lease, refusal)
                continue
            lane = self.departures.lane(lease.host) or fresh.get(lease.host)
            if lane is None:
                lane = fresh[lease.host] = Lane(lease.host, lease.delay)
            lane.leases.append(lease)
        if fresh:
            await self._brief(fresh)
        self.departures.open(fresh)

    async def _brief(self, lanes: dict[str, Lane]) -> None:
        """Give lanes the rules of their hosts and what is known of their traps, as far as they are known."""
        self._traps.read(lanes, await self.call(self.frontier.notes, trap_notes.NAME, list(lanes)))
        await self.probes.brief(lanes)
        sitemaps: list[Entry] = []
        for host, robots in (await self._rulebook.read(lanes)).items():
            if robots.verdict != "closed" and lanes[host].rules is None:
                self._put_off(lanes[host])
            elif robots.verdict != "closed":
                sitemaps += self._sitemaps_of(lanes[host])  # an earlier run may not have wanted them
            elif robots.failures >= politeness.tries_robots(robots.reason):
                self._shut(lanes[host], robots.reason)
        await self._offer(sitemaps)

    def _sitemaps_of(self, lane: Lane) -> list[Entry]:
        """Return the sitemaps of a lane's host as far as this crawl wants them, the rules of the host being known."""
        wanted = self._settings.sitemaps
        # A seed may have been redirected here.
        seeded = lane.host in self._scope.hosts or any(not lease.depth + lease.sitemap for lease in lane.leases)
        if wanted == "none" or not (seeded or wanted == "all") or lane.rules is None or not lane.leases:
            return []
        depth = 0 if seeded else min(lease.depth for lease in lane.leases)
        if depth >= self._scope.depth:  # what they name would be too deep
            return []
        return [self._scope.judged(entry) for entry in discovery.sitemaps_of(lane.robots_url, lane.rules, depth)]

    async def _offer(self, entries: list[Entry]) -> None:
        if entries:
            await self.call(self.frontier.add, entries)

    def _shut(self, lane: Lane, reason: str) -> None:
        """End all leases of a host whose robots.txt cannot be had: without it, nothing may be fetched (RFC 9309)."""
        while lane.leases:
            self.endings.decide(lane.leases.popleft(), Outcome.UNREACHABLE, f"robots.txt: {reason}", "failed")

    # ---------------------------------------------------------------- what hosts ask for

    def shuns(self, url: str) -> bool:
        """Return whether the owner of a URL's host wants no visits, not even for robots.txt of another."""
        return is_opted_out(urls.host_of(urls.canonical(url)), self._scope.opted_out)

    def robots_judged(self, lane: Lane, robots: Robots, retry_after: float | None = None) -> None:
        """Hear what a host's robots.txt says, and how long the host asked to be left alone, in seconds."""
        if robots.verdict != "closed" and not self._rulebook.obey(lane, robots):
            self._put_off(lane, robots)
            return
        if robots.verdict != "closed":
            self._tasks.spawn(self._keep_rules, lane, robots, self._sitemaps_of(lane))
            self.departures.advance(lane)
            return
        failures = lane.failures + 1
        told = fields(host=lane.host, reason=robots.reason)
        logger.info("robots.txt of %s cannot be had: %s", lane.host, robots.reason, extra=told)
        robots = msgspec.structs.replace(robots, failures=failures)
        wait = politeness.backoff(failures) if retry_after is None else retry_after
        self._tasks.spawn(self._rulebook.keep_closed, lane.host, robots, wait)
        if failures >= politeness.tries_robots(robots.reason):
            self._shut(lane, robots.reason)
        else:
            self.endings.give_back(lane, f"robots.txt: {robots.reason}")
        self.departures.close(lane)

    def _put_off(self, lane: Lane, robots: Robots | None = None) -> None:
        """Come back later to a host for whose rules there is no room: what they forbid is not known without them."""
        self._tasks.spawn(self._rulebook.put_off, lane.host, robots)
        self.endings.give_back(lane, NO_ROOM)
        self.departures.close(lane)

    async def _keep_rules(self, lane: Lane, robots: Robots, sitemaps: list[Entry]) -> None:
        # The rules go last: what is known of a host is not asked for again after a crash.
        await self._offer(sitemaps)
        await self._rulebook.keep(lane, robots)

    def probed(self, lane: Lane, visit: Visit | None, *, asked: bool = True) -> None:
        """Hear what a host answered to its probe, None: nothing; or that it was not ``asked`` after all."""
        lane.probing = False
        if asked:
            now = int(time.monotonic() * 1000) + self.hand.clock
            self._tasks.spawn(self.probes.heard, lane.host, visit, now)
        self.departures.advance(lane)

    def host_is_busy(self, host: str, status: int, retry_after: float | None) -> None:
        """Hear that a host asked to be left alone (429, 503): shut it for all nodes, give back what is in hand of it."""
        failures = max((lease.attempt for lease in self.hand if lease.host == host), default=1)
        wait = politeness.backoff(failures) if retry_after is None else retry_after
        told = fields(host=host, status=status, seconds=round(wait, 1))
        logger.info("%s answered %d: left alone for %.0f s", host, status, wait, extra=told)
        self._tasks.spawn(self.call, self.frontier.hold, host, wait, f"answered {status}")
        lane = self.departures.lane(host)
        if lane is not None:
            self.endings.give_back(lane, f"host answered {status}")

    # ---------------------------------------------------------------- the end

    def fail(self, error: LinkatlasError) -> None:
        """End the node because it cannot go on; what is in hand goes back to the frontier. Whoever started it tells why."""
        if self.failure is None:
            self.failure = error
            logger.info("ends: %s", error)
            self._finish("store_unavailable")

    def _finish(self, reason: str) -> None:
        self.departures.stopping = True
        self._engine.finish(reason)

    async def close(self) -> None:
        """Acknowledge what is stored, give back what was never fetched, let go of the frontier."""
        self.departures.stopping = True
        self.call.hurry(PARTING)
        tasks = self._tasks
        tasks.stop()
        await tasks.settled()  # some end leases
        await tasks.guarded(self.endings.drain)
        await tasks.settled()
        await tasks.guarded(self.endings.keep_notes)
        await tasks.guarded(self._leave)
        self.call.close()
        pages, name = self.endings.pages, self._settings.name
        logger.info("node %s has left: %d visits", name, pages, extra=fields(node=name, pages=pages))

    async def _leave(self) -> None:
        leases = list(self.hand)

        def leave() -> None:
            for lease in leases:
                self.frontier.release(lease.token, 0.0, "", counted=False)
            self.frontier.leave(self._settings.name)

        try:
            await self.call(leave)
        finally:
            self.frontier.close()


def _entry(lease: Lease) -> Entry:
    return Entry(
        url=lease.url,
        host=lease.host,
        domain=urls.domain_of(lease.host),
        depth=lease.depth,
        hops=lease.hops,
        sitemap=lease.sitemap,
    )
