"""A crawl of 1,000 real pages among six traps without end: all of them found, little wasted, and the reasons told."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.crawls.command import run
from tests.web import farm


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Crawl the farm without a limit that would end it: (folder of databases and access log)."""
    folder = tmp_path_factory.mktemp("farm")
    with farm.serving("--log", str(folder / "access.log")) as (port,):
        ran = run(
            folder,
            *("crawl", farm.SEED, "--connect-to", f":80:127.0.0.1:{port}", "--delay", "0.01"),
            *(
                "--depth",
                "100000",
                "--max-pages",
                "3000",
                "--contact",
                "test@example.org",
                "--flush-interval",
                "0.01",
                "--batch",
                "1",
            ),
        )
    assert ran.code == 0, ran.err  # 75 where the budget ended it
    return folder


def asked(folder: Path) -> list[str]:
    lines = [line.split() for line in (folder / "access.log").read_text().splitlines()]
    return [path for _, _, _, path, _ in lines if path not in ("/robots.txt", "/sitemap.xml")]


def test_all_real_pages_are_visited_and_a_tenth_is_wasted_at_most(crawled: Path) -> None:
    visits = Counter(map(farm.bare, asked(crawled)))
    assert len(farm.real()) == 1000
    assert farm.real().keys() - visits.keys() == set()
    assert visits.total() - len(farm.real()) <= visits.total() // 10


def test_the_reasons_are_counted_and_told(crawled: Path) -> None:
    status = json.loads(run(crawled, "status").out)
    reasons = {reason for reason in status["frontier"]["excluded_by"] if reason.startswith("trap: ")}
    assert reasons >= {"trap: calendar", "trap: session", "trap: repeated", "trap: query", "trap: pattern"}
    assert "trap: calendar" in run(crawled, "why", f"{farm.SEED}calendar/2023/05/28", "--format", "table").out
