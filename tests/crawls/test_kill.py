"""kill -9 at a random moment, and run again: nothing is lost, nothing doubled. The long form is benchmarks.kill."""

from __future__ import annotations

import pytest

from benchmarks.kill import trial


@pytest.mark.parametrize(("kill_after", "options"), [(7, ()), (60, ()), (110, ()), (50, ("--workers", "2"))])
def test_a_kill_loses_and_doubles_nothing(kill_after: int, options: tuple[str, ...]) -> None:
    result = trial(120, kill_after, *options)
    assert result[:4] == (0, 0, 0, 0), result
