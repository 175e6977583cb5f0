"""What every step on the Redis frontier stands on: shards, their keys and servers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple
from zlib import crc32

import msgspec

from crawler.frontier.redis.place import Place
from crawler.frontier.redis.servers import Call, Server
from linkindex import urls

_pack = msgspec.msgpack.Encoder().encode


class Step(NamedTuple):
    """One atomic step: a file in ``lua/``, its inputs, and bytes that go beside them."""

    shard: int
    name: str
    inputs: Any = ()
    raw: Sequence[bytes] = ()


class Store:
    """The shards of a job. A shard is a set of keys with the tag ``{job:shard}`` on one server."""

    def __init__(
        self, place: Place, servers: list[Server], shards: int, epoch: str, clock: Callable[[], float] | None
    ) -> None:
        self._place = place
        self._servers = servers
        self._shards = range(shards)
        self._epoch = epoch
        self._clock = clock

    def _shard(self, domain: str) -> int:
        """Return where a registrable domain lives, with all its hosts."""
        return crc32(domain.encode()) % len(self._shards) if len(self._shards) > 1 else 0

    def _shard_of(self, host: str) -> int:
        return self._shard(urls.domain_of(host)) if len(self._shards) > 1 else 0

    def _by_shard(self, hosts: Iterable[str]) -> dict[int, list[str]]:
        found: defaultdict[int, list[str]] = defaultdict(list)
        for host in hosts:
            found[self._shard_of(host)].append(host)
        return found

    def _server(self, shard: int) -> int:
        return shard % len(self._servers)

    def _step(self, shard: int, name: str, inputs: Any = (), *raw: bytes) -> Any:
        return self._steps([Step(shard, name, inputs, raw)])[0]

    def _everywhere(self, name: str, inputs: Any = ()) -> list[Any]:
        """Do the same step on every shard; return what they return, in their order."""
        return self._steps([Step(shard, name, inputs) for shard in self._shards])

    def _steps(self, steps: Sequence[Step]) -> list[Any]:
        """Do steps in one round trip a server, and return what they return, in their order."""
        now = b"%d" % (self._clock() * 1000) if self._clock else b""
        by_server: defaultdict[int, list[int]] = defaultdict(list)
        for i, step in enumerate(steps):
            by_server[self._server(step.shard)].append(i)
        results: list[Any] = [None] * len(steps)
        for server, places in by_server.items():
            calls = []
            for i in places:
                step = steps[i]
                args = (self._epoch, now, _pack(step.inputs), *step.raw)
                calls.append(Call(step.name, prefix(self._place.job, step.shard), args))
            for i, result in zip(places, self._servers[server].run(calls), strict=True):
                results[i] = result
        return results

    def _wake(self) -> None:
        """Wake the nodes that wait."""
        server = self._servers[0]
        server.talk(lambda: server.client.publish(self._channel, b""))

    @property
    def _channel(self) -> str:
        return prefix(self._place.job, 0) + "wake"


def prefix(job: str, shard: int) -> str:
    """Return what the keys of a shard begin with; braces keep them in one slot of a cluster."""
    return f"{{{job}:{shard}}}:"


def tail_of(url: str, host: str) -> str:
    """Return a canonical URL without what its host tells."""
    if url.startswith("https://"):
        return url[8 + len(host) :]
    return "http:" + url[7 + len(host) :]


def url_of(tail: str, host: str) -> str:
    """Return the URL of a :func:`tail_of`."""
    return f"http://{host}{tail[5:]}" if tail.startswith("http:") else f"https://{host}{tail}"
