"""From what a store holds to the rows of answers: the same for every store. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from linkindex.answers.rows import Backlink, Change, Hop, Outlink, PageRow, moment, moment_or_none
from linkindex.history import Lead
from linkindex.indexable import indexable
from linkindex.relevance import Similarities


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A link with its two pages, as a store holds them. Times are ms since 1970, UTC; statuses are 0 where there is none.

    Fields that :class:`Backlink` has too mean the same there.
    """

    source: str
    source_domain: str
    target: str
    target_domain: str
    ordinal: int
    kind: str
    anchor: str
    rel: Sequence[str]
    follow: bool
    placement: str
    placement_confidence: float
    template_pages: int
    position: int
    text_before: str
    text_after: str
    heading: str
    first_seen: int
    last_seen: int
    lost_at: int | None
    lost_reason: str | None
    doubt: str | None
    source_title: str
    source_language: str
    source_author: str
    source_published: int | None
    source_platform: str
    source_words: int
    source_external_links: int
    source_internal_links: int
    source_robots: Sequence[str]
    source_terms: bytes
    target_terms: bytes
    source_status: int
    target_status: int
    end_status: int
    source_rank: float | None
    domain_rank: float | None
    links: int = 1
    pages: int = 1


_TAKEN = set(Found.__struct_fields__) & set(Backlink.__struct_fields__)


def backlink(found: Found, hops: Sequence[Lead], similarities: Similarities, now: int) -> Backlink:
    """Return the row of a link. ``hops`` is where its target leads (:func:`linkindex.chains.follow`), ``now`` in ms."""
    to_target, to_domain = similarities.of_link(found.source_terms, found.target_terms, found.target_domain)
    shown = {name: getattr(found, name) for name in _TAKEN} | {
        "rel": list(found.rel),
        "first_seen": moment(found.first_seen),
        "last_seen": moment(found.last_seen),
        "lost_at": moment_or_none(found.lost_at),
        "source_published": moment_or_none(found.source_published),
        "source_status": found.source_status or None,
        "target_status": found.target_status or None,
        "end_status": found.end_status or None,
    }
    return Backlink(
        **shown,
        target_end=hops[-1].to if hops else found.target,
        hops=[Hop(to=hop.to, kind=hop.kind, status=hop.status) for hop in hops],
        relevance=to_target,
        domain_relevance=to_domain,
        source_indexable=indexable(found.source_robots, now),
    )


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a version of a link."""

    kind: str
    anchor: str
    rel: Sequence[str]
    follow: bool
    placement: str


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a link began or ended at ``at`` (ms), or its target began to lead elsewhere.

    ``before`` is None where the link had never been seen, ``after`` where it was lost (``reason`` says why). Of a link that
    returned ``before`` is how it looked when it was lost, and ``reason`` is "returned". Where the target leads elsewhere both
    are the same, and ``ends`` says from where to where.
    """

    at: int
    source: str
    source_domain: str
    target: str
    ordinal: int
    before: Look | None
    after: Look | None
    reason: str = ""
    ends: tuple[str, str] = ("", "")


def latest_first(event: Event) -> tuple[int, str, str, int, int]:
    """Return what puts events in order: the latest first, of one time by link; what is lost in the visit that finds it comes
    before that it is new."""
    ended = 0 if event.after is None else 1 if event.ends != ("", "") else 2
    return -event.at, event.source, event.target, event.ordinal, ended


def changes(event: Event) -> Iterator[Change]:
    """Yield the rows that tell an event: one for each attribute that is another now."""
    look = event.after or event.before
    assert look is not None

    def row(what: str, attribute: str = "", before: str = "", after: str = "") -> Change:
        return Change(
            at=moment(event.at),
            what=what,
            source=event.source,
            source_domain=event.source_domain,
            target=event.target,
            ordinal=event.ordinal,
            attribute=attribute,
            before=before,
            after=after,
            anchor=look.anchor,
            follow=look.follow,
        )

    if event.ends != ("", ""):
        yield row("moved", "target_end", *event.ends)
    elif event.before is None:
        yield row("new")
    elif event.after is None:
        yield row("lost", event.reason)
    elif event.reason == "returned":
        yield row("returned")
    else:
        for name in Look.__struct_fields__:
            before, after = _text(getattr(event.before, name)), _text(getattr(event.after, name))
            if before != after:
                yield row("changed", name, before, after)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else " ".join(value)  # type: ignore[arg-type]  # rel tokens


def inside(target: str, domain: str) -> Outlink:
    """Return the row of a link inside a domain of which only the target is kept."""
    return Outlink(
        target=target,
        target_domain=domain,
        internal=True,
        kind=None,
        anchor=None,
        rel=None,
        follow=None,
        placement=None,
        first_seen=None,
        last_seen=None,
        lost_at=None,
        lost_reason=None,
        target_status=None,
    )


_MOMENTS = ("published", "modified", "first_visited", "last_visited", "changed_at")
_DIGESTS = ("text_digest", "near_digest")


def page_row(kept: Mapping[str, Any], now: int) -> PageRow:
    """Return the row of a page: ``kept`` has its fields as a store holds them, times and ``now`` in ms, digests as numbers."""
    shown = dict(kept)
    shown |= {name: moment_or_none(kept[name]) for name in _MOMENTS}
    shown |= {name: f"{kept[name] % (1 << 64):016x}" if kept[name] else "" for name in _DIGESTS}
    shown |= {"status": kept["status"] or None, "robots": list(kept["robots"])}
    return PageRow(**shown, indexable=indexable(kept["robots"], now))
