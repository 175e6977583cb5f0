"""What does a page link to?"""

from __future__ import annotations

from collections.abc import Iterator

from linkindex.answers.rows import Outlink
from linkindex.store import LinkIndex
from linkindex.target import parse_page


def outlinks(index: LinkIndex, page: str, *, limit: int | None = None) -> Iterator[Outlink]:
    """Yield the links of one page: live ones, lost ones, then internal ones of which only the target is kept."""
    return index.outlinks(parse_page(page), limit)
