"""What concerns whole sites: what their pages repeat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from pymongo import UpdateOne

from linkindex import urls
from linkindex.store.mongo import ids
from linkindex.store.mongo.asking import parts
from linkindex.store.mongo.pages import Pages
from linkindex.store.mongo.records import LinkRecord, PageRecord, fields
from linkindex.store.mongo.schema import LINKS, PAGES
from linkindex.store.selection import Repeated, Template

_TOGETHER = 2_000

_ALIKE = fields(
    LinkRecord,
    *("page", "source", "target", "anchor", "placement", "position", "internal", "until"),
    *("template_pages", "site_placement", "site_confidence"),
)
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
            puts = [put for one in some if (put := _put(one, known.get(_alike(one))))]
            if puts:
                with self._place.errors():
                    self._place.db[LINKS].bulk_write(puts, ordered=False)

    def _links_of(self, host: str) -> Iterator[LinkRecord]:
        """Yield the latest versions of the links on the pages of ``host``."""
        low, high = ids.beginning(ids.of_domain(urls.domain_of(host) if host else ""), ids.PAGE_BYTES)
        condition = {"p": {"$gte": low, "$lt": high}}
        for one in self._question().find(LINKS, condition, LinkRecord, _ALIKE, hint="of_page"):
            if urls.host_of(one.source) == host:
                yield one


def _alike(one: LinkRecord) -> _Alike:
    # Whether a link is in the content or nothing is known of its place may hang on the words around it on that page.
    return one.target, one.anchor, "content" if one.placement == "unknown" else one.placement


def _put(one: LinkRecord, template: Template | None) -> UpdateOne | None:
    """Return what brings a link to what the site says of it, None where nothing changes."""
    if template is None or one.internal or one.until is not None:
        word: dict[str, Any] = {}
    else:
        confidence = template.confidence
        word = {
            "tp": template.pages,
            "sp": template.placement,
            "sc": None if confidence is None else round(confidence * 1000),
        }
    before = {"tp": one.template_pages or None, "sp": one.site_placement, "sc": one.site_confidence}
    changed = {name: word.get(name) for name, value in before.items() if value != word.get(name)}
    put = {name: value for name, value in changed.items() if value is not None}
    out = {name: "" for name, value in changed.items() if value is None}
    if not changed:
        return None
    return UpdateOne({"_id": one.id}, ({"$set": put} if put else {}) | ({"$unset": out} if out else {}))
