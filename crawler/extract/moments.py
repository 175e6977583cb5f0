"""Moments as sitemaps and feeds write them, in milliseconds since 1970-01-01 UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_CHARS = 64  # the longest honest one has half of that
_MONTH = re.compile(r"[0-9]{4}(?:-[0-9]{2})?", re.ASCII)
_FULL_YEAR = re.compile(r"[0-9]{4}-", re.ASCII)


def moment(text: str) -> int:
    """Return when that is, 0 where it says nothing: W3C date and time (a prefix of it too), or RFC 822.

    A moment without a zone is taken for UTC, one before 1970 for none.
    """
    text = text.strip()
    if not text or len(text) > _CHARS:
        return 0
    if _MONTH.fullmatch(text):
        text = f"{text}-01-01"[:10]
    try:
        found = datetime.fromisoformat(text) if _FULL_YEAR.match(text) else parsedate_to_datetime(text)
        if found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
        return max(0, int(found.timestamp() * 1000))
    except (ValueError, OverflowError, TypeError, IndexError):
        return 0
