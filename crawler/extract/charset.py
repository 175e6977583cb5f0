"""Which encoding a page is in: byte order mark, Content-Type, the prescan for ``<meta>``, detection, windows-1252.

The order and the prescan are the HTML Standard's: https://html.spec.whatwg.org/#determining-the-character-encoding
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from crawler.extract.encodings import LABELS, encoding_of

PRESCAN_BYTES = 1024
LATE_BYTES = 1 << 16  # browsers start anew at a later <meta>, wherever it is (#change-the-encoding); we look this far
DETECTION_BYTES = 8192  # enough letters to tell alphabets apart; charset-normalizer takes milliseconds a kilobyte

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_BE, "utf-16be"), (codecs.BOM_UTF16_LE, "utf-16le"))
# ``charset = value`` inside a header or a ``content`` attribute (#extracting-character-encodings-from-meta-elements).
_CHARSET = re.compile(
    r"charset[\t\n\f\r ]*=[\t\n\f\r ]*(?:\"([^\"]*)\"|'([^']*)'|([^\"'\t\n\f\r ;][^\t\n\f\r ;]*))", re.I
)
# What the prescan steps over, and a start tag's name; ``<!-->`` is a whole comment.
# Each alternative matches to the end of the bytes where its own end is missing: no byte is looked at twice.
_MARKUP = re.compile(
    rb"<!--(?:-?>|.*?(?:-->|\Z))|<(meta)(?=[\t\n\f\r /])|</?[a-z][^\t\n\f\r >]*|<[!/?][^>]*", re.I | re.S
)
_TAG = re.compile(rb"</?[a-z]", re.I)
_ATTRIBUTE = re.compile(
    rb"[\t\n\f\r /]*(?:>|(=?[^\t\n\f\r />=]*)"
    rb"(?:[\t\n\f\r ]*=[\t\n\f\r ]*(?:\"([^\"]*)\"|'([^']*)'|(?=>)|([^\"'\t\n\f\r >][^\t\n\f\r >]*)))?)"
)
_UNFINISHED = re.compile(rb"[\t\n\f\r ]*=[\t\n\f\r ]*[\"']")  # a quote that the first 1024 bytes do not close
_LATE = re.compile(rb"<meta[^>]{0,200}charset", re.I)
_XML = re.compile(rb"<\?xml[^>]*?[\t\n\f\r ]encoding[\x00-\x20]*=[\x00-\x20]*(?:\"([^\">]*)\"|'([^'>]*)')")


def charset_of(body: bytes, content_type: str = "", *, detect: bool = True) -> tuple[str, int]:
    """Return the WHATWG name of the encoding of ``body`` and the length of its byte order mark.

    ``content_type`` is the header's value. With ``detect`` false the bytes themselves are not weighed, and a page
    that declares nothing is windows-1252.
    """
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return encoding, len(mark)
    found = _declared_in(content_type) or prescan(body[:PRESCAN_BYTES])
    if not found and _LATE.search(body, PRESCAN_BYTES, LATE_BYTES):
        found = prescan(body[:LATE_BYTES])
    if not found and detect:
        found = _detected(body)
    return found or "windows-1252", 0


def charset_of_xml(body: bytes, content_type: str = "") -> tuple[str, int]:
    """Return the same of an XML document (RFC 7303, 3: mark, header, declaration, UTF-8)."""
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return encoding, len(mark)
    if body[:2] in (b"<\0", b"\0<"):
        return ("utf-16le" if body[0] else "utf-16be"), 0
    return _declared_in(content_type) or _declared_in_xml(body[:PRESCAN_BYTES].lstrip()) or "utf-8", 0


def prescan(head: bytes) -> str:
    """Return the encoding that ``head`` declares about itself, ``""`` where it declares none (#prescan)."""
    position = 0
    while markup := _MARKUP.search(head, position):
        position = markup.end()
        if not _TAG.match(markup[0]):
            continue
        attributes = _Attributes(head, position)
        declared = dict(reversed(list(attributes)))  # of two attributes of one name, the first counts
        position = attributes.position
        if attributes.broken:
            break
        if markup[1] and (encoding := _declared_by_meta(declared)):
            return encoding
    return _declared_in_xml(head)


class _Attributes:
    """Iterates over the attributes of the start tag at ``position``; ``broken`` where the bytes ran out inside it."""

    def __init__(self, head: bytes, position: int) -> None:
        self.head = head
        self.position = position
        self.broken = False

    def __iter__(self) -> Iterator[tuple[str, str]]:
        while True:
            match = _ATTRIBUTE.match(self.head, self.position)
            if match is None or (match.end() == len(self.head) and not match[0].endswith(b">")):
                self.broken = True
                return
            self.position = match.end()
            if not match[1]:
                return
            if _UNFINISHED.match(self.head, self.position):
                self.broken = True
                return
            value = match[2] or match[3] or match[4] or b""
            yield match[1].decode("latin-1").lower(), value.decode("latin-1").lower()


def _declared_by_meta(attributes: dict[str, str]) -> str:
    if "charset" in attributes:
        encoding = encoding_of(attributes["charset"])
    elif attributes.get("http-equiv") == "content-type":
        encoding = _declared_in(attributes.get("content", ""))
    else:
        return ""
    return _as_declared_in_ascii(encoding)


def _declared_in_xml(head: bytes) -> str:
    match = _XML.match(head)
    return _as_declared_in_ascii(encoding_of((match[1] or match[2] or b"").decode("latin-1"))) if match else ""


def _as_declared_in_ascii(encoding: str) -> str:
    """A page whose declaration can be read as ASCII is not UTF-16, whatever the declaration says."""
    if encoding in ("utf-16be", "utf-16le"):
        return "utf-8"
    return "windows-1252" if encoding == "x-user-defined" else encoding


def _declared_in(value: str) -> str:
    match = _CHARSET.search(value)
    return encoding_of(match[1] or match[2] or match[3] or "") if match else ""


def _detected(body: bytes) -> str:
    """Return the likeliest encoding of a page that declares none: UTF-8 where valid, else what the letters say."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(body)  # a body cut at a limit may end inside a letter
        return "utf-8"
    except UnicodeDecodeError as error:
        start = error.start
    import charset_normalizer  # noqa: PLC0415 (20 ms to import, and few pages need it)

    sample = body[start : start + DETECTION_BYTES]
    best = charset_normalizer.from_bytes(sample, cp_isolation=_CANDIDATES).best()
    return LABELS.get(best.encoding.replace("_", "-"), "") or _PYTHON_NAMES.get(best.encoding, "") if best else ""


# Undeclared pages are in what browsers of their country assumed, so nothing else is a candidate.
# (The Baltic and Vietnamese pages read much Western text without complaint, so they would win too often.)
_PYTHON_NAMES = {
    "big5": "big5",
    "cp932": "shift_jis",
    "cp949": "euc-kr",
    "euc_jp": "euc-jp",
    "gb18030": "gb18030",
    "iso8859_2": "iso-8859-2",
    "koi8_r": "koi8-r",
} | {f"cp{page}": f"windows-{page}" for page in range(1250, 1257)}
_CANDIDATES = list(_PYTHON_NAMES)
