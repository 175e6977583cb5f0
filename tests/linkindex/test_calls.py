"""Calls of a store that goes away and comes back."""

from __future__ import annotations

import asyncio
import logging

import pytest

from linkindex import calls
from linkindex.calls import Calls
from linkindex.errors import BadInput, Unavailable


class Store:
    """Away for so many calls."""

    def __init__(self, away: int) -> None:
        self.away = away

    def answer(self, value: int) -> int:
        self.away -= 1
        if self.away >= 0:
            raise Unavailable("frontier redis://h: does not answer")
        return value


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "PAUSES", (0.0, 0.001))


async def ask(store: Store, patience: float, times: int = 1) -> list[int]:
    call = Calls("frontier", patience)
    found = [await call(store.answer, number) for number in range(times)]
    call.close()
    return found


def test_a_store_that_was_away_is_waited_for_and_it_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert asyncio.run(ask(Store(away=5), patience=60.0, times=3)) == [0, 1, 2]
    assert [record.getMessage() for record in caplog.records] == [
        "frontier redis://h: does not answer; waiting for it",
        "the frontier is back, going on",
    ]


def test_patience_ends() -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        asyncio.run(ask(Store(away=1000), patience=0.0))


def test_a_node_that_ends_is_patient_once_and_not_with_each_call() -> None:
    async def end(store: Store) -> list[int | BaseException]:
        call = Calls("frontier", 60.0)
        waiting = [asyncio.ensure_future(call(store.answer, number)) for number in range(3)]
        await asyncio.sleep(0.01)
        call.hurry(0.0)
        ends = await asyncio.gather(*waiting, call(store.answer, 3), return_exceptions=True)
        call.close()
        return ends

    store = Store(away=1 << 30)
    assert {type(end) for end in asyncio.run(end(store))} == {Unavailable}


def test_what_waiting_does_not_mend_is_raised_at_once() -> None:
    async def wrong() -> None:
        def refuse() -> None:
            raise BadInput("no")

        await Calls("frontier", 60.0)(refuse)

    with pytest.raises(BadInput):
        asyncio.run(wrong())
