"""Whether what an index keeps packed can be read: of some pages, drawn by lot, for every store."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from linkindex.store.selection import Check
from linkindex.stored import trips

DRAWN = 1000  # pages: half a second
_NAMED = 3


def packed(pages: Iterable[tuple[str, Callable[[], object]]]) -> Check:
    """Return what becomes of unpacking pages, each given as its URL and what unpacks all that is kept of it."""
    looked, broken = 0, list[str]()
    for url, unpack in pages:
        looked += 1
        if trips(unpack):
            broken.append(url)
    found = f"of {looked:,} pages, drawn by lot, {len(broken):,} hold what cannot be unpacked"
    some = ", ".join(broken[:_NAMED]) + (" and others" if len(broken) > _NAMED else "")
    remedy = f"put a backup in its place, or call linkatlas forget for each of {some}, and visit them again"
    return Check(name="packed", ok=not broken, found=found, remedy=remedy if broken else "")
