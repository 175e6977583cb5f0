"""Writes visits to the link index in batches, off the event loop. An item leaves here once its batch is durable.

An index that is away is waited for: what was to be written is kept, and nothing is acknowledged meanwhile. A node has no more
visits under way than it has places, and a place is free again when its visit was acknowledged; so no more is kept than that.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Self

from linkindex.batches import Batches
from linkindex.calls import Calls
from linkindex.errors import LinkatlasError
from linkindex.history import DAY, Patience
from linkindex.model import Visit
from linkindex.store import LinkIndex, open_index
from settings import signals
from settings.ending import end_soon
from settings.options import from_scrapy

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.signalmanager import SignalManager

    from settings.options import Options

logger = logging.getLogger(__name__)

ANSWER = 2.0  # s that one try waits for an index that is away, or that others write to
PARTING = 1.0  # s that a node which ends waits for an index that is away

_Item = tuple[Visit, asyncio.Future[None]]


class StorePipeline:
    """Scrapy item pipeline; the options say which index, and how (``LINKATLAS_INDEX``, ``_BATCH``, ``_STORE_WAIT``…).

    Raises what the index raises for every item of a batch that failed: :class:`linkindex.errors.Unavailable` when it was
    away for longer than ``store_wait``.
    """

    def __init__(self, index: LinkIndex, signals: SignalManager, batch: int, interval: float, wait: float) -> None:
        self._index = index
        self._signals = signals
        self._run = ""
        # One thread: writes keep their order, and SQLite takes one writer at a time anyway.
        self._call = Calls("index", wait)
        self._batches: Batches[_Item] = Batches(self._store, batch, interval, self._spawn)
        self._tasks: set[asyncio.Future[None]] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        options = from_scrapy(crawler.settings)
        hub = crawler.signals
        try:
            index = index_of(options)
        except LinkatlasError as error:
            if getattr(crawler.spider, "checked", False):  # whoever started it tells of it
                raise
            logger.error("%s", error)
            end_soon(error.exit_code)
        pipeline = cls(index, hub, options.batch, options.flush_interval, options.store_wait)
        crawler.signals.connect(pipeline.run_named, signals.run_named)
        crawler.signals.connect(pipeline.stopping, signals.stopping)
        return pipeline

    def run_named(self, run: str) -> None:
        self._run = run

    def stopping(self) -> None:
        self._call.hurry(PARTING)

    def open_spider(self) -> None:
        self._signals.send_catch_log(signals.storing, calls=self._call, waiting=self._batches.__len__)

    async def process_item(self, item: Visit) -> Visit:
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._batches.put((item, durable))
        await durable
        return item

    async def _store(self, batch: list[_Item]) -> None:
        began = time.monotonic()
        try:
            await self._call(self._index.store, [visit for visit, _ in batch], self._run)
        except Exception as error:  # noqa: BLE001  # each item tells it on; the scheduler decides
            for _, durable in batch:
                durable.set_exception(error)
        else:
            self._signals.send_catch_log(signals.stored, seconds=time.monotonic() - began)
            for _, durable in batch:
                if not durable.done():
                    durable.set_result(None)

    def _spawn(self, work: Callable[[], Coroutine[object, object, None]]) -> None:
        task = asyncio.ensure_future(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close_spider(self) -> None:
        await self._batches.drain()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._call.close()
        self._index.close()


def index_of(options: Options) -> LinkIndex:
    """Open the index that the options name, to write to it as they say."""
    return open_index(
        options.index,
        create=True,
        internal_links=options.internal_links,
        full_durability=options.durability == "full",
        patience=Patience(visits=options.lost_after_visits, span=round(options.lost_after_days * DAY)),
        wait=ANSWER,
    )
