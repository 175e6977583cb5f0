"""Rules of many hosts at once: there is a bound to what they hold, and no host is visited without its own."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest

from crawler import rulebook
from crawler.contract import Settings
from crawler.frontier import Lease, Robots
from crawler.frontier.sqlite import SqliteFrontier
from crawler.lanes import Lane
from crawler.node import Node
from crawler.rulebook import NO_ROOM, Rulebook
from crawler.scope import Scope
from tests.frontier.contract import Clock, entry

LARGE = Robots(verdict="rules", body=b"User-agent: *\n" + b"".join(b"Disallow: /*x%d*\n" % n for n in range(1000)))
SMALL = Robots(verdict="rules", body=b"User-agent: *\nDisallow: /private\n")
ROOM = 3  # files as large as LARGE that may be in use


@pytest.fixture
def frontier(tmp_path: Path) -> Iterator[SqliteFrontier]:
    with SqliteFrontier.open(f"{tmp_path}/f.db", clock=Clock()) as frontier:
        yield frontier


@pytest.fixture(autouse=True)
def _little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rulebook, "_MOST", ROOM * len(LARGE.body) * 75 // 2)


def lanes(number: int) -> list[Lane]:
    return [Lane(f"h{n}.test", 0.0) for n in range(number)]


def test_large_rules_in_use_are_bounded_and_small_ones_find_room() -> None:
    book = Rulebook(Mock(), Mock(), 60.0)
    many = lanes(10)
    assert [book.obey(lane, LARGE) for lane in many] == [True] * ROOM + [False] * 7
    assert [lane.rules is not None for lane in many] == [True] * ROOM + [False] * 7
    assert book.obey(Lane("small.test", 0.0), SMALL)


def test_rules_that_nobody_uses_make_room() -> None:
    book = Rulebook(Mock(), Mock(), 60.0)
    many = lanes(10)
    for lane in many:
        book.obey(lane, LARGE)
        lane.rules = None
        gc.collect()
    assert all(book.obey(lane, LARGE) for lane in many[:2])


@pytest.mark.parametrize("known", [False, True])
def test_a_host_without_room_for_its_rules_is_left_alone_and_comes_back(frontier: SqliteFrontier, known: bool) -> None:
    """Whether its robots.txt was fetched just now or an earlier node kept it."""
    names = [f"h{n}.test" for n in range(ROOM + 2)]
    frontier.add([entry(f"https://{name}/1") for name in names])

    async def work() -> None:
        node = Node(frontier, Scope(), Settings(name="n:1", sitemaps="none", soft_404="none"), Mock(), Mock())
        leases: list[Lease] = frontier.lease(10, "n:1", 120.0)
        node.hand.take(leases, asyncio.get_running_loop().time() + 120.0)
        if known:
            for name in names:
                frontier.put_robots(name, LARGE, 3600.0)
        await node._sort(leases)
        for name in () if known else names:
            lane = node.departures.lane(name)
            assert lane is not None
            node.departures.fetch_ended(name)
            node.robots_judged(lane, LARGE)
        await node._tasks.settled()
        open_ = [name for name in names if (lane := node.departures.lane(name)) and lane.rules]
        assert len(open_) == ROOM
        for name in set(names) - set(open_):
            life = frontier.why(f"https://{name}/1")
            assert life is not None
            assert (life.state, life.attempts, life.host_held_because) == ("queued", 0, NO_ROOM)
            assert frontier.robots([name])[name].body == LARGE.body  # it is not fetched again
        await node.close()

    asyncio.run(work())
