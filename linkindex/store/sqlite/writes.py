"""Storing visits in SQLite: one transaction a batch, one row write for an unchanged page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from operator import attrgetter

import msgspec

from linkindex import history
from linkindex.model import Outcome, Visit
from linkindex.store import paths
from linkindex.store.sqlite.leads import Leads
from linkindex.store.sqlite.packing import json_numbers
from linkindex.store.sqlite.revising import Revising
from linkindex.store.sqlite.schema import FACTS

_MOST = 500  # visits that are worked on together
_READ = (Outcome.PAGE, Outcome.REDIRECT)


class Page(msgspec.Struct):
    """A row of page, but its rank."""

    id: int
    url: int
    run: int | None
    first_visited: int
    outcome: str = ""
    reason: str = ""
    status: int = 0
    depth: int = 0
    last_visited: int = -1
    read_at: int | None = None
    read_as: str | None = None
    changed_at: int | None = None
    failures: int = 0
    failing_since: int | None = None
    given_up: int = 0
    content_digest: int = 0
    links_digest: int = 0
    facts_digest: int = 0
    external_links: int = 0
    internal_links: int = 0
    size: int = 0
    elapsed: int = 0
    content_type: str = ""
    redirect: str = ""
    certificate_error: str = ""


_COLUMNS = Page.__struct_fields__
_PAGES = f"SELECT {', '.join(_COLUMNS)} FROM page WHERE url IN (SELECT value FROM json_each(?))"  # noqa: S608
_ADD_PAGE = f"INSERT INTO page ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
_PUT_PAGE = "UPDATE page SET {} WHERE id = ?1".format(  # noqa: S608
    ", ".join(f"{name} = ?{at}" for at, name in enumerate(_COLUMNS, 1) if at > 4)
)
_PUT_FACTS = f"INSERT OR REPLACE INTO fact (page, {', '.join(FACTS)}) VALUES ({', '.join('?' * (1 + len(FACTS)))})"  # noqa: S608
_PUT_INTERNAL = """
INSERT INTO outgoing (page, bundles, internal) VALUES (?, x'', ?)
ON CONFLICT (page) DO UPDATE SET internal = excluded.internal"""

_to_bytes = msgspec.msgpack.Encoder().encode
_told = attrgetter(FACTS[0], "description", *FACTS[1:])


class Writes(Revising, Leads):
    """The writing half of :class:`linkindex.store.sqlite.SqliteIndex`."""

    def store(self, visits: Iterable[Visit], run: str = "") -> None:
        with self._transaction():
            run_id = self._run_id(run) if run else None
            together: dict[str, Visit] = {}
            for visit in visits:
                if visit.url in together or len(together) == _MOST:
                    self._store(list(together.values()), run_id)
                    together = {}
                together[visit.url] = visit
            self._store(list(together.values()), run_id)
            self._learn()

    def _run_id(self, name: str) -> int:
        self._db.execute("INSERT OR IGNORE INTO run (name) VALUES (?)", (name,))
        return int(self._db.execute("SELECT id FROM run WHERE name = ?", (name,)).fetchone()[0])

    def _store(self, visits: Sequence[Visit], run: int | None) -> None:
        """Store visits of different pages."""
        self._make_room()
        self._number_urls({visit.url: (visit.host, visit.domain) for visit in visits})
        numbers = [self._url_ids[visit.url] for visit in visits]
        known = {row[1]: Page(*row) for row in self._db.execute(_PAGES, (json_numbers(numbers),))}
        news, olds, changed = [], [], []
        next_page = self._db.execute("SELECT coalesce(max(id), 0) + 1 FROM page").fetchone()[0]
        for visit, url in zip(visits, numbers, strict=True):
            page = known.get(url)
            if page is None:
                page = Page(next_page, url, run, visit.at)
                next_page += 1
                news.append(page)
            elif visit.at <= page.last_visited:
                continue  # this very visit, or one that is older than what is known
            else:
                olds.append(page)
            changed.append((page, visit))
        digests = [history.links_digest(visit) if visit.outcome in _READ else 0 for _, visit in changed]
        self._number_links(
            visit for (page, visit), digest in zip(changed, digests, strict=True) if digest != page.links_digest
        )
        noted = (self._note(*one, digest) for one, digest in zip(changed, digests, strict=True))
        facts = [row for row in noted if row is not None]
        self._db.executemany(_ADD_PAGE, map(msgspec.structs.astuple, news))
        self._db.executemany(_PUT_PAGE, map(msgspec.structs.astuple, olds))
        self._db.executemany(_PUT_FACTS, facts)
        self._put_leads([(page.url, visit) for page, visit in changed], {page.url for page in olds})
        self._write_links()
        self._write_bundles()

    def _note(self, page: Page, visit: Visit, digest: int) -> tuple[object, ...] | None:
        """Bring ``page`` and its links up to date; return the row of its facts where they are others than before."""
        doubted = page.last_visited >= 0 and page.outcome not in _READ
        if doubted and self._settles(page, visit):
            self._doubt(page, -1)
        if visit.outcome in _READ:
            facts = self._read(page, visit, digest)
        elif self._settles(page, visit):
            page.outcome, page.failures, page.failing_since = page.read_as or "", 0, None
            page.read_at = visit.at if page.links_digest else page.read_at
            page.reason, page.status, page.elapsed, page.depth = "", visit.status, visit.elapsed, visit.depth
            page.last_visited = visit.at
            return None
        else:
            facts = None
            if page.last_visited >= 0 and not doubted:
                self._doubt(page, 1)
            self._unread(page, visit)
        page.outcome, page.reason, page.status, page.depth = str(visit.outcome), visit.reason, visit.status, visit.depth
        page.last_visited, page.size, page.elapsed = visit.at, visit.size, visit.elapsed
        page.content_type, page.certificate_error = visit.content_type, visit.certificate_error
        return facts

    @staticmethod
    def _settles(page: Page, visit: Visit) -> bool:
        """Return whether a visit says how the links of a page are."""
        unchanged = visit.outcome is Outcome.UNCHANGED and page.read_at is not None and not page.given_up
        return unchanged or visit.outcome in _READ

    def _read(self, page: Page, visit: Visit, digest: int) -> tuple[object, ...] | None:
        """Take in a visit that saw the page's links."""
        internal = sum(link.internal for link in visit.links)
        links_changed = digest != page.links_digest or page.read_at is None
        if links_changed:
            if not self._revise(page, visit):
                digest = 0  # the next visit must compare again
            targets = [] if self._internal_links else [link.target for link in visit.links if link.internal]
            if targets or page.internal_links:
                self._db.execute(_PUT_INTERNAL, (page.id, paths.pack(targets, visit.url) or None))
        if links_changed or visit.content_digest != page.content_digest:
            page.changed_at = visit.at
        page.read_at = visit.at if digest or page.read_at is None else page.read_at
        page.read_as, page.redirect = str(visit.outcome), visit.redirect
        page.content_digest, page.links_digest = visit.content_digest, digest
        page.external_links, page.internal_links = len(visit.links) - internal, internal
        page.failures, page.failing_since, page.given_up = 0, None, 0
        return self._facts(page, visit)

    def _unread(self, page: Page, visit: Visit) -> None:
        """Take in a visit that learned nothing of the links: they stay as they are, unless the page is given up."""
        failures = history.streak(page.outcome, history.Streak(page.failures, page.failing_since), visit)
        page.failures, page.failing_since = failures.visits, failures.since
        if because := history.verdict(failures, visit, self._patience):
            self._end_all(page, visit.at, because)
            page.given_up, page.links_digest = 1, 0  # should the page come back, its links are to be compared

    def _facts(self, page: Page, visit: Visit) -> tuple[object, ...] | None:
        values = list(_told(visit))
        values[10] = "; ".join(visit.robots)
        digest = int.from_bytes(blake2b(_to_bytes(values), digest_size=8).digest(), "big", signed=True)
        if digest == page.facts_digest:
            return None
        page.facts_digest = digest
        self._describe(page, visit.description)
        del values[1]
        return (page.id, *values)
