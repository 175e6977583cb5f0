"""Storing visits: one transaction a batch. Each visit that counts writes its page, so two writers that meet in a page cannot
both commit: one of them begins anew, and reads what the other wrote. What changes links writes the writer's own tally too:
whoever begins to count a domain (:mod:`linkindex.store.mongo.large`) writes those of all, and meets each there."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, TypeVar

from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError

from linkindex.errors import Unavailable
from linkindex.history import Patience
from linkindex.model import Visit
from linkindex.store.mongo import ids, large
from linkindex.store.mongo.asking import Question, parts
from linkindex.store.mongo.pairs import Changes, Sums, sums
from linkindex.store.mongo.place import Place, transact
from linkindex.store.mongo.planning import Draft
from linkindex.store.mongo.records import LinkRecord, PageRecord, Strange, difference, document
from linkindex.store.mongo.schema import ABOUT, LEADS, LINKS, PAGES, PAIRS, PAST, TALLIES
from linkindex.stored import noted

_NAMES = 2_000  # in one request
_LOOKS = 4_000  # a domain's links are numbered once in so many that are written to it
_TOO_LARGE = (10334, 17419)  # codes of a document that would grow beyond 16 MB

Result = TypeVar("Result")


class Puts(NamedTuple):
    """What is to be written to a collection."""

    new: list[dict[str, Any]]
    known: list[UpdateOne]


class _Overgrown(Exception):
    """What a domain links to another has too many targets to be counted."""

    def __init__(self, target_domain: str) -> None:
        super().__init__(target_domain)
        self.target_domain = target_domain


class Writes:
    """The writing half of :class:`linkindex.store.mongo.MongoIndex`."""

    def __init__(self, place: Place, internal_links: bool, patience: Patience, time_limit: float) -> None:
        self._place = place
        self._internal_links, self._patience, self._time_limit = internal_links, patience, time_limit
        self._strange = Strange()
        self._tally = uuid.uuid4().hex  # counts of this writer alone: nobody else is in its way
        self._registered = False

    def store(self, visits: Iterable[Visit], run: str = "") -> None:
        batch = list(visits)
        if batch:
            self._count_large(self._write_all(lambda session: self._store(batch, run, session)))

    def put_about(self, name: str, value: bytes) -> None:
        with self._place.errors():
            self._place.db[ABOUT].replace_one({"_id": _note(name)}, {"v": value}, upsert=True)

    def about(self, name: str) -> bytes | None:
        with self._place.errors():
            found = self._place.db[ABOUT].find_one({"_id": _note(name)})
        return None if found is None else noted(found["v"])

    def _question(self) -> Question:
        return Question(self._place, self._strange, self._time_limit)

    def _unhurried(self) -> Question:
        """Return what asks for writing: that has no time limit."""
        return Question(self._place, self._strange)

    # ---- one batch

    def _store(self, batch: list[Visit], run: str, session: ClientSession) -> Counter[str]:
        """Return how many new links to other domains there are, by target domain."""
        visits: dict[bytes, list[Visit]] = {}
        for visit in batch:
            visits.setdefault(ids.of_page(visit.url, visit.domain), []).append(visit)
        counted = large.known(self._place, session)
        drafts = self._drafts(visits, run, bool(counted), session)
        pairs = Changes()
        for name, draft in drafts.items():
            before = _sums(draft, counted)
            for visit in visits[name]:
                draft.store(visit, self._patience, self._internal_links)
            if draft.moves:
                pairs.page(draft.page.domain, before, _sums(draft, counted))
        return self._write(list(drafts.values()), pairs, session)

    def _drafts(
        self, visits: dict[bytes, list[Visit]], run: str, counting: bool, session: ClientSession
    ) -> dict[bytes, Draft]:
        stored = {one["_id"]: one for one in self._named(PAGES, "_id", visits, session)}
        drafts = {}
        for name, (first, *_) in visits.items():
            known = stored.get(name)
            page = next(self._strange.read([known], PageRecord), None) if known else None
            if page is None:
                page = PageRecord(id=name, url=first.url, host=first.host, domain=first.domain, run=run)
            drafts[name] = Draft(page, known)
        wanted = [name for name, one in drafts.items() if one.needs_links(visits[name], self._patience, counting)]
        for one in self._named(LINKS, "p", wanted, session):
            draft = drafts[one["p"]]
            draft.before[one["_id"]] = one
            for record in self._strange.read([one], LinkRecord):
                draft.links[record.target, record.ordinal] = record
        return drafts

    def _named(
        self, collection: str, field: str, names: Iterable[bytes], session: ClientSession
    ) -> Iterator[dict[str, Any]]:
        for part in parts(names, _NAMES):
            yield from self._place.db[collection].find({field: {"$in": part}}, session=session, batch_size=10_000)

    def _write(self, drafts: list[Draft], pairs: Changes, session: ClientSession) -> Counter[str]:
        counted: Counter[str] = Counter()
        put: dict[str, Puts] = {name: Puts([], []) for name in (LINKS, PAST, LEADS, PAGES)}
        for draft in drafts:
            _put_links(draft, put[LINKS], counted)
            _put_page(draft, put[PAGES], counted)
            put[PAST].new.extend(map(document, draft.past))
            put[LEADS].new.extend(map(document, draft.led))
        counted["versions"] += len(put[LINKS].new) + len(put[PAST].new)
        counted["z"] += any(draft.moves for draft in drafts)
        for name, puts in put.items():
            if puts.new:
                self._place.db[name].insert_many(puts.new, ordered=False, session=session)
            if puts.known:
                self._place.db[name].bulk_write(puts.known, ordered=False, session=session)
        self._change(pairs, session)
        self._count(counted, session)
        return Counter(one["td"] for one in put[LINKS].new if "td" in one and "i" not in one)

    def _change(self, pairs: Changes, session: ClientSession) -> None:
        """Bring the counts of pairs up to date."""
        updates = list(pairs.updates())
        if updates:
            try:
                self._place.db[PAIRS].bulk_write(updates, ordered=False, session=session)
            except BulkWriteError as error:
                for failed in (error.details or {}).get("writeErrors", ()):
                    if failed.get("code") in _TOO_LARGE:
                        raise _Overgrown(failed["op"]["u"]["$setOnInsert"]["td"]) from error
                raise

    def _count(self, counted: Counter[str], session: ClientSession) -> None:
        changed = {name: number for name, number in counted.items() if number}
        if changed:
            self._place.db[TALLIES].update_one({"_id": self._tally}, {"$inc": changed}, upsert=True, session=session)

    def _write_all(self, work: Callable[[ClientSession], Result]) -> Result:
        """Do ``work``, which changes links, in a transaction."""
        if not self._registered:
            with self._place.errors():
                tallies = self._place.db[TALLIES]
                # First the own tally, then the one that all have: who counts a domain sees the one or meets the other.
                tallies.update_one({"_id": self._tally}, {"$inc": {"z": 1}}, upsert=True)
                tallies.update_one({"_id": "writers"}, {"$inc": {"z": 1}}, upsert=True)
            self._registered = True
        while True:
            try:
                return self._transaction(work)
            except _Overgrown as error:
                self._transaction(partial(large.let_go, self._place, error.target_domain))

    def _count_large(self, written: Counter[str]) -> None:
        """Look at times whether a domain to which links were written has many by now."""
        for domain, number in written.items():
            if number > random.randrange(_LOOKS):  # noqa: S311
                with suppress(Unavailable), self._place.errors():  # what was to be written is; another look will come
                    if large.is_many(self._place, domain):
                        self._transaction(partial(large.count, self._place, self._strange, domain))

    def _transaction(self, work: Callable[[ClientSession], Result]) -> Result:
        """Do ``work`` wholly or not at all."""
        return transact(self._place, work)


def _sums(draft: Draft, counted: frozenset[str]) -> dict[str, Sums]:
    return sums(draft.links.values(), draft.page.doubtful, counted) if counted else {}


def _note(name: str) -> str:
    return f"note:{name}"


def _put_links(draft: Draft, puts: Puts, counted: Counter[str]) -> None:
    """Add what brings the links of a page up to date, and count what it does."""
    for key in draft.touched:
        record = draft.links[key]
        before = draft.before.get(record.id)
        counted[state(record.internal, record.until)] += 1
        if before is None:
            puts.new.append(document(record))
        else:
            counted[state(bool(before.get("i")), before.get("u"))] -= 1
            puts.known.append(UpdateOne({"_id": record.id}, difference(before, record)))


def _put_page(draft: Draft, puts: Puts, counted: Counter[str]) -> None:
    """Add what brings a page up to date, nothing where no visit was newer."""
    if draft.stored is None:
        counted[f"of_{draft.page.outcome}"] += 1
        puts.new.append(document(draft.page))
    elif update := difference(draft.stored, draft.page):
        counted[f"of_{draft.page.outcome}"] += 1
        counted[f"of_{draft.stored.get('o', 'page')}"] -= 1
        puts.known.append(UpdateOne({"_id": draft.page.id}, update))


def state(internal: bool, until: int | None) -> str:
    """Return under which name a link is counted."""
    if internal:
        return "live_inside" if until is None else "lost_inside"
    return "live" if until is None else "lost"
