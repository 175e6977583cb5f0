"""``python -m tests.chaos.shifted FILE ARGUMENT…``: ``linkatlas`` with a wall clock that is off by what FILE says, in s.

FILE may be written while the process runs; while there is none, the clock is right. The monotonic clock is left alone.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

_right, _right_ns = time.time, time.time_ns


def _shift_by(file: Path) -> None:
    read = [0.0, 0.0]  # the shift, and when it was looked up

    def shift() -> float:
        now = time.monotonic()
        if now - read[1] > 0.02:
            read[:] = float(file.read_text() or 0) if file.exists() else 0.0, now
        return read[0]

    time.time = lambda: _right() + shift()
    time.time_ns = lambda: _right_ns() + int(shift() * 1e9)


if __name__ == "__main__":
    _shift_by(Path(sys.argv[1]))
    del sys.argv[1]
    from interfaces.cli.main import main

    sys.exit(main())
