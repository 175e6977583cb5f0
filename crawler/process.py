"""Runs one node in this process until its work is over, and tells how it ended."""

from __future__ import annotations

from importlib import metadata

import msgspec
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import Settings

from crawler.spiders.discover import DiscoverSpider
from settings.options import Options, scrapy_settings


class End(msgspec.Struct, frozen=True):
    """How a node ended: finished, budget, waiting, shutdown, or store_unavailable with the line that says why."""

    reason: str
    message: str = ""
    exit_code: int = 0


def user_agent(contact: str) -> str:
    """Return the name that the crawler goes by, with whom to write to where that is known."""
    return f"linkatlas/{metadata.version('linkatlas')}" + (f" (+{contact})" if contact else "")


def run_node(options: Options) -> End:
    """Work on the frontier that the options name until it is finished, spent or stopped by a signal.

    The first SIGINT or SIGTERM drains: what is being fetched is finished and stored. The second stops now.
    """
    settings = Settings()
    settings.setmodule("settings.base", priority="project")
    settings.update(scrapy_settings(options), priority="cmdline")
    settings.set("USER_AGENT", user_agent(options.contact), priority="cmdline")
    settings.set("LOG_LEVEL", options.log_level.upper(), priority="cmdline")
    process = AsyncCrawlerProcess(settings)
    crawler = process.create_crawler(DiscoverSpider)
    process.crawl(crawler)
    process.start()
    stats = crawler.stats
    reason = str(stats.get_value("finish_reason", "shutdown")) if stats else "shutdown"
    failure = stats.get_value("linkatlas/failure") if stats else None
    return End(reason, str(failure), failure.exit_code) if failure else End(reason)
