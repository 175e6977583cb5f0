"""Storing visits: one transaction a batch. Each visit that counts writes its page, so two writers that meet in a page cannot
both commit: one of them begins anew, and reads what the other wrote."""

from __future__ import annotations

import random
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any, TypeVar

from pymongo import InsertOne, ReadPreference, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure
from pymongo.read_concern import ReadConcern

from linkindex.history import Patience
from linkindex.model import Visit
from linkindex.store.mongo import ids
from linkindex.store.mongo.asking import Question, parts
from linkindex.store.mongo.place import WRITES, Place
from linkindex.store.mongo.planning import Draft
from linkindex.store.mongo.records import LinkRecord, PageRecord, Strange, difference, document
from linkindex.store.mongo.schema import ABOUT, LEADS, LINKS, PAGES, PAST, TALLIES
from linkindex.stored import noted

_SECONDS = 60  # for a transaction with all its tries; the server gives each as much
_NAMES = 2_000  # in one request

Result = TypeVar("Result")
Put = InsertOne[dict[str, Any]] | UpdateOne


class Writes:
    """The writing half of :class:`linkindex.store.mongo.MongoIndex`."""

    def __init__(self, place: Place, internal_links: bool, patience: Patience, time_limit: float) -> None:
        self._place = place
        self._internal_links, self._patience, self._time_limit = internal_links, patience, time_limit
        self._strange = Strange()
        self._tally = uuid.uuid4().hex  # counts of this writer alone: nobody else is in its way

    def store(self, visits: Iterable[Visit], run: str = "") -> None:
        batch = list(visits)
        if batch:
            self._transaction(lambda session: self._store(batch, run, session))

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

    def _store(self, batch: list[Visit], run: str, session: ClientSession) -> None:
        visits: dict[bytes, list[Visit]] = {}
        for visit in batch:
            visits.setdefault(ids.of_page(visit.url, visit.domain), []).append(visit)
        drafts = self._drafts(visits, run, session)
        for name, draft in drafts.items():
            for visit in visits[name]:
                draft.store(visit, self._patience, self._internal_links)
        self._write(list(drafts.values()), session)

    def _drafts(self, visits: dict[bytes, list[Visit]], run: str, session: ClientSession) -> dict[bytes, Draft]:
        stored = {one["_id"]: one for one in self._named(PAGES, "_id", visits, session)}
        drafts = {}
        for name, (first, *_) in visits.items():
            known = stored.get(name)
            page = next(self._strange.read([known], PageRecord), None) if known else None
            new = PageRecord(id=name, url=first.url, host=first.host, domain=first.domain, run=run)
            drafts[name] = Draft(page or new, known)
        wanted = [name for name, draft in drafts.items() if draft.needs_links(visits[name], self._patience)]
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

    def _write(self, drafts: list[Draft], session: ClientSession) -> None:
        counted: Counter[str] = Counter()
        links = [put for draft in drafts for put in _links(draft, counted)]
        past = [InsertOne(document(record)) for draft in drafts for record in draft.past]
        led = [InsertOne(document(record)) for draft in drafts for record in draft.led]
        pages = [put for draft in drafts for put in _page(draft, counted)]
        counted["versions"] += len(past)
        for collection, puts in ((LINKS, links), (PAST, past), (LEADS, led), (PAGES, pages)):
            if puts:
                self._place.db[collection].bulk_write(puts, ordered=False, session=session)
        self._count(counted, session)

    def _count(self, counted: Counter[str], session: ClientSession) -> None:
        changed = {name: number for name, number in counted.items() if number}
        if changed:
            self._place.db[TALLIES].update_one({"_id": self._tally}, {"$inc": changed}, upsert=True, session=session)

    def _transaction(self, work: Callable[[ClientSession], Result]) -> Result:
        """Do ``work`` wholly or not at all; begin anew while another writer is in the way."""
        ends = time.monotonic() + _SECONDS
        with self._place.errors(), self._place.client.start_session() as session:
            for tried in count():
                try:
                    with session.start_transaction(ReadConcern("snapshot"), WRITES, ReadPreference.PRIMARY):
                        return work(session)
                except OperationFailure as error:
                    if not error.has_error_label("TransientTransactionError") or time.monotonic() > ends:
                        raise
                    time.sleep(random.uniform(0, min(0.5, 0.01 * 2**tried)))  # noqa: S311  # that two do not meet again
        raise AssertionError


def _note(name: str) -> str:
    return f"note:{name}"


def _links(draft: Draft, counted: Counter[str]) -> Iterator[Put]:
    """Yield what brings the links of a page up to date, and count what it does."""
    for key in draft.touched:
        record = draft.links[key]
        before = draft.before.get(record.id)
        counted[state(record.internal, record.until)] += 1
        if before is None:
            counted["versions"] += 1
            yield InsertOne(document(record))
        else:
            counted[state(bool(before.get("i")), before.get("u"))] -= 1
            yield UpdateOne({"_id": record.id}, difference(before, record))


def _page(draft: Draft, counted: Counter[str]) -> Iterator[Put]:
    """Yield what brings a page up to date, nothing where no visit was newer."""
    if draft.stored is None:
        counted[f"of_{draft.page.outcome}"] += 1
        yield InsertOne(document(draft.page))
    elif update := difference(draft.stored, draft.page):
        counted[f"of_{draft.page.outcome}"] += 1
        counted[f"of_{draft.stored.get('o', 'page')}"] -= 1
        yield UpdateOne({"_id": draft.page.id}, update)


def state(internal: bool, until: int | None) -> str:
    """Return under which name a link is counted."""
    return ("live" if until is None else "lost") + ("_inside" if internal else "")
