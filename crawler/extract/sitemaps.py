"""Sitemaps (https://www.sitemaps.org/protocol.html): XML, indexes of sitemaps, lists of URLs in plain text.

Namespaces are not asked for, since many sitemaps have none or an old one; what is an entry is told by its name and its
place. Google's extensions are read too: hreflang alternates, images, videos, news. What an index names is a link with
rel ``sitemap``, as it would be in the head of a page.
"""

from __future__ import annotations

from crawler.extract import xml
from crawler.extract.charset import charset_of
from crawler.extract.encodings import decode
from crawler.extract.gathering import MAX_PIECES, Gathering, Listing, modified

ROOTS = ("urlset", "sitemapindex")
MAX_URLS = 50_000  # of one sitemap
MAX_EXTRAS = 50_000  # alternates, images and videos of one sitemap; more are left out
MAX_BYTES = 52_428_800  # of one sitemap, unpacked
URL_CHARS = 2048
_MOMENT_CHARS = 64
_RELS: dict[str, tuple[str, ...]] = {"url": (), "sitemap": ("sitemap",)}


def read_xml(body: bytes, url: str, content_type: str = "", *, follow: bool = True) -> Listing:
    """Return what the sitemap or index ``body`` at ``url`` lists, whose root element is one of :data:`ROOTS`."""
    gathering = Gathering(url, follow, URL_CHARS)
    return gathering.listing(xml.stream(body, content_type, _Sitemap(gathering)))


def read_text(body: bytes, url: str, content_type: str = "", *, follow: bool = True) -> Listing:
    """Return what a list with one URL a line names. Blank lines are nothing."""
    gathering = Gathering(url, follow, URL_CHARS)
    charset, mark = charset_of(body, content_type)
    count, broken = 0, ""
    for line in decode(body[mark:], charset).splitlines():
        if not line or line.isspace():
            continue
        count += 1
        if count > MAX_URLS:
            broken = "too_many_urls"
            break
        if why := gathering.add("sitemap", line):
            gathering.refused[why] += 1
    return gathering.listing(broken)


class _Sitemap:
    """Hears of a sitemap's elements (:class:`crawler.extract.xml.Target`): entries are the children of its root."""

    def __init__(self, gathering: Gathering) -> None:
        self._gathering = gathering
        self._depth = 0
        self._entries = 0
        self._room = MAX_EXTRAS
        self._text: list[str] = []
        self._begin()

    def _begin(self) -> None:
        self._loc = self._modified = self._title = ""
        self._extras: list[tuple[str, str]] = []  # (kind, URL)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._text.clear()
        if not attributes:
            return
        if self._depth == 3 and xml.local(tag) == "link" and attributes.get("rel") == "alternate":
            self._add_extra("alternate", attributes.get("href", ""))
        elif self._depth > 3 and "info" in attributes:  # of a video's uploader
            self._add_extra("media", attributes["info"])

    def data(self, text: str) -> None:
        if len(self._text) < MAX_PIECES:
            self._text.append(text)

    def end(self, tag: str) -> None:
        depth = self._depth
        self._depth = depth - 1
        if depth == 3:
            self._end_child(xml.local(tag))
        elif depth == 2:
            self._end_entry(xml.local(tag))
        elif depth > 3:
            self._end_extension(xml.local(tag), tag)
        self._text.clear()

    def close(self) -> None:
        pass

    def _end_child(self, name: str) -> None:
        if name == "loc":
            self._loc = self._loc or "".join(self._text)
        elif name == "lastmod":
            self._modified = "".join(self._text)

    def _end_extension(self, name: str, tag: str) -> None:
        if name == "loc" or name.endswith("_loc") or name == "license":
            self._add_extra("media", "".join(self._text))
        elif name == "title" and "sitemap-news" in tag:  # of the page; others are of an image or a video
            self._title = "".join(self._text)

    def _end_entry(self, name: str) -> None:
        rel = _RELS.get(name)
        if rel is not None:
            self._entries += 1
            if self._entries > MAX_URLS:
                raise xml.Enough("too_many_urls")
            # Some write the URL without an element of its own.
            href = self._loc or "".join(self._text)
            why = self._gathering.add(
                "sitemap", href, None, self._title, modified(self._modified[:_MOMENT_CHARS].strip()), rel
            )
            if why:
                self._gathering.refused[why] += 1
            for kind, extra in self._extras:
                self._gathering.add(kind, extra)
        self._begin()

    def _add_extra(self, kind: str, href: str) -> None:
        if self._room > 0:
            self._room -= 1
            self._extras.append((kind, href))
