"""Which domains link to the target, and how much?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from linkindex.answers.rows import ReferringDomain, moment
from linkindex.store import LinkIndex, Selection
from linkindex.target import Target


def referring_domains(index: LinkIndex, target: Target, *, limit: int | None = None) -> Iterator[ReferringDomain]:
    """Yield the domains that have live links to ``target``, those with the most links first."""
    for group in islice(index.groups(Selection(target=target), "domain"), limit):
        yield ReferringDomain(
            domain=group.key,
            backlinks=group.links,
            pages=group.sources,
            follow=group.follow,
            nofollow=group.links - group.follow,
            first_seen=moment(group.first_seen),
            last_seen=moment(group.last_seen),
            domain_rank=None,
        )
