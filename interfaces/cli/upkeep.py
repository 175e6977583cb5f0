"""Looking after a crawl: leave something alone, rebuild a frontier that was lost."""

from __future__ import annotations

import click

from crawler.frontier import Frontier
from crawler.job import frontier_of, read_job
from crawler.job import hold as hold_pattern
from crawler.sources import keep_job, kept_job, missing, rebuild
from interfaces.cli.flags import option_flags
from interfaces.text import counted, safe_text
from linkindex.errors import BadInput
from linkindex.store import open_index
from linkindex.target import Target, parse_target
from settings.options import Options
from settings.values import number, without_password


@click.command(
    epilog="""\b
Examples:
  linkatlas hold www.example.com --for 3600
  linkatlas hold 'https://example.com/shop/*'
  linkatlas hold 'https://example.com/shop/*' --let-go
"""
)
@click.argument("target")
@click.option("--for", "seconds", metavar="SECONDS", help="Hold a host for so long; else until it is let go.")
@click.option("--because", default="held by hand", metavar="TEXT", help="What `why` shall say of it.  [held by hand]")
@click.option("--let-go", is_flag=True, help="End a hold without a time.")
@option_flags("index", "frontier")
def hold(target: str, seconds: str | None, because: str, let_go: bool, options: Options) -> int:
    """Leave TARGET (a domain, a host, a prefix that ends in *, a URL) alone; nodes that are at work obey within seconds."""
    found = parse_target(target)
    with frontier_of(options, create=False) as frontier:
        if seconds is not None:
            _hold_host(frontier, found, seconds, because)
            click.echo(safe_text(f"{found.name} is left alone for {seconds} s"))
            return 0
        changed = [hold_pattern(frontier, pattern, let_go=let_go) for pattern in _patterns(found)]
    if not any(changed):
        raise BadInput(f"{target}: {'is not held' if let_go else 'is held already'}")
    click.echo(safe_text(f"{target} {'may be visited again' if let_go else 'is left alone until it is let go'}"))
    return 0


def _hold_host(frontier: Frontier, target: Target, seconds: str, because: str) -> None:
    if not target.name:
        raise BadInput(f"{target.text}: --for holds a host, such as www.example.com; without it, anything may be held")
    try:
        span = number(0, 366 * 86400, whole=False)(seconds)
    except ValueError:
        raise BadInput(f"--for {seconds!r} will not do; give seconds, as in 3600, of a year at most") from None
    frontier.hold(target.name, span, because)


def _patterns(target: Target) -> list[str]:
    """Return patterns of whole URLs, as a scope's, for all that a target covers."""
    if target.name:
        return [f"*://{target.name}/*", f"*://*.{target.name}/*"]
    return [*(f"{_literal(prefix)}*" for prefix in target.prefixes), *map(_literal, target.urls)]


def _literal(url: str) -> str:
    return "".join(f"[{char}]" if char in "*?[" else char for char in url)


@click.command(
    epilog="\b\nExample:\n  linkatlas reconcile --frontier 'redis://10.0.0.5/0?job=web' --index sqlite:///web.db"
)
@click.option("--check", is_flag=True, help="Only say whether the frontier lacks anything.")
@option_flags("index", "frontier", "accept_volatile", "host_queue")
def reconcile(check: bool, options: Options) -> int:
    """Tell the frontier all that the index knows: pages that were visited, URLs that they lead to.

    For a frontier that was lost, or set back to an earlier state. What it knows stays as it is; running it twice does no
    harm.
    """
    with open_index(options.index) as index, frontier_of(options, create=not check) as frontier:
        if not read_job(frontier).seeds and not kept_job(index).seeds:
            raise BadInput(
                f"{without_password(options.index)}: holds no crawl to rebuild; begin one with linkatlas crawl"
            )
        if check:
            lacking = missing(frontier, index)
            click.echo(
                f"{counted(lacking, 'URL that the index knows is', 'URLs that the index knows are')} unknown to the frontier"
            )
            return 1 if lacking else 0
        rebuilt = rebuild(frontier, index)
        keep_job(index, read_job(frontier))
    click.echo(
        f"{counted(rebuilt.visited, 'visited page')} and {counted(rebuilt.queued, 'URL')} to visit were unknown to the frontier"
    )
    return 0
