"""``linkatlas audit HOST``: what was asked of a host, when, and under which rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click
import msgspec

from crawler.consent import is_opted_out
from crawler.frontier import Frontier, Life, Robots
from crawler.job import Job, frontier_of, read_job
from crawler.politeness import deciding_line
from crawler.requests_log import Asked, read_requests
from interfaces.cli.asking import FORMAT_HELP, OUTPUT_HELP, limit_option, limited, tell_cut
from interfaces.cli.flags import option_flags
from interfaces.cli.render import FORMATS, choose_format, opened, write_rows
from interfaces.text import counted, safe_text
from linkindex import urls
from linkindex.answers.rows import PageRow, moment
from linkindex.errors import BadInput
from linkindex.store import open_index
from linkindex.target import Target, parse_target
from settings.options import Options, scrapy_settings


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request to the host, and what allowed it."""

    at: str  # ISO 8601, UTC, when it began; of the index, when the visit ended
    host: str
    url: str
    kind: str  # page, sitemap, robots, own
    outcome: str  # the status, or why there was none
    rule: str  # of robots.txt
    delay: float | None  # s that the host was left alone before, at least; None where that was not kept
    gap: float | None  # s since the request before it to the same host
    size: int | None


@click.command(
    epilog="""\b
Examples:
  linkatlas audit www.example.com --request-log requests.jsonl
  linkatlas audit example.com --format csv -o for-example-com.csv
"""
)
@click.argument("host")
@click.option("--format", "form", type=click.Choice(FORMATS), help=FORMAT_HELP)
@click.option("-o", "--output", metavar="FILE", help=OUTPUT_HELP)
@limit_option("The latest N requests")
@option_flags("index", "frontier", "request_log", "contact")
def audit(host: str, form: str | None, output: str | None, limit: int | None, options: Options) -> int:
    """Show every request that was made to HOST (a domain stands for all its hosts), with the rule in force.

    Requests are read from the file that --request-log of the crawl wrote; without one, the index tells the last visit of
    each page and no more, and this command says so. A rule is that of the robots.txt which the frontier holds today.
    """
    target = parse_target(host)
    if not target.name:
        raise BadInput(f"{host}: no host; give one, such as www.example.com")
    form = choose_format(form, output)
    with frontier_of(options, create=False) as frontier:
        rules = _Rules(frontier)
        strange: list[int] = []
        asked = _logged(target, options.request_log, strange) if options.request_log else _visited(target, options)
        requests = list(_judged(sorted(asked, key=lambda one: one.at), rules, logged=bool(options.request_log)))
        if form == "table":
            for line in _heading(target, frontier, rules, requests, options):
                click.echo(safe_text(line))
    most = limited(limit, form) or len(requests)
    latest = [_for_people(request) if form == "table" else request for request in requests[-most:]]
    with opened(output, form) as stream:
        shown = write_rows(latest, Request, form, stream, ["at", "outcome", "kind", "url", "rule", "delay", "gap"])
    if form == "table" and shown < len(requests):
        tell_cut(shown)
    if not options.request_log:
        _say("requests were not logged: these are the last visits of each page, as the index has them; crawl with "
             "--request-log FILE to keep every request")  # fmt: skip
    if strange:
        _say(
            f"{options.request_log}: {counted(len(strange), 'line is no request and was', 'lines are no requests and were')} "
            f"left out, the first is {strange[0]}"
        )
    return 0 if requests else 1


def _logged(target: Target, path: str, strange: list[int]) -> Iterator[Asked]:
    for asked in read_requests(path, strange):
        if _covers(target, asked.host) or _covers(target, urls.host_of(asked.url)):
            yield asked


def _visited(target: Target, options: Options) -> Iterator[Asked]:
    """Yield the last visits that a page had, as far as a request was made for them."""
    with open_index(options.index) as index:
        for page in index.pages(target):
            if page.status or not _unasked(page):
                yield Asked(
                    at=round(page.last_visited.timestamp() * 1000),
                    host=urls.host_of(page.url),
                    url=page.url,
                    status=page.status or 0,
                    reason=page.outcome,
                )


def _unasked(page: PageRow) -> bool:
    return page.outcome == "blocked"  # by robots.txt, for want of a status: nobody was asked


def _covers(target: Target, host: str) -> bool:
    return target.name in (host, urls.domain_of(host))


class _Rules:
    """What the frontier knows of hosts, each asked for once."""

    def __init__(self, frontier: Frontier) -> None:
        self._frontier = frontier
        self._known: dict[str, Robots | None] = {}

    def of(self, host: str) -> Robots | None:
        if host not in self._known:
            self._known[host] = self._frontier.robots([host]).get(host)
        return self._known[host]

    def rule(self, asked: Asked) -> str:
        if asked.kind in ("robots", "own"):
            return "asked before anything else"
        robots = self.of(asked.host)
        if robots is None:
            return "robots.txt no longer kept"
        if robots.verdict == "own":
            return "own host"
        return deciding_line(robots, asked.url) or {"rules": "no line speaks of it", "open": "no rules"}.get(
            robots.verdict, robots.verdict
        )


def _judged(requests: Iterable[Asked], rules: _Rules, *, logged: bool) -> Iterator[Request]:
    ended: dict[str, int] = {}
    for asked in requests:
        before = ended.get(asked.host)
        ended[asked.host] = asked.at + asked.elapsed
        yield Request(
            at=moment(asked.at).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
            host=asked.host,
            url=asked.url,
            kind=asked.kind,
            outcome=str(asked.status or asked.reason),
            rule=rules.rule(asked),
            delay=asked.delay if logged else None,
            gap=(asked.at - before) / 1000 if logged and before is not None else None,
            size=asked.size if logged else None,
        )


def _for_people(request: Request) -> Request:
    """Return a request whose time fits into a narrow table whole: to the second, in UTC as all times are."""
    return msgspec.structs.replace(request, at=request.at[:19].replace("T", " "))


def _heading(
    target: Target, frontier: Frontier, rules: _Rules, requests: list[Request], options: Options
) -> Iterator[str]:
    job: Job = read_job(frontier)
    hosts = list(dict.fromkeys(request.host for request in requests)) or [target.name]
    yield f"{counted(len(requests), 'request')} to {target.name}; we call ourselves {scrapy_settings(options)['USER_AGENT']}"
    if is_opted_out(target.name, job.scope.opted_out):
        yield "opted out: it is not visited any more"
    for host in hosts[:20]:
        robots = rules.of(host)
        known = next((life for one in requests if one.host == host and (life := frontier.why(one.url))), None)
        yield f"{host}: robots.txt {robots.verdict if robots else 'not kept'}{_gate(known)}"
    if job.scope.held:
        yield f"held by hand: {' '.join(job.scope.held)}"


def _gate(life: Life | None) -> str:
    if life is None:
        return ""
    until = moment(life.host_held_until) if life.host_held_until else None
    held = f"; left alone until {until:%Y-%m-%d %H:%M} UTC: {life.host_held_because}" if until else ""
    return f", {life.host_delay:g} s between requests{held}"


def _say(line: str) -> None:
    click.echo(f"linkatlas: {safe_text(line)}", err=True)
