"""What links from one domain to another amount to: counts that are changed with the links, in one transaction. Pure.

Only what can be added and taken away is counted. When the links of a pair were last seen hangs on their pages, which a visit
confirms without a look at any link; that is asked of the pages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import msgspec
from pymongo import UpdateOne

from linkindex.store.mongo import ids
from linkindex.store.mongo.records import LinkRecord, PairRecord

_NUMBERS = attrgetter("links", "lost", "pages", "follow", "ugc", "sponsored", "doubtful")
_PARTS = attrgetter("kinds", "placements", "alike")

_NOFOLLOW, _UGC, _SPONSORED, _DOUBTFUL = 1, 2, 4, 8
RELS = frozenset(("ugc", "sponsored"))
"""Tokens that links which are alike have or have not."""

_TARGET = 4 * ids.COUNTED_BYTES // 3  # characters
_TEXT = _TARGET + 4 * ids.TEXT_BYTES // 3
TEXT = slice(_TARGET, _TEXT)
"""Where in the name of links that are alike their anchor text's is."""


class Alike(NamedTuple):
    """Links of a pair that have target, anchor text and marks in common. Targets and texts are called as by :mod:`ids`."""

    target: str
    text: str
    marks: int

    @property
    def follow(self) -> bool:
        return not self.marks & _NOFOLLOW

    @property
    def ugc(self) -> bool:
        return bool(self.marks & _UGC)

    @property
    def sponsored(self) -> bool:
        return bool(self.marks & _SPONSORED)

    @property
    def doubtful(self) -> bool:
        return bool(self.marks & _DOUBTFUL)


class Sums(msgspec.Struct):
    """What links of some pages of one domain add to a pair. ``counts`` is by the field's path."""

    counts: Counter[str]
    first_seen: int | None = None  # the earliest of live links


class Change(msgspec.Struct):
    """What is to be done to a pair."""

    counts: Counter[str]
    first_seen: int | None = None  # of live links that are there now
    gone: int | None = None  # of a link that was the first of its page, and is live no more


def sums(links: Iterable[LinkRecord], doubtful: bool, counted: Collection[str]) -> dict[str, Sums]:
    """Return what the links of one page add to each target domain of ``counted``, those inside a domain left out."""
    made: dict[str, Sums] = {}
    for link in links:
        if link.target_domain not in counted or link.internal:
            continue
        of = made.get(link.target_domain)
        if of is None:
            of = made[link.target_domain] = Sums(Counter())
        counts = of.counts
        if link.until is not None:
            counts["lo"] += 1
            continue
        counts["n"] += 1
        counts["p"] = 1
        counts["f"] += link.follow
        counts["ug"] += "ugc" in link.rel
        counts["sp"] += "sponsored" in link.rel
        counts["db"] += doubtful
        counts[f"k.{_named(link.kind)}"] += 1
        counts[f"l.{_named(link.shown_placement)}"] += 1
        counts[f"a.{alike(link, doubtful=doubtful)}"] += 1
        of.first_seen = link.first_seen if of.first_seen is None else min(of.first_seen, link.first_seen)
    return made


class Changes:
    """What a transaction does to pairs, from what each page had and has."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str], Change] = {}

    def page(self, domain: str, before: Mapping[str, Sums], after: Mapping[str, Sums]) -> None:
        """Take in a page of ``domain``: what its links added before, and add now."""
        for target_domain in {**before, **after}:
            change = self._of.setdefault((target_domain, domain), Change(Counter()))
            was, now = before.get(target_domain), after.get(target_domain)
            if was is not None:
                change.counts.subtract(was.counts)
            if now is not None:
                change.counts.update(now.counts)
            first, then = (None if of is None else of.first_seen for of in (now, was))
            change.first_seen = _earlier(change.first_seen, first)
            if then is not None and (first is None or first > then):
                change.gone = _earlier(change.gone, then)

    def updates(self) -> Iterator[UpdateOne]:
        """Yield what makes it so."""
        for (target_domain, domain), change in self._of.items():
            name = ids.of_pair(target_domain, domain)
            numbers = {path: number for path, number in change.counts.items() if number}
            if numbers:
                first = {} if change.first_seen is None else {"$min": {"fs": change.first_seen}}
                made = {"$setOnInsert": {"td": target_domain, "sd": domain}}
                yield UpdateOne({"_id": name}, {"$inc": numbers, **first, **made}, upsert=True)
            if change.gone is not None:
                yield UpdateOne({"_id": name, "fs": {"$gte": change.gone}}, {"$set": {"ol": True}})

    def records(self) -> list[PairRecord]:
        """Return the records of pairs that were not there before."""
        return [msgspec.convert(one, PairRecord) for one in self.documents()]

    def documents(self) -> Iterator[dict[str, Any]]:
        """Yield the documents of pairs that were not there before."""
        for (target_domain, domain), change in self._of.items():
            made: dict[str, Any] = {
                "_id": ids.of_pair(target_domain, domain),
                "td": target_domain,
                "sd": domain,
                **({} if change.first_seen is None else {"fs": change.first_seen}),
            }
            for path, number in change.counts.items():
                if number:
                    field, _, key = path.partition(".")
                    if key:
                        made.setdefault(field, {})[key] = number
                    else:
                        made[field] = number
            yield made


def same(pair: PairRecord, right: PairRecord) -> bool:
    """Return whether a pair counts what it should; one whose first link is gone knows only that none was seen before."""
    first = (
        not right.links or pair.first_seen == right.first_seen or (pair.outlived and pair.first_seen < right.first_seen)
    )
    return first and _plain(pair) == _plain(right)


def shares(counted: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the sums of counts, by name, that pairs hold by field."""
    total = Counter[str]()
    for of_pair in counted:
        for field, number in of_pair.items():
            total[field] += number
    return {unquote(field[1:]): number for field, number in total.items() if number > 0}


def target_of(alike: str) -> str:
    """Return the target of links that are alike."""
    return alike[:_TARGET]


def marks(*, follow: bool | None, rel: Collection[str]) -> frozenset[str]:
    """Return how links that are alike end where they are followed or not (None: either) and have these of :data:`RELS`."""
    wanted = _UGC * ("ugc" in rel) | _SPONSORED * ("sponsored" in rel)
    return frozenset(
        f"{mark:x}" for mark in range(16) if mark & wanted == wanted and follow in (None, not mark & _NOFOLLOW)
    )


def told(alike: str) -> Alike:
    """Return all that they have in common."""
    return Alike(alike[:_TARGET], alike[_TARGET:_TEXT], int(alike[_TEXT:], 16))


def alike(link: LinkRecord, *, doubtful: bool) -> str:
    """Return the name of the links of a pair that are like this one: see :class:`Alike`."""
    marks = _NOFOLLOW * (not link.follow) | _DOUBTFUL * doubtful
    marks |= _UGC * ("ugc" in link.rel) | _SPONSORED * ("sponsored" in link.rel)
    return f"{ids.of_counted(link.target)}{ids.of_text(link.anchor)}{marks:x}"


def _named(name: str) -> str:
    """Return a name as the last part of a path: without dots, and never empty or an operator."""
    return "_" + quote(name, safe="").replace(".", "%2E")


def _plain(pair: PairRecord) -> tuple[object, ...]:
    parts = ({name: number for name, number in of.items() if number} for of in _PARTS(pair))
    return (*_NUMBERS(pair), *parts)


def _earlier(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)
