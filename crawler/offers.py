"""What a node has offered to the frontier, so that a site's navigation is offered once and not with every page. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from crawler.frontier import Entry
from crawler.frontier.order import mark

REMEMBERED = 500_000  # URLs
OFTEN = 64  # discoveries that are told together: as many as may change a URL's level


class Offers:
    """URLs that the frontier is known to have heard of, each with how near, from whom and how often since.

    A URL is offered again when it is found nearer to a seed, when a domain links to it that did not before, and after
    :data:`OFTEN` more discoveries.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, int]] = {}  # URL -> its priority, marks of the domains that link to it
        self._often: dict[str, int] = {}

    def worth(self, url: str, priority: int, linker: int) -> int:
        """Return how many discoveries this one of ``url`` stands for, 0 when it need not be offered.

        ``linker`` is the :func:`~crawler.frontier.order.mark` of the domain that links to it, 0 for its own.
        """
        known = self._known.get(url)
        if known is None:
            return 1
        if priority < known[0] or linker & ~known[1]:
            return 1 + self._often.pop(url, 0)
        often = self._often.get(url, 0) + 1
        if often < OFTEN:
            self._often[url] = often
            return 0
        del self._often[url]
        return often

    def heard(self, entries: Iterable[Entry], domain: str) -> None:
        """Hear that the frontier has taken in what a page of ``domain`` led to."""
        if len(self._known) >= REMEMBERED:
            self._known.clear()
            self._often.clear()
        known, linker = self._known, mark(domain)
        for entry in entries:
            marks = linker if entry.domain != domain else 0
            before = known.get(entry.url)
            priority = entry.priority - entry.late  # which is no part of what :meth:`worth` is asked
            known[entry.url] = (min(priority, before[0]), marks | before[1]) if before else (priority, marks)
