"""Selected links counted by a property of theirs."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from linkindex.errors import Unavailable
from linkindex.store.mongo import anchors, large
from linkindex.store.mongo.links import Links
from linkindex.store.mongo.records import PairRecord
from linkindex.store.mongo.referring import Referring, by_number, is_plain, large_target
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

    def groups(self, selection: Selection, by: By, limit: int | None = None) -> Iterator[Group]:
        counted = self._counted(selection, by, limit)
        if counted is not None:
            yield from counted
            return
        key_of, counts = _BY[by], dict[str, _Count]()
        for found in self._selected(selection):
            _count_of(counts, key_of(found), found).add(found)
        largest = ((-count.links, key) for key, count in counts.items())
        for _, key in sorted(largest) if limit is None else heapq.nsmallest(limit, largest):
            group = counts[key].group(key)
            yield msgspec.structs.replace(
                group,
                sources=group.sources if by in ("", "domain") else None,
                targets=None if by else group.targets,
            )

    def profile(self, selection: Selection) -> Profile:
        referring = self._referring(selection) if selection.state == "live" else None
        if referring is not None:
            return referring.profile()
        whole: dict[str, _Count] = {}
        kinds, placements = Counter[str](), Counter[str]()
        for found in self._selected(selection):
            _count_of(whole, "", found).add(found)
            kinds[found.link.kind] += 1
            placements[found.link.shown_placement] += 1
        return Profile(
            whole=whole[""].group("") if whole else None, by_kind=by_number(kinds), by_placement=by_number(placements)
        )

    def links_of(self, selection: Selection) -> int:
        if (referring := self._referring(selection)) is not None:
            return referring.number(lost=selection.state == "lost")
        return sum(1 for _ in self._selected(selection))

    def _counted(self, selection: Selection, by: By, limit: int | None) -> list[Group] | None:
        """Return what :meth:`groups` is asked for where it is known without reading all links."""
        if by == "domain" and selection.state == "live" and (referring := self._referring(selection)):
            return referring.domains(limit)
        if by == "anchor" and limit is not None and (referring := self._referring(selection, anchors.knows)):
            return referring.anchors(limit)
        return None

    def _referring(self, selection: Selection, knows: Callable[[Selection], bool] = is_plain) -> Referring | None:
        """Return what ``knows`` of the selected links without reading them, None where they have to be read."""
        if not knows(selection):
            return None
        question = self._question()
        domain = large_target(question, selection)
        return Referring(question, selection, domain, self._first_seen) if domain else None

    def _first_seen(self, pair: PairRecord) -> int:
        """Return when the first of a pair's live links was seen, and note it there."""
        work = partial(large.look_again, self._place, self._strange, pair)
        try:
            return self._transaction(partial(work, note=True))
        except Unavailable:  # who may only read
            return self._transaction(partial(work, note=False))

    def _selected(self, selection: Selection) -> Iterator[Found]:
        return Selected(self._question(), selection).links()


def _count_of(counts: dict[str, _Count], key: str, found: Found) -> _Count:
    """Return the count of a group, which begins with ``found`` where there was none."""
    count = counts.get(key)
    if count is None:
        count = counts[key] = _Count(sources=set(), domains=set(), targets=set(), first_seen=found.link.first_seen)
    return count
