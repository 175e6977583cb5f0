"""Leases that run out while their visits are stored."""

from __future__ import annotations

import asyncio
from pathlib import Path
from unittest.mock import Mock

from crawler.contract import Settings
from crawler.frontier.sqlite import SqliteFrontier
from crawler.node import Node
from crawler.scope import Scope
from linkindex.model import Outcome, Visit
from tests.frontier.contract import Clock, entry

TTL = 10.0


def test_a_url_that_is_leased_again_while_it_is_acknowledged_holds_no_place(tmp_path: Path) -> None:
    """A node that was frozen gets its own URLs back: with a place lost for each, it would stand still in the end."""

    async def work(frontier: SqliteFrontier, clock: Clock) -> None:
        node = Node(frontier, Scope(), Settings(name="n:1", concurrency=1, ttl=TTL), Mock(), Mock())
        (first,) = frontier.lease(1, "n:1", TTL)
        node.hand.take([first], asyncio.get_running_loop().time() + TTL)
        node.places.take(first)
        node.endings.visit_durable(Visit(url=first.url, at=first.now, outcome=Outcome.PAGE, status=200), 0.0)
        clock.pass_(2 * TTL)
        (second,) = frontier.lease(1, "n:1", TTL)
        assert second.token != first.token
        node.hand.take([second], asyncio.get_running_loop().time() + TTL)
        await node.endings.drain()
        assert node.hand.has(second)
        assert (len(node.places), node.endings.pages) == (0, 0)
        await node.close()

    clock = Clock()
    with SqliteFrontier.open(f"{tmp_path}/f.db", clock=clock) as frontier:
        frontier.add([entry("https://a.test/")])
        asyncio.run(work(frontier, clock))
