"""What a link index costs: writing, space, answers. Pages are those of :mod:`benchmarks.index_pages`.

::

    python -m benchmarks.index ingest --index URL --links 1000000   against bare bulk inserts of the same rows, in turns
    python -m benchmarks.index fill   --index URL --links 10000000  only fills it
    python -m benchmarks.index size   --index URL                   bytes a link
    python -m benchmarks.index compact --index URL                  what compaction gives back, and what it costs
    python -m benchmarks.index ask    --index URL --links 10000000  p50 and p95 of answers

``--mongod FOLDER`` instead of an index starts a mongod with its files there. An index is left where it was made.
Goals: ingest at least 60 % of the speed of bare inserts, unchanged pages 10 times faster than new ones; 120 B a link on
SQLite, 140 B on MongoDB; at 10 million links p95 at most 200 ms of the most linked domain, 20 ms of a median one.
"""

from __future__ import annotations

import argparse
import math
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import index_raw, index_sizes
from benchmarks.index_cost import Cost
from benchmarks.index_pages import BATCH, DOMAINS, LINKS, Web, domain_of
from benchmarks.index_raw import MongoRaw, Raw, SqliteRaw
from crawler.process import collect_seldom
from linkindex.answers.anchors import anchors
from linkindex.answers.backlinks import backlinks
from linkindex.answers.domains import referring_domains
from linkindex.answers.overview import overview
from linkindex.history import DAY
from linkindex.store import LinkIndex, Selection, open_index
from linkindex.target import parse_target
from tests.servers import MongoServer

ROUNDS = 2
RUNS, MEDIANS = 20, 15  # times that each question is asked; domains that stand for a median one


class Bench:
    """An index to be measured: where it is, and its server's client where it has one."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client: Any = None
        if not url.startswith("sqlite"):
            import pymongo

            self.client = pymongo.MongoClient(url)

    @property
    def path(self) -> Path:
        return Path(self.url.removeprefix("sqlite:///"))

    @property
    def name(self) -> str:
        return str(self.client.get_default_database().name)

    def server_cpu(self) -> float:
        if self.client is None:
            return 0.0
        used = self.client.admin.command("serverStatus")["extra_info"]
        return float(used["user_time_us"] + used["system_time_us"]) / 1e6

    def again(self, name: str) -> Bench:
        """Return another place of the same kind, empty."""
        if self.client is None:
            other = self.path.with_name(f"{self.path.name}-{name}")
            for path in other.parent.glob(f"{other.name}*"):
                path.unlink()
            return Bench(f"sqlite:///{other}")
        self.client.drop_database(f"{self.name}_{name}")
        return Bench(self.url.replace(f"/{self.name}", f"/{self.name}_{name}", 1))

    def raw(self) -> Raw:
        """Return the finished index as rows for another place."""
        if self.client is None:
            return SqliteRaw(self.path, self.path.with_name(f"{self.path.name}-raw"))
        return MongoRaw(self.client, self.name, f"{self.name}_raw")


def ingest(bench: Bench, links: int) -> None:
    """Fill the index, then others in turns with bare inserts of its rows."""
    first = fill(bench, links)
    pages, batches = links // LINKS, -(-links // LINKS // 100)
    ours, raws = [first], []
    for turn in range(ROUNDS):
        raws.append(Cost(bench.server_cpu))
        bench.raw().insert(batches, raws[-1])
        print(_told("bare inserts", raws[-1], pages))
        if turn + 1 < ROUNDS:
            ours.append(fill(bench.again("again"), links))
    for what in ("wall", "cpu"):
        best, bare = (min(getattr(cost, what) for cost in costs) for costs in (ours, raws))
        print(f"  ingest is {bare / best:.0%} as fast as bare inserts, by {what}")
    unchanged = Cost(bench.server_cpu)
    few = min(links, 400_000)
    with open_index(bench.url) as index:
        for batch in Web().batches(few):
            later = [msgspec.structs.replace(visit, at=visit.at + DAY) for visit in batch]
            with unchanged:
                index.store(later)
    print(_told("unchanged pages", unchanged, few // LINKS))
    faster = (min(cost.cpu for cost in ours) / pages) / (unchanged.cpu / (few // LINKS))
    print(f"  unchanged pages are {faster:.1f} times as fast as new ones, by cpu")
    if bench.client is not None:
        bare_updates = Cost(bench.server_cpu)
        index_raw.put_off(bench.client, bench.name, 2 * DAY, BATCH, bare_updates)
        print(_told("bare updates of their times", bare_updates, pages))
        bound = min(cost.cpu for cost in raws) / bare_updates.cpu
        print(f"  bare updates are {bound:.1f} times as fast as bare inserts, by cpu")


def fill(bench: Bench, links: int) -> Cost:
    cost = Cost(bench.server_cpu)
    began, told = time.perf_counter(), 0.0
    with open_index(bench.url, create=True) as index:
        if index.counts().pages:
            raise SystemExit(f"{bench.url} holds pages already; name an empty place")
        for number, batch in enumerate(Web().batches(links)):
            with cost:
                index.store(batch)
            if time.perf_counter() - began > told + 60:
                told = time.perf_counter() - began
                print(f"    {number * len(batch) * LINKS:,} links after {told:.0f} s", flush=True)
    print(_told("new pages", cost, links // LINKS))
    return cost


def _told(what: str, cost: Cost, pages: int) -> str:
    each = f"{cost.wall / pages * 1e6:,.0f} µs a page by the clock, {cost.ours / pages * 1e6:,.0f} of our processor"
    return f"  {what}: {each}, {cost.servers / pages * 1e6:,.0f} of the server's; {_memory()}"


def _memory() -> str:
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB of memory"


def size(bench: Bench) -> None:
    with open_index(bench.url) as index:
        counts = index.counts()
    if bench.client is None:
        sizes, context = index_sizes.sqlite_sizes(bench.path), index_sizes.sqlite_context(bench.path)
    else:
        database = bench.client[bench.name]
        sizes, context = index_sizes.mongo_sizes(database), index_sizes.mongo_context(database)
    print(f"  {counts.links:,} links, {counts.pages:,} pages, {sum(size.bytes for size in sizes):,} B; a link:")
    for part in sizes:
        print(f"  {part.bytes / counts.links:8.2f} B  {part.name}")
    whole, words = (number / counts.links for number in (sum(size.bytes for size in sizes), context))
    print(f"  {whole:8.2f} B  in all, {words:.2f} of them words around links")


def ask(bench: Bench, links: int) -> None:
    with open_index(bench.url) as index:
        rank(index, links)
        # Of the domains with 10 links or more, half are linked more often than this one.
        middle = max(2, round(links / math.log(DOMAINS) / 20))
        timed(bench, index, "the most linked domain", [domain_of(1)])
        timed(bench, index, "a median domain", [domain_of(middle + step) for step in range(MEDIANS)])


def rank(index: LinkIndex, links: int) -> None:
    """Give most pages and domains a rank, as a computation would."""
    began = time.perf_counter()
    pages, domains = {}, {}
    for number, visit in enumerate(Web().visits(links)):
        if number % 10:
            pages[visit.url] = 1 / (1 + number * 7919 % 100_003)
            domains[visit.domain] = 1 / (1 + number * 104_729 % 10_007)
    index.put_ranks(pages.items(), domains.items())
    print(f"  ranks of {len(pages):,} pages and {len(domains):,} domains put in {time.perf_counter() - began:.0f} s")


def compact(bench: Bench) -> None:
    cost = Cost(bench.server_cpu)
    with open_index(bench.url) as index:
        with cost:
            *_, last = index.compact()
        links = index.counts().links
    print(f"  {links:,} links, {last.before:,} B before, {last.after:,} B after")
    print(f"  {last.before / links:.2f} B a link before, {last.after / links:.2f} B after")
    print(f"  {cost.cpu / links * 1e6:.1f} s of processor time for a million links")


def timed(bench: Bench, index: LinkIndex, what: str, domains: list[str]) -> None:
    """Ask each question many times; the first may have to fetch what it reads from the disk."""
    targets = [parse_target(domain) for domain in domains]
    found = [overview(index, target).backlinks for target in targets]
    print(f"  {what}: {min(found):,} to {max(found):,} links" if len(found) > 1 else f"  {what}: {found[0]:,} links")
    questions: dict[str, Callable[[Selection], Any]] = {
        "overview": lambda s: overview(index, s.target),
        "backlinks, first 100, follow, by rank": lambda s: list(
            backlinks(index, msgspec.structs.replace(s, follow=True), order="rank", limit=100)
        ),
        "backlinks, first 100": lambda s: list(backlinks(index, s, limit=100)),
        "domains, first 100": lambda s: list(referring_domains(index, s, limit=100)),
        "anchors, first 100": lambda s: list(anchors(index, s, limit=100)),
    }
    for name, question in questions.items():
        took, whole = [], Cost(bench.server_cpu)
        runs = RUNS * min(len(targets), 2)
        with whole:
            for run in range(runs):
                began = time.perf_counter()
                question(Selection(target=targets[run % len(targets)]))
                took.append((time.perf_counter() - began) * 1000)
        p50, p95 = statistics.median(took), sorted(took)[math.ceil(0.95 * runs) - 1]
        processor = f"{whole.cpu / runs * 1000:.1f} ms of processor time"
        print(f"    {name}: p50 {p50:.1f} ms, p95 {p95:.1f} ms, the first {took[0]:.1f} ms; {processor}")


@contextmanager
def _place(given: argparse.Namespace) -> Iterator[str]:
    with ExitStack() as stack:
        if given.mongod:
            given.mongod.mkdir(parents=True, exist_ok=True)
            server, port = MongoServer(given.mongod, cache=given.cache), given.mongod / "port"
            if port.exists():  # a replica set knows its members by their addresses
                server.port = int(port.read_text())
            port.write_text(str(server.port))
            stack.enter_context(server)
            yield server.url("links")
        else:
            yield given.index


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("what", choices=["ingest", "fill", "size", "compact", "ask"])
    place = wanted.add_mutually_exclusive_group(required=True)
    place.add_argument("--index", help="sqlite:///PATH or mongodb://HOST:PORT/NAME")
    place.add_argument("--mongod", type=Path, help="start a mongod with its files in this folder")
    wanted.add_argument("--links", type=int, default=1_000_000)
    wanted.add_argument("--cache", type=float, default=1.0, help="GB that the mongod started here may cache")
    given = wanted.parse_args()
    collect_seldom()  # as a node does
    with _place(given) as url:
        bench = Bench(url)
        links = "" if given.what in ("size", "compact") else f", {given.links:,} links"
        print(f"{given.what}, {'mongodb' if bench.client is not None else 'sqlite'}{links}")
        if given.what in ("ingest", "ask"):
            {"ingest": ingest, "ask": ask}[given.what](bench, given.links)
        elif given.what == "fill":
            fill(bench, given.links)
        else:
            {"size": size, "compact": compact}[given.what](bench)


if __name__ == "__main__":
    main()
