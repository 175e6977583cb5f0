"""What a frontier costs: both backends, the same work; a redis-server of our own, with its append-only file.

``python -m benchmarks.frontier [--known N] [--only sqlite|redis]``; goals, of Redis: 130,000 discovered URLs a second and
core, 12 bytes a known URL, 200 bytes a queued one of 60 characters, 600 µs and 0.05 round trips a page, and a first lease
within 5 s of the start whatever is known.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from crawler.frontier import Completed, Entry, Frontier, open_frontier
from tests.servers import RedisServer

BATCH, KNOWN, URLS = 200, 0.6, 400_000  # entries of one add; the share that was discovered before; of all
HOSTS = 2000
PAGES, LINKS, HAND = 2000, 105, 100  # pages crawled; links discovered on each; leases asked for, and ended, at once


class Cost(NamedTuple):
    """Seconds that some work took: by the clock, of the server's core, of ours."""

    wall: float
    server: float
    client: float


class Bench:
    """A frontier to be measured, and its server where it has one."""

    def __init__(self, frontier: Frontier, server: RedisServer | None) -> None:
        self.frontier = frontier
        self.client = server.client() if server else None

    def info(self, name: str) -> float:
        told: dict[str, Any] = self.client.info() if self.client else {}
        return float(told.get(name, 0))

    def cpu(self) -> float:
        return self.info("used_cpu_user_main_thread") + self.info("used_cpu_sys_main_thread")

    def cost(self, work: Callable[[], object]) -> Cost:
        server, client, wall = self.cpu(), _cpu(), time.perf_counter()
        work()
        return Cost(time.perf_counter() - wall, self.cpu() - server, _cpu() - client)


def url_of(number: int) -> tuple[str, str, str]:
    """Return a URL of 60 characters, its host and its domain; neighbours in number share hosts as links of a page do."""
    domain = f"site-{number // 20 % HOSTS:05}.test"
    host = f"www.{domain}"
    return f"https://{host}/section/{number % 7}/article-".ljust(50, "x") + f"{number:010}", host, domain


def entry(number: int) -> Entry:
    url, host, domain = url_of(number)
    return Entry(url=url, host=host, domain=domain, depth=1 + number % 3)


def discoveries(total: int, size: int) -> Iterator[tuple[str, list[Entry]]]:
    """Yield the pages that lead to ``total`` entries, ``size`` each, KNOWN of them discovered before."""
    dice, fresh = random.Random(1), 0
    for page in range(total // size):
        new = max(1, round(size * (1 - KNOWN)))
        numbers = list(range(fresh, fresh + new))
        fresh += new
        start = dice.randrange(fresh)
        numbers += [(start + step) % fresh for step in range(size - new)]
        yield url_of(page * 31)[0], [entry(number) for number in numbers]


def adding(bench: Bench) -> None:
    """Discover URLs in three parts; the best counts, since other work on the machine only ever makes it slower."""
    pages = list(discoveries(URLS, BATCH))
    third = len(pages) // 3
    costs = [
        bench.cost(lambda part=part: [bench.frontier.add(entries, page) for page, entries in part])  # type: ignore[misc]
        for part in (pages[:third], pages[third : 2 * third], pages[2 * third : 3 * third])
    ]
    wall, server = min(cost.wall for cost in costs), min(cost.server for cost in costs)
    told = f"{third * BATCH / server:,.0f} a second of the server's core, " if server else ""
    print(f"  discovered URLs, {KNOWN:.0%} known: {told}{third * BATCH / wall:,.0f} a second by the clock")
    if bench.client:
        print(f"    (a script that only puts keys into sets, on the same core: {bare_sets(bench):,.0f} a second)")


def bare_sets(bench: Bench) -> float:
    """Return how many random keys a second of the server's core a loop in Lua puts into small sets: what to compare with."""
    dice, best = random.Random(2), 0.0
    assert bench.client is not None
    step = bench.client.register_script(
        "for i = 1, #ARGV do redis.call('SADD', KEYS[1] .. tonumber(ARGV[i]:sub(-9)) % 512, ARGV[i]) end"
    )
    for _ in range(3):
        batches = [[dice.getrandbits(63) for _ in range(BATCH)] for _ in range(200)]
        cost = bench.cost(lambda: [step(keys=["{bare}:"], args=keys) for keys in batches])  # noqa: B023
        best = max(best, 200 * BATCH / cost.server)
    return best


def crawling(bench: Bench) -> None:
    """Crawl pages that lead to LINKS others each, KNOWN of them discovered before."""
    pages = list(discoveries(PAGES * LINKS, LINKS))
    bench.frontier.add(
        Entry(url=f"https://seed-{n}.test/", host=f"seed-{n}.test", domain=f"seed-{n}.test") for n in range(HAND)
    )

    def crawl() -> None:
        todo = iter(pages)
        done = 0
        while done < PAGES:
            leases = bench.frontier.lease(HAND, "n", 60.0)
            ends = [Completed(token=one.token, discovered=page[1]) for one, page in zip(leases, todo, strict=False)]
            bench.frontier.complete_many(ends)
            done += len(ends)

    with Trips() as counted:
        cost = bench.cost(crawl)
    server, client, wall = (seconds / PAGES * 1e6 for seconds in (cost.server, cost.client, cost.wall))
    print(
        f"  a page crawled, {LINKS} links: {server:,.0f} µs of the server's core, {client:,.0f} of ours, {wall:,.0f} by"
    )
    print(f"    the clock; {counted.trips / PAGES:.3f} round trips")


class Trips:
    """Counts what is sent to Redis: a pipeline is one round trip."""

    def __enter__(self) -> Trips:
        from crawler.frontier.redis.servers import Server

        self.trips, self._run = 0, Server.talk

        def counted(server: Server, ask: Callable[[], Any]) -> Any:
            self.trips += 1
            return self._run(server, ask)

        Server.talk = counted  # type: ignore[method-assign, assignment]
        return self

    def __exit__(self, *exc: object) -> None:
        from crawler.frontier.redis.servers import Server

        Server.talk = self._run  # type: ignore[method-assign]


def memory(bench: Bench) -> None:
    before = bench.info("used_memory")
    known, queued = 1_000_000, 200_000
    for start in range(0, known, 2000):
        bench.frontier.remember(entry(number) for number in range(start, start + 2000))
    after = bench.info("used_memory")
    for start in range(0, queued, 40):
        bench.frontier.add([entry(known + number) for number in range(start, start + 40)], url_of(start)[0])
    full = bench.info("used_memory")
    print(f"  memory: {(after - before) / known:.1f} B a known URL, {(full - after) / queued:.1f} B a queued one "
          f"of {len(url_of(1)[0])} characters (hosts and what is known of them included)")  # fmt: skip


def flat(url: str, server: RedisServer) -> None:
    """Crawl hosts that each know far more pages than they queue, with what waits outside (here: numbers) fed back when it is
    asked for; tell what Redis holds beside the known-set while the crawl goes on."""
    hosts, room, visits, links = 100, 200, 5000, 100
    told: list[str] = []
    outside, fresh = [0] * hosts, [0] * hosts  # of each host: the first number to be fed, the first to be discovered

    def pages(host: int, start: int, n: int) -> list[Entry]:
        name = f"site-{host}.test"
        made = (
            f"https://{name}/section/article-".ljust(50, "x") + f"{number:010}" for number in range(start, start + n)
        )
        return [Entry(url=one, host=name, domain=name, depth=1) for one in made]

    with open_frontier(url, host_queue=room) as frontier:
        bench = Bench(frontier, server)
        before = bench.info("used_memory")
        frontier.add(
            Entry(url=f"https://site-{n}.test/", host=f"site-{n}.test", domain=f"site-{n}.test") for n in range(hosts)
        )
        for done in range(visits):
            if done % hosts == 0:
                for name in frontier.hungry(hosts):
                    host = int(name[5:-5])
                    added = frontier.add(pages(host, outside[host], room))  # most are known; the next are not
                    outside[host] += added.known + added.new
                    frontier.fed(name, more=True)
                leases = frontier.lease(hosts, "n", 60.0)
                ends = []
                for lease in leases:
                    host = int(lease.host[5:-5])
                    ends.append(Completed(token=lease.token, discovered=pages(host, fresh[host], links)))
                    fresh[host] += links
                frontier.complete_many(ends)
            if (done + 1) % (visits // 5) == 0:
                known = frontier.counts().discovered * 9.5  # as `memory` measures it
                held = (bench.info("used_memory") - before - known) / 1e6
                told.append(f"{held:.2f} MB after {sum(fresh):,}")
    print(f"  {visits:,} visits; held beside the known-set: {', '.join(told)} discoveries")


def resuming(reopen: Callable[[], Frontier], known: int) -> None:
    with reopen() as frontier:
        for start in range(0, known, 5000):
            frontier.remember(entry(number) for number in range(start, start + 5000))
        frontier.add([Entry(url="https://seed.test/", host="seed.test", domain="seed.test")])
    began = time.perf_counter()
    with reopen() as frontier:
        assert frontier.lease(10, "n", 60.0)
        print(f"  resumed with {known:,} known: first lease after {(time.perf_counter() - began) * 1000:.0f} ms")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--known", type=int, default=500_000, help="URLs known when the crawl is resumed")
    wanted.add_argument("--only", choices=["sqlite", "redis"])
    options = wanted.parse_args()
    for backend in ("redis", "sqlite"):
        if options.only not in {None, backend}:
            continue
        print(backend)
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            server = stack.enter_context(RedisServer(folder)) if backend == "redis" else None
            for work in (adding, crawling, memory):
                if work is memory and server is None:
                    continue
                url = f"{server.url}?job={work.__name__}" if server else f"sqlite:///{folder}/{work.__name__}.db"
                with open_frontier(url) as frontier:
                    work(Bench(frontier, server))
            if server:
                flat(f"{server.url}?job=flat", server)
            url = f"{server.url}?job=resuming" if server else f"sqlite:///{folder}/resuming.db"
            resuming(lambda url=url: open_frontier(url), options.known)  # type: ignore[misc]


if __name__ == "__main__":
    main()
