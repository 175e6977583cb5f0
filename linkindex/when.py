"""Moments as people write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from linkindex.errors import BadInput

When = str | date | datetime
Edge = Literal["begin", "end", "last"]

FORMS = "2026-11-25, 2026-11-25T14:30 (UTC, unless it says otherwise), or 30d: the day that was 30 days ago"
_DAY = timedelta(days=1)


def read_when(when: When, name: str, edge: Edge = "begin", now: datetime | None = None) -> int:
    """Return a moment in ms since 1970, UTC. ``name`` is what an error says it was given for.

    A day without a time is meant whole: ``edge`` says whether its begin is asked for, its end (the begin of the next), or
    its last ms. Days are UTC's. Raises :class:`BadInput` for what is no moment.
    """
    try:
        found = _read(when, now or datetime.now(UTC))
        if not isinstance(found, datetime):
            begin = datetime.combine(found, time(), UTC)
            return _ms(begin) if edge == "begin" else _ms(begin + _DAY) - (edge == "last")
        return _ms(found if found.tzinfo else found.replace(tzinfo=UTC))
    except (ValueError, OverflowError, TypeError):
        raise BadInput(f"{name} {when!r}: not a date; write {FORMS}") from None


def _read(when: When, now: datetime) -> date:
    if not isinstance(when, str):
        return when
    if ago := re.fullmatch(r"([0-9]{1,6})d", when.strip()):
        return now.astimezone(UTC).date() - timedelta(days=int(ago[1]))
    try:
        return date.fromisoformat(when.strip())
    except ValueError:
        return datetime.fromisoformat(when.strip())


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
