"""Ends a process that a page has brought to a standstill.

What is known to stall the parser is refused before it is parsed (:mod:`crawler.extract.hazards`). Against what is not
known, nothing inside the process helps: a parser in C can be neither interrupted nor given up, and holds up the other
fetches and the renewal of leases too. So the process goes, and its leases with it: other nodes, or the next run, visit
those URLs again, the suspects alone, and one that stalls four processes ends as ``failed(node_lost)``.
"""

from __future__ import annotations

import asyncio
import faulthandler
import signal

LOOK = 1.0  # s between signs of life of the event loop
_STDERR = 2


async def watch(seconds: float) -> None:
    """Until it is cancelled, see to it that a signal (SIGPROF) ends the process, which shows where it was, once it has spent
    ``seconds`` of CPU time without a turn of the event loop.

    The system keeps the time: it needs no turn of Python's, and a process that is suspended spends none.
    """
    faulthandler.register(signal.SIGPROF, file=_STDERR, chain=True)  # then as it would be without: the process ends
    try:
        while True:
            signal.setitimer(signal.ITIMER_PROF, seconds)
            await asyncio.sleep(min(LOOK, seconds / 2))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.unregister(signal.SIGPROF)
