"""Pages that would stall the parser or fill the memory are told before they are parsed.

HTML's rules for misnested tags cost a parser quadratic time in the depth of open elements, and for open formatting
elements quadratic memory: 16 KB can become a million nodes (HTML, 13.2.4.3 "the list of active formatting elements" and
13.2.6.4.7 "in body"). lexbor adds the options of a select. No page that people read comes near these bounds: the furthest
of 400 real ones leave 75 and 985 open, would copy 290,000 elements and climb 6 million steps.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

MAX_FORMATTING = 250  # formatting elements left open, each of which every later paragraph may copy
FEW = 4  # formatting elements left open, that do no harm however long the page is
MAX_COPIES = 1_000_000  # of them, were every tag to copy all that were ever open: 100 bytes each
MAX_STEPS = 500_000_000  # up from every tag through all that were ever open: 4 ns each
MAX_OPTIONS = 20_000  # of selects: each looks at all before it, 1 s together
MAX_ATTRIBUTES = 2_000  # of one tag: each is compared with all before it

# A shape that closes itself is told by no name: in SVG it is not open, and anywhere else it is.
_TAG = re.compile(
    rb"<(?:(?:path|circle|ellipse|line|polygon|polyline|rect|stop|use|image|g)[\s/][^<>]*/>"
    rb"|(/?)(a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u|"
    rb"(?!(?:area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr|li|p|td|tr|th|dd|dt)[\s/>])[a-z][a-z0-9-]*)"
    rb"(?=[\s/>]))"
)
# Of these alone, for a quarter of the time.
_FORMATTING_TAG = re.compile(rb"<(/?)(a|b(?:ig)?|code|em|font|i|nobr|s(?:mall|tr(?:ike|ong))?|tt|u)(?=[\s/>])")
_PIECE = 1 << 18  # bytes
_FORMATTING = frozenset(b"a b big code em font i nobr s small strike strong tt u".split())
_MARKUP = re.compile(rb"<[^<>]*")
_TAG_START = re.compile(rb"<[A-Za-z][\w:-]*[\s/]")  # a script's "a < b" is none
_QUOTED = re.compile(rb"\"[^\"]*\"|'[^']*'")


def parser_hazard(body: bytes, max_open: int = 4_000) -> str:
    """Return what makes a page too much for the parser: too_deep, too_many_options, too_many_attributes; "" for nearly
    every page.

    ``max_open`` is how many elements may be left open: lexbor takes 0.02 s for 4,000.
    """
    tags = body.count(b"<")
    if tags >= MAX_FORMATTING and _too_deep(body.lower(), tags, max_open):
        return "too_deep"
    if tags > MAX_OPTIONS and body.lower().count(b"<option") > MAX_OPTIONS:
        return "too_many_options"
    if len(body) > MAX_ATTRIBUTES * 3 and _crowded(body):
        return "too_many_attributes"
    return ""


def within(body: bytes, most: int) -> int:
    """Return how many bytes of a page make no more than ``most`` nodes: elements, the texts between them, attributes.

    It is an upper bound: text may look like markup. A node takes some 150 bytes while a page is read, and two of the page.
    """
    if len(body) <= 2 * most:
        return len(body)
    nodes = 0
    for match in _MARKUP.finditer(body):
        tag = match[0]
        nodes += 1 + (tag[1:2] != b"/")
        if len(words := tag.split(None, 2)) > 1:
            nodes += len(_QUOTED.sub(b"", tag).split()) - 1 if len(words) > 2 else 1
        if nodes > most:
            return match.start()
    return len(body)


def _too_deep(body: bytes, tags: int, max_open: int) -> bool:
    """Tell whether a page, in lower case, leaves too much open."""
    formatting, _, _ = _most_open(body, _FORMATTING_TAG)
    others = tags if tags <= max_open else tags - body.count(b"</")
    if not _stalls(formatting, others, 0, tags, max_open):  # were all others left open: most pages have so few tags
        return False
    return _stalls(*_most_open(body, _TAG), tags, max_open)


def _stalls(formatting: int, others: int, shapes: int, tags: int, max_open: int) -> bool:
    return (
        formatting > MAX_FORMATTING
        or others > max_open
        or (formatting - FEW) * tags > MAX_COPIES
        or (formatting + others + shapes) * tags > MAX_STEPS
    )


def _most_open(body: bytes, tag: re.Pattern[bytes]) -> tuple[int, int, int]:
    """Return how many formatting elements, and how many others, are open at once at most, and how many shapes there are.

    They are upper bounds: an end tag closes but what has its name.
    """
    opened: defaultdict[bytes, int] = defaultdict(int)
    now = {True: 0, False: 0}
    most = {True: 0, False: 0}
    for piece in _pieces(body):
        for slash, name in tag.findall(piece):
            kind = name in _FORMATTING
            if not slash:
                opened[name] += 1
                if name:
                    now[kind] += 1
                    most[kind] = max(most[kind], now[kind])
            elif opened[name]:
                opened[name] -= 1
                now[kind] -= 1
    return most[True], most[False], opened[b""]


def _pieces(body: bytes) -> Iterator[bytes]:
    """Cut a page before tags, so that what is found in a piece of it is no list of millions."""
    start = 0
    while start < len(body):
        end = body.find(b"<", start + _PIECE)
        end = len(body) if end < 0 else end
        yield body[start:end]
        start = end


def _crowded(body: bytes) -> bool:
    """Tell whether some tag has very many attributes; a long attribute value (a data: URL) is none."""
    start, longest = 0, MAX_ATTRIBUTES * 3
    while start + longest < len(body):
        end = body.rfind(b">", start, start + longest + 1)  # the last: no tag before it is as long
        if end < 0:
            end = body.find(b">", start + longest)
            end = len(body) if end < 0 else end
            if _is_crowded(body[body.rfind(b"<", start, end) : end]):
                return True
        start = end + 1
    return False


def _is_crowded(tag: bytes) -> bool:
    return (
        len(tag) > MAX_ATTRIBUTES * 3
        and _TAG_START.match(tag) is not None
        and len(_QUOTED.sub(b"", tag).split()) > MAX_ATTRIBUTES
    )
