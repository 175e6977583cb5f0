"""Pages that would stall the parser or fill the memory are told before they are parsed.

HTML's rules for misnested tags cost a parser quadratic time in the depth of open elements, and for open formatting
elements quadratic memory: 16 KB can become a million nodes (HTML, 13.2.4.3 "the list of active formatting elements" and
13.2.6.4.7 "in body"). No page that people read comes near these bounds; the furthest of 400 real ones leave 75 and 985 open.
"""

from __future__ import annotations

import re

MAX_FORMATTING = 250  # formatting elements left open, each of which every later paragraph may copy
MAX_ATTRIBUTES = 2_000  # of one tag: each is compared with all before it

_SUSPICIOUS = 400  # "<" without a "</": fewer cannot pass a bound
_TAG = re.compile(
    rb"<(/?)(a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u|"
    rb"(?!area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr|li|p|td|tr|th|dd|dt|option|path)[a-z][a-z0-9-]*)"
    rb"(?=[\s/>])",
    re.IGNORECASE,
)
_FORMATTING = frozenset(b"a b big code em font i nobr s small strike strong tt u".split())
_TAG_START = re.compile(rb"<[A-Za-z][\w:-]*[\s/]")  # a script's "a < b" is none
_QUOTED = re.compile(rb"\"[^\"]*\"|'[^']*'")


def parser_hazard(body: bytes, max_open: int = 4_000) -> str:
    """Return what makes a page too much for the parser: too_deep, too_many_attributes; "" for nearly every page.

    ``max_open`` is how many elements may be left open: lexbor takes 0.02 s for 4,000.
    """
    if body.count(b"<") - 2 * body.count(b"</") >= _SUSPICIOUS and _left_open(body, max_open):
        return "too_deep"
    if len(body) > MAX_ATTRIBUTES * 3 and _crowded(body):
        return "too_many_attributes"
    return ""


def _left_open(body: bytes, max_open: int) -> bool:
    formatting = others = 0
    for slash, name in _TAG.findall(body):
        step = -1 if slash else 1
        if name.lower() in _FORMATTING:
            formatting = max(0, formatting + step)
        else:
            others = max(0, others + step)
        if formatting > MAX_FORMATTING or others > max_open:
            return True
    return False


def _crowded(body: bytes) -> bool:
    """Tell whether some tag has very many attributes; a long attribute value (a data: URL) is none."""
    for piece in body.split(b">"):
        if len(piece) > MAX_ATTRIBUTES * 3:
            tag = piece[piece.rfind(b"<") :]
            if (
                len(tag) > MAX_ATTRIBUTES * 3
                and _TAG_START.match(tag)
                and len(_QUOTED.sub(b"", tag).split()) > MAX_ATTRIBUTES
            ):
                return True
    return False
