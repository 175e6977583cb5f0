"""Which robots directives hold on a page: ``<meta name=robots|googlebot|linkatlas>`` and ``X-Robots-Tag`` together.

Source: https://developers.google.com/search/docs/crawling-indexing/robots-meta-tag (there is no other standard).
What is said to Google counts, for a link is worth what the search engine makes of it. Directives from several places
add up; the stricter wins, since nothing here can take a directive back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

AGENTS = ("linkatlas", "googlebot")
_META_NAMES = ("robots", *AGENTS)
_VALUED = ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview")
_PERMISSIVE = ("all", "index", "follow")  # the defaults, said aloud
_WORD = re.compile(r"[a-z][a-z0-9_-]*")
_MAX_CHARS = 2000  # of one header or attribute: the longest honest one seen is under 200


def directives(metas: Iterable[tuple[str, str]], x_robots: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the directives in force, lower case, sorted, each once; ``none`` is told as ``nofollow``, ``noindex``.

    ``metas`` are (name, content) of the page's meta elements in order, ``x_robots`` the values of all X-Robots-Tag
    headers. A header's directives after ``agent:`` hold for that agent alone. Unintelligible ones are left out.
    """
    found: set[str] = set()
    for name, content in metas:
        if name.strip().lower() in _META_NAMES:
            found.update(directive for _, directive in _directives(content))
    for value in x_robots:
        found.update(directive for agent, directive in _directives(value) if agent in ("", "*", *AGENTS))
    if "none" in found:
        found |= {"nofollow", "noindex"}
    return tuple(sorted(found.difference(("none", *_PERMISSIVE))))


def _directives(text: str) -> Iterator[tuple[str, str]]:
    """Yield (agent, directive); the agent is ``""`` until one is named."""
    agent = ""
    parts = [part.strip() for part in text[:_MAX_CHARS].lower().split(",")]
    for position, part in enumerate(parts):
        name, colon, value = (piece.strip() for piece in part.partition(":"))
        if colon and name not in _VALUED and (name == "*" or _WORD.fullmatch(name)):
            agent = name
            name, colon, value = (piece.strip() for piece in value.partition(":"))
        if name in _VALUED and colon:
            if name == "unavailable_after" and not any(map(str.isdigit, value)):
                value = ", ".join((value, *parts[position + 1 : position + 2]))  # "Wed, 21 Oct 2026 07:28:00 GMT"
            yield agent, f"{name}: {value}"
        elif not colon and _WORD.fullmatch(name):
            yield agent, name
