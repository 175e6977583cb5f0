"""Ranks of pages and domains. A ranking is written beside the one that holds, which it replaces at once when it is whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from linkindex.store.mongo import covering, ids
from linkindex.store.mongo.asking import Question, parts
from linkindex.store.mongo.records import PageRecord, RankRecord, fields
from linkindex.store.mongo.schema import ABOUT, PAGES, RANKS
from linkindex.store.mongo.selecting import Found
from linkindex.store.mongo.terms import Terms

_TOGETHER = 5_000
_HOLDS = "ranking"  # the note with the number of the ranking that holds
_NAME = fields(PageRecord, "url")


class Ranks:
    """The ranks that a question meets."""

    def __init__(self, question: Question, ranking: int) -> None:
        self._question, self._ranking = question, ranking
        self._known: dict[bytes, float | None] = {}

    @property
    def known(self) -> bool:
        """Whether there is a ranking."""
        return bool(self._ranking)

    def learn(self, found: Iterable[Found]) -> None:
        """Look up the ranks of the pages and domains that these links are on."""
        self._learn({name for one in found for name in (one.link.page, ids.of_ranked(one.link.source_domain))})

    def learn_domains(self, domains: Iterable[str]) -> None:
        """Look up the ranks of these domains."""
        self._learn({ids.of_ranked(domain) for domain in domains})

    def of_pages(self, domains: Iterable[str]) -> Iterator[tuple[bytes, float]]:
        """Yield the names of the ranked pages of some domains, with their ranks; maybe of a few others."""
        for domain in domains:
            of_domain = ids.of_rank(self._ranking, ids.of_domain(domain))
            low, high = ids.beginning(of_domain, ids.RANKING_BYTES + ids.PAGE_BYTES)
            for record in self._question.find(RANKS, {"_id": {"$gte": low, "$lt": high}}, RankRecord):
                yield record.id[ids.RANKING_BYTES :], record.rank

    def _learn(self, names: set[bytes]) -> None:
        if not self._ranking:
            return
        new = names - self._known.keys()
        self._known.update(dict.fromkeys(new))
        wanted = [ids.of_rank(self._ranking, name) for name in new]
        for record in self._question.named(RANKS, wanted, RankRecord):
            self._known[record.id[ids.RANKING_BYTES :]] = record.rank

    def learning(self, found: Iterable[Found]) -> Iterator[Found]:
        """Yield ``found`` with ranks looked up."""
        for some in parts(found, _TOGETHER):
            self.learn(some)
            yield from some

    def of(self, found: Found) -> tuple[float, float]:
        """Return the ranks of the domain and of the page that a link is on, 0 where there is none."""
        return self.of_domain(found.link.source_domain) or 0.0, self.of_page(found.link.page) or 0.0

    def of_page(self, name: bytes) -> float | None:
        return self._known.get(name)

    def of_domain(self, domain: str) -> float | None:
        return self._known.get(ids.of_ranked(domain))


class Ranked(Terms):
    """The part of :class:`linkindex.store.mongo.MongoIndex` that keeps ranks."""

    def put_ranks(self, pages: Iterable[tuple[str, float]], domains: Iterable[tuple[str, float]]) -> None:
        before = self._ranking()
        number = before + 1
        with self._place.errors():
            table = self._place.db[RANKS]
            table.delete_many({"_id": {"$gte": ids.of_rank(number, bytes(ids.PAGE_BYTES))}})  # of one who was cut off
            for some in parts(pages, _TOGETHER):
                named = {ids.of_page(url, covering.domain_of(url)): rank for url, rank in some}
                known = self._unhurried().named(PAGES, named, PageRecord, _NAME)
                self._put(number, {page.id: named[page.id] for page in known})
            for several in parts(domains, _TOGETHER):
                ranks = dict(several)
                self._put(number, {ids.of_ranked(domain): ranks[domain] for domain in self._with_pages(ranks)})
            self._place.db[ABOUT].replace_one({"_id": _HOLDS}, {"n": number}, upsert=True)
            table.delete_many({"_id": {"$lt": ids.of_rank(number, bytes(ids.PAGE_BYTES))}})

    def _with_pages(self, domains: Iterable[str]) -> Iterator[str]:
        """Yield those of some domains of which a page was visited."""
        first = ({"$sort": {"d": 1, "lv": -1}}, {"$group": {"_id": "$d", "lv": {"$first": "$lv"}}})  # one look each
        for found in self._unhurried().aggregate(PAGES, {"$match": {"d": {"$in": list(domains)}}}, *first):
            yield found["_id"]

    def _put(self, number: int, ranks: dict[bytes, float]) -> None:
        if ranks:
            made = [{"_id": ids.of_rank(number, name), "r": float(rank)} for name, rank in ranks.items()]
            self._place.db[RANKS].insert_many(made, ordered=False)

    def _ranks(self, question: Question) -> Ranks:
        return Ranks(question, self._ranking())

    def _ranking(self) -> int:
        with self._place.errors():
            found = self._place.db[ABOUT].find_one({"_id": _HOLDS})
        return int(found["n"]) if found else 0
