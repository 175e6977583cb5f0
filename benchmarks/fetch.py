"""CPU per page of fetching and nothing else: our downloader and Scrapy's own, on the same pages, turn by turn.

``python -m benchmarks.fetch [PAGES] [ROUNDS]``: pages of 45 KB, 2000 of them (at most 2800), from a child process on
loopback; A B A B. Prints ms of CPU of the crawling process for each page, and the ratio. ``ours`` and ``engine`` differ
in the downloader alone: both have a scheduler of one line and none of Scrapy's middlewares. ``stock`` is Scrapy with its
defaults, but for what it may ask of one address at a time.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

from interfaces.demo.serve import serving

ROOT = Path(__file__).parents[1]
SITE = ("--site", "3000", "--hosts", "150", "--links", "105", "--external", "10", "--size", "45000")
WARM = 200  # pages fetched before the measuring begins

CRAWL = """
import sys, time
import scrapy
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import AsyncCrawlerProcess
from benchmarks.fetch import WARM
from interfaces.demo.model import split
from interfaces.demo.site import make_site

mode, port, pages = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
places = [split(url) for url in make_site(3000, hosts=150, links_per_page=105, external_per_page=10, size=45000).pages]

def request(number):
    host, path = places[number]
    return scrapy.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": host})

class Counting(scrapy.Spider):
    name = "counting"
    seen = 0
    async def start(self):
        for number in range(pages + WARM if mode == "stock" else 0):
            yield request(number)
    def parse(self, response):
        assert len(response.body) > 40_000
        Counting.seen += 1
        if Counting.seen == WARM:
            self.since = time.process_time()
        elif Counting.seen == WARM + pages:
            print((time.process_time() - self.since) / pages * 1000)

class Numbers(BaseScheduler):
    left = pages + WARM
    def next_request(self):
        if not self.left:
            return None
        self.left -= 1
        return request(self.left)
    def has_pending_requests(self): return self.left > 0
    def enqueue_request(self, request): raise AssertionError

settings = {"LOG_LEVEL": "WARNING", "CONCURRENT_REQUESTS_PER_DOMAIN": 16, "TELNETCONSOLE_ENABLED": False,
            "REMOTE_CONTROL_ENABLED": False, "DOWNLOAD_DELAY": 0, "ROBOTSTXT_OBEY": False}
if mode != "stock":
    settings |= {"TWISTED_REACTOR_ENABLED": False, "ASYNCIO_EVENT_LOOP": "uvloop.Loop", "SCHEDULER": Numbers,
                 "SPIDER_MIDDLEWARES_BASE": {}, "DOWNLOADER_MIDDLEWARES_BASE": {}, "CONCURRENT_ITEMS": 1,
                 "LOG_FORMATTER": "crawler.logs.LogFormatter", "EXTENSIONS_BASE": {},
                 "WARN_ON_GENERATOR_RETURN_VALUE": False}
if mode == "ours":
    settings |= {"DOWNLOADER": "crawler.downloader.Downloader", "LINKATLAS_ALLOW_PRIVATE": True,
                 "LINKATLAS_PORTS": [port]}
process = AsyncCrawlerProcess(settings)
process.crawl(Counting)
process.start()
"""


def measure(mode: str, port: int, pages: int) -> float:
    """Return ms of CPU for each page."""
    done = subprocess.run(
        [sys.executable, "-c", CRAWL, mode, str(port), str(pages)], capture_output=True, text=True, cwd=ROOT, check=True
    )
    if not done.stdout:
        raise SystemExit(done.stderr)
    return float(done.stdout)


def main() -> None:
    """Measure, turn by turn, and print."""
    given = [int(text) for text in sys.argv[1:3]]
    pages, rounds = (given + [2000, 4][len(given) :])[:2]
    modes = ("ours", "engine", "stock")
    found: dict[str, list[float]] = {mode: [] for mode in modes}
    with serving(*SITE) as port:
        for _ in range(rounds):
            for mode in modes:
                found[mode].append(measure(mode, port, pages))
    ours = statistics.median(found["ours"])
    for mode in modes:
        median = statistics.median(found[mode])
        each = " ".join(f"{value:.2f}" for value in found[mode])
        print(f"{mode:7} {median:6.2f} ms CPU a page   {median / ours:5.2f} x ours   ({each})")


if __name__ == "__main__":
    main()
