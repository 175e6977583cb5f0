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
        self._began = self._now()
        return self

    def __exit__(self, *exc: object) -> None:
        wall, ours, servers = (now - began for now, began in zip(self._now(), self._began, strict=True))
        self.wall, self.ours, self.servers = self.wall + wall, self.ours + ours, self.servers + servers

    def _now(self) -> tuple[float, float, float]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return time.perf_counter(), used.ru_utime + used.ru_stime, self._server()

    @property
    def cpu(self) -> float:
        return self.ours + self.servers
