"""Hosts as people read them: letters of their own script, unless those could be taken for others."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import ada_url

# Scripts that are written together (Unicode Technical Standard 39, section 5.2, "Highly Restrictive").
_TOGETHER = (
    frozenset(("LATIN", "CJK", "HIRAGANA", "KATAKANA")),
    frozenset(("LATIN", "CJK", "BOPOMOFO")),
    frozenset(("LATIN", "CJK", "HANGUL")),
)
# Letters that look like Latin ones: a label of nothing else is a Latin name to whoever reads it.
_LOOKALIKES = frozenset("асԁеһіјӏорԛѕԝхуѵгпьѡүқαικνορτυχωϲϳօսոցհ")  # fmt: skip
_NEUTRAL = frozenset(("DIGIT", "HYPHEN-MINUS", "COMBINING", "KATAKANA-HIRAGANA", "MIDDLE"))
_ASCII_HOST = re.compile(r"(?<![\w.-])(?:[\w-]+\.)*xn--[\w-]+(?:\.[\w-]+)*", re.ASCII)


@lru_cache(maxsize=1 << 12)
def readable(host: str) -> str:
    """Return ``host`` with its A-labels as letters, beside the A-labels where scripts mix or letters look like Latin."""
    if "xn--" not in host:
        return host
    try:
        unicode = str(ada_url.idna_to_unicode(host))
    except (ValueError, UnicodeError):
        return host
    if unicode == host or not unicode.isprintable():
        return host
    return unicode if all(map(_plain, unicode.split("."))) else f"{unicode} ({host})"


def readable_hosts(text: str) -> str:
    """Return ``text`` with each host in it that has an A-label as :func:`readable` shows it."""
    return _ASCII_HOST.sub(lambda match: readable(match[0]), text) if "xn--" in text else text


def _plain(label: str) -> bool:
    """Tell whether a label is what it seems to be."""
    if label.isascii():
        return True
    scripts = {script for char in label if (script := _script(char)) not in _NEUTRAL}
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        return False
    return not all(char in _LOOKALIKES or not char.isalpha() for char in label)


def _script(char: str) -> str:
    # The first word of a letter's name is its script, near enough; Python knows no script property.
    return unicodedata.name(char, "UNKNOWN").split()[0]
