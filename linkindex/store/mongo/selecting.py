"""The links that a selection is about, each with what its page's last visits said of it.

What a link looks like is asked of the server; what takes its page, its target's hops or its letters' case is judged here, on
the stream.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from linkindex.model import Outcome
from linkindex.store.mongo import covering, ids
from linkindex.store.mongo.asking import Question, any_of, parts
from linkindex.store.mongo.chains import Leads
from linkindex.store.mongo.records import LinkRecord, PageRecord, fields
from linkindex.store.mongo.schema import LINKS, PAGES, PAST
from linkindex.store.selection import Selection

SAYS_NOTHING = (401, 403, 429, 451)  # statuses of pages that are closed to us: they may well be there
_TOGETHER = 5_000  # links whose pages are asked for in one go

_LIGHT = fields(
    LinkRecord,
    *("page", "source", "source_domain", "target", "target_domain", "ordinal", "kind", "anchor", "rel", "follow"),
    *("placement", "site_placement", "first_seen", "began", "confirmed", "until", "because"),
)
_PAGE = fields(PageRecord, "read_at", "outcome", "reason", "status")


Covered = tuple[covering.Condition, frozenset[str] | None]


class Found(NamedTuple):
    """A selected link, and what its page's last visits say of it."""

    link: LinkRecord
    last_seen: int
    doubt: str | None

    @property
    def lost(self) -> bool:
        return self.link.until is not None


class Selected:
    """One selection, asked for in one question: of each link what puts it in order and counts it, or the ``whole``."""

    def __init__(self, question: Question, selection: Selection, *, whole: bool = False) -> None:
        self._question, self._selection = question, selection
        self._fields = None if whole else _LIGHT
        self.leads = Leads(question, selection.as_of)
        self._pages: dict[bytes, PageRecord] = {}
        self._broken: dict[str, bool] = {}

    def links(self) -> Iterator[Found]:
        """Stream the selected links, in no order."""
        yield from self.found(self._chosen(self.covered))

    def leading(self) -> Iterator[Found]:
        """Stream those whose own target is not covered, but leads there."""
        yield from self.found(self._chosen(self._covered_leading))

    def on_pages(self, names: Collection[bytes]) -> Iterator[Found]:
        """Stream those that stand on some pages and whose own target is in the domain that is asked about."""
        covered = {"p": {"$in": list(names)}, "td": covering.whole_domain(self._selection.target)}
        yield from self.found(self._matching(LINKS, covered, None, hint="of_page"))

    def found(self, links: Iterable[LinkRecord]) -> Iterator[Found]:
        """Stream selected links with what their pages say of them."""
        for some in parts(links, _TOGETHER):
            self._learn_pages({link.page for link in some})
            if self._selection.broken:
                self._learn_ends({link.target for link in some})
            for link in some:
                if not self._selection.broken or self._broken[link.target]:
                    yield self._found(link)

    def covered(self, collection: str) -> Iterator[Covered]:
        """Yield conditions on links, any of which holds for those that the target covers or that lead there; with the
        targets that they may have (None: any)."""
        size = ids.LINK_BYTES if collection == LINKS else ids.VERSION_BYTES
        yield from ((condition, None) for condition in covering.links(self._selection.target, size))
        yield from self._covered_leading(collection)

    def _covered_leading(self, collection: str) -> Iterator[Covered]:
        size = ids.LINK_BYTES if collection == LINKS else ids.VERSION_BYTES
        yield from ((condition, self._leading) for condition in covering.links_to(self._leading, size))

    @cached_property
    def _leading(self) -> frozenset[str]:
        return frozenset() if self._selection.as_found else frozenset(self.leads.leading_to(self._selection.target))

    def _chosen(self, covered: Callable[[str], Iterable[Covered]]) -> Iterator[LinkRecord]:
        for collection in (LINKS,) if self._selection.as_of is None else (LINKS, PAST):
            for condition, targets in covered(collection):
                yield from self._matching(collection, condition, targets)

    def _matching(
        self, collection: str, covered: covering.Condition, targets: frozenset[str] | None, **how: Any
    ) -> Iterator[LinkRecord]:
        s = self._selection
        anchor = s.anchor.lower()
        condition = {"$and": [covered, *conditions(s)]}
        for link in self._question.find(collection, condition, LinkRecord, self._fields, **how):
            meant = targets is None or link.target in targets
            if meant and anchor in link.anchor.lower() and (s.as_of is None or link.since <= s.as_of):
                yield link

    def _found(self, link: LinkRecord) -> Found:
        page, as_of = self._pages.get(link.page), self._selection.as_of
        last_seen = confirmed(link, page)
        if as_of is not None:
            link.until = None  # then it was live
            return Found(link, min(last_seen, as_of), None)
        return Found(link, last_seen, None if link.until is not None else doubt(page))

    def _learn_pages(self, names: Iterable[bytes]) -> None:
        new = [name for name in names if name not in self._pages]
        self._pages.update((page.id, page) for page in self._question.named(PAGES, new, PageRecord, _PAGE))

    def _learn_ends(self, targets: Iterable[str]) -> None:
        new = [url for url in targets if url not in self._broken]
        self.leads.look_up(new)
        ends = {url: self.leads.end(url) for url in new}
        names = {end: ids.of_page(end, covering.domain_of(end)) for end in ends.values() if end}
        pages = {page.id: page for page in self._question.named(PAGES, set(names.values()), PageRecord, _PAGE)}
        for url, end in ends.items():
            self._broken[url] = not end or _failed(pages.get(names[end]))


def conditions(s: Selection) -> list[Mapping[str, Any]]:
    """Return what the documents of selected links fulfil, whatever they point at."""
    made: list[Mapping[str, Any]] = []
    if not s.internal:
        made.append({"i": {"$ne": True}})
    if s.as_of is not None:
        made += [{"fs": {"$lte": s.as_of}}, {"$or": [{"u": {"$exists": False}}, {"u": {"$gt": s.as_of}}]}]
    elif s.state != "all":
        made.append({"u": {"$exists": s.state == "lost"}})
    if s.follow is not None:
        made.append({"f": {"$ne": False} if s.follow else False})
    if s.kinds:
        made.append({"k": {"$in": _or_left_out(s.kinds, "text")}})
    if s.placements:
        made.append(
            {
                "$or": [
                    {"sp": {"$in": list(s.placements)}},
                    {"sp": {"$exists": False}, "l": {"$in": _or_left_out(s.placements, "content")}},
                ]
            }
        )
    if s.rel:
        made.append({"r": {"$all": list(s.rel)}})
    if s.source:
        made.append({"sd": s.source})
    return made + _in_time(s)


def _or_left_out(values: tuple[str, ...], default: str) -> list[str | None]:
    return [*values, *([None] if default in values else [])]


def _in_time(s: Selection) -> list[Mapping[str, Any]]:
    bounds = {name: value for name, value in (("$gte", s.since), ("$lt", s.until)) if value is not None}
    if not bounds:
        return []
    return [any_of([{field: bounds} for field in {"live": ("fs",), "lost": ("u",), "all": ("fs", "u")}[s.state]])]


def confirmed(link: LinkRecord, page: PageRecord | None) -> int:
    """Return when a version was last seen on its page."""
    if link.confirmed is not None:
        return link.confirmed
    return max(link.since, (page and page.read_at) or 0)


def doubt(page: PageRecord | None) -> str | None:
    """Return why the last visit could neither confirm nor deny a live link of ``page``, None where it could."""
    if page is None or not page.doubtful:
        return None
    return f"{page.outcome}: {page.reason}" if page.reason else page.outcome


def _failed(page: PageRecord | None) -> bool:
    """Return whether the last visit to a page says that it is not there."""
    if page is None:
        return False
    if page.outcome in (Outcome.GONE, Outcome.UNREACHABLE):
        return True
    return 400 <= page.status < 600 and page.status not in SAYS_NOTHING
