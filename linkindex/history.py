"""The one rule of link history: what a visit does to the versions of a page's links. Pure; every store applies it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

import msgspec

from linkindex.model import Link, Outcome, Visit

# Gone is a finding only when it is said again and again: servers have bad days.
GONE_VISITS = 3
GONE_SPAN = 3 * 24 * 3600 * 1000  # ms between the first and the last of them


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A link's live version as the store holds it; ``row`` is the store's own name for it."""

    row: int
    target: str
    ordinal: int
    attributes: bytes


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written: versions that end (with the reason) and links whose new version begins."""

    ended: list[tuple[int, str]]
    opened: list[Link]
    unseen: int  # live versions that the visit could neither confirm nor end


def attributes(link: Link) -> bytes:
    """Return 8 bytes of all that makes a version: kind, anchor, rel, follow, placement. Context and confidence do not."""
    return _attributes(link.kind, link.anchor, link.rel, link.follow, link.placement)


@lru_cache(maxsize=1 << 15)
def _attributes(kind: str, anchor: str, rel: tuple[str, ...], follow: bool, placement: str) -> bytes:
    # A site's navigation comes again on each of its pages.
    text = "\0".join((kind, anchor, " ".join(rel), "01"[follow], placement))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def links_digest(links: Iterable[Link]) -> int:
    """Return 64 bits of a page's links, in whatever order they come: equal digests need no comparison."""
    parts = sorted(f"{link.target}\0{link.ordinal}\0".encode() + attributes(link) for link in links)
    return int.from_bytes(blake2b(b"\0".join(parts), digest_size=8).digest(), "big", signed=True)


def revise(live: Iterable[Version], links: Iterable[Link], visit: Visit) -> Revision:
    """Compare a page's live versions with the ``links`` (of those that are kept in full) that ``visit`` saw.

    Only a document that was read whole, or a redirect in its place, says that a link is not there any more.
    """
    seen = {(link.target, link.ordinal): link for link in links}
    ended, opened, unseen = [], [], 0
    why_missing = _why_missing(visit)
    for version in live:
        link = seen.pop((version.target, version.ordinal), None)
        if link is None:
            if why_missing:
                ended.append((version.row, why_missing))
            else:
                unseen += 1
        elif attributes(link) != version.attributes:
            ended.append((version.row, "changed"))
            opened.append(link)
    opened.extend(seen.values())
    return Revision(ended=ended, opened=opened, unseen=unseen)


def _why_missing(visit: Visit) -> str:
    if visit.outcome is Outcome.REDIRECT:
        return "page_redirected"
    return "" if visit.cut else "removed"


def is_gone(failures: int, failing_since: int, now: int) -> bool:
    """Whether a page that answered 404 or 410 at its last ``failures`` visits counts as gone, and its links as lost."""
    return failures >= GONE_VISITS and now - failing_since >= GONE_SPAN
