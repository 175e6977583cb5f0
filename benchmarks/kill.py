"""Kills a crawl at a random moment and runs it again: ``python -m benchmarks.kill [TRIALS] [PAGES]``.

The site's own access log says which pages were asked for, its generator which links it has: no page and no link may be
lost or doubled. ``tests/crawls/test_kill.py`` runs a few trials in CI.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from crawler.frontier import open_frontier
from interfaces.demo.serve import serving
from interfaces.demo.site import Site, make_site
from tests.stored import versions

ROOT = Path(__file__).parents[1]


class Trial(NamedTuple):
    """What one kill did. All but the last two must be 0."""

    pages_lost: int
    links_lost: int
    links_doubled: int
    unaccounted: int  # URLs that the frontier has neither ended nor to do
    pages_again: int  # that were asked for twice: what was in hand at the kill
    killed_after: int  # pages


def trial(pages: int, kill_after: int, *options: str) -> Trial:
    """Crawl a site of so many pages, kill -9 once ``kill_after`` pages were asked for, run again, compare."""
    site = make_site(pages)
    with tempfile.TemporaryDirectory() as name:
        folder, log = Path(name), Path(name) / "access.log"
        with serving("--site", str(pages), "--log", str(log)) as port:
            crawl = [
                *(
                    sys.executable,
                    "-m",
                    "interfaces.cli.main",
                    "crawl",
                    *site.seeds,
                    "--stay",
                    "domain",
                    "--depth",
                    "1000",
                ),
                *(
                    "--delay",
                    "0",
                    "--max-pages",
                    "0",
                    "--contact",
                    "bench@example.org",
                    "--connect-to",
                    f"{site.host}:80:127.0.0.1:{port}",
                    *options,
                ),
            ]
            _kill_after(crawl, folder, log, kill_after)
            done = subprocess.run(crawl, cwd=folder, env=_environment(), capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise RuntimeError(done.stderr)
        asked = Counter(line.split()[3] for line in log.read_text().splitlines())
        return _compare(site, asked, folder, kill_after)


def _kill_after(crawl: list[str], folder: Path, log: Path, pages: int) -> None:
    # A session of its own, so that one kill reaches the workers of the crawl too.
    process = subprocess.Popen(crawl, cwd=folder, env=_environment(), stderr=subprocess.DEVNULL, start_new_session=True)
    while process.poll() is None and (not log.exists() or log.read_bytes().count(b"\n") < pages):
        time.sleep(0.002)
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()


def _compare(site: Site, asked: Counter[str], folder: Path, killed_after: int) -> Trial:
    wanted = {url.partition(".example")[2] for url in site.pages}
    planted = Counter((link.source, link.target) for link in site.links() if "target-" in link.target)
    found = versions(f"sqlite:///{folder}/linkatlas.db")
    with open_frontier(f"sqlite:///{folder}/linkatlas-frontier.db") as frontier:
        counts = frontier.counts()
    return Trial(
        pages_lost=len(wanted - asked.keys()),
        links_lost=(planted - found).total(),
        links_doubled=(found - planted).total(),
        unaccounted=counts.discovered - counts.done - counts.excluded,
        pages_again=sum(count - 1 for path, count in asked.items() if path in wanted),
        killed_after=killed_after,
    )


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def main(trials: int = 20, pages: int = 600) -> int:
    """Run the trials and print each; return 1 when anything was lost or doubled."""
    dice = random.Random(1)
    results = []
    for number in range(trials):
        results.append(trial(pages, dice.randrange(5, pages - 5)))
        print(f"trial {number + 1:>3}: {results[-1]}", flush=True)
    bad = [result for result in results if any(result[:4])]
    again = sorted(result.pages_again for result in results)
    print(
        f"{trials} kills on {pages} pages: {len(bad)} with a loss; pages asked for twice: median {again[len(again) // 2]}"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main(*(int(argument) for argument in sys.argv[1:])))
