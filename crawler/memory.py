"""Gives memory back to the system. A document of 8 MiB can be 100 MB of nodes while it is read, and the C library keeps what
was freed, in pieces that small objects then settle between: a process would stay as large as its largest page, and grow.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

LARGE = 1 << 20  # bytes of a document; giving back costs some ms


def read_and_freed(size: int) -> None:
    """Hear that a document of so many bytes was read, and its tree freed."""
    if size >= LARGE and (trim := _trim()):
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    """Return glibc's malloc_trim, None where the C library is another (which gives back by itself, or cannot)."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
