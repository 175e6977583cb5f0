"""What does a page link to?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from linkindex import urls
from linkindex.answers.rows import Outlink
from linkindex.errors import BadInput
from linkindex.store import LinkIndex


def outlinks(index: LinkIndex, page: str, *, limit: int | None = None) -> Iterator[Outlink]:
    """Yield the links of one page: live ones, lost ones, then internal ones of which only the target is kept."""
    url = urls.canonicalise(page if "://" in page else f"https://{page}")
    if url is None:
        raise BadInput(f"page {page!r}: not an http or https URL; write https://example.com/page")
    return islice(index.outlinks(url, limit), limit)  # the store limits the links it keeps in full, not the rest
