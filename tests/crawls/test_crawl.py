"""``linkatlas crawl`` from the outside: it goes on where it stopped, ends when it is done, and says so."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.frontier import Counts, open_frontier
from interfaces.demo.serve import serving
from interfaces.demo.site import make_site
from linkindex.store import IndexCounts, open_index
from tests.crawls.command import ROOT, command, environment, run

PAGES = 120
SITE = make_site(PAGES)


class Running:
    """A site of 120 pages on one host, and crawls of it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.arguments = [
            *("crawl", *SITE.seeds, "--connect-to", f"site.example:80:127.0.0.1:{port}"),
            *("--stay", "domain", "--depth", "20", "--delay", "0", "--sitemaps", "none", "--soft-404", "none"),
        ]

    def asked(self) -> Counter[str]:
        log = self.folder / "access.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return Counter(line.split()[3] for line in lines if not line.split()[3].endswith("robots.txt"))

    def counts(self) -> Counts:
        with open_frontier(f"sqlite:///{self.folder}/linkatlas-frontier.db") as frontier:
            return frontier.counts()

    def index(self) -> IndexCounts:
        with open_index(f"sqlite:///{self.folder}/linkatlas.db") as index:
            return index.counts()

    def start(self, *more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command(*self.arguments, *more),
            cwd=self.folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def wait_for(self, pages: int) -> None:
        deadline = time.monotonic() + 60
        while self.asked().total() < pages:
            assert time.monotonic() < deadline, "the crawl does not get on"
            time.sleep(0.01)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Running]:
    with serving("--site", str(PAGES), "--log", str(tmp_path / "access.log")) as port:
        yield Running(tmp_path, port)


def test_a_crawl_visits_all_and_says_what_it_found(site: Running) -> None:
    ran = run(site.folder, *site.arguments)
    assert ran.code == 0, ran.err
    assert site.asked() == Counter({url.partition(".example")[2]: 1 for url in SITE.pages})
    assert "visited 120 URLs" in ran.out
    assert "linkatlas outlinks http://site.example/" in ran.out  # nobody links to it: no backlinks to ask for
    files = {path.name for path in site.folder.iterdir()} - {"access.log"}
    assert files == {"linkatlas.db", "linkatlas-frontier.db", "linkatlas-frontier.db-lock"}


def test_the_same_command_again_says_that_it_had_ended(site: Running) -> None:
    run(site.folder, *site.arguments)
    again = run(site.folder, *site.arguments)
    assert (again.code, site.asked().total()) == (0, PAGES)
    assert "had ended" in again.err
    assert "--again" in again.err


def test_again_visits_everything_anew(site: Running) -> None:
    run(site.folder, *site.arguments)
    links = site.index().links
    ran = run(site.folder, *site.arguments, "--again")
    assert ran.code == 0, ran.err
    assert set(site.asked().values()) == {2}
    assert site.index().links == links


def test_a_spent_budget_goes_on_when_it_grows(site: Running) -> None:
    first = run(site.folder, *site.arguments, "--max-pages", "30")
    assert first.code == 0, first.err
    assert site.asked().total() == 30
    assert "--max-pages" in first.err
    same = run(site.folder, *site.arguments, "--max-pages", "30")
    assert "30 URLs visited" in same.err
    assert site.asked().total() == 30
    run(site.folder, *site.arguments, "--max-pages", "200")
    assert site.asked() == Counter({url.partition(".example")[2]: 1 for url in SITE.pages})


def test_a_deeper_scope_goes_on_where_the_shallow_one_ended(site: Running) -> None:
    run(site.folder, *site.arguments, "--depth", "1")
    shallow = site.asked()
    assert 1 < shallow.total() < PAGES
    run(site.folder, *site.arguments)
    assert site.asked() == Counter({url.partition(".example")[2]: 1 for url in SITE.pages})


def test_include_and_exclude(site: Running) -> None:
    run(site.folder, *site.arguments, "--include", "*/p/*", "--exclude", "*/p/1*")
    asked = set(site.asked())
    assert "/p/2" in asked
    assert not [path for path in asked if path.startswith("/p/1")]


def test_workers_share_the_work_and_visit_everything_once(site: Running) -> None:
    ran = run(site.folder, *site.arguments, "--workers", "3")
    assert ran.code == 0, ran.err
    assert "Traceback" not in ran.err
    assert site.asked() == Counter({url.partition(".example")[2]: 1 for url in SITE.pages})
    counts = site.counts()
    assert counts.done == PAGES
    assert counts.discovered == counts.done + counts.excluded


def test_ctrl_c_drains_and_prints_the_command_that_goes_on(site: Running) -> None:
    process = site.start("--delay", "0.1")
    site.wait_for(3)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert re.search(r"go on with: linkatlas crawl http://site\.example/ --connect-to \S+ --stay domain", err)
    counts = site.counts()
    assert counts.leased == 0
    assert counts.done == site.asked().total() < PAGES
    run(site.folder, *site.arguments)
    assert site.asked() == Counter({url.partition(".example")[2]: 1 for url in SITE.pages})


def test_ctrl_c_twice_stops_now_and_loses_nothing(site: Running) -> None:
    process = site.start("--delay", "0.1")
    site.wait_for(3)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    run(site.folder, *site.arguments)
    assert set(site.asked()) == {url.partition(".example")[2] for url in SITE.pages}
    assert site.index().links == PAGES * 2


def test_workers_end_with_the_crawl_that_started_them(site: Running) -> None:
    process = site.start("--delay", "0.2", "--workers", "2")
    site.wait_for(2)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert children
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    deadline = time.monotonic() + 30
    while any(_runs(pid) for pid in children):
        assert time.monotonic() < deadline, "a worker outlives its crawl"
        time.sleep(0.05)


def _runs(pid: str) -> bool:
    """Whether a process still does anything; an orphan may stay listed as a zombie until somebody asks for it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_two_crawls_on_one_database_are_refused(site: Running) -> None:
    process = site.start("--delay", "0.2")
    site.wait_for(1)
    second = run(site.folder, *site.arguments)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert second.code == 2
    assert second.err.count("\n") == 1
    assert "another crawl is using it" in second.err


def test_a_dry_run_prints_the_plan_and_touches_nothing(site: Running) -> None:
    ran = run(site.folder, *site.arguments, "--dry-run")
    assert ran.code == 0
    assert "http://site.example/" in ran.out
    assert "depth 20" in ran.out
    assert "linkatlas-frontier.db" in ran.out
    assert not list(site.folder.glob("*.db*"))
    assert site.asked().total() == 0


def test_an_index_that_cannot_take_more_ends_the_crawl_and_loses_nothing(site: Running) -> None:
    index = site.folder / "linkatlas.db"
    open_index(f"sqlite:///{index}", create=True).close()
    with sqlite3.connect(index) as db:
        db.execute(
            "CREATE TRIGGER full BEFORE INSERT ON page WHEN (SELECT count(*) FROM page) >= 20 "
            "BEGIN SELECT raise(ABORT, 'database or disk is full'); END"
        )
    db.close()
    ran = run(site.folder, *site.arguments, "--store-wait", "1")
    assert ran.code == 69
    assert "Traceback" not in ran.err
    assert len([line for line in ran.err.splitlines() if line.startswith("linkatlas: stopped: index ")]) == 1
    assert site.counts().done <= 20
    with sqlite3.connect(index) as db:
        db.execute("DROP TRIGGER full")
    db.close()
    again = run(site.folder, *site.arguments)
    assert again.code == 0, again.err
    assert set(site.asked()) == {url.partition(".example")[2] for url in SITE.pages}
    assert (site.index().pages, site.index().links) == (PAGES, PAGES * 2)


def test_scrapy_crawl_discover_does_the_same(site: Running) -> None:
    settings = {"CONNECT_TO": site.arguments[3], "STAY": "domain", "DEPTH": "20", "DELAY": "0", "SITEMAPS": "none"}
    settings["SOFT_404"] = "none"
    variables = {f"LINKATLAS_{name}": value for name, value in settings.items()}
    places = {name: f"sqlite:///{site.folder}/{file}" for name, file in (("LINKATLAS_INDEX", "linkatlas.db"),)}
    done = subprocess.run(
        [sys.executable, "-m", "scrapy", "crawl", "discover", "-a", f"seeds={SITE.seeds[0]}"],
        cwd=ROOT,
        env=environment(**variables, **places),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert site.asked() == Counter({url.partition(".example")[2]: 1 for url in SITE.pages})
    assert site.counts().done == PAGES


def test_why_and_status_tell_how_it_went(site: Running) -> None:
    run(site.folder, *site.arguments)
    why = json.loads(run(site.folder, "why", "http://site.example/p/9").out)
    assert (why["state"], why["depth"], why["discovered_on"]) == ("done", 2, "http://site.example/p/1")
    status = json.loads(run(site.folder, "status").out)
    counts = status["frontier"]
    states = ("queued", "scheduled", "leased", "done", "failed", "excluded")
    assert status["discovered"] == sum(counts[state] for state in states)
    assert status["index"]["pages"] == PAGES
    assert run(site.folder, "why", "http://nowhere.example/").code == 2


def test_progress_lines_are_plain_where_there_is_no_terminal(site: Running) -> None:
    ran = run(site.folder, *site.arguments)
    assert "\x1b" not in ran.err + ran.out
    assert "\r" not in ran.err + ran.out
