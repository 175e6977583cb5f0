"""A trial: nodes at work, something that breaks, and what the witnesses say of it afterwards."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from tests import stored
from tests.chaos import verdicts
from tests.chaos.fleet import Fleet, Ground, Stuck, ground
from tests.chaos.verdicts import Ended

Scenario = Callable[[Fleet], None]
"""Starts nodes, breaks something, and waits for the end of the crawl."""


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What a trial found. Everything but ``kills``, ``again`` and ``refused`` must be empty."""

    kills: int
    again: dict[str, int]  # who was struck or left pages that were asked for again -> how many
    refused: int
    urls_lost: list[str]
    links_lost: list[tuple[str, str]]
    links_doubled: list[tuple[str, str]]
    too_many_refetches: dict[str, int]
    silent_finishes: list[Ended]
    bad_ends: list[Ended]  # by themselves, with another exit code than 0
    late: int
    stuck: list[str]
    gaps: list[str]
    crowded: list[str]
    disallowed: list[str]

    @property
    def breaches(self) -> dict[str, Any]:
        """What must be empty and is not."""
        figures = msgspec.structs.asdict(self)
        return {name: figures[name] for name in figures if name not in ("kills", "again", "refused") and figures[name]}

    @property
    def breached(self) -> dict[str, int]:
        """How much of each there is."""
        return {name: what if isinstance(what, int) else len(what) for name, what in self.breaches.items()}


def attempt(scenario: Scenario, backend: str = "sqlite", workers: int = 1, seed: int = 1) -> Findings:
    """Run a scenario on a web, an index and a frontier of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with ground(folder, backend, seed) as place:
            fleet = Fleet(place, workers)
            try:
                scenario(fleet)
                fleet.finish()
            except Stuck as stuck:
                fleet.close(stuck)
            finally:
                fleet.close()
            return judge(place, fleet)


def judge(place: Ground, fleet: Fleet) -> Findings:
    """Hear the witnesses."""
    asks, web = place.asks(), place.web
    read, held = dump(place.index)
    again = verdicts.refetches(asks)
    return Findings(
        kills=fleet.kills,
        again={name: again[name] for name in fleet.allowed.keys() | again.keys()},
        refused=fleet.refused,
        urls_lost=[f"{url} {place.fate(url)}" for url in verdicts.urls_lost(asks, read, web.pages)],
        links_lost=verdicts.links_lost(held, web.links),
        links_doubled=verdicts.links_doubled(held, web.links),
        too_many_refetches=verdicts.too_many_refetches(again, fleet.allowed),
        silent_finishes=verdicts.silent_finishes(fleet.ended),
        bad_ends=[end for end in fleet.ended if end.code and not end.told and not fleet.excused],
        late=fleet.late,
        stuck=fleet.stuck,
        gaps=verdicts.gaps(asks, web.delays, fleet.deaths, fleet.blind),
        crowded=verdicts.crowded(asks, fleet.blind),
        disallowed=verdicts.disallowed(asks),
    )


def dump(index: Path) -> tuple[set[str], Counter[tuple[str, str]]]:
    """Return the URLs of the pages that were read, and every version of every link between domains."""
    read = {url for url, (outcome, _) in stored.ends(index).items() if outcome == "page"}
    return read, stored.versions(f"sqlite:///{index}")
