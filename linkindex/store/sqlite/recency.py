"""Links in the order in which they were seen last, without a look at each of them.

When a page was read stands in its own row, so a link is not touched when it is confirmed. The pages of a domain are in an
index by that time. So the domains that link to a target are walked together, the page that was read last first, until
enough is found.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import islice
from typing import Any

from linkindex.store.sqlite.packing import json_numbers, unpack_bundles
from linkindex.store.sqlite.question import Candidate, Question
from linkindex.store.sqlite.schema import PAGE_TIME, URL_BITS

MOST_PAGES = 20_000
"""That a walk looks at: beyond that, a look at each link costs less."""

FEW_OF_GROUP = 64
"""Links that are as quickly asked when they were seen as the pages of their domain."""

EVER = 1 << 62
"""Later than all times."""

_LARGEST_STEP = 64  # pages of a domain that are fetched at once, after fewer to begin with

# An index over an expression is used for what has no type of its own: +value.
_TIMES = f"""
SELECT value, (SELECT {PAGE_TIME} FROM page WHERE url >> {URL_BITS} = +value AND read_at IS NOT NULL
  AND {PAGE_TIME} <= ?2 ORDER BY {PAGE_TIME} DESC LIMIT 1) FROM json_each(?1)"""  # noqa: S608

_PAGES = f"""
SELECT {PAGE_TIME}, id, o.bundles FROM page CROSS JOIN outgoing o ON o.page = id
WHERE url >> {URL_BITS} = ?1 AND read_at IS NOT NULL AND {PAGE_TIME} <= ?2 AND ({PAGE_TIME} < ?2 OR id < ?3)
ORDER BY {PAGE_TIME} DESC, id DESC LIMIT ?4"""  # noqa: S608

_CUT = f"""
SELECT value, page.id, o.bundles FROM json_each(?1) CROSS JOIN page ON url >> {URL_BITS} = +value
CROSS JOIN outgoing o ON o.page = page.id WHERE changed_at > read_at AND read_at <= ?2 AND changed_at > ?2"""  # noqa: S608

_Page = tuple[int, int, bytes]  # time, number, its bundles


Rows = Callable[[str, Any], Iterator[Any]]
"""What runs a query."""

_LAST = """
SELECT max(max(p.read_at, p.first_visited + v.since)) FROM link v CROSS JOIN page p ON p.id = v.page
WHERE v.to_domain = ? AND v.from_domain = ? AND v.number = ?"""


def times_of_domains(rows: Rows, domains: Sequence[int], before: int = EVER) -> dict[int, int]:
    """Return when the pages of domains were read last (ms), by domain."""
    found = rows(_TIMES, (json_numbers(domains), before))
    return {domain: time for domain, time in found if time is not None}


def pages_by_time(rows: Rows, domain: int, before: int = EVER) -> Iterator[_Page]:
    """Yield the pages of a domain, those that were read last first."""
    at, page, step = before, EVER, 2
    while found := list(rows(_PAGES, (domain, at, page, step))):
        yield from found
        if len(found) < step:
            return
        (at, page, _), step = found[-1], min(2 * step, _LARGEST_STEP)


def versions_of(domain: int, page: int, packed: bytes, targets: Container[int]) -> Iterator[Candidate]:
    """Yield the versions of links, live or not, from a page of a domain to domains."""
    numbers = unpack_bundles(packed) if packed else []
    for at in range(0, len(numbers), 2):
        if numbers[at] in targets:
            yield numbers[at], domain, numbers[at + 1], page, at // 2


def last_of_bundle(rows: Rows, bundle: tuple[int, int, int], links: int) -> int:
    """Return when one of a bundle's ``links`` was seen last (ms)."""
    best = 0
    if links > FEW_OF_GROUP:
        for time, page, packed in islice(pages_by_time(rows, bundle[1]), links):
            if time <= best:
                return best
            if any(version[:3] == bundle for version in versions_of(bundle[1], page, packed, (bundle[0],))):
                best = max(best, next(rows(f"{_LAST} AND v.page = ?", (*bundle, page)))[0] or 0)
    return next(rows(_LAST, bundle))[0] or 0


class Walk:
    """The links of pages to a target's domains, those first that were read last."""

    def __init__(self, rows: Rows, question: Question, before: int = EVER) -> None:
        """``before`` (ms) leaves out pages all of whose links were seen later."""
        coverage, domains = question.coverage, question.domains
        if domains is None:
            linking = question.ask_bundles("b.from_domain") + " GROUP BY b.from_domain"
            domains = [domain for (domain,) in rows(linking, question.named)]
        self._rows = rows
        self._before = before
        self._targets = {*coverage.domains, *(url >> URL_BITS for url in coverage.urls)}
        self._heap = [(-time, domain) for domain, time in times_of_domains(rows, domains, before).items()]
        heapify(self._heap)
        self._begun: dict[int, tuple[_Page, Iterator[_Page]]] = {}  # by domain: its next page, and those behind it
        self.pages = 0  # looked at
        self._first: list[Candidate] = []
        if before < EVER:  # what a page that was cut did not show again was seen last before its time
            cut = rows(_CUT, (json_numbers(domains), before))
            self._first = [
                version for at, page, packed in cut for version in versions_of(at, page, packed, self._targets)
            ]

    @property
    def bound(self) -> int | None:
        """No link that is still to come was seen later than this (ms); None: no more will come."""
        return -self._heap[0][0] if self._heap else None

    def take(self, wanted: int) -> list[Candidate]:
        """Return the next links, about as many as are ``wanted`` unless :data:`MOST_PAGES` have been looked at."""
        taken, self._first = self._first, []
        while self._heap and len(taken) < wanted and self.pages < MOST_PAGES:
            _, domain = heappop(self._heap)
            page, others = self._begun.pop(domain) if domain in self._begun else self._begin(domain)
            self.pages += 1
            taken += versions_of(domain, page[1], page[2], self._targets)
            following = next(others, None)
            if following is not None:
                self._begun[domain] = (following, others)
                heappush(self._heap, (-following[0], domain))
        return taken

    def _begin(self, domain: int) -> tuple[_Page, Iterator[_Page]]:
        others = pages_by_time(self._rows, domain, self._before)
        return next(others, (0, 0, b"")), others
