"""The records that travel through linkatlas: what a visit found, and what the index answers.

Times are integers, milliseconds since 1970-01-01 UTC. URLs are strings; before ``pipelines.canonicalise`` they are
as WHATWG serialises them, after it they are canonical (:mod:`linkindex.urls`).
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """How a visit ended. Only the first four say anything certain about the links of the page."""

    PAGE = "page"  # a document was read; its links are what the page links to now
    REDIRECT = "redirect"  # 3xx with a usable target; the only link is of kind ``redirect``
    UNCHANGED = "unchanged"  # 304: all is as it was when the page was read last; the links are confirmed
    GONE = "gone"  # 404 or 410, or what the host answers for a page that is not there (reason soft_404)
    BLOCKED = "blocked"  # 401, 403, 429, 451 and other 4xx, robots.txt, a bot challenge: the page may well be there
    UNREACHABLE = "unreachable"  # 5xx, DNS, connection, TLS, timeout, robots.txt unreachable
    NOT_A_PAGE = "not_a_page"  # an answer of a type that holds no links for us (image, archive…)
    UNREADABLE = "unreadable"  # an answer that could not be decoded or parsed

    @property
    def transient(self) -> bool:
        """Whether trying again soon may end otherwise."""
        return self is Outcome.UNREACHABLE


KINDS = (
    *("text", "image", "area", "frame", "form"),  # what a reader meets: <a>, <a> around an image, and the like
    *("canonical", "alternate", "amphtml", "next", "prev", "feed", "sitemap"),  # stated by <link> or a Link header
    "media",  # what a sitemap or feed names beside pages (of kind sitemap, feed): an image, a video, a sound
    "json-ld",  # sameAs, citation or url of structured data; rel holds the property
    *("refresh", "redirect"),  # where a browser is sent
)
PLACEMENTS = (
    *("content", "navigation", "header", "footer", "sidebar", "comment", "author", "related", "breadcrumb"),
    *("head", "unknown"),  # stated in the page's head, its headers or its data; nothing tells
)


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One link of a page as it was seen there. Identity on its page: (``target``, ``ordinal``)."""

    target: str
    kind: str = "text"  # one of :data:`KINDS`
    anchor: str = ""  # as a reader sees it, white space folded, at most 512 characters
    rel: tuple[str, ...] = ()  # every token, lower case, sorted
    follow: bool = True  # rel ∧ meta robots ∧ X-Robots-Tag
    placement: str = "unknown"  # one of :data:`PLACEMENTS`
    placement_confidence: float = 0.0  # 0 to 1
    text_before: str = ""  # whole words, at most 120 characters
    text_after: str = ""
    heading: str = ""  # nearest heading before the link
    ordinal: int = 0  # which one among the links from this page to this target, from 0
    position: int = 0  # which one among all links of the page, from 0; set by canonicalise
    internal: bool = False  # target and source share a registrable domain; set by canonicalise
    target_host: str = ""  # set by canonicalise
    target_domain: str = ""  # set by canonicalise
    modified: int = 0  # when the target changed last, as a sitemap or feed says; 0: not said. No part of a version


class PageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What :mod:`crawler.extract` reads from one document. Link targets are absolute, WHATWG-serialised, not canonical.

    Texts are folded and bounded; "" or None where the page says nothing.
    """

    title: str = ""
    description: str = ""
    language: str = ""  # as declared: html lang, then Content-Language; detected where nothing is declared; lower case
    author: str = ""
    published: int | None = None  # ms since 1970-01-01 UTC, as the page says
    modified: int | None = None
    type: str = ""  # Open Graph type: article, website, product…
    platform: str = ""  # what the site runs on: WordPress, phpBB…
    canonical: str = ""  # absolute URL of link rel=canonical, "" where there is none
    charset: str = ""  # WHATWG name of the encoding that was used
    robots: tuple[str, ...] = ()  # directives in force: nofollow, noindex, unavailable_after: …
    links: tuple[Link, ...] = ()
    unusable: int = 0  # hrefs that WHATWG parsing refuses, or of other schemes than http and https
    cut: bool = False  # a limit bit: links beyond it were not taken; absence of a link proves nothing
    limits: tuple[str, ...] = ()  # the options whose limit bit while the document was read: max_links, max_anchor…
    words: int = 0  # of the readable text
    text_digest: int = 0  # 64 bit, signed, of the readable text; 0 where there is none
    near_digest: int = 0  # 64 bit, signed: near-duplicates differ in few bits; 0 where there is too little text
    terms: bytes = b""  # term vector, as :mod:`linkindex.relevance` packs it


class Visit(PageFacts, frozen=True, kw_only=True):
    """One fetch of one URL and all that was learned: what the spider yields and the index stores.

    Storing the same visit twice equals storing it once: ``(url, at)`` is its identity.
    """

    url: str
    at: int  # when it was asked for
    outcome: Outcome
    reason: str = ""  # detail of the outcome: "dns", "timeout", "robots", "too_large"…
    status: int = 0  # HTTP status, 0 where there was no answer
    content_type: str = ""
    redirect: str = ""  # target of a redirect, "" otherwise
    content_digest: int = 0  # 64 bit, signed, of the decoded body
    size: int = 0  # bytes of the decoded body
    elapsed: int = 0  # ms from sending the request to the last byte
    certificate_error: str = ""  # why the certificate would not be trusted, "" where it is
    depth: int = 0  # links from a seed, as far as was known when it was visited
    host: str = ""  # set by canonicalise
    domain: str = ""  # registrable domain, set by canonicalise
