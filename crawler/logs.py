"""What a crawl says: nothing about single pages, unless something is wrong or ``--log-level debug`` asks for it; the frontier
and the index know the rest."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Self

from scrapy import logformatter
from scrapy.utils.log import get_scrapy_root_handler

from crawler.lines import SafeRecord, prepare
from linkindex.errors import LinkatlasError

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class LogFormatter(logformatter.LogFormatter):
    """Scrapy's LOG_FORMATTER: no line for each page and item; formatting those costs more than a fetch may.

    From when Scrapy makes it, which is before a crawl says anything, all lines of the process are as :mod:`crawler.lines` has
    them.
    """

    def __init__(self) -> None:
        logging.setLogRecordFactory(SafeRecord)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        handler = get_scrapy_root_handler()  # where Scrapy's own command runs the crawl
        if handler is not None:
            prepare(handler, crawler.settings.get("LINKATLAS_LOG_FORMAT", "text"))
        return cls()

    def crawled(self, *arguments: Any, **keywords: Any) -> None:  # type: ignore[override]
        return None

    def scraped(self, *arguments: Any, **keywords: Any) -> None:  # type: ignore[override]
        return None

    def item_error(self, item: Any, exception: BaseException, *arguments: Any, **keywords: Any) -> dict[str, Any]:  # type: ignore[override]
        said = super().item_error(item, exception, *arguments, **keywords)
        # A store that is away is told once, by the node, not for each item that waits for it.
        return {**said, "level": logging.DEBUG} if isinstance(exception, LinkatlasError) else {**said}
