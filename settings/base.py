"""Scrapy settings that hold for every crawl. What a person may choose is in :mod:`settings.options`.

Scrapy's defaults suit a scraper on one known site. A crawler of strangers' pages turns many of them round.
"""

from __future__ import annotations

from importlib.util import find_spec

BOT_NAME = "linkatlas"
SPIDER_MODULES = ["crawler.spiders"]
NEWSPIDER_MODULE = "crawler.spiders"

# The road: lease -> fetch -> visit -> canonical -> durable -> complete.
SCHEDULER = "crawler.scheduler.FrontierScheduler"
DOWNLOADER = "crawler.downloader.Downloader"
ITEM_PIPELINES = {
    "pipelines.canonicalise.CanonicalisePipeline": 100,
    "pipelines.store.StorePipeline": 900,
}

LISTENER = "interfaces.web.listener.Listener"  # what answers on --metrics-port

# The frontier, the spider and our downloader do what these did: dupefilter, retry, redirect, meta refresh, offsite,
# cookies, compression, robots.txt, timeouts. A user's own DOWNLOADER_MIDDLEWARES still run.
DOWNLOADER_MIDDLEWARES_BASE: dict[str, int] = {}
SPIDER_MIDDLEWARES_BASE: dict[str, int] = {}
DUPEFILTER_CLASS = "scrapy.dupefilters.BaseDupeFilter"
COOKIES_ENABLED = False
RETRY_ENABLED = False
REDIRECT_ENABLED = False
METAREFRESH_ENABLED = False
HTTPPROXY_ENABLED = False
REFERER_ENABLED = False

# Nothing listens, nothing but http and https is spoken.
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
EXTENSIONS_BASE = {
    "scrapy.extensions.corestats.CoreStats": 0,
    "scrapy.extensions.logcount.LogCount": 0,
    "scrapy.extensions.memusage.MemoryUsage": 0,
    "scrapy.extensions.closespider.CloseSpider": 0,
}
DOWNLOAD_HANDLERS_BASE: dict[str, str] = {}
FEED_EXPORTERS_BASE: dict[str, str] = {}
FEED_STORAGES_BASE: dict[str, str] = {}

# asyncio alone, on uvloop where it installs; Twisted's reactor costs CPU and gives nothing here.
TWISTED_REACTOR_ENABLED = False
ASYNCIO_EVENT_LOOP = "uvloop.Loop" if find_spec("uvloop") else None

# A visit is the one item of a response; the default of 100 starts 100 tasks for it.
CONCURRENT_ITEMS = 1
SCRAPER_SLOT_MAX_ACTIVE_SIZE = 64 * 1024 * 1024  # bytes of responses that wait for their batch to be durable
WARN_ON_GENERATOR_RETURN_VALUE = False

LOG_FORMATTER = "crawler.logs.LogFormatter"
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
LOG_LEVEL = "INFO"
LOG_VERSIONS: list[str] = []
STATS_DUMP = False
