"""Where output goes: how wide a terminal is, whether it knows escapes, and what is said where there is no room."""

from __future__ import annotations

import errno
import os
from typing import TextIO

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # of a disk, of a user, of a file
_USUAL = 80  # columns, where a terminal does not say


def columns_of(stream: TextIO) -> int:
    """Return how many columns a terminal has; ``COLUMNS`` says it better."""
    said = os.environ.get("COLUMNS", "")
    if said.isascii() and said.isdigit() and int(said):
        return int(said)
    try:
        return os.get_terminal_size(stream.fileno()).columns or _USUAL
    except (OSError, ValueError):
        return _USUAL


def takes_escapes(stream: TextIO) -> bool:
    """Tell whether it is a terminal that does what escapes say, and does not show them (``TERM=dumb``: editors, logs)."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"
