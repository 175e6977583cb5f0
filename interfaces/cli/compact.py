"""``linkatlas compact``: room on disk, given back."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
import msgspec

from interfaces.cli.asking import examples
from interfaces.cli.flags import option_flags
from interfaces.cli.voice import voice
from linkindex.store import Compacted, open_index
from settings.options import Options

_EVERY = 1.0, 10.0  # s between two looks at how far it is, on a terminal and elsewhere


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes on disk that an index took before, takes after, and what that gave back."""

    before: int
    after: int
    given_back: int  # 0 where others wrote more meanwhile


@click.command(epilog=examples("compact", "compact --index mongodb://10.0.0.7:27017/links --format json"))
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", help="How it is told.  [table]"
)
@option_flags("index")
def compact(form: str, options: Options) -> int:
    """Give back room on disk that the index holds and does not use, and pack it tighter. Answers stay the same.

    \b
    SQLite: the words of pages are packed anew, then the file is written anew, for which it needs as much room
    again, twice. Questions are answered meanwhile; a crawl waits while the file is written, and goes on.
    MongoDB: each member of the replica set gives back what its files do not use; nobody waits. The user needs
    the role dbAdmin.

    It may be stopped at any point and called again.
    """
    room = None
    try:
        with _ended_at_once(), open_index(options.index) as index:
            for step in _told(index.compact()):
                room = Room(before=step.before, after=step.after, given_back=max(0, step.before - step.after))
    finally:
        if room is not None:
            click.echo(msgspec.json.encode(room).decode() if form == "json" else _line(room))
    return 0


def _line(room: Room) -> str:
    before, after, given_back = (f"{number / 1e6:,.1f} MB" for number in msgspec.structs.astuple(room))
    return f"{before} before, {after} after: {given_back} given back"


def _told(steps: Iterator[Compacted]) -> Iterator[Compacted]:
    """Pass steps on, and tell now and then how far they are: whenever another part begins, then every few seconds."""
    part, told = "", 0.0
    try:
        for step in steps:
            if step.part != part or time.monotonic() - told > _EVERY[not voice.live]:
                part, told = step.part, time.monotonic()
                _tell(f"compacting {step.part}: {step.done / step.of:.0%}")
            yield step
    finally:
        if voice.live:
            voice.renew()


def _tell(line: str) -> None:
    if voice.live:
        voice.renew(line)
    else:
        voice.say(line)


@contextmanager
def _ended_at_once() -> Iterator[None]:
    """Let Ctrl-C end the process as a kill would, which loses nothing: SQLite would hear of it when it is done."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # not where whoever called us has it ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
