"""One answer, in the form that its reader wants: a table for people, JSON or CSV for programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

import click
import msgspec

from interfaces.cli.fields import write_fields
from interfaces.cli.tables import cell, joined, table_of
from interfaces.cli.terminal import NO_ROOM, columns_of, takes_escapes
from interfaces.text import counted, safe_json, safe_text
from linkindex.errors import BadInput, Unavailable

FORMATS = ("table", "json", "jsonl", "csv")

Row = msgspec.Struct

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
        if error.errno in NO_ROOM:
            raise Unavailable(f"-o {output}: {error.strerror}; make room, then try again") from error
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


RECORD_FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    help="How the answer is written.  [table on a terminal, json in a pipe]",
)

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
        texts = [_csv_cell(getattr(row, name)) for name in names]
        writer.writerow([safe(text) if isinstance(text, str) else text for text in texts])
        count += 1
    return count


def _csv_cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, list):
        value = joined(value)
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
    table = table_of(rows, columns, columns_of(stream) if stream.isatty() else _ELSEWHERE)
    heading, *lines = table.lines
    stream.write(f"\x1b[1m{heading}\x1b[0m\n" if takes_escapes(stream) else f"{heading}\n")
    stream.writelines(f"{line}\n" for line in lines)
    if table.left_out:
        stream.flush()
        click.echo(f"({counted(table.left_out, 'more column')} with --format csv)", err=True)
    return len(rows)


def write_object(row: Row, form: str, stream: TextIO) -> None:
    """Write one struct: as lines of name and value for people, as one JSON object, or as CSV of one row."""
    if form == "csv":
        _write_csv([row], row.__struct_fields__, stream)
    elif form in ("json", "jsonl"):
        stream.write(safe_json(msgspec.json.encode(row).decode()) + "\n")
    else:
        write_fields([(name.replace("_", " "), cell(getattr(row, name))) for name in row.__struct_fields__], stream)
