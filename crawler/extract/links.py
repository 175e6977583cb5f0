"""From what a page has written to the links it makes: resolved, named, followed or not, with the text around them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from crawler.extract.reading import Found, Reading, Span
from crawler.extract.resolving import Resolver, without_fragment
from crawler.extract.zones import Zone
from linkindex.model import Link

ANCHOR_CHARS = 512
CONTEXT_CHARS = 120

_UNFOLLOWED = frozenset(("nofollow", "ugc", "sponsored"))
_TOKENS = re.compile(r"[^\t\n\f\r ]+")
_REL_CHARS = 1000
# https://html.spec.whatwg.org/#shared-declarative-refresh-steps
_REFRESH = re.compile(
    r"[\t\n\f\r ]*(?:[0-9]+|(?=\.))[0-9.]*(?:[\t\n\f\r ]*[;,]|[\t\n\f\r ])[\t\n\f\r ]*"
    r"(?:url[\t\n\f\r ]*=[\t\n\f\r ]*)?(?:'([^']*)|\"([^\"]*)|(.*))",
    re.I | re.S,
)


def links_of(
    reading: Reading, zones: Sequence[Zone], resolve: Resolver, robots: tuple[str, ...], max_anchor: int = ANCHOR_CHARS
) -> tuple[tuple[Link, ...], int, bool]:
    """Return the links to other pages, in document order, how many elements linked to nothing usable, and whether an
    anchor text was longer than ``max_anchor`` characters and cut.

    ``zones`` are the places of what was found, one each. A link to the page itself, whatever its fragment, is no link
    between pages and left out.
    """
    page_follow = "nofollow" not in robots
    text = _Text(reading.pieces, max_anchor)
    ordinals: dict[str, int] = {}
    links: list[Link] = []
    unusable = 0
    for found, zone in zip(reading.found, zones, strict=True):
        target = resolve(found.href)
        if target is None:
            unusable += 1
            continue
        page = without_fragment(target)
        if page == resolve.page_without_fragment:
            continue
        ordinal = ordinals[page] = ordinals.get(page, -1) + 1
        links.append(_link(found, zone, target, ordinal, page_follow, text))
    return tuple(links), unusable, text.cut


def refresh_href(content: str) -> str:
    """Return the URL that a refresh pragma names, ``""`` where it names none."""
    match = _REFRESH.match(content)
    return (match[1] or match[2] or match[3] or "") if match else ""


def fold(text: str, limit: int) -> str:
    """Return ``text`` with each run of white space as one space, none at the edges, at most ``limit`` characters."""
    return " ".join(text[: 8 * limit].split())[:limit].rstrip()


def _link(found: Found, zone: Zone, target: str, ordinal: int, page_follow: bool, text: _Text) -> Link:
    rel, follow = _rel(found.rel[:_REL_CHARS])
    kind, anchor = found.kind, ""
    before = after = ""
    if found.block is not None:
        anchor = text.of(found)
        before, after = text.before(found, found.block), text.after(found, found.block)
    if not anchor:
        if found.graphics:
            kind, anchor = "image", text.cut_to_anchor(" ".join(dict.fromkeys(filter(None, found.graphics))))
        anchor = anchor or text.cut_to_anchor(found.label)
    return Link(
        target=target,
        kind=kind,
        anchor=anchor,
        rel=rel,
        follow=follow and page_follow,
        placement=zone.placement,
        placement_confidence=zone.confidence,
        text_before=before,
        text_after=after,
        heading=text.heading(found.heading),
        ordinal=ordinal,
    )


@lru_cache(maxsize=1 << 12)
def _rel(value: str) -> tuple[tuple[str, ...], bool]:
    """Return the tokens of a rel attribute and whether they let a link be followed."""
    tokens = set(_TOKENS.findall(value.lower()))
    return tuple(sorted(tokens)), tokens.isdisjoint(_UNFOLLOWED)


class _Text:
    """Reads spans of a page's text.

    Each piece is folded when it is first read, and only so many characters are read for each link: all the reading
    together costs no more than the text is long.
    """

    def __init__(self, pieces: list[str], max_anchor: int) -> None:
        self.pieces = pieces
        self.max_anchor = max_anchor
        self.cut = False  # an anchor text was longer
        self._is_folded = bytearray(len(pieces))
        self._headings: dict[int, str] = {}

    def of(self, span: Span) -> str:
        """Return the text in ``span`` as an anchor text."""
        limit = self.max_anchor
        one = span.end - span.start == 1  # as most are
        return self.cut_to_anchor(
            self._piece(span.start)[: limit + 3] if one else self._forward(span.start, span.end, limit)
        )

    def cut_to_anchor(self, text: str) -> str:
        """Return ``text`` folded, and cut where it is too long for an anchor text."""
        limit = self.max_anchor
        folded = " ".join(text[: 8 * limit].split())
        if len(folded) <= limit:
            return folded
        self.cut = True
        return folded[:limit].rstrip()

    def before(self, link: Span, block: Span) -> str:
        """Return the whole words before ``link`` in ``block``, at most :data:`CONTEXT_CHARS` characters of them."""
        if self._is_blank(block.start, link.start):
            return ""
        taken: list[str] = []
        position, room = link.start, 2 * CONTEXT_CHARS
        while position > block.start and room >= 0:
            position -= 1
            piece = self._piece(position)[-CONTEXT_CHARS - 2 :]
            taken.append(piece)
            room -= len(piece)
        taken.reverse()
        text = _tidy("".join(taken))
        if len(text) <= CONTEXT_CHARS:
            return text
        words = text[-CONTEXT_CHARS - 1 :].partition(" ")[2]
        return words or text[-CONTEXT_CHARS:]  # writing without spaces is cut anywhere

    def after(self, link: Span, block: Span) -> str:
        """Return the whole words after ``link`` in ``block``, at most :data:`CONTEXT_CHARS` characters of them."""
        end = block.end if block.end >= 0 else len(self.pieces)
        if link.end < 0 or self._is_blank(link.end, end):
            return ""
        return _whole_words(self._forward(link.end, end, CONTEXT_CHARS))

    def heading(self, span: Span | None) -> str:
        """Return the text of a heading, cut like the text around a link."""
        if span is None:
            return ""
        if span.start not in self._headings:
            self._headings[span.start] = _whole_words(self._forward(span.start, span.end, CONTEXT_CHARS))
        return self._headings[span.start]

    def _is_blank(self, start: int, end: int) -> bool:
        """Tell whether there is nothing to read from piece ``start`` to ``end``: most links are all that their block holds."""
        return start >= end or (end - start == 1 and self.pieces[start] == " ")

    def _forward(self, start: int, end: int, limit: int) -> str:
        """Return the text from piece ``start`` on, somewhat more than ``limit`` characters where there is so much."""
        taken: list[str] = []
        room = 2 * limit  # some of it is white space that will go
        if end < 0:
            end = len(self.pieces)
        while start < end and room >= 0:
            piece = self._piece(start)[: limit + 2]
            taken.append(piece)
            room -= len(piece)
            start += 1
        return "".join(taken)

    def _piece(self, position: int) -> str:
        piece = self.pieces[position]
        if self._is_folded[position]:
            return piece
        self._is_folded[position] = True
        if "\n" in piece or "  " in piece or "\t" in piece or "\xa0" in piece:
            before, after = piece[0].isspace(), piece[-1].isspace()
            piece = self.pieces[position] = f"{' ' * before}{' '.join(piece.split())}{' ' * after}"
        return piece


def _tidy(text: str) -> str:
    """Fold what comes together where folded pieces meet."""
    while "  " in text:
        text = text.replace("  ", " ")
    return text.strip()


def _whole_words(text: str) -> str:
    text = _tidy(text)
    if len(text) <= CONTEXT_CHARS:
        return text
    return text[: CONTEXT_CHARS + 1].rpartition(" ")[0] or text[:CONTEXT_CHARS]
