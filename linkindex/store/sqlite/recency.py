"""Links in the order in which they were seen last, without a look at each of them.

When a page was read stands in its own row, so a link is not touched when it is confirmed. The pages of a domain are in an
index by that time. So the domains that link to a target are walked together, the page that was read last first, until
enough is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from typing import Any

from linkindex.store.sqlite.packing import unpack_bundles
from linkindex.store.sqlite.schema import PAGE_TIME, URL_BITS
from linkindex.store.sqlite.selecting import Candidate, Question

MOST_PAGES = 20_000
"""That a walk looks at: beyond that, a look at each link costs less."""

_LARGEST_STEP = 64  # pages of a domain that are fetched at once, after fewer to begin with

_DOMAINS = f"""
SELECT d, (SELECT {PAGE_TIME} FROM page WHERE url >> {URL_BITS} = d AND read_at IS NOT NULL AND {PAGE_TIME} <= :before
  ORDER BY {PAGE_TIME} DESC LIMIT 1) AS time FROM ({{domains}}) WHERE time IS NOT NULL"""  # noqa: S608

_PAGES = f"""
SELECT {PAGE_TIME}, id, o.bundles FROM page CROSS JOIN outgoing o ON o.page = id
WHERE url >> {URL_BITS} = ? AND read_at IS NOT NULL AND ({PAGE_TIME}, id) < (?, ?)
ORDER BY {PAGE_TIME} DESC, id DESC LIMIT ?"""  # noqa: S608

_EVER = 1 << 62
_Page = tuple[int, int, bytes]  # time, number, its bundles


class Walk:
    """The links of pages to a target's domains, those first that were read last."""

    def __init__(self, rows: Callable[[str, Any], Iterator[Any]], question: Question, before: int = _EVER) -> None:
        """``rows`` runs a query; ``before`` (ms) leaves out pages that were read later."""
        coverage = question.coverage
        self._rows = rows
        self._before = before
        self._targets = {*coverage.domains, *(url >> URL_BITS for url in coverage.urls)}
        domains = question.ask_bundles("b.from_domain AS d") + " GROUP BY b.from_domain"
        found = rows(_DOMAINS.format(domains=domains), question.named | {"before": before})
        self._heap = [(-time, domain) for domain, time in found]
        heapify(self._heap)
        self._begun: dict[int, tuple[_Page, Iterator[_Page]]] = {}  # by domain: its next page, and those behind it
        self.pages = 0  # looked at

    @property
    def bound(self) -> int | None:
        """No link that is still to come was seen later than this (ms); None: no more will come."""
        return -self._heap[0][0] if self._heap else None

    def take(self, wanted: int, most: int = MOST_PAGES) -> list[Candidate]:
        """Return the next links, about as many as are ``wanted`` unless ``most`` pages have been looked at."""
        taken: list[Candidate] = []
        while self._heap and len(taken) < wanted and self.pages < most:
            _, domain = heappop(self._heap)
            page, others = self._begun.pop(domain, None) or self._begin(domain)
            self.pages += 1
            numbers = unpack_bundles(page[2]) if page[2] else []
            for at in range(0, len(numbers), 2):
                if numbers[at] in self._targets:
                    taken.append((numbers[at], domain, numbers[at + 1], page[1], at // 2))
            following = next(others, None)
            if following is not None:
                self._begun[domain] = (following, others)
                heappush(self._heap, (-following[0], domain))
        return taken

    def _begin(self, domain: int) -> tuple[_Page, Iterator[_Page]]:
        others = self._pages(domain)
        return next(others, (0, 0, b"")), others

    def _pages(self, domain: int) -> Iterator[_Page]:
        at, step = (self._before + 1, -1), 2
        while found := list(self._rows(_PAGES, (domain, *at, step))):
            yield from found
            if len(found) < step:
                return
            at, step = found[-1][:2], min(2 * step, _LARGEST_STEP)
