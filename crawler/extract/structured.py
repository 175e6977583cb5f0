"""What JSON-LD says about a page (https://schema.org, https://www.w3.org/TR/json-ld11/): facts and links to elsewhere.

Read as search engines read it, without contexts: property names count as they are written. Scripts that are no JSON
are left out. Everything is bounded: characters a page, nodes, links, names.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

MAX_CHARS = 1 << 18  # of all scripts of a page; the longest honest one seen is a fifth of that
MAX_LINKS = 1_000
_MAX_NODES = 10_000
_MAX_NAMES = 10
_MAX_TEXT = 2_000  # of one value; what takes it home folds and cuts it

_LINKING = ("sameAs", "citation", "url")
# What a node's parent says it is: a picture's address is no link to a page.
_MEDIA = frozenset(("image", "logo", "thumbnail", "photo", "primaryImageOfPage", "contentUrl", "embedUrl"))
# Where the page itself is told of. What stands elsewhere (comments, lists, reviews) has dates and authors of its own.
_MAIN = frozenset(("@graph", "mainEntity", "mainEntityOfPage"))
_ABSOLUTE = re.compile(r"\s*(?:https?:)?//[^\s]", re.I)
_SECTION = re.compile(r"<!\[CDATA\[|\]\]>")
_BEGINNING = re.compile(r"[\[{]")

# Types that tell of the page's main matter, as Open Graph calls them (https://ogp.me/#types); the last are about
# the page as such, and what is not here (organisations, breadcrumbs) tells nothing of it.
_KINDS = (
    (
        re.compile(r".*(?:Article|Posting|Report)|Recipe|HowTo|Review|QAPage|Question|Course|Event|JobPosting"),
        "article",
    ),
    (
        re.compile(r"Product|ProductGroup|IndividualProduct|SoftwareApplication|MobileApplication|WebApplication"),
        "product",
    ),
    (re.compile(r"Book|Audiobook"), "book"),
    (re.compile(r"VideoObject|Movie|TVEpisode|Clip"), "video.other"),
    (re.compile(r"ProfilePage|Person"), "profile"),
    (re.compile(r".*Page|WebSite|Dataset|CreativeWork|PodcastEpisode"), ""),
)
_NO_KIND = len(_KINDS)


class Structured(msgspec.Struct, frozen=True, kw_only=True):
    """What the scripts of one page say together, as written there."""

    links: tuple[tuple[str, str], ...] = ()  # (property, absolute URL), each once, in order
    authors: tuple[str, ...] = ()  # names
    published: str = ""
    modified: str = ""
    headline: str = ""
    description: str = ""
    kind: str = ""  # in the words of Open Graph: article, product, book, video.other, profile


NOTHING = Structured()


def structured(scripts: Iterable[str]) -> Structured:
    """Return what the texts of a page's ``application/ld+json`` scripts say; what exceeds the limits is left unread."""
    documents = []
    room = MAX_CHARS
    for script in scripts:
        if len(script) <= room:
            room -= len(script)
            documents.append(_parsed(script))
    return _Reader(documents).structured() if documents else NOTHING


def _parsed(script: str) -> object:
    """Return the JSON in ``script``, None where there is none."""
    try:
        return msgspec.json.decode(script)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        pass
    script = _SECTION.sub("", script)
    begins = _BEGINNING.search(script)  # comments of HTML or JavaScript may stand around
    start, end = begins.start() if begins else 0, max(script.rfind("}"), script.rfind("]"))
    try:
        return json.loads(script[start : end + 1], strict=False)  # line breaks inside strings are common
    except (ValueError, RecursionError):
        return None


class _Reader:
    """Walks parsed scripts once, in document order, with a stack of its own."""

    def __init__(self, documents: list[object]) -> None:
        self.links: dict[tuple[str, str], None] = {}
        self.nodes: list[tuple[int, dict[str, Any]]] = []  # (rank, node) of those that tell of the page
        self.named: dict[str, str] = {}  # names of the nodes that have an @id
        self._walk(documents)
        self.nodes.sort(key=lambda ranked: ranked[0])  # stable: of two alike the first counts

    def structured(self) -> Structured:
        kind = next((_KINDS[rank][1] for rank, _ in self.nodes if rank < _NO_KIND), "")
        return Structured(
            links=tuple(self.links),
            authors=self._authors(),
            published=self._first("datePublished"),
            modified=self._first("dateModified"),
            headline=self._first("headline") or self._first("name"),
            description=self._first("description"),
            kind=kind,
        )

    def _walk(self, documents: list[object]) -> None:
        waiting: list[tuple[object, bool]] = [(document, True) for document in reversed(documents)]
        for _ in range(_MAX_NODES):
            if not waiting:
                return
            value, main = waiting.pop()
            if isinstance(value, dict):
                waiting.extend(reversed(self._read(value, main)))
            elif isinstance(value, list):
                waiting.extend((item, main) for item in reversed(value[:_MAX_NODES]) if isinstance(item, dict | list))

    def _read(self, node: dict[str, Any], main: bool) -> list[tuple[object, bool]]:
        """Take what ``node`` itself says; return its nested values and whether they may tell of the page."""
        nested: list[tuple[object, bool]] = []
        for name, value in node.items():
            if isinstance(value, dict | list) and name not in _MEDIA:
                nested.append((value, main and name in _MAIN))
            if name in _LINKING:
                self._link(name, value)
        identity, called = node.get("@id"), node.get("name")
        if isinstance(identity, str) and isinstance(called, str):
            self.named.setdefault(identity, called)
        if main and (rank := _rank(node.get("@type"))) < _NO_KIND:
            self.nodes.append((rank, node))
        return nested

    def _link(self, name: str, value: object) -> None:
        for url in value[:MAX_LINKS] if isinstance(value, list) else (value,):
            if isinstance(url, str) and len(self.links) < MAX_LINKS and _ABSOLUTE.match(url):
                self.links[name, _whole(url)] = None

    def _first(self, name: str) -> str:
        """Return the first text that a node of the page has under ``name``."""
        for _, node in self.nodes:
            if text := next(_texts(node.get(name)), ""):
                return text
        return ""

    def _authors(self) -> tuple[str, ...]:
        for _, node in self.nodes:
            for name in ("author", "creator"):
                if authors := dict.fromkeys(self._names(node.get(name))):
                    return tuple(authors)
        return ()

    def _names(self, value: object) -> Iterator[str]:
        for author in (value if isinstance(value, list) else [value])[:_MAX_NAMES]:
            if isinstance(author, dict):
                identity = author.get("@id")
                known = self.named.get(identity) if isinstance(identity, str) else None
                yield from _texts(author.get("name") or known)
            else:
                yield from _texts(author)


def _texts(value: object) -> Iterator[str]:
    """Yield the texts of a value that may be one or a list; many pages escape them as if they were HTML."""
    for text in value[:_MAX_NAMES] if isinstance(value, list) else (value,):
        if isinstance(text, str) and text and not text.isspace():
            yield _whole(html.unescape(text[:_MAX_TEXT]))


def _whole(text: str) -> str:
    """Return ``text`` with halves of surrogate pairs, which JSON can escape and nothing can store, replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _rank(types: object) -> int:
    names = types if isinstance(types, list) else [types]
    return min((_rank_of(name) for name in names[:_MAX_NAMES] if isinstance(name, str)), default=_NO_KIND)


def _rank_of(name: str) -> int:
    name = name[:100].rpartition("/")[2].rpartition(":")[2]
    return next((rank for rank, (form, _) in enumerate(_KINDS) if form.fullmatch(name)), _NO_KIND)
