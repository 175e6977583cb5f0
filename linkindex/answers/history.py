"""How did a page link, and when?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from linkindex.answers.rows import Seen
from linkindex.store import LinkIndex
from linkindex.target import parse_page


def history(index: LinkIndex, source: str, target: str = "", *, limit: int | None = None) -> Iterator[Seen]:
    """Yield every version of the links from one page to another ("": to all), the oldest of each link first."""
    versions = index.versions(parse_page(source), parse_page(target) if target else "")
    return islice(versions, limit)
