"""What nodes tell each other: that they live, what they claim, that there is work, what people pushed."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial
from typing import Any

import msgspec

from crawler.frontier.records import Beat, Seen, read_beat
from crawler.frontier.redis.leases import Leases
from crawler.frontier.redis.store import Step

_PATIENCE = 25.0  # s to listen at a time


class Nodes(Leases):
    """``arrivals``, ``arrived``, ``claim``, ``unclaim``, ``beat``, ``drain``, ``leave``, ``nodes``, ``wait``."""

    _subscription: Any = None
    _closed = False

    def claim(self, name: str, node: str, ttl: float) -> float:
        return float(self._step(0, "claim", (name, node, int(ttl * 1000)))) / 1000

    def unclaim(self, name: str, node: str, pause: float = 0.0) -> None:
        self._step(0, "unclaim", (name, node, int(pause * 1000)))

    def beat(self, beat: Beat) -> bool:
        sign = Step(0, "beat", (beat.node, beat.started), [msgspec.msgpack.encode(beat)])
        return bool(self._steps([sign, *(Step(shard, "check") for shard in self._shards[1:])])[0])

    def drain(self, node: str) -> bool:
        found = next((seen.beat for seen in self.nodes() if seen.beat.node == node), None)
        return found is not None and bool(self._step(0, "drain", (node, found.started)))

    def leave(self, node: str) -> None:
        self._step(0, "beat", (node, 0), b"")

    def nodes(self) -> list[Seen]:
        found = self._step(0, "nodes")
        return [
            Seen(beat=known, ago=ago / 1000, draining=draining == b"%d" % known.started)
            for beat, ago, draining in zip(found[::3], found[1::3], found[2::3], strict=True)
            if (known := read_beat(beat, msgspec.msgpack.decode))
        ]

    def wait(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        try:
            if self._subscription is None:
                self._subscription = self._servers[0].talk(self._subscribe)
            while (left := ends - time.monotonic()) > 0:
                if self._heard(min(left, _PATIENCE)):
                    while self._heard(0.0):  # one wake-up for all that happened meanwhile
                        pass
                    return
        except BaseException:
            if self._closed:  # by another thread
                return
            self._hang_up()
            raise

    def close(self) -> None:
        self._closed = True
        self._hang_up()
        for server in self._servers:
            server.close()

    def _heard(self, patience: float) -> bool:
        message = self._servers[0].talk(lambda: self._subscription.get_message(timeout=patience))
        return message is not None and message["type"] == "message"

    def _subscribe(self) -> Any:
        subscription = self._servers[0].client.pubsub()
        subscription.subscribe(self._channel)
        return subscription

    def _hang_up(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.close()

    # ---------------------------------------------------------------- seeds, where scrapy-redis reads them

    def arrivals(self, limit: int) -> list[str]:
        server, key = self._servers[0], self._arrivals
        texts = []
        for value in server.talk(lambda: self._peek(key, limit)):
            try:
                texts.append(value.decode())
            except UnicodeDecodeError:
                self._step(0, "quarantine", key, value)
                server.talk(partial(self._remove, key, [value]))
        return texts

    def arrived(self, urls: Iterable[str]) -> None:
        values = [url.encode() for url in urls]
        if values:
            self._servers[0].talk(lambda: self._remove(self._arrivals, values))

    @property
    def _arrivals(self) -> str:
        return f"{self._place.job}:start_urls"

    def _peek(self, key: str, limit: int) -> list[bytes]:
        if limit < 1:
            return []
        client = self._servers[0].client
        kind = client.type(key)
        if kind == b"list":
            return list(client.lrange(key, 0, limit - 1))
        if kind == b"set":
            return list(client.srandmember(key, limit))
        if kind == b"zset":  # as scrapy-redis takes them: the highest first
            return list(client.zrevrange(key, 0, limit - 1))
        if kind != b"none":
            self._step(0, "quarantine", key, client.dump(key) or b"")
            client.delete(key)
        return []

    def _remove(self, key: str, values: list[bytes]) -> None:
        client = self._servers[0].client
        kind = client.type(key)
        if kind == b"list":
            pipeline = client.pipeline(transaction=False)
            for value in values:
                pipeline.lrem(key, 1, value)
            pipeline.execute()
        elif kind == b"set":
            client.srem(key, *values)
        elif kind == b"zset":
            client.zrem(key, *values)
