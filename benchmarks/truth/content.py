"""How well links of the content are told from all others, on the pages of Mozilla's Readability.

``python -m benchmarks.truth.content`` prints a table. The truth: a link that ``expected.html`` keeps is a content link.
Links are known by resolved href (without fragment) and anchor text, as ``read_page`` reads them from either file; a
page that has the same link several times is counted so often as it has it: of ``n`` in the expected part and ``m``
that we place in the content, ``min(n, m)`` are right. Kept links that the source does not have under that name (the
tool rewrote them) are nobody's mistake and are only counted.

The model as it is was trained on these very pages: what it can do on others are the figures of ``train.py`` beside.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks.truth.reference import PAGES
from crawler.extract import read_page
from linkindex.model import Link

URL = "http://fakehost/test/page.html"  # where Readability's own tests place their pages
_KINDS = ("text", "image", "area")


@dataclass
class Score:
    """Links of the content: right ones, all that we named so, all that are; and expected ones the page has not."""

    name: str
    right: int
    named: int
    true: int
    unmatched: int

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, 1 where there is nothing to find and nothing was named."""
        return 2 * self.right / (self.named + self.true) if self.named + self.true else 1.0


def page_paths() -> list[Path]:
    """Return the folders of all pages, none where the oracles are absent."""
    return sorted(path.parent for path in PAGES.glob("readability/*/expected.html"))


def links(path: Path) -> list[Link]:
    """Return the links of an HTML file that a reader can click."""
    facts = read_page(path.read_bytes(), URL, headers={"content-type": "text/html; charset=utf-8"})
    return [link for link in facts.links if link.kind in _KINDS]


def name(link: Link) -> tuple[str, str]:
    """Return what a link is known by in both files."""
    return link.target.partition("#")[0], link.anchor


def score(folder: Path) -> Score:
    """Judge one page."""
    source = links(folder / "source.html")
    there = Counter(map(name, source))
    kept = Counter(map(name, links(folder / "expected.html")))
    true = kept & there
    named = Counter(name(link) for link in source if link.placement == "content")
    return Score(folder.name, (true & named).total(), named.total(), true.total(), (kept - there).total())


def total(scores: list[Score]) -> Score:
    """Sum up the links of all pages."""
    return Score(
        "all links",
        *(sum(getattr(one, part) for one in scores) for part in ("right", "named", "true", "unmatched")),
    )


def report(scores: list[Score]) -> None:
    """Print a table: every page that has something to find or miss, then all links together, then the mean of pages."""
    print(f"{'page':42} {'true':>6} {'named':>6} {'right':>6} {'no match':>8} {'F1':>6}")
    some = [one for one in scores if one.true or one.named]
    for one in [*sorted(some, key=lambda one: one.f1), total(scores)]:
        print(f"{one.name:42} {one.true:6} {one.named:6} {one.right:6} {one.unmatched:8} {one.f1:6.3f}")
    print(f"mean F1 of {len(scores)} pages: {sum(one.f1 for one in scores) / max(len(scores), 1):.3f}")


def main() -> None:
    """Print the table for the model as it is."""
    print("ON PAGES OF ITS TRAINING: the honest figures are cross-validated, python -m benchmarks.truth.train\n")
    report([score(folder) for folder in page_paths()])


if __name__ == "__main__":
    main()
