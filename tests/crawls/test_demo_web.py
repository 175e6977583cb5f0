"""The demo's web, crawled: what its generator planted is what the index says."""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from subprocess import PIPE

import pytest

from crawler.frontier import open_frontier
from interfaces.demo.serve import serving
from interfaces.demo.web import make_web
from linkindex.answers.backlinks import backlinks
from linkindex.answers.domains import referring_domains
from linkindex.store import Selection, open_index
from linkindex.target import parse_target
from tests.crawls.command import command, environment, run

WEB = make_web(1)


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Crawl the web once, links inside domains kept in full: (folder, lines of the access log)."""
    folder = tmp_path_factory.mktemp("demo")
    log = folder / "access.log"
    with serving("--seed", "1", "--log", str(log)) as port:
        detours = [word for host in WEB.hosts for word in ("--connect-to", f"{host}:80:127.0.0.1:{port}")]
        ran = run(
            folder,
            "crawl",
            *WEB.seeds,
            "--delay",
            "0",
            "--depth",
            "9",
            "--sitemaps",
            "none",
            "--internal-links",
            *detours,
        )
    assert ran.code == 0, ran.err
    assert f"linkatlas backlinks {WEB.star}" in ran.out
    assert "Traceback" not in ran.err
    return folder, log.read_text().splitlines()


def test_every_url_that_may_be_visited_is_and_once(crawled: tuple[Path, list[str]]) -> None:
    folder, log = crawled
    fetches = [(host, path) for _, _, host, path, *_ in map(str.split, log)]
    robots = Counter(host for host, path in fetches if path == "/robots.txt")
    probes = Counter(host for host, path in fetches if path.startswith("/no-such-page-"))
    asked = Counter(
        f"http://{host}{path}" for host, path in fetches if path != "/robots.txt" and "/no-such-page-" not in path
    )
    there = {url for url in WEB.reachable() if "gone-fishing.example" not in url}
    assert asked == Counter(there)
    assert set(robots.values()) == set(probes.values()) == {1}


def test_what_robots_close_is_never_asked_for(crawled: tuple[Path, list[str]]) -> None:
    folder, log = crawled
    for _, _, host, path, *_ in map(str.split, log):
        closed = [prefix for prefix in WEB.closed.get(host, ()) if path.startswith(prefix)]
        assert not closed or path == "/robots.txt", (host, path)
    with open_frontier(f"sqlite:///{folder}/linkatlas-frontier.db") as frontier:
        assert frontier.counts().excluded_by["robots"] == 11
        assert frontier.counts().failed_by == {"robots.txt: dns": 2}


def test_every_planted_link_is_in_the_index_as_it_was_planted(crawled: tuple[Path, list[str]]) -> None:
    folder, _ = crawled
    read = set(WEB.reachable())
    planted: Counter[tuple[object, ...]] = Counter(
        (link.source, link.target, link.anchor, link.kind, tuple(sorted(link.rel)), link.follow)
        for link in WEB.links()
        if link.source in read
    )
    found: Counter[tuple[object, ...]] = Counter()
    with open_index(f"sqlite:///{folder}/linkatlas.db") as index:
        for source in read:
            for row in index.outlinks(source):
                found[source, row.target, row.anchor, row.kind, tuple(row.rel or ()), row.follow] += 1
    assert planted - found == Counter()
    assert found - planted == Counter()


def test_placements_are_those_that_were_planted(crawled: tuple[Path, list[str]]) -> None:
    folder, _ = crawled
    read = set(WEB.pages)
    planted: Counter[tuple[object, ...]] = Counter(
        (link.source, link.target, link.placement) for link in WEB.links() if link.source in read
    )
    with open_index(f"sqlite:///{folder}/linkatlas.db") as index:
        found: Counter[tuple[object, ...]] = Counter(
            (source, row.target, row.placement) for source in read for row in index.outlinks(source)
        )
    wrong = planted - found
    assert {placement for _, _, placement in wrong} <= {"sidebar"}  # one site's blogroll stands in its content
    assert wrong.total() < 0.001 * planted.total()


def test_the_star_has_the_backlinks_that_were_planted(crawled: tuple[Path, list[str]]) -> None:
    folder, _ = crawled
    read = set(WEB.reachable())
    planted = [
        link
        for link in WEB.links()
        if link.source in read
        and link.target.split("/")[2].endswith(WEB.star)
        and not link.source.split("/")[2].endswith(WEB.star)
    ]
    with open_index(f"sqlite:///{folder}/linkatlas.db") as index:
        rows = list(backlinks(index, Selection(target=parse_target(WEB.star), as_found=True)))
        domains = list(referring_domains(index, Selection(target=parse_target(WEB.star), as_found=True)))
    assert len(rows) == len(planted) > 200
    assert {row.domain for row in domains} == {".".join(link.source.split("/")[2].split(".")[-2:]) for link in planted}
    assert sum(row.backlinks for row in domains) == len(rows)
    assert [row.backlinks for row in domains] == sorted((row.backlinks for row in domains), reverse=True)


def test_a_demo_that_is_stopped_tells_of_nothing_more(tmp_path: Path) -> None:
    demo = subprocess.Popen(command("demo"), cwd=tmp_path, env=environment(), stdout=PIPE, stderr=PIPE, text=True)
    with demo:
        assert demo.stdout is not None
        assert demo.stdout.readline().startswith("serving ")
        until = time.monotonic() + 60
        while not (tmp_path / "linkatlas-demo.db-wal").exists() and time.monotonic() < until:
            time.sleep(0.01)
        demo.send_signal(signal.SIGINT)
        out, err = demo.communicate(timeout=60)
    assert demo.returncode == 130, err
    assert "Traceback" not in err
    assert "Who links to" not in out
    assert err == "" or err.endswith("linkatlas: stopped; begin anew with: linkatlas demo\n")


def test_the_demo_leaves_the_stores_of_real_crawls_alone(tmp_path: Path) -> None:
    (tmp_path / "linkatlas.toml").write_text("exclude = ['*']\n")
    real = {"LINKATLAS_FRONTIER": "sqlite:///real-frontier.db", "LINKATLAS_INDEX": "sqlite:///real.db"}
    ran = run(tmp_path, "demo", variables=real)
    assert ran.code == 0, ran.err
    assert f"Who links to {WEB.star}?" in ran.out
    assert {path.name for path in tmp_path.iterdir() if path.suffix == ".db"} == {
        "linkatlas-demo.db",
        "linkatlas-demo-frontier.db",
    }
