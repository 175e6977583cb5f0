"""Which language a page is in: what it declares, and where it declares nothing, what its text looks like.

Detection is CLD2's, the one that browsers had: of the libraries tried on real pages it alone says when it is not sure,
and it takes a tenth of a millisecond and no memory to speak of.
"""

from __future__ import annotations

import re
import string

TEXT_CHARS = 2_000
_LEAST_BYTES = 40  # of letters in UTF-8; below that even CLD2's own certainty is worth little
_NO_LETTERS = (string.whitespace + string.digits + string.punctuation).encode()
_TAG = re.compile(r"[a-z]{1,8}(?:-[a-z0-9]{1,8}){0,6}")
_UNREADABLE = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF), " ")
_OLD_CODES = {"iw": "he", "jw": "jv", "in": "id", "mo": "ro", "un": ""}  # as CLD2 calls them


def declared(*values: str) -> str:
    """Return the first well-formed language tag among ``values``, lower case, ``""`` where there is none.

    A value may be a list, of which the first counts (https://html.spec.whatwg.org/#language).
    """
    for value in values:
        tag = value[:100].partition(",")[0].strip().lower().replace("_", "-")
        if _TAG.fullmatch(tag):
            return tag
    return ""


def detected(text: str) -> str:
    """Return the language that a page's readable ``text`` is written in, ``""`` where that is not certain."""
    sample = _sample(text)
    if len(sample.encode().translate(None, _NO_LETTERS)) < _LEAST_BYTES:
        return ""
    try:
        import pycld2  # noqa: PLC0415 (few pages need it)
    except ImportError:  # there are no wheels for Linux on ARM, and not everybody has a compiler
        return ""
    try:
        reliable, _, languages = pycld2.detect(sample, isPlainText=True)
    except pycld2.error:  # it refuses what it takes for broken UTF-8
        return ""
    code = str(languages[0][1]).lower()
    return _OLD_CODES.get(code, code) if reliable else ""


def _sample(text: str) -> str:
    """Return :data:`TEXT_CHARS` of ``text``: half from its beginning, half from its middle, where menus are behind."""
    half = TEXT_CHARS // 2
    text = text if len(text) <= TEXT_CHARS else text[:half] + " " + text[len(text) // 2 :][:half]
    return " ".join(text.translate(_UNREADABLE).split())
