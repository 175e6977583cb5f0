"""The MongoDB index keeps the contract, and what is its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.linkindex.contract import IndexContract
from tests.linkindex.histories import HistoriesContract


class OnMongo:
    """The fixture that both suites ask for."""

    @pytest.fixture
    def place(self, mongo_url: Callable[[], str]) -> Callable[[], str]:
        return mongo_url


class TestMongoIndex(OnMongo, IndexContract):
    pass


class TestMongoHistories(OnMongo, HistoriesContract):
    pass
