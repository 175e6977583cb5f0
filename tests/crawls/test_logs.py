"""What a crawl says while it works, as a person reads it and as a program does."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

from interfaces.demo.serve import serving
from interfaces.demo.site import make_site
from tests.crawls.command import command, environment, run
from tests.rawserver import page, silence
from tests.rawserver import serving as serving_raw

PAGES = 10
SITE = make_site(PAGES)


def crawl_of(port: int) -> tuple[str, ...]:
    reach = ("--connect-to", f":80:127.0.0.1:{port}", "--delay", "0", "--sitemaps", "none", "--soft-404", "none")
    return ("crawl", *SITE.seeds, "--stay", "domain", *reach)


def lines(err: str) -> list[dict[str, Any]]:
    """Return the lines of a log, all of which must be JSON objects that say when, how bad, who and what."""
    told = [json.loads(line) for line in err.splitlines()]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in told)
    return told


def test_every_line_of_a_crawl_is_json_where_that_is_asked_for(tmp_path: Path) -> None:
    with serving("--site", str(PAGES)) as port:
        ran = run(
            tmp_path, *crawl_of(port), "--workers", "2", "--max-pages", "5", "--log-level", "debug",
            variables={"LINKATLAS_LOG_FORMAT": "json", "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip
    assert ran.code == 0
    told = lines(ran.err)
    visits = [line for line in told if line["logger"] == "crawler.scheduler" and "outcome" in line]
    assert len(visits) == 5
    assert len({line["request"] for line in visits}) == 5
    assert all(re.fullmatch("[0-9a-f]{8}", line["request"]) for line in visits)
    assert {line["outcome"] for line in visits} == {"page"}
    assert {line["url"] for line in visits} <= set(SITE.pages)
    assert told[-1]["message"].startswith("the budget is spent with ")


def test_at_info_a_node_says_what_is_worth_reading(tmp_path: Path) -> None:
    site = {"/robots.txt": page(b"", status=b"404 None"), "/": page(b"", b"Retry-After: 1\r\n", b"503 Away")}
    with serving_raw(site) as server:
        reach = ("--connect-to", f":80:127.0.0.1:{server.port}", "--delay", "0", "--sitemaps", "none", "--retries", "2")
        ran = run(
            tmp_path, "crawl", "http://a.example/", *reach, "--log-level", "info", "--log-format", "json",
            variables={"PYTHONWARNINGS": "ignore"},
        )  # fmt: skip
    said = [re.sub(r"node \S+", "node N", line["message"]) for line in lines(ran.err)]
    assert said == [
        "node N begins, with 32 visits at once",
        "a.example answered 503: left alone for 1 s",
        "a.example answered 503: left alone for 1 s",
        "node N has left: 1 visits",
        "not one page could be read; linkatlas why http://a.example/ tells more",
    ]


def test_a_text_log_has_the_same_lines(tmp_path: Path) -> None:
    with serving("--site", str(PAGES)) as port:
        ran = run(tmp_path, *crawl_of(port), "--log-level", "info", variables={"PYTHONWARNINGS": "ignore"})
    first, last = ran.err.splitlines()
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO crawler\.node: node \S+ begins, with 32 visits at once", first
    )
    assert last.endswith(f"has left: {PAGES} visits")


def test_what_stops_a_node_is_a_line_of_its_log_too(tmp_path: Path) -> None:
    ran = run(tmp_path, "node", "--contact", "n1", "--log-format", "json")
    assert ran.code == 2
    (told,) = lines(ran.err)
    assert (told["level"], told["logger"]) == ("error", "linkatlas")
    assert told["message"].startswith("frontier linkatlas-frontier.db: no such file")


def test_a_crawl_that_is_stopped_says_how_it_goes_on(tmp_path: Path) -> None:
    with serving_raw({"/robots.txt": page(b"", status=b"404 None"), "/": silence}) as server:
        reach = ("--connect-to", f":80:127.0.0.1:{server.port}", "--sitemaps", "none", "--log-format", "json")
        crawl = subprocess.Popen(
            command("crawl", "http://a.example/", *reach), cwd=tmp_path, env=environment(PYTHONWARNINGS="ignore"),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        for _ in range(1200):
            if len(server.requests) == 2:
                break
            time.sleep(0.05)
        crawl.terminate()
        _, err = crawl.communicate(timeout=60)
    assert lines(err)[-1]["message"].startswith("stopped; nothing is lost, go on with: ")


def test_a_node_in_a_container_writes_nothing_but_json(tmp_path: Path) -> None:
    with serving("--site", str(PAGES)) as port:
        assert run(tmp_path, "seed", *SITE.seeds).code == 0
        reach = ("--connect-to", f"::127.0.0.1:{port}", "--contact", "n1", "--sitemaps", "none", "--soft-404", "none")
        ran = run(
            tmp_path, "node", *reach, "--until-finished",
            variables={"LINKATLAS_LOG_FORMAT": "json", "LINKATLAS_LOG_LEVEL": "info", "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip
    assert (ran.code, ran.out) == (0, "")
    assert lines(ran.err)[-1]["message"].startswith("left the crawl (finished); ")
