"""When a page is to be visited again, and what the next visit needs to know of this one. Pure.

The interval halves when the page changed and grows by half when it did not (Cho and Garcia-Molina, "Effective page refresh
policies for web crawlers", 2003, ACM TODS 28 (4), show why a crawler should follow change, slowly). A page changed when its
text or its links did; bytes alone change with every advertisement.
"""

from __future__ import annotations

import random

import msgspec

from linkindex.history import links_digest
from linkindex.model import Outcome, Visit

HOUR = 3600.0
DAY = 24 * HOUR
LEAST, MOST = HOUR, 90 * DAY  # s between two visits
FIRST = 7 * DAY  # where nothing tells how often a page changes
RETRY = DAY  # where the last visit found no page: whether it is gone for good is told by the next ones
_VALIDATOR = 400  # characters of an ETag or a date; longer ones are left out


class Memo(msgspec.Struct, frozen=True, array_like=True):
    """What one visit leaves for the next: at most 1 KiB packed."""

    version: int = 1
    interval: float = 0.0  # s; 0: this was the first visit
    text: int = 0  # digests of the page as it was read last
    links: int = 0
    etag: str = ""
    modified: str = ""  # Last-Modified, as it came


def unpack(packed: bytes) -> Memo:
    """Return the memo that a lease carries; an empty one where it is strange or of another version."""
    try:
        memo = msgspec.msgpack.decode(packed, type=Memo) if packed else Memo()
    except msgspec.MsgspecError:
        return Memo()
    return memo if memo.version == 1 and 0 <= memo.interval <= MOST else Memo()


def conditions(packed: bytes) -> dict[str, str]:
    """Return the request headers by which a server may answer 304 (RFC 9110, 13.1)."""
    memo = unpack(packed)
    found = {"If-None-Match": memo.etag, "If-Modified-Since": memo.modified}
    return {name: value for name, value in found.items() if value}


def before(visit: Visit, packed: bytes) -> int | None:
    """Return about when (ms since 1970) the visit before this one was, None where this is the first."""
    interval = unpack(packed).interval
    return visit.at - int(interval * 1000) if interval else None


def plan(visit: Visit, packed: bytes, etag: str, modified: str) -> tuple[float, bytes]:
    """Return in how many seconds a page is to be visited again, and the memo for then.

    ``packed`` is the memo of the visit before, ``etag`` and ``modified`` are this answer's ETag and Last-Modified.
    """
    last = unpack(packed)
    if visit.outcome is Outcome.UNCHANGED:
        # Its own validators renew those that it confirms (RFC 9110, 15.4.5).
        fresh = (_validator(etag) or last.etag, _validator(modified) or last.modified)
        memo = Memo(1, _next(last.interval, changed=False), last.text, last.links, *fresh)
    elif visit.outcome in (Outcome.PAGE, Outcome.REDIRECT):
        memo = _read(visit, last, _validator(etag), _validator(modified))
    else:
        return _spread(RETRY), packed
    return _spread(memo.interval), msgspec.msgpack.encode(memo)


def _read(visit: Visit, last: Memo, etag: str, modified: str) -> Memo:
    # A list of the newest posts beside a page changes without it.
    outward = tuple(link for link in visit.links if not link.internal)
    links = links_digest(msgspec.structs.replace(visit, links=outward))
    changed = (visit.text_digest, links) != (last.text, last.links)
    interval = _next(last.interval, changed) if last.interval else _first(visit)
    return Memo(interval=interval, text=visit.text_digest, links=links, etag=etag, modified=modified)


def _first(visit: Visit) -> float:
    """Return the first interval: what changed lately may change soon (half its age)."""
    if visit.modified is None or visit.modified >= visit.at:
        return FIRST
    return min(max((visit.at - visit.modified) / 2000, LEAST), FIRST)


def _next(interval: float, changed: bool) -> float:
    return min(max((interval or FIRST) * (0.5 if changed else 1.5), LEAST), MOST)


def _spread(seconds: float) -> float:
    """Return about ``seconds``: pages that were found together need not come back together."""
    return min(max(seconds * random.uniform(0.9, 1.1), LEAST), MOST)  # noqa: S311


def _validator(text: str) -> str:
    return text if len(text) <= _VALIDATOR and text.isprintable() and text.isascii() else ""
