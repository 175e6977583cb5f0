"""From leases to fetches: each host at its pace, hosts of one address in turn, no more at once than there are places."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from crawler import discovery
from crawler.contract import Engine, Settings
from crawler.endings import Endings
from crawler.frontier import SUSPECT, Frontier, Lease
from crawler.hand import Hand
from crawler.lanes import Lane
from crawler.places import Places
from crawler.probes import Probes
from crawler.tasks import Tasks
from crawler.trap_notes import TrapNotes
from linkindex.calls import Calls
from linkindex.model import Outcome

ADDRESS_LOOK = 0.5  # s, at most, between looks whether an address is free


class Departures:
    """One node's lanes."""

    def __init__(
        self,
        frontier: Frontier,
        call: Calls,
        settings: Settings,
        engine: Engine,
        hand: Hand,
        places: Places,
        tasks: Tasks,
        traps: TrapNotes,
        probes: Probes,
        endings: Endings,
    ) -> None:
        self._frontier = frontier
        self._call = call
        self._settings = settings
        self._engine = engine
        self._hand = hand
        self._places = places
        self._tasks = tasks
        self._traps = traps
        self._probes = probes
        self._endings = endings
        self._lanes: dict[str, Lane] = {}
        self.stopping = False

    def lane(self, host: str) -> Lane | None:
        return self._lanes.get(host)

    def open(self, lanes: Mapping[str, Lane]) -> None:
        """Take in lanes of hosts that were not here."""
        self._lanes.update(lanes)
        for lane in lanes.values():
            self.advance(lane)

    def close(self, lane: Lane) -> None:
        """Have a lane no more that has no leases."""
        self._lanes.pop(lane.host, None)

    def advance(self, lane: Lane) -> None:
        """Start whatever may be started on a lane now, or come back when it may."""
        if lane.busy:
            return
        while lane.leases and lane.rules:
            if not lane.rules.allows(lane.leases[0].url):
                self._endings.decide(lane.leases.popleft(), Outcome.BLOCKED, "robots", "excluded")
            elif refusal := self._traps.refusal(lane.leases[0]):
                self._endings.exclude(lane.leases.popleft(), refusal)
            else:
                break
        if not lane.leases:
            self.close(lane)
            return
        lane.busy = True
        wait = lane.wait(time.monotonic())
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, self._queue, lane)
        else:
            self._queue(lane)

    def fetch_ended(self, host: str) -> None:
        """Hear that the fetch under way on a host has ended, however it did."""
        lane = self._lanes.get(host)
        if lane is not None and lane.busy:
            lane.fetch_ended(time.monotonic(), self._settings.slow)
            self._leave_gate(lane)
            if lane.rules is not None and not lane.probing:  # else there is an answer still to be judged
                self.advance(lane)

    def _queue(self, lane: Lane) -> None:
        if self._settings.per_address:
            self._tasks.spawn(self._pass_gate, lane)
        else:
            self._places.ask(lane)
            self.depart()

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
        self.depart()

    def _leave_gate(self, lane: Lane) -> None:
        if lane.address:
            claim = (f"address {lane.address}", f"{self._settings.name} {lane.host}", lane.delay)
            self._tasks.spawn(self._call, self._frontier.unclaim, *claim)

    def depart(self) -> None:
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
            elif probe := self._probes.take(lane):
                self._engine.fetch_probe(lane, probe, self._hand.clock)
            else:
                self._fetch(lane.leases.popleft(), lane)

    def _fetch(self, lease: Lease, lane: Lane) -> None:
        self._places.take(lease)
        guessed = bool(lease.sitemap) and lane.rules is not None and discovery.is_guess(lease, lane.rules)
        if lease.crashes < SUSPECT:
            self._engine.fetch(lease, guessed, self._hand.clock)
        else:
            self._tasks.spawn(self._fetch_suspect, lease, guessed)

    async def _fetch_suspect(self, lease: Lease, guessed: bool) -> None:
        await self._call(self._frontier.depart, lease.token)
        self._engine.fetch(lease, guessed, self._hand.clock)

    def _drop_expired(self, lane: Lane) -> int:
        """Let go of leases that ran out while this node slept or could not renew them: others have those URLs by now.

        Return how many; what is then the first of the lane is still to be judged.
        """
        before = len(lane.leases)
        while lane.leases and not self._hand.holds(lane.leases[0]):
            lease = lane.leases.popleft()
            if self._hand.let_go(lease):
                self._places.free(lease.url)
        return before - len(lane.leases)
