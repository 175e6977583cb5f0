"""What is known of the links to a large domain without a look at each: read from pairs, and from few of their pages.

Links to URLs elsewhere that lead to the domain are not in its pairs: they are read, and added.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from linkindex.store.mongo import covering, large, pairs
from linkindex.store.mongo.asking import Question, parts
from linkindex.store.mongo.records import LargeRecord, PageRecord, PairRecord, fields
from linkindex.store.mongo.schema import LARGE, PAGES, PAIRS
from linkindex.store.mongo.selecting import Found, Selected
from linkindex.store.selection import Group, Profile, Selection

_LOOKS = (1, 8, 64, 512, 0)  # pages of each domain that are looked at for when it was seen last, 0: all
_ALL = 4096  # as many as 0 stands for, when it is weighed
_WIDE = (32, 256, 2048)  # pages of the whole index
_AT_ONCE = 100  # domains
_TOGETHER = 500  # pages whose links are asked for in one go

_NUMBERS = (
    *("target_domain", "source_domain", "links", "lost", "pages", "follow", "ugc", "sponsored", "doubtful"),
    *("first_seen", "outlived"),
)
_SUMS = fields(PairRecord, *_NUMBERS)
_SHARES = fields(PairRecord, *_NUMBERS, "kinds", "placements", "targets")
_VISITED = fields(PageRecord, "last_visited")

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
        self._question, self._domain, self._first_seen = question, domain, first_seen
        self._live = Selected(question, Selection(target=selection.target, as_found=True))
        self._leading = Selected(question, selection)

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
        last_seen = self._last_seen(shown, sum(pair.links for pair in live.values()))
        groups = []
        for name in chosen:
            counted = [live[name]] if name in live else []
            first = min((self._first(pair) for pair in counted), default=None)
            groups.append(self._group(name, counted, others.get(name, ()), None, first, last_seen.get(name, 0)))
        return groups

    # ---- sums

    def _whole(self, live: Sequence[PairRecord]) -> Group:
        targets: set[str] = set()
        for pair in live:
            whole = min(pair.targets.values(), default=0) > 0  # nearly always, and quicker
            targets.update(pair.targets if whole else (name for name, number in pair.targets.items() if number > 0))
        first: int | None = None
        for pair in sorted(live, key=lambda pair: pair.first_seen):
            if first is not None and pair.first_seen >= first:
                break
            first = self._first(pair) if first is None else min(first, self._first(pair))
        number = len(targets) + len({one.link.target for one in self._others})
        return self._group("", live, self._others, number, first, self._last_of_all(live))

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
        return {one.link.page for some in parts(pages, _TOGETHER) for one in self._live.on_pages(some)}

    # ---- when links were seen last: not later than their page was visited

    def _last_of_all(self, live: Sequence[PairRecord]) -> int:
        for most in _WIDE if live else ():
            latest = self._latest(most)
            found = self._best(page.id for page in latest)
            if len(latest) < most or (found and max(found.values()) >= latest[-1].last_visited):
                return max(found.values(), default=0)
        links = sum(pair.links for pair in live)
        return max(self._last_seen([pair.source_domain for pair in live], links).values(), default=0)

    def _last_seen(self, domains: Collection[str], links: int) -> dict[str, int]:
        """Return when each domain's links were seen last: where few of its last pages tell, no more are looked at; where
        too many would have to be, all ``links`` are read."""
        seen: dict[str, int] = {}
        left = list(domains)
        for most in _LOOKS:
            if left and (most or _ALL) * len(left) > links / large.A_PAGE:
                return seen | self._by_domain(self._live.links())
            latest = self._latest_of_each(left, most)
            found = self._best(name for pages in latest.values() for name, _ in pages)
            seen |= {domain: found.get(domain, 0) for domain in left}
            left = [
                domain
                for domain, pages in latest.items()
                if most and len(pages) == most and seen[domain] < pages[-1][1]
            ]
        return seen

    def _latest(self, most: int) -> list[PageRecord]:
        """Return the pages that were visited last."""
        return list(self._question.find(PAGES, {}, PageRecord, _VISITED, sort=[("lv", -1)], limit=most))

    def _latest_of_each(self, domains: Sequence[str], most: int) -> dict[str, list[tuple[bytes, int]]]:
        """Return name and time of the visit of each domain's pages that were visited last, 0: of all its pages."""
        latest: dict[str, list[tuple[bytes, int]]] = {domain: [] for domain in domains}
        for some in parts(domains, _AT_ONCE):
            first, *others = ([{"$match": {"d": domain}}, *_last(most)] for domain in some)
            united = ({"$unionWith": {"coll": PAGES, "pipeline": other}} for other in others)
            for page in self._question.aggregate(PAGES, *first, *united):
                latest[page["d"]].append((page["_id"], page["lv"]))
        return latest

    def _best(self, pages: Iterable[bytes]) -> dict[str, int]:
        """Return when the links on some pages were seen last, by domain."""
        return self._by_domain(one for some in parts(pages, _TOGETHER) for one in self._live.on_pages(some))

    def _by_domain(self, found: Iterable[Found]) -> dict[str, int]:
        best: dict[str, int] = {}
        for one in found:
            domain = one.link.source_domain
            best[domain] = max(best.get(domain, 0), one.last_seen)
        return best


def _last(most: int) -> list[dict[str, Any]]:
    stages: list[dict[str, Any]] = [{"$sort": {"lv": -1}}, {"$limit": most}, {"$project": {"d": 1, "lv": 1}}]
    return stages if most else [stages[0], stages[2]]


def by_number(counts: Mapping[str, int]) -> dict[str, int]:
    """Return ``counts``, the largest first, of equal ones by name."""
    return dict(sorted(counts.items(), key=lambda share: (-share[1], share[0])))
