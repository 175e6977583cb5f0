"""One MongoDB server for all tests of the index on it; each test has databases of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from tests.servers import MongoServer

pytest.register_assert_rewrite("tests.linkindex.contract", "tests.linkindex.histories")

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def mongo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    with MongoServer(tmp_path_factory.mktemp("mongo")) as server:
        yield server


@pytest.fixture
def mongo_url(mongo_server: MongoServer) -> Iterator[Callable[[], str]]:
    """Give URLs of databases that nobody has used; they are dropped behind the test."""
    names: list[str] = []

    def url() -> str:
        names.append(f"test_{next(_NUMBERS)}")
        return mongo_server.url(names[-1])

    yield url
    with mongo_server.client() as client:
        for name in names:
            client.drop_database(name)
