"""Links in the order in which they were seen last, without a look at each of them.

When a page was read stands in its own row, so a link is not touched when it is confirmed. The pages of a domain are in an
index by that time. So the domains that link to a target are walked together, the page that was read last first, until
enough is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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

# An index over an expression is used for what has no type of its own: +d.
# What was seen last before a time may be on a page with a later one, where that was cut: it is on none that was read later.
_DOMAINS = f"""
SELECT d, (SELECT {PAGE_TIME} FROM page WHERE url >> {URL_BITS} = +d AND read_at IS NOT NULL AND read_at <= :before
  ORDER BY {PAGE_TIME} DESC LIMIT 1) FROM ({{domains}})"""  # noqa: S608

_PAGES = f"""
SELECT {PAGE_TIME}, id, o.bundles FROM page CROSS JOIN outgoing o ON o.page = id
WHERE url >> {URL_BITS} = ?1 AND read_at IS NOT NULL AND {PAGE_TIME} <= ?2 AND ({PAGE_TIME} < ?2 OR id < ?3)
  AND read_at <= ?4
ORDER BY {PAGE_TIME} DESC, id DESC LIMIT ?5"""  # noqa: S608

_Page = tuple[int, int, bytes]  # time, number, its bundles


Rows = Callable[[str, Any], Iterator[Any]]
"""What runs a query."""

_LAST = """
SELECT max(max(p.read_at, p.first_visited + v.since)) FROM link v CROSS JOIN page p ON p.id = v.page
WHERE v.to_domain = ? AND v.from_domain = ? AND v.number = ?"""


def times_of_domains(rows: Rows, domains: str, named: dict[str, Any], before: int = EVER) -> dict[int, int]:
    """Return when the pages of domains were read last (ms), by domain; ``domains`` selects them, as d."""
    found = rows(_DOMAINS.format(domains=domains), named | {"before": before})
    return {domain: time for domain, time in found if time is not None}


def listed(domains: Sequence[int]) -> tuple[str, dict[str, Any]]:
    """Return domains as :func:`times_of_domains` takes them."""
    return "SELECT value AS d FROM json_each(:of)", {"of": json_numbers(domains)}


def pages_by_time(rows: Rows, domain: int, before: int = EVER) -> Iterator[_Page]:
    """Yield the pages of a domain, those that were read last first."""
    at, page, step = EVER, EVER, 2
    while found := list(rows(_PAGES, (domain, at, page, before, step))):
        yield from found
        if len(found) < step:
            return
        (at, page, _), step = found[-1], min(2 * step, _LARGEST_STEP)


def last_of_bundle(rows: Rows, bundle: tuple[int, int, int], links: int) -> int:
    """Return when one of a bundle's ``links`` was seen last (ms)."""
    best = 0
    if links > FEW_OF_GROUP:
        for time, page, packed in islice(pages_by_time(rows, bundle[1]), links):
            if time <= best:
                return best
            numbers = unpack_bundles(packed) if packed else []
            if any(numbers[at] == bundle[0] and numbers[at + 1] == bundle[2] for at in range(0, len(numbers), 2)):
                best = max(best, next(rows(f"{_LAST} AND v.page = ?", (*bundle, page)))[0] or 0)
    return next(rows(_LAST, bundle))[0] or 0


class Walk:
    """The links of pages to a target's domains, those first that were read last."""

    def __init__(self, rows: Rows, question: Question, before: int = EVER) -> None:
        """``before`` (ms) leaves out pages that were read later."""
        coverage = question.coverage
        self._rows = rows
        self._before = before
        self._targets = {*coverage.domains, *(url >> URL_BITS for url in coverage.urls)}
        if question.domains is None:
            domains = question.ask_bundles("b.from_domain AS d") + " GROUP BY b.from_domain"
            times = times_of_domains(rows, domains, question.named, before)
        else:
            times = times_of_domains(rows, *listed(question.domains), before)
        self._heap = [(-time, domain) for domain, time in times.items()]
        heapify(self._heap)
        self._begun: dict[int, tuple[_Page, Iterator[_Page]]] = {}  # by domain: its next page, and those behind it
        self.pages = 0  # looked at

    @property
    def bound(self) -> int | None:
        """No link that is still to come was seen later than this (ms); None: no more will come."""
        return -self._heap[0][0] if self._heap else None

    def take(self, wanted: int) -> list[Candidate]:
        """Return the next links, about as many as are ``wanted`` unless :data:`MOST_PAGES` have been looked at."""
        taken: list[Candidate] = []
        while self._heap and len(taken) < wanted and self.pages < MOST_PAGES:
            _, domain = heappop(self._heap)
            page, others = self._begun.pop(domain) if domain in self._begun else self._begin(domain)
            self.pages += 1
            numbers = unpack_bundles(page[2]) if page[2] else []
            taken += (
                (numbers[at], domain, numbers[at + 1], page[1], at // 2)
                for at in range(0, len(numbers), 2)
                if numbers[at] in self._targets
            )
            following = next(others, None)
            if following is not None:
                self._begun[domain] = (following, others)
                heappush(self._heap, (-following[0], domain))
        return taken

    def _begin(self, domain: int) -> tuple[_Page, Iterator[_Page]]:
        others = pages_by_time(self._rows, domain, self._before)
        return next(others, (0, 0, b"")), others
