"""How much two nodes on one Redis frontier do, against one: ``python -m benchmarks.fleet [--share S] [--pages N] …``.

A site of many hosts, a real redis-server, one index file. Pages a second between the first and the last tenth of the pages,
so that neither starting nor waiting for the last counts, and the CPU time of the nodes. Ratios hold within one run.

Without ``--share``, nodes, server and site share the machine's cores, and two nodes do more than one only as far as those
last. With it (root only) each node has this share of a core and no more, and Redis and the site have what they need.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.shares import Share, share
from crawler.frontier import Frontier, open_frontier
from interfaces.demo.serve import serving
from linkindex.errors import BadInput
from tests.crawls.command import command, environment
from tests.servers import RedisServer


def run(shares: Sequence[Share | None], pages: int, port: int, redis: str, folder: Path) -> tuple[float, float]:
    """Return pages a second, and the nodes' CPU time a page in ms."""
    frontier = ("--frontier", f"{redis}?job=bench")
    limits = ("--depth", "50", "--max-pages", "0", "--delay", "0")
    node = (*frontier, "--connect-to", f"::127.0.0.1:{port}", "--sitemaps", "none", "--contact", "bench@example.org")
    before = os.times()
    nodes = [_start(folder, shares[0], "crawl", "http://site.example/", *node, *limits)]
    with _opened(frontier[1]) as told:
        nodes += [_start(folder, one, "node", "--until-finished", *node) for one in shares[1:]]
        while len(told.nodes()) < len(shares):
            time.sleep(0.1)
        began, first = _wait(told, pages // 10)
        ended, last = _wait(told, pages - pages // 10)
        assert [node.wait() for node in nodes] == [0] * len(nodes)
        visited = told.counts().visited
    after = os.times()
    assert visited >= pages, visited
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return (last - first) / (ended - began), cpu / visited * 1000


def _start(folder: Path, share_: Share | None, *arguments: str) -> subprocess.Popen[bytes]:
    node = subprocess.Popen(command(*arguments), cwd=folder, env=environment(), stdout=subprocess.DEVNULL)
    if share_:
        share_.take(node.pid)
    return node


def _opened(url: str) -> Frontier:
    while True:
        try:
            return open_frontier(url, create=False)
        except BadInput:  # there is no job yet
            time.sleep(0.1)


def _wait(frontier: Frontier, pages: int) -> tuple[float, int]:
    """Return when so many pages had been visited, and how many."""
    while (visited := frontier.counts().visited) < pages:
        time.sleep(0.05)
    return time.monotonic(), visited


def main() -> None:
    """Print a table, a row a round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--share", type=float, help="of a core, for each node")
    given = parser.parse_args()
    ratios = []
    print("one node: pages/s  CPU ms a page    two nodes: pages/s  CPU ms a page    ratio", flush=True)
    with ExitStack() as stack:
        shares: list[Share | None] = [None, None]
        if given.share:
            stack.enter_context(share("free")).take(os.getpid())  # and so Redis and the site
            shares = [stack.enter_context(share(name, given.share)) for name in ("one", "two")]
        site = ("--site", str(given.pages), "--hosts", str(given.hosts), "--external", "0")
        port = stack.enter_context(serving(*site))
        for _ in range(given.rounds):
            found = []
            for nodes in (1, 2):
                with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder)) as redis:
                    found.append(run(shares[:nodes], given.pages, port, redis.url, Path(folder)))
            (one, one_cpu), (two, two_cpu) = found
            ratios.append(two / one)
            print(f"{one:17.1f}  {one_cpu:13.2f}    {two:18.1f}  {two_cpu:13.2f}    {two / one:5.2f}", flush=True)
    print(f"median ratio {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
