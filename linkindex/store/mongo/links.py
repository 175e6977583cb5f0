"""Links as rows: put in order by little of each, then filled in for those that are shown."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from linkindex.answers.rows import Backlink
from linkindex.relevance import Similarities
from linkindex.store import found as rows
from linkindex.store.mongo import covering, ids, ordering
from linkindex.store.mongo.asking import Question, parts
from linkindex.store.mongo.chains import Leads
from linkindex.store.mongo.ranks import Ranked, Ranks
from linkindex.store.mongo.records import LinkRecord, PageRecord, fields
from linkindex.store.mongo.referring import large_target
from linkindex.store.mongo.schema import LINKS, PAGES, PAST
from linkindex.store.mongo.selecting import Found, Selected
from linkindex.store.mongo.walking import Walk, can_walk
from linkindex.store.selection import Order, Per, Selection

_SHOWN = 500  # rows that are filled in together
_FEW = (
    10_000  # rows; the links that so many are chosen from are read whole: to ask again for the chosen ones costs more
)

_OF_SOURCE = (
    *("title", "language", "author", "published", "platform", "words", "external_links", "internal_links"),
    *("robots", "terms", "status"),
)
_PAGE = fields(PageRecord, *_OF_SOURCE)
_UNKNOWN = PageRecord(id=b"")


class Links(Ranked):
    """The part of :class:`linkindex.store.mongo.MongoIndex` that answers with links."""

    def links(
        self,
        selection: Selection,
        *,
        order: Order = "seen",
        per: Per = "link",
        after: Backlink | None = None,
        limit: int | None = None,
    ) -> Iterator[Backlink]:
        question = self._question()
        whole = limit is not None and limit <= _FEW
        selected = Selected(question, selection, whole=whole)
        ranks = self._ranks(question)
        found: Iterable[Found] = selected.links()
        if limit is not None and per == "link" and can_walk(selection, order):
            domain = large_target(question, selection)
            first = Walk(question, selection, domain, ranks, after, limit).found(order) if domain else None
            found = found if first is None else chain(first, selected.leading())
        if order == "rank":
            found = ranks.learning(found)
        behind = None if after is None else ordering.key_of_row(order, after)
        chosen = ordering.rows(found, ordering.key_of(order, ranks.of), per, behind, limit)
        similarities: Similarities | None = None
        for some in parts(chosen, _SHOWN):
            similarities = similarities or self._similarities()
            again = {} if whole else _whole(question, selection, [row.found for row in some])
            yield from _Shown(question, some, again, selected.leads, similarities).rows(ranks)


class _Shown:
    """Some rows, and what they need."""

    def __init__(
        self,
        question: Question,
        chosen: Sequence[ordering.Chosen],
        whole: Mapping[bytes, LinkRecord],
        leads: Leads,
        similarities: Similarities,
    ) -> None:
        """``whole`` has the links of which ``chosen`` holds only a part."""
        self._question, self._chosen, self._whole = question, chosen, whole
        self._leads, self._similarities = leads, similarities

    def rows(self, ranks: Ranks) -> Iterator[Backlink]:
        found = [row.found for row in self._chosen]
        self._leads.look_up({one.link.target for one in found})
        hops = {one.link.target: self._leads.hops(one.link.target) for one in found}
        ends = {target: on[-1].to if on else target for target, on in hops.items()}
        names = {url: ids.of_page(url, covering.domain_of(url)) for url in {*ends, *ends.values()}}
        pages = self._pages({one.link.page for one in found} | set(names.values()))
        ranks.learn(found)
        now = int(time.time() * 1000)
        for row in self._chosen:
            link = row.found.link
            target, end = pages.get(names[link.target]), pages.get(names[ends[link.target]])
            filled = _filled(row, self._whole.get(link.id, link), pages.get(link.page) or _UNKNOWN)
            filled |= {
                "target_terms": target.terms if target else b"",
                "target_status": target.status if target else 0,
                "end_status": end.status if end else 0,
                "source_rank": ranks.of_page(link.page),
                "domain_rank": ranks.of_domain(link.source_domain),
            }
            yield rows.backlink(rows.Found(**filled), hops[link.target], self._similarities, now)

    def _pages(self, names: Iterable[bytes]) -> dict[bytes, PageRecord]:
        return {page.id: page for page in self._question.named(PAGES, names, PageRecord, _PAGE)}


def _whole(question: Question, selection: Selection, found: Sequence[Found]) -> dict[bytes, LinkRecord]:
    """Return the links with all that is kept of them, by name."""
    wanted = {one.link.id for one in found}
    condition = {
        "p": {"$in": list({one.link.page for one in found})},
        "td": {"$in": list({one.link.target_domain for one in found})},
    }
    return {
        link.id: link
        for collection in ((LINKS,) if selection.as_of is None else (LINKS, PAST))
        for link in question.find(collection, condition, LinkRecord, hint="of_page")
        if link.id in wanted
    }


def _filled(row: ordering.Chosen, whole: LinkRecord, page: PageRecord) -> dict[str, Any]:
    """Return the fields of :class:`linkindex.store.found.Found` that the link and its page say."""
    found, link = row.found, row.found.link
    confidence = whole.confidence if whole.site_confidence is None else whole.site_confidence
    return {
        "source": link.source,
        "source_domain": link.source_domain,
        "target": link.target,
        "target_domain": whole.target_domain,
        "ordinal": link.ordinal,
        "kind": link.kind,
        "anchor": link.anchor,
        "rel": link.rel,
        "follow": link.follow,
        "placement": link.shown_placement,
        "placement_confidence": confidence / 1000,
        "template_pages": whole.template_pages,
        "position": whole.position,
        "text_before": whole.text_before,
        "text_after": whole.text_after,
        "heading": whole.heading,
        "first_seen": link.first_seen,
        "last_seen": found.last_seen,
        "lost_at": link.until,
        "lost_reason": None if link.until is None else link.because or whole.because,
        "doubt": found.doubt,
        **{f"source_{name}": getattr(page, name) for name in _OF_SOURCE},
        "links": row.links,
        "pages": row.pages,
    }
