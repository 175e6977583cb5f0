"""The first links to a large domain in an order: found by going through pages in that order until there are enough.

A page is visited no earlier than its links were seen, so going by visits meets links in the order "seen"; domains and pages by
their ranks give the order "rank". Where few pages have a link that is wanted, reading all links is quicker: then this is not
begun, or given up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any

import msgspec
from msgspec import field

from linkindex.answers.rows import Backlink
from linkindex.store.mongo import large, ordering
from linkindex.store.mongo.asking import Question, parts
from linkindex.store.mongo.ranks import Ranks
from linkindex.store.mongo.records import PageRecord, PairRecord, fields
from linkindex.store.mongo.schema import PAGES, PAIRS
from linkindex.store.mongo.selecting import Found, Selected
from linkindex.store.selection import Order, Selection

_SURE = 3  # times as many pages may be looked at as would do if links were spread evenly
_TOGETHER = 200  # pages whose links are asked for in one go
_TIES = 100  # domains of one rank to go through together
_EVER = 1 << 62  # later than all times

_VISITED = fields(PageRecord, "last_visited")
_NAME = fields(PageRecord, "domain")
_OF_DOMAIN = fields(PairRecord, "source_domain", "links", "follow")


class _Visited(msgspec.Struct):
    """A page, whatever stands where its last visit should: it has links, and counts as one that was gone through."""

    id: bytes = field(name="_id")
    last_visited: Any = field(name="lv", default=None)


def _is_time(value: object) -> bool:
    """Return whether a value is a number of ms, which the driver reads as its own kind of int (``Int64``)."""
    return isinstance(value, int) and not isinstance(value, bool)


def can_walk(selection: Selection, order: Order) -> bool:
    """Return whether the links of a selection can be met in an order of pages."""
    return order != "new" and selection.state == "live" and selection.as_of is None and not selection.internal


class Walk:
    """The links to ``domain``, which is large, that stand behind ``after``: at least the first ``limit`` of them."""

    def __init__(
        self, question: Question, selection: Selection, domain: str, ranks: Ranks, after: Backlink | None, limit: int
    ) -> None:
        self._question, self._selection, self._domain, self._ranks = question, selection, domain, ranks
        self._after, self._limit = after, limit
        self._most = 0  # pages to go through

    def found(self, order: Order) -> list[Found] | None:
        """Return them, None where too many pages would have to be looked at. All of them are the target's own."""
        number = {"$group": {"_id": None, "n": {"$sum": "$n"}}}
        counted = self._question.aggregate(PAIRS, {"$match": large.of_domain(self._domain)}, number)
        self._most = int(next(counted, {"n": 0})["n"] / large.A_PAGE)
        if not self._is_worth_it():
            return None
        return self._by_rank() if order == "rank" and self._ranks.known else self._by_visit()

    def _is_worth_it(self) -> bool:
        """Return whether enough links are to be expected on as many pages as may be looked at."""
        links, pages = self._most * large.A_PAGE, self._question.number_of(PAGES)
        return links * self._most > pages * self._limit * _SURE

    # ---- seen

    def _by_visit(self) -> list[Found] | None:
        s, after = self._selection, self._after
        follow = s.follow if s.follow is not None else after is None or after.follow
        selected = self._selected(follow)
        behind = self._behind("seen", lambda _: (0.0, 0.0))
        rows: list[Found] = []
        latest = self._question.find(
            PAGES, {}, _Visited, _VISITED, sort=[("lv", -1)], limit=self._most + 1, batch_size=_TOGETHER
        )
        walked, bound = 0, _EVER
        for pages in parts(latest, _TOGETHER):
            walked += len(pages)
            rows += filter(behind, selected.on_pages([page.id for page in pages]))
            bound = next((page.last_visited for page in reversed(pages) if _is_time(page.last_visited)), bound)
            if sum(one.last_seen > bound for one in rows) >= self._limit:
                return rows
        # Where all followed links are met, and they are too few, the others come next.
        return rows if walked <= self._most and follow is s.follow else None

    # ---- rank

    def _by_rank(self) -> list[Found] | None:
        selected, after = self._selected(self._selection.follow), self._after
        behind = self._behind("rank", self._ranks.of)
        rows: list[Found] = []
        walked = 0
        for rank, domains in self._domains_by_rank():
            if after is not None and rank > (after.domain_rank or 0.0):
                continue
            if len(domains) > _TIES:
                return None
            for pages in self._pages_by_rank(domains, after if after and rank == (after.domain_rank or 0.0) else None):
                walked += len(pages)
                if walked > self._most:
                    return None
                met = [one for one in selected.on_pages(pages) if one.link.source_domain in domains]
                self._ranks.learn(met)
                rows += filter(behind, met)
                if len(rows) >= self._limit:
                    return rows
        return rows

    def _domains_by_rank(self) -> Iterator[tuple[float, list[str]]]:
        """Yield the domains that link, the highest rank first, those of one rank together."""
        follow = self._selection.follow
        pairs = self._question.find(PAIRS, large.of_domain(self._domain), PairRecord, _OF_DOMAIN)
        names = [pair.source_domain for pair in pairs if _has(pair, follow)]
        self._ranks.learn_domains(names)
        ranked = sorted((-(self._ranks.of_domain(name) or 0.0), name) for name in names)
        for rank, of_rank in groupby(ranked, key=lambda one: one[0]):
            yield -rank, [name for _, name in of_rank]

    def _pages_by_rank(self, domains: Sequence[str], after: Backlink | None) -> Iterator[list[bytes]]:
        """Yield the pages of domains, the highest rank first, those of one rank never apart: what has none counts as 0."""
        ranked = sorted(((rank, name) for name, rank in self._ranks.of_pages(domains) if rank > 0), reverse=True)
        together: list[bytes] = []
        for rank, of_rank in groupby(ranked, key=lambda one: one[0]):
            if after is None or rank <= (after.source_rank or 0.0):
                together += (name for _, name in of_rank)
            if len(together) >= _TOGETHER // 2:
                yield together
                together = []
        if together:
            yield together
        known = {name for _, name in ranked}
        others = self._question.find(PAGES, {"d": {"$in": list(domains)}}, PageRecord, _NAME)
        unranked = list(islice((page.id for page in others if page.id not in known), self._most + 1))
        if unranked:
            yield unranked

    # ---- both

    def _selected(self, follow: bool | None) -> Selected:
        selection = msgspec.structs.replace(self._selection, follow=follow, as_found=True)
        return Selected(self._question, selection, whole=True)

    def _behind(self, order: Order, ranks: Callable[[Found], tuple[float, float]]) -> Callable[[Found], bool]:
        if self._after is None:
            return lambda _: True
        key, bound = ordering.key_of(order, ranks), ordering.key_of_row(order, self._after)
        return lambda one: key(one) > bound


def _has(pair: PairRecord, follow: bool | None) -> bool:
    return pair.links > 0 if follow is None else pair.follow > 0 if follow else pair.links > pair.follow
