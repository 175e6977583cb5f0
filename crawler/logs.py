"""What a crawl says: nothing about single pages, unless something is wrong; the frontier and the index know the rest.
Nothing that a stranger wrote can drive a terminal or pass for a line of its own, and no password is told."""

from __future__ import annotations

import logging
import re
from traceback import format_exception
from typing import Any

from scrapy import logformatter

from linkindex.errors import LinkatlasError
from linkindex.text import safe_lines
from settings.values import without_password

# As in REDIS_PARAMS, which Scrapy shows with all settings that are not its defaults.
_NAMED = re.compile(r"""(["']?\b\w*passw(?:or)?d["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,;})]+)""", re.IGNORECASE)


class SafeRecord(logging.LogRecord):
    """A line of a log, whatever handler and format it goes through."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        if self.exc_info and self.exc_info[0]:
            self.exc_text = safe("".join(format_exception(*self.exc_info)).rstrip("\n"))

    def getMessage(self) -> str:  # noqa: N802  # logging's name
        return safe(super().getMessage())


def safe(text: str) -> str:
    """Return ``text`` as it may stand in a log."""
    return _NAMED.sub(r"\1***", without_password(safe_lines(text)))


class LogFormatter(logformatter.LogFormatter):
    """Scrapy's LOG_FORMATTER: no line for each page and item; formatting those costs more than a fetch may.

    From when Scrapy makes it, which is before a crawl says anything, all lines of the process are :class:`SafeRecord`.
    """

    def __init__(self) -> None:
        logging.setLogRecordFactory(SafeRecord)

    def crawled(self, *arguments: Any, **keywords: Any) -> None:  # type: ignore[override]
        return None

    def scraped(self, *arguments: Any, **keywords: Any) -> None:  # type: ignore[override]
        return None

    def item_error(self, item: Any, exception: BaseException, *arguments: Any, **keywords: Any) -> dict[str, Any]:  # type: ignore[override]
        said = super().item_error(item, exception, *arguments, **keywords)
        # A store that is away is told once, by the node, not for each item that waits for it.
        return {**said, "level": logging.DEBUG} if isinstance(exception, LinkatlasError) else {**said}
