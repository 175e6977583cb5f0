"""Learns the model of ``crawler/extract/placement.json`` from real pages, and says how good it is on pages it never saw.

``python -m benchmarks.truth.train [--write]`` needs scikit-learn, which nothing else does: run it in an environment of
its own. Pages of one site are never on both sides of a fold.

Regions are learned from pages that were stripped of every word on their parts, and content from what people and
Readability kept of articles; both from groups of links as :mod:`crawler.extract.blocks` measures them.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.truth import content, kept, placement, stripped
from benchmarks.truth.reference import reading_of
from crawler.extract import placement as judge
from crawler.extract.blocks import NAMES, Page
from crawler.extract.placement import Model, placements, said
from crawler.extract.reading import Found, Reading
from crawler.extract.zones import Zone
from linkindex.urls import host_of

FOLDS = 6
MODEL = Path(__file__).parents[2] / "crawler/extract/placement.json"
_REGIONS = {"max_iter": 20, "max_leaf_nodes": 6, "min_samples_leaf": 60, "l2_regularization": 10}
_CONTENT = {"max_iter": 15, "max_leaf_nodes": 6, "min_samples_leaf": 20, "l2_regularization": 3}
_WEIGHTS = (0.0, 0.0, 0.9, 0.2, 1.2)  # of rare regions; larger ones name more of them and are wrong more often
_LEAST = {"content": 0.12, "unknown": 0.08}  # what is lost from the content is missed more than what is taken for it
_READABILITY = 3.0  # weight of a page of Readability, whose truth is complete
_STEPS = 8


@dataclass
class Row:
    """A group of links: its measures, its site, and how many of its links are of which class."""

    measures: tuple[float, ...]
    site: str
    links: Counter[str]
    weight: float = 1.0


def rows(reading: Reading, url: str, truth: Iterable[str | None], site: str, weight: float = 1.0) -> Iterator[Row]:
    """Yield the groups of a page that the model will be asked about; ``truth`` is that of each ``a`` and ``area``."""
    zones = said(reading)
    page = Page(reading, host_of(url).removeprefix("www."))
    answers = dict(zip((n for n, link in enumerate(reading.found) if is_anchor(link)), truth, strict=True))
    for group in page.groups(reading.found, zones):
        links = Counter(filter(None, map(answers.get, range(group.first, group.last))))
        if links:
            yield Row(page.measures(group), site, links, weight)


def is_anchor(link: Found) -> bool:
    """Whether the oracles know such a link."""
    return link.kind in {"text", "area"}


def region_rows() -> Iterator[Row]:
    """Yield the groups of pages without landmarks."""
    for page in stripped.pages():
        reading = reading_of(page.stripped)
        yield from rows(reading, page.url, (place for _, place in page.truth), page.site)


def content_rows() -> Iterator[Row]:
    """Yield the groups of articles as they are."""
    for page in kept.pages():
        reading = reading_of(page.body)
        truth = ("content" if keeps else "related" for keeps in page.keeps)
        yield from rows(reading, page.url, truth, page.site, _READABILITY if page.is_complete else 1.0)


def fit(regions: Sequence[Row], contents: Sequence[Row]) -> dict[str, Any]:
    """Return a model, in JSON's types, that trusts itself fully (see :func:`trust`)."""
    answers = [max(row.links, key=row.links.__getitem__) for row in regions]
    trees = _boosted(_REGIONS, regions, answers, [row.links.total() ** 0.5 for row in regions])
    content = [(row, name) for row in contents for name in row.links]
    kept = _boosted(
        _CONTENT, [row for row, _ in content], [name == "content" for _, name in content],
        [row.links[name] * row.weight for row, name in content],
    )  # fmt: skip
    order = [list(trees.classes_).index(name) for name in stripped.CLASSES]
    return {
        "names": list(NAMES),
        "regions": list(stripped.CLASSES),
        "weights": list(_WEIGHTS),
        "region": [_plain(trees, n) for n in order],
        "content": _plain(kept, 0),
        "least": _LEAST,
        "trust": {},
    }


def _boosted(
    settings: dict[str, int], rows: Sequence[Row], answers: Sequence[Any], weights: Sequence[float]
) -> HistGradientBoostingClassifier:
    trees = HistGradientBoostingClassifier(learning_rate=0.25, early_stopping=False, random_state=0, **settings)
    return trees.fit([row.measures for row in rows], answers, sample_weight=weights)


def _plain(trees: HistGradientBoostingClassifier, output: int) -> list[Any]:
    """Return the score to start from and the trees of one output."""
    start = float(trees._baseline_prediction.ravel()[output])
    return [round(start, 4), [_branch(step[output].nodes, 0) for step in trees._predictors]]


def _branch(nodes: Any, at: int) -> Any:
    node = nodes[at]
    if node["is_leaf"]:
        return round(float(node["value"]), 4)
    most = float(f"{node['num_threshold']:.6g}")
    return [int(node["feature_idx"]), most, _branch(nodes, int(node["left"])), _branch(nodes, int(node["right"]))]


@dataclass
class Trial:
    """What models said of pages that they were not trained on."""

    regions: list[tuple[stripped.Page, list[placement.Answer]]]
    contents: list[tuple[bool, Zone]]  # of undecided links of complete articles: whether they are kept
    scores: list[content.Score]


def tried(regions: Sequence[Row], contents: Sequence[Row], trusts: dict[str, Any]) -> Trial:
    """Train a model for each fold and try it on the pages of the others."""
    trial = Trial([], [], [])
    everything, articles = list(stripped.pages()), list(kept.pages())
    for fold in range(FOLDS):
        plain = fit(
            [row for row in regions if _fold(row.site) != fold], [row for row in contents if _fold(row.site) != fold]
        )
        model = Model.of(plain | {"trust": trusts})
        trial.regions += [(page, placement.answers(page, model)) for page in everything if _fold(page.site) == fold]
        for page in articles:
            if _fold(page.site) == fold:
                trial.contents += _kept_answers(page, model)
        with patch.object(judge, "shipped", return_value=model):
            trial.scores += [
                content.score(folder) for folder in content.page_paths() if _fold(kept.site_of(folder.name)) == fold
            ]
    return trial


def _fold(site: str) -> int:
    return zlib.crc32(site.encode()) % FOLDS


def _kept_answers(page: kept.Page, model: Model) -> Iterator[tuple[bool, Zone]]:
    reading = reading_of(page.body)
    pairs = zip(reading.found, said(reading), placements(reading, host_of(page.url), model), strict=True)
    zones = [(before, zone) for link, before, zone in pairs if is_anchor(link)]
    for keeps, (before, zone) in zip(page.keeps, zones, strict=True):
        if page.is_complete and not before.is_sure:
            yield keeps, zone


def trusts(trial: Trial) -> dict[str, Any]:
    """Return for each placement steps of probability and the share of right answers from each on, never falling."""
    judged: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for _, answered in trial.regions:
        for truth, zone in answered:
            if zone.placement in stripped.CLASSES:
                judged[zone.placement].append((zone.confidence, truth == zone.placement))
    for keeps, zone in trial.contents:
        if zone.placement in {"content", "related"}:
            judged[zone.placement].append((zone.confidence, keeps == (zone.placement == "content")))
    return {name: _steps(sorted(some)) for name, some in sorted(judged.items())}


def _steps(judged: list[tuple[float, bool]]) -> list[list[float]]:
    """Pool neighbours until shares rise (isotonic regression), from steps of equally many links."""
    size = max(len(judged) // _STEPS, 1)
    pools: list[list[float]] = []  # [from, links, right]
    for start in range(0, len(judged), size):
        some = judged[start : start + size]
        pools.append([some[0][0], len(some), sum(right for _, right in some)])
        while len(pools) > 1 and pools[-1][2] * pools[-2][1] <= pools[-2][2] * pools[-1][1]:
            _, links, right = pools.pop()
            pools[-1][1] += links
            pools[-1][2] += right
    shares = [round(min((right + 1) / (links + 2), 0.97), 3) for _, links, right in pools]
    return [[0.0] + [round(step, 4) for step, _, _ in pools[1:]], shares]


def main() -> None:
    """Print what cross-validation says, and write the model of all pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {MODEL.name}")
    write = parser.parse_args().write
    regions, contents = list(region_rows()), list(content_rows())
    steps = trusts(tried(regions, contents, {}))
    trial = tried(regions, contents, steps)
    placement.report(trial.regions)
    print("\nkept links of articles, where elements do not say for sure")
    known = [(keeps, zone) for keeps, zone in trial.contents if zone.placement in {"content", "related"}]
    placement.print_calibration((zone.confidence, keeps == (zone.placement == "content")) for keeps, zone in known)
    print()
    content.report(trial.scores)
    if write:
        MODEL.write_text(json.dumps(fit(regions, contents) | {"trust": steps}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
