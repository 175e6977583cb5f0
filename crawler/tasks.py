"""Work of a node beside the rest. None of it fails unheard: a lease that nobody ends would never end, nor would the crawl."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine

from linkindex.errors import LinkatlasError

logger = logging.getLogger(__name__)

Work = Callable[..., Coroutine[object, object, object]]


class Tasks:
    """``failed`` is told why something could not be done."""

    def __init__(self, failed: Callable[[LinkatlasError], None]) -> None:
        self._failed = failed
        self._tasks: set[asyncio.Future[None]] = set()
        self._loops: list[asyncio.Future[None]] = []

    def spawn(self, work: Work, *arguments: object) -> None:
        """Run work that ends."""
        task = asyncio.ensure_future(self.guarded(work, *arguments))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def loop(self, work: Work) -> None:
        """Run work that goes on until :meth:`stop`."""
        self._loops.append(asyncio.ensure_future(self.guarded(work)))

    def stop(self) -> None:
        for task in self._loops:
            task.cancel()

    async def settled(self) -> None:
        """Wait for the end of all that was spawned."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def guarded(self, work: Work, *arguments: object) -> None:
        try:
            await work(*arguments)
        except LinkatlasError as error:
            self._failed(error)
        except Exception as error:  # a bug of ours
            logger.exception("a bug, sorry")
            self._failed(LinkatlasError(f"a bug, sorry: {type(error).__name__}: {error}; please report it"))
