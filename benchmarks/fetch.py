"""CPU per page of fetching and nothing else: our downloader and Scrapy's own, on the same pages, turn by turn.

``python -m benchmarks.fetch [PAGES] [ROUNDS]``: 45 KB pages from a child process on loopback; A B A B. Prints ms of CPU
of the crawling process for each page, and the ratio. ``engine`` is Scrapy with a scheduler of one line in both cases,
``stock`` is Scrapy with all its defaults.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = b"<!doctype html><title>A page</title>" + b"<p>Some text and <a href=/page/1>a link</a>.</p>\n" * 920

SERVER = """
import asyncio, sys, uvloop
from benchmarks.fetch import PAGE
ANSWER = (b"HTTP/1.1 200 OK\\r\\nDate: Mon, 23 Nov 2026 12:00:00 GMT\\r\\nServer: benchmark\\r\\n"
          b"Content-Type: text/html; charset=utf-8\\r\\nCache-Control: max-age=60\\r\\nVary: *\\r\\nETag: 1\\r\\n"
          b"Content-Length: %d\\r\\n\\r\\n" % len(PAGE)) + PAGE
class Server(asyncio.Protocol):
    def connection_made(self, transport): self.transport = transport
    def data_received(self, data): self.transport.write(ANSWER * data.count(b"\\r\\n\\r\\n"))
async def main():
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
uvloop.run(main())
"""

CRAWL = """
import sys, time
import scrapy
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import AsyncCrawlerProcess

mode, port, pages = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
WARM = 200

class Counting(scrapy.Spider):
    name = "counting"
    seen = 0
    async def start(self):
        for number in range(pages + WARM if mode == "stock" else 0):
            yield scrapy.Request(f"http://127.0.0.1:{port}/page/{number}")
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
        return scrapy.Request(f"http://127.0.0.1:{port}/page/{self.left}")
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


def measure(mode: str, port: str, pages: int) -> float:
    """Return ms of CPU for each page."""
    done = subprocess.run(
        [sys.executable, "-c", CRAWL, mode, port, str(pages)], capture_output=True, text=True, cwd=ROOT, check=True
    )
    if not done.stdout:
        raise SystemExit(done.stderr)
    return float(done.stdout)


def main() -> None:
    """Measure, turn by turn, and print."""
    pages, rounds = (int(text) for text in [*sys.argv[1:], "3000", "4"][:2])
    modes = ("ours", "engine", "stock")
    found: dict[str, list[float]] = {mode: [] for mode in modes}
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdin and server.stdout
        port = server.stdout.readline().strip()
        for _ in range(rounds):
            for mode in modes:
                found[mode].append(measure(mode, port, pages))
        server.stdin.close()
    ours = statistics.median(found["ours"])
    for mode in modes:
        median = statistics.median(found[mode])
        each = " ".join(f"{value:.2f}" for value in found[mode])
        print(f"{mode:7} {median:6.2f} ms CPU a page   {median / ours:5.2f} x ours   ({each})")


if __name__ == "__main__":
    main()
