"""What scrapy-redis' users have in their settings and push as seeds means the same here."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import redis
from scrapy.settings import BaseSettings
from scrapy_redis import connection, defaults
from scrapy_redis.spiders import RedisSpider

from crawler.frontier.redis import RedisFrontier
from crawler.frontier.redis.place import parse
from crawler.frontier.redis.servers import connect
from crawler.redis_settings import connection_of
from linkindex.errors import BadInput
from tests.servers import RedisServer


class Client(redis.Redis):
    """A client of the user's own."""


NAMED = f"{__name__}.Client"


@pytest.mark.filterwarnings("ignore:.*retry_on_timeout:DeprecationWarning")  # among scrapy-redis' defaults
@pytest.mark.parametrize(
    "settings",
    [
        {"REDIS_URL": "redis://u:p@h.test:1/2"},
        {"REDIS_URL": "rediss://h.test:1/2", "REDIS_DB": 3, "REDIS_ENCODING": "latin-1"},
        {"REDIS_URL": "unix:///run/redis.sock?db=4"},
        {"REDIS_HOST": "h.test", "REDIS_PORT": 5, "REDIS_DB": 6},
        {"REDIS_HOST": "h.test", "REDIS_PARAMS": {"host": "i.test", "password": "p", "db": 9, "socket_timeout": 3}},
        {"REDIS_URL": "redis://h.test", "REDIS_PARAMS": {"redis_cls": NAMED, "decode_responses": True}},
        {"REDIS_HOST": "h.test", "REDIS_PARAMS": {"redis_cls": Client}, "REDIS_DECODE_RESPONSES": True},
        {"REDIS_PARAMS": '{"host": "h.test", "username": "u", "client_name": "n"}'},
    ],
)
def test_the_client_is_as_scrapy_redis_makes_it(settings: dict[str, Any]) -> None:
    theirs = connection.get_redis_from_settings(BaseSettings(settings))
    ours = connect(parse("redis://localhost?job=a"), connection_of(BaseSettings(settings)))[0].client
    assert type(ours) is type(theirs)
    assert ours.connection_pool.connection_class is theirs.connection_pool.connection_class
    there, here = theirs.get_connection_kwargs(), ours.get_connection_kwargs()
    for name in ("host", "port", "path", "db", "username", "password", "client_name"):
        assert here.get(name) == there.get(name), name
    assert here.get("encoding", defaults.REDIS_ENCODING) == there["encoding"]
    assert here["socket_timeout"] == there["socket_timeout"]
    assert not here.get("decode_responses")  # the one thing that is ours
    ours.close()
    theirs.close()


def test_no_settings_say_nothing() -> None:
    assert connection_of(BaseSettings()) == {}


@pytest.mark.parametrize(
    ("params", "says"),
    [({"redis_cls": "no.such.Class"}, "no class"), ("[1", "must be a mapping"), ([1], "must be a mapping")],
)
def test_what_cannot_be_used_is_told(params: Any, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        connection_of(BaseSettings({"REDIS_PARAMS": params}))


@pytest.mark.parametrize("kind", ["list", "set", "zset"])
def test_seeds_are_read_where_and_as_scrapy_redis_reads_them(redis_servers: list[RedisServer], kind: str) -> None:
    redis_servers[0].empty()
    key = defaults.START_URLS_KEY % {"name": "shop"}
    wanted = [f"https://{name}.test/" for name in "abc"]
    with redis_servers[0].client() as client, RedisFrontier.open(f"{redis_servers[0].url}?job=shop") as frontier:

        def push() -> None:
            client.delete(key)
            if kind == "list":
                client.rpush(key, *wanted)
            elif kind == "set":
                client.sadd(key, *wanted)
            else:
                client.zadd(key, {url: score for score, url in enumerate(wanted)})

        push()
        ours = frontier.arrivals(9)
        spider = RedisSpider.__new__(RedisSpider)
        spider.server = client
        pop = {"list": spider.pop_list_queue, "set": client.spop, "zset": spider.pop_priority_queue}[kind]
        theirs = [value.decode() for value in pop(key, 9)]
        assert sorted(ours) == sorted(theirs) == wanted
        if kind != "set":  # which has no order
            assert ours == theirs
        push()
        frontier.arrived(frontier.arrivals(9))
        assert not client.exists(key)


def test_who_does_not_use_redis_loads_none_of_it() -> None:
    code = "import sys, crawler.scheduler, interfaces.cli.main; print([m for m in sys.modules if 'redis' in m])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
