"""The questions that the index answers, as commands."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, Literal

import click
import msgspec

from interfaces.cli.flags import option_flags
from interfaces.cli.render import FORMATS, choose_format, opened, write_object, write_rows
from interfaces.text import safe_text
from linkindex.answers import rows
from linkindex.store import LinkIndex, open_index
from linkindex.target import parse_target
from settings.options import Options

SHOWN = 100  # rows on a terminal, unless --limit says otherwise

TARGETS = """\b
A TARGET is one of
  example.com                    a domain with all its hosts
  www.example.com                one host
  'https://example.com/blog/*'   everything under a prefix
  https://example.com/page       one URL
"""


FORMAT_HELP = "How the answer is written.  [table on a terminal, jsonl in a pipe]"


def _limit(value: str) -> int:
    if not (value.isascii() and value.isdigit()):
        raise click.BadParameter(f"{value!r} will not do; give a whole number, 0 for all")
    return int(value[:18])  # SQLite counts no further


def answer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --index, --format, -o and --limit."""

    decorated = command
    for option in (
        click.option(
            "--limit",
            type=_limit,
            metavar="N",
            help=f"At most N rows; 0: all.  [{SHOWN} in a table, else all]",
        ),
        click.option(
            "-o",
            "--output",
            metavar="FILE",
            help="Write to FILE, which appears when it is whole.  [format: its ending]",
        ),
        click.option("--format", "form", type=click.Choice(FORMATS), help=FORMAT_HELP),
        option_flags("index"),
    ):
        decorated = option(decorated)
    return decorated


def _example(*lines: str) -> str:
    return "\b\nExamples:\n" + "\n".join(f"  linkatlas {line}" for line in lines)


class Question:
    """Where an answer goes and how much of it."""

    def __init__(self, form: str | None, output: str | None, limit: int | None) -> None:
        self.form = choose_format(form, output)
        self.output = output
        self.limit = (SHOWN if self.form == "table" else None) if limit is None else limit or None

    def show(
        self,
        found: Iterable[msgspec.Struct],
        kind: type[msgspec.Struct],
        columns: list[str],
        nothing: Callable[[], str],
    ) -> int:
        with opened(self.output, self.form) as stream:
            shown = write_rows(found, kind, self.form, stream, columns)
        if not shown and sys.stderr.isatty():
            click.echo(f"linkatlas: {safe_text(nothing())}", err=True)
        elif shown == self.limit and self.form == "table":
            click.echo(f"({shown:,} shown; --limit 0 shows all)", err=True)
        return 0


def _nothing(index: LinkIndex, target: str, what: str) -> str:
    held = index.counts()
    return f"no {what} of {target} in this index of {held.pages:,} pages and {held.links:,} links"


@click.command(
    epilog=_example("backlinks example.com", "backlinks 'https://example.com/blog/*' --format csv -o links.csv")
)
@click.argument("target")
@click.option("--lost", "state", flag_value="lost", help="Only links that were lost.")
@click.option("--all", "state", flag_value="all", help="Lost links too.")
@click.option("--internal", is_flag=True, help="Links inside the domain too, where the index keeps them in full.")
@answer_options
def backlinks(
    target: str,
    state: Literal["live", "lost", "all"] | None,
    internal: bool,
    options: Options,
    form: str | None,
    output: str | None,
    limit: int | None,
) -> int:
    """Show who links to TARGET: followed links first, then the latest seen."""
    from linkindex.answers.backlinks import backlinks as answer

    question, wanted = Question(form, output, limit), parse_target(target)
    columns = [
        "source",
        "target",
        "anchor",
        "follow",
        "rel",
        "lost_at",
        "lost_reason",
        "doubt",
        "placement",
        "relevance",
    ]
    with open_index(options.index) as index:
        what = "lost backlinks" if state == "lost" else "backlinks"
        found = answer(index, wanted, state=state or "live", internal=internal, limit=question.limit)
        return question.show(
            found, rows.Backlink, [*columns, "kind", "first_seen", "last_seen"], lambda: _nothing(index, target, what)
        )


@click.command(epilog=_example("domains example.com", "domains example.com --limit 20"))
@click.argument("target")
@answer_options
def domains(target: str, options: Options, form: str | None, output: str | None, limit: int | None) -> int:
    """Show the domains that link to TARGET, those with the most links first."""
    from linkindex.answers.domains import referring_domains as answer

    question, wanted = Question(form, output, limit), parse_target(target)
    columns = ["domain", "backlinks", "pages", "follow", "nofollow", "first_seen", "last_seen"]
    with open_index(options.index) as index:
        found = answer(index, wanted, limit=question.limit)
        return question.show(found, rows.ReferringDomain, columns, lambda: _nothing(index, target, "referring domains"))


@click.command(epilog=_example("anchors example.com"))
@click.argument("target")
@answer_options
def anchors(target: str, options: Options, form: str | None, output: str | None, limit: int | None) -> int:
    """Show the texts under which TARGET is linked, the most used first."""
    from linkindex.answers.anchors import anchors as answer

    question, wanted = Question(form, output, limit), parse_target(target)
    columns = ["anchor", "backlinks", "domains", "follow", "nofollow", "first_seen", "last_seen"]
    with open_index(options.index) as index:
        found = answer(index, wanted, limit=question.limit)
        return question.show(found, rows.AnchorText, columns, lambda: _nothing(index, target, "anchors"))


@click.command(epilog=_example("outlinks https://example.com/page"))
@click.argument("page")
@answer_options
def outlinks(page: str, options: Options, form: str | None, output: str | None, limit: int | None) -> int:
    """Show what PAGE (a URL) links to."""
    from linkindex.answers.outlinks import outlinks as answer

    question = Question(form, output, limit)
    columns = ["target", "internal", "anchor", "follow", "rel", "lost_at", "lost_reason", "placement", "kind"]
    with open_index(options.index) as index:
        found = answer(index, page, limit=question.limit)
        return question.show(
            found, rows.Outlink, [*columns, "first_seen"], lambda: _nothing(index, page, "links on the page")
        )


@click.command(epilog=_example("pages example.com", "pages 'https://example.com/blog/*' --format csv -o pages.csv"))
@click.argument("target")
@answer_options
def pages(target: str, options: Options, form: str | None, output: str | None, limit: int | None) -> int:
    """Show the visited pages of TARGET and what they say of themselves, those that link out most first."""
    from linkindex.answers.pages import pages as answer

    question, wanted = Question(form, output, limit), parse_target(target)
    columns = ["url", "title", "status", "language", "published", "author", "platform", "words", "external_links"]
    with open_index(options.index) as index:
        found = answer(index, wanted, limit=question.limit)
        return question.show(found, rows.PageRow, columns, lambda: _nothing(index, target, "visited pages"))


@click.command(epilog=_example("overview example.com", "overview example.com --format json"))
@click.argument("target")
@answer_options
def overview(target: str, options: Options, form: str | None, output: str | None, limit: int | None) -> int:
    """Show the backlink profile of TARGET in numbers."""
    from linkindex.answers.overview import overview as answer

    question, wanted = Question(form, output, limit), parse_target(target)
    with open_index(options.index) as index, opened(output, question.form) as stream:
        write_object(answer(index, wanted), question.form, stream)
    return 0


for _command in (backlinks, domains, anchors, pages, overview):
    _command.help = f"{_command.help}\n\n{TARGETS}"
