"""``linkatlas demo``: a made-up web on this machine, crawled and asked about. No internet."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import click

from crawler.job import begin, budget_of, frontier_of, scope_of
from interfaces.cli.crawl import run
from interfaces.cli.program import program
from interfaces.cli.render import write_rows
from interfaces.demo.model import Web, split
from interfaces.demo.serve import serving
from interfaces.demo.web import make_web
from linkindex.answers import rows
from linkindex.answers.backlinks import backlinks
from linkindex.answers.domains import referring_domains
from linkindex.classify import classify
from linkindex.store import Selection, open_index
from linkindex.target import parse_target
from settings.options import resolve

DATABASE = "linkatlas-demo.db"
SEED_NUMBER = 1


def _closed(web: Web) -> str:
    """Return a URL of the web that its robots.txt closes, for a question that has an answer worth reading."""
    targets = (link.target for link in web.links())
    return next(
        url for url in targets if any(split(url)[1].startswith(path) for path in web.closed.get(split(url)[0], ()))
    )


@click.command(epilog="\b\nExample:\n  linkatlas demo")
def demo() -> int:
    """Crawl a small made-up web on this machine, and ask about it.

    Serves some 30 invented sites on a loopback port, crawls them from two seeds, and shows what the index says of one.
    Leaves linkatlas-demo.db here, for more questions.
    """
    web = make_web(SEED_NUMBER)
    # Neither the environment nor the file has a say: they name the stores of real crawls.
    options = resolve({"index": f"sqlite:///{DATABASE}", "depth": 6, "delay": 0.05, "max_pages": 2000}, {}, {})
    for name in (DATABASE, options.frontier_url.removeprefix("sqlite:///")):
        for leftover in Path().glob(f"{name}*"):
            leftover.unlink()
    with ExitStack() as stack:
        port = stack.enter_context(serving("--seed", str(SEED_NUMBER)))
        options = replace(options, connect_to=tuple(f"{host}:80:127.0.0.1:{port}" for host in web.hosts))
        click.echo(
            f"serving {len(web.hosts)} made-up hosts on 127.0.0.1:{port}; crawling from {' and '.join(web.seeds)}"
        )
        frontier = stack.enter_context(frontier_of(options, exclusive=True))
        index = stack.enter_context(open_index(options.index, create=True))
        begin(frontier, web.seeds, scope_of(options), budget_of(options), options.delay)
        code = run(frontier, index, options, begun_by=f"{program()} demo")
        if code:
            return code
        templates = sum(found.templates for found in classify(index))
        click.echo(f"classified: {templates} links that the templates of their sites repeat")
        selection = Selection(target=parse_target(web.star))
        out = sys.stdout
        click.echo(f"\nWho links to {web.star}? The top referring domains:\n")
        columns = ["domain", "backlinks", "pages", "follow", "nofollow", "first_seen"]
        write_rows(referring_domains(index, selection, limit=10), rows.ReferringDomain, "table", out, columns)
        click.echo("\nAnd some of the links:\n")
        columns = ["source", "target", "anchor", "rel", "follow", "placement", "relevance"]
        write_rows(backlinks(index, selection, limit=10), rows.Backlink, "table", out, columns)
    click.echo("\nAsk more:\n")
    for question in (
        f"overview {web.star}",
        f"anchors {web.star}",
        f"backlinks {web.star} --format csv -o backlinks.csv",
        f"why {_closed(web)}",
    ):
        click.echo(f"  {program()} {question} --index {options.index}")
    click.echo(f"  {program()} crawl https://example.com")
    return code
