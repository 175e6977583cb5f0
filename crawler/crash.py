"""Ends this process at a named step, where the environment asks for it: the proof in ``tests/chaos/`` that none matters.

``CRASH_AT=STEP[:N[:SIGNAL]]``: at the N-th passage (1) of STEP, SIGNAL (KILL) is sent to this very process. Steps:

=========  ======================================================================
lease      leases are in hand
fetched    a fetch has ended, its visit is not stored
rules      robots.txt is kept in the frontier, what follows from it not yet
stored     a visit is durable in the index
complete   leases are about to end in the frontier
completed  they have ended there, and the node does not know it yet
release    a lease is about to be given back
=========  ======================================================================
"""

from __future__ import annotations

import os
import signal

STEPS = ("lease", "fetched", "rules", "stored", "complete", "completed", "release")

_step, _, _rest = os.environ.get("CRASH_AT", "").partition(":")
_number, _, _name = _rest.partition(":")
_left = int(_number or 1)


def passing(step: str) -> None:
    """Pass a step, or end there."""
    global _left  # noqa: PLW0603
    if step == _step:
        _left -= 1
        if not _left:
            os.kill(os.getpid(), signal.Signals[f"SIG{_name or 'KILL'}"])
