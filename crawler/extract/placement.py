"""Where on its page a link stands, judged from the elements around it, with a confidence from 0 to 1.

Landmarks of HTML5 and ARIA are the author's own word; class and id words are a hint. A :class:`Zone` is what an
element says about all it holds; :func:`within` settles nested zones, from the outermost inwards.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple


class Zone(NamedTuple):
    """A placement of :class:`linkindex.model.Link`, and how sure it is."""

    placement: str
    confidence: float


UNKNOWN = Zone("unknown", 0.0)
HEAD = Zone("head", 1.0)
LANDMARKS = {
    "nav": Zone("navigation", 0.95),
    "header": Zone("header", 0.9),
    "footer": Zone("footer", 0.95),
    "aside": Zone("sidebar", 0.85),
    "main": Zone("content", 0.8),
    "article": Zone("content", 0.8),
}
_ROLES = {
    "navigation": LANDMARKS["nav"],
    "menu": LANDMARKS["nav"],
    "menubar": LANDMARKS["nav"],
    "banner": LANDMARKS["header"],
    "contentinfo": LANDMARKS["footer"],
    "complementary": LANDMARKS["aside"],
    "main": LANDMARKS["main"],
    "article": LANDMARKS["article"],
}
# Words of class and id, the most telling first: "comment-nav" stands among comments.
_HINTS = (
    ("breadcrumb breadcrumbs", Zone("breadcrumb", 0.97)),
    ("comment comments commentlist disqus", Zone("comment", 0.8)),
    ("footer colophon", Zone("footer", 0.75)),
    ("sidebar widget widgets", Zone("sidebar", 0.7)),
    ("nav navbar navigation menu menubar topnav", Zone("navigation", 0.7)),
    ("masthead header topbar", Zone("header", 0.6)),
    ("content article post entry story", Zone("content", 0.5)),
)
_RANKS = {word: rank for rank, (words, _) in enumerate(_HINTS) for word in words.split()}
_SILENT = len(_HINTS)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LETTERS_ONLY = {code: " " for code in range(128) if not chr(code).isalpha()}
_HINT_CHARS = 200  # of a class attribute; what comes after is utility classes
_WHOLE_PAGE = ("html", "body", "form")  # their classes speak of the page ("has-sidebar"), not of a place on it
_TEXT_BLOCK_CHARS = 60  # a link amid so much text is more likely written than built


@lru_cache(maxsize=1 << 14)
def zone_of(tag: str, role: str | None, classes: str | None, identity: str | None, label: str | None) -> Zone | None:
    """Return what an element says about its content, None where it says nothing.

    ``role``, ``classes``, ``identity`` and ``label`` are its attributes role, class, id and aria-label.
    """
    landmark = (_ROLES.get(role) if role else None) or LANDMARKS.get(tag)
    if not (classes or identity or label) or tag in _WHOLE_PAGE:
        return landmark
    # What a landmark is called ("Breadcrumb") tells as much as its classes do.
    names = f"{classes or ''} {label}" if label else classes
    hint = _hint(names) if names else None
    if identity and hint is None:
        hint = _hint(identity)
    if landmark is None or (hint is not None and hint.placement in ("breadcrumb", "comment")):
        return hint or landmark
    return landmark


def within(outer: Zone, inner: Zone) -> Zone:
    """Return the zone inside ``inner`` where that element itself stands in ``outer``."""
    if inner.placement == "content":
        # An article in a sidebar is a teaser, and a weak hint adds nothing to what is known.
        return inner if outer.placement in ("unknown", "content") and inner.confidence >= outer.confidence else outer
    if inner.placement == "header" and outer.placement == "content":
        return outer  # the header of an article carries its byline, not the site's banner
    if outer.placement in ("unknown", "content", "header") or inner.confidence > outer.confidence:
        return inner
    return outer


def from_text(before: str, after: str) -> Zone:
    """Return the zone of a link about which no element says anything, from the text on both sides in its block."""
    return Zone("content", 0.4) if len(before) + len(after) >= _TEXT_BLOCK_CHARS else UNKNOWN


def _hint(names: str) -> Zone | None:
    """Return what the most telling of ``names`` (a class or id attribute) says."""
    rank = min(map(_rank, names[:_HINT_CHARS].split()), default=_SILENT)
    return _HINTS[rank][1] if rank < _SILENT else None


@lru_cache(maxsize=1 << 15)
def _rank(name: str) -> int:
    # Cached one by one: the same few names come in ever new combinations.
    words = (name if name.islower() else _CAMEL.sub(" ", name).lower()).translate(_LETTERS_ONLY).split()
    return min((_RANKS.get(word, _SILENT) for word in words), default=_SILENT)
