"""Fixtures that more than one floor's tests use."""

from __future__ import annotations

from pathlib import Path

import pytest

# Suites that backends inherit: before anything imports them, so that a failing assert tells its values.
pytest.register_assert_rewrite("tests.linkindex.contract", "tests.linkindex.histories")

ORACLES = Path(__file__).parents[2] / "shared" / "oracles"


@pytest.fixture(scope="session")
def oracles() -> Path:
    """Third-party truth; tests that need it skip loudly where it is absent."""
    if not ORACLES.is_dir():
        pytest.skip(f"no oracles at {ORACLES}: this promise is not checked here")
    return ORACLES
