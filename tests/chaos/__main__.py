"""The long form: ``python -m tests.chaos [--trials N] [--seed N] [--jobs N] [--only TEXT] [--verbose]``.

Runs every scenario so often, a few side by side, and prints a line for each: how often it struck, what was lost,
doubled, asked for again (by each node that was struck: the most and the median), which rules were broken. Ends with 1
when anything was. ``--only`` takes the rows whose name has this in it, such as ``kills``, ``redis`` or ``crash rules``.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from statistics import median

from tests.chaos.rows import rows
from tests.chaos.trial import Findings

HEADER = f"{'scenario':<44} {'trials':>6} {'kills':>5} {'lost':>5} {'doubled':>7} {'again':>9}  breaches"


def line(name: str, found: list[Findings]) -> str:
    """Return a row of the table."""
    again = [count for each in found for count in each.again.values()] or [0]
    lost = sum(len(each.urls_lost) + len(each.links_lost) for each in found)
    breaches: Counter[str] = Counter()
    for each in found:
        breaches.update(each.breached)
    told = ", ".join(f"{what} {count}" for what, count in breaches.items()) or "none"
    return (
        f"{name:<44} {len(found):>6} {sum(each.kills for each in found):>5} {lost:>5} "
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
    chosen = [row for row in rows(options.outage) if options.only in row.name]
    every: list[Findings] = []
    print(HEADER)
    with ThreadPoolExecutor(options.jobs) as pool:
        seeds = range(options.seed, options.seed + options.trials)
        trials = [(row.name, [pool.submit(row.trial, seed) for seed in seeds]) for row in chosen]
        for name, futures in trials:
            found = [each for future in futures if (each := _result(name, future))]
            print(line(name, found), flush=True)
            for each in found if options.verbose else ():
                if each.breaches:
                    print(f"    {each.breaches}")
            every += found
    print(line("all", every))
    return 1 if any(each.breaches for each in every) or len(every) < len(chosen) * options.trials else 0


def _result(name: str, future: Future[Findings]) -> Findings | None:
    try:
        return future.result()
    except Exception as error:  # noqa: BLE001  # one trial that cannot be run is no reason to forget the others
        print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        return None


if __name__ == "__main__":
    raise SystemExit(main())
