"""Shows how a crawl is getting on: one line that renews itself on a terminal, plain lines now and then elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self

from crawler.frontier import Counts
from interfaces.cli.voice import voice
from interfaces.text import counted
from linkindex.errors import Unavailable


class Snapshot(NamedTuple):
    """One look at a running crawl."""

    counts: Counts
    links: int
    wait: float = 0.0  # s until anything may be visited


class Progress:
    """A context in which a thread reports what ``look`` sees, every so many seconds, on standard error."""

    def __init__(self, look: Callable[[], Snapshot]) -> None:
        self._look = look
        self._live = voice.live
        self._interval = 0.5 if self._live else 10.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
        self._samples: list[tuple[float, int]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        if self._live:
            voice.renew()

    def _run(self) -> None:
        while not self._over.wait(self._interval):
            try:
                line = self.line(self._look(), time.monotonic())
            except Unavailable:
                continue  # the nodes wait for the store, and say so
            if self._live:
                voice.renew(line)
            else:
                voice.say(line, name="")

    def line(self, seen: Snapshot, now: float) -> str:
        """Return the line for a snapshot; the speed is that of the last ten seconds."""
        counts = seen.counts
        self._samples = [sample for sample in self._samples if sample[0] > now - 10.0] + [(now, counts.visited)]
        (then, before), (_, after) = self._samples[0], self._samples[-1]
        speed = (after - before) / (now - then) if now > then else 0.0
        ahead = counts.queued + counts.scheduled + counts.leased
        wait = f" · next in {seen.wait:.0f} s" if seen.wait >= 1.0 else ""
        return (
            f"{counted(counts.visited, 'URL')} · {speed:.1f}/s · {counted(seen.links, 'link')} · "
            f"{counted(counts.hosts, 'host')} · {ahead:,} to visit · {counted(counts.failed, 'error')}{wait}"
        )
