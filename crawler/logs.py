"""What a crawl says about single pages: nothing, unless something is wrong. The frontier and the index know the rest."""

from __future__ import annotations

from typing import Any

from scrapy import logformatter


class LogFormatter(logformatter.LogFormatter):
    """Scrapy's LOG_FORMATTER: no line for each page and item; formatting those costs more than a fetch may."""

    def crawled(self, *arguments: Any, **keywords: Any) -> None:  # type: ignore[override]
        return None

    def scraped(self, *arguments: Any, **keywords: Any) -> None:  # type: ignore[override]
        return None
