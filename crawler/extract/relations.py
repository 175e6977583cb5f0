"""Links that a page states rather than shows: ``<link>`` elements and ``Link`` headers, told by the words of their rel.

Sources: HTML Standard 4.6.7 (link types), RFC 8288 (Link header), the IANA registry of link relations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

# The most telling first. Others (stylesheet, icon, preload, dns-prefetch…) fetch parts of the page or hint at them.
_KINDS = {
    "canonical": "canonical",
    "amphtml": "amphtml",
    "next": "next",
    "prev": "prev",
    "previous": "prev",
    "sitemap": "sitemap",
    "alternate": "alternate",
}
_FEEDS = ("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json")
_MOST_CHARS = 1000
_HEADER_CHARS = 16_384  # of all Link headers of a page together
_HEADER_LINKS = 100

# RFC 8288 section 3, appendix B.2: "<target>", then ";name", ";name=token" or ';name="quoted"', then a comma.
_TARGET = re.compile(r"[ \t,]*<([^>]*)>")
_PARAMETER = re.compile(
    r'[ \t]*;[ \t]*([\w!#$%&\'*+\-.^`|~]*)[ \t]*(?:=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^";, \t]*)))?', re.ASCII
)


class Stated(NamedTuple):
    """A link that a header states."""

    kind: str
    href: str
    rel: str
    title: str


def link_kind(rel: str, media_type: str) -> str | None:
    """Return the kind of link that ``rel`` with the ``type`` attribute makes, None where it makes none."""
    return _link_kind(rel[:_MOST_CHARS], media_type[:_MOST_CHARS])


@lru_cache(maxsize=1 << 10)
def _link_kind(rel: str, media_type: str) -> str | None:
    words = rel.lower().split()
    kind = next((_KINDS[word] for word in _KINDS if word in words), None)
    if kind != "alternate":
        return kind
    if "stylesheet" in words:
        return None
    return "feed" if media_type.partition(";")[0].strip().lower() in _FEEDS else kind


def header_links(values: Iterable[str]) -> Iterator[Stated]:
    """Yield the links of a page's ``Link`` headers that are of a kind we know; what is broken ends its header.

    A link whose ``anchor`` parameter makes something else than the page its source is left out (RFC 8288 section 3.2).
    """
    room = _HEADER_CHARS
    found = 0
    for value in values:
        text, room = value[:room], max(0, room - len(value))
        position = 0
        while (target := _TARGET.match(text, position)) and found < _HEADER_LINKS:
            found += 1
            parameters, position = _parameters(text, target.end())
            kind = link_kind(parameters.get("rel", ""), parameters.get("type", ""))
            if kind is not None and "anchor" not in parameters:
                yield Stated(kind, target[1], parameters["rel"], parameters.get("title", ""))


def _parameters(value: str, position: int) -> tuple[dict[str, str], int]:
    """Return the parameters that stand at ``position``, the first of each name, and where they end."""
    parameters: dict[str, str] = {}
    while match := _PARAMETER.match(value, position):
        position = match.end()
        quoted, token = match[2], match[3]
        text = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else token or ""
        parameters.setdefault(match[1].lower(), text)
    return parameters, position
