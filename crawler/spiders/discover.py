"""One response or failure becomes exactly one Visit. Where to go next is the frontier's business, not the spider's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec
from scrapy import Spider

from crawler.extract import read_page
from crawler.extract.hazards import parser_hazard
from linkindex import urls
from linkindex.model import Link, Outcome, PageFacts, Visit

if TYPE_CHECKING:
    from scrapy.http import Response
    from twisted.python.failure import Failure

# What browsers read as a document with links; an answer that names no type is looked into.
_DOCUMENTS = ("", "text/html", "application/xhtml+xml")


class DiscoverSpider(Spider):
    """``scrapy crawl discover -a seeds=https://example.com,https://example.org``; without seeds it joins the job."""

    name = "discover"

    def __init__(self, seeds: str = "", **arguments: Any) -> None:
        super().__init__(**arguments)
        self.seeds = [seed for seed in seeds.replace(",", " ").split() if seed]
        self._decided: asyncio.Queue[Visit] = asyncio.Queue()

    def decided(self, visit: Visit) -> None:
        """Take in a visit that politeness ended without a fetch: it goes the way of all visits."""
        self._decided.put_nowait(visit)

    async def start(self) -> AsyncIterator[Visit]:
        while True:
            yield await self._decided.get()

    def page(self, response: Response) -> Iterator[Visit]:
        """Yield the one visit that a response makes."""
        yield visit_of(response, self.settings.getint("LINKATLAS_MAX_LINKS"))

    def failed(self, failure: Failure) -> Iterator[Visit]:
        """Yield the one visit that a fetch without an answer makes."""
        error = failure.value
        reason = str(getattr(error, "reason", "") or type(error).__name__)
        request = failure.request  # type: ignore[attr-defined]  # set by Scrapy
        refused = reason.startswith("refused")
        outcome = Outcome.UNREADABLE if refused or reason == "undecodable" else Outcome.UNREACHABLE
        if not hasattr(error, "reason"):
            self.logger.error("%s: %s", request.url, error, exc_info=error)
        yield Visit(url=request.url, at=_now(), outcome=outcome, reason=reason)


def visit_of(response: Response, max_links: int = 10_000) -> Visit:
    """Return what a response says about its URL. ``response.flags`` may hold: cut, truncated, not_a_page."""
    fetched = response.meta.get("fetch")
    outcome, reason, redirect = _outcome(response)
    if outcome is Outcome.PAGE and (hazard := parser_hazard(response.body)):
        outcome, reason = Outcome.UNREADABLE, hazard
    facts = PageFacts()
    if outcome is Outcome.PAGE:
        facts = read_page(
            response.body,
            response.url,
            _headers(response),
            max_links=max_links,
        )
    elif redirect:
        facts = PageFacts(links=(Link(target=redirect, kind="redirect"),))
    if "cut" in response.flags or "truncated" in response.flags:
        facts = msgspec.structs.replace(facts, cut=True)
    return Visit(
        **msgspec.structs.asdict(facts),
        url=response.url,
        at=_now(),
        outcome=outcome,
        reason=reason,
        status=response.status,
        content_type=_media_type(response),
        redirect=redirect,
        content_digest=int.from_bytes(blake2b(response.body, digest_size=8).digest(), "big", signed=True),
        size=len(response.body),
        elapsed=fetched.elapsed_ms if fetched else 0,
        certificate_error=fetched.certificate_error if fetched else "",
    )


def _outcome(response: Response) -> tuple[Outcome, str, str]:
    """Return (outcome, reason, redirect target)."""
    status = response.status
    if 200 <= status < 300:
        if "not_a_page" in response.flags or _media_type(response) not in _DOCUMENTS:
            return Outcome.NOT_A_PAGE, "", ""
        return Outcome.PAGE, "", ""
    if 300 <= status < 400:
        location = _header(response, b"Location")
        target = urls.parse(_utf8(location), response.url) if location else None
        if target is None:
            return Outcome.UNREADABLE, "redirect_without_target", ""
        if urls.canonical(target) == response.url:
            return Outcome.UNREADABLE, "redirect_to_itself", ""
        return Outcome.REDIRECT, "", target
    if status in (404, 410):
        return Outcome.GONE, str(status), ""
    if 400 <= status < 500:
        return Outcome.BLOCKED, str(status), ""
    return Outcome.UNREACHABLE, str(status), ""


def _media_type(response: Response) -> str:
    return _header(response, b"Content-Type").partition(";")[0].strip().lower()


def _header(response: Response, name: bytes) -> str:
    value = response.headers.get(name)
    return value.decode("latin-1") if value else ""


def _headers(response: Response) -> dict[str, str]:
    """Return all headers under lower-case names; each value of one that came several times is on a line of its own."""
    values = ((name, b"\n".join(response.headers.getlist(name))) for name in response.headers)
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in values}


def _utf8(value: str) -> str:
    """Read a header as UTF-8 where it is that: browsers do so for Location."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return value


def _now() -> int:
    return int(time.time() * 1000)
