"""The records that travel through linkatlas: what a visit found, and what the index answers.

Times are integers, milliseconds since 1970-01-01 UTC. URLs are strings; before ``pipelines.canonicalise`` they are
as WHATWG serialises them, after it they are canonical (:mod:`linkindex.urls`).
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """How a visit ended. Only the first three say anything certain about the links of the page."""

    PAGE = "page"  # a document was read; its links are what the page links to now
    REDIRECT = "redirect"  # 3xx with a usable target; the only link is of kind ``redirect``
    GONE = "gone"  # 404 or 410
    BLOCKED = "blocked"  # 401, 403, 429, 451 and other 4xx, or closed by robots.txt: the page may well be there
    UNREACHABLE = "unreachable"  # 5xx, DNS, connection, TLS, timeout, robots.txt unreachable
    NOT_A_PAGE = "not_a_page"  # an answer of a type that holds no links for us (image, archive…)
    UNREADABLE = "unreadable"  # an answer that could not be decoded or parsed

    @property
    def transient(self) -> bool:
        """Whether trying again soon may end otherwise."""
        return self is Outcome.UNREACHABLE


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One link of a page as it was seen there. Identity on its page: (``target``, ``ordinal``)."""

    target: str
    # text, image, area, frame, canonical, alternate, next, prev, refresh, redirect; of sitemaps and feeds: sitemap,
    # sitemapindex (a sitemap that an index names), media (image, video, sound: no page), feed
    kind: str = "text"
    anchor: str = ""  # as a reader sees it, white space folded, at most 512 characters
    rel: tuple[str, ...] = ()  # every token, lower case, sorted
    follow: bool = True  # rel ∧ meta robots ∧ X-Robots-Tag
    placement: str = "unknown"  # content, navigation, header, footer, sidebar, comment, breadcrumb, head, unknown
    placement_confidence: float = 0.0  # 0 to 1
    text_before: str = ""  # whole words, at most 120 characters
    text_after: str = ""
    heading: str = ""  # nearest heading before the link
    ordinal: int = 0  # which one among the links from this page to this target, from 0
    internal: bool = False  # target and source share a registrable domain; set by canonicalise
    target_host: str = ""  # set by canonicalise
    target_domain: str = ""  # set by canonicalise
    modified: int = 0  # when the target changed last, as a sitemap or feed says; 0: not said. No part of a version


class PageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What :mod:`crawler.extract` reads from one document. Link targets are absolute, WHATWG-serialised, not canonical."""

    title: str = ""
    language: str = ""  # as declared: html lang, then Content-Language; lower case
    canonical: str = ""  # absolute URL of link rel=canonical, "" where there is none
    charset: str = ""  # WHATWG name of the encoding that was used
    robots: tuple[str, ...] = ()  # directives in force for linkatlas: nofollow, noindex, …
    links: tuple[Link, ...] = ()
    unusable: int = 0  # hrefs that WHATWG parsing refuses, or of other schemes than http and https
    cut: bool = False  # a limit bit: links beyond it were not taken


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """One fetch of one URL and all that was learned: what the spider yields and the index stores.

    Storing the same visit twice equals storing it once: ``(url, at)`` is its identity.
    """

    url: str
    at: int  # when the answer was complete
    outcome: Outcome
    reason: str = ""  # detail of the outcome: "dns", "timeout", "robots", "too_large"…
    status: int = 0  # HTTP status, 0 where there was no answer
    content_type: str = ""
    title: str = ""
    language: str = ""
    canonical: str = ""
    robots: tuple[str, ...] = ()
    redirect: str = ""  # target of a redirect, "" otherwise
    links: tuple[Link, ...] = ()
    content_digest: int = 0  # 64 bit, signed, of the decoded body
    size: int = 0  # bytes of the decoded body
    elapsed: int = 0  # ms from sending the request to the last byte
    cut: bool = False  # a size or link limit bit; absence of a link proves nothing
    certificate_error: str = ""  # why the certificate would not be trusted, "" where it is
    host: str = ""  # set by canonicalise
    domain: str = ""  # registrable domain, set by canonicalise
