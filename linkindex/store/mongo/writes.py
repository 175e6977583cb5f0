"""Storing visits: one transaction a batch. Each visit that counts writes its page, so two writers that meet in a page cannot
both commit: one of them begins anew, and reads what the other wrote. What changes links writes the writer's own tally too:
whoever begins to count a domain (:mod:`linkindex.store.mongo.large`) writes those of all, and meets each there."""

from __future__ import annotations

import random
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import count
from typing import Any, TypeVar

from pymongo import InsertOne, ReadPreference, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError, OperationFailure
from pymongo.read_concern import ReadConcern

from linkindex.history import Patience
from linkindex.model import Visit
from linkindex.store.mongo import ids, large
from linkindex.store.mongo.asking import Question, parts
from linkindex.store.mongo.pairs import Changes, Sums, sums
from linkindex.store.mongo.place import WRITES, Place
from linkindex.store.mongo.planning import Draft
from linkindex.store.mongo.records import LinkRecord, PageRecord, Strange, difference, document
from linkindex.store.mongo.schema import ABOUT, LEADS, LINKS, PAGES, PAIRS, PAST, TALLIES

_SECONDS = 60  # for a transaction with all its tries; the server gives each as much
_NAMES = 2_000  # in one request
_LOOKS = 4_000  # a domain's links are numbered once in so many that are written to it
_TOO_LARGE = (10334, 17419)  # codes of a document that would grow beyond 16 MB

Result = TypeVar("Result")
Put = InsertOne[dict[str, Any]] | UpdateOne


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
            self._write_all(lambda session: self._store(batch, run, session))
            self._count_large(batch)

    def put_about(self, name: str, value: bytes) -> None:
        with self._place.errors():
            self._place.db[ABOUT].replace_one({"_id": _note(name)}, {"v": value}, upsert=True)

    def about(self, name: str) -> bytes | None:
        with self._place.errors():
            found = self._place.db[ABOUT].find_one({"_id": _note(name)})
        return None if found is None else bytes(found["v"])

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
        counted = large.known(self._place, session)
        drafts = self._drafts(visits, run, bool(counted), session)
        pairs = Changes()
        for name, draft in drafts.items():
            before = _sums(draft, counted)
            for visit in visits[name]:
                draft.store(visit, self._patience, self._internal_links)
            if draft.moves:
                pairs.page(draft.page.domain, before, _sums(draft, counted))
        self._write(list(drafts.values()), pairs, session)

    def _drafts(
        self, visits: dict[bytes, list[Visit]], run: str, counting: bool, session: ClientSession
    ) -> dict[bytes, Draft]:
        stored = {one["_id"]: one for one in self._named(PAGES, "_id", visits, session)}
        drafts = {}
        for name, (first, *_) in visits.items():
            known = stored.get(name)
            page = next(self._strange.read([known], PageRecord), None) if known else None
            new = PageRecord(id=name, url=first.url, host=first.host, domain=first.domain, run=run)
            drafts[name] = Draft(page or new, known)
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

    def _write(self, drafts: list[Draft], pairs: Changes, session: ClientSession) -> None:
        counted: Counter[str] = Counter()
        links = [put for draft in drafts for put in _links(draft, counted)]
        past = [InsertOne(document(record)) for draft in drafts for record in draft.past]
        led = [InsertOne(document(record)) for draft in drafts for record in draft.led]
        pages = [put for draft in drafts for put in _page(draft, counted)]
        counted["versions"] += len(past)
        counted["z"] += any(draft.moves for draft in drafts)
        for collection, puts in ((LINKS, links), (PAST, past), (LEADS, led), (PAGES, pages)):
            if puts:
                self._place.db[collection].bulk_write(puts, ordered=False, session=session)
        self._change(pairs, session)
        self._count(counted, session)

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

    def _count_large(self, batch: list[Visit]) -> None:
        """Look at times whether a domain that was linked has many links by now."""
        written = Counter(link.target_domain for visit in batch for link in visit.links if not link.internal)
        for domain, number in written.items():
            if number > random.randrange(_LOOKS):  # noqa: S311
                with self._place.errors():
                    many = large.is_many(self._place, domain)
                if many:
                    self._transaction(partial(large.count, self._place, self._strange, domain))

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


def _sums(draft: Draft, counted: frozenset[str]) -> dict[str, Sums]:
    return sums(draft.links.values(), draft.page.doubtful, counted) if counted else {}


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
