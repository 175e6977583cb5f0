"""A long crawl of a hostile farm: ``python -m tests.hostile.soak [MINUTES]``.

The farm (``--serve``, a process of its own) has no end: pages of mutated markup that link to more of it, on 400 hosts and now
and then on one that nobody has heard of, and among them all that ``tests.web.misbehave`` can do. The crawl's resident memory
and open descriptors are sampled each second; the first third is warm-up, in which caches fill. Its index and its queue are
large from the start, as those of a node are that has run for months, so that the caches of SQLite (64 and 16 MiB) fill with
the first pages. Fails (code 1) where either then grows by 10 % or more, or the crawl does not end by itself when told to.
"""

from __future__ import annotations

import argparse
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from asyncio import StreamWriter
from pathlib import Path

import msgspec

from crawler.frontier import open_frontier
from crawler.scope import seed
from interfaces.demo import loopback
from interfaces.demo.loopback import Listener, Request, message
from linkindex.model import Link, Outcome, Visit
from linkindex.store import open_index
from pipelines.canonicalise import canonicalise
from tests.crawls.command import command, environment
from tests.hostile.fuzz import Mutations
from tests.web.misbehave import HTML, PLAIN, ROUTES

HOSTS = 400
PAGES = 30_000  # that were visited before
FAMILIAR = 0.95  # of links go to them; the others to hosts that are new
MISBEHAVIOUR = sorted(set(ROUTES) - {"ok", "", "status", "retry-after", "redirect-to", "huge", "gzip-bomb"})
RARE = ("huge", "gzip-bomb")  # these cost the farm more than the crawl
GROWTH = 0.10
TOLD = 180  # samples that are told in one line


def farm() -> loopback.Respond:
    """Return what answers: the same for the same URL."""
    bodies = [data.partition(b"\n\n")[2][:20_000] for data, _ in zip(Mutations("extract", 1), range(300), strict=False)]

    async def respond(request: Request, writer: StreamWriter) -> int:
        dice = random.Random(f"{request.host}{request.path}")
        if request.path == "/robots.txt":
            status = 503 if dice.random() < 0.02 else 404
            writer.write(message(status, (PLAIN,), b""))
            return status
        chance = dice.random()
        if chance < 0.01:
            return await ROUTES[dice.choice(RARE)](writer, request, "")
        if chance < 0.25:
            return await ROUTES[dice.choice(MISBEHAVIOUR)](writer, request, "")
        hosts = (dice.randrange(HOSTS if dice.random() < FAMILIAR else 10**9) for _ in range(12))
        links = "".join(
            f'<p><a href="http://h{host}.example/{dice.randrange(10**9)}">{dice.randrange(10**9)}</a>' for host in hosts
        )
        writer.write(message(200, (HTML,), links.encode() + dice.choice(bodies)))
        return 200

    return respond


def age(folder: Path) -> None:
    """Give the crawl that is to be an index of some 100 MB and a queue of as much."""
    dice = random.Random(1)

    def url() -> str:
        return f"http://h{dice.randrange(HOSTS)}.example/{dice.randrange(10**9)}"

    with open_index(f"sqlite:///{folder}/linkatlas.db", create=True) as index:
        for _ in range(PAGES // 500):
            pages = (
                Visit(
                    url=url(), at=1, outcome=Outcome.PAGE, status=200,
                    links=tuple(Link(target=url(), anchor=str(dice.randrange(10**9))) for _ in range(12)),
                )
                for _ in range(500)
            )  # fmt: skip
            index.store(map(canonicalise, pages))
    with open_frontier(f"sqlite:///{folder}/linkatlas-frontier.db") as frontier:
        for _ in range(PAGES * 12 // 1000):
            frontier.add([msgspec.structs.replace(seed(url()), depth=5) for _ in range(1000)])


def resident(pid: int) -> int:
    """Return a process' resident memory in bytes."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 if found else 0


def soak(minutes: float) -> int:
    """Crawl for so long; print what was seen; return 1 where that is not well."""
    with tempfile.TemporaryDirectory() as name, loopback.child("tests.hostile.soak", "--serve") as (port,):
        folder = Path(name)
        age(folder)
        with (folder / "err").open("wb") as err:
            crawl = subprocess.Popen(
                command(
                    "crawl", *(f"http://h{n}.example/" for n in range(50)), "--contact", "soak@example.org", "--max-pages", "0",
                    "--depth", "1000000", "--delay", "0", "--timeout", "3", "--first-byte-timeout", "1.5", "--retries", "1",
                    "--sitemaps", "none", "--connect-to", f":80:127.0.0.1:{port}",
                ),
                cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=err,
            )  # fmt: skip
        samples = _watch(crawl, minutes * 60)
        crawl.send_signal(signal.SIGINT)
        try:
            code = crawl.wait(60)
        except subprocess.TimeoutExpired:
            crawl.kill()
            code = -1
        said = (folder / "err").read_text()
        visited = re.findall(r"([\d,]+) pages ", said)
    return _judge(samples, code, visited[-1] if visited else "no", said)


def _watch(crawl: subprocess.Popen[bytes], seconds: float) -> list[tuple[int, int]]:
    samples, ends = [], time.monotonic() + seconds
    while time.monotonic() < ends and crawl.poll() is None:
        time.sleep(1)
        try:
            samples.append((resident(crawl.pid), sum(1 for _ in Path(f"/proc/{crawl.pid}/fd").iterdir())))
        except (FileNotFoundError, ProcessLookupError):
            break
    return samples


def _judge(samples: list[tuple[int, int]], code: int, visited: str, said: str) -> int:
    for start in range(0, len(samples), TOLD):
        sizes, counts = zip(*samples[start : start + TOLD], strict=True)
        print(
            f"{start // 60:3} min: {min(sizes) >> 20} to {max(sizes) >> 20} MiB, median {int(statistics.median(sizes)) >> 20}; "
            f"descriptors {min(counts)} to {max(counts)}"
        )
    third = len(samples) // 3
    warm, last = samples[third : third + max(1, third // 3)], samples[-max(1, third // 3) :]
    # What remains between large pages, and while one is read (a page of 8 MiB can be 100 MB of nodes).
    floors, peaks = (
        [statistics.quantiles([size for size, _ in part], n=20)[at] / 2**20 for part in (warm, last)] for at in (4, 18)
    )
    files = [statistics.median(count for _, count in part) for part in (warm, last)]
    growth = max(floors[1] / floors[0], peaks[1] / peaks[0]) - 1
    print(
        f"{len(samples)} s, {visited} pages: memory {floors[0]:.0f} -> {floors[1]:.0f} MiB, "
        f"with a large page {peaks[0]:.0f} -> {peaks[1]:.0f} MiB ({growth:+.1%}); "
        f"descriptors {files[0]:.0f} -> {files[1]:.0f}; ended with {code}"
    )
    well = growth < GROWTH and files[1] / files[0] - 1 < GROWTH and code == 130 and "Traceback" not in said
    if not well:
        print(said[-3000:])
    return 0 if well else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.soak", description=__doc__)
    parser.add_argument("minutes", type=float, nargs="?", default=30.0)
    parser.add_argument("--serve", action="store_true")
    options = parser.parse_args()
    if options.serve:
        loopback.run([Listener(0, farm())], None)
        return 0
    return soak(options.minutes)


if __name__ == "__main__":
    sys.exit(main())
