"""The short form of the trials: whatever may break, once. The long form: ``python -m tests.chaos``."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tests.chaos.fleet import Fleet
from tests.chaos.rows import Row, short
from tests.chaos.trial import Findings, attempt

AT_ONCE = 6  # trials, which mostly wait
ROWS = short()


@pytest.fixture(scope="module")
def trials(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Findings]]]:
    """Run the trials that are asked for, some side by side.

    In processes, not threads: a trial copies the environment, which pytest changes from test to test.
    """
    asked = [item.callspec.params.get("row") for item in request.session.items if hasattr(item, "callspec")]
    with ProcessPoolExecutor(AT_ONCE, get_context("spawn")) as pool:
        yield {row.name: pool.submit(row.trial, 1) for row in asked if isinstance(row, Row)}


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_nothing_is_lost_and_nobody_is_hit(row: Row, trials: dict[str, Future[Findings]]) -> None:
    assert trials[row.name].result().breaches == {}


def test_a_trial_ends_in_its_time_and_tells_where_each_process_stood() -> None:
    def scenario(fleet: Fleet) -> None:
        fleet.begin(1)
        fleet.until(5)
        os.kill(fleet.alive[0].process.pid, signal.SIGSTOP)
        fleet.over = time.monotonic() + 1

    found = attempt(scenario)
    assert found.stuck[0] == "the crawl did not end"
    assert "most recent call first" in found.stuck[1]
    assert found.urls_lost
