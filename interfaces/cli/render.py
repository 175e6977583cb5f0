"""One answer, in the form that its reader wants: a table for people, JSON or CSV for programs."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

import msgspec

from interfaces.cli.fields import write_fields
from interfaces.text import safe_json, safe_text
from linkindex.errors import BadInput
from linkindex.hosts import readable_hosts

FORMATS = ("table", "json", "jsonl", "csv")

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
_FORMULAS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_ELSEWHERE = 160  # columns of a table that goes to no terminal


def choose_format(wanted: str | None, output: str | None) -> str:
    """Return the format: as asked for, else by the file's ending, else a table on a terminal and JSON Lines in a pipe.

    A file without an ending gets JSON Lines. Raises :class:`BadInput` for an ending that is no format.
    """
    if wanted:
        return wanted
    if output not in (None, "-"):
        ending = Path(output or "").suffix.lstrip(".").lower()
        if ending and ending not in FORMATS:
            known = ", ".join(f".{form}" for form in sorted(FORMATS))
            raise BadInput(
                f"-o {output}: nothing here writes .{ending}; end the name in one of {known}, or say --format"
            )
        return ending or "jsonl"
    return "table" if sys.stdout.isatty() else "jsonl"


@contextmanager
def opened(output: str | None, form: str) -> Iterator[TextIO]:
    """Open where an answer in this format goes: standard output (None, "-"), or a file that appears only when it is whole.

    Raises :class:`BadInput` for a file that cannot be written.
    """
    if output in (None, "-"):
        # Programs get UTF-8 wherever they are; what a person's terminal cannot show is shown as an escape.
        if isinstance(sys.stdout, TextIOWrapper):
            encoding = sys.stdout.encoding if form == "table" else "utf-8"
            sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")
        yield sys.stdout
        sys.stdout.flush()
        return
    try:
        path = Path(output or "")
        if not output or path.is_dir():
            raise BadInput(f"-o {output or repr('')}: {'is a folder' if output else 'no name'}; name a file")
        # A device or a pipe is written to, never replaced; what a symbolic link leads to is replaced, the link stays.
        special = path.exists() and not path.is_file()
        whole = None if special else _appearing(Path(os.path.realpath(path)))
        with whole or path.open("w", encoding="utf-8", newline="") as stream:
            yield stream
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BadInput(f"-o {output}: {error.strerror}; name a file in a folder that can be written") from error


@contextmanager
def _appearing(path: Path) -> Iterator[TextIO]:
    """Write beside ``path``, and put the file in its place at the end; an error leaves the place as it was."""
    import tempfile  # slow to import, for few questions

    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            yield stream
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~umask)
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


_MOMENTS = frozenset("discovered_at due ended_at first host_held_until host_opens last started".split())


def record_json(record: object) -> str:
    """Return what a store tells of itself as one line of JSON; its times, ms since 1970, become RFC 3339 as in all answers."""
    return safe_json(msgspec.json.encode(_with_moments(msgspec.to_builtins(record))).decode())


def _with_moments(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: datetime.fromtimestamp(inner / 1000, UTC)
            if name in _MOMENTS and isinstance(inner, int)
            else _trail(inner)
            if name == "trail"
            else _with_moments(inner)
            for name, inner in value.items()
        }
    return [_with_moments(inner) for inner in value] if isinstance(value, list) else value


def _trail(lines: str) -> list[dict[str, Any]]:
    """Return the leases that did not end well, of which a frontier keeps "NODE ms reason" in a line each."""
    parts = (line.split(" ", 2) for line in lines.splitlines())
    return [
        {"node": node, "at": datetime.fromtimestamp(int(at) / 1000, UTC), "reason": reason}
        for node, at, reason in parts
    ]


def _write_json(rows: Iterable[Row], form: str, stream: TextIO) -> int:
    encoder, count = msgspec.json.Encoder(), 0
    array = form == "json"
    stream.write("[" if array else "")
    for row in rows:
        stream.write(",\n" if array and count else "\n" if array else "")
        stream.write(safe_json(encoder.encode(row).decode()) + ("" if array else "\n"))
        count += 1
    stream.write("\n]\n" if array else "")
    return count


def _write_csv(rows: Iterable[Row], names: Sequence[str], stream: TextIO) -> int:
    import csv

    writer, count = csv.writer(stream, lineterminator="\n"), 0
    safe = safe_text if stream.isatty() else str
    writer.writerow(names)
    for row in rows:
        cells = [_csv_cell(getattr(row, name)) for name in names]
        writer.writerow([safe(cell) if isinstance(cell, str) else cell for cell in cells])
        count += 1
    return count


def _csv_cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, list):
        value = _joined(value)
    if isinstance(value, dict):
        value = " ".join(f"{name}={number}" for name, number in value.items())
    # Spreadsheets run what begins so as a formula, some after white space or full-width (OWASP, "CSV Injection"); page
    # authors write these cells.
    if isinstance(value, str) and (value.lstrip().startswith(_FORMULAS) or value[:1] in ("\t", "\r", "\n")):
        return "'" + value
    return value


def _write_table(rows: Sequence[Row], columns: Sequence[str], stream: TextIO) -> int:
    if not rows:
        return 0
    room = shutil.get_terminal_size().columns if stream.isatty() else _ELSEWHERE
    heading, *lines = table_lines(rows, columns, room)
    stream.write(f"\x1b[1m{heading}\x1b[0m\n" if stream.isatty() else f"{heading}\n")
    stream.writelines(f"{line}\n" for line in lines)
    return len(rows)


def table_lines(rows: Sequence[Row], columns: Sequence[str], room: int) -> list[str]:
    """Return the lines of a table of one or more rows, which fits into ``room`` columns of a terminal; its heading first."""
    # A column in which no row says anything is left out.
    columns = [name for name in columns if any(getattr(row, name) not in (None, [], "") for row in rows)]
    cells = {name: [_cell(getattr(row, name)) for row in rows] for name in columns}
    for name in _WITH_HOSTS & cells.keys():
        cells[name] = [readable_hosts(cell) for cell in cells[name]]
    widths = _widths(cells, room)
    for name in {"source", "target"} & widths.keys():
        if widths[name] < max(map(cell_len, cells[name])):  # what fits no line need not begin with https:// on each
            cells[name] = [cell.removeprefix("https://").removeprefix("http://") for cell in cells[name]]
    widths = _widths(cells, room)
    numbers = {name for name in widths if type(getattr(rows[0], name)) in (int, float)}
    heading = _line({name: name.replace("_", " ") for name in widths}, widths, numbers)
    return [heading, *(_line({name: cells[name][row] for name in widths}, widths, numbers) for row in range(len(rows)))]


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
            return safe_text(_joined(value)) or "-"
        case dict():
            return safe_text(", ".join(f"{key or '-'} {number:,}" for key, number in value.items())) or "-"
    return safe_text(str(value)) or "-"


def _joined(parts: Sequence[str | Row]) -> str:
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


def write_object(row: Row, form: str, stream: TextIO) -> None:
    """Write one struct: as lines of name and value for people, as one JSON object, or as CSV of one row."""
    if form == "csv":
        _write_csv([row], row.__struct_fields__, stream)
    elif form in ("json", "jsonl"):
        stream.write(safe_json(msgspec.json.encode(row).decode()) + "\n")
    else:
        write_fields([(name.replace("_", " "), _cell(getattr(row, name))) for name in row.__struct_fields__], stream)
