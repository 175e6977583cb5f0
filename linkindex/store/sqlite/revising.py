"""What a visit does to the versions of a page's links."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Protocol

import msgspec

from linkindex import history
from linkindex.model import Link, Visit
from linkindex.store.sqlite.bundles import BundleKey, Bundles, Key, what_of
from linkindex.store.sqlite.dictionaries import Dictionaries
from linkindex.store.sqlite.ids import Host
from linkindex.store.sqlite.packing import Around, json_numbers, pack_bundles, unpack_bundles, words_of
from linkindex.store.sqlite.schema import URL_BITS, URL_TEXT

_BUNDLES = "SELECT bundles FROM outgoing WHERE page = ?"
_AROUND = "SELECT words FROM around WHERE page = ?"
_PUT_OUTGOING = """
INSERT INTO outgoing (page, bundles) VALUES (?, ?) ON CONFLICT (page) DO UPDATE SET bundles = excluded.bundles"""
_PUT_AROUND = "INSERT OR REPLACE INTO around (page, words) VALUES (?, ?)"

OF_PAGE = """
FROM json_each(?) slots CROSS JOIN {table} v ON v.to_domain = slots.value >> 32 AND v.from_domain = ?
  AND v.number = slots.value & 0xFFFFFFFF AND v.page = ? AND v.slot = slots.key"""
"""The versions of one page: parameters are its :func:`of_slots`, domain and number. ``table`` is link or past."""

JOINED = f"""
JOIN bundle b ON b.to_domain = v.to_domain AND b.from_domain = v.from_domain AND b.number = v.number
JOIN url t ON t.id = b.to_domain << {URL_BITS} | b.target JOIN host th ON th.id = t.origin >> 1
JOIN look k ON k.id = b.look JOIN anchor a ON a.id = b.anchor"""

_VERSIONS = f"""
SELECT v.to_domain, v.number, v.slot, v.ordinal, v.since, v.first_seen, {URL_TEXT.format("t", "th")}, k.kind, k.rel,
  k.follow, k.placement, a.text {OF_PAGE} {JOINED}"""

_LIVE = f"SELECT v.to_domain, v.number {OF_PAGE.format(table='link')}"

_ADD_LINK = """
INSERT INTO link (to_domain, from_domain, number, page, slot, ordinal, since, first_seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""

_ADD_PAST = """
INSERT INTO past (to_domain, from_domain, number, page, slot, ordinal, since, first_seen, confirmed, until, because, latest)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

_END = "DELETE FROM link WHERE to_domain = ? AND from_domain = ? AND number = ? AND page = ? AND slot = ?"

_NOT_LATEST = """
UPDATE past SET latest = 0 WHERE to_domain = ? AND from_domain = ? AND number = ? AND page = ? AND slot = ?"""


class PageState(Protocol):
    """What is asked of a page here (:class:`linkindex.store.sqlite.writes.Page`)."""

    id: int
    url: int
    first_visited: int
    last_visited: int
    read_at: int | None


class Standing(msgspec.Struct):
    """The latest version of a link, as it is stored."""

    bundle: Key
    slot: int
    target: str
    ordinal: int
    since: int  # ms since page.first_visited, as in the tables
    first_seen: int | None
    link: Link


class Revising(Bundles, Dictionaries):
    """The part of :class:`linkindex.store.sqlite.SqliteIndex` that opens and ends versions of links."""

    _opened: list[
        tuple[int, int, int, int, int, int, int, int | None]
    ]  # rows of link, outgoing and around that are to be written
    _outgoings: list[tuple[int, bytes]]
    _arounds: dict[int, Around]

    def _forget_ids(self) -> None:
        super()._forget_ids()
        self._opened, self._outgoings, self._arounds = [], [], {}

    def _revise(self, page: PageState, visit: Visit) -> bool:
        """Bring the versions up to date; return whether every live one was confirmed or ended."""
        bundles: list[int] = []
        around = Around()
        live: dict[int, Standing] = {}
        lost: dict[history.Key, Standing] = {}
        opened: list[BundleKey] = []
        if page.last_visited >= 0:
            bundles, around = self._bundles_of_page(page), self._around(page)
            live = {one.slot: one for one in self._standing(page, bundles, "link")}
            lost = {(one.target, one.ordinal): one for one in self._standing(page, bundles, "past")}
        versions = [
            history.Version(
                row=one.slot, target=one.target, ordinal=one.ordinal, attributes=history.attributes(one.link)
            )
            for one in live.values()
        ]
        revision = history.revise(versions, lost, self._kept(visit), visit)
        first = {(one.target, one.ordinal): one for one in live.values()} | lost
        for row, because in revision.ended:
            assert isinstance(row, int)
            self._end(page, live[row], visit.at, because, doubtful=False)
        for link in revision.opened:
            if (link.target, link.ordinal) in lost:
                self._is_back(page, lost[link.target, link.ordinal])
        if revision.opened:
            opened = self._open(page, visit, revision, first, bundles, around)
            self._outgoings.append((page.id, pack_bundles(bundles)))
            self._arounds[page.id] = around
        if live or revision.opened:
            ended = {row for row, _ in revision.ended}
            stay = [one.bundle for one in live.values() if one.slot not in ended]
            self._heads((one.bundle for one in reversed(live.values())), reversed(stay + opened))
        return not revision.unseen

    def _kept(self, visit: Visit) -> Sequence[Link]:
        """Return the links that are kept in full."""
        return visit.links if self._internal_links else [link for link in visit.links if not link.internal]

    def _number_links(self, visits: Iterable[Visit]) -> None:
        """Make sure that all that the links of visits are made of has numbers."""
        of_hosts: dict[Host, list[Link]] = {}
        for visit in visits:
            of_hosts.setdefault(self._host_ids[visit.host], []).extend(self._kept(visit))
        self._number_bundles(of_hosts)

    def _write_links(self) -> None:
        """Write the versions that were opened since the last time."""
        self._db.executemany(_ADD_LINK, sorted(self._opened))
        self._db.executemany(_PUT_OUTGOING, self._outgoings)
        self._db.executemany(_PUT_AROUND, [(page, self._pack(around)) for page, around in self._arounds.items()])
        self._opened, self._outgoings, self._arounds = [], [], {}

    def _describe(self, page: PageState, description: str) -> None:
        """Bring the description of a page up to date."""
        around = self._around(page)
        if around.description != description:
            around.description = description
            self._arounds[page.id] = around

    def _around(self, page: PageState) -> Around:
        """Return the words of a page as they are stored, or are to be stored."""
        around = self._arounds.get(page.id)
        if around is None:
            row = self._db.execute(_AROUND, (page.id,)).fetchone() if page.last_visited >= 0 else None
            around = self._unpack(row[0]) if row else Around()
        return around

    def _bundles_of_page(self, page: PageState) -> list[int]:
        row = self._db.execute(_BUNDLES, (page.id,)).fetchone()
        return unpack_bundles(row[0]) if row and row[0] else []

    def _standing(self, page: PageState, bundles: Sequence[int], table: str) -> list[Standing]:
        domain = page.url >> URL_BITS
        query = _VERSIONS.format(table=table) + (" WHERE v.latest" if table == "past" else "")
        return [
            Standing(
                Key(to, domain, number),
                slot,
                target,
                ordinal,
                since,
                first_seen,
                Link(
                    target=target,
                    kind=kind,
                    rel=tuple(rel.split()),
                    follow=bool(follow),
                    placement=place,
                    anchor=anchor,
                ),
            )
            for to, number, slot, ordinal, since, first_seen, target, kind, rel, follow, place, anchor in self._db.execute(
                query, (of_slots(bundles), domain, page.id)
            )
        ]

    def _open(
        self,
        page: PageState,
        visit: Visit,
        revision: history.Revision,
        first: dict[history.Key, Standing],
        bundles: list[int],
        around: Around,
    ) -> list[BundleKey]:
        """Add versions that begin with ``visit``; ``bundles`` and ``around`` grow. Return the bundles of live ones."""
        domain, at, slot = page.url >> URL_BITS, visit.at, len(bundles) // 2
        known = self._bundles_of[self._host_ids[visit.host].id]
        since, number = at - page.first_visited, page.id
        self._total("versions", len(revision.opened))
        of_links = [known[what] for what in map(what_of, revision.opened)]
        rows = [
            (to, domain, bundle, number, place, link.ordinal, since, _first_seen(first, link) if first else None)
            for place, ((to, bundle), link) in enumerate(zip(of_links, revision.opened, strict=True), slot)
        ]
        bundles.extend(chain.from_iterable(of_links))
        around.links.update(enumerate(map(words_of, revision.opened), slot))
        if revision.ended_at_once:
            self._db.executemany(_ADD_PAST, [(*row, at, at, revision.ended_at_once, 1) for row in rows])
            for row in rows:
                self._counts(row[:3]).lost += 1
            rows = []
        self._opened += rows
        opened = [row[:3] for row in rows]
        if first:
            for key, row in zip(opened, rows, strict=True):
                self._come([key], page.first_visited + (row[6] if row[7] is None else row[7]))
        else:
            self._come(opened, at)
        return opened

    def _end(self, page: PageState, one: Standing, at: int, because: str, *, doubtful: bool) -> None:
        """End a live version; ``doubtful`` says whether it is counted so."""
        key = (*one.bundle, page.id, one.slot)
        confirmed = max(page.read_at or 0, page.first_visited + one.since)
        latest = because != "changed"
        self._db.execute(_END, key)
        self._db.execute(_ADD_PAST, (*key, one.ordinal, one.since, one.first_seen, confirmed, at, because, latest))
        first_seen = page.first_visited + (one.since if one.first_seen is None else one.first_seen)
        self._goes(one.bundle, first_seen, lost=latest, doubtful=doubtful)

    def _end_all(self, page: PageState, at: int, because: str) -> None:
        """End every live version of a page that is in doubt."""
        live = self._standing(page, self._bundles_of_page(page), "link")
        for one in live:
            self._end(page, one, at, because, doubtful=True)
        self._heads((one.bundle for one in reversed(live)), ())

    def _doubt(self, page: PageState, doubtful: int) -> None:
        """Count the live links of a page as doubtful (1), or as such no more (-1)."""
        domain = page.url >> URL_BITS
        slots = of_slots(self._bundles_of_page(page))
        for to, number in self._db.execute(_LIVE, (slots, domain, page.id)):
            self._counts((to, domain, number)).doubtful += doubtful

    def _is_back(self, page: PageState, one: Standing) -> None:
        self._db.execute(_NOT_LATEST, (*one.bundle, page.id, one.slot))
        self._counts(one.bundle).lost -= 1


def _first_seen(first: dict[history.Key, Standing], link: Link) -> int | None:
    """Return when a link was seen first, None where that is now."""
    before = first.get((link.target, link.ordinal))
    if before is None:
        return None
    return before.since if before.first_seen is None else before.first_seen


def of_slots(bundles: Sequence[int]) -> str:
    """Return the bundles of a page's versions as :data:`OF_PAGE` takes them."""
    return json_numbers([to << 32 | number for to, number in zip(bundles[::2], bundles[1::2], strict=True)])
