"""CPU time of a page: the whole crawl, next to Scrapy with its defaults fetching the same pages and doing nothing.

``python -m benchmarks.crawl [demo|site] [ROUNDS]``: the demo's web, or 3,000 pages of 45 KB with 105 links on 150 hosts.
Each side is one process; what is counted is its CPU time from the start of its event loop to the end, imports apart.
The two run in turns (A B A B) and the ratio is that of the medians.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from interfaces.demo.serve import serving
from interfaces.demo.site import make_site
from interfaces.demo.web import make_web

ROOT = Path(__file__).parents[1]
SITE = ("--site", "3000", "--hosts", "150", "--links", "105", "--external", "10", "--size", "45000")


def ours(web: str, port: int, **others: Any) -> int:
    """Crawl the whole web into an index, with ``others`` as further options; return the pages that were visited."""
    from crawler.frontier import open_frontier
    from crawler.job import begin, budget_of, scope_of
    from crawler.process import run_node
    from settings.options import resolve

    seeds, urls, _ = _web(web)
    hosts = {url.split("/")[2] for url in urls}
    detours = (
        [f"{host}:80:127.0.0.1:{port}" for host in sorted(hosts)] if len(hosts) < 50 else [f":80:127.0.0.1:{port}"]
    )
    stay = {"include": [f"http://{'site' if web == 'site' else ''}*"]}
    flags: dict[str, Any] = {"delay": 0, "max_pages": 0, "depth": 50, "connect_to": detours, **stay}
    if web == "site":
        flags["exclude"] = ["*//target-*"]
    options = resolve({**flags, **others}, {}, {})
    with open_frontier(options.frontier_url, exclusive=True) as frontier:
        begin(frontier, seeds, scope_of(options), budget_of(options), options.delay)
        run_node(options)
        return frontier.counts().visited


def scrapy_alone(web: str, port: int) -> int:
    """Fetch the same pages with Scrapy as it comes."""
    from collections.abc import AsyncIterator

    from scrapy import Request, Spider
    from scrapy.crawler import AsyncCrawlerProcess

    _, urls, _ = _web(web)
    fetched = []

    class Fetch(Spider):
        name = "fetch"

        async def start(self) -> AsyncIterator[Request]:
            for url in urls:
                _, _, host, path = url.split("/", 3)
                yield Request(f"http://127.0.0.1:{port}/{path}", headers={"Host": host}, dont_filter=True)

        def parse(self, response: Any) -> None:
            fetched.append(response.status)

    process = AsyncCrawlerProcess()  # its log of every page goes to a pipe
    process.crawl(Fetch)
    process.start()
    return len(fetched)


def _web(name: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return (seeds, URLs that a crawl visits, the server's arguments)."""
    if name == "demo":
        made = make_web(1)
        return made.seeds, made.pages, ("--seed", "1")
    site = make_site(3000, hosts=150, links_per_page=105, external_per_page=10, size=45_000)
    return site.seeds, site.pages, SITE


def _child(side: str, web: str, port: int) -> tuple[float, float, int]:
    """Run one side in a process of its own: (CPU s, wall s, pages)."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.crawl", side, web, str(port)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
        result = json.loads(done.stdout.splitlines()[-1])
        return result["cpu"], result["wall"], result["pages"]


def _rounds(web: str, rounds: int) -> Iterator[tuple[str, float, float, int]]:
    _, _, arguments = _web(web)
    with serving(*arguments) as port:
        for _ in range(rounds):
            for side in SIDES:
                yield side, *_child(side, web, port)


SIDES: dict[str, Callable[[str, int], int]] = {"ours": ours, "scrapy": scrapy_alone}


def main(web: str = "demo", rounds: int = 3) -> None:
    """Print every round, then the medians and their ratio."""
    per_page: dict[str, list[float]] = {side: [] for side in SIDES}
    for side, cpu, wall, pages in _rounds(web, rounds):
        per_page[side].append(cpu / pages * 1000)
        print(
            f"{side:<7} {pages:>5} pages  {cpu / pages * 1000:.2f} ms CPU a page  {pages / wall:.0f} pages/s",
            flush=True,
        )
    medians = {side: statistics.median(values) for side, values in per_page.items()}
    print(
        f"{web}: ours {medians['ours']:.2f} ms, scrapy {medians['scrapy']:.2f} ms, "
        f"ratio {medians['ours'] / medians['scrapy']:.2f}"
    )


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] in SIDES:
        import scrapy.crawler  # noqa: F401  # imports are not counted

        cpu, wall = time.process_time(), time.monotonic()
        count = SIDES[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
        print(json.dumps({"cpu": time.process_time() - cpu, "wall": time.monotonic() - wall, "pages": count}))
    else:
        main(sys.argv[1] if len(sys.argv) > 1 else "demo", *(int(argument) for argument in sys.argv[2:]))
