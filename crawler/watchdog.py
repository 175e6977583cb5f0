"""Ends a process that a page has brought to a standstill.

What is known to stall the parser is refused before it is parsed (:mod:`crawler.extract.hazards`). Against what is not
known, nothing inside the process helps: a parser in C can be neither interrupted nor given up, and holds up the other
fetches and the renewal of leases too. So the process goes, and its leases with it: other nodes, or the next run, visit
those URLs again, the suspects alone, and one that stalls three processes ends as ``failed(node_lost)``.
"""

from __future__ import annotations

import asyncio
import faulthandler

LOOK = 1.0  # s between signs of life of the event loop
_STDERR = 2


async def watch(seconds: float) -> None:
    """Until it is cancelled, see to it that the process ends with code 1, and shows where it was, when the event loop has
    stood still for ``seconds``. It is a thread of C that looks, which needs no turn of Python's."""
    try:
        while True:
            faulthandler.dump_traceback_later(seconds, exit=True, file=_STDERR)
            await asyncio.sleep(min(LOOK, seconds / 2))
    finally:
        faulthandler.cancel_dump_traceback_later()
