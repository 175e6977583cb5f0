"""What a page says: bytes and headers in, :class:`linkindex.model.PageFacts` out. Pure, and never raises on any page.

The way through: :mod:`~crawler.extract.charset` names the encoding, lexbor builds the tree,
:mod:`~crawler.extract.tree` walks it once, :mod:`~crawler.extract.robots` and :mod:`~crawler.extract.placement` judge
what it met, and :mod:`~crawler.extract.links` makes links of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from selectolax.lexbor import LexborHTMLParser

from crawler.extract import facts, robots
from crawler.extract.charset import charset_of
from crawler.extract.digests import digests, prose_of
from crawler.extract.encodings import decode
from crawler.extract.hazards import within
from crawler.extract.links import ANCHOR_CHARS, links_of, refresh_href
from crawler.extract.placement import placements
from crawler.extract.reading import Found, Reading
from crawler.extract.relations import header_links
from crawler.extract.resolving import Resolver
from crawler.extract.structured import Structured, structured
from crawler.extract.terms import page_vector
from crawler.extract.tree import read
from linkindex import urls
from linkindex.model import PageFacts

__all__ = ["judged", "read_page"]

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


def read_page(
    body: bytes,
    url: str,
    headers: Mapping[str, str] = _NO_HEADERS,
    *,
    max_links: int = 10_000,
    max_anchor: int = ANCHOR_CHARS,
    max_depth: int = 1 << 30,
    max_nodes: int = 1 << 30,
) -> PageFacts:
    """Return what the HTML document ``body`` at ``url`` says.

    ``headers`` are those it came with, under lower-case names; each value of one that came several times is on a line of
    its own. After ``max_links`` elements that link, usable or not, the rest is left unread, and so is what lies under
    ``max_depth`` elements, or behind ``max_nodes`` elements, texts and attributes; then ``cut`` is set. Anchor texts are
    cut at ``max_anchor`` characters. ``limits`` names the options that bit. Links to the page itself are left out, and hrefs
    that cannot be crawled are counted in ``unusable``.
    """
    charset, mark = charset_of(body, headers.get("content-type", ""))
    # lexbor reads UTF-8 and keeps what is none; selectolax then puts U+FFFD in its place.
    source = body[mark:] if charset == "utf-8" else decode(body[mark:], charset).encode()
    size = within(source, max_nodes)
    document = LexborHTMLParser(source[:size])
    reading = read(document.root, max_links, max_depth) if document.root is not None else Reading()
    if size < len(source) and "max_links" not in reading.limits:  # which would have cut it anyway
        reading.limits.append("max_nodes")
    resolve = Resolver(url, reading.base)
    data = structured(reading.scripts)
    reading.found.extend(_unseen(reading, data, headers, url))
    directives = robots.directives(reading.metas, headers.get("x-robots-tag", "").split("\n"))
    zones = placements(reading, urls.host_of(resolve.page or ""))
    links, unusable, cut_anchors = links_of(reading, zones, resolve, directives, max_anchor)
    canonicals = (resolve(found.href) for found in reading.found if found.kind == "canonical")
    text = "".join(reading.pieces)
    words, text_digest, near_digest = digests(text, prose_of(reading.pieces))
    shell = [node.attributes for node in (document.root, document.body) if node is not None]
    told = facts.told(reading, data, text, headers, shell)
    return PageFacts(
        **told._asdict(),
        canonical=next(filter(None, canonicals), ""),
        charset=charset,
        robots=directives,
        words=words,
        text_digest=text_digest,
        near_digest=near_digest,
        links=links,
        unusable=unusable,
        cut=bool(reading.limits),
        limits=(*reading.limits, *(["max_anchor"] if cut_anchors else [])),
        terms=page_vector(reading, zones, told.language),
    )


def judged(body: bytes, content_type: str) -> bytes:
    """Return the bytes in which hazards are looked for: those that are parsed.

    They are the page's own but where its encoding is none of ASCII's kin: UTF-16 has NULs, ISO-2022-JP escapes.
    """
    if b"\0" not in body and b"\x1b" not in body:
        return body
    charset, mark = charset_of(body, content_type)
    return decode(body[mark:], charset).encode() if charset != "utf-8" else body


def _unseen(reading: Reading, data: Structured, headers: Mapping[str, str], url: str) -> Iterator[Found]:
    """Yield the links that are no elements: of the refresh pragma, of Link headers, of structured data to other hosts.

    The base of a header's is the page's URL, whatever its base element says (RFC 8288 section 3.2).
    """
    if href := refresh_href(reading.pragmas.get("refresh", "")):
        yield Found(-1, -1, "refresh", href)
    for link in header_links(headers.get("link", "").split("\n")):
        yield Found(-1, -1, link.kind, urls.parse(link.href, url) or link.href, link.rel, link.title)
    for property_, address in data.links:
        target = urls.parse(address, url)
        if target is not None and urls.host_of(target) != urls.host_of(url):
            yield Found(-1, -1, "json-ld", target, property_)
