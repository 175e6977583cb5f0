"""Feeds: RSS 0.9x, 1.0 and 2.0 (https://www.rssboard.org/rss-specification), Atom (RFC 4287, and 0.3 before it).

Each entry's page is a link of kind ``feed`` whose anchor is the entry's title; what comes with it (podcasts) is of kind
``media``, the next page of a feed (RFC 5005) of kind ``next``.
"""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser

from crawler.extract import xml
from crawler.extract.gathering import MAX_PIECES, Gathering, Listing, modified
from crawler.extract.resolving import MAX_URL_CHARS
from linkindex import urls

ROOTS = ("rss", "RDF", "feed")
_ENTRIES = ("item", "entry")
_MOMENT_CHARS = 64
_MOMENTS = ("updated", "modified", "pubDate", "date", "published", "issued")  # the most telling first
_BASE = "{http://www.w3.org/XML/1998/namespace}base"


def read(body: bytes, url: str, content_type: str = "", *, follow: bool = True, max_links: int = 10_000) -> Listing:
    """Return what the feed ``body`` at ``url`` lists, whose root element is one of :data:`ROOTS`."""
    gathering = Gathering(url, follow, MAX_URL_CHARS)
    target = _Feed(gathering, url, max_links)
    broken = xml.stream(body, content_type, target)
    return gathering.listing(broken, target.title)


class _Feed:
    """Hears of a feed's elements (:class:`crawler.extract.xml.Target`)."""

    def __init__(self, gathering: Gathering, url: str, max_links: int) -> None:
        self._gathering = gathering
        self._max_links = max_links
        self._bases: list[tuple[int, str]] = [(0, url)]  # (depth of the element that set it, base)
        self._depth = 0
        self._entry = 0  # depth of the entry we are in, 0 outside
        self._namespace = ""  # of the entry: elements of others are extensions of it
        self._kept = 0  # depth of the title we are in: it may hold markup
        self._text: list[str] = []
        self.title = ""
        self._begin()

    def _begin(self) -> None:
        self._said: dict[str, str] = {}  # local name: text of the first
        self._links: list[tuple[str, str, str]] = []  # (kind, URL, base)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if not self._kept:
            self._text.clear()
        if attributes and _BASE in attributes:
            self._enter_base(attributes[_BASE])
        name = xml.local(tag)
        if not self._entry and name in _ENTRIES:
            self._entry, self._namespace = self._depth, xml.namespace(tag)
            self._begin()
        elif self._depth in ((self._entry + 1,) if self._entry else (2, 3)):
            if name == "title" and not self._kept:
                self._kept = self._depth
            if attributes:
                self._attributed(name, attributes)

    def data(self, text: str) -> None:
        if len(self._text) < MAX_PIECES:
            self._text.append(text)

    def end(self, tag: str) -> None:
        depth, name = self._depth, xml.local(tag)
        self._depth = depth - 1
        if self._bases[-1][0] == depth:
            self._bases.pop()
        if depth == self._entry:
            self._end_entry()
        elif self._entry and depth == self._entry + 1:
            if name == "date" or xml.namespace(tag) == self._namespace:
                self._said.setdefault(name, "".join(self._text))
        elif not self._entry and self._kept == depth and not self.title:
            self.title = "".join(self._text)
        if self._kept in (0, depth):
            self._kept = 0
            self._text.clear()

    def close(self) -> None:
        pass

    def _enter_base(self, href: str) -> None:
        base = urls.parse(href, self._bases[-1][1]) if len(href) <= MAX_URL_CHARS else None
        if base is not None and len(base) <= MAX_URL_CHARS:
            self._bases.append((self._depth, base))

    def _attributed(self, name: str, attributes: dict[str, str]) -> None:
        """Read a link that an element's attributes make."""
        base = self._bases[-1][1]
        if name == "link" and "href" in attributes:
            rel = attributes.get("rel", "alternate").lower()
            if self._entry and rel in ("alternate", "enclosure"):
                self._links.append(("feed" if rel == "alternate" else "media", attributes["href"], base))
            elif not self._entry and rel == "next":
                self._gathering.add("next", attributes["href"], base)
        elif self._entry and name == "enclosure" and "url" in attributes:
            self._links.append(("media", attributes["url"], base))
        elif self._entry and name == "guid":
            self._said["isPermaLink"] = attributes.get("isPermaLink", "")

    def _end_entry(self) -> None:
        said, self._entry = self._said, 0
        if href := said.get("link", "").strip():
            self._links.insert(0, ("feed", href, self._bases[-1][1]))
        if not any(kind == "feed" for kind, _, _ in self._links):
            guid = said.get("guid", "") if said.get("isPermaLink", "").lower() != "false" else ""
            self._links.append(("feed", guid, self._bases[-1][1]))
        anchor = _plain(said.get("title", ""))
        moments = (modified(said[name][:_MOMENT_CHARS].strip()) for name in _MOMENTS if name in said)
        changed = next(filter(None, moments), 0)
        for kind, href, base in self._links:
            why = self._gathering.add(kind, href, base, anchor, changed)
            if why and kind == "feed":
                self._gathering.refused[why] += 1
        if len(self._gathering) >= self._max_links:
            raise xml.Enough("too_many_urls")


def _plain(title: str) -> str:
    """Return a title as a reader sees it: many are written as HTML, whatever they say they are."""
    if "<" not in title and "&" not in title:
        return title
    body = LexborHTMLParser(title[:4096]).body
    return body.text() if body is not None else title
