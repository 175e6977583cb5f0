"""Turns rows of the option table into flags of a command, and gives the command all options resolved."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from settings.options import default, flag, resolve_here, specs


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
    spec, value = specs()[name], default(name)
    if isinstance(value, bool):
        return click.option(flag(name), name, is_flag=True, default=None, help=_sentence(spec.help))
    shown = (
        ",".join(map(str, value)) if isinstance(value, tuple) else f"{value:g}" if isinstance(value, float) else value
    )
    text = f"{_sentence(spec.help)}{f'  [{shown}]' if shown not in ('', ()) else ''}"
    return click.option(flag(name), name, multiple=spec.many, default=None, metavar=spec.metavar, help=text)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
