"""What a crawl finds first is its run's: one that goes on is the same, one that begins anew is another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.frontier import Budget, open_frontier
from crawler.job import admit, begin, read_job
from crawler.scope import Scope
from interfaces.demo.serve import serving
from linkindex.model import Outcome, Visit
from linkindex.store import open_index
from linkindex.target import Target
from pipelines.canonicalise import canonicalise
from tests.crawls.command import ROOT, Ran, environment, run
from tests.servers import RedisServer

PAGES = 20
SEED = "http://site.example/"


class Site:
    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.reach = ("--connect-to", f"site.example:80:127.0.0.1:{port}", "--delay", "0", "--sitemaps", "none")

    def crawl(self, *options: str) -> Ran:
        return run(self.folder, "crawl", SEED, "--stay", "domain", *self.reach, *options)

    def runs(self) -> dict[str, int]:
        with open_index(f"sqlite:///{self.folder}/linkatlas.db") as index:
            return {counts.run: counts.pages for counts in index.runs()}

    def name(self) -> str:
        with open_frontier(f"sqlite:///{self.folder}/linkatlas-frontier.db") as frontier:
            return read_job(frontier).run


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with serving("--site", str(PAGES)) as port:
        yield Site(tmp_path, port)


def test_a_crawl_that_goes_on_is_one_run_and_again_is_another(site: Site) -> None:
    first = site.crawl("--max-pages", "5", "--depth", "9")
    name = site.name()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", name)
    assert f"run: {name}" in first.out.splitlines()
    more = site.crawl("--max-pages", "10", "--depth", "9").out.splitlines()
    assert site.runs() == {name: 10}
    assert re.fullmatch(r"visited 5 URLs in .* s \(.*/s\), this time", more[0])  # and what there is by now beside it
    assert re.fullmatch(r"the index, of all runs: [\d,]+ links from 10 pages; outcomes page \(10\)", more[1])
    assert more[2].startswith("the queue, of all this crawl: ")
    again = site.crawl("--max-pages", "15", "--depth", "9", "--again")
    other = site.name()
    assert other > name
    assert f"run: {other}" in again.out.splitlines()
    assert site.runs() == {name: 10, other: 5}  # what was known before stays what it was


def test_runs_that_begin_in_one_second_are_two(tmp_path: Path) -> None:
    with open_frontier(f"sqlite:///{tmp_path}/q.db", create=True) as frontier:
        names = [begin(frontier, [SEED], Scope(), Budget(), 0.0, again=True).run for _ in range(3)]
        assert sorted(set(names)) == names
        assert read_job(frontier).earlier == tuple(names[:2])


def test_a_crawl_and_status_count_the_same(site: Site) -> None:
    """Pages are what was read; /nothing is visited too, and gone."""
    ran = run(site.folder, "crawl", SEED, f"{SEED}nothing", "--max-pages", "9", *site.reach)
    (told,) = re.findall(
        r"(?<=the index, of all runs: ).* links from 8 pages(?=; outcomes page \(8\), gone \(1\)\n)", ran.out
    )
    shown = run(site.folder, "status", "--format", "table").out.splitlines()
    at = shown.index(f"index     {told.replace(' links', ' links (0 lost)')}")
    assert shown[at + 1] == "          9 URLs of 1 domain, by outcome: 8 page, 1 gone"
    assert re.search(r": 9 URLs, .* for the first time$", shown[-1])


def test_a_run_that_found_nothing_new_is_told_and_has_nothing_to_forget(site: Site) -> None:
    site.crawl("--depth", "0")
    first = site.name()
    site.crawl("--depth", "0", "--again")
    second = site.name()
    told = json.loads(run(site.folder, "status", "--format", "json").out)["runs"]
    assert [(one["run"], one["pages"], one["first"] is None) for one in told] == [(second, 0, True), (first, 1, False)]
    shown = run(site.folder, "status", "--format", "table").out
    assert f"run       {second}: no URL that was not known before\nrun       {first}: 1 URL, " in shown
    ran = run(site.folder, "forget", "--run", second)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"linkatlas: run {second}: visited no page that an earlier run had not")
    assert site.runs() == {first: 1}


def test_again_visits_what_the_seeds_do_not_lead_to_any_more(site: Site) -> None:
    """Redis keeps of what is done only that it is known: the index has to tell it."""
    folder = site.folder / "redis"
    folder.mkdir()
    with RedisServer(folder) as redis, open_index(f"sqlite:///{site.folder}/links.db", create=True) as index:
        where = ("--frontier", f"{redis.url}?job=web", "--index", f"sqlite:///{site.folder}/links.db")
        with open_frontier(f"{redis.url}?job=web") as frontier:
            begin(frontier, [SEED], Scope(), Budget(), 0.0)
            name = read_job(frontier).run
            orphan = f"{SEED}of-old"
            index.store([canonicalise(Visit(url=orphan, at=1000, outcome=Outcome.PAGE))], name)
            index.store([canonicalise(Visit(url=f"{SEED}of-another-job", at=1000, outcome=Outcome.PAGE))], "another")
        for _ in range(2):  # a run before the last counts too
            assert site.crawl("--depth", "0", "--again", *where).code == 0
            with open_frontier(f"{redis.url}?job=web") as frontier:
                assert frontier.counts().done == 2
            (page,) = index.pages(Target(text=orphan, urls=(orphan,)))
            assert page.outcome == "gone"
        (other,) = index.pages(Target(text="", urls=(f"{SEED}of-another-job",)))
        assert other.outcome == "page"


def test_a_node_that_joins_visits_for_the_run_of_the_job(site: Site) -> None:
    run(site.folder, "seed", SEED)
    name = site.name()
    reach = (option for option in site.reach if option not in ("--delay", "0"))
    ran = run(site.folder, "node", "--until-finished", "--contact", "test@example.org", *reach)
    assert ran.code == 0, ran.err
    assert site.runs().keys() == {name}


def test_scrapys_own_command_has_a_run_too(site: Site) -> None:
    import subprocess
    import sys

    detour = site.reach[1]
    command = [sys.executable, "-m", "scrapy", "crawl", "discover", "-a", f"seeds={SEED}"]
    settings = {"CONNECT_TO": detour, "INDEX": f"sqlite:///{site.folder}/linkatlas.db", "DELAY": "0", "STAY": "domain"}
    options = [word for name, value in settings.items() for word in ("-s", f"LINKATLAS_{name}={value}")]
    done = subprocess.run(
        [*command, *options], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert site.runs().keys() == {site.name()}


def test_seeds_that_join_are_of_the_run_that_is_under_way(tmp_path: Path) -> None:
    with open_frontier(f"sqlite:///{tmp_path}/f.db") as frontier:
        name = begin(frontier, [SEED], Scope(), Budget(), 1.0).run
        admit(frontier, ["http://other.example/"])
        assert read_job(frontier).run == name
        assert begin(frontier, [SEED], Scope(depth=5), Budget(), 1.0).run == name
