"""When a page is to be visited again, and how to ask whether it has changed. Pure.

The interval halves when the page changed and grows by half when it did not, as Cho & Garcia-Molina found best for the
freshness of a collection that cannot watch every page ("Effective page refresh policies for web crawlers", 2003, TODS
28 (4)): within :data:`LEAST` and :data:`MOST`. Changed means what the index would tell: the text, or the links. Bytes
change with every advertisement.

What one visit leaves for the next is a :class:`Memo`; the frontier keeps it, at most :data:`MEMO_BYTES`.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from hashlib import blake2b
from math import log2

import msgspec

from linkindex.model import Outcome, Visit

LEAST, FIRST, MOST = 3600.0, 7 * 86_400.0, 90 * 86_400.0  # s
MEMO_BYTES = 1024
_ETAG_CHARS = 512  # what is longer is dropped: a validator cut short would match nothing
_DATE_CHARS = 64
_FORM = 1


class Memo(msgspec.Struct, frozen=True, array_like=True):
    """What is remembered of a page's last visit that read it."""

    form: int = _FORM
    interval: float = 0.0  # s until the visit after it; 0: there was none before
    text: int = 0  # text digest
    links: int = 0  # digest of the links
    etag: str = ""  # as the server wrote it
    modified: str = ""  # Last-Modified, as the server wrote it

    @classmethod
    def of(cls, packed: bytes) -> Memo:
        """Read what :meth:`pack` wrote; anything else is an empty memo."""
        if len(packed) > MEMO_BYTES:
            return Memo()
        try:
            memo = msgspec.msgpack.decode(packed, type=Memo)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Memo()
        sane = memo.form == _FORM and (memo.interval == 0 or LEAST <= memo.interval <= MOST)
        return memo if sane and memo == _validated(memo) else Memo()

    def pack(self) -> bytes:
        return msgspec.msgpack.encode(self)

    @property
    def headers(self) -> dict[str, str]:
        """The headers that ask for the page only if it has changed (RFC 9110, 13.1)."""
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in named.items() if value}


def unchanged(memo: Memo, visit: Visit) -> bool:
    """Return whether a page that was read says and links to what it did before."""
    return bool(memo.interval) and (memo.text, memo.links) == (visit.text_digest, links_digest(visit))


def after(
    memo: Memo, visit: Visit, *, etag: str = "", modified: str = "", domains: int = 0, said: int = 0
) -> tuple[float, Memo]:
    """Return (seconds until the next visit, what to remember for it).

    ``etag`` and ``modified`` are the headers of the answer; ``domains`` is how many distinct domains link to the page;
    ``said`` is when it changed last as a sitemap says, ms since 1970, 0 where none does.
    A 304 means unchanged: its own headers renew the memo's where it has some, and the digests stay (RFC 9110, 15.4.5).
    Whatever is neither read nor unchanged (gone, blocked, unreachable, a redirect) teaches nothing of how often the page
    changes: it waits as before, and what was remembered of it stays.
    """
    if visit.status == 304:
        interval = _clamped((memo.interval or FIRST) * 1.5)
        kept = Memo(_FORM, interval, memo.text, memo.links, etag or memo.etag, modified or memo.modified)
    elif visit.outcome is Outcome.PAGE:
        if not memo.interval:
            interval = first(visit, said)
        else:
            interval = _clamped(memo.interval * (1.5 if unchanged(memo, visit) else 0.5))
        kept = Memo(_FORM, interval, visit.text_digest, links_digest(visit), etag, modified)
    else:
        interval = memo.interval or FIRST
        kept = msgspec.structs.replace(memo, interval=interval)
    return sooner(interval, domains), _validated(kept)


def first(visit: Visit, said: int = 0) -> float:
    """Return the first interval, in seconds: as long as the page has gone without a change, if anybody says since when.

    ``said``: ms since 1970, when it changed last as a sitemap says; else what the page says of itself counts.
    """
    changed = said or visit.modified or visit.published or 0
    return _clamped((visit.at - changed) / 1000) if 0 < changed <= visit.at else FIRST


def sooner(interval: float, domains: int) -> float:
    """Return the wait for a page to which so many distinct domains link: 3 halve it, 15 take a third, 1,023 a sixth."""
    return max(LEAST, interval / (1 + log2(1 + max(domains, 0)) / 2))


def links_digest(visit: Visit) -> int:
    """Return 64 bits, signed, of what a page links to and how, in whatever order; 0 for a page without links.

    Links inside the site do not count: a list of the newest posts changes beside a page that does not.
    """
    said = sorted(f"{link.target} {link.anchor} {' '.join(link.rel)}" for link in visit.links if not link.internal)
    if not said:
        return 0
    return int.from_bytes(blake2b("\n".join(said).encode("utf-8", "replace"), digest_size=8).digest(), signed=True)


def _clamped(interval: float) -> float:
    return min(max(interval, LEAST), MOST)


def _validated(memo: Memo) -> Memo:
    """Return a memo without validators that could not be sent back, or that say nothing."""
    etag = memo.etag if len(memo.etag) <= _ETAG_CHARS and _is_etag(memo.etag) else ""
    modified = memo.modified if len(memo.modified) <= _DATE_CHARS and _is_date(memo.modified) else ""
    return msgspec.structs.replace(memo, etag=etag, modified=modified)


def _is_etag(value: str) -> bool:
    """RFC 9110, 8.8.3; without its quotes many servers accept it too, as they had sent it so."""
    return value.isascii() and all(" " < character < "\x7f" for character in value)


def _is_date(value: str) -> bool:
    if not (value.isascii() and value.isprintable()):
        return False
    try:
        parsedate_to_datetime(value)
    except (ValueError, IndexError, TypeError):
        return False
    return True
