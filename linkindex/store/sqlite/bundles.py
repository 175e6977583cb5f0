"""Bundles: the links of one host that look alike. Which number each has, and how many links."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from linkindex.store.sqlite.ids import Ids
from linkindex.store.sqlite.packing import json_numbers

_WIDTHS = (7, 15, 31)  # bits of a number: most pairs of domains have few bundles, and short numbers are small rows

_TAKEN = """
SELECT to_domain, number, host, target, anchor, look FROM json_each(?) wanted CROSS JOIN bundle
ON to_domain = wanted.value >> 32 AND from_domain = ? AND number = wanted.value & 0xFFFFFFFF"""

_ADD = """
INSERT INTO bundle (to_domain, from_domain, number, host, target, anchor, look, live, lost)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""

_COUNT = """
UPDATE bundle SET live = live + ?, lost = lost + ? WHERE to_domain = ? AND from_domain = ? AND number = ?"""

_TOTAL = """
INSERT INTO total (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"""


class Alike(NamedTuple):
    """What the links of a bundle have in common; with the two domains, its name."""

    host: int
    target: int  # without its domain
    anchor: int
    look: int


class Key(NamedTuple):
    """A bundle's primary key."""

    to_domain: int
    from_domain: int
    number: int


class Bundles(Ids):
    """The part of :class:`linkindex.store.sqlite.SqliteIndex` that keeps bundles and their counts."""

    _new_bundles: dict[Key, Alike]
    _counted: dict[Key, list[int]]  # what is to be added to live and lost
    _totals: dict[str, int]

    def _forget_ids(self) -> None:
        super()._forget_ids()
        self._new_bundles, self._counted, self._totals = {}, {}, {}

    def _number_bundles(self, from_domain: int, wanted: Iterable[tuple[int, Alike]]) -> None:
        """Make sure that bundles (to_domain and what is alike) have numbers, which are in ``_bundle_ids`` then."""
        known = self._bundle_ids
        new = {(to, from_domain, *alike): alike for to, alike in wanted if (to, from_domain, *alike) not in known}
        if not new:
            return
        tried = {name: [_mix(alike) >> (64 - width) for width in _WIDTHS] for name, alike in new.items()}
        asked = [name[0] << 32 | number for name, numbers in tried.items() for number in numbers]
        stored = {(row[0], row[1]): row[2:] for row in self._db.execute(_TAKEN, (json_numbers(asked), from_domain))}
        for name, alike in new.items():
            known[name] = self._choose(name[0], from_domain, alike, tried[name], stored)

    def _choose(
        self,
        to: int,
        from_domain: int,
        alike: Alike,
        numbers: Sequence[int],
        stored: dict[tuple[int, int], tuple[int, ...]],
    ) -> int:
        free = None
        for number in numbers:
            key = Key(to, from_domain, number)
            taken = stored.get((to, number)) or self._new_bundles.get(key)
            if taken == alike:
                return number
            if taken is None and free is None:
                free = number
        if free is None:  # a second bundle of the same may come of it, which only costs its bytes
            free = self._db.execute(
                "SELECT max(number) + 1 FROM bundle WHERE to_domain = ? AND from_domain = ?", (to, from_domain)
            ).fetchone()[0]
            while Key(to, from_domain, free) in self._new_bundles:
                free += 1
        self._new_bundles[Key(to, from_domain, free)] = alike
        return free

    def _count(self, key: Key, live: int, lost: int) -> None:
        counted = self._counted.get(key)
        if counted is None:
            self._counted[key] = [live, lost]
        else:
            counted[0] += live
            counted[1] += lost

    def _total(self, name: str, count: int) -> None:
        self._totals[name] = self._totals.get(name, 0) + count

    def _write_bundles(self) -> None:
        """Write what was numbered and counted since the last time."""
        for name, at in (("links", 0), ("lost", 1)):
            self._total(name, sum(counts[at] for key, counts in self._counted.items() if key[0] != key[1]))
        new = self._new_bundles
        added = [(*key, *alike, *self._counted.pop(key, (0, 0))) for key, alike in new.items()]
        self._db.executemany(_ADD, sorted(added))
        counted = [(*counts, *key) for key, counts in self._counted.items() if counts != [0, 0]]
        self._db.executemany(_COUNT, counted)
        self._db.executemany(_TOTAL, [total for total in self._totals.items() if total[1]])
        self._new_bundles, self._counted, self._totals = {}, {}, {}


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
