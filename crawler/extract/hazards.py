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
# What a tokenizer makes of "=", quotes and "/" (HTML, 13.2.5.32 to 13.2.5.40). All of it is possessive, so linear.
_VALUE = rb"""[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:"[^"]*+"|'[^']*+'|(?!["'])[^\t\n\f\r >]*+)"""
_ATTRIBUTE = re.compile(rb"[\t\n\f\r /]*+(?:=[^\t\n\f\r />=]*+|[^\t\n\f\r />=]++)(?:%b)?+" % _VALUE)
_FEW_ATTRIBUTES = re.compile(rb"(?:%b){0,%d}+[\t\n\f\r /]*+" % (_ATTRIBUTE.pattern, MAX_ATTRIBUTES // 2))
_OPENED = re.compile(rb"<[/A-Za-z]")
_MANY_WORDS = re.compile(rb"(?:[^\t\n\f\r /\"']*+(?:[\t\n\f\r /]++|[\"'])){%d}" % (MAX_ATTRIBUTES // 2))
_LOOKS = 4
_SMALL = 1 << 16  # bytes, in which too few attributes have room to stall: 0.4 s at most
_GREATER = ord(">")
_TOKEN = re.compile(
    rb"<(?:!--(?:-?>|.*?(?:--!?>|\Z))|(!\[CDATA\[)|[!?][^>]*+|/(?![A-Za-z])[^>]*+"
    rb"|(/?[A-Za-z][^\t\n\f\r />]*+)((?:%b)*+)([\t\n\f\r /]*+))" % _ATTRIBUTE.pattern,
    re.DOTALL,
)
_RAW = {
    name: re.compile(rb"</%b(?=[\t\n\f\r />])" % name, re.IGNORECASE)
    for name in b"script style textarea title xmp iframe noembed noframes".split()
}  # elements whose content is text, but in SVG and MathML
# Text, and tags with so many attributes at most that neither hold text nor mean more than themselves: in one go.
_ORDINARY = re.compile(
    rb"(?:[^<]++|<(?![A-Za-z/!?])|</?+(?!(?i:%b|svg|math|html|body)[\t\n\f\r />])[A-Za-z][^\t\n\f\r />]*+"
    rb"(?:%b){0,%d}+[\t\n\f\r /]*+>)*+" % (b"|".join(_RAW), _ATTRIBUTE.pattern, MAX_ATTRIBUTES)
)
_NOTHING = re.compile(b"")


def parser_hazard(body: bytes, max_open: int = 4_000) -> str:
    """Return what makes a page too much for the parser: too_deep, too_many_options, too_many_attributes; "" for nearly
    every page.

    ``max_open`` is how many elements may be left open: lexbor takes 0.02 s for 4,000.
    """
    tags, lower = body.count(b"<"), body.lower()
    if tags >= MAX_FORMATTING and _too_deep(lower, tags, max_open):
        return "too_deep"
    if tags > MAX_OPTIONS and lower.count(b"<option") > MAX_OPTIONS:
        return "too_many_options"
    if (_repeats_body(lower) or _may_be_crowded(body)) and _crowded(body):
        return "too_many_attributes"
    return ""


def within(body: bytes, most: int) -> int:
    """Return how many bytes of a page make no more than ``most`` nodes: elements, the texts between them, attributes.

    It is an upper bound: text may look like markup. A node takes some 150 bytes while a page is read, and two of the page.
    """
    if len(body) <= 2 * most:
        return len(body)
    nodes = read = 0
    for tag in _tags(body):
        nodes += 2 * body.count(b"<", read, tag.start())  # comments, and what is taken for text
        if nodes > most:
            return read
        nodes += 1 + (not tag[2].startswith(b"/")) + _attributes(tag, 0)
        if nodes > most:
            return tag.start()
        read = tag.end()
    return len(body) if nodes + 2 * body.count(b"<", read) <= most else read


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
    """Tell whether some element has too many attributes. Those of every html and body tag become one element's."""
    merged = 0
    for tag in _tags(body, but=_ORDINARY):
        if tag[2].lower() in (b"html", b"body"):
            merged += _attributes(tag, 0)
        if merged > MAX_ATTRIBUTES or _attributes(tag, MAX_ATTRIBUTES) > MAX_ATTRIBUTES:
            return True
    return False


def _repeats_body(lower: bytes) -> bool:
    return len(lower) > _SMALL and lower.count(b"<html") + lower.count(b"<body") > FEW


def _may_be_crowded(body: bytes) -> bool:
    """Tell whether some tag may have more than MAX_ATTRIBUTES attributes; false for usual pages.

    A ">" within a tag is within a quoted value. So of the ">" that are looked at, MAX_ATTRIBUTES bytes apart, the first
    within a tag has at most half of MAX_ATTRIBUTES before it; and as many behind it, if so few follow the next quote of
    either kind, whatever that is in truth. Scripts are not told from markup here.
    """
    at, spent = -1, 0
    behind = {b'"': 0, b"'": 0}  # the next quote; the end of the page where there is none
    while at + 2 * MAX_ATTRIBUTES < len(body):
        before, at = at, body.rfind(b">", at + 1, at + 1 + MAX_ATTRIBUTES)
        at = at if at >= 0 else body.find(b">", before + MAX_ATTRIBUTES)
        at = at if at >= 0 else len(body)
        opened = _OPENED.search(body, before + 1, at)
        if opened is None:  # no tag begins here: this ">" is the first of none
            continue
        if at - before > MAX_ATTRIBUTES and _MANY_WORDS.match(body, opened.start(), at):
            return True
        for quote, seen in behind.items():
            if seen <= at:
                behind[quote] = start = body.find(quote, at) + 1 or len(body) + 1
                end = _end(_FEW_ATTRIBUTES, body, start)
                spent += end - start  # in all this looks at the page so many times, and no more
                if end < len(body) and (spent > _LOOKS * len(body) or body[end] != _GREATER):
                    return True
    return False


def _end(pattern: re.Pattern[bytes], body: bytes, start: int) -> int:
    """Return where what a pattern matches from ``start`` ends: there, where it matches nothing."""
    found = pattern.match(body, start)
    return found.end() if found else start


def _attributes(tag: re.Match[bytes], most: int) -> int:
    """Return how many attributes a tag has; 0 where it is too short for more than ``most``."""
    start, end = tag.span(3)
    return sum(1 for _ in _ATTRIBUTE.finditer(tag.string, start, end)) if end - start > 2 * most else 0


def _tags(body: bytes, but: re.Pattern[bytes] = _NOTHING) -> Iterator[re.Match[bytes]]:
    """Yield the tags, with group 2 their name behind a "/" that ends, 3 the attributes; not what looks like tags in scripts,
    and not those that ``but`` passes over.

    Whether SVG is open is but counted. Only a tree could tell where ``<svg><p>`` left it: what a page hides in a script or
    style by that is left to :mod:`crawler.watchdog`.
    """
    at = foreign = 0  # SVG and MathML elements that are open
    while found := _TOKEN.search(body, _end(but, body, at)):
        at = found.end()
        if found[1] and foreign:
            at = body.find(b"]]>", at)
        elif found[2]:
            yield found
            name = found[2].lower()
            if name in (b"svg", b"math"):
                foreign += b"/" not in found[4][-1:]
            elif name in (b"/svg", b"/math"):
                foreign = max(0, foreign - 1)
            elif name in _RAW and not foreign:
                end = _RAW[name].search(body, at)
                at = end.start() if end else -1
        if at < 0:
            return
