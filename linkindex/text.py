"""Text from strangers, made safe to show on a terminal and in a log."""

from __future__ import annotations

import re

# C0 and C1 controls (terminals act on them), and what reorders or hides text: bidi controls, zero width, separators,
# tags (Unicode Technical Report 36, "Trojan Source").
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)


def safe_text(text: str) -> str:
    """Return ``text`` with every character that a terminal may act on shown as its escape (``\\x1b``, ``\\u202e``)."""
    return UNSAFE.sub(_escape, text)


def safe_lines(text: str) -> str:
    """Return text of several lines, each of them safe, all but the first indented: none can pass for one of its own."""
    return "\n    ".join(map(safe_text, text.split("\n")))


def safe_json(text: str) -> str:
    """Return JSON in which what a terminal may act on is written as JSON's own escapes: the same value, nothing to act on.

    ``text`` is JSON without white space between its parts, as msgspec writes it.
    """
    return UNSAFE.sub(json_escape, text)


def json_escape(match: re.Match[str]) -> str:
    """Return characters as JSON's escapes."""
    units = match[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
