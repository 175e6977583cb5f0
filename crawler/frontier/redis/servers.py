"""Connections to Redis servers, and what their errors mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ClusterDownError,
    ConnectionError,  # noqa: A004
    MasterDownError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,  # noqa: A004
    TryAgainError,
)
from redis.retry import Retry
from redis.sentinel import Sentinel

from crawler.frontier.redis.place import Place
from crawler.frontier.redis.scripts import script
from linkindex.errors import BadInput, Incompatible, LinkatlasError, Unavailable

_T = TypeVar("_T")

GREETING = 5.0  # s for the first answer of a server

# redis-py's keyword arguments come from settings, so they are checked as it runs.
_Redis: Any = redis.Redis
_Sentinel: Any = Sentinel
_ClusterNode: Any = ClusterNode

# What a server answers that will be otherwise later. Of some, redis-py takes the word away; scripts put words in front.
_LATER: dict[str, type[Exception] | None] = {
    "LOADING": BusyLoadingError,
    "OOM": OutOfMemoryError,
    "READONLY": ReadOnlyError,
    "CLUSTERDOWN": ClusterDownError,
    "MASTERDOWN": MasterDownError,
    "TRYAGAIN": TryAgainError,
    "BUSY": None,
    "MISCONF": None,
    "NOREPLICAS": None,
}


class Call(NamedTuple):
    """One atomic step on one shard."""

    step: str
    prefix: str
    args: Sequence[Any]


class Server:
    """A Redis server, or a Redis Cluster as a whole. Threads may share it."""

    def __init__(self, name: str, client: Any) -> None:
        self.name = name
        self.client = client
        self.clustered = isinstance(client, RedisCluster)

    def run(self, calls: Sequence[Call]) -> list[Any]:
        """Run steps in one round trip (a cluster: one each), and return what they return.

        When one fails, those after it may have been applied.
        """
        return self.talk(lambda: self._run(calls))

    def greet(self) -> None:
        """Raise Unavailable where nothing answers as Redis does within :data:`GREETING` seconds.

        A program that speaks something else would be waited for as long as a Redis at work is. A cluster has said more by now.
        """
        if self.clustered:
            return
        pool = self.client.connection_pool
        patience = pool.connection_kwargs.get("socket_timeout")
        pool.connection_kwargs["socket_timeout"] = GREETING if patience is None else min(patience, GREETING)
        try:
            self.client.ping()
        except TimeoutError:
            raise Unavailable(
                f"frontier {self.name}: nothing answers there as Redis does, within {GREETING:g} s; "
                "is it Redis that listens, and is the port right?"
            ) from None
        except (RedisError, OSError) as error:
            raise trouble(self.name, error) from None
        finally:
            pool.connection_kwargs["socket_timeout"] = patience
            pool.disconnect()
            pool.reset()  # a connection keeps the patience that it was made with

    def talk(self, ask: Callable[[], _T]) -> _T:
        """Do what ``ask`` does with the client; raise its errors as ours."""
        try:
            return ask()
        except (RedisError, OSError) as error:
            raise trouble(self.name, error) from None

    def _run(self, calls: Sequence[Call]) -> list[Any]:
        if len(calls) == 1 or self.clustered:
            return [self._run_one(call) for call in calls]
        pipeline = self.client.pipeline(transaction=False)
        for call in calls:
            pipeline.execute_command("EVALSHA", script(call.step).digest, 1, call.prefix, *call.args)
        replies = pipeline.execute(raise_on_error=False)
        for i, reply in enumerate(replies):
            if isinstance(reply, NoScriptError):
                replies[i] = self._load(calls[i])
            elif isinstance(reply, Exception):
                raise reply
        return list(replies)

    def _run_one(self, call: Call) -> Any:
        try:
            return self.client.execute_command("EVALSHA", script(call.step).digest, 1, call.prefix, *call.args)
        except NoScriptError:
            return self._load(call)

    def _load(self, call: Call) -> Any:
        return self.client.execute_command("EVAL", script(call.step).text, 1, call.prefix, *call.args)

    def close(self) -> None:
        self.client.close()


def trouble(name: str, error: Exception) -> LinkatlasError:
    """Return what an error of redis-py means to us: one line with the server's name and no password."""
    text = str(error).partition("\n")[0][:200]
    if isinstance(error, AuthenticationError | AuthorizationError | NoPermissionError) or text.startswith(
        ("WRONGPASS", "NOAUTH", "NOPERM")
    ):
        return BadInput(
            f"frontier {name}: Redis refuses this user or password, or what it may do; "
            "see the user and password in the URL, and the rights of the user"
        )
    if text.startswith("LOST"):
        return Incompatible(
            f"frontier {name}: Redis was emptied or replaced while the crawl ran; "
            "what it held is in the link index: linkatlas reconcile rebuilds it"
        )
    words = {word.removeprefix("-") for word in text.split()}  # scripts of Redis 6.2 leave it there
    for word, kind in _LATER.items():
        if word in words or (kind is not None and isinstance(error, kind)):
            return Unavailable(f"frontier {name}: Redis answers {word}; trying again later loses nothing")
    if "CERTIFICATE_VERIFY" in text or "WRONG_VERSION" in text:  # other failures of TLS pass
        return BadInput(f"frontier {name}: no TLS with Redis: {text[text.index('[SSL') :]}")
    if isinstance(error, TimeoutError):
        return Unavailable(f"frontier {name}: Redis does not answer in time; trying again later loses nothing")
    if isinstance(error, ConnectionError | OSError):
        return Unavailable(f"frontier {name}: no connection to Redis; trying again later loses nothing")
    if not isinstance(error, ResponseError):
        return Unavailable(f"frontier {name}: {type(error).__name__} of Redis; trying again later loses nothing")
    return Incompatible(f"frontier {name}: what Redis holds is not ours, or it is no Redis: {text}")


def connect(place: Place, more: Mapping[str, object]) -> list[Server]:
    """Return the servers of a place, in its order; nothing is sent yet, but to a cluster and to sentinels.

    ``more``: keyword arguments of the client that go before what the place says; ``url`` and ``redis_cls`` (its class) too.
    """
    client_class: Any = more.get("redis_cls", _Redis)
    options: dict[str, Any] = {
        "protocol": 2,
        "socket_timeout": 30,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
    }
    if place.kind != "cluster":
        options |= {"retry": Retry(NoBackoff(), 0), "health_check_interval": 30}
    if place.password:
        options["password"] = place.password
    if place.username:
        options["username"] = place.username
    if place.tls:
        options["ssl"] = True
    options |= {name: value for name, value in more.items() if name not in {"url", "redis_cls"}}
    if place.path:
        options.pop("socket_keepalive")
        return [Server(place.path, client_class(unix_socket_path=place.path, **{"db": place.db} | options))]
    if "url" in more:
        client = client_class.from_url(str(more["url"]), **options)
        where = client.get_connection_kwargs()
        return [Server(str(where.get("path") or f"{where.get('host')}:{where.get('port')}"), client)]
    if place.kind == "cluster":
        nodes = [_ClusterNode(host, port) for host, port in place.addresses]
        try:
            return [Server(place.name, RedisCluster(startup_nodes=nodes, **options))]
        except (RedisError, OSError) as error:
            raise trouble(place.name, error) from None
    if place.kind == "sentinel":
        sentinel = _Sentinel(list(place.addresses), sentinel_kwargs={"socket_timeout": 5}, db=place.db, **options)
        return [Server(place.name, sentinel.master_for(place.primary))]
    servers = []
    for host, port in place.addresses:
        where = {"host": host, "port": port, "db": place.db} | options
        servers.append(Server(f"{where['host']}:{where['port']}", client_class(**where)))
    return servers
