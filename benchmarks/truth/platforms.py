"""Which platform and other facts are found on the real pages, one line each, to be looked at by a person.

``python -m benchmarks.truth.platforms`` prints a table: platform, type, author, dates, language and title of each page.
Where the oracle has a reviewed author or day of publication, ``!`` marks what differs and ``-`` what was not found.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.truth.reference import page_bytes, page_paths
from crawler.extract import read_page
from linkindex.model import PageFacts


def main() -> None:
    """Print the table and sums."""
    platforms: Counter[str] = Counter()
    marks: Counter[str] = Counter()
    for path in page_paths():
        facts, truth = facts_of(path), reviewed(path)
        platforms[facts.platform or "(none)"] += 1
        author = mark(facts.author, truth.get("author") or "")
        day = mark(day_of(facts.published), truth.get("publish_date") or "")
        marks.update((f"author {author}", f"published {day}"))
        print(
            f"{name_of(path):28.28} {facts.platform:16.16} {facts.type:12.12} {author}{facts.author:24.24} "
            f"{day}{day_of(facts.published):10} {day_of(facts.modified):10} {facts.language:7.7} {facts.title:.50}"
        )
    print()
    for name, count in (*platforms.most_common(), *sorted(marks.items())):
        print(f"{count:5} {name}")


def facts_of(path: Path) -> PageFacts:
    """Return the facts of a real page."""
    url = str(truth["url"]) if (truth := _description(path)) else "https://www.example.com/a/page"
    return read_page(page_bytes(path), url, headers={"content-type": "text/html; charset=utf-8"})


def reviewed(path: Path) -> dict[str, str | None]:
    """Return what people found on the page: author, publish_date (``YYYY-MM-DD``), title; empty where nobody looked."""
    truth: dict[str, str | None] = _description(path).get("ground_truth", {})
    return truth


def mark(found: str, truth: str) -> str:
    """Return how what was found compares: ``=`` alike, ``!`` otherwise, ``-`` missed, `` `` where there is no truth."""
    if not truth:
        return " "
    if not found:
        return "-"
    return "=" if found.lower() in truth.lower() or truth.lower() in found.lower() else "!"


def day_of(moment: int | None) -> str:
    """Return the day of a moment in UTC, as ISO 8601 writes it."""
    return "" if moment is None else datetime.fromtimestamp(moment / 1000, UTC).date().isoformat()


def name_of(path: Path) -> str:
    """Return the name of a page among the oracles."""
    return path.parent.name if path.name == "source.html" else path.name.removesuffix(".html.gz")


def _description(path: Path) -> dict[str, dict[str, str | None]]:
    described = path.with_name(path.name.replace(".html.gz", ".json"))
    found: dict[str, dict[str, str | None]] = json.loads(described.read_text()) if described.suffix == ".json" else {}
    return found


if __name__ == "__main__":
    main()
