"""Where the CPU time of a page goes: ``python -m benchmarks.parts [demo|site] [ROUNDS]``, the crawls of ``benchmarks.crawl``.

What is called once for a page or a batch is timed by its thread's own clock, which costs a page some microseconds. The rest is
what the process took beside: fetching, Scrapy, the event loop, the node.
"""

from __future__ import annotations

import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from benchmarks.crawl import ROOT, _web, ours
from interfaces.demo.serve import serving

PARTS = {  # what it is called where it is used, by what it does
    "is it a hazard": ("crawler.spiders.discover:parser_hazard",),
    "read the page": ("crawler.spiders.discover:read_page",),
    "canonicalise": ("pipelines.canonicalise:canonicalise",),
    "write to the index": ("linkindex.store.sqlite:SqliteIndex.store",),
    "what it led to, without traps": ("crawler.endings:Endings.visit_durable",),
    "traps": (
        "crawler.trap_notes:TrapNotes.heard",
        "crawler.trap_notes:TrapNotes.leave",
        "crawler.trap_notes:TrapNotes.read",
    ),
    "frontier: complete": ("crawler.frontier.sqlite:SqliteFrontier.complete_many",),
    "frontier: lease": ("crawler.frontier.sqlite:SqliteFrontier.lease",),
}
INSIDE = {"what it led to, without traps": "crawler.trap_notes:TrapNotes.heard"}  # what is another part's

Spent = defaultdict[str, float]  # ms by name


def timed(name: str, spent: Spent) -> None:
    """Have every call of what ``name`` names timed, from now on."""
    module, _, path = name.partition(":")
    holder: Any = importlib.import_module(module)
    *outer, last = path.split(".")
    for part in outer:
        holder = getattr(holder, part)
    call: Callable[..., Any] = getattr(holder, last)

    def clocked(*arguments: Any, **named: Any) -> Any:
        began = time.thread_time()
        try:
            return call(*arguments, **named)
        finally:
            spent[name] += (time.thread_time() - began) * 1000

    setattr(holder, last, clocked)


def one_crawl(web: str, port: int) -> dict[str, float]:
    """Crawl a web in this process; return ms a page by part, the rest among them, and all of it."""
    spent: Spent = defaultdict(float)
    for names in PARTS.values():
        for name in names:
            timed(name, spent)
    began = time.process_time()
    pages = ours(web, port)
    total = (time.process_time() - began) * 1000
    parts = {part: sum(spent[name] for name in names) for part, names in PARTS.items()}
    for part, inside in INSIDE.items():
        parts[part] -= spent[inside]
    parts["fetch, Scrapy, event loop, node"] = total - sum(parts.values())
    return {part: ms / pages for part, ms in (parts | {"all": total}).items()}


def main(web: str = "site", rounds: int = 3) -> None:
    """Print the table: the medians of the rounds, each in a process of its own."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    with serving(*_web(web)[2]) as port:
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                command = [sys.executable, "-m", "benchmarks.parts", web, str(port), "child"]
                environment = {**os.environ, "PYTHONPATH": str(ROOT)}
                done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
            for part, ms in json.loads(done.stdout.splitlines()[-1]).items():
                found[part].append(ms)
    for part, values in found.items():
        print(f"{part:<34}{statistics.median(values):6.2f} ms a page")


if __name__ == "__main__":
    if sys.argv[3:] == ["child"]:
        import scrapy.crawler  # noqa: F401  # imports are not counted

        print(json.dumps(one_crawl(sys.argv[1], int(sys.argv[2]))))
    else:
        main(sys.argv[1] if len(sys.argv) > 1 else "site", *(int(argument) for argument in sys.argv[2:]))
