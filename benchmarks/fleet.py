"""How much two nodes on one Redis frontier do, against one: ``python -m benchmarks.fleet [--pages N] [--rounds N]``.

A site of many hosts, a real redis-server, one index file; pages a second from the first lease to the last acknowledgement,
and the CPU time of a node. Ratios hold within one run; nodes, server and the site share the machine's cores.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from crawler.frontier import open_frontier
from interfaces.demo.serve import serving
from tests.crawls.command import command, environment
from tests.servers import RedisServer


def run(nodes: int, pages: int, port: int, redis: str, folder: Path) -> tuple[float, float]:
    """Return pages a second, and the nodes' CPU time a page in ms."""
    options = ("--frontier", f"{redis}?job=bench", "--connect-to", f"::127.0.0.1:{port}")
    limits = (
        "--depth",
        "50",
        "--max-pages",
        "0",
        "--contact",
        "bench@example.org",
        "--delay",
        "0",
        "--sitemaps",
        "none",
    )
    began, before = time.monotonic(), os.times()
    crawl = subprocess.Popen(
        command("crawl", "http://site.example/", *options, *limits, "--workers", str(nodes)),
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
    )
    assert crawl.wait() == 0
    after = os.times()
    with open_frontier(f"{redis}?job=bench", create=False) as frontier:
        visited = frontier.counts().visited
    assert visited >= pages, visited
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return visited / (time.monotonic() - began), cpu / visited * 1000


def main() -> None:
    """Print a table, a row a round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    ratios = []
    print("one node: pages/s  CPU ms a page    two nodes: pages/s  CPU ms a page    ratio")
    with serving("--site", str(given.pages), "--hosts", str(given.hosts), "--external", "0") as port:
        for _ in range(given.rounds):
            found = []
            for nodes in (1, 2):
                with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder)) as redis:
                    found.append(run(nodes, given.pages, port, redis.url, Path(folder)))
            (one, one_cpu), (two, two_cpu) = found
            ratios.append(two / one)
            print(f"{one:17.1f}  {one_cpu:13.2f}    {two:18.1f}  {two_cpu:13.2f}    {two / one:5.2f}")
    print(f"median ratio {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
