"""How a program of Scrapy's ends where ``linkatlas`` would: with one line, and an exit code that says why. Scrapy's own command
shows each stack that an error passes through, and ends with 0 or 1."""

from __future__ import annotations

import asyncio
import sys
from typing import NoReturn


def end_with(error: Exception) -> NoReturn:
    """End it now, for an option that will not do."""
    print(f"linkatlas: {error}", file=sys.stderr)
    raise SystemExit(2) from None


def end_soon(code: int) -> NoReturn:
    """End it from within its event loop, where the task that called this ends unheard. Who calls it has told why."""
    asyncio.get_running_loop().call_soon(sys.exit, code)
    raise asyncio.CancelledError from None
