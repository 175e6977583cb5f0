"""The canonical form of URLs, and how they come to it."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click
import msgspec

from interfaces.cli.asking import FORMAT_HELP, OUTPUT_HELP
from interfaces.cli.fields import write_fields
from interfaces.cli.render import FORMATS, choose_format, opened, write_rows
from interfaces.text import safe_text
from linkindex import url_rules, urls
from linkindex.errors import BadInput
from linkindex.hosts import readable
from settings.values import without_password


class Normalized(msgspec.Struct, frozen=True, kw_only=True):
    """What a URL is to the index."""

    given: str
    url: str  # canonical
    key: str  # 16 hexadecimal digits
    host: str
    domain: str
    readable: str  # the host as people read it
    rules: list[str]  # that acted
    rules_version: int
    suffix_list: str  # date of the Public Suffix List


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that acted on a URL."""

    given: str
    rule: str
    before: str
    after: str
    why: str


@click.command(
    epilog="\b\nExamples:\n  linkatlas normalize 'HTTP://Example.com:80/a/../b?utm_source=x#top' --explain\n"
    "  linkatlas normalize < urls.txt --format csv"
)
@click.argument("url", nargs=-1)
@click.option("--explain", is_flag=True, help="Show each rule that acted, and what it left.")
@click.option("-o", "--output", metavar="FILE", help=OUTPUT_HELP)
@click.option("--format", "form", type=click.Choice(FORMATS), help=FORMAT_HELP)
def normalize(url: tuple[str, ...], explain: bool, form: str | None, output: str | None) -> int:
    """Show the canonical form of each URL: the one spelling by which the index and the frontier know it.

    Without a URL, they are read from standard input, one a line. The rules are in docs/urls.md.
    """
    if not url and sys.stdin.isatty():
        raise BadInput("no URL; as in: linkatlas normalize https://example.com/a/../b")
    form = choose_format(form, output)
    refused: list[str] = []
    given = _good(url, refused) if url else _good((line.rstrip("\r\n") for line in sys.stdin), refused, lines=True)
    with opened(output, form) as stream:
        if explain and form == "table":
            write_fields(_steps(given), stream)
        elif explain:
            write_rows(_explained(given), Explained, form, stream, [])
        else:
            write_rows(map(_normalized, given), Normalized, form, stream, ["url", "readable", "domain", "key", "rules"])
    for line in refused:
        click.echo(f"linkatlas: {safe_text(without_password(line))}", err=True)
    return 2 if refused else 0


def _good(given: tuple[str, ...] | Iterator[str], refused: list[str], *, lines: bool = False) -> Iterator[str]:
    for number, text in enumerate(given, 1):
        if lines and not text.strip():
            continue
        if why := url_rules.refusal(text):
            refused.append(f"{f'line {number}: ' if lines else ''}{text!r}: {why}")
        else:
            yield text


def _normalized(text: str) -> Normalized:
    href = urls.parse(text)
    assert href is not None  # _good let it through
    canonical = urls.canonical(href)
    host = urls.host_of(canonical)
    return Normalized(
        given=text,
        url=canonical,
        key=f"{urls.key(canonical) % (1 << 64):016x}",
        host=host,
        domain=urls.domain_of(host),
        readable=readable(host),
        rules=[step.rule for step in url_rules.explain(text)],
        rules_version=url_rules.VERSION,
        suffix_list=urls.suffix_list_version(),
    )


def _steps(given: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Yield what was given, and what each rule made of the line above."""
    for text in given:
        yield "given", text
        yield from ((step.rule, step.after) for step in url_rules.explain(text))


def _explained(given: Iterator[str]) -> Iterator[Explained]:
    for text in given:
        for step in url_rules.explain(text):
            yield Explained(
                given=text, rule=step.rule, before=step.before, after=step.after, why=url_rules.RULES[step.rule]
            )
