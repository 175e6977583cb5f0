"""The shared frontier: one job on one or several Redis servers (6.2 or later, or Valkey), or on a Redis Cluster.

Every step is one Lua script on one shard (``lua/``), so a kill at any point leaves the state before or after it. A shard
holds whole registrable domains under the key tag ``{job:shard}``; no step touches two. What a page led to is added before
its lease ends.

Of what is known, 64-bit keys are kept; the text, only of what is still to be visited or ended without an answer.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from typing import Any, Self

import msgspec

from crawler.frontier.records import Budget, Counts, Gates, Life, Outlook, Robots, read_robots
from crawler.frontier.redis.guard import guard
from crawler.frontier.redis.nodes import Nodes
from crawler.frontier.redis.place import Place, parse
from crawler.frontier.redis.servers import Call, Server, connect
from crawler.frontier.redis.store import Step, prefix
from linkindex import urls
from linkindex.errors import BadInput, Incompatible

__all__ = ["RedisFrontier"]

FORMAT = "2"  # of the keys
HOST_QUEUE = 1000
_CLUSTER_SHARDS = 16
_STATES = ("queued", "scheduled", "leased", "done", "failed", "excluded", "visited", "hosts", "quarantined")
_SPREADING = "budget"  # the claim of who spreads it over the shards
_SPREAD = 10.0  # s that it holds
_UNKNOWN = (0, 0, 0, 0, 0, "", "", 0, 0, 0, 0)  # what is told of a URL of which only the key is kept


class RedisFrontier(Nodes):
    """:class:`crawler.frontier.Frontier` on Redis. Threads may share it."""

    @classmethod
    def open(
        cls,
        url: str,
        *,
        create: bool = True,
        accept_volatile: bool = False,
        host_queue: int = HOST_QUEUE,
        client: Mapping[str, object] | None = None,
        clock: Callable[[], float] | None = None,
    ) -> Self:
        """Open the job that ``url`` names (:func:`crawler.frontier.redis.place.parse`), and make it where it is not there.

        ``host_queue``: how many URLs of a host are queued at most, where the job is made. ``client`` goes before what
        ``url`` says of the connection (``servers.connect``). ``clock`` stands for the servers' clock, in tests.

        Raises BadInput for what cannot be used, with its remedy; Unavailable; Incompatible for another format, or when
        some of the job is gone.
        """
        place = parse(url)
        with ExitStack() as undo:
            servers = connect(place, client or {})
            for server in servers:
                undo.callback(server.close)
            for server in servers:
                guard(server, accept_volatile)
            shards, epoch = _enter(place, servers, create, host_queue)
            undo.pop_all()
        return cls(place, servers, shards, epoch, clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # ---------------------------------------------------------------- limits, the job

    def set_budget(self, budget: Budget, delay: float) -> None:
        who = secrets.token_hex(8)
        while wait := self.claim(_SPREADING, who, _SPREAD):
            time.sleep(min(wait, 0.1))
        self._spread(budget, delay, who)

    def _spread(self, budget: Budget, delay: float, who: str) -> None:
        """Set limits, and give each shard its share of the pages. ``who`` has claimed that; one that is killed before it
        is done leaves shards without a quota, and :meth:`outlook` has another do it once the claim has run out."""
        limits = msgspec.json.encode((budget, delay)).decode()
        amounts = (budget.pages_per_host, budget.pages_per_domain, budget.growth, delay, limits, bool(budget.pages))
        used = self._everywhere("limits", amounts)
        if budget.pages:  # nothing is leased until there are quotas again
            left = max(0, budget.pages - sum(used))
            shares = [left // len(self._shards) + (shard < left % len(self._shards)) for shard in self._shards]
            self._steps([Step(shard, "quota", (share, used[shard])) for shard, share in enumerate(shares)])
        self.unclaim(_SPREADING, who)
        for shard in self._shards:
            cursor = "0"
            while True:
                cursor = self._step(shard, "reconsider", cursor).decode()
                if cursor == "0":
                    break

    def _mend_quotas(self) -> None:
        """Give shards the pages that the budget leaves, unless somebody is at it."""
        kept, who = self._limits(), secrets.token_hex(8)
        if kept and not self.claim(_SPREADING, who, _SPREAD):
            self._spread(*kept, who)

    def _spread_budget(self) -> None:
        kept = self._limits()
        if kept:
            self.set_budget(*kept)

    def _limits(self) -> tuple[Budget, float] | None:
        kept = self._step(0, "job", "limits")
        return msgspec.json.decode(kept, type=tuple[Budget, float]) if kept else None

    def job(self) -> dict[str, object]:
        kept = self._step(0, "job", "job")
        return msgspec.json.decode(kept, type=dict[str, object]) if kept else {}

    def set_job(self, job: dict[str, object]) -> None:
        self._step(0, "job", "job", msgspec.json.encode(job))

    # ---------------------------------------------------------------- what is known of hosts

    def robots(self, hosts: Iterable[str]) -> dict[str, Robots]:
        return self._robots(hosts, False)

    def _robots(self, hosts: Iterable[str], stale: bool) -> dict[str, Robots]:
        by_shard = self._by_shard(hosts)
        replies = self._steps([Step(shard, "robots", (names, stale)) for shard, names in by_shard.items()])
        found = {}
        for (shard, names), reply in zip(by_shard.items(), replies, strict=True):
            for host, stored in zip(names, reply, strict=True):
                if stored and (robots := read_robots(stored)):
                    found[host] = robots
                elif stored:
                    self._step(shard, "quarantine", f"robots {host}", stored)
        return found

    def put_robots(self, host: str, robots: Robots, fresh: float) -> None:
        verdict = msgspec.msgpack.encode(robots)
        self._step(self._shard_of(host), "put_robots", (host, int(fresh * 1000)), verdict)

    def notes(self, name: str, hosts: Iterable[str]) -> dict[str, bytes]:
        by_shard = self._by_shard(hosts)
        replies = self._steps([Step(shard, "notes", (name, names)) for shard, names in by_shard.items()])
        return {
            host: note
            for names, reply in zip(by_shard.values(), replies, strict=True)
            for host, note in zip(names, reply, strict=True)
            if note is not None
        }

    def put_notes(self, name: str, notes: Mapping[str, bytes]) -> None:
        by_shard = self._by_shard(notes)
        self._steps(
            [
                Step(shard, "put_notes", (name, names), [notes[host] for host in names])
                for shard, names in by_shard.items()
            ]
        )

    # ---------------------------------------------------------------- questions

    def why(self, url: str) -> Life | None:
        host = urls.host_of(url)
        found = self._step(self._shard_of(host), "why", (str(urls.key(url)), host))
        if not found:
            return None
        state, reason, page, ended, opens, delay, held, because, visited, most, *record = msgspec.msgpack.decode(found)
        depth, hops, sitemap, attempts, crashes, node, trail, domains, again, at, due = record or _UNKNOWN
        robots = self._robots([host], True).get(host)
        return Life(
            url=url,
            state=state,
            reason=reason,
            host=host,
            depth=depth,
            hops=hops,
            sitemap=sitemap,
            attempts=attempts,
            crashes=crashes,
            node=node,
            trail=trail,
            domains=domains,
            again=again,
            discovered_at=at,
            discovered_on=page,
            due=due or None,
            ended_at=ended or None,
            host_opens=opens or None,
            host_delay=float(delay),
            host_held_until=held or None,
            host_held_because=because,
            host_visited=visited,
            host_budget=most,
            robots=robots.verdict if robots else "",
        )

    def counts(self) -> Counts:
        return self._accounts()[0]

    def gates(self) -> Gates:
        found = self._everywhere("gates")
        return Gates(
            open=sum(gates for gates, _, _ in found),
            held=sum(held for _, held, _ in found),
            overdue=max(overdue for _, _, overdue in found) / 1000,
        )

    def _accounts(self) -> tuple[Counts, int]:
        """Return the sum of the shards' accounts, and how many pages the budget leaves; -1 without one."""
        totals: dict[str, int] = {}
        waiting = left = 0
        for pairs, outside, rest in self._everywhere("counts"):
            for name, n in zip(pairs[::2], pairs[1::2], strict=True):
                totals[name.decode()] = totals.get(name.decode(), 0) + int(n)
            waiting += outside
            left += rest
        by: dict[str, dict[str, int]] = {"e": {}, "f": {}}
        for name, n in totals.items():
            kind, _, reason = name.partition(":")
            if reason and n:
                by[kind][reason] = n
        states: dict[str, Any] = {name: totals.get(name, 0) for name in _STATES}
        return Counts(**states, waiting=waiting, excluded_by=by["e"], failed_by=by["f"]), left

    def outlook(self) -> Outlook:
        counts, left = self._accounts()
        if not counts.queued + counts.scheduled + counts.leased + counts.waiting:
            return Outlook(finished=True)
        kept = self._limits() if left == 0 else None  # no shard may lease more; the budget says why
        pages = kept[0].pages if kept else 0
        if counts.leased + counts.visited < pages:
            self._mend_quotas()
        if counts.leased:  # another node is at work, and may find more any moment
            return Outlook(finished=False)
        if 0 < pages <= counts.visited:
            return Outlook(finished=False, spent=True)
        waits = [wait for wait in self._everywhere("outlook") if wait >= 0]
        return Outlook(finished=False, wait=min(waits, default=0) / 1000)


def _enter(place: Place, servers: list[Server], create: bool, host_queue: int) -> tuple[int, str]:
    """Return how many shards the job has, and its epoch; make what is missing of a new one."""

    def enter(shard: int, epoch: str, shards: int, make: bool) -> list[bytes]:
        args = (epoch, FORMAT, shards, host_queue, int(make))
        found: list[bytes] = servers[shard % len(servers)].run([Call("create", prefix(place.job, shard), args)])[0]
        return found

    wanted = place.shards or (_CLUSTER_SHARDS if place.kind == "cluster" else len(servers))
    found = enter(0, secrets.token_hex(8), wanted, create)
    if not found:
        raise BadInput(
            f"frontier {place.name}: there is no job {place.job!r}; crawl begins one, reconcile rebuilds one that was lost"
        )
    epoch, written, shards = (value.decode() if value else "" for value in found[:3])
    if written != FORMAT:
        raise Incompatible(f"frontier {place.name}: job {place.job!r} was made by another linkatlas (format {written})")
    if place.shards and place.shards != int(shards):
        raise BadInput(f"frontier {place.name}: job {place.job!r} has {shards} shards; leave &shards= out")
    complete = found[3] is not None
    for shard in range(1, int(shards)):
        other = enter(shard, epoch, int(shards), create and not complete)
        if not other or other[0].decode() != epoch:
            raise Incompatible(
                f"frontier {place.name}: shard {shard} of job {place.job!r} is not there; name the same servers in the "
                "same order as before, and if one was emptied: linkatlas reconcile rebuilds it"
            )
    if not complete:
        servers[0].talk(lambda: servers[0].client.hset(prefix(place.job, 0) + "m", "complete", 1))
    return int(shards), epoch
