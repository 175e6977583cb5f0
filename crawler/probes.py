"""A node's probes: which hosts are asked for a page that cannot be there (:mod:`crawler.soft404`), and what they answered.

A probe is no visit: it has no lease of its own, is stored nowhere in the index and counts for no budget. It takes the turn of a
page in its host's lane, so the host's gate, delay and robots.txt hold for it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import msgspec

from crawler import soft404
from crawler.frontier import Frontier
from crawler.lanes import Lane
from crawler.remembered import Remembered
from crawler.soft404 import Missing
from linkindex.calls import Calls
from linkindex.model import Outcome, Visit

NAME = "soft_404"  # of the notes in the frontier
SEVERAL = 4  # pages of a host: a probe is at most a fifth of what it is asked for
_MOST = 4 << 20  # bytes of what hosts answered, and of how many pages of theirs were leased


class Probes:
    """``whose`` hosts are probed: those of which "several" pages are visited, "all", "none"."""

    def __init__(self, frontier: Frontier, call: Calls, whose: str) -> None:
        self._frontier = frontier
        self._call = call
        self._least = {"several": SEVERAL, "all": 1}.get(whose, 0)
        self._pages: Remembered[int] = Remembered(_MOST)  # by host: how many of its pages this node has leased
        self._known: Remembered[Missing] = Remembered(_MOST)

    def known(self, host: str) -> Missing | None:
        """Return what a host answers for a page that is not there, None while nobody asked."""
        return self._known.get(host)

    async def brief(self, lanes: Mapping[str, Lane]) -> None:
        """Tell lanes that were just made what they are to ask for first."""
        worth = {host: lane for host, lane in lanes.items() if self._is_worth(lane)}
        unknown = [host for host in worth if host not in self._known]
        if unknown:
            notes = await self._call(self._frontier.notes, NAME, unknown)
            for host in unknown:
                self._remember(host, soft404.unpack(notes.get(host, b"")))
        for host, lane in worth.items():
            if (self.known(host) or Missing()).until <= lane.leases[0].now:
                scheme = lane.leases[0].url.partition(":")[0]
                lane.probe = f"{scheme}://{host}/no-such-page-{secrets.token_hex(6)}"

    def _is_worth(self, lane: Lane) -> bool:
        pages = sum(not (lease.sitemap or soft404.is_home(lease.url)) for lease in lane.leases)
        seen = (self._pages.get(lane.host) or 0) + pages
        self._pages.put(lane.host, seen)
        # Where a page may have killed a node, an answer that nobody leased must not.
        return 0 < self._least <= seen and pages > 0 and not any(lease.crashes for lease in lane.leases)

    def take(self, lane: Lane) -> str:
        """Return what is to be asked for before the lane's next page, "" where that is nothing. Asked for once."""
        url, lane.probe = lane.probe, ""
        lane.probing = bool(url) and lane.rules is not None and lane.rules.allows(url)
        return url if lane.probing else ""

    async def heard(self, host: str, visit: Visit | None, now: int) -> None:
        """Take the answer to a probe, None where there was none, and keep it for all nodes. ``now`` is the frontier's time."""
        missing = Missing(until=now + soft404.SILENT)
        if visit is not None and visit.outcome not in (Outcome.UNREACHABLE, Outcome.BLOCKED):
            missing = soft404.learned(visit, now + soft404.FRESH)
        self._remember(host, missing)
        await self._call(self._frontier.put_notes, NAME, {host: msgspec.msgpack.encode(missing)})

    def _remember(self, host: str, missing: Missing) -> None:
        self._known.put(host, missing, len(missing.redirect) + len(missing.title))
