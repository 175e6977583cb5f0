"""What a page tells of itself beside its links: title, description, author, dates, type, language, platform, text.

Pages say the same thing in many places, and the places differ in worth. The order of trust, found on real pages with
reviewed authors and dates:

1. JSON-LD of the page's main matter: made by the system that knows, read by search engines, so kept right;
2. metas made for machines: ``article:published_time``, Dublin Core, publishers' own;
3. for dates ``time`` elements that are marked as the page's own, for authors links with ``rel=author``;
4. headers, as they are often about the answer rather than the page.

Open Graph comes first for the type, as its words are the ones that the index keeps, and ``<title>`` and
``<meta name=description>`` before what was written for cards in other places.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from crawler.extract import language, platforms
from crawler.extract.dates import moment
from crawler.extract.links import fold
from crawler.extract.reading import Reading
from crawler.extract.structured import Structured

TITLE_CHARS, DESCRIPTION_CHARS, AUTHOR_CHARS, TYPE_CHARS = 512, 512, 256, 64
_CLOCK_MS = 60_000  # a page made for this very answer: Last-Modified tells nothing

_TITLES = ("og:title", "twitter:title", "dc.title", "dcterms.title")
_DESCRIPTIONS = ("description", "og:description", "twitter:description", "dc.description", "dcterms.description")
_AUTHORS = (
    "author", "article:author", "article:author_name", "dc.creator", "dcterms.creator", "citation_author",
    "parsely-author", "sailthru.author", "article.author", "byl",
)  # fmt: skip
_PUBLISHED = (
    "article:published_time", "og:article:published_time", "datepublished", "dcterms.issued", "dc.date.issued",
    "dcterms.created", "dc.date.created", "dcterms.date", "dc.date", "parsely-pub-date", "sailthru.date", "pubdate",
    "publishdate", "publish-date", "publish_date", "publication_date", "citation_publication_date", "citation_date",
    "article.published", "date",
)  # fmt: skip
_MODIFIED = (
    "article:modified_time", "og:article:modified_time", "og:updated_time", "datemodified", "dcterms.modified",
    "dc.date.modified", "article.updated", "last-modified", "lastmod", "revised",
)  # fmt: skip
# itemprop and pubdate of HTML, classes of microformats (https://microformats.org/wiki/hentry) and of blog systems.
_TIME_PUBLISHED = frozenset(("datepublished", "datecreated", "pubdate", "published", "dt-published", "entry-date"))
_TIME_MODIFIED = frozenset(("datemodified", "updated", "dt-updated"))
_ADDRESS = re.compile(r"(?:https?:)?//|www\.|@\w+$|[^\s@]+@[^\s@]+$", re.I)  # of a profile or a mailbox: no name


class Told(NamedTuple):
    """What a page tells of itself; the fields are those of :class:`linkindex.model.PageFacts`."""

    title: str
    description: str
    language: str
    author: str
    published: int | None
    modified: int | None
    type: str
    platform: str


def told(
    reading: Reading,
    data: Structured,
    text: str,
    headers: Mapping[str, str],
    shell: Iterable[Mapping[str, str | None]] = (),
) -> Told:
    """Return what the page of ``reading`` tells of itself.

    ``data`` is what its JSON-LD says, ``text`` its readable text. ``headers`` map lower-case names to values, each value
    of a name that came several times on a line of its own. ``shell`` are the attributes of html and body.
    """
    metas = _Metas(reading)
    stated = (reading.language, reading.pragmas.get("content-language", ""), headers.get("content-language", ""))
    return Told(
        title=fold(reading.title, TITLE_CHARS) or _text(TITLE_CHARS, metas.all(_TITLES), [data.headline]),
        description=_text(DESCRIPTION_CHARS, metas.all(_DESCRIPTIONS), [data.description]),
        language=language.declared(*stated) or language.detected(text),
        author=_author(data, metas, reading),
        published=_moment([data.published], metas.all(_PUBLISHED), _times(reading, _TIME_PUBLISHED)),
        modified=_moment(
            [data.modified], metas.all(_MODIFIED), _times(reading, _TIME_MODIFIED), _last_modified(headers)
        ),
        type=fold(metas.first("og:type").lower(), TYPE_CHARS) or data.kind,
        platform=platforms.platform(platforms.signs(metas.named, headers, shell, reading.assets, text)),
    )


class _Metas:
    """The metas of a page under their lower-case names, whichever attribute names them."""

    def __init__(self, reading: Reading) -> None:
        self.named = [(name.strip().lower(), content) for name, content in chain(reading.metas, reading.properties)]
        self.contents: dict[str, str] = {}
        for name, content in self.named:
            if content and not content.isspace():
                self.contents.setdefault(name, content)

    def first(self, name: str) -> str:
        return self.contents.get(name, "")

    def all(self, names: Iterable[str]) -> Iterator[str]:
        return (self.contents[name] for name in names if name in self.contents)


def _text(limit: int, *sources: Iterable[str]) -> str:
    """Return the first text that is more than white space, folded."""
    return next(filter(None, (fold(text, limit) for text in chain(*sources))), "")


def _moment(*sources: Iterable[str]) -> int | None:
    return next((read for text in chain(*sources) if (read := moment(text)) is not None), None)


def _author(data: Structured, metas: _Metas, reading: Reading) -> str:
    for names in (data.authors, metas.all(_AUTHORS), _bylines(reading)):
        folded = (fold(name, AUTHOR_CHARS) for name in names)
        people = [name for name in folded if name and not _ADDRESS.match(name)]
        if people:
            return fold(", ".join(dict.fromkeys(people if names is data.authors else people[:1])), AUTHOR_CHARS)
    return ""


def _bylines(reading: Reading) -> Iterator[str]:
    """Yield the texts of links with ``rel=author`` (https://html.spec.whatwg.org/#link-type-author)."""
    for found in reading.found:
        if found.rel and 0 <= found.start < found.end and "author" in found.rel.lower().split():
            yield "".join(reading.pieces[found.start : min(found.end, found.start + 20)])


def _times(reading: Reading, called: frozenset[str]) -> Iterator[str]:
    return (written for names, written in reading.times if not called.isdisjoint(names.lower().split()))


def _last_modified(headers: Mapping[str, str]) -> Iterator[str]:
    """Yield Last-Modified unless it is about the time of the answer."""
    modified = headers.get("last-modified", "")
    then, now = moment(modified), moment(headers.get("date", ""))
    if then is not None and (now is None or now - then > _CLOCK_MS):
        yield modified
