"""Chance that falls the same on every Python: one stream of numbers for each text it is made from."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Random choices that only ``random()`` is used for: the one method whose sequence Python guarantees.

    https://docs.python.org/3/library/random.html#notes-on-reproducibility
    """

    def __init__(self, text: str) -> None:
        self._next = random.Random(text).random

    def below(self, limit: int) -> int:
        """Return a number from 0 to ``limit`` - 1."""
        return int(self._next() * limit)

    def chance(self, probability: float) -> bool:
        """Return True in ``probability`` of all cases."""
        return self._next() < probability

    def pick(self, things: Sequence[T]) -> T:
        """Return one of ``things``, which must not be empty."""
        return things[self.below(len(things))]

    def some(self, things: Sequence[T], count: int) -> list[T]:
        """Return ``count`` different of ``things`` (all of them where there are fewer), in the order drawn."""
        left = list(things)
        return [left.pop(self.below(len(left))) for _ in range(min(count, len(left)))]
