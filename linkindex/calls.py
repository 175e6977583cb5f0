"""Calls of a store off the event loop, one at a time, with patience while the store is away."""

from __future__ import annotations

import asyncio
import logging
import math
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

    When it has been away for ``patience`` seconds, they raise :class:`Unavailable` as it came.
    """

    def __init__(self, name: str, patience: float) -> None:
        self.name = name
        self._patience = patience
        self._over = math.inf  # when (monotonic) patience ends, however long the store has been away
        self._thread = ThreadPoolExecutor(1, name)
        self._away: Unavailable | None = None  # what it said last
        self._since = 0.0  # when it was first missed (monotonic)
        self._asked = math.inf  # when (monotonic) the call began that is under way
        self.errors = 0  # calls, and tries of calls, that it did not do
        self._turn = asyncio.Lock()  # calls are made in the order in which they came, those that wait too

    @property
    def away(self) -> bool:
        """Whether the store did not answer when it was called last."""
        return self._away is not None

    @property
    def silent(self) -> float:
        """For how many seconds the call that is under way has had no answer, with all its tries; 0.0: there is none."""
        return max(0.0, time.monotonic() - self._asked)

    async def __call__(self, function: Callable[..., _T], *arguments: object) -> _T:
        """Return what ``function`` returns; it must be safe to call it again when it raised."""
        async with self._turn:
            self._asked = time.monotonic()
            try:
                return await self._persist(function, arguments)
            finally:
                self._asked = math.inf

    async def _persist(self, function: Callable[..., _T], arguments: tuple[object, ...]) -> _T:
        while True:
            if self._away is not None and time.monotonic() > self._over:
                raise self._away
            tried = time.monotonic()
            try:
                result = await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)
            except Unavailable as error:
                self.errors += 1
                self._missed(error, tried)
                if time.monotonic() - self._since > self._patience:
                    raise
                await asyncio.sleep(random.uniform(*PAUSES))  # noqa: S311  so that nodes do not come back all at once
            except Exception:
                self.errors += 1
                raise
            else:
                if self._away is not None:
                    self._away = None
                    logger.warning("the %s is back, going on", self.name)
                return result

    def _missed(self, error: Unavailable, tried: float) -> None:
        if self._away is None:
            self._since = tried
            what, _, _ = str(error).partition(";")  # what could be done comes behind it; this waits
            logger.warning("%s; waiting for it", what)
        self._away = error

    def hurry(self, seconds: float) -> None:
        """Have patience for so long from now at most, for all calls together."""
        self._over = time.monotonic() + seconds

    def close(self) -> None:
        """Let the thread end. Calls that are under way still return."""
        self._thread.shutdown(wait=False)
