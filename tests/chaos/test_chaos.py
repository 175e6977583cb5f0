"""The short form: every kind of blow once. The long form is ``python -m tests.chaos``."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.chaos.rows import rows
from tests.chaos.trial import Findings

AWAY = 4.0  # s, at most, that Redis is away
AT_ONCE = 4  # trials: they mostly wait for hosts that want to be left alone
CHOSEN = (
    *("sqlite: kills, 1", "sqlite: kills, 4 workers", "sqlite: crash rules, 1", "sqlite: crash completed, 2"),
    *("sqlite: freeze complete, 1", "sqlite: freeze lease, 2", "sqlite: stop, 2 workers"),
    "sqlite: the machine's clock an hour on, 2",
    *("redis: kills, 4", "redis: crash lease, 1", "redis: crash rules, 2", "redis: crash stored, 2"),
    *("redis: crash completed, 1", "redis: freeze lease, 2", "redis: freeze complete, 2", "redis: outage, 2"),
    *("redis: cut, 2", "redis: clocks of their own, 2", "redis: stop, 2"),
)


@pytest.fixture(scope="module")
def trials() -> Iterator[dict[str, Future[Findings]]]:
    """All of them, some side by side."""
    named = {row.name: row for row in rows(AWAY)}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {name: pool.submit(named[name].trial, 1) for name in CHOSEN}


@pytest.mark.parametrize("name", CHOSEN)
def test_nothing_is_lost_and_nobody_is_bothered(name: str, trials: dict[str, Future[Findings]]) -> None:
    assert trials[name].result().breaches == {}
