"""What is Redis' own: servers that forget, fail, restart, or hold what is not ours; clusters; seeds that people push."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
import redis

from crawler.frontier import Beat, Budget, Completed, open_frontier, order
from crawler.frontier.redis import RedisFrontier, servers
from crawler.frontier.redis.place import parse
from linkindex.errors import BadInput, Incompatible, Unavailable
from tests.frontier.contract import Clock, entry, life_of, pages, visit
from tests.servers import RedisServer

BEAT = Beat(node="n", started=0, hand=0, pages=0, rate=0.0)


@pytest.fixture
def server(redis_servers: list[RedisServer]) -> RedisServer:
    redis_servers[0].empty()
    return redis_servers[0]


@pytest.fixture
def client(server: RedisServer) -> Iterator[redis.Redis]:
    with server.client() as client:
        yield client


@pytest.fixture
def frontier(server: RedisServer) -> Iterator[RedisFrontier]:
    with RedisFrontier.open(f"{server.url}?job=test") as frontier:
        yield frontier


# ---- a server that would lose what it is told


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--appendonly", "no"], "appendonly yes"),
        (["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"], "maxmemory-policy noeviction"),
    ],
)
def test_a_server_that_forgets_is_refused_with_the_remedy(tmp_path: Path, options: list[str], says: str) -> None:
    with RedisServer(tmp_path, options) as server:
        url = f"{server.url}?job=test"
        with pytest.raises(BadInput, match=says):
            open_frontier(url)
        open_frontier(url, accept_volatile=True).close()


def test_no_more_memory_is_unavailable_and_loses_nothing(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server, RedisFrontier.open(f"{server.url}?job=test") as frontier:
        frontier.add([entry("https://a.test/")])
        with server.client() as client:
            client.config_set("maxmemory", "100kb")  # less than any release begins with
            with pytest.raises(Unavailable, match="OOM"):
                frontier.add(pages("b.test", 9))
            client.config_set("maxmemory", "0")
        assert frontier.counts().discovered == 1
        assert frontier.add(pages("b.test", 9)).new == 9


def test_a_wrong_password_is_told_without_it(tmp_path: Path) -> None:
    with RedisServer(tmp_path, ["--requirepass", "right"]) as server:
        for login in ("", ":wrong@"):
            with pytest.raises(BadInput, match="refuses") as raised:
                open_frontier(f"redis://{login}{server.address}/0?job=test")
            assert "wrong@" not in str(raised.value)
        open_frontier(f"redis://:right@{server.address}/0?job=test").close()


def test_nobody_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"no\.sock.*no connection"):
        open_frontier(f"unix://{tmp_path}/no.sock?job=test")


# ---- a server that was emptied, restarted, replaced


def test_a_job_that_is_not_there_is_made_by_a_crawl_only(server: RedisServer, client: redis.Redis) -> None:
    with pytest.raises(BadInput, match="no job 'test'"):
        open_frontier(f"{server.url}?job=test", create=False)
    assert client.dbsize() == 0


def test_an_emptied_server_is_noticed_by_every_step(frontier: RedisFrontier, client: redis.Redis) -> None:
    frontier.add([entry("https://a.test/")])
    lease = frontier.lease(1, "n", 60)[0]
    client.flushall()
    for step in (
        lambda: frontier.beat(BEAT),
        lambda: frontier.lease(1, "n", 60),
        lambda: frontier.complete_many([Completed(token=lease.token)]),
        frontier.outlook,
        frontier.counts,
    ):
        with pytest.raises(Incompatible, match="emptied or replaced"):
            step()
    assert client.dbsize() == 0


def test_a_server_emptied_and_used_anew_is_not_taken_for_ours(server: RedisServer, frontier: RedisFrontier) -> None:
    server.empty()
    with RedisFrontier.open(f"{server.url}?job=test"), pytest.raises(Incompatible, match="emptied or replaced"):
        frontier.add([entry("https://a.test/")])


def test_one_of_two_servers_emptied_is_noticed(redis_servers: list[RedisServer]) -> None:
    for each in redis_servers:
        each.empty()
    url = f"redis://{redis_servers[0].address},{redis_servers[1].address}/0?job=test"
    with RedisFrontier.open(url) as frontier:
        frontier.beat(BEAT)
        redis_servers[1].empty()
        with pytest.raises(Incompatible, match="emptied or replaced"):
            frontier.beat(BEAT)
    with pytest.raises(Incompatible, match="shard 1"):
        RedisFrontier.open(url)


def test_another_number_of_shards_or_format_is_told(server: RedisServer, client: redis.Redis) -> None:
    RedisFrontier.open(f"{server.url}?job=test&shards=2").close()
    with pytest.raises(BadInput, match="has 2 shards"):
        RedisFrontier.open(f"{server.url}?job=test&shards=3")
    client.hset("{test:0}:m", "format", "99")
    with pytest.raises(Incompatible, match="another linkatlas"):
        RedisFrontier.open(f"{server.url}?job=test")


def test_a_killed_server_comes_back_with_all_it_was_told(tmp_path: Path) -> None:
    with (
        RedisServer(tmp_path, ["--appendfsync", "always"]) as server,
        RedisFrontier.open(f"{server.url}?job=test") as frontier,
    ):
        frontier.set_budget(Budget(), 30.0)
        frontier.add(pages("a.test", 5) + pages("b.test", 2))
        frontier.put_notes("traps", {"a.test": b"x"})
        lease = frontier.lease(1, "n", 600)[0]
        before = frontier.counts()
        server.kill()
        with pytest.raises(Unavailable, match="no connection"):
            frontier.counts()
        server.start()  # scripts are gone with it
        assert frontier.counts() == before
        assert frontier.notes("traps", ["a.test"]) == {"a.test": b"x"}
        assert frontier.complete_many([Completed(token=lease.token)]) == []
        assert {one.host for one in frontier.lease(9, "n", 60)} == {"a.test", "b.test"} - {lease.host}


def test_scripts_that_a_server_forgot_are_sent_anew(frontier: RedisFrontier, client: redis.Redis) -> None:
    frontier.add(pages("a.test", 2))
    client.script_flush()
    leases = frontier.lease(2, "n", 60)
    client.script_flush()
    ends = [Completed(token=lease.token, discovered=pages("b.test", 3)) for lease in leases]
    assert frontier.complete_many(ends) == []
    assert frontier.counts().discovered == 5


# ---- values that are not ours


def test_a_record_that_cannot_be_read_is_set_aside_and_may_be_discovered_anew(
    frontier: RedisFrontier, client: redis.Redis
) -> None:
    frontier.add(pages("a.test", 4))
    ours: dict[bytes, bytes] = client.hgetall("{test:0}:q:a.test")  # type: ignore[assignment]
    first, second, third, _ = ours
    client.hset("{test:0}:q:a.test", first, b"\x80\x05pickled")
    client.hset("{test:0}:q:a.test", second, b"\x63" + ours[second][1:])  # of version 99
    client.hset("{test:0}:q:a.test", third, b"")
    assert len(frontier.lease(9, "n", 60)) == 1
    counts = frontier.counts()
    assert (counts.quarantined, counts.queued, counts.leased) == (3, 0, 1)
    assert client.llen("{test:0}:quarantine") == 3
    assert frontier.add(pages("a.test", 4)).new == 3


@pytest.mark.parametrize(
    "key", ["q:a.test", "l:2:a.test", "h:a.test", "leased", "scheduled", "k:0", "e:a.test", "taken"]
)
def test_a_key_of_another_type_is_set_aside(frontier: RedisFrontier, client: redis.Redis, key: str) -> None:
    frontier.add(pages("a.test", 4))
    client.delete("{test:0}:" + key)
    client.set("{test:0}:" + key, "not ours")
    frontier.add(pages("a.test", 5) + pages("b.test", 1))
    for lease in frontier.lease(9, "n", 60):
        frontier.complete_many([Completed(token=lease.token, state="failed", reason="x")])
    while visit(frontier):
        pass
    frontier.forget(["https://a.test/1"])
    assert frontier.counts().quarantined >= 1
    assert frontier.outlook().finished
    assert b"not ours" in {client.get(name) for name in client.scan_iter("{test:0}:aside:*")}


def test_a_job_whose_accounts_are_gone_is_not_touched(frontier: RedisFrontier, client: redis.Redis) -> None:
    client.set("{test:0}:m", "not ours")
    with pytest.raises(Incompatible, match="not ours"):
        frontier.add(pages("a.test", 4))
    assert client.dbsize() == 1


def test_a_queue_whose_lists_are_lost_is_mended(frontier: RedisFrontier, client: redis.Redis) -> None:
    frontier.add(pages("a.test", 4))
    client.delete("{test:0}:l:2:a.test")
    assert len(visit(frontier)) == 4
    assert frontier.outlook().finished


# ---- seeds that people push


@pytest.mark.parametrize("kind", ["list", "set", "zset"])
def test_pushed_seeds_stay_until_they_are_taken_in(frontier: RedisFrontier, client: redis.Redis, kind: str) -> None:
    wanted = ["https://a.test/", "https://b.test/", "https://c.test/"]
    if kind == "list":
        client.rpush("test:start_urls", *wanted)
    elif kind == "set":
        client.sadd("test:start_urls", *wanted)
    else:
        client.zadd("test:start_urls", {url: -place for place, url in enumerate(wanted)})
    assert frontier.arrivals(0) == []
    first = frontier.arrivals(2)
    assert len(set(first)) == 2
    if kind != "set":
        assert first == wanted[:2]
    assert set(frontier.arrivals(9)) == set(wanted)
    frontier.arrived(first)
    assert frontier.arrivals(9) == [url for url in wanted if url not in first]


def test_what_is_no_text_or_no_collection_is_set_aside(frontier: RedisFrontier, client: redis.Redis) -> None:
    client.rpush("test:start_urls", b"\xff\xfe", "https://a.test/")
    assert frontier.arrivals(9) == ["https://a.test/"]
    frontier.arrived(["https://a.test/"])
    client.set("test:start_urls", "https://a.test/")
    assert frontier.arrivals(9) == []
    assert frontier.counts().quarantined == 2
    client.rpush("test:start_urls", "https://b.test/")
    assert frontier.arrivals(9) == ["https://b.test/"]


# ---- the order


def test_lua_orders_as_python_does(client: redis.Redis) -> None:
    lua = files("crawler.frontier.redis") / "lua" / "parts" / "order.lua"
    step = client.register_script(
        lua.read_text() + "local m = tonumber(ARGV[1]) return { distinct(m), level(9, m, tonumber(ARGV[2])) }"
    )
    for bits in range(33):
        marks = sum(1 << place for place in random.Random(bits).sample(range(32), bits))
        for again in (0, 62, 63, 5000):
            domains = order.distinct(marks)
            assert step(args=[marks, again]) == [domains, order.level(9, domains, again)]


# ---- a bounded queue


def test_a_hosts_queue_is_bounded_and_asked_for_again(server: RedisServer) -> None:
    clock = Clock()
    with RedisFrontier.open(f"{server.url}?job=bounded", host_queue=8, clock=clock) as frontier:
        added = frontier.add(pages("a.test", 20))
        assert (added.new, added.waiting) == (8, 12)
        assert frontier.add([entry("https://a.test/seed"), entry("https://a.test/map", 1, sitemap=1)]).new == 2
        counts = frontier.counts()
        assert (counts.queued, counts.discovered, counts.waiting) == (10, 10, 1)
        assert frontier.hungry(9) == []
        seen = {lease.url for lease in visit(frontier)}
        assert not frontier.outlook().finished
        assert frontier.hungry(9) == ["a.test"]
        assert frontier.hungry(9) == []  # another node was told
        clock.pass_(61)
        assert frontier.hungry(9) == ["a.test"]
        assert frontier.add(pages("a.test", 20)).waiting == 4  # what the index knows
        frontier.fed("a.test", more=False)  # but in between, it was full again
        seen |= {lease.url for lease in visit(frontier)}
        assert frontier.hungry(9) == ["a.test"]
        frontier.add(pages("a.test", 20))
        frontier.fed("a.test", more=False)
        assert frontier.counts().waiting == 0
        seen |= {lease.url for lease in visit(frontier)}
        assert frontier.outlook().finished
        assert len(seen) == 22


def test_a_host_that_many_link_to_may_queue_more(server: RedisServer) -> None:
    with RedisFrontier.open(f"{server.url}?job=bounded", host_queue=8) as frontier:
        frontier.add(pages("a.test", 8))
        frontier.add([entry("https://a.test/0", 1)], "https://b.test/")
        assert frontier.add(pages("a.test", 200)).new == 100


def test_a_host_with_a_spent_budget_waits_for_nothing(server: RedisServer) -> None:
    with RedisFrontier.open(f"{server.url}?job=bounded", host_queue=8) as frontier:
        frontier.set_budget(Budget(pages_per_host=2), 0.0)
        frontier.add(pages("a.test", 20))
        visit(frontier)
        visit(frontier)
        counts = frontier.counts()
        assert (counts.waiting, counts.excluded_by) == (0, {"host_budget": 6})
        assert frontier.outlook().finished
        frontier.set_budget(Budget(), 0.0)
        assert frontier.counts().waiting == 1
        assert len(visit(frontier)) == 6


# ---- many keys, many nodes, many servers


def test_the_known_set_grows_and_forgets_nothing(frontier: RedisFrontier, client: redis.Redis) -> None:
    many = [
        entry(f"https://h{number % 50}.test/{number}", excluded="depth" if number % 3 == 0 else "")
        for number in range(9000)
    ]
    for start in range(0, len(many), 1000):
        frontier.add(many[start : start + 1000], "https://a.test/")
    assert frontier.counts().discovered == 9000
    assert frontier.add(many).known == 9000
    encodings = {client.object("encoding", name) for name in client.scan_iter("{test:0}:k:*", count=1000)}
    assert encodings == {b"intset"}
    assert frontier.forget(one.url for one in many[:4500]) == 4500
    assert frontier.counts().discovered == 4500


def test_two_processes_lease_every_url_once(server: RedisServer) -> None:
    url = f"{server.url}?job=test&shards=2"
    with open_frontier(url) as frontier:
        frontier.set_budget(Budget(pages=150), 0.0)
        frontier.add([page for number in range(40) for page in pages(f"h{number}.test", 5)])
    code = (
        "from crawler.frontier import open_frontier, Completed\n"
        f"f = open_frontier({url!r})\n"
        "while not f.outlook().spent:\n"
        "    for lease in f.lease(7, 'n', 60):\n"
        "        print(lease.url)\n"
        "        f.complete_many([Completed(token=lease.token)])\n"
    )
    root = Path(__file__).parents[2]
    nodes = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=root) for _ in "ab"]
    leased = [line for node in nodes for line in node.communicate(timeout=60)[0].split()]
    assert [node.returncode for node in nodes] == [0, 0]
    assert len(leased) == len(set(leased)) == 150


def test_work_wakes_who_waits(server: RedisServer, frontier: RedisFrontier) -> None:
    woken = threading.Event()

    def idle() -> None:
        frontier.wait(60)
        woken.set()

    waiting = threading.Thread(target=idle)
    waiting.start()
    with RedisFrontier.open(f"{server.url}?job=test") as other:
        for number in range(200):  # until the thread listens
            other.add(pages(f"h{number}.test", 1))
            other.lease(9, "n", 60)
            if woken.wait(0.05):
                break
    waiting.join(60)
    assert woken.is_set()
    assert number < 199


def test_closing_ends_a_wait(server: RedisServer) -> None:
    frontier, errors = RedisFrontier.open(f"{server.url}?job=test"), []

    def idle() -> None:
        try:
            frontier.wait(60)
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    waiting = threading.Thread(target=idle)
    waiting.start()
    time.sleep(0.2)
    frontier.close()
    waiting.join(30)
    assert not waiting.is_alive()
    assert errors == []


def test_an_idle_node_is_quiet(frontier: RedisFrontier, client: redis.Redis) -> None:
    frontier.wait(0.01)
    before = client.info("stats")["total_commands_processed"]
    began = time.monotonic()
    frontier.wait(0.5)
    assert time.monotonic() - began >= 0.5
    assert client.info("stats")["total_commands_processed"] - before <= 2


def test_a_cluster_of_two(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    options = ["--cluster-enabled", "yes"]
    with RedisServer(folders[0], options) as one, RedisServer(folders[1], options) as two:
        join(one, two)
        with RedisFrontier.open(f"redis+cluster://{one.address}?job=test&shards=4") as frontier:
            frontier.add([page for number in range(20) for page in pages(f"h{number}.test", 3)])
            assert frontier.arrivals(9) == []
            while leases := frontier.lease(50, "n", 60):
                ends = [Completed(token=lease.token, discovered=[entry(lease.url + "/x", 9)]) for lease in leases[:9]]
                assert frontier.complete_many(ends + [Completed(token=lease.token) for lease in leases[9:]]) == []
                if frontier.counts().done > 90:
                    break
            assert frontier.counts().done >= 60
            assert life_of(frontier, "https://h3.test/1").state == "known"
            frontier.beat(BEAT)
            with two.client() as client:
                assert client.dbsize() > 0
                client.flushall()
            with pytest.raises(Incompatible, match="emptied or replaced"):
                frontier.beat(BEAT)


def test_sentinels_name_the_server(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("server", "sentinel")]
    for folder in folders:
        folder.mkdir()
    with RedisServer(folders[0]) as server:
        configuration = folders[1] / "sentinel.conf"
        configuration.write_text(f"sentinel monitor main 127.0.0.1 {server.port} 1\n")
        with RedisServer(folders[1], sentinel=configuration) as sentinel:
            with RedisFrontier.open(f"redis+sentinel://{sentinel.address}/main/0?job=test") as frontier:
                frontier.add(pages("a.test", 2))
                assert len(visit(frontier)) == 2
            with pytest.raises(Unavailable):
                RedisFrontier.open(f"redis+sentinel://{sentinel.address}/other/0?job=test")


def join(one: RedisServer, two: RedisServer) -> None:
    """Make a cluster of two servers, half of the slots each."""
    with one.client() as first, two.client() as second:
        first.execute_command("CLUSTER", "ADDSLOTS", *range(8192))
        second.execute_command("CLUSTER", "ADDSLOTS", *range(8192, 16384))
        first.execute_command("CLUSTER", "MEET", "127.0.0.1", two.port)
        for _ in range(500):
            states = [client.execute_command("CLUSTER", "INFO") for client in (first, second)]
            if all("'cluster_state': 'ok'" in str(state) or "cluster_state:ok" in str(state) for state in states):
                return
            time.sleep(0.02)
    raise AssertionError("the cluster did not come up")


def test_what_is_no_redis_is_noticed_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "GREETING", 0.3)
    with socket.create_server(
        ("127.0.0.1", 0)
    ) as silent:  # as a mongod is, which waits for more of what it cannot read
        port = silent.getsockname()[1]
        with pytest.raises(Unavailable, match=f"127.0.0.1:{port}: nothing answers there as Redis does, within 0.3 s"):
            open_frontier(f"redis://127.0.0.1:{port}/0?job=x")


def test_a_server_that_was_greeted_has_all_the_time_it_needs(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        (one,) = servers.connect(parse(f"{server.url}?job=x"), {})
        one.greet()
        assert one.client.connection_pool.connection_kwargs["socket_timeout"] == 30
        assert one.client.connection_pool.get_connection().socket_timeout == 30
        one.close()
