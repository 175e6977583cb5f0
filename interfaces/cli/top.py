"""``linkatlas top``: a crawl under way, live in a terminal."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack

import click
import msgspec

from crawler.job import frontier_of
from interfaces.cli.flags import option_flags
from interfaces.cli.looks import Look, Looker
from interfaces.cli.places import is_there
from interfaces.cli.render import choose_format
from interfaces.cli.tables import table_of
from interfaces.cli.terminal import columns_of, takes_escapes
from interfaces.text import counted, safe_json, safe_text
from linkindex.store import open_index
from settings.options import Options
from settings.values import without_password

EXAMPLES = """\b
Examples:
  linkatlas top
  linkatlas top --frontier 'redis://10.0.0.5/0?job=web' --index mongodb://10.0.0.7/web --metrics 10.0.0.11:9464
  linkatlas top --once | head -1
"""
_ELSEWHERE = 160  # columns where there is no terminal
_NODES = ("node", "state", "leases", "pages", "pages_a_second", "seen")
_METRICS = ("address", "state", "under_way", "unstored", "fetch", "parse", "store", "lag", "memory")


@click.command(epilog=EXAMPLES)
@click.option("--once", is_flag=True, help="Look once, and stop.")
@click.option(
    "--every",
    type=click.FloatRange(0.1, 3600.0),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="How often to look.",
)
@click.option(
    "--metrics", multiple=True, metavar="HOST:PORT", help="Ask a node itself too, which listens there (repeatable)."
)
@click.option("--format", "form", type=click.Choice(["table", "jsonl"]), help="How it is shown.  [table on a terminal]")
@option_flags("index", "frontier")
def top(once: bool, every: float, metrics: tuple[str, ...], form: str | None, options: Options) -> int:
    """Show a crawl under way: how fast it is, what is queued, what its nodes do. Ctrl-C ends it.

    On a terminal it is one picture that renews itself; in a pipe it is JSON Lines, one look each. What nodes say of
    themselves is in ms, on average since the look before, and their memory in MB.
    """
    table = choose_format(form, None) == "table"
    with ExitStack() as stack:
        frontier = stack.enter_context(frontier_of(options, create=False))
        index = stack.enter_context(open_index(options.index)) if is_there(options.index) else None
        looker = Looker(frontier, index, metrics)
        try:
            if table and not once and takes_escapes(sys.stdout):
                _live(looker, every)
            else:
                _one_by_one(looker, every, once, table)
        except KeyboardInterrupt:
            pass
    return 0


def _live(looker: Looker, every: float) -> None:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console()
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(Text("\n".join(picture(looker.look(), *console.size)), no_wrap=True), refresh=True)
            time.sleep(every)


def _one_by_one(looker: Looker, every: float, once: bool, table: bool) -> None:
    encoder = msgspec.json.Encoder()
    room = columns_of(sys.stdout) if sys.stdout.isatty() else _ELSEWHERE
    while True:
        look = looker.look()
        lines = picture(look, room) if table else [safe_json(encoder.encode(look).decode())]
        click.echo("\n".join(lines))
        sys.stdout.flush()
        if once:
            return
        time.sleep(every)
        if table:
            click.echo()


def picture(look: Look, columns: int, rows: int = 1000) -> list[str]:
    """Return the lines of a look, none longer than ``columns``, and no more than ``rows``."""
    lines = [_cut(safe_text(line), columns) for line in _summary(look)]
    if look.nodes:
        lines += ["", *table_of(look.nodes, _NODES, columns).lines]
    if look.metrics:
        lines += ["", *table_of(look.metrics, _METRICS, columns).lines]
    return lines if len(lines) <= rows else [*lines[: rows - 1], f"… {len(lines) - rows + 1} more lines"]


def _summary(look: Look) -> list[str]:
    counts, gates = look.counts, look.gates
    at_work = sum(node.state != "silent" for node in look.nodes)
    lines = [
        f"{look.at:%H:%M:%S} UTC   run {look.run or '-'}   {counted(at_work, 'node')}   {look.pages_a_second:,.1f} pages/s",
        f"ahead     {counts.queued:,} queued, {counts.scheduled:,} scheduled, {counts.leased:,} leased",
        f"behind    {counts.done:,} done, {counts.failed:,} failed, {counts.excluded:,} excluded",
        f"hosts     {counts.hosts:,}: {gates.open:,} open, {gates.held:,} held, {counts.waiting:,} with full queues",
    ]
    if look.links is not None:
        speed = "" if look.links_a_second is None else f", {look.links_a_second:+,.1f}/s"
        lines.append(f"index     {counted(look.links, 'link')}{speed}")
    if gates.overdue:
        lines.append(f"overdue   leases that ran out {gates.overdue:,.0f} s ago have not been taken back")
    if look.spent:
        lines.append("budget    spent; crawl --max-pages raises it")
    if look.problem:
        lines.append(f"problem   {without_password(look.problem)}")
    return lines


def _cut(line: str, columns: int) -> str:
    return line if len(line) <= columns else f"{line[: columns - 1]}…"
