"""Under which texts is the target linked?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from linkindex.answers.rows import AnchorText, moment
from linkindex.store import LinkIndex, Selection
from linkindex.target import Target


def anchors(index: LinkIndex, target: Target, *, limit: int | None = None) -> Iterator[AnchorText]:
    """Yield the anchor texts of live links to ``target``, the most used first; "" stands for links without text."""
    for group in islice(index.groups(Selection(target=target), "anchor"), limit):
        yield AnchorText(
            anchor=group.key,
            backlinks=group.links,
            domains=group.domains,
            follow=group.follow,
            nofollow=group.links - group.follow,
            first_seen=moment(group.first_seen),
            last_seen=moment(group.last_seen),
        )
