"""The rules of history, pure, applied by every store: what a visit does to the versions of a page's links, and to where
its URL leads.

A link counts while the page it stands on is read, may be shown by search engines and is the canonical one of its copies.
What ends that is a finding of its own: ``removed``, ``page_redirected``, ``not_indexable``, ``not_canonical``, and after
patience ``page_gone`` and ``page_unreachable``. A page that is blocked says nothing about its links.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache
from hashlib import blake2b
from operator import attrgetter

import msgspec

from linkindex.indexable import indexable
from linkindex.model import Link, Outcome, Visit

DAY = 24 * 3600 * 1000  # ms

Key = tuple[str, int]  # target, ordinal: a link's name on its page

_versioned = attrgetter("target", "ordinal", "kind", "anchor", "rel", "follow", "placement")
_to_bytes = msgspec.msgpack.Encoder().encode

_FAILING = (Outcome.GONE, Outcome.UNREACHABLE)
_READ = (Outcome.PAGE, Outcome.REDIRECT)


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How often, and over which time (ms), a page has to fail before its links count as lost: servers have bad days."""

    visits: int = 3
    span: int = 3 * DAY


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A link's live version as the store holds it; ``row`` is the store's own name for it."""

    row: int | bytes
    target: str
    ordinal: int
    attributes: bytes


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written: versions that end (with the reason) and links whose new version begins.

    With ``ended_at_once`` the new versions end as they begin, for this reason: the page does not count.
    """

    ended: list[tuple[int | bytes, str]]
    opened: list[Link]
    ended_at_once: str
    unseen: int  # live versions that the visit could neither confirm nor end


class Lead(msgspec.Struct, frozen=True, kw_only=True):
    """Where a URL leads, by its own word."""

    to: str
    kind: str  # "redirect" or "canonical"
    status: int  # of the answer that said so


def standing(visit: Visit) -> str:
    """Return why the links of a page that was read do not count: ``not_indexable``, ``not_canonical``; "" where they do."""
    if visit.outcome is Outcome.PAGE:
        if not indexable(visit.robots, visit.at):
            return "not_indexable"
        if visit.canonical and visit.canonical != visit.url:
            return "not_canonical"
    return ""


def lead(visit: Visit) -> Lead | None:
    """Return where the visited URL leads: to where it redirects, or to the canonical one of its copies."""
    if visit.outcome is Outcome.REDIRECT:
        return Lead(to=visit.redirect, kind="redirect", status=visit.status)
    if visit.outcome is Outcome.PAGE and visit.canonical and visit.canonical != visit.url:
        return Lead(to=visit.canonical, kind="canonical", status=visit.status)
    return None


def tells_lead(visit: Visit) -> bool:
    """Return whether :func:`lead` is a finding; a page that was not read leads where it led before."""
    return visit.outcome in _READ or visit.outcome is Outcome.GONE


def attributes(link: Link) -> bytes:
    """Return 8 bytes of all that makes a version: kind, anchor, rel, follow, placement. Context and confidence do not."""
    return _attributes(link.kind, link.anchor, link.rel, link.follow, link.placement)


@lru_cache(maxsize=1 << 15)
def _attributes(kind: str, anchor: str, rel: tuple[str, ...], follow: bool, placement: str) -> bytes:
    # A site's navigation comes again on each of its pages.
    text = "\0".join((kind, anchor, " ".join(rel), "01"[follow], placement))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def links_digest(visit: Visit) -> int:
    """Return 64 bits, signed, of a page's links, in whatever order they come, and of whether they count.

    Equal digests need no comparison.
    """
    parts = (standing(visit), sorted(map(_versioned, visit.links)))
    return int.from_bytes(blake2b(_to_bytes(parts), digest_size=8).digest(), "big", signed=True)


def revise(live: Iterable[Version], lost: Collection[Key], links: Iterable[Link], visit: Visit) -> Revision:
    """Compare a page's live versions with the ``links`` (of those that are kept in full) that ``visit`` saw.

    ``lost`` names the links of the page whose last version has ended. Only a document that was read whole, or a redirect
    in its place, says that a link is not there any more.
    """
    if why := standing(visit):
        return _set_aside(list(live), lost, links, why)
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
    return Revision(ended=ended, opened=opened, ended_at_once="", unseen=unseen)


def _set_aside(live: list[Version], lost: Collection[Key], links: Iterable[Link], why: str) -> Revision:
    """Return the revision of a page that does not count: its links are known, and none of them is live."""
    known = {(version.target, version.ordinal) for version in live}.union(lost)
    born = [link for link in links if (link.target, link.ordinal) not in known]
    return Revision(ended=[(version.row, why) for version in live], opened=born, ended_at_once=why, unseen=0)


def _why_missing(visit: Visit) -> str:
    if visit.outcome is Outcome.REDIRECT:
        return "page_redirected"
    return "" if visit.cut else "removed"


class Streak(msgspec.Struct, frozen=True):
    """Visits in a row that brought no document: how many, and when the first was (ms)."""

    visits: int = 0
    since: int | None = None


def streak(before: str, failures: Streak, visit: Visit) -> Streak:
    """Return the failures in a row after ``visit``, which brought no document; ``before`` is the outcome before it.

    Gone and unreachable are one streak; any other outcome is a streak of its own kind.
    """
    same = visit.outcome == before or (visit.outcome in _FAILING and before in _FAILING)
    if same and failures.since is not None:
        return Streak(failures.visits + 1, failures.since)
    return Streak(1, visit.at)


def verdict(failures: Streak, visit: Visit, patience: Patience) -> str:
    """Return why the links of a page count as lost after ``failures``, the last of them ``visit``; "" while they do not."""
    long = failures.since is not None and visit.at - failures.since >= patience.span
    if visit.outcome not in _FAILING or failures.visits < patience.visits or not long:
        return ""
    return "page_gone" if visit.outcome is Outcome.GONE else "page_unreachable"
