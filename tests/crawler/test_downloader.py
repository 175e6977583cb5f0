"""Our downloader inside the pinned Scrapy: a real crawl, and what the engine asks of it."""

from __future__ import annotations

import ast
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import scrapy.core.downloader
import scrapy.core.engine
import scrapy.utils.engine

from tests.rawserver import HTML, Reply, page, serving

ROOT = Path(__file__).parents[2]
PAGE = b"<!doctype html><title>Fine</title>"

CRAWL = """
import json, sys
import scrapy
from scrapy import signals
from scrapy.crawler import AsyncCrawlerProcess

class Stamp:
    def process_request(self, request):
        request.headers["X-Stamp"] = "seen"
    def process_response(self, request, response):
        return response.replace(status=299) if response.status == 200 else response

class Trivial(scrapy.Spider):
    name = "trivial"

    @classmethod
    def from_crawler(cls, crawler):
        spider = super().from_crawler(crawler)
        for name in ("request_reached_downloader", "response_downloaded", "request_left_downloader"):
            crawler.signals.connect(getattr(spider, name), getattr(signals, name))
        return spider

    def __init__(self):
        self.heard = []

    def request_reached_downloader(self, request):
        self.heard.append("reached")

    def response_downloaded(self, request, response):
        self.heard.append("downloaded")

    def request_left_downloader(self, request):
        self.heard.append("left")

    async def start(self):
        for url in json.loads(sys.argv[1]):
            yield scrapy.Request(url, callback=self.parse, errback=self.failed, dont_filter=True)

    def parse(self, response):
        fetched = response.meta["fetch"]
        self.tell(response.url, status=response.status, body=len(response.body), flags=response.flags,
                  values=[value.decode() for value in response.headers.getlist("x-robots-tag")],
                  address=str(response.ip_address), protocol=response.protocol, fetched=fetched.address)

    def failed(self, failure):
        fetched = failure.request.meta["fetch"]
        self.tell(failure.request.url, reason=failure.value.reason, ended=fetched.ended > 0)

    def tell(self, url, **what):
        print(json.dumps({"url": url, **what}))

    def closed(self, reason):
        stats = {key: value for key, value in self.crawler.stats.get_stats().items() if key.startswith("downloader/")}
        print(json.dumps({"reason": reason, "heard": sorted(self.heard), "stats": stats}))

settings = {
    "DOWNLOADER": "crawler.downloader.Downloader",
    "DOWNLOADER_MIDDLEWARES_BASE": {},
    "TWISTED_REACTOR_ENABLED": False,
    "ASYNCIO_EVENT_LOOP": "uvloop.Loop",
    "SCHEDULER_PRIORITY_QUEUE": "scrapy.pqueues.ScrapyPriorityQueue",  # the default one asks for slots
    "SPIDER_MIDDLEWARES_BASE": {},
    "TELNETCONSOLE_ENABLED": False,
    "REMOTE_CONTROL_ENABLED": False,
    "LOG_LEVEL": "INFO",
    **json.loads(sys.argv[2]),
}
process = AsyncCrawlerProcess(settings)
process.crawl(Trivial)
process.start()
"""


def crawl(urls: list[str], **settings: Any) -> tuple[dict[str, dict[str, Any]], dict[str, Any], str]:
    """Crawl in a process of its own. Returns what each URL came to, the last word, and the log."""
    arguments = [sys.executable, "-X", "dev", "-W", "error", "-c", CRAWL, json.dumps(urls)]
    done = subprocess.run(
        [*arguments, json.dumps(settings)],
        capture_output=True, text=True, timeout=60, check=False, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return {end["url"]: end for end in told[:-1]}, told[-1], done.stderr


def test_a_crawl_hears_of_every_answer_and_every_failure() -> None:
    robots = HTML + b"X-Robots-Tag: noindex\r\nX-Robots-Tag: nofollow\r\n"
    replies: dict[str, Reply] = {"/": page(PAGE, robots), "/image": page(b"x" * 99, b"Content-Type: image/png\r\n")}
    with serving(replies) as server:
        rule = f"site.example:80:127.0.0.1:{server.port}"
        wanted = ["http://site.example/", "http://site.example/image", "http://site.example/none", "http://127.0.0.1/",
                  "http://127.0.0.1:22/", "ftp://site.example/"]  # fmt: skip
        ends, last, log = crawl(wanted, LINKATLAS_CONNECT_TO=[rule], LINKATLAS_CONCURRENCY=2)
    assert ends[wanted[0]] == {
        "url": wanted[0], "status": 200, "body": len(PAGE), "flags": [], "values": ["noindex", "nofollow"],
        "address": "127.0.0.1", "protocol": "HTTP/1.1", "fetched": "127.0.0.1",
    }  # fmt: skip
    assert (ends[wanted[1]]["body"], ends[wanted[1]]["flags"]) == (0, ["not_a_page"])
    assert ends[wanted[3]] == {"url": wanted[3], "reason": "refused_address", "ended": True}
    assert ends[wanted[4]]["reason"] == "refused_port"
    assert ends[wanted[5]]["reason"] == "refused_scheme"
    assert last["reason"] == "finished"
    assert last["heard"] == ["downloaded"] * 3 + ["left"] * 6 + ["reached"] * 6
    assert last["stats"]["downloader/response_count"] == 3
    assert last["stats"]["downloader/exception_count"] == 3
    assert last["stats"]["downloader/exception_type_count/refused_port"] == 1
    assert "Traceback" not in log
    assert "nclosed client" not in log and "nclosed conn" not in log and "unclosed transport" not in log


def test_middlewares_of_a_user_are_run() -> None:
    with serving({"/": page(PAGE)}) as server:
        rule = f"site.example:80:127.0.0.1:{server.port}"
        ends, _, _ = crawl(
            ["http://site.example/"], LINKATLAS_CONNECT_TO=[rule], DOWNLOADER_MIDDLEWARES={"__main__.Stamp": 500}
        )
    assert ends["http://site.example/"]["status"] == 299
    assert b"X-Stamp: seen" in server.requests[0]


def _asked(module: ModuleType) -> set[str]:
    """Return the names that a module's source reads of ``….downloader``, also in texts that it evaluates."""
    tree = ast.parse(inspect.getsource(module))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    for text in texts:
        if text.startswith(("engine.", "len(engine.")):
            tree.body.extend(ast.parse(text).body)
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "downloader"
    }


def test_the_engine_asks_for_nothing_that_we_lack() -> None:
    from crawler.downloader import Downloader

    asked = _asked(scrapy.core.engine) | _asked(scrapy.utils.engine)
    assert {"fetch", "needs_backout", "close", "active"} <= asked
    given = {*vars(Downloader), "active"}  # active is set by __init__
    assert asked <= given
    stock = inspect.signature(scrapy.core.downloader.Downloader.fetch).parameters
    ours = inspect.signature(Downloader.fetch).parameters
    assert list(ours) == [name for name in stock if name != "spider"]
