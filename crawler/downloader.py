"""Scrapy's ``DOWNLOADER``: the engine's requests, fetched by :mod:`crawler.fetching`.

No slots and no delays: the frontier hands out a request when it may be fetched. Downloader middlewares run where some
are configured (``settings.base`` configures none).
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from ipaddress import ip_address
from time import monotonic, time
from typing import TYPE_CHECKING, Any

from scrapy import signals
from scrapy.core.downloader.middleware import DownloaderMiddlewareManager
from scrapy.http import Headers, Response
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.addresses import DEFAULT_PORTS, parse_connect_to
from crawler.connecting import Reach
from crawler.failures import FetchFailed, NotFetched, Reason
from crawler.fetching import Answer, Fetched, Fetcher, Limits
from crawler.limits import BY_REASON, ReadLimits, stat
from crawler.requests_log import Asked, RequestLog

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

_ip_address = lru_cache(maxsize=4096)(ip_address)


class Downloader:
    """What Scrapy's engine asks of a downloader, and no more (a test compares the two).

    The facts of each fetch are in ``request.meta["fetch"]`` (:class:`crawler.fetching.Fetched`), failed or not. A
    request with ``robots`` or ``sitemap`` in its meta gets its body whatever its type, a sitemap as much of it as the
    protocol allows; one with ``decided``, a visit, is not fetched at all; ``wanted`` is as in :meth:`Fetcher.fetch`. Under
    Scrapy's own scheduler it needs a ``SCHEDULER_PRIORITY_QUEUE`` that asks for no slots,
    ``scrapy.pqueues.ScrapyPriorityQueue``.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._agent = settings.get("USER_AGENT") or ""
        self._fetcher = Fetcher(reach_of(settings), limits_of(settings), user_agent=self._agent)
        self._sitemap = settings.getint("LINKATLAS_MAX_SITEMAP", ReadLimits().max_sitemap)
        log = settings.get("LINKATLAS_REQUEST_LOG")
        self._log = RequestLog(log) if log else None
        self._concurrency = settings.getint("LINKATLAS_CONCURRENCY", 16)
        self.middleware = DownloaderMiddlewareManager.from_crawler(crawler)
        self._closing: asyncio.Task[None] | None = None
        self.active: dict[Request, asyncio.Task[None]] = {}
        crawler.signals.connect(self._engine_stopped, signals.engine_stopped)

    def fetch(self, request: Request) -> Deferred[Response | Request]:
        """Begin to fetch; the result is a response, a failure of :mod:`crawler.failures`, or what a middleware makes of it."""
        result: Deferred[Response | Request] = Deferred()
        if "decided" in request.meta:
            result.errback(Failure(NotFetched(request.meta["decided"])))  # type: ignore[no-untyped-call]
            return result
        self.active[request] = asyncio.get_running_loop().create_task(self._settle(request, result))
        return result

    async def address(self, host: str) -> str:
        """Return the address that a fetch of ``host`` would connect to, "" where there is none that may be."""
        return await self._fetcher.address(host)

    def give_up(self) -> None:
        """End all fetches that are under way, as :class:`FetchFailed`."""
        for task in self.active.values():
            task.cancel()

    def needs_backout(self) -> bool:
        """Return whether as many fetches are under way as there may be."""
        return len(self.active) >= self._concurrency

    def close(self) -> None:
        """Begin to close all connections; the engine's last signal waits for the end."""
        if self._fetcher.is_open:
            self._closing = asyncio.get_running_loop().create_task(self._fetcher.close())

    async def _engine_stopped(self) -> None:
        if self._log is not None:
            self._log.close()
        if self._closing is not None:
            await self._closing

    async def _settle(self, request: Request, result: Deferred[Response | Request]) -> None:
        answer: Response | Request | Failure
        try:
            if self.middleware.middlewares:
                answer = await self.middleware.download_async(self._download, request)
            else:
                answer = await self._download(request)
        except FetchFailed as error:
            # An outcome, not a fault of the program: there is no traceback to show.
            answer = Failure(error.with_traceback(None))  # type: ignore[no-untyped-call]
        except asyncio.CancelledError:
            answer = Failure(FetchFailed(Reason.GIVEN_UP, "the node ends"))  # type: ignore[no-untyped-call]
        except Exception:  # noqa: BLE001  # handed on, to be logged where it matters
            answer = Failure()  # type: ignore[no-untyped-call]
        finally:
            del self.active[request]
        if isinstance(answer, Failure):
            result.errback(answer)
        else:
            result.callback(answer)

    async def _download(self, request: Request) -> Response:
        self._signal(signals.request_reached_downloader, request=request)
        began = monotonic()
        try:
            answer = await self._fetcher.fetch(
                request.url,
                method=request.method,
                headers=request.headers.to_tuple_list() if request.headers else None,
                data=request.body,
                any_type="robots" in request.meta or "sitemap" in request.meta,
                at_least=self._sitemap if "sitemap" in request.meta else 0,
                wanted=request.meta.get("wanted"),
            )
            response = _response(request, answer)
            self._count(request, answer)
            self._note(request, answer.fetched, status=answer.status)
            self._signal(signals.response_downloaded, response=response, request=request)
            return response
        except FetchFailed as error:
            request.meta["fetch"] = fetched = _ended(began)
            self._count_failure(error)
            self._note(request, fetched, reason=error.reason)
            raise
        except asyncio.CancelledError:  # the node ends; the host may have been asked by then
            self._note(request, _ended(began), reason="node_ended")
            raise
        finally:
            self._signal(signals.request_left_downloader, request=request)

    def _signal(self, signal: object, **named: Any) -> None:
        self._crawler.signals.send_catch_log(signal=signal, spider=self._crawler.spider, **named)

    def _count(self, request: Request, answer: Answer) -> None:
        stats = self._crawler.stats
        if stats is not None:
            stats.inc_value("downloader/response_count")
            stats.inc_value("downloader/response_bytes", answer.fetched.size_on_wire)
            for flag in answer.fetched.flags:
                stats.inc_value(f"downloader/response_flag_count/{flag}")
            if limit := answer.fetched.limit:
                stats.inc_value(stat("max_sitemap" if limit == "max_body" and "sitemap" in request.meta else limit))

    def _note(self, request: Request, fetched: Fetched, *, status: int = 0, reason: str = "") -> None:
        """Log a request, unless none was made: what is refused goes nowhere."""
        if self._log is None or reason.startswith("refused") or reason == Reason.GIVEN_UP:
            return
        meta = request.meta
        kind = next((kind for kind in ("own", "robots", "probe", "sitemap") if kind in meta), "page")
        self._log.write(
            Asked(
                at=round(time() * 1000) - fetched.elapsed_ms,
                host=meta.get("host", ""),
                url=request.url,
                kind=kind,
                status=status,
                reason=reason,
                delay=meta.get("delay", 0.0),
                elapsed=fetched.elapsed_ms,
                size=fetched.size_on_wire,
                agent=self._agent if kind == "robots" else "",
            )
        )

    def _count_failure(self, error: FetchFailed) -> None:
        stats = self._crawler.stats
        if stats is not None:
            stats.inc_value("downloader/exception_count")
            stats.inc_value(f"downloader/exception_type_count/{error.reason}")
            if error.reason in BY_REASON:
                stats.inc_value(stat(BY_REASON[error.reason]))


def _ended(began: float) -> Fetched:
    """Return the facts of a fetch that has just ended without an answer."""
    ended = monotonic()
    return Fetched(elapsed_ms=round((ended - began) * 1000), ended=ended)


def _response(request: Request, answer: Answer) -> Response:
    fetched = answer.fetched
    request.meta["fetch"] = fetched
    response = Response(
        request.url,
        answer.status,
        body=answer.body,
        flags=list(fetched.flags),
        request=request,
        ip_address=_ip_address(fetched.address) if fetched.address else None,
        protocol=answer.protocol,
    )
    headers = Headers()
    dict.update(headers, answer.headers)  # the names are in title case already, as Headers keeps them
    response.headers = headers
    return response


def limits_of(settings: BaseSettings) -> Limits:
    """Return the limits that ``LINKATLAS_*`` settings name, in seconds and bytes."""
    default = Limits()
    return Limits(
        connect=settings.getfloat("LINKATLAS_CONNECT_TIMEOUT", default.connect),
        first_byte=settings.getfloat("LINKATLAS_FIRST_BYTE_TIMEOUT", default.first_byte),
        whole=settings.getfloat("LINKATLAS_TIMEOUT", default.whole),
        rate=settings.getint("LINKATLAS_LEAST_RATE", default.rate),
        ratio=settings.getint("LINKATLAS_MAX_RATIO", default.ratio),
        body=settings.getint("LINKATLAS_MAX_BODY", default.body),
        headers=settings.getint("LINKATLAS_MAX_HEADERS", default.headers),
    )


def reach_of(settings: BaseSettings) -> Reach:
    """Return what ``LINKATLAS_PORTS``, ``_ALLOW_PRIVATE`` and ``_CONNECT_TO`` open; raises BadInput where misspelt."""
    return Reach(
        ports=[int(port) for port in settings.getlist("LINKATLAS_PORTS", sorted(DEFAULT_PORTS))],
        allow_private=settings.getbool("LINKATLAS_ALLOW_PRIVATE"),
        connect_to=[parse_connect_to(rule) for rule in settings.getlist("LINKATLAS_CONNECT_TO")],
    )
