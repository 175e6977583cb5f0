"""Every limit is an option, bites, ends the visit in a state with a reason, and is counted."""

from __future__ import annotations

import gzip
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from crawler.limits import BY_REASON, ReadLimits, told
from settings.options import specs
from tests import stored
from tests.crawls.command import ROOT, environment
from tests.rawserver import HTML, Reply, endless, page, reset_after, serving, silence

GZIP = HTML + b"Content-Encoding: gzip\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n"
SITEMAP = b"<urlset>" + b"<url><loc>http://s.example/%d</loc></url>" * 2_000 + b"</urlset>"

# What a host answers -> the option that bites there, how the visit ends.
BITES: dict[str, tuple[Reply, str, tuple[str, str]]] = {
    "body": (page(b"<p>more</p>" * 200_000), "max_body", ("page", "too_large")),
    "bomb": (page(gzip.compress(bytes(20 << 20)), GZIP), "max_ratio", ("page", "too_large")),
    "headers": (
        endless(b"HTTP/1.1 200 OK\r\n", b"X-More: more\r\n" * 100),
        "max_headers",
        ("unreachable", "headers_too_large"),
    ),
    "trailers": (
        endless(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n",
            b"A: b\r\n" * 99,
        ),
        "max_headers",
        ("page", "too_large"),
    ),
    "silence": (silence, "first_byte_timeout", ("unreachable", "first_byte_timeout")),
    "stalled": (endless(HEAD + b"<p>", b"", 9.0), "first_byte_timeout", ("page", "too_slow")),
    "slow": (endless(HEAD, b"x", 0.1), "least_rate", ("page", "too_slow")),
    "whole": (endless(HEAD, b"x" * 300, 0.1), "timeout", ("page", "too_slow")),
    "links": (page(b"".join(b"<a href=/%d>x</a>" % n for n in range(50))), "max_links", ("page", "too_many_links")),
    "anchor": (page(b"<a href=/x>" + b"long " * 50 + b"</a>"), "max_anchor", ("page", "")),
    "deep": (page(b"<div>" * 99 + b"<a href=/x>x</a>" + b"</div>" * 99), "max_dom_depth", ("page", "too_deep")),
    "nodes": (page(b"<p a b c d e f g h>" * 80_000), "max_nodes", ("page", "too_many_nodes")),
    "open": (page(b"<div>" * 999), "max_dom_depth", ("unreadable", "too_deep")),
}
# Small enough for a test to reach; the time-outs leave each other room.
OPTIONS = {
    "max_body": "2MB", "max_ratio": "15", "max_headers": "20KiB", "first_byte_timeout": "2", "timeout": "8",
    "least_rate": "1KiB", "max_links": "20", "max_anchor": "30", "max_dom_depth": "40", "max_nodes": "600000",
    "retries": "1", "delay": "0", "sitemaps": "none", "max_wait": "0", "depth": "0", "concurrency": "64", "log_level": "info",
}  # fmt: skip


def test_every_limit_bites_and_is_counted(tmp_path: Path) -> None:
    names = list(BITES)
    replies = {f"/{name}": BITES[name][0] for name in names}
    with serving(replies) as server:
        variables = {f"LINKATLAS_{name.upper()}": value for name, value in OPTIONS.items()}
        done = subprocess.run(
            [
                *(sys.executable, "-m", "scrapy", "crawl", "discover", "-s", "STATS_DUMP=1"),
                *("-a", "seeds=" + " ".join(f"http://{name}.example/{name}" for name in names)),
            ],
            cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
            env=environment(
                **variables,
                LINKATLAS_CONNECT_TO=f":80:127.0.0.1:{server.port}",
                SCRAPY_SETTINGS_MODULE="settings.embedded", PYTHONWARNINGS="ignore", PYTHONPATH=str(ROOT),
            ),
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    counted = dict(re.findall(r"'linkatlas/limit/(\w+)': (\d+)", done.stderr))
    wanted = [option for _, option, _ in BITES.values()]
    assert counted == {option: str(wanted.count(option)) for option in wanted}
    ends = {url.rpartition("/")[2]: end for url, end in stored.ends(tmp_path / "linkatlas.db").items()}
    assert ends == {name: BITES[name][2] for name in names}


def test_a_limit_is_an_option_by_that_name() -> None:
    assert {*BY_REASON.values(), *ReadLimits.__struct_fields__} <= specs().keys()


@pytest.mark.parametrize(
    ("limits", "words"),
    [((), ""), (("max_anchor",), ""), (("max_body", "max_ratio", "max_links"), "too_large, too_many_links")],
)
def test_what_is_told(limits: tuple[str, ...], words: str) -> None:
    assert told(limits) == words


STALL = """
import asyncio, os, re, signal, subprocess, sys
from crawler.watchdog import watch

async def main():
    watching = asyncio.ensure_future(watch(0.5))
    await asyncio.sleep(1.2)  # which holds nothing up
    later = "import os, signal, sys, time; time.sleep(2); os.kill(int(sys.argv[1]), signal.SIGCONT)"
    wake = subprocess.Popen([sys.executable, "-c", later, str(os.getpid())])
    os.kill(os.getpid(), signal.SIGSTOP)  # nor does this: somebody pressed Ctrl-Z, and goes on later
    wake.wait()
    print("well so far", flush=True)
    re.match("(a|a)*b", "a" * 60)  # and this is in C, and lets nobody else have a turn
    print("not reached", flush=True)

asyncio.run(main())
"""


def test_a_process_that_stands_still_ends_itself_and_says_where() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STALL], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
    )
    assert (done.returncode, done.stdout) == (-signal.SIGPROF, "well so far\n")
    assert "in main" in done.stderr


def test_nobody_watches_once_it_is_over() -> None:
    code = (
        "import asyncio, time\nfrom crawler.watchdog import watch\n"
        "async def main():\n    task = asyncio.ensure_future(watch(0.3))\n    await asyncio.sleep(0.1)\n    task.cancel()\n"
        "    await asyncio.gather(task, return_exceptions=True)\n    time.sleep(0.8)\nasyncio.run(main())\nprint('fine')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True, cwd=ROOT
    )
    assert done.stdout == "fine\n"


def test_a_reset_is_no_limit() -> None:
    from tests.crawler.fetches import answer_to

    assert answer_to(reset_after(HEAD + b"<p>")).fetched.limit == ""
