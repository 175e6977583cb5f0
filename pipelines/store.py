"""Writes visits to the link index in batches, off the event loop. An item leaves here once its batch is durable."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

from linkindex.model import Visit
from linkindex.store import open_index

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class StorePipeline:
    """Scrapy item pipeline. Settings: LINKATLAS_INDEX, _BATCH (visits), _FLUSH_INTERVAL (s), _INTERNAL_LINKS, _DURABILITY.

    Raises what the index raises (:class:`linkindex.errors.Unavailable`) for every item of a batch that failed.
    """

    def __init__(self, index: str, batch: int, interval: float, internal_links: bool, full_durability: bool) -> None:
        self._most = batch
        self._interval = interval
        self._waiting: list[tuple[Visit, asyncio.Future[None]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._writes: set[asyncio.Future[None]] = set()
        # One thread: writes keep their order, and SQLite takes one writer at a time anyway.
        self._thread = ThreadPoolExecutor(1, "index")
        self._index = open_index(index, create=True, internal_links=internal_links, full_durability=full_durability)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        settings = crawler.settings
        return cls(
            settings["LINKATLAS_INDEX"],
            settings.getint("LINKATLAS_BATCH"),
            settings.getfloat("LINKATLAS_FLUSH_INTERVAL"),
            settings.getbool("LINKATLAS_INTERNAL_LINKS"),
            settings["LINKATLAS_DURABILITY"] == "full",
        )

    async def process_item(self, item: Visit) -> Visit:
        loop = asyncio.get_running_loop()
        durable: asyncio.Future[None] = loop.create_future()
        self._waiting.append((item, durable))
        if len(self._waiting) >= self._most:
            self._flush()
        elif self._timer is None:
            self._timer = loop.call_later(self._interval, self._flush)
        await durable
        return item

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._waiting = self._waiting, []
        if batch:
            write = asyncio.ensure_future(self._write(batch))
            self._writes.add(write)
            write.add_done_callback(self._writes.discard)

    async def _write(self, batch: list[tuple[Visit, asyncio.Future[None]]]) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, self._index.store, [visit for visit, _ in batch])
        except Exception as error:  # noqa: BLE001  # each item tells it on; the scheduler decides
            for _, durable in batch:
                durable.set_exception(error)
        else:
            for _, durable in batch:
                if not durable.done():
                    durable.set_result(None)

    async def close_spider(self) -> None:
        self._flush()
        if self._writes:
            await asyncio.wait(self._writes)
        self._thread.shutdown()
        self._index.close()
