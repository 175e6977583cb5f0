"""What is told in lines of a name and a value. On a terminal a long value goes on below itself, not below its name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from interfaces.cli.terminal import columns_of
from interfaces.text import safe_text

_LEAST = 20  # columns for values; narrower ones are left to the terminal


def write_fields(fields: Iterable[tuple[str, str]], stream: TextIO) -> None:
    """Write a line for each name and its value; a name of "" stands for the one before."""
    told = [(name, safe_text(value)) for name, value in fields]
    width = max((len(name) for name, _ in told), default=0)
    room = columns_of(stream) - width - 2 if stream.isatty() else 0
    for name, value in told:
        first, *more = _wrapped(value, room)
        stream.write(f"{name:<{width}}  {first}\n")
        stream.writelines(f"{'':<{width}}  {line}\n" for line in more)


def _wrapped(value: str, room: int) -> list[str]:
    if len(value) <= room or room < _LEAST:
        return [value]
    from textwrap import wrap  # for few lines

    return wrap(value, room, break_long_words=False, break_on_hyphens=False)
