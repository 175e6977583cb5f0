"""Versions of links, and what happened to them."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from itertools import islice
from operator import attrgetter

import msgspec

from linkindex.answers.rows import Change, Seen, moment
from linkindex.store.found import Event, Look, changes, latest_first
from linkindex.store.mongo import covering, ids
from linkindex.store.mongo.asking import parts
from linkindex.store.mongo.chains import Words
from linkindex.store.mongo.counting import Counting
from linkindex.store.mongo.records import LinkRecord, PageRecord, fields
from linkindex.store.mongo.schema import LINKS, PAGES, PAST
from linkindex.store.mongo.selecting import Selected, confirmed
from linkindex.store.selection import Selection

_TOGETHER = 1_000
_EVER = 1 << 62

_LOOK = fields(
    LinkRecord,
    *("source", "source_domain", "target", "ordinal", "kind", "anchor", "rel", "follow", "placement"),
    *("first_seen", "began", "until", "because"),
)
_READ_AT = fields(PageRecord, "read_at")


class Changing(Counting):
    """The part of :class:`linkindex.store.mongo.MongoIndex` that tells history."""

    def versions(self, source: str, target: str = "") -> Iterator[Seen]:
        question, name = self._question(), ids.of_page(source, covering.domain_of(source))
        page = next(question.named(PAGES, [name], PageRecord, _READ_AT), None)
        condition = {"p": name, **({"t": target} if target else {})}
        found = [one for where in (LINKS, PAST) for one in question.find(where, condition, LinkRecord)]
        for one in sorted(found, key=lambda one: (one.target, one.ordinal, one.since)):
            yield Seen(
                source=one.source,
                target=one.target,
                ordinal=one.ordinal,
                kind=one.kind,
                anchor=one.anchor,
                rel=list(one.rel),
                follow=one.follow,
                placement=one.placement,
                since=moment(one.since),
                confirmed=moment(confirmed(one, page)),
                until=None if one.until is None else moment(one.until),
                ended_because=one.because,
            )

    def changes(self, selection: Selection, limit: int | None = None) -> Iterator[Change]:
        begin = -1 if selection.since is None else selection.since
        end = _EVER if selection.until is None else selection.until
        events = (event for event in self._events(selection) if begin <= event.at < end)
        # An event gives at least one row, so as many events as rows are wanted will do.
        latest = sorted(events, key=latest_first) if limit is None else heapq.nsmallest(limit, events, key=latest_first)
        yield from islice((change for event in latest for change in changes(event)), limit)

    def _events(self, selection: Selection) -> Iterator[Event]:
        whole = msgspec.structs.replace(selection, state="all", as_of=None, since=None, until=None)
        question = self._question()
        selected = Selected(question, whole)
        earlier: dict[bytes, list[LinkRecord]] = {}
        for covered, targets in selected.covered(PAST):
            for version in question.find(PAST, covered, LinkRecord, _LOOK):
                if targets is None or version.target in targets:
                    earlier.setdefault(version.id[: ids.LINK_BYTES], []).append(version)
        for some in parts(selected.links(), _TOGETHER):
            words = Words(question, {found.link.target for found in some})
            for found in some:
                before = sorted(earlier.get(found.link.id, ()), key=attrgetter("since"))
                versions = [*before, found.link]
                yield from _happened(versions)
                yield from _moved(versions, words)


def _happened(versions: Sequence[LinkRecord]) -> Iterator[Event]:
    """Yield the beginnings and ends of a link's versions, the oldest first."""
    before: LinkRecord | None = None
    for version in versions:
        if before is None:
            yield _event(version.since, version, None, _look(version))
        elif before.because == "changed":
            yield _event(version.since, version, _look(before), _look(version))
        else:
            yield _event(version.since, version, _look(before), _look(version), reason="returned")
        if version.until is not None and version.because != "changed":
            yield _event(version.until, version, _look(version), None, reason=version.because or "")
        before = version


def _moved(versions: Sequence[LinkRecord], words: Words) -> Iterator[Event]:
    """Yield when the target of a link that was live began to lead elsewhere."""
    target = versions[0].target
    for at in words.turns(target):
        live = next((one for one in versions if one.since <= at and (one.until is None or one.until > at)), None)
        ends = words.end(target, at - 1), words.end(target, at)
        if live is not None and ends[0] != ends[1]:
            yield _event(at, live, _look(live), _look(live), ends=ends)


def _event(
    at: int,
    version: LinkRecord,
    before: Look | None,
    after: Look | None,
    *,
    reason: str = "",
    ends: tuple[str, str] = ("", ""),
) -> Event:
    return Event(
        at=at,
        source=version.source,
        source_domain=version.source_domain,
        target=version.target,
        ordinal=version.ordinal,
        before=before,
        after=after,
        reason=reason,
        ends=ends,
    )


def _look(version: LinkRecord) -> Look:
    return Look(
        kind=version.kind,
        anchor=version.anchor,
        rel=version.rel,
        follow=version.follow,
        placement=version.placement,
    )
