"""The Redis frontier keeps the contract, on one shard, on several, on two servers, and on Valkey."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import count

import pytest

from crawler.frontier import Budget, Counts, Frontier, Outlook
from crawler.frontier.redis import RedisFrontier
from crawler.frontier.redis.store import Step
from tests.frontier.accounts import AccountsContract
from tests.frontier.contract import Clock, FrontierContract, entry
from tests.servers import RedisServer


class OnRedis:
    """The fixtures that both suites ask for."""

    keeps_done = False
    shards = 1
    several = False

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def url(self, redis_servers: list[RedisServer]) -> str:
        for server in redis_servers:
            server.empty()
        if self.several:
            return f"redis://{redis_servers[0].address},{redis_servers[1].address}/0?job=test&shards={self.shards}"
        return f"{redis_servers[0].url}?job=test&shards={self.shards}"

    @pytest.fixture
    def frontier(self, url: str, clock: Clock) -> Iterator[Frontier]:
        with RedisFrontier.open(url, clock=clock) as frontier:
            yield frontier

    @pytest.fixture
    def reopen(self, frontier: Frontier, url: str, clock: Clock) -> Iterator[Callable[[], Frontier]]:
        opened: list[Frontier] = []

        def reopen() -> Frontier:
            frontier.close()
            opened.append(RedisFrontier.open(url, clock=clock))
            return opened[-1]

        yield reopen
        for again in opened:
            again.close()


class TestOneShard(OnRedis, FrontierContract):
    pass


class TestThreeShards(OnRedis, FrontierContract):
    shards = 3


class TestTwoServers(OnRedis, FrontierContract):
    shards = 4
    several = True


class TestValkey(OnRedis, FrontierContract):
    @pytest.fixture
    def redis_servers(self, valkey_server: RedisServer) -> list[RedisServer]:
        return [valkey_server]

    def test_it_is_a_valkey(self, valkey_server: RedisServer) -> None:
        with valkey_server.client() as client:
            assert client.info("server")["server_name"] == "valkey"


class Accounts(OnRedis, AccountsContract):
    @pytest.fixture
    def recounted(
        self, frontier: RedisFrontier, redis_servers: list[RedisServer]
    ) -> Iterator[Callable[[Counts], None]]:
        clients = [server.client() for server in redis_servers]

        steps = count()

        def check(counts: Counts) -> None:
            if next(steps) % 5:  # what has drifted stays so
                return
            walked: Counter[str] = Counter()
            for client in clients:
                walked.update(walk(client))
            told = {name: getattr(counts, name) for name in ("queued", "scheduled", "leased", "failed", "hosts")}
            assert told == {name: walked[name] for name in told}
            assert counts.excluded == walked["excluded"]
            assert counts.discovered == walked["known"] + walked["refused"]
            assert walked["adrift"] == 0

        yield check
        for client in clients:
            client.close()


class TestAccountsOfOneShard(Accounts):
    pass


class TestAccountsOfTwoServers(Accounts):
    shards = 3
    several = True


def walk(client: object) -> Counter[str]:
    """Count what the keys of a server hold."""
    found: Counter[str] = Counter()
    for key in client.scan_iter(count=1000):  # type: ignore[attr-defined]
        prefix, _, name = key.decode().partition("}:")
        kind, _, rest = name.partition(":")
        if kind == "k":
            found["known"] += client.scard(key)  # type: ignore[attr-defined]
        elif kind == "x":
            found["refused"] += client.scard(key)  # type: ignore[attr-defined]
            found["excluded"] += client.scard(key)  # type: ignore[attr-defined]
        elif kind == "e":
            for raw in client.hvals(key):  # type: ignore[attr-defined]
                found[{3: "failed", 4: "excluded"}[raw[1]]] += 1
        elif kind == "h":
            found["hosts"] += 1
            found.update(walk_host(client, prefix + "}:", rest, key))
    return found


def walk_host(client: object, prefix: str, host: str, key: bytes) -> Counter[str]:
    """Count a host's queue; ``adrift``: what its own account, its lists or its place say otherwise."""
    found: Counter[str] = Counter()
    kept = {name.decode(): value.decode() for name, value in client.hgetall(key).items()}  # type: ignore[attr-defined]
    queue = {
        member: struct.unpack(">xBh", raw[:4])  # state and level
        for member, raw in client.hgetall(f"{prefix}q:{host}").items()  # type: ignore[attr-defined]
    }
    states = Counter(state for state, _ in queue.values())
    spent = bool(kept.get("spent"))
    found.update({"excluded" if spent else "queued": states[0], "scheduled": states[1], "leased": states[2]})
    listed = set()
    for level in filter(None, kept.get("levels", "").split(",")):
        for member in client.lrange(f"{prefix}l:{level}:{host}", 0, -1):  # type: ignore[attr-defined]
            if member in queue and queue[member] == (0, int(level)):
                listed.add(member)
    found["adrift"] += len(listed) != states[0]
    found["adrift"] += int(kept.get("queued", 0)) != states[0]
    found["adrift"] += int(kept.get("leased", 0)) != states[2]
    places = [client.zscore(prefix + where, host) for where in ("ready", "gates")]  # type: ignore[attr-defined]
    at_work = states[0] > 0 and not spent and not states[2]
    found["adrift"] += sum(place is not None for place in places) != at_work
    return found


class TestWhileABudgetIsSpread(OnRedis):
    """A crawl that goes on sets its budget anew, while its nodes are at work."""

    shards = 3

    @pytest.mark.parametrize("pages", [0, 100])
    def test_nothing_is_spent_meanwhile(
        self, frontier: RedisFrontier, url: str, pages: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        frontier.add([entry("https://a.test/")])
        frontier.set_budget(Budget(pages=pages), 0.0)
        seen: list[Outlook] = []

        def everywhere(script: str, *inputs: object) -> object:
            replies = RedisFrontier._everywhere(frontier, script, *inputs)
            with RedisFrontier.open(url) as other:
                seen.append(other.outlook())
            return replies

        monkeypatch.setattr(frontier, "_everywhere", everywhere)
        frontier.set_budget(Budget(pages=pages), 0.0)
        assert seen
        assert {(outlook.finished, outlook.spent) for outlook in seen} == {(False, False)}

    @pytest.mark.parametrize("given", [0, 1])
    def test_another_goes_on_where_who_spread_it_was_killed(
        self, frontier: RedisFrontier, url: str, clock: Clock, given: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Killed when so many shards had their share."""
        frontier.add([entry(f"https://{letter}.test/") for letter in "abcdefghij"])

        def steps(some: Sequence[Step]) -> list[object]:
            if some[0].name != "quota":
                return RedisFrontier._steps(frontier, some)
            RedisFrontier._steps(frontier, some[:given])
            raise Killed

        with monkeypatch.context() as dying:
            dying.setattr(frontier, "_steps", steps)
            with pytest.raises(Killed):
                frontier.set_budget(Budget(pages=6), 0.0)
        with RedisFrontier.open(url, clock=clock) as other:
            assert all_leased(other) == 2 * given
            clock.pass_(61)  # what was leased is lost, and so is the claim of the dead
            assert all_leased(other) == 6
            assert all_leased(frontier) == 0

    def test_who_is_late_at_it_gives_no_more(
        self, frontier: RedisFrontier, url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Frozen until its claim had run out and another had done it."""
        frontier.add([entry(f"https://{letter}.test/") for letter in "abcdefghij"])

        def steps(some: Sequence[Step]) -> list[object]:
            if some[0].name == "quota":
                clock.pass_(11)
                with RedisFrontier.open(url, clock=clock) as other:
                    other.outlook()
            return RedisFrontier._steps(frontier, some)

        with monkeypatch.context() as freezing:
            freezing.setattr(frontier, "_steps", steps)
            frontier.set_budget(Budget(pages=6), 0.0)
        assert all_leased(frontier) == 6


class Killed(BaseException):
    """The process is gone."""


def all_leased(frontier: Frontier) -> int:
    """Lease whatever may be leased, as a node does, which asks how things stand when it gets nothing."""
    leased = 0
    for _ in range(20):
        some = frontier.lease(9, "n", 60)
        leased += len(some)
        if not some:
            frontier.outlook()
    return leased
