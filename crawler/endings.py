"""How leases end: with a visit that is durable, without one, or given back. What a visit led to enters the frontier with it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Set

import msgspec

from crawler import crash, discovery, politeness, recrawl, trap_notes
from crawler.contract import Engine, Settings
from crawler.frontier import Completed, Entry, Frontier, Lease, Robots
from crawler.hand import Hand
from crawler.lanes import Lane
from crawler.lines import fields, request_of
from crawler.metrics import Metrics
from crawler.offers import Offers
from crawler.places import Places
from crawler.rulebook import Rulebook
from crawler.scope import Scope
from crawler.tasks import Tasks
from crawler.trap_notes import TrapNotes
from linkindex import urls
from linkindex.batches import Batches
from linkindex.calls import Calls
from linkindex.model import Outcome, Visit

logger = logging.getLogger(__name__)

_End = tuple[Lease, Completed, float]  # since when (monotonic) the visit is durable

GATHER = 0.01  # s that an acknowledgement waits for others: a batch of visits becomes durable at one moment


class Endings:
    """One node's. A place that a visit had is free once its lease has ended; then ``freed`` is called."""

    def __init__(
        self,
        frontier: Frontier,
        call: Calls,
        settings: Settings,
        engine: Engine,
        hand: Hand,
        places: Places,
        tasks: Tasks,
        rulebook: Rulebook,
        traps: TrapNotes,
        metrics: Metrics,
        freed: Callable[[], None],
    ) -> None:
        self._frontier = frontier
        self._call = call
        self._settings = settings
        self._engine = engine
        self._hand = hand
        self._places = places
        self._tasks = tasks
        self._rulebook = rulebook
        self._traps = traps
        self._metrics = metrics
        self._freed = freed
        self._offers = Offers()
        self._decided: dict[str, tuple[str, str]] = {}  # URL -> end of its lease, decided without a fetch
        self._ends: Batches[_End] = Batches(self._acknowledge, settings.batch, GATHER, tasks.spawn)
        self.scope = Scope()
        self.pages = 0  # visits that were acknowledged
        self.news = asyncio.Event()  # set when there is reason to look at the frontier again

    # ---------------------------------------------------------------- with a visit

    def visit_durable(self, visit: Visit, ago: float, etag: str = "", modified: str = "") -> None:
        """Hear that a visit is in the index, ``ago`` seconds after its fetch ended: its lease may end.

        ``etag`` and ``modified`` are what the answer's ETag and Last-Modified said.
        """
        lease = self._hand.get(visit.url)
        if lease is None:  # it ran out meanwhile
            self._free(visit.url)
            return
        decided = self._decided.pop(visit.url, None)
        if decided:
            state, reason = decided
            self._end(lease, Completed(token=lease.token, state=state, reason=reason, ago=ago))
        elif (visit.outcome.transient or visit.status == 429) and lease.attempt < self._settings.retries:
            self.release(lease, politeness.backoff(lease.attempt), visit.reason)
        elif strangers := discovery.strangers(visit):
            self._tasks.spawn(self._end_sitemap, lease, visit, ago, strangers, (etag, modified))
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
        judged = [entry if entry.excluded else self.scope.judged(entry) for entry in found]
        pause = self._settings.slow * visit.elapsed / 1000 if lease.delay else 0.0
        pause = max(pause, self._rulebook.crawl_delay(lease.host))
        led = tuple(self._traps.heard(lease, visit, judged))
        end = Completed(token=lease.token, state=state, reason=reason, ago=ago, pause=pause, discovered=led)
        if self._settings.recrawl and state != "excluded":
            since = recrawl.before(visit, lease.memo)
            if since is not None and (news := discovery.changed(lease, visit, since, refused)):
                self._tasks.spawn(self._visit_again, [self.scope.judged(entry) for entry in news])
            due, memo = recrawl.plan(visit, lease.memo, *validators)
            end = msgspec.structs.replace(end, state="done", next_due=due, memo=memo)
        self._end(lease, end)

    async def _visit_again(self, entries: list[Entry]) -> None:
        await self._call(lambda: self._frontier.add(entries, again=True))

    # ---------------------------------------------------------------- without one

    def decide(self, lease: Lease, outcome: Outcome, reason: str, state: str) -> None:
        """End a lease without a fetch: the visit says why, and goes the way of all visits."""
        self._decided[lease.url] = (state, reason)
        at = int(time.monotonic() * 1000) + self._hand.clock
        self._engine.decided(Visit(url=lease.url, at=at, outcome=outcome, reason=reason, depth=lease.depth))

    def exclude(self, lease: Lease, reason: str) -> None:
        self._end(lease, Completed(token=lease.token, state="excluded", reason=reason))

    def visit_lost(self, url: str, reason: str) -> None:
        """Hear that a visit did not come to be, by a fault of ours: try again later, a few times."""
        lease = self._hand.get(url)
        if lease is None:
            self._free(url)
        elif lease.attempt < self._settings.retries:
            self.release(lease, politeness.backoff(lease.attempt), reason)
        else:
            self._end(lease, Completed(token=lease.token, state="failed", reason=reason))

    def fetch_given_up(self, lease: Lease) -> None:
        """Hear that a fetch was given up, because its lease had run out before it could begin or because the node ends."""
        self.release(lease, 0.0, "given up", counted=False)

    def give_back(self, lane: Lane, reason: str) -> None:
        """Give all leases of a lane back: they are no worse for it."""
        while lane.leases:
            self.release(lane.leases.popleft(), 0.0, reason, counted=False)

    def release(self, lease: Lease, not_before: float, reason: str, *, counted: bool = True) -> None:
        """Give a lease back; from now on it is in hand no more, whatever else is heard of it."""
        if counted and logger.isEnabledFor(logging.DEBUG):
            request, url = request_of(lease.token), lease.url
            told = fields(request=request, url=url, reason=reason, attempt=lease.attempt)
            logger.debug("%s %s: %s; tried again in %.0f s", request, url, reason, not_before, extra=told)
        self._hand.let_go(lease)
        self._tasks.spawn(self._give, lease, not_before, reason, counted)

    async def _give(self, lease: Lease, not_before: float, reason: str, counted: bool) -> None:
        crash.passing("release")
        await self._call(lambda: self._frontier.release(lease.token, not_before, reason, counted=counted))
        self._free(lease.url)
        self.news.set()

    # ---------------------------------------------------------------- in the frontier

    def _end(self, lease: Lease, end: Completed) -> None:
        self._ends.put((lease, end, time.monotonic()))

    async def _acknowledge(self, batch: list[_End]) -> None:
        await self.keep_notes(self._hand.hosts(but={lease.url for lease, _, _ in batch}))
        began = time.monotonic()
        lost = await self._call(self._complete, batch)
        self._metrics.completed(time.monotonic() - began, len(lost))
        if lost:
            line = "%d leases had run out before their visits were stored; they are visited again"
            logger.warning(line, len(lost), extra=fields(requests=[request_of(token) for token in lost]))
        self.pages += len(batch) - len(lost)
        refused = set(lost)
        for lease, end, _ in batch:
            if lease.token not in refused:
                self._offers.heard(end.discovered, urls.domain_of(lease.host))
            # A lease that ran out may be back in hand as another, which still waits for the place of this one.
            self._places.free(lease.url, None if self._hand.let_go(lease) else lease)
        self._freed()
        if not {lease.host for lease, _, _ in batch} <= self._hand.hosts():
            self.news.set()  # a host is let go: there may be more of it

    def _complete(self, batch: list[_End]) -> list[str]:
        now = time.monotonic()
        ends = [msgspec.structs.replace(end, ago=end.ago + now - since) for _, end, since in batch]
        crash.passing("complete")
        lost = self._frontier.complete_many(ends)
        crash.passing("completed")
        return lost

    @property
    def waiting(self) -> int:
        """How many leases are to end that have not."""
        return len(self._ends)

    async def drain(self) -> None:
        """Acknowledge all there is."""
        await self._ends.drain()

    async def keep_notes(self, held: Set[str] = frozenset()) -> None:
        """Write down what was learned of hosts, before their last leases end and another node may have them."""
        notes = self._traps.leave(held)
        if notes:
            await self._call(self._frontier.put_notes, trap_notes.NAME, notes)

    def _free(self, url: str) -> None:
        self._places.free(url)
        self._freed()


def _end_of(visit: Visit) -> tuple[str, str]:
    """Return the state in which a visited URL ends, with the reason: failed means that there was no answer to use."""
    if visit.outcome is Outcome.UNREACHABLE or visit.status == 429:
        return "failed", visit.reason
    if visit.reason == discovery.NO_SITEMAP:  # a guess of ours: no page that anybody links to is missing
        return "excluded", visit.reason
    return "done", ""
