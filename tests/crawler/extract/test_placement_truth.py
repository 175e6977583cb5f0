"""Placements of real pages against what others know of them: a small fixed sample of ``benchmarks/truth``.

The model was trained on these pages too: this holds what is built, it does not measure. The figures of pages that a
model never saw are in ``benchmarks/truth/train.py``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.truth import content, placement, stripped
from benchmarks.truth.reference import PAGES


def test_content_of_articles_is_what_readability_keeps(oracles: Path) -> None:
    folders = content.page_paths()[::4]
    assert len(folders) > 12, f"pages are missing under {oracles}"
    assert content.total([content.score(folder) for folder in folders]).f1 > 0.85


def test_parts_are_told_by_structure_alone(oracles: Path) -> None:
    paths = sorted(PAGES.glob("wcxb/*.html.gz"))[::12]
    assert len(paths) > 20, f"pages are missing under {oracles}"
    links = placement.counts(answer for path in paths for answer in placement.answers(stripped.page(path)))
    for name, floor in {"content": 0.85, "navigation": 0.7, "footer": 0.6}.items():
        assert placement.f1(links, name) > floor, name


@pytest.mark.parametrize(
    ("landmarks", "truth"),
    [
        ((), None),
        (("footer", "nav"), "navigation"),
        (("main", "article", "header"), "content"),
        (("article", "footer"), "content"),
        (("main", "footer"), "footer"),
        (("article", "aside"), "sidebar"),
    ],
)
def test_truth_is_the_innermost_landmark_that_decides(landmarks: tuple[str, ...], truth: str | None) -> None:
    assert stripped.placement(landmarks) == truth


def test_what_is_stripped_are_hints_and_no_links() -> None:
    parsed = stripped.parsed(b"<nav class=a id=b aria-label=c role=navigation title=t><a href='x?1&amp;2'>y</a></nav>")
    assert parsed == (
        b'<!doctype html><html><head></head><body><div title="t"><a href="x?1&amp;2">y</a></div></body></html>',
        [("x?1&2", "navigation")],
    )
