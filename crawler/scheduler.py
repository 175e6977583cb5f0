"""Scrapy's scheduler over a frontier: leases become requests, durable visits become acknowledgements.

The engine is given a request the moment it may be fetched, so the downloader needs neither slots nor delays. The work
itself is in :mod:`crawler.node`; here is what joins it to Scrapy's signals.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self, cast

from scrapy import Request, signals
from scrapy.core.scheduler import BaseScheduler
from scrapy.utils.defer import deferred_from_coro

from crawler import crash, ownership, politeness, recrawl, soft404
from crawler.consent import PROOF_PATH, check_contact, proves
from crawler.contract import Settings as NodeSettings
from crawler.failures import Reason
from crawler.frontier import Frontier, Lease, Robots
from crawler.job import begin, budget_of, canonical_seed, frontier_of, read_job, scope_of
from crawler.lanes import Lane
from crawler.lines import fields, request_of
from crawler.node import Node
from crawler.sources import IndexSources
from crawler.spiders.discover import visit_of
from crawler.watchdog import watch
from crawler.watched import Watched
from linkindex import urls
from linkindex.errors import LinkatlasError
from linkindex.model import Visit
from settings.ending import end_soon
from settings.options import from_scrapy
from settings.signals import run_named, stopping, stored

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.settings import Settings
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from crawler.downloader import Downloader
    from crawler.spiders.discover import DiscoverSpider
    from settings.options import Options


logger = logging.getLogger(__name__)


class PageRequest(Request):
    """A request for exactly the URL it is given: it is canonical already, and Scrapy's own escaping would differ."""

    def _set_url(self, url: str) -> None:
        self._url = url


class FrontierScheduler(BaseScheduler):
    """Scrapy's ``SCHEDULER``. In the stats, ``linkatlas/failure`` is the error that ended the node, or None."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._options: Options = from_scrapy(crawler.settings)
        self._ready: deque[Request] = deque()
        self._asking: set[asyncio.Future[None]] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def open(self, spider: DiscoverSpider) -> None:  # type: ignore[override]  # only this spider speaks in visits
        try:
            self._begin(spider)
        except LinkatlasError as error:
            if spider.checked:  # whoever started it tells of it
                raise
            logger.error("%s", error)
            end_soon(error.exit_code)

    def _begin(self, spider: DiscoverSpider) -> None:
        options = self._options
        self._spider = spider
        options = _with_redis_settings(options, self._crawler.settings, spider.name)
        client = None
        if not options.frontier_url.startswith("sqlite:"):
            from crawler.redis_settings import connection_of  # noqa: PLC0415  a driver that few need

            client = connection_of(self._crawler.settings)
        if not spider.checked:
            check_contact(options, joins=not spider.seeds, given="-s LINKATLAS_CONTACT=")
        frontier = _join(options, spider.seeds, client)
        job = read_job(frontier)
        self.begun(job.run)
        self._node = Node(
            frontier,
            job.scope,
            NodeSettings(
                name=f"{socket.gethostname()}:{os.getpid()}",
                concurrency=options.concurrency,
                ttl=options.lease,
                retries=options.retries,
                max_wait=options.max_wait,
                batch=options.batch,
                soft_404=options.soft_404,
                sitemaps=options.sitemaps,
                stay=options.keep_alive or options.recrawl,
                recrawl=options.recrawl,
                patience=options.store_wait,
                slow=options.slow,
                max_crawl_delay=options.max_crawl_delay,
                per_address=options.per_address,
            ),
            self,
            IndexSources(options.index),
        )
        self._watched = Watched(self._crawler, self._node, options) if options.metrics_port else None
        connect = self._crawler.signals.connect
        connect(self._stored, stored)
        connect(self._opened, signals.spider_opened)
        connect(self._downloaded, signals.response_downloaded)
        connect(self._left, signals.request_left_downloader)
        connect(self._durable, signals.item_scraped)
        connect(self._item_lost, signals.item_error)
        connect(self._item_lost, signals.item_dropped)
        connect(self._spider_lost, signals.spider_error)

    def close(self, reason: str) -> Deferred[None] | None:
        if not hasattr(self, "_node"):  # it could not be opened
            return None
        stats = self._crawler.stats
        assert stats is not None
        stats.set_value("linkatlas/failure", self._node.failure)
        if self._node.failure and not self._spider.checked:  # Scrapy's own command does not look there
            logger.error("%s", self._node.failure)
        self._watch.cancel()
        return deferred_from_coro(self._end())

    async def _end(self) -> None:
        await self._node.close()
        if self._watched is not None:
            await self._watched.close()

    # ---------------------------------------------------------------- what Scrapy asks

    def enqueue_request(self, request: Request) -> bool:
        self._ready.append(request)
        return True

    def next_request(self) -> Request | None:
        return self._ready.popleft() if self._ready else None

    def has_pending_requests(self) -> bool:
        return True  # the node says when it is over, for an idle node may only be waiting

    # ---------------------------------------------------------------- what the node asks (crawler.contract.Engine)

    def fetch(self, lease: Lease, guessed: bool, clock: int) -> None:
        spider = self._spider
        meta: dict[str, Any] = {"lease": lease, "host": lease.host, "depth": lease.depth, "clock": clock}
        meta |= {"delay": lease.delay, "wanted": partial(self._node.hand.holds, lease)}
        if lease.sitemap:
            meta["sitemap"] = "guessed" if guessed else "named"
        else:
            meta["missing"] = self._node.probes.known(lease.host)
        headers = recrawl.conditions(lease.memo)
        self._start(PageRequest(lease.url, callback=spider.page, errback=self._failed, meta=meta, headers=headers))

    def fetch_robots(self, lane: Lane, url: str = "", hops: int = 0) -> None:
        meta = {"host": lane.host, "robots": lane, "hops": hops, "delay": lane.delay}
        meta["wanted"] = lambda: self._node.hand.holds(*lane.leases)
        answered, failed = self._robots_answered, self._robots_failed
        if not url:
            url = lane.robots_url
            if lane.host in self._options.own:
                meta["own"] = True
                url, answered, failed = urls.parse(PROOF_PATH, url) or url, self._proof_answered, self._proof_failed
        self._start(PageRequest(url, callback=answered, errback=failed, meta=meta))

    def fetch_probe(self, lane: Lane, url: str, clock: int, hops: int = 0) -> None:
        meta: dict[str, Any] = {"host": lane.host, "probe": lane, "clock": clock, "hops": hops, "delay": lane.delay}
        meta["wanted"] = lambda: self._node.hand.holds(*lane.leases)
        self._start(PageRequest(url, callback=self._probe_answered, errback=self._probe_failed, meta=meta))

    async def address(self, host: str) -> str:
        engine = self._crawler.engine
        assert engine is not None
        return await cast("Downloader", engine.downloader).address(host)

    def decided(self, visit: Visit) -> None:
        # A request like others: Scrapy waits for it before it closes. For what Spider.start() yields it waits too, but
        # nothing wakes it when the last of that becomes durable, and the node would never end.
        meta = {"host": urls.host_of(visit.url), "decided": visit}
        self._start(PageRequest(visit.url, errback=self._spider.decided, meta=meta))

    def begun(self, run: str) -> None:
        self._crawler.signals.send_catch_log(run_named, run=run)

    def finish(self, reason: str) -> None:
        engine = self._crawler.engine
        assert engine is not None
        self._crawler.signals.send_catch_log(stopping)
        self._closing = asyncio.ensure_future(engine.close_spider_async(reason=reason))

    def _start(self, request: Request) -> None:
        engine = self._crawler.engine
        assert engine is not None
        engine.crawl(request)

    # ---------------------------------------------------------------- what the node hears

    def _opened(self) -> None:
        self._watch = asyncio.ensure_future(watch(self._options.max_stall))
        if self._watched is not None:
            self._listening = asyncio.ensure_future(self._watched.start())
        self._node.start()

    def _downloaded(self, response: Response, request: Request) -> None:
        if response.status in (429, 503) and "robots" not in request.meta:
            self._node.host_is_busy(request.meta["host"], response.status, _retry_after(response))

    def _left(self, request: Request) -> None:
        crash.passing("fetched")
        if fetch := request.meta.get("fetch"):
            self._node.metrics.fetched(fetch.elapsed_ms / 1000, fetch.size_on_wire)
        self._node.departures.fetch_ended(request.meta["host"])

    def _failed(self, failure: Failure) -> Iterator[Visit]:
        if _is_given_up(failure):
            self._node.endings.fetch_given_up(failure.request.meta["lease"])  # type: ignore[attr-defined]  # set by Scrapy
        else:
            yield from self._spider.failed(failure)

    def _durable(self, item: Visit, response: Response | Failure | None) -> None:
        crash.passing("stored")
        meta = getattr(getattr(response, "request", None), "meta", {})
        self._node.metrics.visited(item, fetched="fetch" in meta, read=meta.get("read"))
        if logger.isEnabledFor(logging.DEBUG):
            _log_visit(item, meta.get("lease"))
        validators = [_header(response, name) for name in (b"ETag", b"Last-Modified")]
        self._node.endings.visit_durable(item, _since_fetched(response), *validators)

    def _stored(self, seconds: float) -> None:
        self._node.metrics.store.observe(seconds)

    def _item_lost(self, item: Visit, response: Any, failure: Failure | None = None) -> None:
        error = failure.value if failure else None
        if isinstance(error, LinkatlasError):
            self._node.fail(error)  # what is in hand goes back to the frontier as the node closes
        else:
            self._node.endings.visit_lost(item.url, "not_stored")

    def _spider_lost(self, response: Response | Failure) -> None:
        request = response.request  # type: ignore[union-attr]  # Scrapy sets it on failures too
        if request is None or "robots" in request.meta:
            return
        if "probe" in request.meta:
            self._node.probed(request.meta["probe"], None)
        else:
            self._node.endings.visit_lost(request.url, "parser_error")

    def _proof_answered(self, response: Response) -> None:
        lane: Lane = response.meta["robots"]
        if response.status == 200 and proves(response.body, self._options.contact):
            self._node.robots_judged(lane, Robots(verdict="own"))
        else:
            self._unproven(lane, response.url)

    def _proof_failed(self, failure: Failure) -> None:
        request = failure.request  # type: ignore[attr-defined]  # set by Scrapy
        self._unproven(request.meta["robots"], request.url)

    def _unproven(self, lane: Lane, asked: str) -> None:
        """Hear that a host's file proves nothing: its name may."""
        lane.busy = True
        task = asyncio.ensure_future(self._ask_name(lane, asked))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _ask_name(self, lane: Lane, asked: str) -> None:
        doubt = await ownership.doubt(lane.host, self._options.contact)
        if not doubt:
            lane.busy = False
            self._node.robots_judged(lane, Robots(verdict="own"))
            return
        logger.warning(
            "--own %s: %s has no line that is the contact, and neither has a TXT record of %s (%s); robots.txt holds",
            lane.host, PROOF_PATH, ownership.record_of(lane.host), doubt,
        )  # fmt: skip
        self._fetch_robots_later(lane, urls.parse("/robots.txt", asked) or asked, 0)

    def _fetch_robots_later(self, lane: Lane, url: str, hops: int) -> None:
        lane.busy = True
        asyncio.get_running_loop().call_later(lane.wait(time.monotonic()), self.fetch_robots, lane, url, hops)

    def _robots_answered(self, response: Response) -> None:
        lane: Lane = response.meta["robots"]
        location = response.headers.get(b"Location")
        target = urls.parse(location.decode("latin-1"), response.url) if location else None
        hops = response.meta["hops"] + 1
        if 300 <= response.status < 400 and target and hops <= politeness.ROBOTS_HOPS and not self._node.shuns(target):
            self._fetch_robots_later(lane, urls.canonical(target), hops)
        elif "truncated" in response.flags:  # rules that broke off may be missing the one that matters
            self._node.robots_judged(lane, Robots(verdict="closed", reason="truncated"))
        else:
            robots = politeness.judge_robots(response.status, response.body)
            self._node.robots_judged(lane, robots, _retry_after(response))

    def _probe_answered(self, response: Response) -> None:
        lane: Lane = response.meta["probe"]
        visit = visit_of(response, self._spider.limits)
        hops = response.meta["hops"] + 1
        further = soft404.further(visit, response.url)
        if further and hops <= soft404.HOPS and lane.rules and lane.rules.allows(further):
            lane.busy = True
            wait = lane.wait(time.monotonic())
            clock = response.meta["clock"]
            asyncio.get_running_loop().call_later(wait, self.fetch_probe, lane, further, clock, hops)
        else:
            self._node.probed(lane, None if further else visit)

    def _probe_failed(self, failure: Failure) -> None:
        lane: Lane = failure.request.meta["probe"]  # type: ignore[attr-defined]
        self._node.probed(lane, None, asked=not _is_given_up(failure))

    def _robots_failed(self, failure: Failure) -> None:
        reason = str(getattr(failure.value, "reason", "") or type(failure.value).__name__)
        lane: Lane = failure.request.meta["robots"]  # type: ignore[attr-defined]
        if _is_given_up(failure):
            self._node.departures.advance(lane)
            return
        self._node.robots_judged(lane, Robots(verdict="closed", reason=reason))


def _with_redis_settings(options: Options, settings: Settings, job: str) -> Options:
    """Return options whose frontier is where scrapy-redis' settings say, if they do and nothing else says more."""
    if options.frontier or not (settings.get("REDIS_URL") or settings.get("REDIS_HOST")):
        return options
    return replace(options, frontier=f"redis://localhost?job={job}")


def _join(options: Options, seeds: list[str], client: Mapping[str, object] | None) -> Frontier:
    """Open the frontier; with seeds (``scrapy crawl discover -a seeds=…``) begin the job first, as ``linkatlas crawl`` does."""
    frontier = frontier_of(options, exclusive=bool(seeds), client=client)
    if seeds:
        begin(frontier, [canonical_seed(text) for text in seeds], scope_of(options), budget_of(options), options.delay)
    return frontier


def _log_visit(visit: Visit, lease: Lease | None) -> None:
    request = request_of(lease.token) if lease else ""
    facts = {"url": visit.url, "outcome": visit.outcome, "reason": visit.reason, "status": visit.status}
    told = fields(request=request, **facts, elapsed_ms=visit.elapsed, links=len(visit.links))
    why = f" ({visit.reason})" if visit.reason else ""
    line = "%s %s: %s%s, %d links, %d ms"
    logger.debug(line, request or "-", visit.url, visit.outcome, why, len(visit.links), visit.elapsed, extra=told)


def _retry_after(response: Response) -> float | None:
    value = response.headers.get(b"Retry-After") or b""
    return politeness.retry_after(value.decode("latin-1"))


def _header(response: Response | Failure | None, name: bytes) -> str:
    headers = getattr(response, "headers", None)
    return (headers.get(name) or b"").decode("latin-1") if headers else ""


def _is_given_up(failure: Failure) -> bool:
    return getattr(failure.value, "reason", None) is Reason.GIVEN_UP


def _since_fetched(response: Response | Failure | None) -> float:
    request = getattr(response, "request", None)
    fetched = request.meta.get("fetch") if request is not None else None
    return max(0.0, time.monotonic() - fetched.ended) if fetched else 0.0
