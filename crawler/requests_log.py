"""Every request that a process makes, one line of JSON each, for ``linkatlas audit``: what was asked, when, under which rule.

A line is written when its fetch has ended, whole and at once, so many processes may write to one file; those under way
when a process is killed are missing.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from linkindex.errors import BadInput

logger = logging.getLogger(__name__)


class Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request. Times are ms since 1970, UTC, by this machine's clock, and ms."""

    at: int  # when it began
    host: str  # whose turn it was; its robots.txt may lead elsewhere
    url: str
    kind: str = "page"  # or sitemap, robots, own (the proof that --own asks for)
    status: int = 0
    reason: str = ""  # why there was no answer
    delay: float = 0.0  # s that the host was left alone before, at least
    elapsed: int = 0
    size: int = 0  # bytes of body, as they came
    agent: str = ""  # only of a robots.txt


class RequestLog:
    """Appends to a file. Raises :class:`BadInput` where that cannot be."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as error:
            raise BadInput(f"--request-log {path}: {error.strerror}; name a file that can be written") from error
        self._failed = False

    def write(self, asked: Asked) -> None:
        """Append one request. A disk that is full stops no crawl; it is said once."""
        try:
            os.write(self._file, msgspec.json.encode(asked) + b"\n")
        except OSError as error:
            if not self._failed:
                self._failed = True
                logger.warning("%s: %s; requests are no longer logged", self._path, error.strerror)

    def close(self) -> None:
        os.close(self._file)


def check_log(path: str) -> None:
    """Raise :class:`BadInput` where a log cannot be written; "" is none."""
    if path:
        RequestLog(path).close()


def read_requests(path: str, strange: list[int]) -> Iterator[Asked]:
    """Yield the requests of a log; the numbers of lines that are none go to ``strange``. Raises :class:`BadInput`."""
    try:
        with Path(path).open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield msgspec.json.decode(line, type=Asked)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    strange.append(number)
    except OSError as error:
        raise BadInput(f"--request-log {path}: {error.strerror}; name the file that the crawl wrote") from error
