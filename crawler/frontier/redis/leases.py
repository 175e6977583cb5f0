"""Out of the queue and back: leases, their ends, and the gates of the hosts."""

from __future__ import annotations

import heapq
from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from crawler.frontier.records import Completed, Lease
from crawler.frontier.redis.entries import Entries
from crawler.frontier.redis.store import Step, url_of
from linkindex import urls

_unpack = msgspec.msgpack.decode


class _Held(NamedTuple):
    """What a token says: ``SHARD.FENCE.KEY.HOST``."""

    shard: int
    fence: int
    key: str
    host: str

    @property
    def token(self) -> str:
        return f"{self.shard}.{self.fence}.{self.key}.{self.host}"

    @property
    def lease(self) -> tuple[int, str, str]:
        """As the scripts name it."""
        return self.fence, self.key, self.host


class Leases(Entries):
    """``lease``, ``renew``, ``complete_many``, ``release``, ``hold``, ``set_delay``."""

    def lease(self, limit: int, node: str, ttl: float, span: float = 5.0) -> list[Lease]:
        if limit <= 0:
            return []
        shares = self._shares(limit) if len(self._shards) > 1 else {0: limit}
        times = (int(ttl * 1000), int(span * 1000))
        replies = self._steps([Step(shard, "lease", (most, node, *times)) for shard, most in shares.items()])
        found = [(shard, row) for shard, reply in zip(shares, replies, strict=True) for row in _unpack(reply)]
        if len(shares) > 1:
            found.sort(key=lambda each: each[1][11])
        return [_lease(shard, row) for shard, row in found]

    def _shares(self, limit: int) -> dict[int, int]:
        """Return how many URLs to lease of each shard, so that the first of all hosts are leased."""
        replies = self._everywhere("peek", limit)
        ready = {shard: _unpack(scores) for shard, (scores, _) in zip(self._shards, replies, strict=True)}
        left = [allowance for _, allowance in replies]
        limit = min(limit, sum(left))
        first = heapq.nsmallest(limit, ((score, shard) for shard, scores in ready.items() for score in scores))
        share = max(1, limit // max(1, len(first)))
        wanted: defaultdict[int, int] = defaultdict(int)
        for _, shard in first:
            wanted[shard] += share
        for shard, most in wanted.items():
            if left[shard] < most:  # of the job's budget
                left[shard] += self._borrow(shard, most - left[shard], wanted, left)
        return {shard: min(most, left[shard]) for shard, most in wanted.items() if left[shard]}

    def _borrow(self, shard: int, missing: int, wanted: dict[int, int], left: list[int]) -> int:
        """Move what other shards do not need of the job's budget to a shard. A kill in between leaves some unused until
        none are left (:meth:`outlook`); it is never exceeded."""
        borrowed = 0
        for other in self._shards:
            spare = min(left[other] - wanted.get(other, 0), missing - borrowed)
            if other != shard and spare > 0:
                given = -self._step(other, "quota", (-spare,))
                left[other] -= given
                borrowed += given
        return int(self._step(shard, "quota", (borrowed,))) if borrowed else 0

    def depart(self, token: str) -> None:
        held = _held(token)
        if held:
            self._step(held.shard, "depart", held.lease)

    def renew(self, tokens: Iterable[str], ttl: float) -> None:
        by_shard = _by_shard(_held(token) for token in tokens)
        self._steps(
            [Step(shard, "renew", (int(ttl * 1000), [one.lease for one in held])) for shard, held in by_shard.items()]
        )

    def complete_many(self, completed: Sequence[Completed]) -> list[str]:
        ends = {end.token: (held, end) for end in completed if (held := _held(end.token))}
        led = [(held, end.discovered) for held, end in ends.values() if end.discovered]
        pages = self._in_force([held for held, _ in led])
        if pages:  # before the leases end: a kill in between has them visited again, and loses nothing
            self._add((pages[held], discovered) for held, discovered in led if held in pages)
        by_shard = _by_shard(held for held, _ in ends.values())
        replies = self._steps(
            [
                Step(shard, "complete", [(*one.lease, *_end(ends[one.token][1])) for one in held])
                for shard, held in by_shard.items()
            ]
        )
        lost = {held[i].token for held, reply in zip(by_shard.values(), replies, strict=True) for i in reply}
        return [end.token for end in completed if end.token in lost or end.token not in ends]

    def _in_force(self, held: list[_Held]) -> dict[_Held, str]:
        """Return the URLs of those leases that have not expired."""
        by_shard = _by_shard(held)
        replies = self._steps([Step(shard, "held", [one.lease for one in each]) for shard, each in by_shard.items()])
        return {
            one: url_of(tail.decode(), one.host)
            for each, reply in zip(by_shard.values(), replies, strict=True)
            for one, tail in zip(each, reply, strict=True)
            if tail
        }

    def release(self, token: str, not_before: float, reason: str, *, counted: bool = True) -> None:
        held = _held(token)
        if held:
            self._step(held.shard, "release", (*held.lease, max(0, int(not_before * 1000)), reason, counted))

    def hold(self, host: str, seconds: float, reason: str) -> None:
        domain = urls.domain_of(host)
        self._step(self._shard(domain), "host", (host, domain, "hold", int(seconds * 1000), reason))

    def set_delay(self, host: str, seconds: float) -> None:
        domain = urls.domain_of(host)
        self._step(self._shard(domain), "host", (host, domain, "delay", seconds))


def _lease(shard: int, row: list[Any]) -> Lease:
    key, fence, host, tail, depth, hops, attempt, delay, sitemap, crashes, memo, _, now = row
    return Lease(
        token=f"{shard}.{fence}.{key}.{host}",
        url=url_of(tail, host),
        host=host,
        depth=depth,
        hops=hops,
        attempt=attempt,
        delay=delay,
        sitemap=sitemap,
        crashes=crashes,
        memo=b64decode(memo),
        now=int(now),
    )


def _held(token: str) -> _Held | None:
    shard, *rest = token.split(".", 3)
    if len(rest) < 3 or not (shard.isdigit() and rest[0].isdigit()):
        return None
    return _Held(int(shard), int(rest[0]), rest[1], rest[2])


def _by_shard(held: Iterable[_Held | None]) -> dict[int, list[_Held]]:
    found: defaultdict[int, list[_Held]] = defaultdict(list)
    for one in held:
        if one:
            found[one.shard].append(one)
    return found


def _end(end: Completed) -> tuple[str, str, int, int, str, int]:
    due = -1 if end.next_due is None else int(end.next_due * 1000)
    return end.state, end.reason, int(end.ago * 1000), due, b64encode(end.memo).decode(), int(end.pause * 1000)
