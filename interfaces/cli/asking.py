"""What all questions share: where the answer comes from, how much of it, in which form, and where it goes."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import wraps
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click
import msgspec

import linkindex
from interfaces.cli.flags import option_flags
from interfaces.cli.program import arguments, program
from interfaces.cli.render import FORMATS, choose_format, opened, write_object, write_rows
from interfaces.text import counted, safe_text
from settings.options import Options
from settings.values import without_password

if TYPE_CHECKING:
    from linkindex.index import Index, Rows

Row = TypeVar("Row", bound=msgspec.Struct)

SHOWN = 100  # rows on a terminal, unless --limit says otherwise

TARGETS = """\b
A TARGET is one of
  example.com                    a domain with all its hosts
  www.example.com                one host
  'https://example.com/blog/*'   everything under a prefix
  https://example.com/page       one URL
"""

OUTPUT_HELP = "Write to FILE, which appears when it is whole.  [format: its ending]"
FORMAT_HELP = "How the answer is written.  [table on a terminal, jsonl in a pipe]"


def _limit(value: str) -> int:
    if not (value.isascii() and value.isdigit()):
        raise click.BadParameter(f"{value!r} will not do; give a whole number, 0 for all")
    return int(value[:18])  # stores count no further


def limit_option(rows: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option --limit; ``rows`` says which N rows are meant."""
    return click.option("--limit", type=_limit, metavar="N", help=f"{rows}; 0: all.  [{SHOWN} in a table, else all]")


def limited(limit: int | None, form: str) -> int | None:
    """Return how many rows an answer in this format has at most, None for all, as --limit says."""
    return (SHOWN if form == "table" else None) if limit is None else limit or None


def answer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --index, --format, -o, --limit and --time-limit; it is called with a ``question`` made of them."""

    @wraps(command)
    def called(**arguments: Any) -> Any:
        asked = {name: arguments.pop(name) for name in ("options", "form", "output", "limit")}
        return command(**arguments, question=Question(**asked))

    decorated: Callable[..., Any] = called
    for option in (
        limit_option("At most N rows"),
        click.option(
            "-o",
            "--output",
            metavar="FILE",
            help=OUTPUT_HELP,
        ),
        click.option("--format", "form", type=click.Choice(FORMATS), help=FORMAT_HELP),
        option_flags("index", "time_limit"),
    ):
        decorated = option(decorated)
    return decorated


def examples(*lines: str) -> str:
    """Return what stands at the end of a command's help."""
    return "\b\nExamples:\n" + "\n".join(f"  linkatlas {line}" for line in lines)


class Words(NamedTuple):
    """What a person is told of an answer: what there is ``nothing`` of, with a ``hint`` why; of any, what may be ``meant``."""

    nothing: str
    hint: Callable[[], str]
    meant: Callable[[], str] = str  # nothing else


class Question:
    """Where an answer goes and how much of it."""

    def __init__(self, options: Options, form: str | None, output: str | None, limit: int | None) -> None:
        self._options = options
        self._form = choose_format(form, output)
        self._output = output
        self._limit = limited(limit, self._form)

    def rows(
        self,
        answer: Callable[[Index, int | None], Rows[Row]],
        columns: Sequence[str],
        words: Words,
        *,
        by_rank: bool = False,
    ) -> int:
        """Show the rows of an answer, which is asked for with a limit; ``by_rank``: they were to be in that order."""
        ranks = _Ranks()
        with self._index() as index:
            # One more than is shown tells whether there are more.
            found = answer(index, None if self._limit is None else self._limit + 1)
            rows: Iterator[Row] = islice(found, self._limit)
            with opened(self._output, self._form) as stream:
                shown = write_rows(ranks.noticed(rows) if by_rank else rows, found.kind, self._form, stream, columns)
            cursor = found.cursor
            if by_rank and shown and not ranks.there:
                _say("no rank is known of these: they are in the order of --sort seen")
            if shown and shown == self._limit and next(found, None) is not None:
                self._tell_more(shown, cursor)
            elif not shown:
                _tell_nothing(index, words)
        _tell_meant(words)
        return 0

    def one(self, answer: Callable[[Index], msgspec.Struct], count: str, words: Words) -> int:
        """Show an answer that is one object; ``count`` is the field that is 0 where there is nothing to tell of."""
        with self._index() as index:
            found = answer(index)
            with opened(self._output, self._form) as stream:
                write_object(found, self._form, stream)
            if not getattr(found, count):
                _tell_nothing(index, words)
        _tell_meant(words)
        return 0

    def _index(self) -> Index:
        return linkindex.open(self._options.index, time_limit=self._options.time_limit)

    def _tell_more(self, shown: int, cursor: str) -> None:
        if self._form == "table":
            tell_cut(shown)
        if cursor:
            _say(f"more: {_continued(cursor)}")


def _tell_nothing(index: Index, words: Words) -> None:
    if sys.stderr.isatty():
        held = index.counts()
        size = f"{counted(held.read, 'page')} and {counted(held.links, 'link')}"
        _say(f"no {words.nothing} in this index of {size}{words.hint()}")


def _tell_meant(words: Words) -> None:
    if sys.stderr.isatty() and (line := words.meant()):
        _say(line)


class _Ranks:
    """Whether the rows that pass have any."""

    there = False

    def noticed(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            self.there |= any(getattr(row, name) is not None for name in ("domain_rank", "source_rank"))
            yield row


def tell_cut(shown: int) -> None:
    """Say below a table that there are more rows than these."""
    click.echo(f"({shown:,} shown; --limit 0 shows all)", err=True)


def _continued(cursor: str) -> str:
    """Return the command that was given, made to go on behind ``cursor``."""
    given = [without_password(argument) for argument in arguments()]
    end = given.index("--") if "--" in given else len(given)  # of options
    options, targets = given[:end], given[end:]
    for at in reversed([at for at, argument in enumerate(options) if argument == "--after"]):
        del options[at : at + 2]
    kept = [argument for argument in options if not argument.startswith("--after=")]
    return f"{program()} {shlex.join([*kept, '--after', cursor, *targets])}"


def _say(line: str) -> None:
    click.echo(f"linkatlas: {safe_text(line)}", err=True)
