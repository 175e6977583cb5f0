"""Which domains link to the target, and how much?"""

from __future__ import annotations

from collections.abc import Iterator

from linkindex.answers.rows import ReferringDomain, moment
from linkindex.store import LinkIndex, Selection


def referring_domains(index: LinkIndex, selection: Selection, *, limit: int | None = None) -> Iterator[ReferringDomain]:
    """Yield the domains that the selected links are on, those with the most links first."""
    for group in index.groups(selection, "domain", limit):
        yield ReferringDomain(
            domain=group.key,
            backlinks=group.links,
            pages=group.sources or 0,
            follow=group.follow,
            nofollow=group.links - group.follow,
            first_seen=moment(group.first_seen),
            last_seen=moment(group.last_seen),
            domain_rank=None,
        )
