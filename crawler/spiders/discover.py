"""One response or failure becomes exactly one Visit. Where to go next is the frontier's business, not the spider's."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec
from scrapy import Spider

from crawler import challenges, memory, soft404
from crawler.addresses import parse_connect_to
from crawler.discovery import NO_SITEMAP
from crawler.extract import judged, read_page, robots
from crawler.extract.hazards import parser_hazard
from crawler.extract.listings import looks_like_xml, read_listing, unpacked
from crawler.failures import NotFetched
from crawler.limits import ReadLimits, read_limits, stat, told
from crawler.requests_log import check_log
from linkindex import urls
from linkindex.errors import LinkatlasError
from linkindex.model import Link, Outcome, PageFacts, Visit
from settings.ending import end_with
from settings.options import OptionError, from_scrapy, scrapy_settings

if TYPE_CHECKING:
    from scrapy.http import Response
    from scrapy.settings import BaseSettings
    from twisted.python.failure import Failure

# What browsers read as a document with links; an answer that names no type is looked into.
_DOCUMENTS = ("", "text/html", "application/xhtml+xml")


_FOLLOWS = {"USER_AGENT": "LINKATLAS_CONTACT", "LOG_LEVEL": "LINKATLAS_LOG_LEVEL"}  # from which option


class DiscoverSpider(Spider):
    """``scrapy crawl discover -a seeds=https://example.com,https://example.org``; without seeds it joins the job.

    ``checked`` says that whoever starts it has seen to it that sites are told whom to write to, where they must be.
    """

    name = "discover"

    def __init__(self, seeds: str = "", checked: bool = False, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.seeds = [seed for seed in seeds.replace(",", " ").split() if seed]
        self.checked = checked is True

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        """Read the options once for all who look into the settings: ``-s LINKATLAS_MAX_BODY=2MiB`` is a text, and what
        follows from an option was made before it. What is said of the latter itself stands."""
        super().update_settings(settings)
        try:
            options = from_scrapy(settings)
            for detour in options.connect_to:
                parse_connect_to(detour)
            check_log(options.request_log)
        except (OptionError, LinkatlasError) as error:
            end_with(error)
        said = {name: settings.getpriority(name) or 0 for name in settings}
        for name, value in scrapy_settings(options).items():
            where = said.get(_FOLLOWS.get(name, name), 0)
            if name not in _FOLLOWS or where > said.get(name, 0):
                settings.set(name, value, where + 1)  # above it: Scrapy merges its command line in once more

    @cached_property
    def limits(self) -> ReadLimits:
        """How much of a page is read."""
        return read_limits(from_scrapy(self.settings))

    def page(self, response: Response) -> Iterator[Visit]:
        """Yield the one visit that a response makes."""
        began = time.perf_counter()
        visit = visit_of(response, self.limits)
        response.meta["read"] = time.perf_counter() - began
        stats = self.crawler.stats
        if visit.limits and stats is not None:
            for limit in visit.limits:
                stats.inc_value(stat(limit))
        yield soft404.judged(visit, response.meta.get("missing"))

    def decided(self, failure: Failure) -> Iterator[Visit]:
        """Yield the one visit that politeness ended without a fetch."""
        assert isinstance(failure.value, NotFetched)
        yield failure.value.visit

    def failed(self, failure: Failure) -> Iterator[Visit]:
        """Yield the one visit that a fetch without an answer makes."""
        error = failure.value
        reason = str(getattr(error, "reason", "") or type(error).__name__)
        request = failure.request  # type: ignore[attr-defined]  # set by Scrapy
        refused = reason.startswith("refused")
        outcome = Outcome.UNREADABLE if refused or reason == "undecodable" else Outcome.UNREACHABLE
        if not hasattr(error, "reason"):
            self.logger.error("%s: %s", request.url, error, exc_info=error)
        depth = request.meta.get("depth", 0)
        yield Visit(url=request.url, at=_asked_at(request.meta), outcome=outcome, reason=reason, depth=depth)


def visit_of(response: Response, limits: ReadLimits = ReadLimits()) -> Visit:  # noqa: B008  # it is frozen
    """Return what a response says about its URL. ``response.flags`` may hold: cut, truncated, not_a_page.

    ``response.meta["sitemap"]`` says that a sitemap is expected: "named" by somebody, or "guessed" by us.
    """
    fetched = response.meta.get("fetch")
    outcome, reason, redirect = _outcome(response)
    if challenges.is_challenge(response.status, response.headers, response.body):
        outcome, reason, redirect = Outcome.BLOCKED, challenges.REASON, ""
    facts = PageFacts()
    if outcome is Outcome.PAGE:
        outcome, reason, facts = _read_listing(response, limits) or _read_page(response, limits)
    elif redirect:
        facts = PageFacts(links=(Link(target=redirect, kind="redirect"),))
    if response.meta.get("sitemap") == "guessed" and _is_no_sitemap(outcome, response.status):
        outcome, reason = Outcome.NOT_A_PAGE, NO_SITEMAP
    if "cut" in response.flags or "truncated" in response.flags:
        facts = msgspec.structs.replace(facts, cut=True)
    if outcome is Outcome.PAGE:
        bit = (fetched.limit, *facts.limits) if fetched else facts.limits
        reason = ", ".join(filter(None, (reason, told(bit))))
    return Visit(
        **msgspec.structs.asdict(facts),
        url=response.url,
        at=_asked_at(response.meta),
        outcome=outcome,
        reason=reason,
        status=response.status,
        content_type=_media_type(response),
        redirect=redirect,
        content_digest=int.from_bytes(blake2b(response.body, digest_size=8).digest(), "big", signed=True),
        size=len(response.body),
        elapsed=fetched.elapsed_ms if fetched else 0,
        certificate_error=fetched.certificate_error if fetched else "",
        depth=response.meta.get("depth", 0),
    )


_Read = tuple[Outcome, str, PageFacts]


def _read_page(response: Response, limits: ReadLimits) -> _Read:
    """Return the outcome of a document, its reason, and what it says."""
    wrong_type = "not_a_page" in response.flags or _media_type(response) not in _DOCUMENTS
    if wrong_type or response.meta.get("sitemap") == "guessed":  # many sites answer with a page whatever is asked for
        return Outcome.NOT_A_PAGE, "", PageFacts()
    headers = _headers(response)
    if hazard := parser_hazard(judged(response.body, headers.get("content-type", "")), limits.max_dom_depth):
        return Outcome.UNREADABLE, hazard, PageFacts(limits=("max_dom_depth",) if hazard == "too_deep" else ())
    facts = read_page(
        response.body,
        response.url,
        headers=headers,
        max_links=limits.max_links,
        max_anchor=limits.max_anchor,
        max_depth=limits.max_dom_depth,
        max_nodes=limits.max_nodes,
    )
    memory.read_and_freed(len(response.body))
    return Outcome.PAGE, "", facts


def _read_listing(response: Response, limits: ReadLimits) -> _Read | None:
    """Return the same of a sitemap or a feed, None where it is neither."""
    expected = "sitemap" in response.meta
    media_type = _media_type(response)
    if not expected and "xml" not in media_type and not (media_type in _DOCUMENTS and looks_like_xml(response.body)):
        return None
    body, flags, limit = unpacked(response.body, limits.max_sitemap, limits.max_ratio)
    directives = robots.directives((), _headers(response).get("x-robots-tag", "").split("\n"))
    listing = read_listing(
        body,
        response.url,
        _header(response, b"Content-Type"),
        follow="nofollow" not in directives,
        max_links=limits.max_links,
        text=expected,
    )
    if listing is None:
        return None
    if listing.broken and not listing.links:
        return Outcome.UNREADABLE, listing.reason, PageFacts()
    facts = PageFacts(
        title=listing.title,
        robots=directives,
        links=listing.links,
        unusable=sum(listing.refused.values()),
        cut=bool(listing.broken) or bool(flags),
        limits=(limit,) if limit else (),
    )
    return Outcome.PAGE, listing.reason, facts


def _is_no_sitemap(outcome: Outcome, status: int) -> bool:
    """Return whether an answer to a guess only says that there is no sitemap."""
    return outcome in (Outcome.GONE, Outcome.NOT_A_PAGE) or (outcome is Outcome.BLOCKED and status != 429)


def _outcome(response: Response) -> tuple[Outcome, str, str]:
    """Return (outcome as far as the head tells, reason, redirect target)."""
    status = response.status
    if 200 <= status < 300:
        return Outcome.PAGE, "", ""
    asked = response.request.headers if response.request else {}
    if status == 304 and ("If-None-Match" in asked or "If-Modified-Since" in asked):
        return Outcome.UNCHANGED, "", ""
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


def _asked_at(meta: Mapping[str, Any]) -> int:
    """Return when the fetch began, by the frontier's clock as far as a node can tell: its own may be wrong, and another's too.

    What was asked for later is newer, however late a node comes to read its answer: it may have been frozen meanwhile.
    """
    fetched = meta.get("fetch")
    ago = (time.monotonic() - fetched.ended) * 1000 + fetched.elapsed_ms if fetched else 0.0
    now = time.monotonic() * 1000 + meta["clock"] if "clock" in meta else time.time() * 1000
    return int(now - ago)
