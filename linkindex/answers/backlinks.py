"""Who links to the target?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from linkindex.answers.rows import Backlink
from linkindex.store import LinkIndex, Selection
from linkindex.target import Target


def backlinks(
    index: LinkIndex,
    target: Target,
    *,
    state: Literal["live", "lost", "all"] = "live",
    internal: bool = False,
    limit: int | None = None,
) -> Iterator[Backlink]:
    """Yield the links that point at ``target``: followed ones first, then the latest seen."""
    return index.links(Selection(target=target, state=state, internal=internal), limit=limit)
