"""Answering questions from SQLite. Every value from outside is a parameter; what is put into a statement is ours."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from linkindex.answers.rows import Backlink, Outlink, PageRow, moment
from linkindex.errors import Unavailable
from linkindex.indexable import indexable
from linkindex.model import Outcome
from linkindex.relevance import DOMAIN_PAGES, Rarity, Similarities, few_of_each
from linkindex.store.selection import Group, IndexCounts, Selection
from linkindex.store.sqlite.writes import unpack
from linkindex.target import Target

_QUICK_SAMPLE = 200  # pages that say how rare a word is, in an index that was never classified

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

# The site's word, where it has one, over the page's guess.
_PLACEMENT = "coalesce(l.site_placement, l.placement)"

_LINKS = f"""
SELECT s.url AS source, sd.name AS source_domain, t.url AS target, td.name AS target_domain, l.kind, a.text AS anchor,
  l.rel, l.follow, {_PLACEMENT} AS placement, coalesce(l.site_confidence, l.placement_confidence) AS placement_confidence,
  l.template_pages, l.position, l.text_before, l.text_after, l.heading, l.first_seen, {_LAST_SEEN} AS last_seen,
  l.until AS lost_at, l.ended_because AS lost_reason,
  CASE WHEN {_DOUBTFUL} THEN p.outcome || iif(p.reason = '', '', ': ' || p.reason) END AS doubt,
  p.title AS source_title, p.language AS source_language, p.author AS source_author, p.published AS source_published,
  p.platform AS source_platform, p.words AS source_words, p.external_links AS source_external_links,
  p.internal_links AS source_internal_links, p.robots AS source_robots, p.terms AS source_terms, tp.terms AS target_terms,
  p.status AS source_status, tp.status AS target_status
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

_KEYS = {"": "''", "domain": "sd.name", "anchor": "a.text", "kind": "l.kind", "placement": _PLACEMENT}

_OUTLINKS = f"""
SELECT t.url, td.name, l.internal, l.kind, a.text, l.rel, l.follow, {_PLACEMENT}, l.first_seen,
  {_LAST_SEEN}, l.until, l.ended_because, tp.status
{_JOINED} LEFT JOIN page tp ON tp.url = l.target
WHERE s.url = ? AND l.latest = 1 ORDER BY l.until IS NOT NULL, l.internal, l.id LIMIT ?"""


_PAGES = """
SELECT t.url, p.outcome, p.status, p.title, p.description, p.language, p.author, p.published, p.modified, p.type,
  p.platform, p.words, p.canonical, p.redirect, p.robots, p.charset, p.content_type, p.external_links, p.internal_links,
  p.text_digest, p.near_digest, p.first_visited, p.last_visited, p.changed_at
FROM url t JOIN page p ON p.url = t.id WHERE {targets} ORDER BY p.external_links DESC, t.url LIMIT ?"""

_NEXT_TERMS = """
SELECT p.url, d.name, p.terms FROM page p JOIN url u ON u.id = p.url JOIN domain d ON d.id = u.domain
WHERE p.url >= ? AND p.terms <> x'' ORDER BY p.url LIMIT 1"""

_TERMS_OF = """
SELECT p.terms FROM domain d JOIN url u ON u.domain = d.id JOIN page p ON p.url = u.id
WHERE d.name = ? AND p.terms <> x'' LIMIT ?"""


_MOMENTS = ("published", "modified", "first_visited", "last_visited", "changed_at")
_DIGESTS = ("text_digest", "near_digest")


class Reads:
    """The reading half of :class:`linkindex.store.sqlite.SqliteIndex`."""

    _path: Path
    _db: sqlite3.Connection

    def links(self, selection: Selection, limit: int | None = None) -> Iterator[Backlink]:
        query, parameters = self._select(_LINKS, selection)
        similarities: Similarities | None = None
        now = int(time.time() * 1000)
        for row in self._records(query, (*parameters, _limit(limit))):
            if similarities is None:
                similarities = self._similarities()
            to_target, to_domain = similarities.of_link(
                row.pop("source_terms"), row.pop("target_terms") or b"", row["target_domain"]
            )
            robots = row.pop("source_robots")
            yield Backlink(
                **row
                | {
                    "rel": row["rel"].split(),
                    "follow": bool(row["follow"]),
                    "first_seen": moment(row["first_seen"]),
                    "last_seen": moment(row["last_seen"]),
                    "lost_at": _moment_or_none(row["lost_at"]),
                    "source_published": _moment_or_none(row["source_published"]),
                    "source_status": row["source_status"] or None,
                    "target_status": row["target_status"] or None,
                },
                relevance=to_target,
                domain_relevance=to_domain,
                source_indexable=indexable(robots.split("; "), now),
                source_rank=None,
                domain_rank=None,
            )

    def _similarities(self) -> Similarities:
        counted = self.about("rarity")
        rarity = Rarity.from_bytes(counted) if counted else Rarity.of(few_of_each(self.terms_sample(_QUICK_SAMPLE)))
        return Similarities(rarity, lambda domain: self.terms_of(domain, DOMAIN_PAGES))

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

    def pages(self, target: Target, limit: int | None = None) -> Iterator[PageRow]:
        condition, parameters = self._covers(target)
        now = int(time.time() * 1000)
        for row in self._records(_PAGES.format(targets=f"({condition})"), (*parameters, _limit(limit))):
            robots = [directive for directive in row["robots"].split("; ") if directive]
            moments = {name: _moment_or_none(row[name]) for name in _MOMENTS}
            digests = {name: f"{row[name] % (1 << 64):016x}" if row[name] else "" for name in _DIGESTS}
            known = {"robots": robots, "indexable": indexable(robots, now), "status": row["status"] or None}
            yield PageRow(**row | moments | digests | known)

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
            url_rules=(self.about("url_rules") or b"").decode(),
            suffix_list=(self.about("suffix_list") or b"").decode(),
        )

    def versions(self) -> int:
        return int(next(self._rows("SELECT coalesce(max(id), 0) FROM link", ()))[0])

    def terms_sample(self, size: int) -> Iterator[tuple[str, bytes]]:
        (last,) = next(self._rows("SELECT coalesce(max(url), 0) FROM page", ()))
        step, position = max(1, last // max(1, size)), 0
        while found := next(self._rows(_NEXT_TERMS, (position,)), None):
            yield found[1], found[2]
            position = found[0] + step

    def terms_of(self, domain: str, size: int) -> Iterator[bytes]:
        return (terms for (terms,) in self._rows(_TERMS_OF, (domain, size)))

    def about(self, name: str) -> bytes | None:
        found = next(self._rows("SELECT value FROM about WHERE name = ?", (name,)), None)
        return None if found is None else bytes(found[0])

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

    def _records(self, query: str, parameters: tuple[Any, ...]) -> Iterator[dict[str, Any]]:
        """Yield rows by the names that ``query`` gives its columns."""
        try:
            cursor = self._db.execute(query, parameters)
            names = [column[0] for column in cursor.description]
            for row in cursor:
                yield dict(zip(names, row, strict=True))
        except sqlite3.Error as error:
            raise Unavailable(f"index {self._path}: {error}") from error

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
