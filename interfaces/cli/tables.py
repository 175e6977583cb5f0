"""A table for people: as many columns as a terminal has room for, what is too long cut in its middle."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from interfaces.text import safe_text
from linkindex.hosts import readable_hosts

Row = msgspec.Struct

_WITH_HOSTS = {
    "source",
    "target",
    "url",
    "domain",
    "replacement",
    "before",
    "after",
}  # columns in which people read hosts


class Table(NamedTuple):
    """The lines of a table, its heading first, and how many columns there was no room for."""

    lines: list[str]
    left_out: int


def table_of(rows: Sequence[Row], columns: Sequence[str], room: int) -> Table:
    """Return a table of one or more rows that fits into ``room`` columns of a terminal."""
    # A column in which no row says anything is left out.
    columns = [name for name in columns if any(getattr(row, name) not in (None, [], "") for row in rows)]
    cells = {name: [cell(getattr(row, name)) for row in rows] for name in columns}
    for name in _WITH_HOSTS & cells.keys():
        cells[name] = [readable_hosts(text) for text in cells[name]]
    widths = _widths(cells, room)
    for name in {"source", "target"} & widths.keys():
        if widths[name] < max(map(cell_len, cells[name])):  # what fits no line need not begin with https:// on each
            cells[name] = [text.removeprefix("https://").removeprefix("http://") for text in cells[name]]
    widths = _widths(cells, room)
    numbers = {name for name in widths if type(getattr(rows[0], name)) in (int, float)}
    heading = {name: name.replace("_", " ") for name in widths}
    shown = [heading, *({name: cells[name][row] for name in widths} for row in range(len(rows)))]
    return Table([_line(line, widths, numbers) for line in shown], len(cells) - len(widths))


def _line(cells: dict[str, str], widths: dict[str, int], numbers: set[str]) -> str:
    parts = []
    for name, width in widths.items():
        shown = _shorten(cells[name], width)
        gap = " " * (width - cell_len(shown))
        parts.append(gap + shown if name in numbers else shown + gap)
    return "  ".join(parts).rstrip()


def cell_len(text: str) -> int:
    """Return how many columns of a terminal ``text`` takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # knows the wide and the combining ones

    return cell_len(text)


def cell(value: Any) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.2f}"
        case datetime():
            return value.strftime("%Y-%m-%d")
        case list():
            return safe_text(joined(value)) or "-"
        case dict():
            return safe_text(", ".join(f"{key or '-'} {number:,}" for key, number in value.items())) or "-"
    return safe_text(str(value)) or "-"


def joined(parts: Sequence[str | Row]) -> str:
    """Return tokens with spaces between them; of records, all their fields so."""
    texts = (part if isinstance(part, str) else " ".join(map(str, msgspec.structs.astuple(part))) for part in parts)
    return " ".join(texts)


def _widths(cells: dict[str, list[str]], room: int) -> dict[str, int]:
    """Share ``room`` columns: who needs little gets it, the wide ones share what is left.

    The last columns are left out where that would leave all unreadable: a long cell still tells something in a sixth
    of a terminal, and in 20 columns.
    """
    readable = max(20, room // 6)
    wanted = {name: max(map(cell_len, [name, *texts])) for name, texts in cells.items()}
    names = list(cells)
    while len(names) > 1 and sum(2 + min(readable, wanted[name]) for name in names) - 2 > room:
        names.pop()
    room -= 2 * (len(names) - 1)
    widths = dict.fromkeys(names, 0)
    for done, name in enumerate(sorted(names, key=lambda name: wanted[name])):
        widths[name] = max(1, min(wanted[name], room // (len(names) - done)))
        room -= widths[name]
    return widths


def _shorten(text: str, width: int) -> str:
    """Take from the middle what does not fit: of a URL, its host and its end tell most."""
    if cell_len(text) <= width:
        return text
    front = _cut(text, (width - 1) * 2 // 3)
    back = _cut(text[::-1], width - 1 - cell_len(front))[::-1]
    return f"{front}…{back}"


def _cut(text: str, width: int) -> str:
    """Return as much of the beginning as takes no more than ``width`` columns."""
    kept = text[:width]
    while cell_len(kept) > width:
        kept = kept[:-1]
    return kept
