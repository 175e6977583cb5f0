"""What is known of the links to a large domain without a look at each: read from pairs, and from few of their pages.

Links to URLs elsewhere that lead to the domain are not in its pairs: they are read, and added.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

import msgspec

from linkindex.store.mongo import covering, large, pairs
from linkindex.store.mongo.anchors import Anchors
from linkindex.store.mongo.asking import Question
from linkindex.store.mongo.recency import Recency
from linkindex.store.mongo.records import LargeRecord, PairRecord, fields
from linkindex.store.mongo.schema import LARGE, PAIRS
from linkindex.store.mongo.selecting import Found, Selected
from linkindex.store.selection import Group, Profile, Selection

_NUMBERS = (
    *("target_domain", "source_domain", "links", "lost", "pages", "follow", "ugc", "sponsored", "doubtful"),
    *("first_seen", "outlived"),
)
_SUMS = fields(PairRecord, *_NUMBERS)
_TEXTS = fields(PairRecord, "source_domain", "links", "pages", "first_seen", "outlived", "alike")
_SHARES = fields(PairRecord, *_NUMBERS, "kinds", "placements", "alike")

FirstSeen = Callable[[PairRecord], int]


def large_target(question: Question, selection: Selection) -> str:
    """Return the domain that a selection is about if it is a large one, else ""."""
    domain = covering.whole_domain(selection.target)
    if not domain:
        return ""
    noted = question.find(LARGE, {"_id": domain, "no": {"$exists": False}}, LargeRecord)
    return domain if next(noted, None) else ""


def is_plain(selection: Selection) -> bool:
    """Return whether a selection speaks of nothing but its target and of live or lost."""
    plain = Selection(target=selection.target, state=selection.state, as_found=selection.as_found)
    return selection == plain and selection.state != "all"


class Referring:
    """The links to ``domain``, which is large. ``first_seen`` gives it of a pair whose first link is not live any more."""

    def __init__(self, question: Question, selection: Selection, domain: str, first_seen: FirstSeen) -> None:
        self._question, self._selection, self._domain, self._first_seen = question, selection, domain, first_seen
        self._live = Selected(question, msgspec.structs.replace(selection, state="live", as_found=True))
        self._leading = Selected(question, selection)
        self._recency = Recency(question, self._live)

    def number(self, *, lost: bool) -> int:
        """Return how many links there are, live or lost."""
        stages = (
            {"$match": large.of_domain(self._domain)},
            {"$group": {"_id": None, "n": {"$sum": "$lo" if lost else "$n"}}},
        )
        found = next(self._question.aggregate(PAIRS, *stages), {"n": 0})
        return int(found["n"]) + len(self._others)

    def profile(self) -> Profile:
        """Return what all live links amount to."""
        live = [pair for pair in self._pairs(_SHARES) if pair.links > 0]
        others, kinds, placements = self._others, Counter[str](), Counter[str]()
        kinds.update(pairs.shares(pair.kinds for pair in live))
        placements.update(pairs.shares(pair.placements for pair in live))
        kinds.update(one.link.kind for one in others)
        placements.update(one.link.shown_placement for one in others)
        whole = self._whole(live) if live or others else None
        return Profile(whole=whole, by_kind=by_number(kinds), by_placement=by_number(placements))

    def domains(self, limit: int | None) -> list[Group]:
        """Return the domains that link, with what their live links amount to; those with the most links first."""
        live = {pair.source_domain: pair for pair in self._pairs(_SUMS) if pair.links > 0}
        others: dict[str, list[Found]] = {}
        for one in self._others:
            others.setdefault(one.link.source_domain, []).append(one)
        links = {name: (live[name].links if name in live else 0) + len(others.get(name, ())) for name in live | others}
        largest = ((-number, name) for name, number in links.items())
        chosen = [name for _, name in (sorted(largest) if limit is None else heapq.nsmallest(limit, largest))]
        shown = [name for name in chosen if name in live]
        last_seen = self._recency.of_each(shown, sum(pair.links for pair in live.values()))
        groups = []
        for name in chosen:
            counted = [live[name]] if name in live else []
            first = min((self._first(pair) for pair in counted), default=None)
            groups.append(self._group(name, counted, others.get(name, ()), None, first, last_seen.get(name, 0)))
        return groups

    def anchors(self, limit: int) -> list[Group] | None:
        """Return the texts of live links, those with the most links first; None where all links have to be read for that."""
        source = self._selection.source
        live = [pair for pair in self._pairs(_TEXTS) if pair.links > 0 and source in ("", pair.source_domain)]
        texts = Anchors(self._question, self._selection, self._domain, self._live, self._others)
        return texts.largest(live, limit)

    # ---- sums

    def _whole(self, live: Sequence[PairRecord]) -> Group:
        targets = {pairs.target_of(alike) for pair in live for alike, number in pair.alike.items() if number > 0}
        first: int | None = None
        for pair in sorted(live, key=lambda pair: pair.first_seen):
            if first is not None and pair.first_seen >= first:
                break
            first = self._first(pair) if first is None else min(first, self._first(pair))
        last_seen = self._recency.of_all([pair.source_domain for pair in live], sum(pair.links for pair in live))
        number = len(targets) + len({one.link.target for one in self._others})
        return self._group("", live, self._others, number, first, last_seen)

    def _group(
        self,
        key: str,
        live: Sequence[PairRecord],
        others: Sequence[Found],
        targets: int | None,
        first_seen: int | None,
        last_seen: int,
    ) -> Group:
        pages = {one.link.page for one in others} - self._pages_that_link_both_ways
        return Group(
            key=key,
            links=sum(pair.links for pair in live) + len(others),
            sources=sum(pair.pages for pair in live) + len(pages),
            domains=len({pair.source_domain for pair in live} | {one.link.source_domain for one in others}),
            targets=targets,
            follow=sum(pair.follow for pair in live) + sum(one.link.follow for one in others),
            ugc=sum(pair.ugc for pair in live) + sum("ugc" in one.link.rel for one in others),
            sponsored=sum(pair.sponsored for pair in live) + sum("sponsored" in one.link.rel for one in others),
            doubtful=sum(pair.doubtful for pair in live) + sum(one.doubt is not None for one in others),
            first_seen=min(
                [one.link.first_seen for one in others] + ([] if first_seen is None else [first_seen]), default=0
            ),
            last_seen=max([last_seen, *(one.last_seen for one in others)]),
        )

    def _first(self, pair: PairRecord) -> int:
        return self._first_seen(pair) if pair.outlived else pair.first_seen

    def _pairs(self, wanted: Mapping[str, int]) -> Iterable[PairRecord]:
        return self._question.find(PAIRS, large.of_domain(self._domain), PairRecord, wanted)

    @cached_property
    def _others(self) -> list[Found]:
        return list(self._leading.leading())

    @cached_property
    def _pages_that_link_both_ways(self) -> set[bytes]:
        pages = {one.link.page for one in self._others}
        return {one.link.page for one in self._recency.on_pages(pages)}


def by_number(counts: Mapping[str, int]) -> dict[str, int]:
    """Return ``counts``, the largest first, of equal ones by name."""
    return dict(sorted(counts.items(), key=lambda share: (-share[1], share[0])))
