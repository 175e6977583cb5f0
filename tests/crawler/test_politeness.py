"""robots.txt, Retry-After and back-off, as the standards say."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler import politeness
from crawler.frontier import Robots
from crawler.politeness import Rules, judge_robots


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, b"User-agent: *\nDisallow: /", "rules"),
        (200, b"", "rules"),
        (200, b"  <!doctype html><p>not found", "open"),
        (404, b"x", "open"),
        (403, b"", "open"),
        (301, b"", "open"),  # more than five redirects: as if there were none
        (429, b"", "closed"),
        (500, b"", "closed"),
        (503, b"User-agent: *", "closed"),
    ],
)
def test_what_an_answer_means(status: int, body: bytes, verdict: str) -> None:
    assert judge_robots(status, body).verdict == verdict


def rules(body: bytes) -> Rules:
    return Rules(Robots(verdict="rules", body=body))


def test_our_own_group_goes_before_the_general_one() -> None:
    parsed = rules(b"User-agent: *\nDisallow: /\n\nUser-agent: linkatlas\nDisallow: /private")
    assert parsed.allows("https://a.test/")
    assert not parsed.allows("https://a.test/private/x")


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_a_byte_order_mark_hides_no_rule(mark: bytes) -> None:
    assert not rules(mark + b"User-agent: *\nDisallow: /x").allows("https://a.test/x")


def test_utf16_is_read() -> None:
    assert not rules("User-agent: *\nDisallow: /x".encode("utf-16")).allows("https://a.test/x")


def test_without_rules_all_is_allowed() -> None:
    assert Rules(Robots(verdict="open")).allows("https://a.test/x")


@pytest.mark.parametrize(("line", "delay"), [("2.5", 2.5), ("9999", 60.0), ("-3", 0.0), ("soon", 0.0)])
def test_crawl_delay_is_capped(line: str, delay: float) -> None:
    assert rules(f"User-agent: *\nCrawl-delay: {line}".encode()).crawl_delay == delay


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("999999999", politeness.MAX_HOLD),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0),
        ("Mon, 01 Jan 2024 00:02:00 GMT", 120.0),
        ("soon", None),
        ("", None),
        ("-5", None),
        ("١٢", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert politeness.retry_after(value, datetime(2024, 1, 1, tzinfo=UTC)) == seconds


def test_backoff_grows_and_is_capped() -> None:
    waits = [politeness.backoff(failures) for failures in range(1, 12)]
    assert waits[0] < waits[1] < waits[2]
    assert max(waits) <= politeness.MAX_HOLD * 1.2


def test_robots_from_the_wild_are_read_without_error(oracles: Path) -> None:
    files = sorted((oracles / "robots" / "real").iterdir()) + sorted((oracles / "robots").glob("*.txt"))
    assert len(files) > 400
    for file in files:
        parsed = rules(file.read_bytes()[: politeness.ROBOTS_BYTES])
        assert parsed.allows("https://a.test/") in (True, False), file.name


# Where we differ from Google's own parser: (cases, reason). RFC 9309 goes before Google's habits.
DIFFERS = {
    "BOM-characters.textproto": (
        2,
        "a mark that is broken or in the middle of a file is no mark: the line is not a rule",
    ),
    "non-ascii-paths.textproto": (
        3,
        "paths are compared percent-decoded (RFC 9309, 2.2.2), which Google's matcher does not",
    ),
    "user-agent-name.textproto": (
        8,
        "a product token ends at the first blank (RFC 9309, 2.2.1): marked GOOGLE_SPECIFIC",
    ),
    "327748.textproto": (1, "/robots.txt itself is always allowed (RFC 9309, 2.2.2)"),
    "369883.textproto": (
        5,
        "/robots.txt again; and 'AB42bot' is matched whole, while RFC 9309 tokens end at a digit: ours has none",
    ),
    "701159.textproto": (1, "'barbarbot*' is no product token; it is matched as it is written"),
    "860237.textproto": (1, "/robots.txt itself is always allowed, and 'XYZ123bot' is matched whole"),
}


def test_the_standards_examples(oracles: Path) -> None:
    suite = json.loads((oracles / "robots" / "robots_spec.json").read_text())
    differs: Counter[str] = Counter()
    cases = 0
    for file in suite:
        robots = Robots(verdict="rules", body=file["robotstxt_latin1"].encode("latin-1"))
        for expected in file["expect"]:
            cases += 1
            differs[file["file"]] += Rules(robots, expected["ua"]).allows(expected["url"]) != expected["allowed"]
    assert cases == 400
    assert +differs == Counter({name: count for name, (count, _) in DIFFERS.items()})
