"""The time of a frontier in SQLite: one for all processes of the machine, which setting its clock does not move.

It is the time since the machine started, sleep included, counted from where the wall clock stood when the frontier was first
used after that start. It never goes back: at another start it goes on from the wall clock or from the last time that was
known, whichever is later. Where the system does not tell one start from another, it is the wall clock.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

NOTED = 1000  # ms that may pass until the time is noted again


class Anchor(msgspec.Struct, frozen=True):
    """Where time is counted from."""

    boot: str  # the start of the machine that it holds for
    origin: int  # ms since 1970 of that start


def machine_clock(db: sqlite3.Connection, *, read_only: bool = False) -> Callable[[], float]:
    """Return the frontier's clock, in s since 1970; ``db`` remembers it.

    A file that may only be read and knows no time of this start has the wall clock.
    """
    boot = boot_id()
    anchor = _kept(db) if read_only or not boot else _anchor(db, boot)
    if anchor is None or not boot or anchor.boot != boot:
        return time.time
    origin = anchor.origin
    return lambda: origin / 1000 + since_boot()


def _anchor(db: sqlite3.Connection, boot: str) -> Anchor:
    anchor = _kept(db)
    if anchor is None or anchor.boot != boot:
        db.execute("BEGIN IMMEDIATE")
        try:
            anchor = _kept(db)  # another process may have been here first
            if anchor is None or anchor.boot != boot:
                noted = db.execute("SELECT value FROM meta WHERE name = 'time'").fetchone()
                now = max(int(time.time() * 1000), int(noted[0]) + NOTED if noted else 0)
                anchor = Anchor(boot, now - int(since_boot() * 1000))
                db.execute("INSERT OR REPLACE INTO meta VALUES ('clock', ?)", (msgspec.json.encode(anchor),))
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise
    return anchor


def _kept(db: sqlite3.Connection) -> Anchor | None:
    row = db.execute("SELECT value FROM meta WHERE name = 'clock'").fetchone()
    return msgspec.json.decode(row[0], type=Anchor) if row else None


def boot_id() -> str:
    """Return what tells this start of the machine from its others, "" where the system does not (all but Linux)."""
    if sys.platform != "linux":
        return ""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def since_boot() -> float:
    """Return the s since the machine started, those it slept too."""
    assert sys.platform == "linux"
    return time.clock_gettime(time.CLOCK_BOOTTIME)
