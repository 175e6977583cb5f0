"""Under which texts a large domain is linked, without a look at each link.

Pairs say how many links there are under each text, by the text's digest. What it reads like, and when its links were seen first
and last, is asked of few links: those of pairs whose bounds leave room for an earlier or a later one.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import field

from linkindex.store.mongo import ids, large, pairs
from linkindex.store.mongo.asking import Question, parts
from linkindex.store.mongo.recency import Recency, Visited
from linkindex.store.mongo.records import LinkRecord, PairRecord, fields
from linkindex.store.mongo.schema import LINKS
from linkindex.store.mongo.selecting import Found, Selected, conditions
from linkindex.store.selection import Group, Selection

MOST = 1_000
"""Texts that are looked at: with more, reading all links is quicker."""

_AT_ONCE = 100  # pairs and targets, in one request
_LOOKS = (1, 8, 64, 512)  # pages of a domain that are looked at for a link under a text
_NEVER = 1 << 62
_SEEN = fields(LinkRecord, "page", "anchor", "first_seen", "began", "confirmed")


class _Links(NamedTuple):
    """Those of a pair that have target and text in common."""

    pair: PairRecord
    target: str
    number: int

    def are_met(self, pages: int) -> bool:
        """Return whether one of them is likely to be met on so many pages, for less than it costs to read all."""
        return self.number >= pages * large.A_PAGE and self.number * pages >= self.pair.pages

    @property
    def place(self) -> tuple[bytes, str]:
        """Where they are, with those of other texts."""
        return self.pair.id, self.target


class _Text(msgspec.Struct):
    """A text that is among the most used: ``name`` is its digest."""

    name: str
    text: str | None = None  # as it reads
    links: int = 0
    follow: int = 0
    ugc: int = 0
    sponsored: int = 0
    doubtful: int = 0
    domains: set[str] = field(default_factory=set)
    places: dict[tuple[bytes, str], _Links] = field(default_factory=dict)
    first_seen: int = _NEVER
    last_seen: int = 0

    def add(self, pair: PairRecord, alike: str, number: int) -> None:
        what = pairs.told(alike)
        known = self.places.get((pair.id, what.target))
        self.places[pair.id, what.target] = _Links(pair, what.target, number + (known.number if known else 0))
        self.links += number
        self.follow += number * what.follow
        self.ugc += number * what.ugc
        self.sponsored += number * what.sponsored
        self.doubtful += number * what.doubtful
        self.domains.add(pair.source_domain)

    def add_one(self, found: Found) -> None:
        """Add a link that is in no pair."""
        link = found.link
        self.text = link.anchor
        self.links += 1
        self.follow += link.follow
        self.ugc += "ugc" in link.rel
        self.sponsored += "sponsored" in link.rel
        self.doubtful += found.doubt is not None
        self.domains.add(link.source_domain)
        self.first_seen = min(self.first_seen, link.first_seen)
        self.last_seen = max(self.last_seen, found.last_seen)

    def group(self) -> Group:
        return Group(
            key=self.text or "",
            links=self.links,
            sources=None,
            domains=len(self.domains),
            targets=None,
            follow=self.follow,
            ugc=self.ugc,
            sponsored=self.sponsored,
            doubtful=self.doubtful,
            first_seen=self.first_seen,
            last_seen=self.last_seen,
        )


class _Looked(msgspec.Struct):
    """What links of one text in one place say."""

    at: int  # which place of those that were asked for
    first_seen: int = field(name="fs")
    text: str | None = field(name="_id", default=None)  # None: it is left out, being empty


_Of = tuple[_Text, _Links]


def knows(selection: Selection) -> bool:
    """Return whether pairs tell which texts the selected links have."""
    plain = Selection(target=selection.target, as_found=selection.as_found)
    marked = msgspec.structs.replace(plain, follow=selection.follow, rel=selection.rel, source=selection.source)
    return selection == marked and pairs.RELS.issuperset(selection.rel)


class Anchors:
    """The ``live`` links to the large domain ``domain`` by their texts; ``others`` lead there, and are in no pair."""

    def __init__(
        self, question: Question, selection: Selection, domain: str, live: Selected, others: Sequence[Found]
    ) -> None:
        self._question, self._domain, self._live, self._others = question, domain, live, others
        self._conditions = {"$and": conditions(selection)}
        self._marks = pairs.marks(follow=selection.follow, rel=selection.rel)
        self._recency = Recency(question, live)
        self._looks: dict[tuple[bytes, str], dict[str, _Looked]] = {}
        self._pages: dict[str, tuple[Visited, dict[str, int]]] = {}  # by domain: its last, when each text was on them

    def largest(self, counted: Sequence[PairRecord], limit: int) -> list[Group] | None:
        """Return the ``limit`` texts with the most links, None where all links have to be read for that."""
        texts = self._most_used(counted, limit)
        if texts is None:
            return None
        self._see_first(texts)
        if not self._read(texts):
            return None
        chosen = heapq.nsmallest(limit, texts, key=lambda one: (-one.links, one.text))
        self._see_last(chosen)
        if not all(one.last_seen for one in chosen):  # a writer took them away meanwhile
            return None
        return [one.group() for one in chosen]

    def _most_used(self, counted: Sequence[PairRecord], limit: int) -> list[_Text] | None:
        """Return the most used texts, and those that are used as often as the last of them; None: too many."""
        numbers = defaultdict[str, int](int)
        for one in self._others:
            numbers[ids.of_text(one.link.anchor)] += 1
        marks, text_of = self._marks, pairs.TEXT  # half a million turns
        for pair in counted:
            for alike, number in pair.alike.items():
                if alike[-1] in marks:
                    numbers[alike[text_of]] += number
        least = max(1, min(heapq.nlargest(limit, numbers.values()), default=1))
        texts = {name: _Text(name) for name, number in numbers.items() if number >= least}
        if len(texts) > MOST:
            return None
        for pair in counted:
            for alike, number in pair.alike.items():
                if (text := texts.get(alike[text_of])) and number > 0 and alike[-1] in marks:
                    text.add(pair, alike, number)
        for one in self._others:
            if text := texts.get(ids.of_text(one.link.anchor)):
                text.add_one(one)
        return list(texts.values())

    # ---- what they read like

    def _read(self, texts: Sequence[_Text]) -> bool:
        """Find out what the texts read like that no look has told yet; return whether links say so of all."""
        unread = [(text, min(text.places.values(), key=_number)) for text in texts if text.text is None]
        for text, looked in self._looked_at(unread):
            text.text = looked.text or ""
        return all(text.text is not None for text in texts)  # else some are damaged: none of them is to be read

    def _looked_at(self, wanted: Sequence[_Of]) -> Iterator[tuple[_Text, _Looked]]:
        self._look_at([links for _, links in wanted])
        for text, links in wanted:
            if looked := self._looks[links.place].get(text.name):
                yield text, looked

    def _look_at(self, wanted: Iterable[_Links]) -> None:
        """Look at all links in some places, whatever their text."""
        new = {links.place: links for links in wanted if links.place not in self._looks}
        for some in parts(new.values(), _AT_ONCE):
            pipelines = [
                [{"$match": self._in(links)}, {"$group": {"_id": "$a", "fs": {"$min": "$fs"}}}, {"$set": {"at": at}}]
                for at, links in enumerate(some)
            ]
            for links in some:
                self._looks[links.place] = {}
            for looked in self._question.united(LINKS, pipelines, _Looked):
                self._looks[some[looked.at].place][ids.of_text(looked.text or "")] = looked

    def _in(self, links: _Links) -> dict[str, Any]:
        """Return the condition on live links to a target that are on pages of one domain."""
        domain = links.pair.source_domain
        low, high = ids.of_one_target(self._domain, links.target, domain)
        return {"_id": {"$gte": low, "$lt": high}, "td": self._domain, "sd": domain} | self._conditions

    # ---- when they were seen

    def _see_first(self, texts: Sequence[_Text]) -> None:
        """A pair knows when its first link was seen, or a time before that."""
        bounds = {
            text.name: sorted(((links.pair.first_seen, links) for links in text.places.values()), key=_bound)
            for text in texts
        }
        best = {text.name: text.first_seen for text in texts}
        _least(texts, bounds, best, self._first_of)
        for text in texts:
            text.first_seen = best[text.name]

    def _first_of(self, asked: Sequence[_Of]) -> Iterator[tuple[str, int]]:
        others = []
        for text, links in asked:
            if len(links.pair.alike) == 1 and not links.pair.outlived:  # what the pair says is said of them
                yield text.name, links.pair.first_seen
            else:
                others.append((text, links))
        for text, looked in self._looked_at(others):
            text.text = looked.text or ""
            yield text.name, looked.first_seen

    def _see_last(self, texts: Sequence[_Text]) -> None:
        """No link was seen later than the last visit to its domain."""
        domains = {links.pair.source_domain for text in texts for links in text.places.values()}
        visits = self._recency.visits(domains)
        bounds = {
            text.name: sorted(
                ((-visits.get(links.pair.source_domain, _NEVER), links) for links in text.places.values()), key=_bound
            )
            for text in texts
        }
        best = {text.name: -text.last_seen for text in texts}
        # Those of a site's template were most likely seen with its last page; what can be later is asked in one go then.
        likely = ((text, next((links for _, links in bounds[text.name] if links.are_met(1)), None)) for text in texts)
        for name, number in self._last_of([(text, links) for text, links in likely if links]):
            best[name] = min(best[name], number)
        _least(texts, bounds, best, self._last_of)
        for text in texts:
            text.last_seen = -best[text.name]

    def _last_of(self, asked: Sequence[_Of]) -> Iterator[tuple[str, int]]:
        """Yield minus the time when links were seen last: many are soon met on the pages that were visited last, few are
        read."""
        left = list(asked)
        for most in _LOOKS:
            likely = [(text, links) for text, links in left if links.are_met(most)]
            left = [(text, links) for text, links in left if not links.are_met(most)]
            self._look_at_pages({links.pair.source_domain for _, links in likely}, most)
            for text, links in likely:
                pages, of_texts = self._pages[links.pair.source_domain]
                seen = of_texts.get(text.name)  # on none of all pages where its own is damaged
                if seen is not None and (len(pages) < most or seen >= pages[-1][1]):
                    yield text.name, -seen
                else:
                    left.append((text, links))
        for some in parts(left, _AT_ONCE):
            pipelines = [
                [{"$match": self._in(links) | {"a": text.text or None}}, {"$project": _SEEN}] for text, links in some
            ]
            for found in self._live.found(self._question.united(LINKS, pipelines, LinkRecord)):
                yield ids.of_text(found.link.anchor), -found.last_seen

    def _look_at_pages(self, domains: Iterable[str], most: int) -> None:
        """Look at the last ``most`` pages of each domain."""
        known = self._pages
        new = [domain for domain in domains if domain not in known or len(known[domain][0]) < most]
        if not new:
            return
        latest = self._recency.pages_of_each(new, most)
        known.update({domain: (pages, {}) for domain, pages in latest.items()})
        for found in self._recency.on_pages(name for pages in latest.values() for name, _ in pages):
            seen, text = known[found.link.source_domain][1], ids.of_text(found.link.anchor)
            seen[text] = max(seen.get(text, 0), found.last_seen)


def _least(
    texts: Sequence[_Text],
    bounds: Mapping[str, Sequence[tuple[int, _Links]]],
    best: dict[str, int],
    ask: Callable[[Sequence[_Of]], Iterable[tuple[str, int]]],
) -> None:
    """Lower the ``best`` number of each text to the least that ``ask`` tells of its links. ``bounds`` are in order: what can
    not be lower than what is known is not asked."""
    at, step = 0, 1
    while asked := [
        (text, links) for text in texts for bound, links in bounds[text.name][at : at + step] if bound < best[text.name]
    ]:
        for name, number in ask(asked):
            best[name] = min(best[name], number)
        at, step = at + step, 2 * step


def _bound(bounded: tuple[int, _Links]) -> int:
    return bounded[0]


def _number(links: _Links) -> int:
    return links.number
