"""What pages are about: samples of their term vectors."""

from __future__ import annotations

from collections.abc import Iterator

from linkindex.relevance import DOMAIN_SAMPLE, Rarity, Similarities, few_of_each
from linkindex.store.mongo import ids
from linkindex.store.mongo.records import PageRecord, fields
from linkindex.store.mongo.schema import PAGES
from linkindex.store.mongo.writes import Writes

_QUICK_SAMPLE = 200  # pages that say how rare a word is, in an index that was never classified
_PLACES = 32  # in the index that a sample is from, at least
_GOLDEN = 0.6180339887498949  # its multiples fall evenly between 0 and 1
_TERMS = fields(PageRecord, "domain", "terms")


class Terms(Writes):
    """The part of :class:`linkindex.store.mongo.MongoIndex` that hands out term vectors."""

    _rarity: tuple[bytes | int, Rarity] | None = None  # as it was made last, and from what

    def terms_sample(self, size: int) -> Iterator[tuple[str, bytes]]:
        question = self._question()
        if size <= 0:
            return
        pages = question.number_of(PAGES)
        if pages < 2 * size:
            for page in question.find(PAGES, {"te": {"$exists": True}}, PageRecord, _TERMS):
                yield page.domain, page.terms
            return
        taken: set[bytes] = set()
        places = min(size, max(_PLACES, size // _PLACES))
        for number in range(places):
            for page in self._beside(number / places, number * _GOLDEN % 1, size // places):
                if page.terms and page.id not in taken:
                    taken.add(page.id)
                    yield page.domain, page.terms

    def _beside(self, domain_at: float, page_at: float, count: int) -> Iterator[PageRecord]:
        """Yield pages beside each other, from somewhere in a domain from somewhere in the index."""
        # Names are digests: evenly spaced ones meet domains, and in a domain pages, as if drawn by lot. Pages are taken as
        # they come: where few tell their terms, the next that does may be an index away.
        begin = int(domain_at * (1 << 32)).to_bytes(ids.DOMAIN_BYTES, "big").ljust(ids.PAGE_BYTES, b"\0")
        for first in self._behind(begin, 1):
            domain = first.id[: ids.DOMAIN_BYTES]
            found = list(self._behind(domain + int(page_at * (1 << 64)).to_bytes(8, "big"), count))
            yield from found if found and found[0].id.startswith(domain) else [first]

    def _behind(self, begin: bytes, count: int) -> Iterator[PageRecord]:
        condition = {"_id": {"$gte": begin}}
        return self._question().find(PAGES, condition, PageRecord, _TERMS, sort=[("_id", 1)], limit=count)

    def terms_of(self, domain: str, size: int) -> Iterator[bytes]:
        if size <= 0:
            return
        low, high = ids.beginning(ids.of_domain(domain), ids.PAGE_BYTES)
        condition = {"_id": {"$gte": low, "$lt": high}, "d": domain, "te": {"$exists": True}}
        for page in self._question().find(PAGES, condition, PageRecord, _TERMS, sort=[("_id", 1)], limit=size):
            yield page.terms

    def _similarities(self) -> Similarities:
        counted = self.about("rarity")
        state = (
            counted or self._question().number_of(PAGES).bit_length()
        )  # a sample will do until the index is twice as large
        if self._rarity is None or self._rarity[0] != state:
            sample = () if counted else few_of_each(self.terms_sample(_QUICK_SAMPLE))
            self._rarity = (state, Rarity.from_bytes(counted) if counted else Rarity.of(sample))
        return Similarities(self._rarity[1], lambda domain: self.terms_of(domain, DOMAIN_SAMPLE))
