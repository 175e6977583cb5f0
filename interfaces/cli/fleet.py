"""Many nodes on one crawl: join it, see who does, give it more seeds."""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import click
from click.core import ParameterSource

from crawler.consent import check_contact
from crawler.frontier import Frontier, Seen
from crawler.job import admit, frontier_of, read_job
from crawler.requests_log import check_log
from crawler.sources import batches, entry_of, keep_job
from interfaces.cli.flags import option_flags
from interfaces.cli.health import check_health
from interfaces.cli.looks import state_of
from interfaces.cli.program import program
from interfaces.cli.render import RECORD_FORMAT, choose_format, record_json
from interfaces.cli.seeds import given_seeds, read_seeds
from interfaces.cli.voice import voice
from interfaces.text import counted, safe_text
from linkindex.errors import BadInput, Unavailable
from linkindex.store import LinkIndex, open_index
from linkindex.target import Target, parse_target
from settings.options import Options, flag

# How a node works; what is to be visited is said by the job it joins.
NODE_OPTIONS = (
    "index", "frontier", "accept_volatile", "workers", "concurrency", "contact", "own", "request_log",
    "connect_to", "allow_private", "ports",
    "max_wait",
    "connect_timeout", "first_byte_timeout", "timeout", "least_rate", "max_body", "max_ratio", "max_sitemap", "max_headers",
    "max_links", "max_anchor", "max_dom_depth", "max_nodes", "retries", "max_stall", "lease",
    "max_crawl_delay", "slow", "per_address", "sitemaps", "soft_404", "recrawl", "internal_links",
    "lost_after_visits", "lost_after_days", "durability", "batch", "flush_interval", "store_wait", "log_level", "log_format",
    "metrics_port", "metrics_address",
)  # fmt: skip


@click.group(
    invoke_without_command=True,
    subcommand_metavar="[drain NAME]",
    epilog="\b\nExample:\n  linkatlas node --contact me@example.org --frontier 'redis://10.0.0.5/0?job=web' --index sqlite:///web.db",
)
@click.option("--until-finished", is_flag=True, help="Stop when nothing is left to visit.")
@click.option(
    "--health", is_flag=True, help="Ask the node that listens on --metrics-port how it is: exits 0 where it is well."
)
@click.option(
    "--prepare",
    is_flag=True,
    help="Wait for stores that are still starting, and make the index and an empty job first.",
)
@option_flags(*NODE_OPTIONS)
def node(until_finished: bool, health: bool, prepare: bool, options: Options) -> int | None:
    """Join the crawl that --frontier names and work on it until told to stop.

    A crawl is begun by linkatlas crawl or linkatlas seed; any number of nodes may work on it, on any machines. A host
    sees them as one: one delay, one robots.txt. Ctrl-C finishes what is under way and leaves; so does, from anywhere,
    linkatlas node drain NAME.
    """
    context = click.get_current_context()
    if context.invoked_subcommand:
        given = [name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
        if given:
            raise click.UsageError(f"{flag(given[0])} stands before {context.invoked_subcommand}; write it behind")
        return None
    if health:
        well, line = check_health(options)
        click.echo(line)
        return 0 if well else 1
    from crawler.process import run_node
    from interfaces.cli.workers import workers

    voice.form = options.log_format
    check_contact(options, joins=True)
    check_log(options.request_log)
    options = replace(options, keep_alive=not until_finished)
    if prepare:
        _prepare(options)
    with frontier_of(options, create=False) as frontier:
        before = frontier.counts()
    with workers(options, options.workers - 1) as stop_workers:
        end = run_node(options, stop_workers)
    if end.message:
        voice.say(f"stopped: {end.message}", "error")
        return end.exit_code
    with frontier_of(options, create=False) as frontier:
        visited = frontier.counts().visited - before.visited
    line = (
        f"left the crawl ({end.reason}); {counted(visited, 'URL was', 'URLs were')} visited meanwhile, by all its nodes"
    )
    if options.log_format == "text":
        click.echo(line)
    else:  # whatever a container writes goes to one log
        voice.say(line)
    return 75 if end.reason == "waiting" else 0


def _prepare(options: Options) -> None:
    """Make the index and a job without seeds; what is there stays as it is. Stores are waited for."""
    give_up = time.monotonic() + options.store_wait
    while True:
        try:
            open_index(options.index, create=True).close()
            frontier_of(options).close()
            return
        except Unavailable:
            if time.monotonic() >= give_up:
                raise
            time.sleep(1.0)


@node.command(
    epilog="\b\nExample:\n  linkatlas node drain crawler-7:1 --frontier 'redis://10.0.0.5/0?job=web'",
)
@click.argument("name")
@option_flags("index", "frontier")
def drain(name: str, options: Options) -> int:
    """Have the node NAME leave the crawl: it takes no new lease, finishes what it has in hand, and ends with exit code 0.

    NAME is as linkatlas nodes shows it. The node hears of it within seconds. Where it was started with --workers, the
    processes that it had started leave with it.
    """
    with frontier_of(options, create=False) as frontier:
        if not frontier.drain(name):
            known = [seen.beat.node for seen in frontier.nodes()]
            near = f"; those at work: {', '.join(known[:8])}" if known else "; no node works on this crawl"
            raise BadInput(f"node {name!r} is unknown{near}")
    click.echo(
        safe_text(f"{name} takes no more, and leaves when what it has in hand is done; linkatlas nodes shows it")
    )
    return 0


@click.command(epilog="\b\nExample:\n  linkatlas nodes --frontier 'redis://10.0.0.5/0?job=web'")
@RECORD_FORMAT
@option_flags("index", "frontier")
def nodes(form: str | None, options: Options) -> int:
    """Show who works on a crawl: last sign of life, leases in hand, pages so far and a second, and who is about to leave."""
    with frontier_of(options, create=False) as frontier:
        seen = frontier.nodes()
    if choose_format(form, None) in ("json", "jsonl"):
        click.echo(record_json(seen))
        return 0
    if not seen:
        click.echo("no node works on this crawl")
        return 0
    width = max(len(one.beat.node) for one in seen)
    click.echo(f"{'node':<{width}}  {'seen':>10}  {'leases':>6}  {'pages':>9}  {'pages/s':>7}  state")
    for one in seen:
        click.echo(safe_text(f"{one.beat.node:<{width}}  {_ago(one):>10}  {one.beat.hand:>6,}  {one.beat.pages:>9,}  "
                             f"{one.beat.rate:>7.1f}  {state_of(one)}"))  # fmt: skip
    return 0


def _ago(seen: Seen) -> str:
    return f"{seen.ago:.0f} s ago" if seen.ago < 120 else f"{seen.ago / 60:.0f} min ago"


@click.command(
    epilog="""\b
Examples:
  linkatlas seed https://example.org --frontier 'redis://10.0.0.5/0?job=web'
  linkatlas seed --again www.example.com
  linkatlas seed --again 'https://example.com/news/*'
"""
)
@click.argument("seeds", nargs=-1, metavar="[SEED]...")
@click.option("--seeds-file", metavar="FILE", help="Read more seeds from FILE, one URL a line; # starts a comment.")
@click.option("--again", is_flag=True, help="Have URLs, hosts or patterns visited again that were visited before.")
@option_flags("index", "frontier", "accept_volatile", "host_queue", "allow_private", "ports")
def seed(seeds: tuple[str, ...], seeds_file: str | None, again: bool, options: Options) -> int:
    """Add SEEDs to a crawl, which may be under way.

    With --again, a SEED is a URL, a domain, a host or a prefix that ends in *: its pages that were visited are queued anew.
    """
    with open_index(options.index, create=True) as index, frontier_of(options) as frontier:
        if again:
            targets = [parse_target(text) for _, text in given_seeds(seeds, seeds_file)]
            queued = sum(_again(frontier, index, target) for target in targets)
            click.echo(f"{counted(queued, 'URL is', 'URLs are')} queued to be visited again")
            return 0 if queued else 1
        found = read_seeds(seeds, seeds_file, allow_private=options.allow_private, ports=options.ports)
        for line in found.skipped:
            voice.say(f"skipped: {line}")
        before = frontier.counts()
        admit(frontier, found.urls)
        keep_job(index, read_job(frontier))
        counts, at_work = frontier.counts(), any(node.alive for node in frontier.nodes())
    new = counts.discovered - before.discovered
    click.echo(
        f"{new:,} new, {len(found.urls) - new:,} known before; {counted(counts.queued, 'URL is', 'URLs are')} queued"
    )
    if not at_work and sys.stderr.isatty():
        voice.say(f"no node works on this crawl yet; one more command, or machine, does: {program()} node")
    return 0


def _again(frontier: Frontier, index: LinkIndex, target: Target) -> int:
    """Queue anew the visited pages that ``target`` covers; return how many those are."""
    scope, queued = read_job(frontier).scope, 0
    pages = (entry_of(page, scope) for page in index.visited(target))
    for batch in batches(pages):
        queued += frontier.add(batch, again=True).known
    return queued
