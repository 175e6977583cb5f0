"""Turns rows of the option table into flags of a command, and gives the command all options resolved."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from settings.options import default, flag, resolve_here, shown_default, specs


def option_flags(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the flags of these options; it is called with ``options`` (flags, environment, file, defaults)."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def called(**arguments: Any) -> Any:
            flags = {name: arguments.pop(name) for name in names}
            return command(**arguments, options=resolve_here(flags))

        for name in reversed(names):
            called = _flag(name)(called)
        return called

    return decorate


def _flag(name: str) -> Callable[[Any], Any]:
    spec = specs()[name]
    if isinstance(default(name), bool):
        return click.option(flag(name), name, is_flag=True, default=None, help=_sentence(spec.help))
    shown = shown_default(name)
    text = f"{_sentence(spec.help)}{f'  [{shown}]' if shown else ''}"
    return click.option(flag(name), name, multiple=spec.many, default=None, metavar=spec.metavar, help=text)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
