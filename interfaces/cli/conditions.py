"""Conditions on links, as flags; :mod:`linkindex.conditions` reads them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from linkindex.store.selection import ORDERS, PER

DATES = """\b
A DATE is one of
  2026-11-25          a day, meant whole; days are UTC's
  2026-11-25T14:30    a moment, in UTC unless it says otherwise (+02:00)
  30d                 the day that was 30 days ago
"""

SINCE = "First seen on DATE or later; with --lost: lost; with --all: either."

Flag = Callable[[Callable[..., Any]], Callable[..., Any]]


def _text(flag: str, metavar: str, help: str, *name: str) -> Flag:
    return click.option(flag, *name, metavar=metavar, help=help)


def _words(flag: str, metavar: str, help: str) -> Flag:
    return click.option(flag, multiple=True, metavar=metavar, help=help)


def _switch(flag: str, help: str) -> Flag:
    return click.option(flag, is_flag=True, default=None, help=help)


# The condition to its flags; several of a condition: one or the other.
_FLAGS: dict[str, tuple[Flag, ...]] = {
    "state": (
        click.option("--lost", "state", flag_value="lost", help="Only links that were lost."),
        click.option("--all", "state", flag_value="all", help="Lost links too."),
    ),
    "as_of": (_text("--as-of", "DATE", "The links of then, as they were then."),),
    "since": (_text("--since", "DATE", SINCE),),
    "until": (_text("--until", "DATE", "The same, on DATE or earlier."),),
    "follow": (click.option("--follow/--nofollow", default=None, help="Only links that are followed, or are not."),),
    "kind": (_words("--kind", "KIND,…", "Only of this kind: text, image, redirect…"),),
    "placement": (_words("--placement", "PLACE,…", "Only there: content, navigation, footer…"),),
    "rel": (_words("--rel", "TOKEN,…", "Only with these rel tokens, all of them."),),
    "source": (_text("--from", "DOMAIN", "Only from pages of this domain.", "source"),),
    "anchor": (_text("--anchor", "TEXT", "Only with TEXT in the anchor, in whatever case."),),
    "broken": (_switch("--broken", "Only links that lead nowhere; the command broken tells more."),),
    "internal": (_switch("--internal", "Links inside the domain too, where the index keeps them in full."),),
    "as_found": (_switch("--as-found", "Only links that name the target itself, not what leads there."),),
}


def condition_options(without: tuple[str, ...] = (), since: str = SINCE) -> Flag:
    """Give a command the flags of all conditions but some; it is called with ``conditions``, those that were given.

    ``since`` is the help of that flag: what is to have happened then.
    """
    flags = _FLAGS | {"since": (_text("--since", "DATE", since),)}
    names = [name for name in _FLAGS if name not in without]

    def decorate(command: Callable[..., int]) -> Callable[..., int]:
        @wraps(command)
        def called(**arguments: Any) -> int:
            given = {name: arguments.pop(name) for name in names}
            conditions = {name: value for name, value in given.items() if value is not None and value != ()}
            return command(**arguments, conditions=conditions)

        decorated: Callable[..., Any] = called
        for name in reversed(names):
            for option in reversed(flags[name]):
                decorated = option(decorated)
        return decorated

    return decorate


def order_options(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command --sort, --per and --after."""
    for option in (
        click.option("--after", default="", metavar="CURSOR", help="Go on behind the last row of an earlier answer."),
        click.option(
            "--per",
            type=click.Choice(PER),
            default="link",
            help="What a row stands for: similar links are one.  [link]",
        ),
        click.option(
            "--sort",
            "order",
            type=click.Choice(ORDERS),
            default="seen",
            help="Followed and latest seen first; by rank, where ranks are known; newest first.  [seen]",
        ),
    ):
        command = option(command)
    return command
