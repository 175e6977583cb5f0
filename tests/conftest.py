"""Fixtures that more than one floor's tests use."""

from __future__ import annotations

from pathlib import Path

import pytest

ORACLES = Path(__file__).parents[2] / "shared" / "oracles"


@pytest.fixture(scope="session")
def oracles() -> Path:
    """Third-party truth; tests that need it skip loudly where it is absent."""
    if not ORACLES.is_dir():
        pytest.skip(f"no oracles at {ORACLES}: this promise is not checked here")
    return ORACLES
