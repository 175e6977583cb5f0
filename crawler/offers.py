"""What a node has offered to the frontier, so that a site's navigation is offered once and not with every page. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from crawler.frontier import Entry
from crawler.frontier.order import mark

SLOTS = 1 << 19  # URLs that are remembered at most; 16 bytes each, however long they are
OFTEN = 64  # discoveries that are told together: as many as may change a URL's level

_MASK = SLOTS - 1
# A note is the marks of the domains that link to a URL (crawler.frontier.order), then how often it was discovered since it
# was offered, then its priority.
_MARKS, _ONCE, _OFTEN, _PRIORITY = (1 << 32) - 1, 1 << 32, 0xFF << 32, 40
_NEAREST = -2  # a priority that nothing is below
_FURTHEST = (1 << 24) - 1


class Offers:
    """URLs that the frontier is known to have heard of, each with how near, from whom and how often since.

    A URL is offered again when it is found nearer to a seed, when a domain links to it that did not before, and after
    :data:`OFTEN` more discoveries.

    It is a table without growth: a URL has one place, by its hash, and is forgotten when another comes that has the same; a
    site's navigation, which each page brings back, is then offered once more. URLs are told apart by 64 bits, of a hash
    that is another in each process and that no stranger can aim at: two that are alike in all of them, 1 in 10^19, would
    be one URL here.
    """

    def __init__(self) -> None:
        self._hashes = array("q", bytes(8 * SLOTS))
        self._notes = array("Q", bytes(8 * SLOTS))

    def worth(self, url: str, priority: int, linker: int) -> int:
        """Return how many discoveries this one of ``url`` stands for, 0 when it need not be offered.

        ``linker`` is the :func:`~crawler.frontier.order.mark` of the domain that links to it, 0 for its own.
        """
        found = hash(url)
        at = found & _MASK
        if self._hashes[at] != found:
            return 1
        note = self._notes[at] + _ONCE
        often = (note & _OFTEN) // _ONCE
        if often >= OFTEN or priority - _NEAREST < note >> _PRIORITY or linker & ~note:
            self._notes[at] = note & ~_OFTEN
            return often
        self._notes[at] = note
        return 0

    def heard(self, entries: Iterable[Entry], domain: str) -> None:
        """Hear that the frontier has taken in what a page of ``domain`` led to."""
        hashes, notes, linker = self._hashes, self._notes, mark(domain)
        for entry in entries:
            marks = linker if entry.domain != domain else 0
            # Without what is no part of what `worth` is asked.
            priority = min(entry.priority - entry.late - _NEAREST, _FURTHEST)
            found = hash(entry.url)
            at = found & _MASK
            if hashes[at] == found:
                note = notes[at]
                marks |= note & (_MARKS | _OFTEN)
                priority = min(priority, note >> _PRIORITY)
            else:
                hashes[at] = found
            notes[at] = priority << _PRIORITY | marks
