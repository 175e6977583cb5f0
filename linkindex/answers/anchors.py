"""Under which texts is the target linked?"""

from __future__ import annotations

from collections.abc import Iterator

from linkindex.answers.rows import AnchorText, moment
from linkindex.store import LinkIndex, Selection


def anchors(index: LinkIndex, selection: Selection, *, limit: int | None = None) -> Iterator[AnchorText]:
    """Yield the anchor texts of the selected links, the most used first; "" stands for links without text."""
    for group in index.groups(selection, "anchor", limit):
        yield AnchorText(
            anchor=group.key,
            backlinks=group.links,
            domains=group.domains,
            follow=group.follow,
            nofollow=group.links - group.follow,
            first_seen=moment(group.first_seen),
            last_seen=moment(group.last_seen),
        )
