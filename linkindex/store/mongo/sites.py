"""What concerns whole sites: what their pages repeat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

import msgspec
from pymongo import UpdateOne
from pymongo.client_session import ClientSession

from linkindex import urls
from linkindex.store.mongo import covering, ids, large
from linkindex.store.mongo.asking import parts
from linkindex.store.mongo.pages import Pages
from linkindex.store.mongo.pairs import Changes, sums
from linkindex.store.mongo.records import SHORT, LinkRecord, PageRecord, fields
from linkindex.store.mongo.schema import LINKS, PAGES
from linkindex.store.selection import Repeated, Template

_TOGETHER = 2_000

_SITES = ("template_pages", "site_placement", "site_confidence")
_WORD = {name: SHORT[LinkRecord][name] for name in _SITES}
_ALIKE = fields(
    LinkRecord,
    *("page", "source", "target", "anchor", "placement", "position", "internal", "until"),
    *_SITES,
)
_WHOLE = _ALIKE | large.COUNTED
_COUNTS = fields(PageRecord, "external_links", "internal_links")

_Alike = tuple[str, str, str]


class _Same(msgspec.Struct):
    """Links that are alike."""

    pages: set[bytes]
    place: float = 0.0  # the sum of all
    links: int = 0


class Sites(Pages):
    """The part of :class:`linkindex.store.mongo.MongoIndex` that looks at whole sites."""

    def hosts(self) -> Iterator[tuple[str, int]]:
        stages = ({"$match": {"ra": {"$exists": True}}}, {"$group": {"_id": "$h", "pages": {"$sum": 1}}})
        # Grouped by the server before the first comes: what is written meanwhile does not disturb.
        for found in self._question().aggregate(PAGES, *stages):
            yield str(found["_id"]), int(found["pages"])

    def repeated(self, host: str, least: int) -> Iterator[Repeated]:
        question, alike = self._question(), dict[_Alike, _Same]()
        for some in parts(self._links_of(host), _TOGETHER):
            names = {one.page for one in some}
            pages = {page.id: page for page in question.named(PAGES, names, PageRecord, _COUNTS)}
            for one in some:
                page = pages.get(one.page)
                if page is None or one.internal or one.until is not None:
                    continue
                same = alike.setdefault(_alike(one), _Same(set()))
                same.pages.add(one.page)
                same.links += 1
                same.place += one.position / max(1, page.external_links + page.internal_links - 1)
        for (target, anchor, placement), same in alike.items():
            if len(same.pages) >= least:
                pages_with, place = len(same.pages), same.place / same.links
                yield Repeated(target=target, anchor=anchor, placement=placement, pages=pages_with, place=place)

    def put_templates(self, host: str, templates: Iterable[Template]) -> None:
        known = {(one.target, one.anchor, one.placement_found): one for one in templates}
        for some in parts(self._links_of(host), _TOGETHER):
            pages = {one.page for one in some if _put(one, known.get(_alike(one)))}
            if pages:
                self._write_all(partial(self._put_words, list(pages), known))

    def _put_words(self, pages: list[bytes], known: Mapping[_Alike, Template], session: ClientSession) -> None:
        """Bring the links of some pages to what their site says of them, as they are now."""
        counted, pairs, puts = large.known(self._place, session), Changes(), list[UpdateOne]()
        found = self._place.db[LINKS].find({"p": {"$in": pages}}, _WHOLE, session=session)
        for one in self._strange.read(found, LinkRecord):
            template = known.get(_alike(one))
            if (put := _put(one, template)) is not None:
                puts.append(put)
                before, after = sums([one], False, counted), sums([_said(one, template)], False, counted)
                pairs.page(one.source_domain, before, after)
        if puts:
            self._place.db[LINKS].bulk_write(puts, ordered=False, session=session)
            self._change(pairs, session)
            self._count(Counter(z=1), session)

    def _links_of(self, host: str) -> Iterator[LinkRecord]:
        """Yield the latest versions of the links on the pages of ``host``."""
        low, high = ids.beginning(ids.of_domain(urls.domain_of(host) if host else ""), ids.PAGE_BYTES)
        condition = {"p": {"$gte": low, "$lt": high}, "$or": [{"s": on} for on in covering.on_host(host)]}
        return self._question().find(LINKS, condition, LinkRecord, _ALIKE, hint="of_page")


def _alike(one: LinkRecord) -> _Alike:
    # Whether a link is in the content or nothing is known of its place may hang on the words around it on that page.
    return one.target, one.anchor, "content" if one.placement == "unknown" else one.placement


def _said(one: LinkRecord, template: Template | None) -> LinkRecord:
    """Return a link as the site says that it is."""
    if template is None or one.internal or one.until is not None:
        return msgspec.structs.replace(one, template_pages=0, site_placement=None, site_confidence=None)
    return msgspec.structs.replace(
        one,
        template_pages=template.pages,
        site_placement=template.placement,
        site_confidence=None if template.confidence is None else round(template.confidence * 1000),
    )


def _put(one: LinkRecord, template: Template | None) -> UpdateOne | None:
    """Return what brings a link to what the site says of it, None where nothing changes."""
    said = _said(one, template)
    changed = {short: after for name, short in _WORD.items() if (after := getattr(said, name)) != getattr(one, name)}
    put = {short: value for short, value in changed.items() if value is not None and (short, value) != ("tp", 0)}
    out = dict.fromkeys(changed.keys() - put.keys(), "")
    if not changed:
        return None
    return UpdateOne({"_id": one.id}, ({"$set": put} if put else {}) | ({"$unset": out} if out else {}))
