"""Calls of a store off the event loop, one at a time, with patience while the store is away."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from linkindex.errors import Unavailable

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

PAUSES = (0.2, 2.0)  # s between tries, the least and the most: a store that is back is noticed within this


class Calls:
    """One thread, on which a store is called. While it does not answer, calls wait and try again; it is said once.

    ``patience`` is how long, in s, one call tries; then it raises :class:`Unavailable` as it came.
    """

    def __init__(self, name: str, patience: float) -> None:
        self.patience = patience
        self._name = name
        self._thread = ThreadPoolExecutor(1, name)
        self._away = False
        self._turn = asyncio.Lock()  # calls are made in the order in which they came, those that wait too

    async def __call__(self, function: Callable[..., _T], *arguments: object) -> _T:
        """Return what ``function`` returns; it must be safe to call it again when it raised."""
        async with self._turn:
            return await self._persist(function, arguments)

    async def _persist(self, function: Callable[..., _T], arguments: tuple[object, ...]) -> _T:
        began = time.monotonic()
        while True:
            try:
                result = await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)
            except Unavailable as error:
                if time.monotonic() - began > self.patience:
                    raise
                if not self._away:
                    self._away = True
                    logger.warning("%s; waiting for it", error)
                await asyncio.sleep(random.uniform(*PAUSES))  # noqa: S311  so that nodes do not come back all at once
            else:
                if self._away:
                    self._away = False
                    logger.warning("the %s is back, going on", self._name)
                return result

    def close(self) -> None:
        """Let the thread end. Calls that are under way still return."""
        self._thread.shutdown(wait=False)
