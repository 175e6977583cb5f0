"""When the links to a large domain were seen last, without a look at each: not later than their page was visited, and the
pages of a domain, or of the whole index, are in an index by that time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import field

from linkindex.store.mongo import large
from linkindex.store.mongo.asking import Question, parts
from linkindex.store.mongo.records import PageRecord, fields
from linkindex.store.mongo.schema import PAGES
from linkindex.store.mongo.selecting import Found, Selected

ALL = 0
"""Pages of a domain that are looked at: all."""

_LOOKS = (1, 8, 64, 512, ALL)  # pages of each domain that are looked at
_ALL = 4096  # as many as all stand for, when it is weighed
_WIDE = (32, 256, 2048)  # pages of the whole index
_AT_ONCE = 100  # domains
_TOGETHER = 500  # pages whose links are asked for in one go
_NAMES = 2_000  # domains in one request

_VISITED = fields(PageRecord, "last_visited")
# What is no time would come before all times; and where a page is left out, fewer would look like all.
_TOLD = {"lv": {"$type": ["int", "long"]}}

Visited = list[tuple[bytes, int]]
"""Names of pages, and when they were visited last (ms since 1970), the last first."""


class _Domain(msgspec.Struct):
    """When the page of a domain that was visited last was."""

    name: str = field(name="_id")
    last_visited: int = field(name="lv")


class Recency:
    """The ``live`` links to a large domain, by when they were seen."""

    def __init__(self, question: Question, live: Selected) -> None:
        self._question, self._live = question, live

    def of_all(self, domains: Sequence[str], links: int) -> int:
        """Return when the last of all ``links``, which are on pages of ``domains``, was seen."""
        for most in _WIDE if domains else ():
            latest = self._latest(most)
            found = self._best(page.id for page in latest)
            if found and (len(latest) < most or max(found.values()) >= latest[-1].last_visited):
                return max(found.values())
        return max(self.of_each(domains, links).values(), default=0)

    def of_each(self, domains: Collection[str], links: int) -> dict[str, int]:
        """Return when each domain's links were seen last: where few of its last pages tell, no more are looked at; where
        too many would have to be, all ``links`` are read."""
        seen: dict[str, int] = {}
        left = list(domains)
        for most in _LOOKS:
            if left and (most or _ALL) * len(left) > links / large.A_PAGE:
                return seen | _by_domain(self._live.links())
            latest = self.pages_of_each(left, most)
            found = self._best(name for pages in latest.values() for name, _ in pages)
            seen |= {domain: found.get(domain, 0) for domain in left}
            left = [
                domain
                for domain, pages in latest.items()
                if most and len(pages) == most and seen[domain] < pages[-1][1]
            ]
        if all(seen.values()):
            return seen
        return seen | _by_domain(self._live.links())  # of some, pages are damaged: their links alone tell

    def visits(self, domains: Iterable[str]) -> dict[str, int]:
        """Return when the last visited page of each domain was visited, by domain."""
        last = ({"$sort": {"d": 1, "lv": -1}}, {"$group": {"_id": "$d", "lv": {"$first": "$lv"}}})
        return {
            one.name: one.last_visited
            for some in parts(domains, _NAMES)
            for one in self._question.united(PAGES, [[{"$match": {"d": {"$in": some}}}, *last]], _Domain)
        }

    def pages_of_each(self, domains: Sequence[str], most: int) -> dict[str, Visited]:
        """Return the pages of each domain that were visited last, at most so many."""
        latest: dict[str, Visited] = {domain: [] for domain in domains}
        for some in parts(domains, _AT_ONCE):
            pipelines = [[{"$match": {"d": domain} | _TOLD}, *_last(most)] for domain in some]
            united = self._question.united(PAGES, pipelines, PageRecord)
            for page in united:
                latest[page.domain].append((page.id, page.last_visited))
        return latest

    def on_pages(self, pages: Iterable[bytes]) -> Iterator[Found]:
        """Stream the links on some pages."""
        for some in parts(pages, _TOGETHER):
            yield from self._live.on_pages(some)

    def _latest(self, most: int) -> list[PageRecord]:
        """Return the pages that were visited last."""
        return list(self._question.find(PAGES, _TOLD, PageRecord, _VISITED, sort=[("lv", -1)], limit=most))

    def _best(self, pages: Iterable[bytes]) -> dict[str, int]:
        """Return when the links on some pages were seen last, by domain."""
        return _by_domain(self.on_pages(pages))


def _by_domain(found: Iterable[Found]) -> dict[str, int]:
    best: dict[str, int] = {}
    for one in found:
        domain = one.link.source_domain
        best[domain] = max(best.get(domain, 0), one.last_seen)
    return best


def _last(most: int) -> list[Mapping[str, Any]]:
    stages: list[Mapping[str, Any]] = [{"$sort": {"lv": -1}}, {"$limit": most}, {"$project": {"d": 1, "lv": 1}}]
    return stages if most else [stages[0], stages[2]]
