"""Fixtures that more than one floor's tests use."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Suites that backends inherit: before anything imports them, so that a failing assert tells its values.
pytest.register_assert_rewrite("tests.linkindex.contract", "tests.linkindex.histories")

# How long an example takes says how busy the machine is.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# Who runs the tests in the background has it ignored, and so would the programs be that they start and stop by it.
signal.signal(signal.SIGINT, signal.default_int_handler)

ORACLES = Path(__file__).parents[2] / "shared" / "oracles"


@pytest.fixture(scope="session")
def oracles() -> Path:
    """Third-party truth; tests that need it skip loudly where it is absent."""
    if not ORACLES.is_dir():
        pytest.skip(f"no oracles at {ORACLES}: this promise is not checked here")
    return ORACLES
