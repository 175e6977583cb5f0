"""What work costs: by the clock, of our processor time, of the server's."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import Self


class Cost:
    """Adds up the seconds of what is done inside of it. ``server`` tells the server's processor time so far."""

    def __init__(self, server: Callable[[], float] | None = None) -> None:
        self._server = server or (lambda: 0.0)
        self.wall = self.ours = self.servers = 0.0

    def __enter__(self) -> Self:
        server = self._server()  # asking costs too: it stays outside
        self._began = (*_now(), server)
        return self

    def __exit__(self, *exc: object) -> None:
        now = (*_now(), self._server())
        wall, ours, servers = (end - began for end, began in zip(now, self._began, strict=True))
        self.wall, self.ours, self.servers = self.wall + wall, self.ours + ours, self.servers + servers

    @property
    def cpu(self) -> float:
        return self.ours + self.servers


def _now() -> tuple[float, float]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), used.ru_utime + used.ru_stime
