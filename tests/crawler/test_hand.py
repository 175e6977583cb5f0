"""The leases that a node has, and how long it may rely on them."""

from __future__ import annotations

import time

import pytest

from crawler.frontier import Lease
from crawler.hand import Hand


def lease(url: str, token: str, now: int = 0) -> Lease:
    return Lease(token=token, url=url, host="a.test", depth=0, hops=0, attempt=1, delay=0.0, now=now)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """The monotonic clock, moved by the test."""
    clock = {"now": 1000.0}
    monkeypatch.setattr(time, "monotonic", lambda: clock["now"])
    return clock


def test_a_lease_holds_until_it_runs_out_or_is_let_go(at: dict[str, float]) -> None:
    hand, one, two = Hand(), lease("https://a.test/1", "1.1"), lease("https://a.test/2", "2.2")
    hand.take([one, two], until=1060.0)
    assert hand.holds(one)
    assert hand.let_go(one)
    assert not hand.holds(one)
    assert hand.holds(one, two)
    at["now"] = 1060.0
    assert not hand.holds(two)
    assert hand.has(two)


def test_only_what_still_holds_is_renewed(at: dict[str, float]) -> None:
    hand, old, new = Hand(), lease("https://a.test/1", "1.1"), lease("https://a.test/2", "2.2")
    hand.take([old], until=1010.0)
    hand.take([new], until=1060.0)
    at["now"] = 1020.0
    assert hand.good() == ["2.2"]
    hand.renewed(["2.2", "3.3"], until=1080.0)
    at["now"] = 1070.0
    assert (hand.holds(old), hand.holds(new)) == (False, True)


def test_a_url_that_was_leased_again_is_not_let_go_with_its_old_lease(at: dict[str, float]) -> None:
    hand, old, new = Hand(), lease("https://a.test/1", "1.1"), lease("https://a.test/1", "1.2")
    hand.take([old], until=1060.0)
    hand.take([new], until=1060.0)
    assert not hand.let_go(old)
    assert not hand.holds(old)
    assert hand.get("https://a.test/1") is new
    assert (hand.hosts(), hand.hosts(but={"https://a.test/1"})) == ({"a.test"}, set())


def test_the_frontiers_clock_is_told_by_what_was_leased_last(at: dict[str, float]) -> None:
    hand = Hand()
    hand.take([lease("https://a.test/1", "1.1", now=1_700_000_000_000)], until=1060.0)
    assert hand.clock + at["now"] * 1000 == 1_700_000_000_000
