"""The rules of politeness: robots.txt (RFC 9309), Retry-After (RFC 9110, 10.2.3), back-off. Pure; the state lives in the
frontier."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from protego import Protego

from crawler.frontier import Robots

AGENT = "linkatlas"  # the product token that robots.txt groups are matched with
ROBOTS_BYTES = 500 * 1024  # RFC 9309, 2.5: at least this much is read; we read no more
ROBOTS_HOPS = 5  # RFC 9309, 2.3.1.2
ROBOTS_FRESH = 24 * 3600.0  # s; RFC 9309, 2.4
ROBOTS_TRIES = 3  # fetches that fail before a host counts as closed until ROBOTS_FRESH has passed
MAX_CRAWL_DELAY = 60.0  # s
MAX_HOLD = 24 * 3600.0  # s


class Rules:
    """A host's robots.txt, parsed, as it speaks to ``agent``."""

    def __init__(self, robots: Robots, agent: str = AGENT, most_delay: float = MAX_CRAWL_DELAY) -> None:
        self._agent = agent
        self._most_delay = most_delay
        self._parsed = Protego.parse(_text(robots.body)) if robots.verdict == "rules" else None

    def allows(self, url: str) -> bool:
        return self._parsed is None or self._parsed.can_fetch(url, self._agent)

    @property
    def sitemaps(self) -> Iterator[str]:
        """The sitemaps that the file names, as written."""
        return iter(self._parsed.sitemaps) if self._parsed else iter(())

    @property
    def crawl_delay(self) -> float:
        """Seconds the host asks for between fetches, at most ``most_delay``; 0 when it asks for none."""
        delay = self._parsed.crawl_delay(self._agent) if self._parsed else None
        return min(max(float(delay or 0.0), 0.0), self._most_delay)


def deciding_line(robots: Robots, url: str, agent: str = AGENT) -> str:
    """Return the line of a robots.txt that decides about ``url``, "" where none speaks of it: the longest that matches."""
    if robots.verdict != "rules":
        return ""
    ours: list[str] = []
    others: list[str] = []
    named: list[str] = []
    in_rules = False
    for raw in _text(robots.body).splitlines():
        line = raw.partition("#")[0].strip()
        field, _, value = (part.strip() for part in line.partition(":"))
        if field.lower() == "user-agent":
            named = [value.lower()] if in_rules else [*named, value.lower()]
            in_rules = False
        elif field.lower() in ("allow", "disallow"):
            in_rules = True
            if value and agent in named:
                ours.append(line)
            elif value and "*" in named:
                others.append(line)
    speaks = [line for line in ours or others if _matches(line, url)]
    return max(speaks, key=lambda line: (len(line.partition(":")[2].strip()), line[:1] in "aA"), default="")


def _matches(line: str, url: str) -> bool:
    pattern = line.partition(":")[2].strip()
    return not Protego.parse(f"User-agent: *\nDisallow: {pattern}").can_fetch(url, AGENT)


def judge_robots(status: int, body: bytes) -> Robots:
    """Return what an answer to the request for robots.txt means (RFC 9309, 2.3.1)."""
    if 200 <= status < 300:
        # An HTML page served for anything that is asked for holds no rules.
        return (
            Robots(verdict="open") if body.lstrip()[:1] == b"<" else Robots(verdict="rules", body=body[:ROBOTS_BYTES])
        )
    if status == 429 or status >= 500:
        return Robots(verdict="closed", reason=str(status))
    return Robots(verdict="open")


def tries_robots(reason: str) -> int:
    """Return after how many failed fetches of robots.txt a host counts as closed.

    A name that is not there stays so, and an address that we refuse will be refused again.
    """
    if reason.startswith("refused"):
        return 1
    return 2 if reason == "dns" else ROBOTS_TRIES


def retry_after(value: str, now: datetime | None = None) -> float | None:
    """Return the seconds that a Retry-After header asks for, within :data:`MAX_HOLD`; None where it says nothing."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value), MAX_HOLD)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - (now or datetime.now(UTC))).total_seconds(), 0.0), MAX_HOLD)


def backoff(failures: int, first: float = 5.0, factor: float = 6.0) -> float:
    """Return seconds to wait after so many failures in a row: growing, and never the same for two hosts."""
    return min(first * factor ** max(failures - 1, 0), MAX_HOLD) * random.uniform(0.8, 1.2)  # noqa: S311


def _text(body: bytes) -> str:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig")):
        if body.startswith(mark):
            return body.decode(encoding, "replace")
    return ""
