"""Storing visits in SQLite: one transaction a batch, one row write for an unchanged page."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from linkindex import history
from linkindex.errors import Unavailable
from linkindex.model import Link, Outcome, Visit
from linkindex.store.sqlite.schema import FACTS

_REMEMBERED = 200_000  # ids of URLs, hosts, domains and anchors kept in memory, each; then they are forgotten

_PAGE = """
SELECT first_visited, last_visited, read_at, changed_at, outcome, failures, failing_since, content_digest, links_digest,
       external_links, internal_links FROM page WHERE url = ?"""

_VISITED = (
    *("url", "outcome", "reason", "status", "content_type", "redirect", "certificate_error", "size", "elapsed"),
    *("first_visited", "last_visited", "read_at", "changed_at", "failures", "failing_since", "content_digest"),
    *("links_digest", "external_links", "internal_links", "depth"),
)


def _put(columns: tuple[str, ...]) -> str:
    """Return the statement that puts ``columns`` of a page; what it does not name stays as it was."""
    updates = ", ".join(f"{name} = excluded.{name}" for name in columns[1:])
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO page ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT (url) DO UPDATE SET {updates}"  # noqa: S608


_PUT_UNREAD = _put(_VISITED)
_PUT_READ = _put(_VISITED + FACTS)

_PUT_UNCHANGED = """
UPDATE page SET outcome = ?, reason = '', status = ?, last_visited = ?, read_at = ?, elapsed = ?, depth = ?, failures = 0,
  failing_since = NULL WHERE url = ?"""

_LATEST = """
SELECT l.id, t.url, l.ordinal, l.attributes, l.first_seen, l.until IS NULL
FROM link l JOIN url t ON t.id = l.target WHERE l.source = ? AND l.latest = 1"""

_OPEN_VERSION = """
INSERT INTO link (source, target, ordinal, latest, internal, kind, anchor, rel, follow, placement, placement_confidence,
  text_before, text_after, heading, attributes, first_seen, since, position)
VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

_END_VERSION = """
UPDATE link SET confirmed = ?, until = ?, ended_because = ?, latest = (? <> 'changed') WHERE id = ?"""

_END_ALL = """
UPDATE link SET confirmed = ?, until = ?, ended_because = ? WHERE source = ? AND latest = 1 AND until IS NULL"""


class Writes:
    """The writing half of :class:`linkindex.store.sqlite.SqliteIndex`."""

    def __init__(self, path: Path, db: sqlite3.Connection, internal_links: bool) -> None:
        self._path = path
        self._db = db
        self._internal_links = internal_links
        self._ids: dict[str, dict[str, int]] = {"url": {}, "host": {}, "domain": {}, "anchor": {}}

    def store(self, visits: Iterable[Visit]) -> None:
        with self._transaction():
            for visit in visits:
                self._store(visit)

    def _store(self, visit: Visit) -> None:
        page = self._url_id(visit.url, visit.host, visit.domain)
        before = _Before(self._db.execute(_PAGE, (page,)).fetchone())
        if visit.at <= before.last_visited:
            return  # this very visit, or one that is older than what is known
        if visit.outcome in (Outcome.PAGE, Outcome.REDIRECT):
            self._store_read(page, before, visit)
        elif visit.outcome is Outcome.UNCHANGED and before.links_digest:
            outcome = Outcome.REDIRECT if before.outcome == Outcome.REDIRECT else Outcome.PAGE
            seen = (outcome, visit.status, visit.at, visit.at, visit.elapsed, visit.depth, page)
            self._db.execute(_PUT_UNCHANGED, seen)
        else:
            self._store_unread(page, before, visit)

    def _store_read(self, page: int, before: _Before, visit: Visit) -> None:
        """Store a visit that saw the page's links."""
        digest = history.links_digest(visit.links)
        links_changed = digest != before.links_digest or before.read_at is None
        full = [link for link in visit.links if self._internal_links or not link.internal]
        read_at: int | None = visit.at
        if links_changed and not self._revise(page, before, visit, full):
            read_at, digest = before.read_at, 0  # the next visit must compare again
        changed = links_changed or visit.content_digest != before.content_digest
        internal = sum(link.internal for link in visit.links)
        self._put_page(
            page,
            visit,
            before,
            read_at=read_at,
            changed_at=visit.at if changed else before.changed_at,
            failures=(0, None),
            digests=(visit.content_digest, digest),
            counts=(len(visit.links) - internal, internal),
        )
        if links_changed:
            targets = [] if self._internal_links else [link.target for link in visit.links if link.internal]
            self._db.execute("UPDATE page SET internal = ? WHERE url = ?", (_pack(targets, visit.url), page))

    def _store_unread(self, page: int, before: _Before, visit: Visit) -> None:
        """Store a visit that learned nothing of the links: they stay as they are, unless the page is gone for good."""
        same = before.outcome == visit.outcome
        failures = before.failures + 1 if same else 1
        since = before.failing_since if same and before.failing_since is not None else visit.at
        links_digest = before.links_digest
        if visit.outcome is Outcome.GONE and history.is_gone(failures, since, visit.at):
            self._db.execute(_END_ALL, (before.read_at, visit.at, "page_gone", page))
            links_digest = 0  # should the page come back, its links are to be compared
        self._put_page(
            page,
            visit,
            before,
            read_at=before.read_at,
            changed_at=before.changed_at,
            failures=(failures, since),
            digests=(before.content_digest, links_digest),
            counts=before.counts,
        )

    def _revise(self, page: int, before: _Before, visit: Visit, links: Sequence[Link]) -> bool:
        """Bring the versions up to date; return whether every live one was confirmed or ended."""
        first_seen: dict[tuple[str, int], int] = {}
        live, lost = [], {}
        if before.last_visited:
            for row, target, ordinal, attributes, first, alive in self._db.execute(_LATEST, (page,)).fetchall():
                first_seen[target, ordinal] = first
                if alive:
                    live.append(history.Version(row=row, target=target, ordinal=ordinal, attributes=attributes))
                else:
                    lost[target, ordinal] = row
        revision = history.revise(live, links, visit)
        self._db.executemany(
            _END_VERSION, [(before.read_at, visit.at, because, because, row) for row, because in revision.ended]
        )
        returned = [
            (lost[link.target, link.ordinal],) for link in revision.opened if (link.target, link.ordinal) in lost
        ]
        self._db.executemany("UPDATE link SET latest = 0 WHERE id = ?", returned)
        self._db.executemany(
            _OPEN_VERSION,
            [self._version(page, link, first_seen, visit.at) for link in revision.opened],
        )
        return not revision.unseen

    def _version(self, page: int, link: Link, first_seen: dict[tuple[str, int], int], at: int) -> tuple[Any, ...]:
        return (
            page,
            self._url_id(link.target, link.target_host, link.target_domain),
            link.ordinal,
            link.internal,
            link.kind,
            self._id("anchor", "text", link.anchor),
            " ".join(link.rel),
            link.follow,
            link.placement,
            round(link.placement_confidence, 3),
            link.text_before,
            link.text_after,
            link.heading,
            history.attributes(link),
            first_seen.get((link.target, link.ordinal), at),
            at,
            link.position,
        )

    def _put_page(
        self,
        page: int,
        visit: Visit,
        before: _Before,
        *,
        read_at: int | None,
        changed_at: int | None,
        failures: tuple[int, int | None],
        digests: tuple[int, int],
        counts: tuple[int, int],
    ) -> None:
        row = (
            page,
            visit.outcome,
            visit.reason,
            visit.status,
            visit.content_type,
            visit.redirect,
            visit.certificate_error,
            visit.size,
            visit.elapsed,
            before.first_visited or visit.at,
            visit.at,
            read_at,
            changed_at,
            *failures,
            *digests,
            *counts,
            visit.depth,
        )
        if visit.outcome in (Outcome.PAGE, Outcome.REDIRECT):
            self._db.execute(_PUT_READ, (*row, *_facts(visit)))
        else:
            self._db.execute(_PUT_UNREAD, row)

    # ---------------------------------------------------------------- names to ids

    def _url_id(self, url: str, host: str, domain: str) -> int:
        found = self._ids["url"].get(url)
        if found is not None:
            return found
        row = self._db.execute("SELECT id FROM url WHERE url = ?", (url,)).fetchone()
        if row is None:
            domain_id = self._id("domain", "name", domain)
            row = self._db.execute(
                "INSERT INTO url (url, host, domain) VALUES (?, ?, ?) RETURNING id",
                (url, self._id("host", "name", host, domain=domain_id), domain_id),
            ).fetchone()
        return self._remember("url", url, row[0])

    def _id(self, table: str, column: str, value: str, **others: int) -> int:
        found = self._ids[table].get(value)
        if found is not None:
            return found
        row = self._db.execute(f"SELECT id FROM {table} WHERE {column} = ?", (value,)).fetchone()  # noqa: S608
        if row is None:
            columns = ", ".join((column, *others))
            marks = ", ".join("?" * (1 + len(others)))
            row = self._db.execute(
                f"INSERT INTO {table} ({columns}) VALUES ({marks}) RETURNING id",  # noqa: S608
                (value, *others.values()),
            ).fetchone()
        return self._remember(table, value, row[0])

    def _remember(self, table: str, value: str, row: int) -> int:
        ids = self._ids[table]
        if len(ids) >= _REMEMBERED:
            ids.clear()
        ids[value] = row
        return row

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                for ids in self._ids.values():
                    ids.clear()  # some may be of rows that the rollback takes back
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise Unavailable(f"index {self._path}: {error}; nothing was lost, run the same command again") from error


class _Before:
    """What is known of a page before a visit is stored; neutral where it was never visited."""

    def __init__(self, row: Sequence[Any] | None) -> None:
        nothing = (0, 0, None, None, "", 0, None, 0, 0, 0, 0)
        values = row or nothing
        self.first_visited: int = values[0]
        self.last_visited: int = values[1]
        self.read_at: int | None = values[2]
        self.changed_at: int | None = values[3]
        self.outcome: str = values[4]
        self.failures: int = values[5]
        self.failing_since: int | None = values[6]
        self.content_digest: int = values[7]
        self.links_digest: int = values[8]
        self.counts: tuple[int, int] = (values[9], values[10])


def _facts(visit: Visit) -> Iterator[object]:
    """Yield the values of :data:`~linkindex.store.sqlite.schema.FACTS`."""
    for name in FACTS:
        yield "; ".join(visit.robots) if name == "robots" else getattr(visit, name)


def _pack(targets: Sequence[str], page: str) -> bytes | None:
    """Compress internal targets, in order of appearance, those on the page's own origin as paths."""
    if not targets:
        return None
    origin = page[: page.find("/", 8)]
    lines = dict.fromkeys(
        target.removeprefix(origin) if target.startswith(f"{origin}/") else target for target in targets
    )
    return zlib.compress("\n".join(lines).encode(), 6)


def unpack(packed: bytes, page: str) -> list[str]:
    """Return the internal targets that :func:`_pack` compressed."""
    origin = page[: page.find("/", 8)]
    return [origin + line if line.startswith("/") else line for line in zlib.decompress(packed).decode().split("\n")]
