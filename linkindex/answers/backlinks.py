"""Who links to the target?"""

from __future__ import annotations

from collections.abc import Iterator

from linkindex.answers.rows import Backlink
from linkindex.store import LinkIndex, Order, Per, Selection


def backlinks(
    index: LinkIndex,
    selection: Selection,
    *,
    order: Order = "seen",
    per: Per = "link",
    after: Backlink | None = None,
    limit: int | None = None,
) -> Iterator[Backlink]:
    """Yield the selected links, or the first of each group with how many it has; ``after`` goes on behind a row."""
    return index.links(selection, order=order, per=per, after=after, limit=limit)
