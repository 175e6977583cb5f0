"""What links to what. This floor knows no crawler: it reads and writes the link index.

For programs: ``linkindex.open("sqlite:///linkatlas.db")`` (see docs/python.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linkindex.index import Index

__all__ = ["open"]


def open(url: str, *, time_limit: float = 0.0) -> Index:  # noqa: A001  reads as linkindex.open, as gzip.open does
    """Open an index that is there, ``sqlite:///PATH`` or ``mongodb://HOST:PORT/NAME``, to ask it.

    A question that takes longer than ``time_limit`` seconds (0: any) raises :class:`linkindex.errors.TimedOut`.
    Raises :class:`linkindex.errors.BadInput` where there is none, ``Unavailable`` where it does not answer.
    """
    from linkindex.index import Index  # noqa: PLC0415  importing linkindex alone costs nothing
    from linkindex.store import open_index  # noqa: PLC0415

    return Index(open_index(str(url), time_limit=time_limit))  # a Path is told what would do
