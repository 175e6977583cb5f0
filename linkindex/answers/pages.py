"""What do the target's pages say of themselves?"""

from __future__ import annotations

from collections.abc import Iterator

from linkindex.answers.rows import PageRow
from linkindex.store import LinkIndex
from linkindex.target import Target


def pages(index: LinkIndex, target: Target, *, limit: int | None = None) -> Iterator[PageRow]:
    """Yield the visited pages that ``target`` covers, those with the most links to other domains first."""
    return index.pages(target, limit)
