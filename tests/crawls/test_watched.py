"""A crawl that is watched: what its nodes tell over HTTP is what happened."""

from __future__ import annotations

import asyncio
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from crawler.frontier import open_frontier
from interfaces.demo.serve import serving
from interfaces.demo.site import make_site
from interfaces.web.asking import ask
from interfaces.web.exposition import described
from linkindex.store import open_index
from tests.crawls.command import command, environment, run
from tests.rawserver import page
from tests.rawserver import serving as serving_raw
from tests.servers import RedisServer, free_port

PAGES = 40
SITE = make_site(PAGES)


def get(port: int, path: str) -> tuple[int, str]:
    return asyncio.run(ask("127.0.0.1", port, path, 10.0))


def metrics(port: int) -> dict[str, float]:
    """Return what a node tells: "name" or "name{label}" -> value."""
    status, text = get(port, "/metrics")
    assert status == 200
    return {
        sample.name + (f"{{{','.join(sample.labels.values())}}}" if sample.labels else ""): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def until(port: int, path: str, status: int, seconds: float = 60.0) -> str:
    """Ask until the answer has this status; return its text."""
    ends = time.monotonic() + seconds
    while True:
        try:
            answered, text = get(port, path)
            if answered == status:
                return text
        except OSError as error:
            text = str(error)
        assert time.monotonic() < ends, text
        time.sleep(0.05)


@contextmanager
def watched(folder: Path, *arguments: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Run a command that is watched; yields its port, and the process."""
    port = free_port()
    process = subprocess.Popen(
        command(*arguments, "--metrics-port", str(port)), cwd=folder, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        until(port, "/livez", 200)
        yield port, process
    finally:
        process.terminate()
        process.communicate(timeout=60)


def crawl_of(site: int) -> tuple[str, ...]:
    reach = ("--connect-to", f"site.example:80:127.0.0.1:{site}", "--sitemaps", "none", "--soft-404", "none")
    return ("crawl", *SITE.seeds, "--stay", "domain", "--depth", "20", "--delay", "0", "--keep-alive", *reach)


def test_what_a_node_tells_is_what_happened(tmp_path: Path) -> None:
    with serving("--site", str(PAGES)) as site, watched(tmp_path, *crawl_of(site)) as (port, _):
        for _ in range(1200):
            if metrics(port)["linkatlas_pages_total{page}"] == PAGES and metrics(port)["linkatlas_leases"] == 0:
                break
            time.sleep(0.05)
        time.sleep(6.0)  # what stores say is kept for five seconds
        told = metrics(port)
        assert until(port, "/readyz", 200) == "ready\n"
        with open_frontier(f"sqlite:///{tmp_path}/linkatlas-frontier.db") as frontier:
            counts = frontier.counts()
        with open_index(f"sqlite:///{tmp_path}/linkatlas.db") as index:
            assert told["linkatlas_index_links"] == index.grown()
    assert told["linkatlas_pages_total{page}"] == counts.done == PAGES
    states = ("queued", "scheduled", "leased", "done", "failed", "excluded")
    assert {state: told[f"linkatlas_frontier_urls{{{state}}}"] for state in states} == {
        state: getattr(counts, state) for state in states
    }
    assert told["linkatlas_frontier_hosts"] == counts.hosts
    assert told["linkatlas_frontier_nodes"] == 1
    assert told["linkatlas_fetch_seconds_count"] == PAGES + 1  # and robots.txt
    assert told["linkatlas_parse_seconds_count"] == PAGES
    assert 0 < told["linkatlas_store_seconds_count"] <= PAGES
    assert 0 < told["linkatlas_complete_seconds_count"] <= PAGES
    assert told["linkatlas_event_loop_lag_seconds_count"] > 5
    assert told["linkatlas_links_total"] > PAGES
    assert told["linkatlas_fetched_bytes_total"] > 1000 * PAGES
    assert told["linkatlas_process_resident_memory_bytes"] > 1e7
    assert told["linkatlas_disk_free_bytes"] > 0
    idle = (
        "leases",
        "oldest_lease_seconds",
        "visits_under_way",
        "unstored_visits",
        "unacknowledged_visits",
        "draining",
    )
    assert [told[f"linkatlas_{name}"] for name in idle] == [0] * len(idle)


def test_every_metric_is_told_and_documented_as_it_is(tmp_path: Path) -> None:
    with serving("--site", str(PAGES)) as site, watched(tmp_path, *crawl_of(site)) as (port, _):
        until(port, "/readyz", 200)
        families = list(text_string_to_metric_families(get(port, "/metrics")[1]))
    told = {
        (f"{family.name}{'_total' * (family.type == 'counter')}", family.type, _label(family.samples[0].labels),
         family.documentation)
        for family in families
    }  # fmt: skip
    assert told == set(described())
    assert {name for name, *_ in told if not name.startswith("linkatlas_")} == set()
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
    assert {name for name, *_ in told} == set(re.findall(r"^\| `(linkatlas_\w+)` \|", page, re.MULTILINE))


def _label(labels: dict[str, str]) -> str:
    return next((name for name in labels if name != "le"), "")


def test_a_host_that_fails_shows_and_the_log_names_it(tmp_path: Path) -> None:
    broken = {f"/{number}": b"no HTTP\r\n\r\n" for number in range(60)}
    with serving_raw({"/robots.txt": page(b"", status=b"404 None"), **broken}) as server:
        reach = ("--connect-to", f"::127.0.0.1:{server.port}", "--keep-alive", "--delay", "0", "--retries", "1")
        seeds = [f"http://site.example/{number}" for number in range(60)]
        with watched(tmp_path, "crawl", *seeds, *reach, "--sitemaps", "none") as (port, process):
            for _ in range(1200):
                told = metrics(port)
                if told["linkatlas_pages_total{unreachable}"] >= 40:
                    break
                time.sleep(0.05)
            assert told["linkatlas_worst_host_error_share"] == 1.0
            assert told["linkatlas_failing_hosts"] == 1
            process.terminate()
            _, err = process.communicate(timeout=60)
    assert err.count("of the latest fetches from site.example failed") == 1


def test_a_node_that_misses_its_frontier_is_alive_and_not_ready(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as redis, serving("--site", str(PAGES)) as site:
        frontier = f"{redis.url}?job=web"
        with watched(tmp_path, *crawl_of(site), "--frontier", frontier) as (port, process):
            until(port, "/readyz", 200)
            health = ("node", "--health", "--metrics-port", str(port))
            assert run(tmp_path, *health).code == 0
            redis.kill()
            said = until(port, "/readyz", 503)
            assert re.fullmatch(r"not ready: the frontier has not answered for \d+ s\n", said)
            assert get(port, "/livez") == (200, "alive\n")
            told = metrics(port)
            assert told["linkatlas_store_silent_seconds{frontier}"] > 0
            assert told["linkatlas_store_errors_total{frontier}"] > 0
            ran = run(tmp_path, *health)
            assert (ran.code, ran.out.count("\n")) == (1, 1)
            assert "the frontier has not answered" in ran.out
            redis.start()
            until(port, "/readyz", 200)
            assert process.poll() is None


def test_a_node_without_work_notices_that_the_index_is_away(tmp_path: Path) -> None:
    with serving("--site", str(PAGES)) as site, watched(tmp_path, *crawl_of(site)) as (port, _):
        for _ in range(1200):
            if metrics(port)["linkatlas_frontier_visited"] == PAGES:
                break
            time.sleep(0.05)
        for name in ("linkatlas.db", "linkatlas.db-wal", "linkatlas.db-shm"):
            (tmp_path / name).rename(tmp_path / f"{name}.away")
        assert "the index has not answered" in until(port, "/readyz", 503)
        for name in ("linkatlas.db", "linkatlas.db-wal", "linkatlas.db-shm"):
            (tmp_path / f"{name}.away").rename(tmp_path / name)
        until(port, "/readyz", 200)


def test_workers_take_the_ports_that_follow(tmp_path: Path) -> None:
    with serving("--site", str(PAGES)) as site, watched(tmp_path, *crawl_of(site), "--workers", "2") as (port, _):
        for each in (port, port + 1):
            until(each, "/readyz", 200)
        both = run(tmp_path, "node", "--health", "--workers", "2", "--metrics-port", str(port))
        assert both.code == 0
        three = run(tmp_path, "node", "--health", "--workers", "3", "--metrics-port", str(port))
        assert (three.code, f"port {port + 2}: nobody listens" in three.out) == (1, True)


def test_a_port_that_cannot_be_had_is_told_in_one_line(tmp_path: Path) -> None:
    with serving("--site", str(PAGES)) as site, serving_raw({}) as other:
        taken = run(tmp_path, *crawl_of(site), "--metrics-port", str(other.port))
        assert taken.code == 2
        (told,) = (line for line in taken.err.splitlines() if "--metrics-port" in line)
        assert told.startswith(f"linkatlas: stopped: --metrics-port {other.port}: cannot listen on 127.0.0.1: ")
        beyond = run(tmp_path, *crawl_of(site), "--metrics-port", "65535", "--workers", "2")
        assert (beyond.code, "name a smaller" in beyond.err) == (2, True)


def test_health_says_what_to_set(tmp_path: Path) -> None:
    ran = run(tmp_path, "node", "--health")
    assert (ran.code, "LINKATLAS_METRICS_PORT" in ran.err) == (2, True)
    with serving_raw({"/livez": b"SSH-2.0-x\r\n", "/readyz": page(b"")}) as other:
        ran = run(tmp_path, "node", "--health", variables={"LINKATLAS_METRICS_PORT": str(other.port)})
        assert (ran.code, "is no linkatlas" in ran.out) == (1, True)


def test_a_health_check_loads_no_engine() -> None:
    code = "import sys, interfaces.cli.fleet, interfaces.cli.health; print(*sys.modules)"
    done = subprocess.run(command()[:1] + ["-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert not {"scrapy", "twisted", "aiohttp", "prometheus_client", "redis", "pymongo"} & set(done.stdout.split())


@pytest.mark.parametrize("wrong", ["localhost", "1.2.3", "example.org", "::1%eth0\n", ""])
def test_an_address_is_an_address(tmp_path: Path, wrong: str) -> None:
    ran = run(tmp_path, "node", "--health", "--metrics-port", "1", "--metrics-address", wrong)
    assert (ran.code, "give an IP address" in ran.err) == (2, True)
