"""Where on its page a link stands, with a confidence from 0 to 1: what a reader would call that part of the page.

What elements say (:mod:`~crawler.extract.zones`) is the strongest evidence. Where they say nothing, or only that a link
is somewhere in the content, a model judges what can be measured of its group (:mod:`~crawler.extract.blocks`). The
model is a few boosted trees, learned from real pages by ``benchmarks/truth/train.py``. Its confidence is the share of
right answers at that score on pages that it was not trained on.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import exp
from typing import Any

from crawler.extract.blocks import NAMES, Group, Page
from crawler.extract.reading import Block, Found, Reading
from crawler.extract.zones import HEAD, UNKNOWN, Zone, within, zone_of

_HALF = 0.5  # of the page: a hint for so much of it speaks of the page
_FEW_PIECES = 60  # of a page too small for halves
_AUTHORS_LINKS = 12
_SHAPELESS_CHARS = 300  # a page of less text has no shape to judge by
_WRITTEN_CHARS = 60  # outside links: more likely written than built
_WRITTEN = Zone("content", 0.4)
_AUTHOR = Zone("author", 0.9)

Tree = tuple[int, float, Any, Any] | float  # measure, the most of it for the first branch, two branches; or a score


@dataclass(frozen=True, slots=True)
class Model:
    """Boosted trees over measures of a group, and how far to trust them.

    Region scores are logits, one for each of ``regions`` (content, navigation, header, footer, sidebar), compared after
    ``weights`` were added, as rare regions would else never be named. The content score is the logit that a group is
    of the content proper rather than beside it; ``least`` is the probability that it takes, by what elements say:
    that it is "content", or nothing ("unknown"). ``trust`` holds for each placement steps of probability and the share
    of right answers from each step on.
    """

    regions: tuple[str, ...]
    weights: tuple[float, ...]
    region: tuple[tuple[float, tuple[Tree, ...]], ...]  # of each: the score to start from, and its trees
    content: tuple[float, tuple[Tree, ...]]
    least: dict[str, float]
    trust: dict[str, tuple[tuple[float, ...], tuple[float, ...]]]

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Model:
        """Return the model that ``plain``, made of JSON's types, describes."""
        if tuple(plain["names"]) != NAMES:
            raise ValueError("the model is of other measures: run benchmarks/truth/train.py")
        return cls(
            regions=tuple(plain["regions"]),
            weights=tuple(plain["weights"]),
            region=tuple((start, tuple(map(_tree, trees))) for start, trees in plain["region"]),
            content=(plain["content"][0], tuple(map(_tree, plain["content"][1]))),
            least=plain["least"],
            trust={name: (tuple(steps), tuple(shares)) for name, (steps, shares) in plain["trust"].items()},
        )

    def region_of(self, measures: Sequence[float]) -> tuple[str, float]:
        """Return the part of the page where a group stands, and the probability of that."""
        scores = [_sum(start, trees, measures) for start, trees in self.region]
        best = max(range(len(scores)), key=lambda n: scores[n] + self.weights[n])
        return self.regions[best], 1 / sum(exp(min(score - scores[best], 50)) for score in scores)

    def content_of(self, measures: Sequence[float]) -> float:
        """Return the probability that a group is of the content proper."""
        return 1 / (1 + exp(min(-_sum(*self.content, measures), 50)))

    def zone(self, placement: str, probability: float) -> Zone:
        """Return ``placement`` with the share of right answers among those of such a probability."""
        if placement not in self.trust:
            return Zone(placement, probability)
        steps, shares = self.trust[placement]
        return Zone(placement, shares[bisect_right(steps, probability) - 1])

    def judge(self, group: Group, measures: Sequence[float]) -> Zone:
        """Return the zone of a group of which no element says for sure where it is."""
        said = group.zone
        if said.placement == "unknown":
            region, probability = self.region_of(measures)
            if region != "content":
                return self.zone(region, probability)
        content = self.content_of(measures)
        if content >= self.least["unknown" if said.placement == "unknown" else "content"]:
            return self.zone("content", content)
        return self.zone("related", 1 - content) if said.placement in {"unknown", "content"} else said


def placements(reading: Reading, host: str, model: Model | None = None) -> list[Zone]:
    """Return the zone of each link of ``reading``, a page at ``host``, as ``model`` (this package's own) judges."""
    zones = said(reading)
    if all(zone.is_sure for zone in zones):
        return zones
    page = Page(reading, host.removeprefix("www."))
    for group in page.groups(reading.found, zones):
        zone = _judge(group, page, model or shipped())
        for n in range(group.first, group.last):
            zones[n] = _by_rel(reading.found[n], zone)
    return zones


def said(reading: Reading) -> list[Zone]:
    """Return what the elements around each link of ``reading`` say of its place."""
    return [HEAD if link.block is None else link.block.zone or _said(link.block, reading) for link in reading.found]


def _judge(group: Group, page: Page, model: Model) -> Zone:
    if page.text[-1] >= _SHAPELESS_CHARS:
        return model.judge(group, page.measures(group))
    if group.zone is not UNKNOWN:
        return group.zone
    beside = page.text[group.end] - page.text[group.start] - page.anchors[group.last] + page.anchors[group.first]
    return _WRITTEN if beside >= _WRITTEN_CHARS else UNKNOWN


def _by_rel(link: Found, zone: Zone) -> Zone:
    """Return the zone of a link in ``zone``; https://html.spec.whatwg.org/#link-type-author tells of some."""
    return _AUTHOR if "author" in link.rel and zone.placement in {"content", "related"} else zone


def _said(block: Block, reading: Reading) -> Zone:
    """Return what ``block`` and those around it say, settled; each block keeps what was settled of it."""
    passed, around, zone = [], block, UNKNOWN
    while True:
        if around.zone is not None:
            zone = around.zone
            break
        passed.append(around)
        if around.parent is None:
            break
        around = around.parent
    for inner in reversed(passed):
        own = zone_of(inner.tag, inner.attributes)
        if own is not None and (own.landmark or not _is_of_page(inner, own.placement, reading)):
            zone = within(zone, own)
        inner.zone = zone
    return zone


def _is_of_page(block: Block, placement: str, reading: Reading) -> bool:
    """Whether the words of a block's class and id, which mean ``placement``, can hardly mean all that it holds."""
    end = block.end if block.end >= 0 else len(reading.pieces)
    last = block.last if block.last >= 0 else len(reading.found)
    if placement == "author":
        return last - block.first > _AUTHORS_LINKS
    return placement != "content" and end - block.start > max(_HALF * len(reading.pieces), _FEW_PIECES)


def _sum(start: float, trees: Sequence[Tree], measures: Sequence[float]) -> float:
    for tree in trees:
        branch = tree
        while isinstance(branch, tuple):
            measure, most, low, high = branch
            branch = low if measures[measure] <= most else high
        start += branch
    return start


def _tree(plain: Any) -> Tree:
    """Return a tree of tuples: JSON's lists are slower to read and can be changed."""
    if not isinstance(plain, list):
        return float(plain)
    measure, most, low, high = plain
    return measure, most, _tree(low), _tree(high)


@cache
def shipped() -> Model:
    """Return the model of this package."""
    return Model.of(json.loads(files(__package__).joinpath("placement.json").read_text()))
