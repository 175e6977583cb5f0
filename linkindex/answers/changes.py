"""What happened to the links that point at the target?"""

from __future__ import annotations

from collections.abc import Iterator

from linkindex.answers.rows import Change
from linkindex.store import LinkIndex, Selection


def changes(index: LinkIndex, selection: Selection, *, limit: int | None = None) -> Iterator[Change]:
    """Yield what is new, changed, lost, returned or moved, the latest first, from ``since`` until ``until``."""
    return index.changes(selection, limit)
