"""Runs one node in this process until its work is over, and tells how it ended."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import msgspec
from scrapy import signals
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.settings import Settings

from crawler.lines import prepare
from crawler.spiders.discover import DiscoverSpider
from settings import signals as our_signals
from settings.options import Options, scrapy_settings

if TYPE_CHECKING:
    from crawler.downloader import Downloader

DRAIN = 6.0  # s that fetches have to end in when the node is told to; what takes longer is given back
STOPPED_NOW = (
    "stopped at once by a second signal; nothing is lost: what was under way is visited again when its leases run out"
)


class End(msgspec.Struct, frozen=True):
    """How a node ended: finished, budget, waiting, drained, shutdown, or store_unavailable with the line that says why."""

    reason: str
    message: str = ""
    exit_code: int = 0


def collect_seldom() -> None:
    """Look for cycles seldom: what was imported lives to the end, and what a page makes is gone by reference counts, but for
    one object in four pages. At Python's usual pace that costs a tenth of the CPU time; at a quarter of this one, where
    most of what is looked at belongs to visits under way, one in eighty."""
    gc.freeze()
    gc.set_threshold(200_000, 20, 50)


def run_node(options: Options, stopping: Callable[[], None] = lambda: None) -> End:
    """Work on the frontier that the options name until it is finished, spent or stopped by a signal.

    The first SIGINT or SIGTERM calls ``stopping`` and drains: what is being fetched is finished and stored, as far as that
    takes no longer than :data:`DRAIN`. The second stops now: it raises a KeyboardInterrupt that says so. Raises what kept
    the node from opening its stores. Who calls this has begun the job, or asked for a contact
    (:func:`crawler.consent.check_contact`).
    """
    settings = Settings()
    settings.setmodule("settings.base", priority="project")
    settings.update(scrapy_settings(options), priority="cmdline")
    _begin_log(settings, options.log_format)
    process = AsyncCrawlerProcess(settings)
    crawler = process.create_crawler(DiscoverSpider)
    collect_seldom()
    with _Drain(crawler, stopping).on_signals():
        crawl = process.crawl(crawler, checked=True)
        process.start(install_signal_handlers=False)
    failed = crawl.exception() if crawl.done() and not crawl.cancelled() else None
    if failed is not None:
        raise failed
    stats = crawler.stats
    reason = str(stats.get_value("finish_reason", "shutdown")) if stats else "shutdown"
    failure = stats.get_value("linkatlas/failure") if stats else None
    return End(reason, str(failure), failure.exit_code) if failure else End(reason)


def _begin_log(settings: Settings, form: str) -> None:
    """Log to standard error. Not by Scrapy's own handler: it speaks before anything can say how."""
    settings.set("LOG_INSTALL_ROOT_HANDLER", False, priority="cmdline")
    handler = logging.StreamHandler()
    handler.setLevel(settings["LOG_LEVEL"])
    handler.setFormatter(logging.Formatter(settings["LOG_FORMAT"], settings["LOG_DATEFORMAT"]))
    prepare(handler, form)
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.NOTSET)


class _Drain:
    """Closes the spider at a signal, whenever it comes. Scrapy's own way hangs when that is while the engine starts."""

    def __init__(self, crawler: Crawler, stopping: Callable[[], None]) -> None:
        self._crawler = crawler
        self._stopping = stopping
        self._loop: asyncio.AbstractEventLoop | None = None
        self._signals = 0
        crawler.signals.connect(self._opened, signals.spider_opened)

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._signalled) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _signalled(self, number: int, frame: object) -> None:
        self._signals += 1
        if self._signals == 2:
            raise KeyboardInterrupt(STOPPED_NOW)
        if self._signals > 2:
            os._exit(130)  # a store holds up the end that the second asked for
        self._stopping()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._close)

    def _opened(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._signals:
            self._close()

    def _close(self) -> None:
        engine = self._crawler.engine
        assert engine is not None
        assert self._loop is not None
        if engine.running:
            self._crawler.signals.send_catch_log(our_signals.stopping)
            self._closing = asyncio.ensure_future(engine.close_spider_async(reason="shutdown"))
            self._loop.call_later(DRAIN, cast("Downloader", engine.downloader).give_up)
        elif engine.spider is not None:
            self._loop.call_later(0.01, self._close)
