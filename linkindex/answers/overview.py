"""The backlink profile of a target in numbers."""

from __future__ import annotations

from linkindex.answers.rows import Overview, moment
from linkindex.store import LinkIndex, Selection
from linkindex.target import Target


def overview(index: LinkIndex, target: Target) -> Overview:
    """Count the links that point at ``target``. Zero everywhere is an answer too: nobody links there, as far as seen."""
    live = index.profile(Selection(target=target))
    total = live.whole
    return Overview(
        target=target.text,
        backlinks=total.links if total else 0,
        referring_domains=total.domains if total else 0,
        referring_pages=(total.sources or 0) if total else 0,
        linked_pages=(total.targets or 0) if total else 0,
        follow=total.follow if total else 0,
        nofollow=total.links - total.follow if total else 0,
        ugc=total.ugc if total else 0,
        sponsored=total.sponsored if total else 0,
        lost=index.links_of(Selection(target=target, state="lost")),
        doubtful=total.doubtful if total else 0,
        by_kind=live.by_kind,
        by_placement=live.by_placement,
        pages_visited=index.pages_of(target),
        first_seen=moment(total.first_seen) if total else None,
        last_seen=moment(total.last_seen) if total else None,
    )
