"""What a node does beside visiting: it gives signs of life, takes in what people push, and fetches what waits outside."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Protocol

from crawler.frontier import Beat, Entry, Frontier
from crawler.job import Job, admit, read_job
from crawler.scope import Scope
from linkindex.calls import Calls
from linkindex.errors import Unavailable

BEAT = 2.0  # s between signs of life; within this a store that was emptied is noticed
LOOK = 2.0  # s between looks for seeds that people pushed, and for hosts whose queue runs low
_BATCH = 1000  # URLs
_HUNGRY = 8  # hosts
_RATE_OVER = 60.0  # s


class Sources(Protocol):
    """Where entries come from that no visit leads to."""

    def waiting(self, host: str, scope: Scope) -> Iterator[Entry]:
        """Yield what the index knows of a host's URLs, as ``scope`` judges them. Called on threads of its own."""

    def keep(self, job: Job) -> None:
        """Keep the job where it outlives the frontier. Called on threads of its own."""


class Errands:
    """Loops that run as long as the node does."""

    def __init__(
        self,
        frontier: Frontier,
        call: Calls,
        sources: Sources,
        beat: Callable[[], Beat],
        on_job: Callable[[Job], None],
        on_drain: Callable[[], None],
    ) -> None:
        self._frontier = frontier
        self._call = call
        self._sources = sources
        self._beat = beat
        self._on_job = on_job
        self._on_drain = on_drain
        self._samples: deque[tuple[float, int]] = deque()  # time, pages
        self._job = Job()
        self._started = int(time.time() * 1000)

    async def beat_forever(self) -> None:
        while True:
            if await self._call(self._frontier.beat, self._beat()):
                self._on_drain()
            await asyncio.sleep(BEAT)

    def sign_of_life(self, name: str, hand: int, pages: int) -> Beat:
        """Return the beat of a node with ``hand`` leases that has ended ``pages`` visits so far."""
        now = time.monotonic()
        while self._samples and self._samples[0][0] < now - _RATE_OVER:
            self._samples.popleft()
        self._samples.append((now, pages))
        (since, before) = self._samples[0]
        rate = (pages - before) / (now - since) if now > since else 0.0
        return Beat(node=name, started=self._started, hand=hand, pages=pages, rate=rate)

    async def fetch_forever(self) -> None:
        while True:
            while texts := await self._call(self._frontier.arrivals, _BATCH):
                await self._call(admit, self._frontier, texts)
                await self._call(self._frontier.arrived, texts)
            job: Job = await self._call(read_job, self._frontier)
            if job != self._job:
                self._on_job(job)
                await self._keep(job)
            for host in await self._call(self._frontier.hungry, _HUNGRY):
                await self._feed(host)
            await asyncio.sleep(LOOK)

    async def _keep(self, job: Job) -> None:
        with suppress(Unavailable):  # the index is away, as those who store will say: next time
            await asyncio.to_thread(self._sources.keep, job)
            self._job = job

    async def _feed(self, host: str) -> None:
        waiting = self._sources.waiting(host, self._job.scope)
        while True:
            try:
                batch = await asyncio.to_thread(_some, waiting)
            except Unavailable:
                return  # the host is hungry still, and is asked for again
            if not batch:
                break
            added = await self._call(self._frontier.add, batch)
            if added.waiting:
                await self._call(self._frontier.fed, host, True)
                return
        await self._call(self._frontier.fed, host, False)

    async def wait(self, seconds: float, news: asyncio.Event) -> None:
        """Return after ``seconds``, at ``news``, or when another node has queued something."""
        tasks = [
            asyncio.ensure_future(asyncio.to_thread(self._frontier.wait, seconds)),
            asyncio.ensure_future(news.wait()),
        ]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        for task in done:
            with suppress(Unavailable):  # the next call says so, and is patient
                task.result()


def _some(entries: Iterator[Entry]) -> list[Entry]:
    return list(islice(entries, _BATCH))
