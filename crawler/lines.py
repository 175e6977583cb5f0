"""What a line of a log is: safe text, or one JSON object (``--log-format``). No password is told, and nothing that a stranger
wrote can drive a terminal or pass for a line of its own. Knows no Scrapy.

A record may bring fields beside its message: ``logger.info("…", extra=fields(host=host))``.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from traceback import format_exception
from typing import Any

import msgspec

from linkindex.text import safe_json, safe_lines
from settings.values import without_password

# As in REDIS_PARAMS, which Scrapy shows with all settings that are not its defaults.
_NAMED = re.compile(r"""(["']?\b\w*passw(?:or)?d["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,;})]+)""", re.IGNORECASE)
_OURS = ("crawler", "linkindex", "pipelines", "interfaces")
_encode = msgspec.json.Encoder(enc_hook=str).encode


class SafeRecord(logging.LogRecord):
    """A line of a log, whatever handler and format it goes through."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        if self.exc_info and self.exc_info[0]:
            self.exc_text = safe("".join(format_exception(*self.exc_info)).rstrip("\n"))

    def getMessage(self) -> str:  # noqa: N802  # logging's name
        return safe(super().getMessage())


class JsonLines(logging.Formatter):
    """Writes each :class:`SafeRecord` as one JSON object on one line: time, level, logger, message, and its fields."""

    def format(self, record: logging.LogRecord) -> str:
        named = dict(getattr(record, "fields", {}))
        if record.exc_text:
            named["exception"] = record.exc_text
        return json_line(record.created, record.levelname.lower(), record.name, record.getMessage(), named)


def json_line(at: float, level: str, logger: str, message: str, named: Mapping[str, object]) -> str:
    """Return one line; ``at`` is seconds since 1970, told as RFC 3339 has it, in UTC."""
    time = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    told = {name: _told(value) if isinstance(value, str) else value for name, value in named.items()}
    line = {"time": time, "level": level, "logger": logger, "message": _told(message), **told}
    return safe_json(_encode(line).decode())


def _told(text: str) -> str:
    return without_password(text.encode("utf-8", "backslashreplace").decode())  # JSON has no half of a character


def prepare(handler: logging.Handler, form: str) -> None:
    """Have what writes a log write it as ``--log-format`` says, from now on only :class:`SafeRecord` in this process.

    At level INFO, of other programs' lines warnings are enough: how Scrapy is put together is always the same.
    """
    logging.setLogRecordFactory(SafeRecord)
    if form == "json":
        handler.setFormatter(JsonLines())
    if handler.level == logging.INFO:
        handler.addFilter(lambda record: record.levelno > logging.INFO or record.name.startswith(_OURS))


def fields(**named: object) -> dict[str, object]:
    """Return what :mod:`logging` takes as ``extra``: fields of a JSON line."""
    return {"fields": named}


def request_of(token: str) -> str:
    """Return what lines about one visit have in common, in the logs of all nodes: 8 digits that follow from its lease's token.
    (Not the token's own first ones: those are a shard's number, or the first of a row's.)"""
    return blake2b(token.encode(), digest_size=4).hexdigest()


def safe(text: str) -> str:
    """Return ``text`` as it may stand in a log."""
    return _NAMED.sub(r"\1***", without_password(safe_lines(text)))
