"""Bundles: the links of one host that look alike. Which number each has, and how many links."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from operator import attrgetter, itemgetter
from typing import NamedTuple

import msgspec

from linkindex.model import Link
from linkindex.store.sqlite.ids import REMEMBERED, URL_MASK, Host, Ids
from linkindex.store.sqlite.packing import json_numbers
from linkindex.store.sqlite.schema import URL_BITS

# A number is 7 bits, 15 or 31: most pairs of domains have few bundles, and short numbers make small rows.
_SHIFTS = (64 - 7, 64 - 15, 64 - 31)

_TAKEN = """
SELECT to_domain, number, host, target, anchor, look FROM json_each(?) wanted CROSS JOIN bundle
ON to_domain = wanted.value >> 32 AND from_domain = ? AND number = wanted.value & 0xFFFFFFFF"""

_LAST = "SELECT coalesce(max(number), 0) FROM bundle WHERE to_domain = ? AND from_domain = ?"

_ADD = """
INSERT INTO bundle (to_domain, from_domain, number, host, target, anchor, look, live, lost, heads, doubtful, first_seen)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

_COUNT = """
UPDATE bundle SET live = live + ?4, lost = lost + ?5, heads = heads + ?6, doubtful = doubtful + ?7,
  first_seen = CASE WHEN live = 0 OR first_seen > ?8 THEN ?8 ELSE first_seen END
WHERE to_domain = ?1 AND from_domain = ?2 AND number = ?3"""

FEW = 1000  # links of a bundle that are looked at to find the one that was seen first, when that has gone

# What went may have been seen first. Of a bundle with many links that is for the questions to find out: a template that is
# taken from a site goes page by page, and would be looked at as often.
_FIRST_SEEN = """
UPDATE bundle SET first_seen = iif(live > ?1, NULL, (
  SELECT min(p.first_visited + coalesce(v.first_seen, v.since)) FROM link v CROSS JOIN page p ON p.id = v.page
  WHERE v.to_domain = bundle.to_domain AND v.from_domain = bundle.from_domain AND v.number = bundle.number))
WHERE to_domain = ?2 AND from_domain = ?3 AND number = ?4 AND (first_seen IS NULL OR first_seen >= ?5)"""

_TOTAL = """
INSERT INTO total (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"""


What = tuple[str, str, str, tuple[str, ...], bool, str]
"""What the links of a bundle have in common, beside their host."""

what_of: Callable[[Link], What] = attrgetter("target", "anchor", "kind", "rel", "follow", "placement")

BundleKey = tuple[int, int, int]
"""A bundle's primary key: the domain that is linked, the one that links, a number."""

Alike = tuple[int, int, int, int]
"""The same in numbers: host, target without its domain, anchor, look."""


class Counts(msgspec.Struct):
    """What is to be added to the counts of a bundle."""

    live: int = 0
    lost: int = 0
    heads: int = 0
    doubtful: int = 0
    first_seen: int | None = None  # of the links that come
    gone: int | None = None  # the least first_seen of those that go


_NOTHING = Counts()
_added = attrgetter("live", "lost", "heads", "doubtful", "first_seen")


class Key(NamedTuple):
    """:data:`BundleKey`, by names."""

    to_domain: int
    from_domain: int
    number: int


class Bundles(Ids):
    """The part of :class:`linkindex.store.sqlite.SqliteIndex` that keeps bundles and their counts."""

    _bundles_of: dict[int, dict[What, tuple[int, int]]]  # by host: to_domain and number
    _bundles_known: int  # in all of them
    _new_bundles: dict[BundleKey, Alike]
    _counted: dict[BundleKey, Counts]
    _comers: list[tuple[int, list[BundleKey]]]  # what was counted by _come and _heads and is not in _counted yet
    _leading: list[BundleKey]
    _totals: dict[str, int]

    def _forget_ids(self) -> None:
        super()._forget_ids()
        self._bundles_of, self._bundles_known = {}, 0
        self._new_bundles, self._counted, self._totals = {}, {}, {}
        self._comers, self._leading = [], []

    def _make_room(self) -> None:
        super()._make_room()
        if self._bundles_known > REMEMBERED:
            self._bundles_of, self._bundles_known = {}, 0

    def _number_bundles(self, wanted: Mapping[Host, Sequence[Link]]) -> None:
        """Make sure that the bundles of links have numbers, by their pages' host; they are in ``_bundles_of`` then."""
        new: dict[Host, dict[What, Link]] = {}
        for host, links in wanted.items():
            known = self._bundles_of.setdefault(host.id, {})
            unknown = {what: link for what, link in zip(map(what_of, links), links, strict=True) if what not in known}
            if unknown:
                new[host] = unknown
        urls = self._url_ids
        unnumbered = (link for links in new.values() for link in links.values() if link.target not in urls)
        self._number_urls({link.target: (link.target_host, link.target_domain) for link in unnumbered})
        self._number_anchors({link.anchor for links in new.values() for link in links.values()})
        for host, unknown in new.items():
            self._choose(host, unknown)
            self._bundles_known += len(unknown)

    def _choose(self, host: Host, links: Mapping[What, Link]) -> None:
        """Give the bundles of a host's links their numbers: those that they have, or those that are free."""
        urls, anchors, looks, ours = self._url_ids, self._anchor_ids, self._look_ids, host.id
        wanted: list[tuple[What, int, Alike, int]] = []
        for what, link in links.items():
            url = urls[what[0]]
            alike = (ours, url & URL_MASK, anchors[what[1]], looks.get(what[2:]) or self._look_id(link))
            wanted.append((what, url >> URL_BITS, alike, _mix(alike)))
        known = self._bundles_of[host.id]
        for shift in _SHIFTS:
            asked = json_numbers([to << 32 | mixed >> shift for _, to, _, mixed in wanted])
            stored = {row[:2]: row[2:] for row in self._db.execute(_TAKEN, (asked, host.domain))}
            others = []
            for one in wanted:
                what, to, alike, mixed = one
                number = mixed >> shift
                taken = stored.get((to, number)) or self._new_bundles.setdefault((to, host.domain, number), alike)
                if taken == alike:
                    known[what] = (to, number)
                else:
                    others.append(one)
            wanted = others
            if not wanted:
                return
        for what, to, alike, _ in wanted:
            known[what] = (to, self._number_beyond(to, host.domain, alike))

    def _number_beyond(self, to: int, from_domain: int, alike: Alike) -> int:
        """Return a number for a bundle whose hash is taken at every width.

        A second bundle of the same may come of it, which only costs its bytes.
        """
        number = int(self._db.execute(_LAST, (to, from_domain)).fetchone()[0]) + 1
        while (to, from_domain, number) in self._new_bundles:
            number += 1
        self._new_bundles[to, from_domain, number] = alike
        return number

    def _counts(self, key: BundleKey) -> Counts:
        """Return what is to be added to a bundle's counts, to be changed."""
        counts = self._counted.get(key)
        if counts is None:
            counts = self._counted[key] = Counts()
        return counts

    def _come(self, keys: list[BundleKey], first_seen: int) -> None:
        """Count links of a page that are live from now on and were all seen first at a time (ms)."""
        self._comers.append((first_seen, keys))

    def _goes(self, key: BundleKey, first_seen: int, *, lost: bool, doubtful: bool) -> None:
        """Count a link that is live no more."""
        counts = self._counts(key)
        counts.live -= 1
        counts.lost += lost
        counts.doubtful -= doubtful
        if counts.gone is None or first_seen < counts.gone:
            counts.gone = first_seen

    def _heads(self, before: Iterable[BundleKey], after: Iterable[BundleKey]) -> None:
        """Count which links of a page are its first to a domain; both are the bundles of its live links, the last first."""
        old = {key[0]: key for key in before}
        new = {key[0]: key for key in after}
        for key in old.values():
            if new.get(key[0]) != key:
                self._counts(key).heads -= 1
        self._leading += [key for key in new.values() if old.get(key[0]) != key] if old else new.values()

    def _total(self, name: str, count: int) -> None:
        self._totals[name] = self._totals.get(name, 0) + count

    def _write_bundles(self) -> None:
        """Write what was numbered and counted since the last time."""
        self._count_comers()
        counted, new = self._counted, self._new_bundles
        between = [counts for key, counts in counted.items() if key[0] != key[1]]  # domains
        self._total("links", sum([counts.live for counts in between]))
        self._total("lost", sum([counts.lost for counts in between]))
        rows = [(*key, *alike, *_added(counted.pop(key, _NOTHING))) for key, alike in new.items()]
        self._db.executemany(_ADD, sorted(rows))
        self._db.executemany(_COUNT, [(*key, *_added(counts)) for key, counts in counted.items() if counts != _NOTHING])
        gone = [(FEW, *key, counts.gone) for key, counts in counted.items() if counts.gone is not None]
        self._db.executemany(_FIRST_SEEN, gone)
        self._db.executemany(_TOTAL, [total for total in self._totals.items() if total[1]])
        self._new_bundles, self._counted, self._totals = {}, {}, {}

    def _count_comers(self) -> None:
        first: dict[BundleKey, int] = {}
        for at, keys in sorted(self._comers, key=itemgetter(0), reverse=True):
            first.update(dict.fromkeys(keys, at))
        heads = Counter(self._leading)
        counted = self._counted
        for key, live in Counter(chain.from_iterable(keys for _, keys in self._comers)).items():
            counts = counted.get(key)
            if counts is None:
                counted[key] = Counts(live, 0, heads.pop(key, 0), 0, first[key])
            else:
                counts.live += live
                counts.heads += heads.pop(key, 0)
                counts.first_seen = first[key]
        for key, number in heads.items():
            self._counts(key).heads += number
        self._comers, self._leading = [], []


def _mix(alike: Alike) -> int:
    """Return 64 bits that stand for what is alike: multiply and shift, by odd numbers without meaning."""
    host, target, anchor, look = alike
    mixed = (
        host * 0x9E3779B97F4A7C15
        ^ target * 0xC2B2AE3D27D4EB4F
        ^ anchor * 0x165667B19E3779F9
        ^ look * 0x27D4EB2F165667C5
    )
    mixed &= 0xFFFFFFFFFFFFFFFF
    return (mixed ^ mixed >> 29) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
