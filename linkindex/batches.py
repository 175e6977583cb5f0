"""Gathers what is to be told to a store, so that much is told at once and little waits long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class Batches(Generic[T]):
    """Hands items to ``tell`` in batches of at most ``most``, one batch after the other.

    The first item waits ``gather`` seconds for others, unless they are ``most`` before; what comes while a batch is being
    told goes with the next. ``spawn`` runs a coroutine function beside the rest.
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
        self._telling = 0  # how many are being told
        self._busy = False
        self._full = asyncio.Event()

    def __len__(self) -> int:
        """How many items have not been told yet."""
        return len(self._items) + self._telling

    def put(self, item: T) -> None:
        self._items.append(item)
        if len(self._items) >= self._most:
            self._full.set()
        if not self._busy:
            self._busy = True
            self._spawn(self._work)

    async def _work(self) -> None:
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._full.wait(), self._gather)
            await self.drain()
        finally:
            self._busy = False

    async def drain(self) -> None:
        """Tell all there is, without waiting for more."""
        while self._items:
            batch, self._items = self._items[: self._most], self._items[self._most :]
            self._full.clear()
            self._telling += len(batch)
            try:
                await self._tell(batch)
            finally:
                self._telling -= len(batch)
