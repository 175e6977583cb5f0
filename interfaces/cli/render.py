"""One answer, in the form that its reader wants: a table for people, JSON or CSV for programs."""

from __future__ import annotations

import csv
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import msgspec

from interfaces.text import safe_text
from linkindex.errors import BadInput

FORMATS = ("table", "json", "jsonl", "csv")

Row = msgspec.Struct

_READABLE = 28  # characters of a long cell that still tell something


def choose_format(wanted: str | None, output: str | None) -> str:
    """Return the format: as asked for, else by the file's ending, else a table on a terminal and JSON Lines in a pipe."""
    if wanted:
        return wanted
    if output:
        ending = Path(output).suffix.lstrip(".").lower()
        return ending if ending in FORMATS else "jsonl"
    return "table" if sys.stdout.isatty() else "jsonl"


@contextmanager
def opened(output: str | None) -> Iterator[TextIO]:
    """Open where an answer goes: standard output, or a file that appears only when it is whole."""
    if output is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    path = Path(output)
    if path.is_dir():
        raise BadInput(f"-o {output}: is a folder; name a file")
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise BadInput(f"-o {output}: {error.strerror}; name a file in a folder that can be written") from error
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            yield stream
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_rows(rows: Iterable[Row], kind: type[Row], form: str, stream: TextIO, columns: Sequence[str]) -> int:
    """Write rows of one ``kind``; return how many. A table shows ``columns`` only; the other forms show every field."""
    if form == "table":
        return _write_table(list(rows), columns, stream)
    if form == "csv":
        return _write_csv(rows, kind.__struct_fields__, stream)
    return _write_json(rows, form, stream)


def _write_json(rows: Iterable[Row], form: str, stream: TextIO) -> int:
    encoder, count = msgspec.json.Encoder(), 0
    array = form == "json"
    stream.write("[" if array else "")
    for row in rows:
        stream.write(",\n" if array and count else "\n" if array else "")
        stream.write(encoder.encode(row).decode() + ("" if array else "\n"))
        count += 1
    stream.write("\n]\n" if array else "")
    return count


def _write_csv(rows: Iterable[Row], names: Sequence[str], stream: TextIO) -> int:
    writer, count = csv.writer(stream, lineterminator="\n"), 0
    writer.writerow(names)
    for row in rows:
        writer.writerow([_csv_cell(getattr(row, name)) for name in names])
        count += 1
    return count


def _csv_cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, list):
        value = " ".join(value)
    if isinstance(value, dict):
        value = " ".join(f"{name}={number}" for name, number in value.items())
    # Spreadsheets run what begins so as a formula (OWASP, "CSV Injection"); page authors write these cells.
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + value
    return value


def _write_table(rows: Sequence[Row], columns: Sequence[str], stream: TextIO) -> int:
    if not rows:
        return 0
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=stream, highlight=False, width=None if stream.isatty() else 160)
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    columns = _fitting(rows, columns, console.width)
    widths = _widths(rows, columns, console.width)
    for name, width in zip(columns, widths, strict=True):
        numeric = isinstance(getattr(rows[0], name), int | float) and not isinstance(getattr(rows[0], name), bool)
        table.add_column(name.replace("_", " "), justify="right" if numeric else "left", no_wrap=True, max_width=width)
    for row in rows:
        table.add_row(
            *(Text(_shorten(_cell(getattr(row, name)), width)) for name, width in zip(columns, widths, strict=True))
        )
    console.print(table)
    return len(rows)


def _cell(value: Any) -> str:
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
            return safe_text(" ".join(value)) or "-"
    return safe_text(str(value))


def _fitting(rows: Sequence[Row], columns: Sequence[str], room: int) -> Sequence[str]:
    """Leave out columns that say nothing, and the last ones where a narrow terminal would make all unreadable."""
    columns = [name for name in columns if any(getattr(row, name) not in (None, []) for row in rows)]
    needed = [2 + min(_READABLE, max(len(name), *(len(_cell(getattr(row, name))) for row in rows))) for name in columns]
    while len(needed) > 3 and sum(needed) - 2 > room:
        needed.pop()
    return columns[: len(needed)]


def _widths(rows: Sequence[Row], columns: Sequence[str], room: int) -> list[int]:
    """Share the terminal's width: columns that need little get it, the wide ones share what is left."""
    wanted = [max(len(name), *(len(_cell(getattr(row, name))) for row in rows)) for name in columns]
    room -= 2 * (len(columns) - 1)
    widths = [0] * len(wanted)
    left = sorted(range(len(wanted)), key=lambda column: wanted[column])
    while left:
        share = room // len(left)
        column = left.pop(0)
        widths[column] = max(min(wanted[column], share), 6)
        room -= widths[column]
    return widths


def _shorten(text: str, width: int) -> str:
    """Take from the middle what does not fit: of a URL, its host and its end tell most."""
    if len(text) <= width:
        return text
    front = (width - 1) * 2 // 3
    return f"{text[:front]}…{text[len(text) - (width - 1 - front) :]}"


def write_object(row: Row, form: str, stream: TextIO) -> None:
    """Write one struct: as lines of name and value for people, as one JSON object, or as CSV of one row."""
    if form == "csv":
        _write_csv([row], row.__struct_fields__, stream)
    elif form in ("json", "jsonl"):
        stream.write(msgspec.json.encode(row).decode() + "\n")
    else:
        names = [name.replace("_", " ") for name in row.__struct_fields__]
        width = max(map(len, names))
        for name, field in zip(names, row.__struct_fields__, strict=True):
            value = getattr(row, field)
            if isinstance(value, dict):
                value = ", ".join(f"{safe_text(key or '-')} {number:,}" for key, number in value.items()) or "-"
            stream.write(f"{name:<{width}}  {_cell(value)}\n")
