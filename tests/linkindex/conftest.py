"""One MongoDB server for all tests of the index on it; each test has databases of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.servers import MongoServer, left_behind

_NUMBERS = count(1)


_MEMORY, _ROOM = Path("/dev/shm"), 2 << 30


@pytest.fixture(scope="session")
def mongo_server() -> Iterator[MongoServer]:
    # In memory where there is room: a write is acknowledged when it is on disk, and tests make some thousand of them.
    there = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM
    with (
        tempfile.TemporaryDirectory(prefix="mongo", dir=_MEMORY if there else None) as folder,
        left_behind('sleep 1; rm -rf "$1"', folder),  # the memory would be gone until the machine starts anew
        MongoServer(Path(folder)) as server,
    ):
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
