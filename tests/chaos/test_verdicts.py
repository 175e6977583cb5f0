"""Each verdict can fail: it tells the one thing that is wrong from what is not."""

from __future__ import annotations

import socket
from collections import Counter
from pathlib import Path

import pytest

from interfaces.demo import loopback
from tests.chaos import verdicts
from tests.chaos.verdicts import Ask, Ended

A, B = "a.example", "b.example"
DELAYS = {A: 1.0, B: 0.0}


def ask(start: float, path: str = "/", status: int = 200, *, host: str = A, by: str = "n1", took: float = 0.1) -> Ask:
    return Ask(start, start + took, host, path, status, by)


def test_a_page_is_lost_when_nobody_read_it_or_the_index_lacks_it() -> None:
    asks = [ask(0), ask(2, "/p/1", 0), ask(4, "/p/2")]
    read = {f"http://{A}/", f"http://{A}/p/1"}
    wanted = {(A, "/"), (A, "/p/1"), (A, "/p/2"), (A, "/p/3")}
    assert verdicts.urls_lost(asks, read, wanted) == [f"http://{A}/p/{n}" for n in (1, 2, 3)]


def test_links_are_counted() -> None:
    planted = Counter([("s", "t"), ("s", "u"), ("s", "v")])
    held = Counter([("s", "t"), ("s", "t"), ("s", "v")])
    assert verdicts.links_lost(held, planted) == [("s", "u")]
    assert verdicts.links_doubled(held, planted) == [("s", "t")]


def test_a_refetch_is_told_of_who_asked_before() -> None:
    asks = [
        ask(0, "/robots.txt"),
        ask(1),
        ask(2, "/busy", 503),
        ask(3, "/robots.txt"),
        ask(4, by="n2"),
        ask(5, "/busy"),
    ]
    again = verdicts.refetches(asks)
    assert again == {"n1": 1}
    assert verdicts.too_many_refetches(again, {"n1": 1}) == {}
    assert verdicts.too_many_refetches(again, {"n2": 1}) == {"n1": 1}


def test_an_end_is_silent_when_nobody_asked_for_it_and_work_is_left() -> None:
    ends = [Ended("n1", 0, told=False, left=0), Ended("n2", 75, told=False, left=1), Ended("n3", 0, told=True, left=1)]
    assert verdicts.silent_finishes(ends) == []
    assert verdicts.silent_finishes([*ends, Ended("n4", 0, told=False, left=1)])[0].name == "n4"


@pytest.mark.parametrize(
    ("before", "after", "breaches"),
    [
        (ask(0), ask(1.096, "/p/1"), 0),
        (ask(0), ask(1.094, "/p/1", by="n2"), 1),
        (ask(0, host=B), ask(0.1, "/p/1", host=B), 0),
        (ask(0), ask(0.1, host=B), 0),
        (ask(0, "/robots.txt"), ask(0.2), 1),
        (ask(0, "/robots.txt"), ask(0.2, "/robots.txt", by="n2"), 0),  # nobody could know
        (ask(0), ask(0.2, "/robots.txt"), 1),
        (ask(0, status=503, host=B), ask(1.9, host=B), 1),
        (ask(0, status=503, host=B), ask(2.1, host=B), 0),
    ],
)
def test_a_gap_is_short(before: Ask, after: Ask, breaches: int) -> None:
    assert len(verdicts.gaps([before, after], DELAYS, {})) == breaches


def test_what_died_with_a_node_binds_nobody() -> None:
    asks = [ask(0, status=503, host=B), ask(1.5, host=B, by="n2")]
    assert verdicts.gaps(asks, DELAYS, {"n1": 0.5}) == []
    assert len(verdicts.gaps(asks, DELAYS, {"n1": 1.4})) == 1


def test_while_the_frontier_is_blind_nobody_is_bound() -> None:
    asks = [ask(1), ask(1.5, "/p/1"), ask(1.8, "/p/2", took=3), ask(2, "/p/3")]
    assert len(verdicts.gaps(asks, DELAYS, {})) == 3
    assert len(verdicts.crowded(asks)) == 1
    assert [line.split()[4] for line in verdicts.gaps(asks, DELAYS, {}, (1.6, 2.1))] == [f"{A}/"]
    assert verdicts.crowded(asks, (1.6, 2.1)) == []


def test_two_at_once_are_one_too_many() -> None:
    assert verdicts.crowded([ask(0), ask(0.05, host=B), ask(0.1, "/p/1")]) == []
    assert len(verdicts.crowded([ask(0, took=3), ask(1, "/p/1"), ask(2, "/p/2", by="n2")])) == 2


def test_what_robots_txt_closes_is_not_asked_for_nor_anything_before_it() -> None:
    asks = [ask(0, "/robots.txt", 503), ask(1), ask(2, "/robots.txt"), ask(3), ask(4, "/private/1"), ask(5, host=B)]
    assert [line.split()[0] for line in verdicts.disallowed(asks)] == [f"{A}/", f"{A}/private/1", f"{B}/"]


def test_the_witness_sees_a_client_that_hangs_up(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with loopback.child("tests.chaos.site", "--log", str(log)) as (port,):
        for path in ("/p/19", "/p/1"):
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(f"GET {path} HTTP/1.1\r\nHost: {A}\r\nUser-Agent: x (+n1)\r\n\r\n".encode())
                if path == "/p/1":
                    assert client.recv(100).startswith(b"HTTP/1.1 404")
    slow, quick = verdicts.read_log(log.read_text())
    assert (slow.path, slow.status, quick.status, quick.by) == ("/p/19", 0, 404, "n1")
