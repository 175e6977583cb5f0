"""Whether search engines may show a page, by its robots directives. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_DATE = "unavailable_after:"


def indexable(directives: Iterable[str], now: int) -> bool:
    """Return False where ``noindex`` holds or ``unavailable_after`` has passed at ``now`` (ms since 1970, UTC).

    ``directives`` are those of a page as :mod:`linkindex.model` keeps them. A date that cannot be read binds nobody:
    the search engines ignore it (https://developers.google.com/search/docs/crawling-indexing/robots-meta-tag).
    """
    for directive in directives:
        if directive == "noindex":
            return False
        if directive.startswith(_DATE):
            moment = _moment(directive[len(_DATE) :].strip())
            if moment is not None and moment <= now:
                return False
    return True


def _moment(text: str) -> int | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(text.upper())
            return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
        except (ValueError, TypeError, OverflowError):
            continue
    return None
