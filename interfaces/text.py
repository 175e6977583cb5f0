"""What strangers wrote, made safe for whoever reads our output: a terminal, a program, a page of HTML."""

from __future__ import annotations

import re

from linkindex.text import json_escape, safe_json, safe_text

__all__ = ["json_in_html", "safe_json", "safe_text"]

_MARKUP = re.compile("[<>&]")


def json_in_html(text: str) -> str:
    """Return JSON that may stand in a ``<script type="application/json">``: the same value, no markup to end the element
    with (HTML, 4.12.1.3, "restrictions for contents of script elements")."""
    return _MARKUP.sub(json_escape, safe_json(text))
