"""Which URL goes first. Pure; the Redis backend computes the same in Lua.

A URL has a *level*: its entry's priority, less what others think of it. Of two URLs the one with the smaller
``level * LEVEL_MS + found_at`` goes first, so what waits grows older and in the end goes before newer URLs of better levels
(ageing without anything that moves). Of one host and level, first found goes first.
"""

from __future__ import annotations

from math import log, log2
from zlib import crc32

LEVEL_MS = 6 * 3600 * 1000  # ms of waiting that count as much as one level; a link further from a seed is two
DOMAINS_LEVELS = 4  # at most, for the domains that link to it
AGAIN_LEVELS = 1  # at most, for being discovered again and again
_BITS = 32


def level(priority: int, domains: int, again: int) -> int:
    """Return the level of a URL to which ``domains`` link, and that was discovered ``again`` times after the first."""
    return priority - min(DOMAINS_LEVELS, int(log2(1 + domains) / 2)) - min(AGAIN_LEVELS, int(log2(1 + again) / 6))


def score(level: int, found_at: int) -> int:
    """Return what orders URLs, the smallest first; ``found_at`` is ms since 1970."""
    return level * LEVEL_MS + found_at


def mark(domain: str) -> int:
    """Return the mark that a linking domain leaves: one bit of 32. Marks are gathered by ``|``."""
    return 1 << (crc32(domain.encode()) % _BITS)


def distinct(marks: int) -> int:
    """Return about how many domains left these marks: linear counting (Whang et al., 1990, ACM TODS 15 (2)); at most 128."""
    return _DISTINCT[marks.bit_count()]


_DISTINCT = (*(round(-_BITS * log((_BITS - ones) / _BITS)) for ones in range(_BITS)), 128)
