"""The dictionary that stores are compared with keeps the same contract, as far as it goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest

from linkindex.store import LinkIndex
from tests.linkindex.contract.changing import Changing
from tests.linkindex.contract.history import History
from tests.linkindex.contract.leading import Leading
from tests.linkindex.contract.making import Places
from tests.linkindex.contract.ordering import Ordering
from tests.linkindex.contract.selecting import Selecting
from tests.linkindex.dictionary import Dictionary


class InMemory(Places):
    @pytest.fixture
    def place(self) -> Callable[[], str]:
        return lambda: ""

    def open(self, url: str, **options: object) -> LinkIndex:
        return cast("LinkIndex", Dictionary(**options))  # type: ignore[arg-type]


class TestDictionary(InMemory, History, Changing, Leading, Selecting, Ordering):
    pass
