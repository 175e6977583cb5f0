"""One node at work: takes leases, keeps each host's pace, ends every lease once its visit is durable.

Knows no Scrapy. The scheduler gives it four things to call (:class:`Engine`) and tells it what happened. The frontier is
only ever called on one thread of its own, so the event loop never waits for a store.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable, Set
from typing import Protocol

import msgspec

from crawler import crash, discovery, politeness, recrawl, trap_notes
from crawler.batches import Batches
from crawler.calls import Calls
from crawler.consent import is_opted_out
from crawler.errands import Errands, Sources
from crawler.frontier import SUSPECT, Beat, Completed, Entry, Frontier, Lease, Outlook, Robots
from crawler.job import Job
from crawler.lanes import Lane
from crawler.offers import Offers
from crawler.places import Places
from crawler.politeness import Rules
from crawler.scope import Scope
from crawler.trap_notes import TrapNotes
from linkindex import urls
from linkindex.errors import LinkatlasError
from linkindex.model import Outcome, Visit

logger = logging.getLogger(__name__)

_End = tuple[Lease, Completed, float]  # since when (monotonic) the visit is durable

RULES_REMEMBERED = 600.0  # s that parsed rules are used before the frontier is asked again
GATHER = 0.01  # s that an acknowledgement waits for others: a batch of visits becomes durable at one moment
IDLE_PAUSE = (0.05, 1.0)  # s, first and longest, between looks at a frontier that has nothing to lease
ADDRESS_LOOK = 0.5  # s, at most, between looks whether an address is free
PARTING = 5.0  # s that a node which ends waits for a store that is away


class Engine(Protocol):
    """What a node needs of the machine that fetches."""

    def fetch(self, lease: Lease, guessed: bool, clock: int) -> None:
        """Start the visit of a leased URL now; ``guessed``: a sitemap that may well not be there; ``clock``: ms that the
        frontier's clock is before this process' monotonic one."""

    def fetch_robots(self, lane: Lane) -> None:
        """Start fetching a host's robots.txt now."""

    async def address(self, host: str) -> str:
        """Return the address that a fetch of this host would connect to, "" where that cannot be told."""

    def decided(self, visit: Visit) -> None:
        """Store a visit that ended without a fetch."""

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
    sitemaps: str = "seeds"  # whose sitemaps are read: those of the hosts of seeds, of all hosts, of none
    stay: bool = False  # go on waiting for work when there is none
    patience: float = 600.0  # that a store may be away
    slow: float = 1.0  # times what an answer takes that a host is left alone, where there is a delay
    max_crawl_delay: float = politeness.MAX_CRAWL_DELAY
    recrawl: bool = False  # visit pages again when they may have changed
    per_address: bool = False  # hosts at one address share one gate


class Node:
    """The work of one process on one frontier."""

    def __init__(self, frontier: Frontier, scope: Scope, settings: Settings, engine: Engine, sources: Sources) -> None:
        self._frontier = frontier
        self._scope = scope
        self._settings = settings
        self._engine = engine
        self._call = Calls("frontier", settings.patience)
        self._errands = Errands(frontier, self._call, sources, self._beat, self._on_job)
        self._lanes: dict[str, Lane] = {}
        self._hand: dict[str, Lease] = {}  # URL -> its lease, from lease to acknowledgement
        self._good: dict[str, float] = {}  # token -> until when (monotonic) its lease holds, for all this node can know
        self._clock = 0  # ms from the monotonic clock to the frontier's
        self._places = Places(settings.concurrency)
        self._rules: dict[str, tuple[Rules, float]] = {}  # host -> rules, and when to ask the frontier again
        self._offers = Offers()
        self._traps = TrapNotes()
        self._decided: dict[str, tuple[str, str]] = {}  # URL -> end of its lease, decided without a fetch
        self._ends: Batches[_End] = Batches(self._acknowledge, settings.batch, GATHER, self._spawn)
        self._news = asyncio.Event()  # set when there is reason to look at the frontier again
        self._tasks: set[asyncio.Future[None]] = set()
        self._forever: list[asyncio.Future[None]] = []
        self._pages = 0
        self.stopping = False
        self.failure: LinkatlasError | None = None

    # ---------------------------------------------------------------- leases in

    def start(self) -> None:
        loops = (self._lease_forever, self._renew_forever, self._errands.beat_forever, self._errands.fetch_forever)
        self._forever = [asyncio.ensure_future(self._guarded(loop)) for loop in loops]

    async def _lease_forever(self) -> None:
        settings, pause = self._settings, IDLE_PAUSE[0]
        most = settings.concurrency * 4
        while not self.stopping:
            room = most - len(self._hand)
            leases: list[Lease] = []
            asked = time.monotonic()
            if room > most // 4:
                leases = await self._call(self._frontier.lease, room, settings.name, settings.ttl)
            if leases:
                crash.passing("lease")
                pause = IDLE_PAUSE[0]
                self._clock = leases[0].now - int(time.monotonic() * 1000)
                self._good.update((lease.token, asked + settings.ttl) for lease in leases)
                await self._take(leases)
                continue
            if not self._hand and await self._is_over():
                return
            self._news.clear()
            pause = IDLE_PAUSE[0] if await self._something_happens(pause) else min(pause * 2, IDLE_PAUSE[1])

    async def _something_happens(self, seconds: float) -> bool:
        """Wait for news of this node's own work, with nothing in hand for those of others'; False: there were none."""
        if self._hand:
            try:
                await asyncio.wait_for(self._news.wait(), seconds)
            except TimeoutError:
                return False
            return True
        began = time.monotonic()
        await self._errands.wait(seconds, self._news)
        return time.monotonic() - began < seconds

    async def _is_over(self) -> bool:
        outlook: Outlook = await self._call(self._frontier.outlook)
        if self._settings.stay:
            return False
        if outlook.finished:
            self._finish("finished")
        elif outlook.spent:
            self._finish("budget")
        elif outlook.wait > self._settings.max_wait:
            self._finish("waiting")
        return self.stopping

    def _finish(self, reason: str) -> None:
        self.stopping = True
        self._engine.finish(reason)

    async def _renew_forever(self) -> None:
        ttl = self._settings.ttl
        while True:
            await asyncio.sleep(ttl / 3)
            asked, good = time.monotonic(), self._good
            tokens = [lease.token for lease in self._hand.values() if good.get(lease.token, 0.0) > asked]
            await self._call(self._frontier.renew, tokens, ttl)
            self._good = {lease.token: good.get(lease.token, 0.0) for lease in self._hand.values()}
            self._good.update((token, asked + ttl) for token in tokens if token in self._good)

    def _beat(self) -> Beat:
        return self._errands.sign_of_life(self._settings.name, len(self._hand), self._pages)

    def _on_job(self, job: Job) -> None:
        self._scope = job.scope  # seeds may have joined

    async def _take(self, leases: Iterable[Lease]) -> None:
        fresh: dict[str, Lane] = {}
        for lease in leases:
            self._hand[lease.url] = lease
            refusal = self._scope.refusal(_entry(lease))
            if refusal:  # the scope grew narrower since it was queued
                self._exclude(lease, refusal)
                continue
            lane = self._lanes.get(lease.host) or fresh.get(lease.host)
            if lane is None:
                lane = fresh[lease.host] = Lane(lease.host, lease.delay)
            lane.leases.append(lease)
        await self._brief(fresh)
        self._lanes.update(fresh)
        for lane in fresh.values():
            self.advance(lane)

    async def _brief(self, lanes: dict[str, Lane]) -> None:
        """Give lanes the rules of their hosts and what is known of their traps, as far as they are known."""
        if lanes:
            self._traps.read(lanes, await self._call(self._frontier.notes, trap_notes.NAME, list(lanes)))
        now = time.monotonic()
        for host, lane in lanes.items():
            rules, until = self._rules.get(host, (None, 0.0))
            if rules and until > now:
                lane.obey(rules)
        unknown = [host for host, lane in lanes.items() if lane.rules is None]
        known: dict[str, Robots] = await self._call(self._frontier.robots, unknown) if unknown else {}
        sitemaps: list[Entry] = []
        for host, robots in known.items():
            lane = lanes[host]
            lane.failures = robots.failures
            if robots.verdict != "closed":
                self._obey(lane, robots)
                sitemaps += self._sitemaps_of(lane)  # an earlier run may not have wanted them
            elif robots.failures >= politeness.tries_robots(robots.reason):
                self._close(lane, robots.reason)
        await self._offer(sitemaps)

    def _obey(self, lane: Lane, robots: Robots) -> None:
        rules = Rules(robots, most_delay=self._settings.max_crawl_delay)
        lane.obey(rules)
        if len(self._rules) >= 10_000:
            self._rules.clear()
        self._rules[lane.host] = (rules, time.monotonic() + RULES_REMEMBERED)

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
            await self._call(self._frontier.add, entries)

    def _close(self, lane: Lane, reason: str) -> None:
        """End all leases of a host whose robots.txt cannot be had: without it, nothing may be fetched (RFC 9309)."""
        while lane.leases:
            self._decide(lane, Outcome.UNREACHABLE, f"robots.txt: {reason}", "failed")

    # ---------------------------------------------------------------- fetches out

    def advance(self, lane: Lane) -> None:
        """Start whatever may be started on a lane now, or come back when it may."""
        if lane.busy:
            return
        while lane.leases and lane.rules:
            if not lane.rules.allows(lane.leases[0].url):
                self._decide(lane, Outcome.BLOCKED, "robots", "excluded")
            elif refusal := self._traps.refusal(lane.leases[0]):
                self._exclude(lane.leases.popleft(), refusal)
            else:
                break
        if not lane.leases:
            self._lanes.pop(lane.host, None)
            return
        lane.busy = True
        wait = lane.wait(time.monotonic())
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, self._queue, lane)
        else:
            self._queue(lane)

    def _queue(self, lane: Lane) -> None:
        if self._settings.per_address:
            self._spawn(self._pass_gate, lane)
        else:
            self._places.ask(lane)
            self._depart()

    async def _pass_gate(self, lane: Lane) -> None:
        """Queue a lane once no other host at its address is being fetched from, or was a moment ago."""
        lane.address = await self._engine.address(lane.host)
        while lane.address and not self.stopping:
            claim = (f"address {lane.address}", f"{self._settings.name} {lane.host}", self._settings.ttl)
            wait: float = await self._call(self._frontier.claim, *claim)
            if not wait:
                break
            await asyncio.sleep(min(wait, ADDRESS_LOOK))
        self._places.ask(lane)
        self._depart()

    def _leave_gate(self, lane: Lane) -> None:
        if lane.address:
            claim = (f"address {lane.address}", f"{self._settings.name} {lane.host}", lane.delay)
            self._spawn(self._call, self._frontier.unclaim, *claim)

    def _depart(self) -> None:
        """Start the fetches for which there is a place."""
        if self.stopping:
            return
        for lane in self._places.next():
            if self._drop_expired(lane) or not lane.leases:  # or they were given back meanwhile
                self._leave_gate(lane)
                lane.busy = False
                self.advance(lane)
                continue
            lane.began = time.monotonic()
            if lane.rules is None:
                self._engine.fetch_robots(lane)
            else:
                lease = lane.leases.popleft()
                self._places.take(lease.url, lease.crashes)
                guessed = bool(lease.sitemap) and discovery.is_guess(lease, lane.rules)
                if lease.crashes < SUSPECT:
                    self._engine.fetch(lease, guessed, self._clock)
                else:
                    self._spawn(self._fetch_suspect, lease, guessed)

    async def _fetch_suspect(self, lease: Lease, guessed: bool) -> None:
        await self._call(self._frontier.depart, lease.token)
        self._engine.fetch(lease, guessed, self._clock)

    def _drop_expired(self, lane: Lane) -> int:
        """Let go of leases that ran out while this node slept or could not renew them: others have those URLs by now.

        Return how many; what is then the first of the lane is still to be judged.
        """
        now, before = time.monotonic(), len(lane.leases)
        while lane.leases:
            lease = lane.leases[0]
            if self._hand.get(lease.url) is lease and self._good.get(lease.token, now) > now:
                break
            self._let_go(lane.leases.popleft())
        return before - len(lane.leases)

    def _let_go(self, lease: Lease) -> None:
        """Have a lease in hand no more; the same URL may have been leased again meanwhile, which stays."""
        if self._hand.get(lease.url) is lease:
            del self._hand[lease.url]
            self._places.free(lease.url)

    def fetch_ended(self, host: str) -> None:
        """Hear that the fetch under way on a host has ended, however it did."""
        lane = self._lanes.get(host)
        if lane is not None and lane.busy:
            lane.fetch_ended(time.monotonic(), self._settings.slow)
            self._leave_gate(lane)
            if lane.rules is not None:  # else its answer to robots.txt is still to be judged
                self.advance(lane)

    def shuns(self, url: str) -> bool:
        """Return whether the owner of a URL's host wants no visits, not even for robots.txt of another."""
        return is_opted_out(urls.host_of(urls.canonical(url)), self._scope.opted_out)

    def robots_judged(self, lane: Lane, robots: Robots, retry_after: float | None = None) -> None:
        """Hear what a host's robots.txt says, and how long the host asked to be left alone, in seconds."""
        if robots.verdict != "closed":
            self._obey(lane, robots)
            self._spawn(self._keep_rules, lane, robots, self._sitemaps_of(lane))
            self.advance(lane)
            return
        failures = lane.failures + 1
        robots = msgspec.structs.replace(robots, failures=failures)
        wait = politeness.backoff(failures) if retry_after is None else retry_after
        self._spawn(self._keep_closed, lane.host, robots, wait)
        if failures >= politeness.tries_robots(robots.reason):
            self._close(lane, robots.reason)
        else:
            self._give_back(lane, 0.0, f"robots.txt: {robots.reason}")
        self._lanes.pop(lane.host, None)

    async def _keep_rules(self, lane: Lane, robots: Robots, sitemaps: list[Entry]) -> None:
        # The rules go last: what is known of a host is not asked for again after a crash.
        await self._offer(sitemaps)
        assert lane.rules is not None
        if lane.rules.crawl_delay:
            await self._call(self._frontier.set_delay, lane.host, lane.rules.crawl_delay)
        crash.passing("rules")
        await self._call(self._frontier.put_robots, lane.host, robots, politeness.ROBOTS_FRESH)

    async def _keep_closed(self, host: str, robots: Robots, wait: float) -> None:
        # The hold goes first: the leases that are given back meanwhile must find the host shut.
        if robots.failures < politeness.tries_robots(robots.reason):
            await self._call(self._frontier.hold, host, wait, f"robots.txt: {robots.reason}")
        await self._call(self._frontier.put_robots, host, robots, politeness.ROBOTS_FRESH)

    def host_is_busy(self, host: str, status: int, retry_after: float | None) -> None:
        """Hear that a host asked to be left alone (429, 503): shut it for all nodes, give back what is in hand of it."""
        lane = self._lanes.get(host)
        failures = max((lease.attempt for lease in self._hand.values() if lease.host == host), default=1)
        wait = politeness.backoff(failures) if retry_after is None else retry_after
        self._spawn(self._call, self._frontier.hold, host, wait, f"answered {status}")
        if lane is not None:
            self._give_back(lane, 0.0, f"host answered {status}")

    # ---------------------------------------------------------------- leases end

    def visit_durable(self, visit: Visit, ago: float, etag: str = "", modified: str = "") -> None:
        """Hear that a visit is in the index, ``ago`` seconds after its fetch ended: its lease may end.

        ``etag`` and ``modified`` are what the answer's ETag and Last-Modified said.
        """
        lease = self._hand.get(visit.url)
        if lease is None:  # it ran out meanwhile
            self._places.free(visit.url)
            self._depart()
            return
        decided = self._decided.pop(visit.url, None)
        if decided:
            state, reason = decided
            self._end(lease, Completed(token=lease.token, state=state, reason=reason, ago=ago))
        elif (visit.outcome.transient or visit.status == 429) and lease.attempt < self._settings.retries:
            self._release(lease, politeness.backoff(lease.attempt), visit.reason)
        elif strangers := discovery.strangers(visit):
            self._spawn(self._end_sitemap, lease, visit, ago, strangers, (etag, modified))
        else:
            self._end_visit(lease, visit, ago, (etag, modified))

    async def _end_sitemap(
        self, lease: Lease, visit: Visit, ago: float, strangers: set[str], validators: tuple[str, str]
    ) -> None:
        """End the visit of a sitemap that names pages of others: whether it may is in their robots.txt."""
        began = time.monotonic()
        known: dict[str, Robots] = await self._call(self._frontier.robots, strangers)
        vouching = {host for host, robots in known.items() if discovery.vouches(robots, visit.host)}
        self._end_visit(lease, visit, ago + time.monotonic() - began, validators, strangers - vouching)

    def _end_visit(
        self, lease: Lease, visit: Visit, ago: float, validators: tuple[str, str], refused: Set[str] = frozenset()
    ) -> None:
        state, reason = _end_of(visit)
        found = discovery.entries(lease, visit, self._offers, refused)
        judged = [entry if entry.excluded else self._scope.judged(entry) for entry in found]
        pause = self._settings.slow * visit.elapsed / 1000 if lease.delay else 0.0
        rules, _ = self._rules.get(lease.host, (None, 0.0))
        pause = max(pause, rules.crawl_delay if rules else 0.0)  # which the frontier may not have heard of yet
        led = tuple(self._traps.heard(lease, visit, judged))
        end = Completed(token=lease.token, state=state, reason=reason, ago=ago, pause=pause, discovered=led)
        if self._settings.recrawl and state != "excluded":
            since = recrawl.before(visit, lease.memo)
            if since is not None and (news := discovery.changed(lease, visit, since, refused)):
                self._spawn(self._visit_again, [self._scope.judged(entry) for entry in news])
            due, memo = recrawl.plan(visit, lease.memo, *validators)
            end = msgspec.structs.replace(end, state="done", next_due=due, memo=memo)
        self._end(lease, end)

    async def _visit_again(self, entries: list[Entry]) -> None:
        await self._call(lambda: self._frontier.add(entries, again=True))

    def visit_lost(self, url: str, reason: str) -> None:
        """Hear that a visit did not come to be, by a fault of ours: try again later, a few times."""
        lease = self._hand.get(url)
        if lease is None:
            self._places.free(url)
            self._depart()
            return
        if lease.attempt < self._settings.retries:
            self._release(lease, politeness.backoff(lease.attempt), reason)
        else:
            self._end(lease, Completed(token=lease.token, state="failed", reason=reason))

    def _decide(self, lane: Lane, outcome: Outcome, reason: str, state: str) -> None:
        """End the lane's first lease without a fetch: the visit says why, and goes the way of all visits."""
        lease = lane.leases.popleft()
        self._decided[lease.url] = (state, reason)
        at = int(time.monotonic() * 1000) + self._clock
        self._engine.decided(Visit(url=lease.url, at=at, outcome=outcome, reason=reason, depth=lease.depth))

    def _give_back(self, lane: Lane, not_before: float, reason: str) -> None:
        while lane.leases:
            self._release(lane.leases.popleft(), not_before, reason, counted=False)

    def _release(self, lease: Lease, not_before: float, reason: str, *, counted: bool = True) -> None:
        """Give a lease back; from now on it is in hand no more, whatever else is heard of it."""
        if self._hand.get(lease.url) is lease:
            del self._hand[lease.url]
        self._spawn(self._give, lease, not_before, reason, counted)

    async def _give(self, lease: Lease, not_before: float, reason: str, counted: bool) -> None:
        crash.passing("release")
        await self._call(lambda: self._frontier.release(lease.token, not_before, reason, counted=counted))
        self._places.free(lease.url)
        self._depart()
        self._news.set()

    def _exclude(self, lease: Lease, reason: str) -> None:
        self._end(lease, Completed(token=lease.token, state="excluded", reason=reason))

    def _end(self, lease: Lease, end: Completed) -> None:
        self._ends.put((lease, end, time.monotonic()))

    async def _acknowledge(self, batch: list[_End]) -> None:
        ending = {lease.url for lease, _, _ in batch}
        await self._keep_notes({lease.host for url, lease in self._hand.items() if url not in ending})
        lost = await self._call(self._complete, batch)
        if lost:
            logger.warning("%d leases had run out before their visits were stored; they are visited again", len(lost))
        self._pages += len(batch) - len(lost)
        refused = set(lost)
        for lease, end, _ in batch:
            if lease.token not in refused:
                self._offers.heard(end.discovered, urls.domain_of(lease.host))
            self._let_go(lease)
        self._depart()
        if not {lease.host for lease, _, _ in batch} <= {lease.host for lease in self._hand.values()}:
            self._news.set()  # a host is let go: there may be more of it

    def _complete(self, batch: list[_End]) -> list[str]:
        now = time.monotonic()
        ends = [msgspec.structs.replace(end, ago=end.ago + now - since) for _, end, since in batch]
        crash.passing("complete")
        lost = self._frontier.complete_many(ends)
        crash.passing("completed")
        return lost

    async def _keep_notes(self, held: Set[str] = frozenset()) -> None:
        """Write down what was learned of hosts, before their last leases end and another node may have them."""
        notes = self._traps.leave(held)
        if notes:
            await self._call(self._frontier.put_notes, trap_notes.NAME, notes)

    async def close(self) -> None:
        """Acknowledge what is stored, give back what was never fetched, let go of the frontier."""
        self.stopping = True
        self._call.patience = PARTING
        for task in self._forever:
            task.cancel()
        while self._tasks:  # some end leases
            await asyncio.wait(self._tasks)
        await self._guarded(self._ends.drain)
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self._guarded(self._keep_notes)
        await self._guarded(self._leave)
        self._call.close()

    async def _leave(self) -> None:
        leases = list(self._hand.values())

        def leave() -> None:
            for lease in leases:
                self._frontier.release(lease.token, 0.0, "", counted=False)
            self._frontier.leave(self._settings.name)

        try:
            await self._call(leave)
        finally:
            self._frontier.close()

    # ---------------------------------------------------------------- machinery

    def _spawn(self, work: Callable[..., Coroutine[object, object, object]], *arguments: object) -> None:
        """Run work beside the rest; a frontier that fails ends the node, with what it says."""
        task = asyncio.ensure_future(self._guarded(work, *arguments))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Callable[..., Coroutine[object, object, object]], *arguments: object) -> None:
        try:
            await work(*arguments)
        except LinkatlasError as error:
            self.fail(error)
        except Exception as error:  # a bug of ours: without this step leases would never end, nor the crawl
            logger.exception("a bug, sorry")
            self.fail(LinkatlasError(f"a bug, sorry: {type(error).__name__}: {error}; please report it"))

    def fail(self, error: LinkatlasError) -> None:
        """End the node because it cannot go on; what is in hand goes back to the frontier."""
        if self.failure is None:
            self.failure = error
            logger.error("%s", error)
            self._finish("store_unavailable")


def _entry(lease: Lease) -> Entry:
    return Entry(
        url=lease.url,
        host=lease.host,
        domain=urls.domain_of(lease.host),
        depth=lease.depth,
        hops=lease.hops,
        sitemap=lease.sitemap,
    )


def _end_of(visit: Visit) -> tuple[str, str]:
    """Return the state in which a visited URL ends, with the reason: failed means that there was no answer to use."""
    if visit.outcome is Outcome.UNREACHABLE or visit.status == 429:
        return "failed", visit.reason
    if visit.reason == discovery.NO_SITEMAP:  # a guess of ours: no page that anybody links to is missing
        return "excluded", visit.reason
    return "done", ""
