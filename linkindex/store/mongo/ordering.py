"""In which order links come, which of them one row stands for, and where a question goes on. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec

from linkindex import urls
from linkindex.answers.rows import Backlink
from linkindex.store.mongo.selecting import Found
from linkindex.store.selection import Order, Per

Key = tuple[Any, ...]
_BY_KEY = attrgetter("key")


class Chosen(msgspec.Struct, gc=False):
    """A row to be: the first link of those that it stands for."""

    key: Key
    found: Found
    links: int = 1
    pages: int = 1


def key_of(order: Order, ranks: Callable[[Found], tuple[float, float]]) -> Callable[[Found], Key]:
    """Return what puts links in ``order``; ``ranks`` gives those of a link's domain and page, 0 where there is none."""

    def key(found: Found) -> Key:
        link = found.link
        tie = (link.source, link.target, link.ordinal)
        if order == "new":
            return (found.lost, -link.first_seen, *tie)
        if order == "rank":
            domain, page = ranks(found)
            return (found.lost, -domain, -page, not link.follow, -found.last_seen, *tie)
        return (found.lost, not link.follow, -found.last_seen, *tie)

    return key


def key_of_row(order: Order, row: Backlink) -> Key:
    """Return the same of a row that was answered."""
    tie = (row.source, row.target, row.ordinal)
    lost = row.lost_at is not None
    if order == "new":
        return (lost, -_ms(row.first_seen), *tie)
    seen = (not row.follow, -_ms(row.last_seen), *tie)
    if order == "rank":
        return (lost, -(row.domain_rank or 0.0), -(row.source_rank or 0.0), *seen)
    return (lost, *seen)


def rows(
    found: Iterable[Found], key: Callable[[Found], Key], per: Per, after: Key | None, limit: int | None
) -> Iterator[Chosen]:
    """Yield the rows of ``found`` in order, those strictly behind ``after``, at most ``limit``."""
    chosen = (Chosen(key(one), one) for one in found) if per == "link" else _grouped(found, key, per)
    behind = (row for row in chosen if after is None or row.key > after)
    yield from sorted(behind, key=_BY_KEY) if limit is None else heapq.nsmallest(limit, behind, key=_BY_KEY)


def _grouped(found: Iterable[Found], key: Callable[[Found], Key], per: Per) -> Iterable[Chosen]:
    group_of = _GROUPS[per]
    groups: dict[Any, Chosen] = {}
    pages: dict[Any, set[bytes]] = {}
    for one in found:
        group, mine = group_of(one), key(one)
        row = groups.get(group)
        if row is None:
            groups[group] = Chosen(mine, one)
            pages[group] = {one.link.page}
            continue
        row.links += 1
        pages[group].add(one.link.page)
        if mine < row.key:
            row.key, row.found = mine, one
    for group, row in groups.items():
        row.pages = len(pages[group])
    return groups.values()


def _similar(found: Found) -> tuple[str, ...]:
    link = found.link
    return urls.host_of(link.source), link.target, link.anchor, link.shown_placement


_GROUPS: dict[Per, Callable[[Found], Any]] = {
    "similar": _similar,
    "page": lambda found: found.link.page,
    "domain": lambda found: found.link.source_domain,
}


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
