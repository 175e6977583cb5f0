"""Answering questions from SQLite. Every value from outside is a parameter; what is put into a statement is ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from linkindex.answers.rows import Backlink, Outlink, moment
from linkindex.errors import Unavailable
from linkindex.model import Outcome
from linkindex.store.selection import Group, IndexCounts, Selection
from linkindex.store.sqlite.writes import unpack
from linkindex.target import Target

_STATES = {
    "live": "l.latest = 1 AND l.until IS NULL",
    "lost": "l.latest = 1 AND l.until IS NOT NULL",
    "all": "l.latest = 1",
}

# A page whose last visit brought no document leaves its links live, in doubt.
_DOUBTFUL = f"l.until IS NULL AND p.outcome NOT IN ('{Outcome.PAGE}', '{Outcome.REDIRECT}')"

_LAST_SEEN = "coalesce(l.confirmed, p.read_at, l.since)"

_JOINED = """
FROM url t JOIN link l ON l.target = t.id JOIN url s ON s.id = l.source JOIN page p ON p.url = l.source
JOIN anchor a ON a.id = l.anchor JOIN domain sd ON sd.id = s.domain JOIN domain td ON td.id = t.domain"""

_LINKS = f"""
SELECT s.url, sd.name, t.url, td.name, l.kind, a.text, l.rel, l.follow, l.placement, l.placement_confidence,
  l.text_before, l.text_after, l.heading, l.first_seen, {_LAST_SEEN} AS last_seen, l.until,
  l.ended_because, CASE WHEN {_DOUBTFUL} THEN p.outcome || iif(p.reason = '', '', ': ' || p.reason) END,
  p.title, p.language, p.status, tp.status
{_JOINED} LEFT JOIN page tp ON tp.url = l.target
WHERE ({{targets}}) AND {{state}} {{scope}}
ORDER BY l.until IS NOT NULL, l.follow DESC, last_seen DESC, s.url, t.url, l.ordinal LIMIT ?"""

_GROUPS = f"""
SELECT {{key}}, count(*) AS links, count(DISTINCT l.source), count(DISTINCT s.domain), count(DISTINCT l.target),
  sum(l.follow), sum(' ' || l.rel || ' ' LIKE '% ugc %'), sum(' ' || l.rel || ' ' LIKE '% sponsored %'),
  sum({_DOUBTFUL}), min(l.first_seen), max({_LAST_SEEN})
{_JOINED}
WHERE ({{targets}}) AND {{state}} {{scope}}
GROUP BY 1 ORDER BY links DESC, 1"""

_KEYS = {"": "''", "domain": "sd.name", "anchor": "a.text", "kind": "l.kind", "placement": "l.placement"}

_OUTLINKS = f"""
SELECT t.url, td.name, l.internal, l.kind, a.text, l.rel, l.follow, l.placement, l.first_seen,
  {_LAST_SEEN}, l.until, l.ended_because, tp.status
{_JOINED} LEFT JOIN page tp ON tp.url = l.target
WHERE s.url = ? AND l.latest = 1 ORDER BY l.until IS NOT NULL, l.internal, l.id LIMIT ?"""


class Reads:
    """The reading half of :class:`linkindex.store.sqlite.SqliteIndex`."""

    _path: Path
    _db: sqlite3.Connection

    def links(self, selection: Selection, limit: int | None = None) -> Iterator[Backlink]:
        query, parameters = self._select(_LINKS, selection)
        for row in self._rows(query, (*parameters, _limit(limit))):
            source, source_domain, target, target_domain, kind, anchor, rel, follow, placement, confidence = row[:10]
            before, after, heading, first_seen, last_seen, until, because, doubt, title, language, status, ts = row[10:]
            yield Backlink(
                source=source,
                source_domain=source_domain,
                target=target,
                target_domain=target_domain,
                kind=kind,
                anchor=anchor,
                rel=rel.split(),
                follow=bool(follow),
                placement=placement,
                placement_confidence=confidence,
                text_before=before,
                text_after=after,
                heading=heading,
                first_seen=moment(first_seen),
                last_seen=moment(last_seen),
                lost_at=_moment_or_none(until),
                lost_reason=because,
                doubt=doubt,
                source_title=title,
                source_language=language,
                source_status=status or None,
                target_status=ts or None,
                source_rank=None,
                domain_rank=None,
            )

    def groups(self, selection: Selection, by: Literal["", "domain", "anchor", "kind", "placement"]) -> Iterator[Group]:
        query, parameters = self._select(_GROUPS, selection, key=_KEYS[by])
        for row in self._rows(query, parameters):
            yield Group(**dict(zip(Group.__struct_fields__, row, strict=True)))

    def outlinks(self, page: str, limit: int | None = None) -> Iterator[Outlink]:
        for row in self._rows(_OUTLINKS, (page, _limit(limit))):
            (
                target,
                domain,
                internal,
                kind,
                anchor,
                rel,
                follow,
                placement,
                first_seen,
                last_seen,
                until,
                because,
                ts,
            ) = row
            yield Outlink(
                target=target,
                target_domain=domain,
                internal=bool(internal),
                kind=kind,
                anchor=anchor,
                rel=rel.split(),
                follow=bool(follow),
                placement=placement,
                first_seen=moment(first_seen),
                last_seen=moment(last_seen),
                lost_at=_moment_or_none(until),
                lost_reason=because,
                target_status=ts or None,
            )
        kept = "SELECT p.internal, d.name FROM page p JOIN url u ON u.id = p.url JOIN domain d ON d.id = u.domain"
        for packed, domain in self._rows(f"{kept} WHERE u.url = ? AND p.internal IS NOT NULL", (page,)):
            for target in unpack(packed, page):
                yield _internal(target, domain)

    def outcome(self, page: str) -> str | None:
        for (outcome,) in self._rows("SELECT outcome FROM page JOIN url ON id = page.url WHERE url.url = ?", (page,)):
            return str(outcome)
        return None

    def pages_of(self, target: Target) -> int:
        condition, parameters = self._covers(target)
        query = f"SELECT count(*) FROM page JOIN url t ON t.id = page.url WHERE {condition}"  # noqa: S608
        return int(next(self._rows(query, parameters))[0])

    def counts(self) -> IndexCounts:
        outcomes = dict(self._rows("SELECT outcome, count(*) FROM page GROUP BY outcome", ()))
        count = "SELECT count(*) FROM link WHERE latest = 1 AND internal = 0 AND until IS"
        (links,), (lost,) = (next(self._rows(f"{count} {state}", ())) for state in ("NULL", "NOT NULL"))
        visited = "SELECT count(DISTINCT domain) FROM page JOIN url ON url.id = page.url"
        return IndexCounts(
            pages=sum(outcomes.values()),
            domains=next(self._rows(visited, ()))[0],
            links=links,
            lost=lost,
            by_outcome=outcomes,
        )

    def versions(self) -> int:
        return int(next(self._rows("SELECT coalesce(max(id), 0) FROM link", ()))[0])

    # ---------------------------------------------------------------- machinery

    def _select(self, query: str, selection: Selection, **parts: str) -> tuple[str, tuple[Any, ...]]:
        condition, parameters = self._covers(selection.target)
        scope = "" if selection.internal else "AND l.internal = 0"
        return query.format(targets=condition, state=_STATES[selection.state], scope=scope, **parts), parameters

    def _covers(self, target: Target) -> tuple[str, tuple[Any, ...]]:
        """Return the condition on ``t`` (a row of url) that holds for what a target covers."""
        if target.name:
            for table in ("domain", "host"):  # a name that is both stands for the whole domain
                for (row,) in self._rows(f"SELECT id FROM {table} WHERE name = ?", (target.name,)):  # noqa: S608
                    return f"t.{table} = ?", (row,)
            return "0", ()
        if target.prefixes:
            ranges = [bound for prefix in target.prefixes for bound in (prefix, prefix + "\U0010ffff")]
            return " OR ".join("t.url >= ? AND t.url < ?" for _ in target.prefixes), tuple(ranges)
        return f"t.url IN ({','.join('?' * len(target.urls))})", target.urls

    def _rows(self, query: str, parameters: tuple[Any, ...]) -> Iterator[Any]:
        try:
            # Not `yield from`: that closes the cursor of a reader who stops early, maybe after the database.
            for row in self._db.execute(query, parameters):  # noqa: UP028
                yield row
        except sqlite3.Error as error:
            raise Unavailable(f"index {self._path}: {error}") from error


def _moment_or_none(ms: int | None) -> datetime | None:
    return None if ms is None else moment(ms)


def _limit(limit: int | None) -> int:
    return -1 if limit is None else limit  # -1 is SQLite's "all"


def _internal(target: str, domain: str) -> Outlink:
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
