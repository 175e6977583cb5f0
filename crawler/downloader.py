"""Scrapy's ``DOWNLOADER`` on :mod:`crawler.fetching`: no slots, no delays, no queues, for the frontier owns politeness.

Scrapy's own downloader middlewares run when a user configures some; none are on by default (``settings.base``).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from scrapy import signals
from scrapy.core.downloader.middleware import DownloaderMiddlewareManager
from scrapy.http import Headers, Request, Response
from scrapy.utils.defer import deferred_from_coro
from scrapy.utils.misc import build_from_crawler

from crawler.fetching import Answer, Fetcher, Limits
from settings.options import from_scrapy

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from twisted.internet.defer import Deferred


class Downloader:
    """What Scrapy's engine calls: ``fetch``, ``needs_backout``, ``active``, ``close``.

    The facts of a fetch are left in ``request.meta["fetch"]`` (:class:`crawler.fetching.Fetched`); a fetch without an
    answer fails with :class:`crawler.fetching.FetchFailed`.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._options = from_scrapy(crawler.settings)
        self._user_agent: str = crawler.settings["USER_AGENT"]
        self._send: Any = crawler.signals.send_catch_log
        self._spider: Any = lambda: crawler.spider
        self._fetcher: Fetcher | None = None
        self._closing: asyncio.Future[None] | None = None
        self.active: set[Request] = set()
        self.middleware: DownloaderMiddlewareManager = build_from_crawler(DownloaderMiddlewareManager, crawler)
        self._plain = not self.middleware.middlewares

    def needs_backout(self) -> bool:
        return len(self.active) >= self._options.concurrency

    def fetch(self, request: Request) -> Deferred[Response | Request]:
        return deferred_from_coro(self._fetch(request))

    async def _fetch(self, request: Request) -> Response | Request:
        self.active.add(request)
        try:
            if self._plain:
                return await self._download(request)
            return await self.middleware.download_async(self._download, request)
        finally:
            self.active.discard(request)
            self._send(signals.request_left_downloader, request=request, spider=self._spider())

    async def _download(self, request: Request) -> Response:
        headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, values in request.headers.items()
            for value in values
        ]
        answer = await self._open().fetch(request.url, headers)
        request.meta["fetch"] = answer.fetched
        response = _response(request, answer)
        self._send(signals.response_downloaded, response=response, request=request, spider=self._spider())
        return response

    def _open(self) -> Fetcher:
        if self._fetcher is None:  # made here, for it needs the running loop
            options = self._options
            self._fetcher = Fetcher(
                self._user_agent,
                Limits(
                    max_body=options.max_body,
                    max_headers=options.max_headers,
                    connect_timeout=options.connect_timeout,
                    first_byte_timeout=options.first_byte_timeout,
                    timeout=options.timeout,
                ),
                connect_to=options.connect_to,
                allow_private=options.allow_private,
                ports=options.ports,
            )
        return self._fetcher

    def close(self) -> None:
        if self._fetcher is not None:
            self._closing = asyncio.ensure_future(self._fetcher.close())
            self._fetcher = None


def _response(request: Request, answer: Answer) -> Response:
    headers = Headers()
    for name, value in answer.headers:
        headers.appendlist(name, value)
    return Response(
        request.url,
        status=answer.status,
        headers=headers,
        body=answer.body,
        flags=list(answer.fetched.flags),
        request=request,
    )
