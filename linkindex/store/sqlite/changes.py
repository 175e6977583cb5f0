"""What happened to links: their versions, and the events that these tell."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

import msgspec

from linkindex.answers.rows import Change, Seen, moment
from linkindex.store import found
from linkindex.store.found import Event, Look
from linkindex.store.selection import Selection
from linkindex.store.sqlite.ids import URL_MASK
from linkindex.store.sqlite.packing import unpack_bundles
from linkindex.store.sqlite.question import OF_BUNDLE, SOURCE, TARGET, TARGET_ID, WITH_SOURCE, Question
from linkindex.store.sqlite.revising import JOINED, OF_PAGE, of_slots
from linkindex.store.sqlite.schema import URL_BITS
from linkindex.store.sqlite.selecting import Selecting, spans

_VERSIONS_OF_PAGE = f"""
SELECT {TARGET} AS target, v.ordinal AS ordinal, p.first_visited + v.since AS since, k.kind, a.text, k.rel, k.follow,
  k.placement, {{ended}} {OF_PAGE} {JOINED} JOIN page p ON p.id = v.page"""
_ENDED = {
    "link": "max(p.read_at, p.first_visited + v.since), NULL, NULL",
    "past": "v.confirmed, v.until, v.because",
}

# All versions of all links that point at what is covered; ``chosen`` where their latest one is what was selected.
_VERSIONS = f"""
SELECT v.page, {TARGET_ID} AS target, v.ordinal, v.slot, p.first_visited + v.since AS since, {{until}} AS until,
  {{because}} AS because, b.from_domain, b.look, b.anchor, {{latest}} AS latest, {{looks}} AS chosen
FROM {{scan}} CROSS JOIN look k ON k.id = b.look CROSS JOIN {{table}} v ON {OF_BUNDLE} CROSS JOIN page p ON p.id = v.page
WHERE {{where}}"""  # noqa: S608

_HISTORY = f"""
WITH versions AS ({{versions}}),
  histories AS (
    SELECT *, lag(look) OVER one AS look_before, lag(anchor) OVER one AS anchor_before, lag(because) OVER one AS ended_before,
      max(latest AND chosen) OVER (PARTITION BY page, target, ordinal) AS chosen_link
    FROM versions WINDOW one AS (PARTITION BY page, target, ordinal ORDER BY since, slot)),
  events AS (
    SELECT since AS at, 1 AS begins, * FROM histories WHERE chosen_link
    UNION ALL SELECT until AS at, 0 AS begins, * FROM histories WHERE chosen_link AND because <> 'changed')
SELECT e.at, e.begins, e.ended_before, e.because, {SOURCE} AS source, sd.name AS source_domain, {TARGET} AS target, e.ordinal,
  k.kind, a.text AS anchor, k.rel, k.follow, k.placement,
  kb.kind, ab.text, kb.rel, kb.follow, kb.placement
FROM events e JOIN page p ON p.id = e.page {WITH_SOURCE.replace("CROSS JOIN", "JOIN")}
JOIN url t ON t.id = e.target JOIN host th ON th.id = t.origin >> 1 JOIN domain sd ON sd.id = e.from_domain
JOIN look k ON k.id = e.look JOIN anchor a ON a.id = e.anchor
LEFT JOIN look kb ON kb.id = e.look_before LEFT JOIN anchor ab ON ab.id = e.anchor_before
WHERE e.at >= :begin AND e.at < :end ORDER BY e.at DESC, source, target, e.ordinal, e.begins"""  # noqa: S608

_LIVE_THEN = f"""
WITH versions AS ({{versions}}),
  histories AS (SELECT *, max(latest AND chosen) OVER (PARTITION BY page, target, ordinal) AS chosen_link FROM versions)
SELECT {SOURCE} AS source, sd.name, {TARGET}, e.ordinal, k.kind, a.text, k.rel, k.follow, k.placement
FROM histories e JOIN page p ON p.id = e.page {WITH_SOURCE.replace("CROSS JOIN", "JOIN")}
JOIN url t ON t.id = e.target JOIN host th ON th.id = t.origin >> 1 JOIN domain sd ON sd.id = e.from_domain
JOIN look k ON k.id = e.look JOIN anchor a ON a.id = e.anchor
WHERE chosen_link AND since <= :then AND (until IS NULL OR until > :then)"""  # noqa: S608

_TABLES = {
    "link": {"until": "NULL", "because": "NULL", "latest": "1"},
    "past": {"until": "v.until", "because": "v.because", "latest": "v.latest"},
}
_TIMES = "SELECT since, until FROM lead WHERE url = ?"
_LED = "SELECT DISTINCT url FROM lead WHERE url BETWEEN ? AND ?"


class Changes(Selecting):
    """The part of :class:`linkindex.store.sqlite.SqliteIndex` that tells the history of links."""

    def versions(self, source: str, target: str = "") -> Iterator[Seen]:
        number = self._find_url(source)
        query = "SELECT p.id, o.bundles FROM page p JOIN outgoing o ON o.page = p.id WHERE p.url = ?"
        for page, packed in self._all(query, (number,)):
            slots = of_slots(unpack_bundles(packed) if packed else [])
            rows = [
                row
                for table, ended in _ENDED.items()
                for row in self._rows(
                    _VERSIONS_OF_PAGE.format(table=table, ended=ended), (slots, (number or 0) >> URL_BITS, page)
                )
                if target in ("", row[0])
            ]
            yield from (_seen(source, row) for row in sorted(rows, key=lambda row: row[:3]))

    def changes(self, selection: Selection, limit: int | None = None) -> Iterator[Change]:
        question = self._question(msgspec.structs.replace(selection, state="all", as_of=None, since=None, until=None))
        if question is None:
            return
        begin = -(1 << 62) if selection.since is None else selection.since
        end = 1 << 62 if selection.until is None else selection.until
        events = merge(self._happened(question, begin, end), self._moved(question, begin, end), key=found.latest_first)
        yield from islice((change for event in events for change in found.changes(event)), limit)

    def _happened(self, question: Question, begin: int, end: int) -> Iterator[Event]:
        query = _HISTORY.format(versions=_versions(question))
        for row in self._rows(query, question.named | {"begin": begin, "end": end}):
            at, begins, ended_before, because, source, domain, target, ordinal, *looks = row
            now, before = _look(looks[:5]), _look(looks[5:])
            if not begins:
                now, before, reason = None, now, because
            else:
                reason = "returned" if before is not None and ended_before != "changed" else ""
            yield Event(
                at=at,
                source=source,
                source_domain=domain,
                target=target,
                ordinal=ordinal,
                before=before,
                after=now,
                reason=reason,
            )

    def _moved(self, question: Question, begin: int, end: int) -> Iterator[Event]:
        """Yield that targets led elsewhere, for each link that was live then."""
        moves = sorted(self._moves(question, begin, end), reverse=True)
        for _, of_one_time in groupby(moves, key=itemgetter(0)):
            moved = (event for move in of_one_time for event in self._moved_by(question, *move))
            yield from sorted(moved, key=found.latest_first)

    def _moved_by(self, question: Question, at: int, url: int, before: str, after: str) -> Iterator[Event]:
        where = [*question.where, "b.to_domain = :to", "b.target = :target"]
        query = _LIVE_THEN.format(versions=_versions(msgspec.structs.replace(question, where=where)))
        named = question.named | {"then": at, "to": url >> URL_BITS, "target": url & URL_MASK}
        for source, domain, target, ordinal, *looks in self._rows(query, named):
            look = _look(looks)
            yield Event(
                at=at,
                source=source,
                source_domain=domain,
                target=target,
                ordinal=ordinal,
                before=look,
                after=look,
                ends=(before, after),
            )

    def _moves(self, question: Question, begin: int, end: int) -> Iterator[tuple[int, int, str, str]]:
        """Yield when the end of a covered URL's hops moved by its own word, the URL, and the ends before and after."""
        for low, high, _ in spans(question.coverage):
            for (url,) in self._rows(_LED, (low, high)):
                if url not in question.coverage:
                    continue
                times = {at for row in self._rows(_TIMES, (url,)) for at in row if at is not None}
                for at in times:
                    before, after = (self._end_then(url, then) for then in (at - 1, at))
                    if begin <= at < end and before != after:
                        yield at, url, before, after

    def _end_then(self, url: int, at: int) -> str:
        hops = self._chains(at).hops(url)
        return hops[-1].to if hops else self._url_text(url)


def _versions(question: Question) -> str:
    looks = " AND ".join(question.looks) or "1"
    where = " AND ".join(question.where) or "1"
    return " UNION ALL ".join(
        _VERSIONS.format(table=table, scan=question.scan, where=where, looks=f"({looks})", **columns)
        for table, columns in _TABLES.items()
    )


def _look(values: list[Any]) -> Look | None:
    if values[0] is None:
        return None
    kind, anchor, rel, follow, placement = values
    return Look(kind=kind, anchor=anchor, rel=rel.split(), follow=bool(follow), placement=placement)


def _seen(source: str, row: tuple[Any, ...]) -> Seen:
    target, ordinal, since, kind, anchor, rel, follow, placement, confirmed, until, because = row
    return Seen(
        source=source,
        target=target,
        ordinal=ordinal,
        kind=kind,
        anchor=anchor,
        rel=rel.split(),
        follow=bool(follow),
        placement=placement,
        since=moment(since),
        confirmed=moment(confirmed),
        until=None if until is None else moment(until),
        ended_because=because,
    )
