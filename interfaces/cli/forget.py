"""``linkatlas forget``: out of the index and out of the queue, for good."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice

import click
import msgspec

from crawler.frontier import Frontier
from crawler.job import frontier_of, read_job, runs_of
from interfaces.cli.asking import examples
from interfaces.cli.flags import option_flags
from interfaces.cli.places import is_there
from interfaces.cli.runs import forgotten_runs, note_forgotten
from interfaces.text import counted, safe_text
from linkindex import urls
from linkindex.errors import BadInput
from linkindex.store import LinkIndex, open_index
from linkindex.target import Target, parse_target
from settings.options import Options

_BATCH = 1000
_NAMED = 5  # runs that an error names, the latest


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be forgotten: what a target covers, or what a run visited first."""

    text: str
    target: Target | None = None
    run: str = ""
    host: str = ""  # the target is all of this host


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """What was forgotten; None where it was not to be, or there was nothing to forget it."""

    pages: int | None
    links: int | None
    queued: int | None  # URLs that the frontier knew


@click.command(
    epilog=examples(
        "forget https://example.com/page",
        "forget 'https://example.com/old/*' --queue-only",
        "forget --host old.example.com --yes",
        "forget --run 2026-11-25T10:00:00Z",
    )
)
@click.argument("target", required=False)
@click.option("--domain", metavar="DOMAIN", help="All hosts of a registrable domain.")
@click.option("--host", metavar="HOST", help="One host, and none below it.")
@click.option("--url", metavar="URL", help="One URL.")
@click.option("--run", metavar="RUN", help="What this run visited first, before any other; `status` names them.")
@click.option(
    "--queue-only", is_flag=True, help="Only the queue forgets, to visit it anew; the index keeps what it knows."
)
@click.option("--yes", is_flag=True, help="Do not ask, on a terminal.")
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", help="How it is told.  [table]"
)
@option_flags("index", "frontier")
def forget(
    target: str | None,
    domain: str | None,
    host: str | None,
    url: str | None,
    run: str | None,
    queue_only: bool,
    yes: bool,
    form: str,
    options: Options,
) -> int:
    """Take visited pages out of the index, with their links, texts and history, and out of the queue, for good.

    Say which by TARGET (a domain, a host, a prefix that ends in *, a URL) or by one of the options. Links of other pages
    that point there stay: they are those pages' words. What is forgotten is visited again when it is discovered again; hold
    keeps it from that.
    """
    wanted = _wanted(target, domain, host, url, run)
    with ExitStack() as stack:
        index = stack.enter_context(open_index(options.index))
        there = is_there(options.frontier_url)
        if queue_only and not there:
            raise BadInput(
                f"{options.frontier_url or '--frontier'}: no queue there that could forget; name it by --frontier"
            )
        frontier = stack.enter_context(frontier_of(options, create=False)) if there else None
        if wanted.run and (nothing := _nothing_of(index, frontier, wanted.run)):
            click.echo(f"linkatlas: {safe_text(wanted.text)}: {nothing}", err=True)
            return 1
        if not (yes or _confirmed(index, wanted, queue_only)):
            click.echo("linkatlas: nothing is forgotten", err=True)
            return 1
        forgotten = _forget(index, frontier, wanted, queue_only)
    click.echo(msgspec.json.encode(forgotten).decode() if form == "json" else _told(forgotten))
    return 0 if any(msgspec.structs.astuple(forgotten)) else 1


def _wanted(target: str | None, domain: str | None, host: str | None, url: str | None, run: str | None) -> Wanted:
    given = [text for text in (target, domain, host, url, run) if text is not None]
    if len(given) != 1 or not given[0].strip():
        raise BadInput("say what is to be forgotten, by one of TARGET, --domain, --host, --url, --run")
    text = given[0]
    if run:
        return Wanted(text=f"run {run}", run=run)
    found = parse_target(text if not url or "://" in url else f"https://{url}")
    if domain and found.name != urls.domain_of(found.name):
        raise BadInput(f"--domain {domain!r}: not a registrable domain; name it, or a host by --host")
    if url and not found.urls:
        raise BadInput(f"--url {url!r}: not one URL; write https://example.com/page")
    if not host:
        return Wanted(text=text, target=found)
    if not found.name:
        raise BadInput(f"--host {host!r}: not a host; write www.example.com")
    of_host = Target(text=text, prefixes=(f"https://{found.name}/", f"http://{found.name}/"))
    return Wanted(text=text, target=of_host, host=found.name)


def _nothing_of(index: LinkIndex, frontier: Frontier | None, run: str) -> str:
    """Return why there is nothing to forget of a run, "" where there is. Raises :class:`BadInput` where there was none of
    that name."""
    runs = [one.run for one in index.runs() if one.run]
    if run in runs:
        return ""
    if run in forgotten_runs(index):
        return "forgotten before; nothing is left of it"
    if frontier and run in runs_of(read_job(frontier)):
        return "visited no page that an earlier run had not; a page goes with the run that visited it first"
    named = (
        f"there are: {', '.join(runs[:_NAMED])}{' …' if len(runs) > _NAMED else ''}" if runs else "there is none yet"
    )
    raise BadInput(f"--run {run!r}: no run that visited a page of this index first; {named}")


def _confirmed(index: LinkIndex, wanted: Wanted, queue_only: bool) -> bool:
    """Ask whoever sits at a terminal; programs know what they do."""
    if queue_only or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    pages = index.pages_of(wanted.target) if wanted.target else sum(1 for _ in index.visited(run=wanted.run))
    going = counted(pages, f"page of {wanted.text} goes", f"pages of {wanted.text} go")
    question = f"{going} for good, with all that was found there. Go on?"
    return click.confirm(safe_text(question), err=True)


def _forget(index: LinkIndex, frontier: Frontier | None, wanted: Wanted, queue_only: bool) -> Forgotten:
    # The queue goes first: the index says what belongs to it, should this be stopped halfway and called again.
    queued = _forget_queued(frontier, index, wanted) if frontier else None
    gone = None if queue_only else index.forget(wanted.target, wanted.run)
    if gone and wanted.run:
        note_forgotten(index, wanted.run)
    return Forgotten(pages=gone.pages if gone else None, links=gone.links if gone else None, queued=queued)


def _forget_queued(frontier: Frontier, index: LinkIndex, wanted: Wanted) -> int:
    known, forgotten = _known(index, wanted), 0
    while batch := list(islice(known, _BATCH)):
        forgotten += frontier.forget(batch)
    hosts = {wanted.host} if wanted.host else set()
    if wanted.target and (name := wanted.target.name):
        hosts |= {name} | {host for host, _ in index.hosts() if urls.domain_of(host) == name}
    return forgotten + sum(frontier.forget_host(host) for host in hosts)


def _known(index: LinkIndex, wanted: Wanted) -> Iterator[str]:
    """Yield the URLs that are to be forgotten, as far as the index or the target itself names them."""
    target = wanted.target
    yield from target.urls if target else ()
    for page in index.visited(target, wanted.run):
        yield page.url
    for host in _hosts(target) if target else ():
        for named in index.named(host):
            if target and (target.name or named.url.startswith(target.prefixes)):
                yield named.url


def _hosts(target: Target) -> Iterable[str]:
    named = {target.name} if target.name else set()
    return named | {urls.host_of(url) for url in (*target.prefixes, *target.urls)}


def _told(forgotten: Forgotten) -> str:
    if forgotten.pages is None:
        return f"{counted(forgotten.queued or 0, 'URL is', 'URLs are')} forgotten; the index keeps what it knows"
    queue = "" if forgotten.queued is None else f", and {counted(forgotten.queued, 'URL')} of the queue"
    return f"{counted(forgotten.pages, 'page')} and {counted(forgotten.links or 0, 'link')} are forgotten{queue}"
