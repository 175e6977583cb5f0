"""What a crawl says about single pages: nothing, unless something is wrong. The frontier and the index know the rest."""

from __future__ import annotations

import logging
from typing import Any

from scrapy import logformatter

from linkindex.errors import LinkatlasError


class LogFormatter(logformatter.LogFormatter):
    """Scrapy's LOG_FORMATTER: no line for each page and item; formatting those costs more than a fetch may."""

    def crawled(self, *arguments: Any, **keywords: Any) -> None:  # type: ignore[override]
        return None

    def scraped(self, *arguments: Any, **keywords: Any) -> None:  # type: ignore[override]
        return None

    def item_error(self, item: Any, exception: BaseException, *arguments: Any, **keywords: Any) -> dict[str, Any]:  # type: ignore[override]
        said = super().item_error(item, exception, *arguments, **keywords)
        # A store that is away is told once, by the node, not for each item that waits for it.
        return {**said, "level": logging.DEBUG} if isinstance(exception, LinkatlasError) else {**said}
