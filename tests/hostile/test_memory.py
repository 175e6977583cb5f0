"""What a node keeps does not grow with the hosts and pages that it has met: it is meant to run for months.

The node, its frontier and its index are real; the web behind them answers at once and never ends, and every page of it leads
to hosts that nobody has heard of. What is remembered has small bounds here, so that they are reached soon.
"""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Callable
from functools import lru_cache
from itertools import count
from pathlib import Path

import pytest

from crawler import probes, rulebook, trap_notes
from crawler.contract import Settings
from crawler.frontier import Budget, Frontier, Lease, Robots, open_frontier
from crawler.frontier.sqlite import store as sqlite_frontier
from crawler.job import begin, read_job
from crawler.lanes import Lane
from crawler.node import Node
from crawler.remembered import ENTRY, Remembered
from crawler.scope import Scope
from crawler.shapes import shape
from crawler.sources import IndexSources
from crawler.traps import PATTERNS, Traps
from linkindex import history
from linkindex.model import Link, Outcome, Visit
from linkindex.store import LinkIndex, open_index
from linkindex.store.sqlite import bundles, ids
from pipelines.canonicalise import canonicalise

PAGES = 400  # until what has a bound is full, and again to be sure; twice as many more must add nothing
LINKS = 12
KEPT = 24  # bytes that may stay of each host that was met; the least that keeps a name is more than 100
ROBOTS = Robots(verdict="rules", body=b"User-agent: *\n" + b"".join(b"Disallow: /x%d\n" % n for n in range(100)))


FIRST = 1_000_000


def far(number: int) -> str:
    """Return a URL of a host of its own."""
    return f"http://www.h{number}.example/{'path' * 20}/{number}?a{number}=1&b{number}=2"


class Web:
    """An :class:`crawler.contract.Engine` whose hosts answer at once."""

    def __init__(self, index: LinkIndex) -> None:
        self.index = index
        self.node: Node
        self._numbers = count(FIRST)

    def fetch(self, lease: Lease, guessed: bool, clock: int) -> None:
        links = (
            Link(target=far(n), anchor=f"number {n}", kind="text")
            for _, n in zip(range(LINKS), self._numbers, strict=False)
        )
        visit = Visit(url=lease.url, at=lease.now, outcome=Outcome.PAGE, status=200, links=tuple(links))
        self._answer(lease.host, lambda: self._store(canonicalise(visit)))

    def _answer(self, host: str, answer: Callable[[], None]) -> None:
        def answered() -> None:
            self.node.departures.fetch_ended(host)
            answer()

        asyncio.get_running_loop().call_soon(answered)

    def _store(self, visit: Visit) -> None:
        self.index.store([visit])
        self.node.endings.visit_durable(visit, 0.0)

    def fetch_robots(self, lane: Lane) -> None:
        self._answer(lane.host, lambda: self.node.robots_judged(lane, ROBOTS))

    def fetch_probe(self, lane: Lane, url: str, clock: int) -> None:
        missing = Visit(url=url, at=clock, outcome=Outcome.GONE, status=404)
        self._answer(lane.host, lambda: self.node.probed(lane, missing))

    async def address(self, host: str) -> str:
        return ""

    def decided(self, visit: Visit) -> None:
        self._store(visit)

    def begun(self, run: str) -> None: ...

    def finish(self, reason: str) -> None: ...


def sizes_at(pages: list[int], folder: Path) -> list[int]:
    """Return how many bytes Python holds at rest when a node has visited so many pages."""
    where = f"sqlite:///{folder}/f.db"

    async def work(frontier: Frontier, index: LinkIndex) -> list[int]:
        web = Web(index)
        settings = Settings(name="n:1", soft_404="all", sitemaps="none", ttl=3.0, stay=True)
        web.node = node = Node(
            frontier, read_job(frontier).scope, settings, web, IndexSources(f"sqlite:///{folder}/i.db")
        )
        node.start()
        sizes = []
        for budget in pages:
            with open_frontier(where) as other:
                other.set_budget(Budget(pages=budget), 0.0)
            while node.endings.pages < budget or len(node.hand):
                await asyncio.sleep(0.05)
                assert node.failure is None
            while node.hand._good:  # tokens of leases that have ended are let go with the next renewal
                await asyncio.sleep(0.05)
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
        await node.close()
        return sizes

    tracemalloc.start()
    try:
        fill_what_is_bounded_by_number()
        frontier = open_frontier(where)
        begin(frontier, ["http://www.seed.example/"], Scope(depth=1 << 20), Budget(), 0.0)
        with open_index(f"sqlite:///{folder}/i.db", create=True) as index:
            return asyncio.run(work(frontier, index))
    finally:
        tracemalloc.stop()


def fill_what_is_bounded_by_number() -> None:
    """Fill the caches that hold so many names and no more."""
    strangers = tuple(Link(target=far(n)) for n in range(FIRST - (1 << 14), FIRST))
    canonicalise(Visit(url="http://f.example/", at=0, outcome=Outcome.PAGE, links=strangers))
    for link in strangers:
        shape(link.target)


def test_a_node_is_no_larger_for_the_hosts_it_has_met(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, bound in (
        (rulebook, "_MOST", 10 * len(ROBOTS.body) * 75),
        (probes, "_MOST", 16 << 10),
        (trap_notes, "_MOST", 64 << 10),
        (sqlite_frontier, "_HOSTS", 64 << 10),
        (ids, "REMEMBERED", 100),
        (bundles, "REMEMBERED", 100),
    ):
        monkeypatch.setattr(module, name, bound)
    # Looked at only where a page is visited again, as after a lease that ran out on a busy machine.
    monkeypatch.setattr(history, "_attributes", lru_cache(maxsize=100)(history._attributes.__wrapped__))
    sizes = sizes_at([PAGES, 2 * PAGES, 4 * PAGES], tmp_path)
    assert sizes[2] - sizes[1] < 2 * PAGES * LINKS * KEPT, sizes


def test_what_was_asked_for_longest_ago_is_forgotten_first() -> None:
    kept: Remembered[int] = Remembered(3 * (ENTRY + 1))
    for number, name in enumerate("abc"):
        kept.put(name, number)
    assert kept.get("a") == 0
    kept.put("d", 3)
    assert [kept.get(name) for name in "abcd"] == [0, None, 2, 3]
    kept.put("c", 5)  # anew: it is counted once
    assert (len(kept), kept.pop("c"), kept.pop("c"), len(kept)) == (3, 5, None, 2)
    kept.put("large", 7, size=2 * ENTRY - 2)
    assert "large" in kept and len(kept) == 1
    kept.put("larger than all", 7, size=4 * ENTRY)
    assert len(kept) == 0


def test_what_is_known_of_one_host_is_bounded_too() -> None:
    traps = Traps()
    for number in range(3 * PATTERNS):
        url = f"http://a.example/{'abc'[number % 3]}{chr(97 + number % 26)}?k{number}x=1&m{number}y=2"
        traps.saw(url, canonicalise(Visit(url=url, at=number, outcome=Outcome.PAGE, status=200, text_digest=number)))
    assert sum(map(len, traps._key_sets.values())) <= len(traps._patterns) <= PATTERNS
