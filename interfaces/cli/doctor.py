"""``linkatlas doctor``: whether the stores have what they need, and what to do where they do not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click
import msgspec

from crawler.frontier import open_frontier
from interfaces.cli.asking import FORMAT_HELP, examples
from interfaces.cli.flags import option_flags
from interfaces.cli.places import is_there
from interfaces.cli.program import program
from interfaces.cli.render import FORMATS, choose_format, opened, write_rows
from interfaces.text import counted, safe_text
from linkindex import url_rules
from linkindex.errors import LinkatlasError
from linkindex.store import open_index
from settings.options import Options
from settings.values import without_password


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a store needs, and whether it has it."""

    store: str  # index or frontier
    name: str
    ok: bool
    found: str  # what there is, with what it costs
    remedy: str = ""  # what to do where it is not ok


@click.command(epilog=examples("doctor", "doctor --index mongodb://10.0.0.7:27017/links --format json"))
@click.option("--format", "form", type=click.Choice(FORMATS), help=FORMAT_HELP)
@option_flags("index", "frontier", "accept_volatile")
def doctor(form: str | None, options: Options) -> int:
    """Check the index and the frontier: what is missing, what each part costs, what to do.

    Ends with exit code 1 when something is not as it should be.
    """
    findings = [*_told("index", _of_index(options)), *_told("frontier", _of_frontier(options))]
    form = choose_format(form, None)
    if form == "table":
        for finding in findings:
            click.echo(safe_text(_line(finding)))
            if finding.remedy:
                click.echo(safe_text(f"     {finding.remedy}"))
    else:
        with opened(None, form) as stream:
            write_rows(findings, Finding, form, stream, Finding.__struct_fields__)
    return 0 if all(finding.ok for finding in findings) else 1


def _line(finding: Finding) -> str:
    return f"{'ok' if finding.ok else 'NO':<5}{finding.store:<10}{finding.name}: {finding.found}"


def _told(store: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield findings, with a remedy where one is needed; a store that cannot even be asked is one."""
    try:
        for finding in findings:
            yield msgspec.structs.replace(finding, remedy="") if finding.ok else finding
    except LinkatlasError as error:
        yield Finding(
            store=store, name="answers", ok=False, found=str(error), remedy="mend that, then call doctor again"
        )


def _of_index(options: Options) -> Iterator[Finding]:
    place = without_password(options.index)
    if not is_there(options.index):
        remedy = f"name another by --index, or make one: {program()} crawl https://example.com"
        yield Finding(store="index", name="place", ok=False, found=f"nothing at {place}", remedy=remedy)
        return
    with open_index(options.index) as index:
        held = index.counts()
        found = f"{place}, {counted(held.read, 'page')} and {counted(held.links, 'link')}"
        yield Finding(store="index", name="place", ok=True, found=found)
        yield _rules(held.url_rules)
        for check in index.check():
            yield Finding(store="index", name=check.name, ok=check.ok, found=check.found, remedy=check.remedy)


def _rules(written: str) -> Finding:
    ours = str(url_rules.VERSION)
    return Finding(
        store="index",
        name="URL rules",
        ok=written in ("", ours),
        found=f"version {written or '-'}" + ("" if written in ("", ours) else f", this program has {ours}"),
        remedy="URLs are spelled by other rules than before: visit all anew with crawl --again",
    )


def _of_frontier(options: Options) -> Iterator[Finding]:
    place = without_password(options.frontier_url)
    if not is_there(options.frontier_url):
        found = f"none at {place}" if place else "none was named"
        yield Finding(store="frontier", name="place", ok=True, found=f"{found}: questions need none")
        return
    volatile = options.accept_volatile
    with open_frontier(options.frontier_url, create=False, accept_volatile=volatile) as frontier:
        counts = frontier.counts()
        parts = ("queued", "scheduled", "leased", "done", "failed", "excluded")
        account = sum(getattr(counts, part) for part in parts)
        yield Finding(store="frontier", name="place", ok=True, found=f"{place}, {counted(counts.discovered, 'URL')}")
        yield Finding(
            store="frontier",
            name="account",
            ok=account == counts.discovered,
            found=f"{counted(account, 'URL')} in one state each, {counts.discovered:,} discovered",
            remedy=f"{program()} reconcile tells it what the index knows",
        )
        yield Finding(
            store="frontier",
            name="strange values",
            ok=not counts.quarantined,
            found=f"{counts.quarantined:,} set aside",
            remedy="something else writes to this store; give the crawl one of its own",
        )
