"""What the elements around a link say of its place: landmarks, roles, schema.org types, and words of class and id.

Landmarks of HTML5 and ARIA are the author's own word; class and id words are a hint. A :class:`Zone` is what an
element says about all it holds; :func:`within` settles nested zones, from the outermost inwards.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple


class Zone(NamedTuple):
    """A placement of :class:`linkindex.model.Link`, how sure it is, and the landmark that says so ("" for a hint)."""

    placement: str
    confidence: float
    landmark: str = ""

    @property
    def is_sure(self) -> bool:
        """Whether nothing but an element further in changes what was said; of the content, there is always more to say."""
        return self.confidence >= _SURE and self.placement != "content"


UNKNOWN = Zone("unknown", 0.0)
HEAD = Zone("head", 1.0)
_SURE = 0.8
LANDMARKS = {
    "nav": Zone("navigation", 0.97, "nav"),
    "header": Zone("header", 0.9, "header"),
    "footer": Zone("footer", 0.97, "footer"),
    "aside": Zone("sidebar", 0.85, "aside"),
    "main": Zone("content", 0.8, "main"),
    "article": Zone("content", 0.8, "article"),
}
_ROLES = {
    "navigation": "nav",
    "menu": "nav",
    "menubar": "nav",
    "banner": "header",
    "contentinfo": "footer",
    "complementary": "aside",
    "main": "main",
    "article": "article",
}
# https://schema.org/WebPageElement and the types of comments, people and trails.
_TYPES = {
    "sitenavigationelement": LANDMARKS["nav"],
    "wpheader": LANDMARKS["header"],
    "wpfooter": LANDMARKS["footer"],
    "wpsidebar": LANDMARKS["aside"],
    "breadcrumblist": Zone("breadcrumb", 0.97),
    "comment": Zone("comment", 0.9),
    "usercomments": Zone("comment", 0.9),
}
_BESIDE = (
    "related recommended recommendation recommendations recirc trending popular outbrain taboola share sharing sharedaddy "
    "shares addtoany social newsletter promo promos sponsored advert advertisement tags pagination pager"
)
# Words of class and id, the most telling first: "comment-nav" stands among comments.
_HINTS = (
    ("breadcrumb breadcrumbs crumbs", Zone("breadcrumb", 0.97)),
    ("comment comments commentlist disqus respond", Zone("comment", 0.85)),
    ("footer colophon copyright", Zone("footer", 0.8)),
    (_BESIDE, Zone("related", 0.8)),
    ("sidebar", Zone("sidebar", 0.7)),
    (
        "nav navbar navigation menu menubar menus submenu topnav subnav megamenu dropdown offcanvas",
        Zone("navigation", 0.8),
    ),
    ("masthead header topbar branding logo", Zone("header", 0.8)),
    ("hentry", Zone("content", 0.6)),  # WordPress writes the author's name into the classes of a whole post
    ("author authors byline bylines bio", Zone("author", 0.8)),
    ("widget widgets", Zone("sidebar", 0.5)),
    ("content article post entry story", Zone("content", 0.5)),
)
_RANKS = {word.encode(): rank for rank, (words, _) in enumerate(_HINTS) for word in words.split()}
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LETTERS = bytes(
    byte if byte > 127 or chr(byte).isalpha() else 32 for byte in range(256)
).lower()  # all else parts words
_TYPE_CHARS = 40
_HINT_CHARS = 200  # of a class attribute; what comes after is utility classes
_WHOLE_PAGE = ("html", "body", "form")  # their classes speak of the page ("has-sidebar"), not of a place on it
_SMALL = ("breadcrumb", "comment")  # words for these say more than the landmark they stand on
_PARTS = ("comment", "author", "related")  # parts of the content, or beside it, with articles and headers of their own


def zone_of(tag: str, attributes: Mapping[str, str | None]) -> Zone | None:
    """Return what an element says about its content, None where it says nothing."""
    landmark = LANDMARKS.get(tag)
    if not attributes:
        return landmark
    get = attributes.get
    if role := get("role"):
        landmark = LANDMARKS.get(_ROLES.get(role, tag))
    if landmark is None and (kind := get("itemtype")):
        landmark = _TYPES.get(kind[-_TYPE_CHARS:].rpartition("/")[2].lower())
    if tag in _WHOLE_PAGE:
        return landmark
    names = get("class") or ""
    if label := get("aria-label"):  # what a landmark is called ("Breadcrumb") tells as much as its classes do
        names = f"{names} {label}"
    hint = _hint(names[:_HINT_CHARS]) if names else None
    if hint is None and (identity := get("id")):
        hint = _hint(identity[:_HINT_CHARS])
    if hint is None or landmark is None:
        return landmark or hint
    if hint.placement in _SMALL:
        return hint
    # A landmark of the content may well be a teaser: <article class="related">.
    return hint if hint.placement == "related" and landmark.placement == "content" else landmark


def within(outer: Zone, inner: Zone) -> Zone:
    """Return the zone inside ``inner`` where that element itself stands in ``outer``.

    The innermost landmark that decides: nav is navigation wherever it stands, aside is the sidebar. The header and the
    footer of an article are parts of it (https://html.spec.whatwg.org/#the-header-element), so are those of comments.
    An article or main in anything but content is a teaser there. Hints decide where no landmark does.
    """
    place, around = inner.placement, outer.placement
    if around == "unknown":
        return inner
    if place == "breadcrumb" or (inner.landmark == "nav" and around != "breadcrumb"):
        return inner
    if around in _PARTS:
        return inner if place == "comment" and around == "related" else outer
    if place == "content":
        return inner if around == "content" and inner.confidence >= outer.confidence else outer
    if place == "header" or (place == "footer" and outer.landmark == "article"):
        return outer
    if inner.landmark or around == "content":
        return inner
    if around == "header" and place == "navigation":
        return inner
    return inner if place == "comment" or inner.confidence > outer.confidence else outer


@lru_cache(maxsize=1 << 14)
def _hint(names: str) -> Zone | None:
    """Return what the most telling of ``names`` (a class or id attribute, cut: strangers fill this cache) says."""
    apart = names if names.islower() else _CAMEL.sub(" ", names)
    told = _RANKS.keys() & apart.encode("utf-8", "replace").translate(_LETTERS).split()
    return _HINTS[min(map(_RANKS.__getitem__, told))][1] if told else None
