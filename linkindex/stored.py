"""What is read from a store is checked, or at least survived: where it is not what a backend put there, an error says so.

Backends check what they can tell is strange, and set it aside. What slips through (a text where a number was, in a file that
somebody edited or a disk that failed) trips whatever reads it; here that becomes one error of ours, with a remedy, for
every backend alike.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import wraps
from types import GeneratorType
from typing import Any, TypeVar, cast

import msgspec

from linkindex.errors import Incompatible

_T = TypeVar("_T")

_TOLD = 160  # characters of what went wrong

# What reading something else than what was written raises.
_TRIPS = (
    *(TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RuntimeError),
    *(msgspec.MsgspecError, zlib.error, struct.error),
)


def checked(opening: Callable[[], _T], what: str, remedy: str) -> _T:
    """Return the store that ``opening`` returns, with it and every later call guarded: they return what they did, or raise
    :class:`Incompatible` where they tripped.

    With LINKATLAS_DEBUG set, what tripped is raised as it is: it may be a bug of ours after all.
    """
    try:
        return cast("_T", _Checked(opening(), what, remedy))
    except _TRIPS as error:
        raise _tripped(error, what, remedy) from error


def guarded(store: object, answer: Callable[..., _T]) -> Callable[..., _T]:
    """Return ``answer``, which is made of what ``store`` returns, guarded as the calls of that store are."""
    return cast("Callable[..., _T]", store._guard(answer)) if isinstance(store, _Checked) else answer  # noqa: SLF001


def trips(read: Callable[[], object]) -> bool:
    """Return whether what ``read`` reads is not as it was written."""
    try:
        read()
    except _TRIPS:
        return True
    return False


def noted(value: object) -> bytes:
    """Return a note as it was stored; what is there instead trips, as all that is strange does: ``bytes`` of a number would
    make as many zeros."""
    if not isinstance(value, bytes):
        raise TypeError(f"a note that is {type(value).__name__}")
    return bytes(value)


class _Checked:
    def __init__(self, store: Any, what: str, remedy: str) -> None:
        self.__dict__["_store"] = store
        self.__dict__["_said"] = (what, remedy)
        self.__dict__["_guarded"] = {}

    def __getattr__(self, name: str) -> Any:
        guarded = self._guarded.get(name)
        if guarded is None:
            found = getattr(self._store, name)
            if name.startswith("_") or not callable(found):
                return found
            guarded = self._guarded[name] = self._guard(found)
        return guarded

    def __enter__(self) -> Any:
        self._store.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._store.__exit__(*exc)

    def _guard(self, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def guarded(*arguments: Any, **keywords: Any) -> Any:
            try:
                result = call(*arguments, **keywords)
            except _TRIPS as error:
                raise _tripped(error, *self._said) from error
            return self._through(result) if isinstance(result, GeneratorType) else result

        return guarded

    def _through(self, rows: Iterator[Any]) -> Iterator[Any]:
        try:
            yield from rows
        except _TRIPS as error:
            raise _tripped(error, *self._said) from error


def _tripped(error: Exception, what: str, remedy: str) -> Exception:
    if os.environ.get("LINKATLAS_DEBUG"):
        return error
    told = " ".join(f"{type(error).__name__}: {error}".split())
    told = told if len(told) <= _TOLD else f"{told[: _TOLD - 1]}…"
    return Incompatible(
        f"{what}: holds something that is not as linkatlas writes it ({told}); {remedy}. If it is whole, this is a bug: "
        "LINKATLAS_DEBUG=1 shows where, please report it"
    )
