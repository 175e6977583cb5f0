"""XML of strangers, read as a stream: no entities, no DTD, no network, no tree that grows with the document.

libxml2's own limits stay on (depth 256, 10 MB of one text); what it reads was decoded by us, so a byte that is no
character costs that character, not the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple, Protocol

from lxml import etree

from crawler.extract.charset import charset_of_xml
from crawler.extract.encodings import decoder

PROLOG_BYTES = 1 << 16  # the root element begins within so many, or it is not looked for
CHUNK = 1 << 16  # bytes
# What costs more than its length: tags, attributes, references. 50 MB of hreflang alternates have 2.5 million.
MAX_MARKS = 3_000_000
_MARKS = (b"<", b"=", b"&")
# Characters that XML 1.0 has no place for, and that real feeds hold: they are dropped. So is CR, which is one with LF.
_CONTROLS = bytes(set(range(0x20)) - {0x09, 0x0A})
# XML 1.0, 2.8: from the first byte to the "[" that opens the declarations. Possessive, so that no byte is read twice.
_INTERNAL_SUBSET = re.compile(
    rb"(?:\s++|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE(?:[^\"'\[>]++|\"[^\"]*+\"|'[^']*+')*+\[", re.S
)


class Target(Protocol):
    """What hears of the document's elements: names as ``{namespace}local``."""

    def start(self, tag: str, attributes: dict[str, str]) -> None: ...

    def data(self, text: str) -> None: ...

    def end(self, tag: str) -> None: ...

    def close(self) -> None: ...


class Enough(Exception):  # ends a stream
    """Raised by a target: it wants no more."""


class Root(NamedTuple):
    """How a document begins. ``refusal`` says why it is not read any further, ``""`` where it may be."""

    name: str  # local name of its root element, "" where that is no XML
    refusal: str = ""


def root_of(body: bytes, content_type: str = "") -> Root:
    """Return the root element of a document, from its beginning alone."""
    parser = etree.XMLPullParser(events=("start",), **_safely())
    head = b""
    for chunk in _chunks(body[:PROLOG_BYTES], content_type, PROLOG_BYTES // 16):
        head += chunk
        with suppress(etree.XMLSyntaxError):  # it may come after the root element, and then is told by `stream`
            parser.feed(chunk)
        for _, element in parser.read_events():
            return Root(local(element.tag), _refusal(element, head))
        if parser.error_log:
            break
    return Root("")


def stream(body: bytes, content_type: str, target: Target) -> str:
    """Tell ``target`` of every element; return why that ended early, ``""`` where the document was read whole.

    What comes before an error was told. A target that raises :class:`Enough` ends it by its own wish.
    """
    parser = etree.XMLParser(target=target, **_safely())
    marks = 0
    try:
        for chunk in _chunks(body, content_type, CHUNK):
            marks += sum(map(chunk.count, _MARKS))
            if marks > MAX_MARKS:
                return "too_much_markup"
            parser.feed(chunk)
        parser.close()
    except etree.XMLSyntaxError:
        return "broken_xml"
    except Enough as enough:
        return str(enough)
    return ""


def local(tag: str) -> str:
    """Return a name without its namespace: half the web's sitemaps and feeds get that wrong."""
    return tag[tag.rfind("}") + 1 :]


def namespace(tag: str) -> str:
    """Return the namespace of a name with its braces, ``""`` where it has none."""
    return tag[: tag.rfind("}") + 1]


def _safely() -> dict[str, object]:
    return {
        "resolve_entities": False,
        "load_dtd": False,
        "dtd_validation": False,
        "attribute_defaults": False,
        "no_network": True,
        "huge_tree": False,
        "recover": False,
        "encoding": "utf-8",
    }


def _chunks(body: bytes, content_type: str, size: int) -> Iterator[bytes]:
    """Yield the document in UTF-8, from its first ``<`` on: many have a blank line in front, which XML forbids."""
    charset, mark = charset_of_xml(body, content_type)
    decode = decoder(charset).decode
    begun = False
    for start in range(mark, len(body), size):
        chunk = decode(body[start : start + size], start + size >= len(body)).encode("utf-8", "replace")
        chunk = chunk.translate(None, _CONTROLS)
        if not begun:
            chunk = chunk.lstrip()
            begun = bool(chunk)
        if chunk:
            yield chunk


def _refusal(root: etree._Element, head: bytes) -> str:
    """A DTD that only names itself (RSS 0.91 does) is harmless; one that declares anything is not read.

    Default values of attributes would multiply as entities do, and lxml does not tell of them: so the text is asked.
    """
    dtd = root.getroottree().docinfo.internalDTD
    if dtd is not None and next(iter(dtd.iterentities()), None) is not None:
        return "entities"
    return "dtd" if _INTERNAL_SUBSET.match(head) else ""
