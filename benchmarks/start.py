"""How fast a question starts: whole ``linkatlas backlinks`` processes on a small index, against a bare Python.

``python -m benchmarks.start [RUNS]``; goal: under 200 ms of wall time.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from linkindex.model import Link, Outcome, Visit
from linkindex.store import open_index
from pipelines.canonicalise import canonicalise

PAGES = 200
GOAL = 0.2


class Cost(NamedTuple):
    """Medians of one process, from its start to its end; seconds."""

    wall: float
    cpu: float


def make_index(path: Path) -> None:
    """Store PAGES pages that link to one domain."""
    links = [Link(target=f"https://target.test/{page}", anchor=f"words {page}") for page in range(PAGES)]
    with open_index(f"sqlite:///{path}", create=True) as index:
        index.store(
            canonicalise(
                Visit(
                    url=f"https://site-{page}.test/", at=1_700_000_000_000, outcome=Outcome.PAGE, links=(links[page],)
                )
            )
            for page in range(PAGES)
        )


def cost_of(command: list[str], folder: Path, runs: int) -> Cost:
    """Run ``command`` so often in ``folder``; the first run, which compiles the modules, does not count."""
    walls, cpus = [], []
    # As installed: compiled modules are kept, here in the folder, whatever this shell says of them.
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    variables["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    for number in range(runs + 1):
        before, began = _cpu(), time.perf_counter()
        subprocess.run(command, cwd=folder, env=variables, stdout=subprocess.PIPE, check=True)
        wall, cpu = time.perf_counter() - began, _cpu() - before
        if number:
            walls.append(wall)
            cpus.append(cpu)
    return Cost(statistics.median(walls), statistics.median(cpus))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Print both costs; 1 when the goal is missed."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_index(folder / "linkatlas.db")
        program = Path(sys.executable).with_name("linkatlas")
        ours = cost_of([str(program), "backlinks", "target.test", "--format", "jsonl"], folder, runs)
        bare = cost_of([sys.executable, "-c", "pass"], folder, runs)
    print(f"{runs} runs each, medians         wall          CPU")
    print(f"linkatlas backlinks   {ours.wall * 1000:9.1f} ms  {ours.cpu * 1000:8.1f} ms")
    print(f"python -c pass        {bare.wall * 1000:9.1f} ms  {bare.cpu * 1000:8.1f} ms")
    return 0 if ours.wall < GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
