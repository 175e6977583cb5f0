"""Selected links counted by a property of theirs."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator

import msgspec

from linkindex.store.mongo.links import Links
from linkindex.store.mongo.selecting import Found, Selected
from linkindex.store.selection import By, Group, Profile, Selection

_BY: dict[By, Callable[[Found], str]] = {
    "": lambda _: "",
    "domain": lambda found: found.link.source_domain,
    "anchor": lambda found: found.link.anchor,
    "kind": lambda found: found.link.kind,
    "placement": lambda found: found.link.shown_placement,
}


class _Count(msgspec.Struct, kw_only=True):
    """A group in the making."""

    links: int = 0
    sources: set[bytes]
    domains: set[str]
    targets: set[str]
    follow: int = 0
    ugc: int = 0
    sponsored: int = 0
    doubtful: int = 0
    first_seen: int
    last_seen: int = 0

    def add(self, found: Found) -> None:
        link = found.link
        self.links += 1
        self.sources.add(link.page)
        self.domains.add(link.source_domain)
        self.targets.add(link.target)
        self.follow += link.follow
        self.ugc += "ugc" in link.rel
        self.sponsored += "sponsored" in link.rel
        self.doubtful += found.doubt is not None
        self.first_seen = min(self.first_seen, link.first_seen)
        self.last_seen = max(self.last_seen, found.last_seen)

    def group(self, key: str) -> Group:
        numbers = {name: getattr(self, name) for name in self.__struct_fields__}
        sizes = {name: len(numbers[name]) for name in ("sources", "domains", "targets")}
        return Group(key=key, **numbers | sizes)


class Counting(Links):
    """The part of :class:`linkindex.store.mongo.MongoIndex` that counts links."""

    def count(self, selection: Selection) -> int:
        return sum(1 for _ in self._selected(selection))

    def groups(self, selection: Selection, by: By, limit: int | None = None) -> Iterator[Group]:
        key_of, counts = _BY[by], dict[str, _Count]()
        for found in self._selected(selection):
            _count_of(counts, key_of(found), found).add(found)
        largest = ((-count.links, key) for key, count in counts.items())
        for _, key in sorted(largest) if limit is None else heapq.nsmallest(limit, largest):
            yield counts[key].group(key)

    def profile(self, selection: Selection) -> Profile:
        whole: dict[str, _Count] = {}
        kinds, placements = Counter[str](), Counter[str]()
        for found in self._selected(selection):
            _count_of(whole, "", found).add(found)
            kinds[found.link.kind] += 1
            placements[found.link.shown_placement] += 1
        return Profile(
            whole=whole[""].group("") if whole else None, by_kind=_shares(kinds), by_placement=_shares(placements)
        )

    def _selected(self, selection: Selection) -> Iterator[Found]:
        if selection.as_of is None or selection.state != "lost":
            yield from Selected(self._question(), selection).links()


def _count_of(counts: dict[str, _Count], key: str, found: Found) -> _Count:
    """Return the count of a group, which begins with ``found`` where there was none."""
    count = counts.get(key)
    if count is None:
        count = counts[key] = _Count(sources=set(), domains=set(), targets=set(), first_seen=found.link.first_seen)
    return count


def _shares(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda share: (-share[1], share[0])))
