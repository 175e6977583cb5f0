"""``linkatlas crawl``: from seeds to a filled index, and on from where it stopped."""

from __future__ import annotations

import shlex
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from crawler.addresses import parse_connect_to
from crawler.consent import check_contact
from crawler.frontier import Counts, Frontier
from crawler.job import begin, budget_of, frontier_of, read_job, scope_of
from crawler.requests_log import check_log
from crawler.scope import Scope
from crawler.sources import ANSWER, keep_job, visit_anew
from interfaces.cli.fields import write_fields
from interfaces.cli.flags import option_flags
from interfaces.cli.places import is_there
from interfaces.cli.program import program
from interfaces.cli.progress import Progress, Snapshot
from interfaces.cli.seeds import read_seeds
from interfaces.cli.voice import voice
from interfaces.text import counted, safe_text
from linkindex.model import Outcome
from linkindex.store import LinkIndex, Selection, open_index
from linkindex.target import Target
from linkindex.urls import domain_of, host_of
from settings.options import Options, default
from settings.values import without_password

if TYPE_CHECKING:
    from crawler.process import End

EXAMPLES = """\b
Examples:
  linkatlas crawl https://example.com
  linkatlas crawl --seeds-file seeds.txt --stay domain --max-pages 10000 --contact me@example.org
  linkatlas crawl example.com --contact https://example.org/about-our-bot
"""

# Options that say what to visit; the others say how, and may differ when a crawl goes on.
CRAWL_OPTIONS = (
    "index", "frontier", "accept_volatile", "host_queue", "depth", "max_pages", "max_pages_per_host", "max_pages_per_domain",
    "more_pages_per_linker", "sitemaps", "soft_404", "recrawl", "stay", "include", "exclude", "delay",
    "max_crawl_delay", "slow", "per_address", "keep_alive", "store_wait",
    "workers", "contact", "opt_out", "own", "request_log",
    "connect_to", "allow_private", "ports", "max_wait", "concurrency", "connect_timeout",
    "first_byte_timeout", "timeout", "least_rate", "max_body", "max_ratio", "max_sitemap", "max_headers",
    "max_redirects", "max_links", "max_anchor", "max_dom_depth", "max_nodes", "max_url", "retries",
    "max_stall", "lease", "internal_links", "lost_after_visits", "lost_after_days", "durability", "batch",
    "flush_interval", "metrics_port", "metrics_address", "log_level", "log_format",
)  # fmt: skip


@click.command(epilog=EXAMPLES)
@click.argument("seeds", nargs=-1, metavar="[SEED]...")
@click.option("--seeds-file", metavar="FILE", help="Read more seeds from FILE, one URL a line; # starts a comment.")
@click.option("--again", is_flag=True, help="Visit everything anew, though the crawl had ended.")
@click.option("--dry-run", is_flag=True, help="Print the plan and stop.")
@option_flags(*CRAWL_OPTIONS)
def crawl(seeds: tuple[str, ...], seeds_file: str | None, again: bool, dry_run: bool, options: Options) -> int:
    """Crawl outward from SEEDs and keep every link that is found.

    A SEED is a URL, or a domain (https is assumed). Breadth first: the pages of the seeds' domains and the pages they
    link to. The same command again goes on where it stopped.
    """
    voice.form = options.log_format
    for detour in options.connect_to:
        parse_connect_to(detour)
    check_contact(options)
    check_log(options.request_log)
    scope = scope_of(options)
    found = read_seeds(seeds, seeds_file, allow_private=options.allow_private, ports=options.ports)
    for line in found.skipped:
        _say(f"skipped: {line}")
    if dry_run:
        _print_plan(found.urls, options)
        return 0
    with ExitStack() as stack:
        index = stack.enter_context(open_index(options.index, create=True, wait=ANSWER))
        frontier = stack.enter_context(frontier_of(options, exclusive=True))
        if not _begin(frontier, index, found.urls, scope, again, options):
            return 0 if frontier.counts().done else _tell_unread(frontier)
        keep_job(index, read_job(frontier))
        return run(frontier, index, options)


def _begin(frontier: Frontier, index: LinkIndex, seeds: list[str], scope: Scope, again: bool, options: Options) -> bool:
    """Give the frontier its job; False, having said so, when there is nothing left of it."""
    known = bool(read_job(frontier).seeds)
    begin(frontier, seeds, scope, budget_of(options), options.delay, again=again)
    if again:
        visit_anew(frontier, index)
    outlook, counts = frontier.outlook(), frontier.counts()
    if outlook.finished or outlook.spent:
        why = (
            f"its budget of {counted(options.max_pages, 'page')} is spent"
            if outlook.spent
            else "nothing is left to visit"
        )
        more = "--max-pages raises the budget; " if outlook.spent else "--depth goes deeper; "
        _say(
            f"this crawl had ended: {counted(counts.visited, 'URL')} visited, {why}. {more}--again visits everything anew."
        )
        return False
    if known and not again and counts.visited:
        _say(f"going on: {counted(counts.visited, 'URL')} visited so far, {counts.queued + counts.scheduled:,} queued")
    return True


def run(frontier: Frontier, index: LinkIndex, options: Options, begun_by: str = "") -> int:
    """Work until the end with ``options.workers`` nodes, this process being one; print what was found; return the exit code.
    ``begun_by`` is what a person types to have it all again, where that does not go on with what is there."""
    from crawler.process import run_node
    from interfaces.cli.workers import workers

    began, before = time.monotonic(), frontier.counts()
    others = workers(options, options.workers - 1)
    with Progress(lambda: Snapshot(frontier.counts(), index.grown(), frontier.outlook().wait)), others as stop_workers:
        end = run_node(options, stop_workers)
    counts = frontier.counts()
    if not end.message:  # else the index may be what is away
        _print_summary(index, counts, counts.visited - before.visited, time.monotonic() - began)
        click.echo(f"run: {read_job(frontier).run}")
        _print_questions(frontier, index, options)
    go_on = f"begin anew with: {begun_by}" if begun_by else f"nothing is lost, go on with: {_this_command()}"
    return _conclude(end, go_on, frontier, counts)


def _conclude(end: End, go_on: str, frontier: Frontier, counts: Counts) -> int:
    reason, message, exit_code = end.reason, end.message, end.exit_code
    if message:
        _say(f"stopped: {message}")
        return exit_code
    if reason == "shutdown":
        _say(f"stopped; {go_on}")
        return 130
    if reason == "waiting":
        _say(f"stopped early: what is left may be visited in {_span(frontier.outlook().wait)}; {go_on}")
        return 75
    if reason == "drained":
        _say(f"left the crawl, as it was asked to; {go_on}")
        return 0
    if counts.queued + counts.scheduled and reason == "budget":
        left = counts.queued + counts.scheduled
        _say(f"the budget is spent with {counted(left, 'URL')} queued; raise it with --max-pages to go on")
    return 0 if counts.done else _tell_unread(frontier)


def _tell_unread(frontier: Frontier) -> int:
    _say(f"not one page could be read; {program()} why {read_job(frontier).seeds[0]} tells more")
    return 1


def _print_summary(index: LinkIndex, counts: Counts, visited: int, seconds: float) -> None:
    """Tell what this command did, and apart from that what there is by now: a crawl goes on, and an index holds many."""
    held = index.counts()
    speed = visited / seconds if seconds else 0.0
    pages = counted(held.read, "page")
    click.echo(f"visited {counted(visited, 'URL')} in {seconds:,.1f} s ({speed:.1f}/s), this time")
    whole = [f"{counted(held.links, 'link')} from {pages}", _most("outcomes", held.by_outcome)]
    known = [f"{counted(counts.discovered, 'URL')} on {counted(counts.hosts, 'host')}"]
    known += [_most("failed", counts.failed_by), _most("excluded", counts.excluded_by)]
    for where, parts in (("the index, of all runs", whole), ("the queue, of all this crawl", known)):
        click.echo(safe_text(f"{where}: {'; '.join(filter(None, parts))}"))


def _most(name: str, numbers: dict[str, int]) -> str:
    most = sorted(numbers.items(), key=lambda pair: -pair[1])[:8]
    return f"{name} {', '.join(f'{why} ({n:,})' for why, n in most)}" if most else ""


def _print_questions(frontier: Frontier, index: LinkIndex, options: Options) -> None:
    """Tell how to ask for what was found, with a target that there is something to say about."""
    seeds = [domain_of(host_of(url)) for url in read_job(frontier).seeds]
    linked = (
        domain
        for domain in dict.fromkeys(seeds)
        if next(index.links(Selection(target=Target(text=domain, name=domain)), limit=1), None)
    )
    target = next(linked, None)
    place = "" if options.index == default("index") else f" --index {shlex.quote(without_password(options.index))}"
    if target:
        questions = [f"backlinks {target}", f"domains {target}", f"overview {target}"]
    else:
        first = read_job(frontier).seeds[0]
        questions = [f"outlinks {first}" if index.outcome(first) == Outcome.PAGE else f"why {first}", "status"]
    click.echo("ask:  " + "\n      ".join(f"{program()} {question}{place}" for question in questions))
    if target:
        click.echo(f"next: {program()} classify{place}   tells links of templates from those that somebody wrote")


def _print_plan(seeds: list[str], options: Options) -> None:
    place = without_password(options.frontier_url)
    begun = "goes on where it stopped, if it was begun" if is_there(options.frontier_url) else "new"
    scope: Scope = scope_of(options)
    rows = [
        ("seeds", f"{len(seeds):,}: " + ", ".join(seeds[:5]) + (" …" if len(seeds) > 5 else "")),
        ("scope", f"depth {scope.depth}, stay {scope.stay}" + _patterns(scope)),
        (
            "budget",
            f"{_most_pages(options.max_pages)}, {_most_pages(options.max_pages_per_host)} per host",
        ),
        (
            "pace",
            f"{options.delay:g} s between fetches of a host, {options.workers} x {options.concurrency} fetches at once",
        ),
        ("index", without_password(options.index)),
        ("frontier", f"{place} ({begun})" if place else "none: name one by --frontier"),
        ("contact", options.contact or "none: give one with --contact, sites like to know whom to write to"),
    ]
    write_fields(rows, sys.stdout)


def _most_pages(limit: int) -> str:
    return counted(limit, "page") if limit else "no limit on pages"


def _span(seconds: float) -> str:
    return (
        f"{seconds / 3600:.1f} h"
        if seconds > 5400
        else f"{seconds / 60:.0f} min"
        if seconds > 90
        else f"{seconds:.0f} s"
    )


def _patterns(scope: Scope) -> str:
    parts = [f"only {' '.join(scope.include)}"] if scope.include else []
    parts += [f"without {' '.join(scope.exclude)}"] if scope.exclude else []
    return "".join(f", {part}" for part in parts)


def _this_command() -> str:
    arguments = [without_password(argument) for argument in sys.argv[1:] if argument != "--again"]
    return f"{program()} {shlex.join(arguments)}"


def _say(line: str) -> None:
    voice.say(line)
