"""Two Redis servers for all tests of the frontier that share them; each test empties them first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import RedisServer


@pytest.fixture(scope="session")
def redis_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RedisServer]]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as one, RedisServer(tmp_path_factory.mktemp("redis")) as two:
        yield [one, two]
