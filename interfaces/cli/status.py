"""How far a crawl is, and what became of one URL."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC, datetime

import click
import msgspec

from crawler.frontier import Counts, Entry, Life, Robots, Seen
from crawler.job import canonical_seed, frontier_of, read_job, runs_of
from crawler.politeness import deciding_line
from crawler.scope import Scope
from interfaces.cli.fields import write_fields
from interfaces.cli.flags import option_flags
from interfaces.cli.places import is_there
from interfaces.cli.program import program
from interfaces.cli.render import RECORD_FORMAT, choose_format, record_json
from interfaces.text import counted
from linkindex import urls
from linkindex.errors import BadInput
from linkindex.store import IndexCounts, RunCounts, open_index
from linkindex.target import Target
from settings.options import Options
from settings.values import without_password

_RUNS = 5  # that are shown


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run of the index or of the job, and what it brought. One that found nothing new has no page."""

    run: str
    pages: int  # that it visited first
    first: int | None = None  # ms; when the first of them was visited first
    last: int | None = None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Both stores' accounts; None for a store that is not there."""

    frontier: Counts | None
    discovered: int
    index: IndexCounts | None
    runs: list[Run]  # the latest first
    nodes: list[Seen]  # at work


@click.command(epilog="\b\nExample:\n  linkatlas status --index sqlite:///linkatlas.db")
@RECORD_FORMAT
@option_flags("index", "frontier")
def status(form: str | None, options: Options) -> int:
    """Show how far the crawl is, and what the index holds."""
    index = frontier = None
    runs: list[RunCounts] = []
    begun: tuple[str, ...] = ()
    nodes: list[Seen] = []
    if is_there(options.index):
        with open_index(options.index) as store:
            index, runs = store.counts(), list(store.runs())
    if is_there(options.frontier_url):
        with frontier_of(options, create=False) as queue:
            frontier, begun = queue.counts(), runs_of(read_job(queue))
            nodes = [seen for seen in queue.nodes() if seen.alive]
    if index is None and frontier is None:
        raise BadInput(
            f"nothing at {without_password(options.index)} yet; make an index with: {program()} crawl https://example.com"
        )
    discovered = frontier.discovered if frontier else 0
    seen = Status(frontier=frontier, discovered=discovered, index=index, runs=_runs(runs, begun), nodes=nodes)
    if choose_format(form, None) in ("json", "jsonl"):
        click.echo(record_json(seen))
        return 0
    write_fields(_told(seen), sys.stdout)
    return 0


def _told(seen: Status) -> list[tuple[str, str]]:
    return [
        *(_frontier(seen.frontier) if seen.frontier else []),
        *(_at_work(seen.nodes) if seen.nodes else []),
        *(_held(seen.index) if seen.index else []),
        *[("run", f"{run.run or '-'}: {_brought(run)}") for run in seen.runs[:_RUNS]],
        *(
            [("", f"{counted(more, 'run')} before them; --format json names all")]
            if (more := len(seen.runs) - _RUNS) > 0
            else []
        ),
    ]


def _frontier(counts: Counts) -> list[tuple[str, str]]:
    names = ("queued", "scheduled", "leased", "done", "failed", "excluded")
    told = [
        f"{counted(counts.discovered, 'URL')} discovered on {counted(counts.hosts, 'host')}",
        "= " + " + ".join(f"{getattr(counts, name):,} {name}" for name in names),
    ]
    if counts.waiting:
        told.append(f"on {counted(counts.waiting, 'host')} more URLs wait in the index, for their queues are full")
    if counts.quarantined:
        strange = counted(counts.quarantined, "stored value was", "stored values were")
        told.append(f"{strange} strange and set aside")
    for name, reasons in (("failed", counts.failed_by), ("excluded", counts.excluded_by)):
        told += [f"{name}: {_listed(reasons)}"] if reasons else []
    return _under("frontier", told)


def _at_work(nodes: list[Seen]) -> list[tuple[str, str]]:
    rate = sum(node.beat.rate for node in nodes)
    leaving = [node.beat.node for node in nodes if node.draining]
    about = f"; about to leave: {', '.join(leaving)}" if leaving else ""
    return [("nodes", f"{len(nodes):,} at work, {rate:,.1f} pages/s{about}")]


def _held(held: IndexCounts) -> list[tuple[str, str]]:
    told = [
        f"{counted(held.links, 'link')} ({held.lost:,} lost) from {counted(held.read, 'page')}",
        f"{counted(held.pages, 'URL')} of {counted(held.domains, 'domain')}, by outcome: {_listed(held.by_outcome)}",
        f"URL rules {held.url_rules or '-'}, Public Suffix List of {held.suffix_list or '-'}",
    ]
    return _under("index", told)


def _under(name: str, lines: list[str]) -> list[tuple[str, str]]:
    return [("" if at else name, line) for at, line in enumerate(lines)]


def _runs(brought: Iterable[RunCounts], begun: Iterable[str]) -> list[Run]:
    """Join what runs brought to the index with the runs that the job has had."""
    runs = {name: Run(run=name, pages=0) for name in begun}
    runs |= {one.run: Run(run=one.run, pages=one.pages, first=one.first, last=one.last) for one in brought}
    return sorted(runs.values(), key=lambda run: run.run, reverse=True)  # they are named by when they began


def _brought(run: Run) -> str:
    if run.first is None or run.last is None:
        return "no URL that was not known before"
    return f"{counted(run.pages, 'URL')}, {_when(run.first)} to {_when(run.last)}, for the first time"


def _listed(numbers: dict[str, int]) -> str:
    return ", ".join(f"{n:,} {name}" for name, n in sorted(numbers.items(), key=lambda pair: -pair[1])) or "none"


@click.command(epilog="\b\nExample:\n  linkatlas why https://example.com/page")
@click.argument("url")
@RECORD_FORMAT
@option_flags("index", "frontier")
def why(url: str, form: str | None, options: Options) -> int:
    """Show what became of URL: who led to it, what was tried, why it was or was not visited."""
    wanted, other = canonical_seed(url), _other_scheme(canonical_seed(url))
    with frontier_of(options, create=False) as frontier:
        life, twin = frontier.why(wanted), frontier.why(other)
        if life is None and "://" not in url:
            life = twin
        robots = frontier.robots([life.host]).get(life.host) if life else None
        scope = read_job(frontier).scope
    if life is None and (visits := _visits(wanted, options)):
        raise BadInput(
            f"{url}: in the index ({visits}), but not of this crawl; {program()} seed --again {url} visits it anew"
        )
    if life is None:
        why_not = f", but {other} was" if twin else "; no page that was visited links to it"
        raise BadInput(f"{wanted}: never discovered{why_not}")
    if choose_format(form, None) in ("json", "jsonl"):
        click.echo(record_json(life))
        return 0
    write_fields(_story(life, _visits(life.url, options), scope, robots), sys.stdout)
    return 0


def _other_scheme(url: str) -> str:
    scheme, _, rest = url.partition(":")
    return canonical_seed(f"{'http' if scheme == 'https' else 'https'}:{rest}")


def _visits(url: str, options: Options) -> str:
    """Return what the index says of the visits to a page; "" where there is no index, or no visit."""
    if not is_there(options.index):
        return ""
    with open_index(options.index) as index:
        page = next(index.pages(Target(text=url, urls=(url,)), limit=1), None)
    if page is None:
        return ""
    first, last = page.first_visited, page.last_visited
    return f"{page.outcome}, {_shown(last)}" + (f", first on {first:%Y-%m-%d}" if first != last else "")


def _story(life: Life, visits: str, scope: Scope, robots: Robots | None) -> list[tuple[str, str]]:
    found = f"{_when(life.discovered_at)}, "
    found += f"{counted(life.depth, 'link')} from a seed" if life.depth else "as a seed"
    if life.sitemap:
        found = f"{_when(life.discovered_at)}, as a sitemap"
    found += f", on {life.discovered_on}" if life.discovered_on else ""
    story = [
        ("url", life.url),
        ("state", f"{life.state}{f' ({life.reason})' if life.reason else ''}"),
        *([("discovered", found)] if life.discovered_at else []),
    ]
    more = [f"{counted(life.again, 'time')} more"] if life.again else []
    more += [f"{counted(life.domains, 'other domain links', 'other domains link')} to it"] if life.domains else []
    story += [("", "; ".join(more))] if more else []
    story += [("scope", _scope_line(life, scope))] if life.state != "known" else []
    if life.attempts or life.crashes:
        story.append(("attempts", f"{life.attempts} without an answer, {life.crashes} ended by a crash"))
    for line in life.trail.splitlines():
        node, at, reason = line.split(" ", 2)
        story.append(("", f"{_when(int(at))}, {node}: {reason}"))
    story += [("taken by", life.node)] if life.node else []
    story += [("due", _when(life.due))] if life.due else []
    story += [("ended", _when(life.ended_at))] if life.ended_at else []
    story += [("visited", visits)] if visits else []
    story.append(("host", f"{life.host}, {life.host_delay:g} s between fetches"))
    story.append(("robots.txt", _robots_line(life, robots)))
    if life.host_budget:
        story.append(("budget", f"{life.host_visited:,} of {counted(life.host_budget, 'page')} of this host visited"))
    story += [("gate opens", _when(life.host_opens))] if life.host_opens else []
    story += (
        [("held until", f"{_when(life.host_held_until)}: {life.host_held_because}")] if life.host_held_until else []
    )
    return story


def _scope_line(life: Life, scope: Scope) -> str:
    entry = Entry(
        url=life.url,
        host=life.host,
        domain=urls.domain_of(life.host),
        depth=life.depth,
        hops=life.hops,
        sitemap=life.sitemap,
    )
    refusal = scope.refusal(entry)
    return f"outside: {refusal}" if refusal else "within"


def _robots_line(life: Life, robots: Robots | None) -> str:
    if robots is None:
        return life.robots or "not fetched"
    if robots.verdict == "closed":
        return f"closed: {robots.reason}"
    line = deciding_line(robots, life.url)
    return f"{robots.verdict}: {line}" if line else f"{robots.verdict}: no line speaks of it"


def _when(ms: int) -> str:
    return _shown(datetime.fromtimestamp(ms / 1000, UTC))


def _shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
