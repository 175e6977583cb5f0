"""The index as a whole: counts, runs, forgetting, and whether it has what it needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

from pymongo.client_session import ClientSession

from linkindex.store.mongo import covering, ids, large
from linkindex.store.mongo.asking import parts
from linkindex.store.mongo.pairs import Changes, sums
from linkindex.store.mongo.records import LinkRecord, PageRecord, doubtful, fields
from linkindex.store.mongo.schema import LEADS, LINKS, PAGES, PAST, RANKS, TALLIES
from linkindex.store.mongo.sites import Sites
from linkindex.store.mongo.writes import state
from linkindex.store.selection import Forgotten, IndexCounts, RunCounts
from linkindex.target import Target

_PAGES = 200  # in a transaction
_NAME = fields(PageRecord, "outcome")


class Upkeep(Sites):
    """The part of :class:`linkindex.store.mongo.MongoIndex` that is about all of it."""

    def counts(self) -> IndexCounts:
        counted = self._tallies()
        outcomes = {name.removeprefix("of_"): number for name, number in counted.items() if name.startswith("of_")}
        domains = self._question().aggregate(PAGES, {"$group": {"_id": "$d"}}, {"$count": "domains"})
        return IndexCounts(
            pages=sum(outcomes.values()),
            domains=next((int(found["domains"]) for found in domains), 0),
            links=counted["live"],
            lost=counted["lost"],
            by_outcome={name: number for name, number in outcomes.items() if number},
            url_rules=(self.about("url_rules") or b"").decode(),
            suffix_list=(self.about("suffix_list") or b"").decode(),
        )

    def grown(self) -> int:
        return self._tallies()["versions"]

    def runs(self) -> Iterator[RunCounts]:
        stages: tuple[dict[str, Any], ...] = (
            {"$match": {"rn": {"$exists": True}}},
            {"$group": {"_id": "$rn", "pages": {"$sum": 1}, "first": {"$min": "$fv"}, "last": {"$max": "$fv"}}},
            {"$sort": {"first": -1, "_id": 1}},
        )
        for found in self._question().aggregate(PAGES, *stages):
            yield RunCounts(run=found["_id"], pages=found["pages"], first=int(found["first"]), last=int(found["last"]))

    def forget(self, target: Target | None = None, run: str = "") -> Forgotten:
        conditions = [*(covering.pages(target) if target else ()), *([{"rn": run}] if run else ())]
        pages, links = 0, 0
        for condition in conditions:
            found = self._unhurried().find(PAGES, condition, PageRecord, _NAME)
            for some in parts((page.id for page in found), _PAGES):
                taken = self._write_all(partial(self._take_out, some))
                pages, links = pages + taken.pages, links + taken.links
        return Forgotten(pages=pages, links=links)

    def _take_out(self, names: list[bytes], session: ClientSession) -> Forgotten:
        db, of_pages = self._place.db, {"p": {"$in": names}}
        counted, pairs = Counter[str](z=1), Changes()
        known = large.known(self._place, session)
        of_page: dict[bytes, list[LinkRecord]] = {}
        for link in db[LINKS].find(of_pages, large.COUNTED, session=session):
            counted[state(bool(link.get("i")), link.get("u"))] -= 1
            for record in self._strange.read([link], LinkRecord) if known else ():
                of_page.setdefault(record.page, []).append(record)
        links = -counted["live"] - counted["lost"] - counted["live_inside"] - counted["lost_inside"]
        for page in db[PAGES].find({"_id": {"$in": names}}, {"o": 1, "d": 1}, session=session):
            outcome = page.get("o", "page")
            counted[f"of_{outcome}"] -= 1
            pairs.page(page.get("d", ""), sums(of_page.get(page["_id"], ()), doubtful(outcome), known), {})
        for collection in (LINKS, PAST):
            counted["versions"] -= db[collection].delete_many(of_pages, session=session).deleted_count
        db[LEADS].delete_many(of_pages, session=session)
        ranking = self._ranking()
        db[RANKS].delete_many({"_id": {"$in": [ids.of_rank(ranking, name) for name in names]}}, session=session)
        pages = db[PAGES].delete_many({"_id": {"$in": names}}, session=session).deleted_count
        self._change(pairs, session)
        self._count(counted, session)
        return Forgotten(pages=pages, links=links)

    def _tallies(self) -> Counter[str]:
        counted: Counter[str] = Counter()
        with self._place.errors():
            for part in self._place.db[TALLIES].find():
                counted.update({name: int(number) for name, number in part.items() if name != "_id"})
        return counted
