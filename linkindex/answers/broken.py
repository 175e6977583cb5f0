"""Which links to the target lead nowhere, and where could they lead instead?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import msgspec

from linkindex import chains, urls
from linkindex.answers.rows import Backlink, Broken, PageRow
from linkindex.history import Lead
from linkindex.model import Outcome
from linkindex.replacement import MOST_PAGES, Copy, Live, Replacement, Site, copies
from linkindex.store import LinkIndex, Order, Per, Selection
from linkindex.target import Target

_ANCHORS = 5  # texts that tell what a dead URL was about


def broken(
    index: LinkIndex,
    selection: Selection,
    *,
    order: Order = "seen",
    per: Per = "link",
    after: Backlink | None = None,
    limit: int | None = None,
) -> Iterator[Broken]:
    """Yield the selected links whose target answers 4xx or 5xx, not at all, or redirects into nothing; each with the best
    live replacement on the target's site. Rows are ordered and grouped as :func:`linkindex.answers.backlinks.backlinks` does.
    """
    search: _Search | None = None
    asked = msgspec.structs.replace(selection, broken=True)
    for row in index.links(asked, order=order, per=per, after=after, limit=limit):
        search = search or _Search(index, selection.target)
        found = search.replacement(row)
        yield Broken(
            **msgspec.structs.asdict(row),
            replacement=found.url if found else None,
            replacement_score=found.score if found else None,
            replacement_because=found.because if found else None,
        )


class _Search:
    """Looks for live pages of one site. Each dead URL is looked up once, and the site is read when the first is."""

    def __init__(self, index: LinkIndex, target: Target) -> None:
        self._index = index
        self._domain = urls.domain_of(target.name or urls.host_of((*target.prefixes, *target.urls)[0]))
        site = Target(text=self._domain, name=self._domain)
        live = (Live(page.url, page.title) for page in islice(index.pages(site), MOST_PAGES) if _is_live(page))
        self._site = Site(live)
        self._found: dict[str, Replacement | None] = {}

    def replacement(self, row: Backlink) -> Replacement | None:
        ways = [row.target, *(hop.to for hop in row.hops)]
        dead = next((url for url in reversed(ways) if self._is_ours(url)), row.target)
        if dead not in self._found:
            self._found[dead] = self._copy(dead) or self._nearest(dead)
        return self._found[dead]

    def _copy(self, dead: str) -> Replacement | None:
        """Return a copy that is live, else where a copy leads."""
        others = [copy for copy in copies(dead, self._site.hosts) if self._is_ours(copy.url)]
        live = self._live([copy.url for copy in others])
        for copy in others:
            if copy.url in live:
                return Replacement(url=copy.url, score=copy.score, because="same path")
        return self._where_copies_lead(others, dead)

    def _where_copies_lead(self, others: list[Copy], dead: str) -> Replacement | None:
        leads = self._index.leads(copy.url for copy in others)

        def lead_of(url: str) -> Lead | None:
            if url not in leads:
                leads.update(self._index.leads([url]))
            return leads.get(url)

        ends = {copy: chains.follow(copy.url, lead_of)[-1].to for copy in others if copy.url in leads}
        live = self._live([end for end in ends.values() if end != dead and self._is_ours(end)])
        found = next(((copy, end) for copy, end in ends.items() if end in live), None)
        return found and Replacement(url=found[1], score=found[0].score, because="a copy leads there")

    def _nearest(self, dead: str) -> Replacement | None:
        itself = Target(text=dead, urls=(dead,))
        page = next(self._index.pages(itself, limit=1), None)
        anchors = self._index.groups(Selection(target=itself, as_found=True), "anchor", _ANCHORS)
        return self._site.nearest(dead, page.title if page else "", [group.key for group in anchors])

    def _live(self, wanted: list[str]) -> set[str]:
        if not wanted:
            return set()
        pages = self._index.pages(Target(text=self._domain, urls=tuple(wanted)))
        return {page.url for page in pages if _is_live(page)}

    def _is_ours(self, url: str) -> bool:
        return bool(url) and urls.domain_of(urls.host_of(url)) == self._domain


def _is_live(page: PageRow) -> bool:
    return page.outcome == Outcome.PAGE and page.indexable and page.canonical in ("", page.url)
