"""What being watched costs a page: the same crawl unwatched, and with ``--metrics-port`` while somebody scrapes it each second.

``python -m benchmarks.watched [ROUNDS]``: in turns (A B A B), CPU time of the crawl's process, as :mod:`benchmarks.crawl`
counts it. Before that, the additions that are made for each page, watched or not, are timed alone, with those that
Prometheus' own counters and histograms would make in their place.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress

from benchmarks.crawl import ROOT, SITE, ours
from interfaces.demo.serve import serving
from interfaces.web.asking import ask
from linkindex.model import Link, Outcome, Visit
from tests.servers import free_port

VISIT = Visit(
    url="https://a.test/", host="a.test", at=1, outcome=Outcome.PAGE, links=(Link(target="https://b.test/"),) * 105
)
TIMES = 200_000


def additions() -> tuple[float, float]:
    """Return µs a page of what is measured, and of the same by Prometheus' counters and histograms."""
    from prometheus_client import CollectorRegistry, Counter, Histogram

    from crawler.metrics import Metrics

    metrics, registry = Metrics(), CollectorRegistry()
    pages = Counter("pages", "x", ["outcome"], registry=registry)
    size, links = (Counter(name, "x", registry=registry) for name in ("size", "links"))
    fetch, parse = (Histogram(name, "x", registry=registry) for name in ("fetch", "parse"))

    def own() -> None:
        metrics.fetched(0.123, 45_000)
        metrics.visited(VISIT, fetched=True, read=0.0012)

    def theirs() -> None:
        fetch.observe(0.123)
        size.inc(45_000)
        pages.labels(VISIT.outcome).inc()
        links.inc(len(VISIT.links))
        parse.observe(0.0012)

    took = []
    for add in (own, theirs):
        began = time.process_time()
        for _ in range(TIMES):
            add()
        took.append((time.process_time() - began) / TIMES * 1e6)
    return took[0], took[1]


def crawl(site: int, port: int) -> tuple[float, int]:
    """Crawl in this process; return (CPU s, pages)."""
    import scrapy.crawler  # noqa: F401  # imports are not counted

    if port:
        import interfaces.web.listener  # noqa: F401
    began = time.process_time()
    pages = ours("site", site, metrics_port=port)
    return time.process_time() - began, pages


def run(site: int, port: int) -> tuple[float, int]:
    """Crawl in a process of its own, scraped while it runs where there is a port; return (CPU ms a page, scrapes)."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.watched", str(site), str(port)]
        process = subprocess.Popen(
            command, cwd=folder, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
        )
        scrapes = 0
        while port and process.poll() is None:
            time.sleep(1.0)
            with suppress(OSError, TimeoutError):
                scrapes += asyncio.run(ask("127.0.0.1", port, "/metrics"))[0] == 200
        cpu, pages = json.loads(process.communicate()[0].splitlines()[-1])
        return cpu / pages * 1000, scrapes


def main(rounds: int) -> None:
    """Print every round, then the medians and their ratio."""
    own, theirs = additions()
    print(f"additions of one page: {own:.2f} µs; by Prometheus' own counters {theirs:.2f} µs", flush=True)
    took: dict[str, list[float]] = {"unwatched": [], "watched": []}
    with serving(*SITE) as site:
        for _ in range(rounds):
            for side, each in took.items():
                cpu, scrapes = run(site, free_port() if side == "watched" else 0)
                each.append(cpu)
                print(f"{side:<9} {cpu:.3f} ms CPU a page, {scrapes} scrapes", flush=True)
    medians = {side: statistics.median(values) for side, values in took.items()}
    print(f"ratio {medians['watched'] / medians['unwatched']:.3f}")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(crawl(int(sys.argv[1]), int(sys.argv[2]))))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
