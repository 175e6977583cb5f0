"""Gathers what is to be told to a store, so that much is told at once and little waits long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Generic, TypeVar

T = TypeVar("T")


class Batches(Generic[T]):
    """Hands items to ``tell`` in batches of at most ``most``, one batch after the other.

    The first item waits ``gather`` seconds for others; what comes while a batch is being told goes with the next. ``spawn``
    runs a coroutine function beside the rest.
    """

    def __init__(
        self,
        tell: Callable[[list[T]], Awaitable[None]],
        most: int,
        gather: float,
        spawn: Callable[[Callable[[], Coroutine[object, object, None]]], None],
    ) -> None:
        self._tell = tell
        self._most = most
        self._gather = gather
        self._spawn = spawn
        self._items: list[T] = []
        self._busy = False

    def put(self, item: T) -> None:
        self._items.append(item)
        if not self._busy:
            self._busy = True
            self._spawn(self._work)

    async def _work(self) -> None:
        try:
            await asyncio.sleep(self._gather)
            await self.drain()
        finally:
            self._busy = False

    async def drain(self) -> None:
        """Tell all there is, without waiting for more."""
        while self._items:
            batch, self._items = self._items[: self._most], self._items[self._most :]
            await self._tell(batch)
