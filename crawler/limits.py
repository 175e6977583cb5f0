"""What is read of a document at most, and how it is told that a limit bit: in stats by the option's name, in a visit's
reason by a word."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from crawler.extract.sitemaps import MAX_BYTES
from crawler.failures import Reason
from settings.options import Options


class ReadLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits on one document, whose bytes :class:`crawler.fetching.Limits` bounds. Each is an option by that name."""

    max_links: int = 10_000
    max_anchor: int = 512  # characters
    max_dom_depth: int = 4_000  # elements: what is left open costs a parser quadratic time (crawler.extract.hazards)
    max_nodes: int = 500_000  # elements, texts, attributes: some 80 MB while a page is read (crawler.extract.hazards)
    max_sitemap: int = MAX_BYTES  # unpacked
    max_ratio: int = 200  # of a sitemap that is a gzip file itself


def read_limits(options: Options) -> ReadLimits:
    """Return the limits that the options name."""
    return ReadLimits(**{name: getattr(options, name) for name in ReadLimits.__struct_fields__})


# The limit that ended a fetch, by the reason of its end.
BY_REASON = {
    Reason.CONNECT_TIMEOUT: "connect_timeout",
    Reason.FIRST_BYTE_TIMEOUT: "first_byte_timeout",
    Reason.TIMEOUT: "timeout",
    Reason.TOO_SLOW: "least_rate",
    Reason.HEADERS_TOO_LARGE: "max_headers",
}

# What it means for a document of which a part was read. A long anchor is cut, and the page is whole.
_WORDS = {
    "max_body": "too_large",
    "max_sitemap": "too_large",
    "max_ratio": "too_large",
    "max_headers": "too_large",
    "first_byte_timeout": "too_slow",
    "timeout": "too_slow",
    "least_rate": "too_slow",
    "max_links": "too_many_links",
    "max_dom_depth": "too_deep",
    "max_nodes": "too_many_nodes",
}


def told(limits: Iterable[str]) -> str:
    """Return what a visit says of the limits that bit, ``""`` where none did that matters."""
    return ", ".join(dict.fromkeys(_WORDS[limit] for limit in limits if limit in _WORDS))


def stat(limit: str) -> str:
    """Return the name under which Scrapy's stats count how often a limit bit."""
    return f"linkatlas/limit/{limit}"
