"""What a process remembers by name, within bounds. Pure.

A node runs for months and meets hosts without end, and strangers choose how long their names and files are: whatever is kept
of each has to have a bound in bytes, and not only in number.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

_T = TypeVar("_T")

ENTRY = 256  # bytes, about, that an entry takes beside what it holds


class Remembered(Generic[_T]):
    """Values by name, at most ``most`` bytes of them: what was asked for longest ago is forgotten first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._held: OrderedDict[str, tuple[_T, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, name: str) -> bool:
        return name in self._held

    def get(self, name: str) -> _T | None:
        found = self._held.get(name)
        if found is None:
            return None
        self._held.move_to_end(name)
        return found[0]

    def put(self, name: str, value: _T, size: int = 0) -> None:
        """Remember a value that takes so many bytes, beside its name. One that is larger than all may be is not kept."""
        self.pop(name)
        size += ENTRY + len(name)
        self._held[name] = value, size
        self._size += size
        while self._size > self._most:
            _, (_, freed) = self._held.popitem(last=False)
            self._size -= freed

    def pop(self, name: str) -> _T | None:
        """Forget a value; return what it was."""
        found = self._held.pop(name, None)
        if found is None:
            return None
        self._size -= found[1]
        return found[0]

    def clear(self) -> None:
        self._held.clear()
        self._size = 0
