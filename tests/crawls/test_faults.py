"""Faults of our own: a page that breaks the parser costs that page alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from crawler.frontier import open_frontier
from interfaces.demo.serve import serving
from linkindex.store import open_index
from tests.crawls.command import ROOT, environment

BREAKS = """
import sys
import crawler.spiders.discover as discover
from crawler import politeness
from crawler.process import run_node
from crawler.frontier import open_frontier
from crawler.job import begin, budget_of, scope_of
from settings.options import resolve

read = discover.read_page
def breaking(body, url, **others):
    if url.endswith("/p/5"):
        raise RuntimeError("the parser broke")
    return read(body, url, **others)
discover.read_page = breaking
politeness.backoff = lambda failures: 0.05

options = resolve(
    {"delay": 0, "stay": "domain", "sitemaps": "none", "connect_to": [sys.argv[1]], "retries": 2, "log_level": "error"},
    {}, {},
)
with open_frontier(options.frontier_url, exclusive=True) as frontier:
    begin(frontier, ["http://site.example/"], scope_of(options), budget_of(options), 0)
    print(run_node(options).reason)
"""


def test_a_page_that_breaks_the_parser_costs_that_page_alone(tmp_path: Path) -> None:
    with serving("--site", "40") as port:
        done = subprocess.run(
            [sys.executable, "-c", BREAKS, f"site.example:80:127.0.0.1:{port}"],
            cwd=tmp_path,
            env=environment(PYTHONPATH=str(ROOT)),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.stdout.strip() == "finished", done.stderr
    assert "the parser broke" in done.stderr
    with open_frontier(f"sqlite:///{tmp_path}/linkatlas-frontier.db") as frontier:
        life = frontier.why("http://site.example/p/5")
        assert life is not None
        assert (life.state, life.reason) == ("failed", "parser_error")
        assert frontier.counts().done == 39
    with open_index(f"sqlite:///{tmp_path}/linkatlas.db") as index:
        assert index.counts().pages == 39
