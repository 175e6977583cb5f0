"""The long form: ``python -m tests.chaos [--trials N] [--seed N] [--jobs N] [--only TEXT] [--verbose]``.

Runs every scenario so often, a few side by side, and prints a line for each: how often it struck, what was lost,
doubled, asked for again (by each node that was struck: the most and the median), which rules were broken. Ends with 1
when anything was. ``--only`` takes the rows whose name has this in it, such as ``kills``, ``redis`` or ``crash rules``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from statistics import median
from typing import NamedTuple

from crawler.crash import STEPS
from interfaces.demo.dice import Dice
from tests.chaos import scenarios
from tests.chaos.trial import Findings, Scenario, attempt

FREEZES = ("lease", "stored", "complete")
DAY, HOUR = 86400.0, 3600.0


class Row(NamedTuple):
    """One line of the table."""

    name: str
    backend: str
    make: Callable[[Dice], Scenario]
    workers: int = 1


def rows(outage: float = 60.0) -> list[Row]:
    """Return all there is to try; ``outage`` is how long Redis may be away, in s."""
    both = [row for backend in ("sqlite", "redis") for row in _common(backend)]
    sqlite = [
        *(Row(f"kills, {n} workers", "sqlite", lambda dice: scenarios.kills(1, 4, dice), n) for n in (2, 4)),
        Row("stop, 2 workers", "sqlite", lambda dice: scenarios.terminate(1, dice), 2),
        Row("clock of the machine an hour on, 2", "sqlite", lambda dice: scenarios.jump(2, HOUR, dice)),
        Row("clock of the machine a day back, 2", "sqlite", lambda dice: scenarios.jump(2, -DAY, dice)),
    ]
    redis = [
        *(Row(f"outage, {n}", "redis", lambda dice, n=n: scenarios.outage(n, outage, dice)) for n in (1, 2, 4)),
        *(Row(f"cut, {n}", "redis", lambda dice, n=n: scenarios.cut(n, 1 << 20, dice)) for n in (1, 2, 4)),
        *(Row(f"clocks of their own, {n}", "redis", lambda dice, n=n: scenarios.skew(n, dice)) for n in (2, 4)),
    ]
    return [*both, *sqlite, *redis]


def _common(backend: str) -> list[Row]:
    return [
        *(Row(f"kills, {n}", backend, lambda dice, n=n: scenarios.kills(n, 4, dice)) for n in (1, 2, 4)),
        *(
            Row(f"crash {step}, {n}", backend, lambda dice, n=n, step=step: scenarios.crash(n, step, dice))
            for step in STEPS
            for n in (1, 2)
        ),
        *(
            Row(f"freeze {step}, {n}", backend, lambda dice, n=n, step=step: scenarios.freeze(n, step, dice))
            for step in FREEZES
            for n in (1, 2)
        ),
        *(Row(f"stop, {n}", backend, lambda dice, n=n: scenarios.terminate(n, dice)) for n in (1, 2, 4)),
    ]


HEADER = f"{'scenario':<44} {'trials':>6} {'kills':>5} {'lost':>5} {'doubled':>7} {'again':>9}  breaches"


def line(row: Row, found: list[Findings]) -> str:
    """Return a row of the table."""
    again = [count for each in found for count in each.again.values()] or [0]
    lost = sum(len(each.urls_lost) + len(each.links_lost) for each in found)
    counts: dict[str, int] = {}
    for each in found:
        for name, what in each.breaches.items():
            counts[name] = counts.get(name, 0) + (what if isinstance(what, int) else len(what))  # type: ignore[arg-type]
    told = ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"
    return (
        f"{f'{row.backend}: {row.name}':<44} {len(found):>6} {sum(each.kills for each in found):>5} {lost:>5} "
        f"{sum(len(each.links_doubled) for each in found):>7} {f'{max(again)} / {median(again):g}':>9}  {told}"
    )


def main() -> int:
    """Run the trials; return 1 when anything was lost or broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--trials", type=int, default=4, help="of each scenario")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=3, help="trials at once")
    parser.add_argument("--only", default="", help="rows whose name has this in it")
    parser.add_argument("--outage", type=float, default=60.0, help="s that Redis is away, at most")
    parser.add_argument("--verbose", action="store_true", help="tell each breach")
    options = parser.parse_args()
    chosen = [row for row in rows(options.outage) if options.only in f"{row.backend}: {row.name}"]
    every: list[Findings] = []
    print(HEADER)
    with ThreadPoolExecutor(options.jobs) as pool:
        trials = [(row, [pool.submit(_try, row, options.seed + n) for n in range(options.trials)]) for row in chosen]
        for row, futures in trials:
            found = [_result(future, row) for future in futures]
            print(line(row, [each for each in found if each]), flush=True)
            every += [each for each in found if each]
            for each in found if options.verbose else ():
                if each and each.breaches:
                    print(f"    {each.breaches}")
    print(line(Row("all of it", "both", lambda _: scenarios.calm(1)), every))
    return 1 if any(each.breaches for each in every) or len(every) < len(chosen) * options.trials else 0


def _try(row: Row, seed: int) -> Findings:
    return attempt(row.make(Dice(f"{row.name}/{seed}")), row.backend, row.workers, seed)


def _result(future: Future[Findings], row: Row) -> Findings | None:
    try:
        return future.result()
    except Exception as error:  # noqa: BLE001  # one trial that cannot be run is no reason to forget the others
        print(f"{row.backend}: {row.name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        return None


if __name__ == "__main__":
    raise SystemExit(main())
