"""All there is to try: each scenario with its backend and its nodes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import cycle
from typing import NamedTuple

from crawler.crash import STEPS
from interfaces.demo.dice import Dice
from tests.chaos.scenarios import HELD, crash, cut, freeze, jump, kills, outage, skew, terminate
from tests.chaos.trial import Findings, Scenario, attempt

FREEZES = ("lease", "stored", "complete")
STRIKES = 4  # kills in a crawl
CUT = 1 << 20  # bytes, the most that are lost of an append-only file
DAY, HOUR = 86400.0, 3600.0


class Row(NamedTuple):
    """One scenario."""

    name: str  # BACKEND: WHAT, NODES
    make: Callable[[Dice], Scenario]
    workers: int = 1  # of the node that leads

    def trial(self, seed: int) -> Findings:
        """Run it once; ``seed`` says when what strikes."""
        return attempt(self.make(Dice(f"{self.name}/{seed}")), self.name.partition(":")[0], self.workers, seed)


def rows(away: float = 60.0) -> list[Row]:
    """Return every row; ``away`` is how long Redis may be away, in s."""
    sqlite = [
        *(Row(f"sqlite: kills, {n} workers", partial(kills, 1, STRIKES), n) for n in (2, 4)),
        Row("sqlite: stop, 2 workers", partial(terminate, 1), 2),
        Row("sqlite: the machine's clock an hour on, 2", partial(jump, 2, HOUR)),
        Row("sqlite: the machine's clock a day back, 2", partial(jump, 2, -DAY)),
    ]
    redis = [
        *(Row(f"redis: outage, {n}", partial(outage, n, away)) for n in (1, 2, 4)),
        *(Row(f"redis: cut, {n}", partial(cut, n, CUT)) for n in (1, 2, 4)),
        *(Row(f"redis: clocks of their own, {n}", partial(skew, n)) for n in (2, 4)),
    ]
    return [*_common("sqlite"), *sqlite, *_common("redis"), *redis]


def short() -> list[Row]:
    """Return what CI runs: whatever may break, on both backends, by turns with 1, 2 and 4 nodes."""
    turns = cycle((1, 2, 4))
    both = [
        row
        for backend in ("sqlite", "redis")
        for row in (
            *(Row(f"{backend}: kills, {n}", partial(kills, n, 2)) for n in (1, 2, 4)),
            *(
                Row(f"{backend}: crash {step}, {n}", partial(crash, n, step))
                for step, n in zip(STEPS, turns, strict=False)
            ),
            Row(f"{backend}: freeze stored, 2", partial(freeze, 2, "stored")),
            Row(f"{backend}: stop, 4", partial(terminate, 4)),
        )
    ]
    return [
        *both,
        Row("sqlite: kills, 2 workers", partial(kills, 1, 2), 2),
        Row("sqlite: the machine's clock an hour on, 2", partial(jump, 2, HOUR)),
        Row("sqlite: the machine's clock a day back, 1", partial(jump, 1, -DAY)),
        Row("redis: outage, 2", partial(outage, 2, HELD)),
        Row("redis: cut, 2", partial(cut, 2, CUT)),
        Row("redis: clocks of their own, 4", partial(skew, 4)),
    ]


def _common(backend: str) -> list[Row]:
    return [
        *(Row(f"{backend}: kills, {n}", partial(kills, n, STRIKES)) for n in (1, 2, 4)),
        *(Row(f"{backend}: crash {step}, {n}", partial(crash, n, step)) for step in STEPS for n in (1, 2)),
        *(Row(f"{backend}: freeze {step}, {n}", partial(freeze, n, step)) for step in FREEZES for n in (1, 2)),
        *(Row(f"{backend}: stop, {n}", partial(terminate, n)) for n in (1, 2, 4)),
    ]
