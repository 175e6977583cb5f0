"""Our downloader inside the pinned Scrapy: a real crawl, and what the engine asks of it."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import scrapy.core.downloader
import scrapy.core.engine
import scrapy.core.scraper
import scrapy.crawler
import scrapy.utils.engine

import crawler.downloader
from crawler.downloader import Downloader
from crawler.scheduler import PageRequest
from linkindex import urls
from tests.rawserver import HTML, Reply, page, serving

ROOT = Path(__file__).parents[2]
PAGE = b"<!doctype html><title>Fine</title>"

CRAWL = """
import json, sys, warnings
import scrapy
from scrapy import signals
from scrapy.crawler import AsyncCrawlerProcess
import settings.base

# Scrapy makes this event loop, and its two ends of a Unix socket, and leaves them open; ours would be family 2 or 10.
warnings.filterwarnings("ignore", r"unclosed (event loop|<socket.socket fd=\\d+, family=(AddressFamily.AF_UNIX|1),)")

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
        found = self.crawler.get_downloader_middleware(Stamp)
        stats = {key: value for key, value in self.crawler.stats.get_stats().items() if key.startswith("downloader/")}
        print(json.dumps({"reason": reason, "heard": sorted(self.heard), "stats": stats,
                          "stamp": type(found).__name__}))

process = AsyncCrawlerProcess({
    **{name: value for name, value in vars(settings.base).items() if name.isupper()},
    "SCHEDULER": "scrapy.core.scheduler.Scheduler",
    "SCHEDULER_PRIORITY_QUEUE": "scrapy.pqueues.ScrapyPriorityQueue",  # the default one asks for slots
    "ITEM_PIPELINES": {},
    "SPIDER_MODULES": [],
    **json.loads(sys.argv[2]),
})
process.crawl(Trivial)
process.start()
"""


def crawl(urls: list[str], **settings: Any) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Crawl in a process of its own, which ends by itself. Returns what each URL came to, and the last word."""
    arguments = [sys.executable, "-W", "error", "-c", CRAWL, json.dumps(urls)]
    done = subprocess.run(
        [*arguments, json.dumps(settings)],
        capture_output=True, text=True, timeout=60, check=False, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not re.search("Traceback|Warning|WARNING|ERROR|CRITICAL|nclosed", done.stderr), done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return {end["url"]: end for end in told[:-1]}, told[-1]


def test_a_crawl_hears_of_every_answer_and_every_failure() -> None:
    robots = HTML + b"X-Robots-Tag: noindex\r\nX-Robots-Tag: nofollow\r\n"
    replies: dict[str, Reply] = {"/": page(PAGE, robots), "/image": page(b"x" * 99, b"Content-Type: image/png\r\n")}
    with serving(replies) as server:
        rule = f"site.example:80:127.0.0.1:{server.port}"
        wanted = ["http://site.example/", "http://site.example/image", "http://site.example/none", "http://127.0.0.1/",
                  "http://127.0.0.1:22/", "ftp://site.example/", "http://nobody.example/"]  # fmt: skip
        with serving({}) as gone:
            nobody = f"nobody.example:80:127.0.0.1:{gone.port}"
        ends, last = crawl(wanted, LINKATLAS_CONNECT_TO=[rule, nobody], LINKATLAS_CONCURRENCY=2)
    assert ends[wanted[0]] == {
        "url": wanted[0], "status": 200, "body": len(PAGE), "flags": [], "values": ["noindex", "nofollow"],
        "address": "127.0.0.1", "protocol": "HTTP/1.1", "fetched": "127.0.0.1",
    }  # fmt: skip
    assert (ends[wanted[1]]["body"], ends[wanted[1]]["flags"]) == (0, ["not_a_page"])
    assert ends[wanted[3]] == {"url": wanted[3], "reason": "refused_address", "ended": True}
    assert ends[wanted[4]]["reason"] == "refused_port"
    assert ends[wanted[5]]["reason"] == "refused_scheme"
    assert ends[wanted[6]]["reason"] == "connect"
    assert last["reason"] == "finished"
    assert last["heard"] == ["downloaded"] * 3 + ["left"] * 7 + ["reached"] * 7
    assert last["stats"]["downloader/response_count"] == 3
    assert last["stats"]["downloader/exception_count"] == 4
    assert last["stats"]["downloader/exception_type_count/refused_port"] == 1


def test_middlewares_of_a_user_are_run() -> None:
    with serving({"/": page(PAGE)}) as server:
        rule = f"site.example:80:127.0.0.1:{server.port}"
        ends, last = crawl(
            ["http://site.example/"], LINKATLAS_CONNECT_TO=[rule], DOWNLOADER_MIDDLEWARES={"__main__.Stamp": 500}
        )
    assert ends["http://site.example/"]["status"] == 299
    assert last["stamp"] == "Stamp"  # found by whoever asks the crawler for it
    assert b"X-Stamp: seen" in server.requests[0]


def _tree(module: ModuleType) -> ast.Module:
    return ast.parse(inspect.getsource(module))


def _asked(module: ModuleType) -> set[str]:
    """Return the names that a module's source reads of ``….downloader``, also in texts that it evaluates."""
    tree = _tree(module)
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
    modules = (scrapy.core.engine, scrapy.core.scraper, scrapy.crawler, scrapy.utils.engine)
    asked = set().union(*map(_asked, modules))
    assert {"fetch", "needs_backout", "close", "active", "middleware"} <= asked
    set_by_init = {
        node.attr
        for node in ast.walk(_tree(crawler.downloader))
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }
    assert asked <= set_by_init | set(vars(Downloader))
    stock = inspect.signature(scrapy.core.downloader.Downloader.fetch).parameters
    ours = inspect.signature(Downloader.fetch).parameters
    assert list(ours) == [name for name in stock if name != "spider"]


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/%zz?q=%", "http://a.example/?a=b|c&d=[e]^`{}", "http://a.example/%7euser/%E9?q=%e9",
        "http://a.example/a//b/;x=1?&&=&", "http://a.example/?q='", "http://xn--bcher-kva.example/a+b",
        "https://a.example/!$&'()*+,;=:@", "http://[2606:4700::1]/", "http://a.example:8080/?\u20ac=\u2603#x",
    ],
)  # fmt: skip
def test_a_request_asks_for_exactly_the_canonical_url(url: str) -> None:
    canonical = urls.canonicalise(url)
    assert canonical
    request = PageRequest(canonical)
    assert request.url == canonical
    assert request.replace(priority=1).url == canonical  # as the engine and middlewares copy it
