"""How well the parts of a page are told apart by structure alone, on real pages stripped of every word on their parts.

``python -m benchmarks.truth.placement`` prints tables: per class, per page type, confidence against truth, and as a
cross-check how many links of each placement, on the pages as they are, stand in the text that people reviewed.

The truth is that of :mod:`benchmarks.truth.stripped`. Landmarks know five classes; finer placements count as the
landmark they are part of: a breadcrumb is navigation, and comments, authors and related links are of the content.
``strict`` counts them as wrong.

The model as it is was trained on these very pages, so what is printed here flatters it: it shows that nothing broke.
What it can do on pages of sites that it never saw are the cross-validated figures of ``benchmarks/truth/train.py``.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from benchmarks.truth import stripped
from benchmarks.truth.reference import reading_of
from benchmarks.truth.stripped import CLASSES, Page
from crawler.extract import read_page
from crawler.extract.placement import Model, placements
from crawler.extract.zones import Zone
from linkindex.urls import host_of

Counts = Counter[tuple[str, str]]  # (truth, placement): links
Answer = tuple[str, Zone]  # truth, and what we said
_PART_OF = {"breadcrumb": "navigation", "comment": "content", "author": "content", "related": "content"}
_TRAINED_ON = "ON PAGES OF ITS TRAINING: the honest figures are cross-validated, python -m benchmarks.truth.train\n"
_LETTERS = re.compile(r"\W+")


def answers(page: Page, model: Model | None = None) -> list[Answer]:
    """Return for each link of a page that has a truth what it is and what we say of it."""
    reading = reading_of(page.stripped)
    zones = placements(reading, host_of(page.url), model)
    anchors = [zone for link, zone in zip(reading.found, zones, strict=True) if link.kind in {"text", "area"}]
    return [(truth, zone) for (_, truth), zone in zip(page.truth, anchors, strict=True) if truth]


def counts(pairs: Iterable[Answer], *, strict: bool = False) -> Counts:
    """Count links by truth and placement."""
    parts = {} if strict else _PART_OF
    return Counter((truth, parts.get(zone.placement, zone.placement)) for truth, zone in pairs)


def f1(links: Counts, name: str) -> float:
    """Return the harmonic mean of precision and recall of one class, 0 where nothing is right."""
    true, named = _totals(links, name)
    return 2 * links[name, name] / (true + named) if true + named else 0.0


def macro_f1(links: Counts) -> float:
    """Return the mean F1 of the classes that are there."""
    there = [name for name in CLASSES if _totals(links, name)[0]]
    return sum(f1(links, name) for name in there) / max(len(there), 1)


def _totals(links: Counts, name: str) -> tuple[int, int]:
    true = sum(count for (truth, _), count in links.items() if truth == name)
    return true, sum(count for (_, said), count in links.items() if said == name)


def report(scored: list[tuple[Page, list[Answer]]]) -> None:
    """Print the tables of pages and their answers."""
    every = [answer for _, answered in scored for answer in answered]
    _print_classes(counts(every))
    print(f"macro F1 {macro_f1(counts(every)):.3f}; strict {macro_f1(counts(every, strict=True)):.3f}\n")
    print(f"{'page type':15} {'pages':>5} {'links':>6} {'macro':>6} " + " ".join(f"{name:>10}" for name in CLASSES))
    for kind in sorted({page.type for page, _ in scored}):
        some = [answered for page, answered in scored if page.type == kind]
        links = counts(answer for answered in some for answer in answered)
        each = " ".join(f"{f1(links, name):10.3f}" for name in CLASSES)
        print(f"{kind:15} {len(some):5} {links.total():6} {macro_f1(links):6.3f} {each}")
    print()
    print_calibration((zone.confidence, _PART_OF.get(zone.placement, zone.placement) == truth) for truth, zone in every)


def _print_classes(links: Counts) -> None:
    print(f"{'truth':12} {'links':>6} {'prec.':>6} {'recall':>6} {'F1':>6}   placed as " + " ".join(CLASSES))
    for name in CLASSES:
        true, named = _totals(links, name)
        right, row = links[name, name], " ".join(f"{links[name, said]:6}" for said in CLASSES)
        share = right / max(named, 1), right / max(true, 1)
        print(f"{name:12} {true:6} {share[0]:6.3f} {share[1]:6.3f} {f1(links, name):6.3f}   {row}")


def print_calibration(judged: Iterable[tuple[float, bool]]) -> None:
    """Print for each tenth of confidence how many links there are and how many are right."""
    tenths: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for confidence, right in judged:
        tenths[min(int(confidence * 10), 9)].append((confidence, right))
    print(f"{'confidence':10} {'links':>6} {'mean':>6} {'right':>6}")
    for tenth, some in sorted(tenths.items()):
        mean, right = (sum(column) / len(some) for column in zip(*some, strict=True))
        print(f"{tenth / 10:.1f} - {(tenth + 1) / 10:.1f}  {len(some):6} {mean:6.3f} {right:6.3f}")


def in_reviewed_text(page: Page) -> Counter[tuple[str, bool]]:
    """Count the links of the page as it is by placement and by whether the reviewed text holds their anchor."""
    text = _LETTERS.sub(" ", page.main_content.lower())
    links = read_page(page.body, page.url, headers={"content-type": "text/html; charset=utf-8"}).links
    anchors = ((link.placement, _LETTERS.sub(" ", link.anchor.lower()).strip()) for link in links)
    return Counter((placement, anchor in text) for placement, anchor in anchors if len(anchor) > 3)


def main() -> None:
    """Print all tables for the model as it is."""
    pages = list(stripped.pages())
    print(_TRAINED_ON)
    report([(page, answers(page)) for page in pages])
    held = sum(map(in_reviewed_text, pages), Counter[tuple[str, bool]]())
    print(f"\n{'placement':12} {'links':>6} {'anchor in the reviewed text':>27}")
    for placement in sorted({placement for placement, _ in held}):
        inside, outside = held[placement, True], held[placement, False]
        print(f"{placement:12} {inside + outside:6} {inside / (inside + outside):27.3f}")


if __name__ == "__main__":
    main()
