"""Pages: what is kept of them, where they lead, and what they name."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterable, Iterator
from itertools import islice

from linkindex import urls
from linkindex.answers.rows import Outlink, PageRow, moment, moment_or_none
from linkindex.history import Lead
from linkindex.store import paths
from linkindex.store.found import inside, page_row
from linkindex.store.mongo import covering, ids
from linkindex.store.mongo.asking import any_of, parts
from linkindex.store.mongo.chains import Leads
from linkindex.store.mongo.changing import Changing
from linkindex.store.mongo.records import LinkRecord, PageRecord, fields
from linkindex.store.mongo.schema import LINKS, PAGES
from linkindex.store.mongo.selecting import confirmed
from linkindex.store.selection import Named, Visited
from linkindex.target import Target

_SHOWN = 500
_TOGETHER = 2_000
_ORDER = fields(PageRecord, "url", "external_links")
_VISITED = fields(PageRecord, "url", "host", "domain", "depth", "outcome")
_NAMING = fields(PageRecord, "url", "domain", "depth", "robots", "outcome", "inside")
_NAMED = fields(LinkRecord, "page", "target", "target_domain", "kind", "rel")
_STATUS = fields(PageRecord, "status")

_SHOWN_FIELDS = tuple(name for name in PageRow.__struct_fields__ if name in PageRecord.__struct_fields__)
_NO_PAGES = ("form", "media")
_ENDED_ONLY = ("not_indexable", "not_canonical")  # a crawl follows the links of such pages too


class Pages(Changing):
    """The part of :class:`linkindex.store.mongo.MongoIndex` that is about pages."""

    def leads(self, urls: Iterable[str]) -> dict[str, Lead]:
        wanted, leads = list(urls), Leads(self._question())
        leads.look_up(wanted)
        return {url: lead for url in wanted if (lead := leads.get(url))}

    def outcome(self, page: str) -> str | None:
        found = self._page(page, "outcome")
        return found.outcome if found else None

    def pages(self, target: Target, limit: int | None = None) -> Iterator[PageRow]:
        question = self._question()
        found = ((-page.external_links, page.url, page.id) for page in self._covered(target, _ORDER))
        first = sorted(found) if limit is None else heapq.nsmallest(limit, found)
        now = int(time.time() * 1000)
        for some in parts((name for _, _, name in first), _SHOWN):
            pages = {page.id: page for page in question.named(PAGES, some, PageRecord)}
            for page in (pages[name] for name in some if name in pages):
                yield page_row({name: getattr(page, name) for name in _SHOWN_FIELDS}, now)

    def pages_of(self, target: Target) -> int:
        counted = ({"$match": any_of(covering.pages(target))}, {"$count": "pages"})
        return next((int(found["pages"]) for found in self._question().aggregate(PAGES, *counted)), 0)

    def visited(self, target: Target | None = None, run: str = "") -> Iterator[Visited]:
        if target or not run:
            yield from map(_visited, self._covered(target, _VISITED))
        if run:
            for page in self._question().find(PAGES, {"rn": run}, PageRecord, _VISITED):
                if target is None or not covering.covers(target, page.url):
                    yield _visited(page)

    def outlinks(self, page: str, limit: int | None = None) -> Iterator[Outlink]:
        source = self._page(page, "url", "domain", "read_at", "inside")
        if source is None:
            return
        question = self._question()
        found = list(question.find(LINKS, {"p": source.id}, LinkRecord))
        found.sort(key=lambda one: (one.until is not None, one.internal, one.position, one.target, one.ordinal))
        names = {one.target: ids.of_page(one.target, one.target_domain) for one in found}
        statuses = {one.id: one.status for one in question.named(PAGES, set(names.values()), PageRecord, _STATUS)}
        kept = (_outlink(one, source, statuses.get(names[one.target])) for one in found)
        named = (inside(target, source.domain) for target in paths.unpack(source.inside, source.url))
        yield from islice((row for rows in (kept, named) for row in rows), limit)

    def named(self, host: str = "") -> Iterator[Named]:
        yield from self._named_outside(host)
        question = self._question()
        condition = {"d": urls.domain_of(host)} if host else {}
        for page in question.find(PAGES, {**condition, "in": {"$exists": True}}, PageRecord, _NAMING):
            for url in paths.unpack(page.inside, page.url) if _follows(page) else ():
                name = urls.host_of(url)
                if host in ("", name):
                    yield _named(url, page, page.domain, page.outcome == "redirect")

    def _named_outside(self, host: str) -> Iterator[Named]:
        question = self._question()
        condition = {
            "k": {"$nin": list(_NO_PAGES)},
            "$or": [{"u": {"$exists": False}}, {"w": {"$in": list(_ENDED_ONLY)}}],
        }
        for covered in covering.links(Target(text=host, name=host)) if host else [{}]:
            found = question.find(LINKS, {**condition, **covered}, LinkRecord, _NAMED)
            for some in parts(found, _TOGETHER):
                names = {one.page for one in some}
                pages = {page.id: page for page in question.named(PAGES, names, PageRecord, _NAMING)}
                for one in some:
                    page = pages.get(one.page)
                    if page is not None and _follows(page) and host in ("", urls.host_of(one.target)):
                        sitemap = one.kind == "sitemap" and one.rel == ("sitemap",)
                        yield _named(one.target, page, one.target_domain, one.kind == "redirect", sitemap)

    def _page(self, url: str, *names: str) -> PageRecord | None:
        name = ids.of_page(url, covering.domain_of(url))
        return next(self._question().named(PAGES, [name], PageRecord, fields(PageRecord, *names)), None)

    def _covered(self, target: Target | None, wanted: dict[str, int]) -> Iterator[PageRecord]:
        for condition in covering.pages(target) if target else [{}]:
            yield from self._question().find(PAGES, condition, PageRecord, wanted)


def _visited(page: PageRecord) -> Visited:
    return Visited(url=page.url, host=page.host, domain=page.domain, depth=page.depth, outcome=page.outcome)


def _outlink(one: LinkRecord, source: PageRecord, status: int | None) -> Outlink:
    return Outlink(
        target=one.target,
        target_domain=one.target_domain,
        internal=one.internal,
        kind=one.kind,
        anchor=one.anchor,
        rel=list(one.rel),
        follow=one.follow,
        placement=one.shown_placement,
        first_seen=moment(one.first_seen),
        last_seen=moment(confirmed(one, source)),
        lost_at=moment_or_none(one.until),
        lost_reason=one.because,
        target_status=status or None,
    )


def _named(url: str, page: PageRecord, domain: str, redirected: bool, sitemap: bool = False) -> Named:
    depth = page.depth + (not redirected)
    return Named(url=url, host=urls.host_of(url), domain=domain, depth=depth, redirected=redirected, sitemap=sitemap)


def _follows(page: PageRecord) -> bool:
    return "nofollow" not in page.robots and "none" not in page.robots
