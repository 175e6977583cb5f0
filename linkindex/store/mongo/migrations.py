"""How an index of an earlier format becomes one of today's: named steps in order.

Each may be cut off anywhere and begun again, by another too: what it has done, it finds done. Nobody may write with an earlier
program meanwhile; that one sees a newer format only when it opens the index.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from pymongo import UpdateOne
from pymongo.errors import OperationFailure

from linkindex.store.mongo import ids, large, schema
from linkindex.store.mongo.asking import parts
from linkindex.store.mongo.pairs import alike
from linkindex.store.mongo.place import Place, transact
from linkindex.store.mongo.records import LinkRecord, Strange

_READ = 50_000  # links that are held at once
_WRITTEN = 1_000  # documents in one request


class Migration(NamedTuple):
    """A step to format ``version`` from the one before it."""

    version: int
    name: str
    step: Callable[[Place], None]


def _count_large(place: Place) -> None:
    _drop(place, schema.PAGES, "of_host")
    schema.create(place.db)
    many: list[dict[str, Any]] = [
        {"$group": {"_id": "$td", "links": {"$sum": 1}}},
        {"$match": {"links": {"$gte": large.MANY}}},
    ]
    for found in place.db[schema.LINKS].aggregate(many, allowDiskUse=True):
        transact(place, partial(large.count, place, Strange(), found["_id"]))


def _count_texts(place: Place) -> None:
    for collection in (schema.PAGES, schema.LEADS):
        _drop(place, collection, "leading_to", "leading_to_domain")
    schema.create(place.db)
    for domain in place.db[schema.LARGE].find({"no": {"$exists": False}}):
        _count_alike(place, Strange(), domain["_id"])


def _count_alike(place: Place, strange: Strange, domain: str) -> None:
    """Count which links to ``domain`` are alike, in pairs of the format that knew only their targets (``t``)."""
    earlier = {"t": {"$exists": True}}
    mine, pairs = {**large.of_domain(domain), **earlier}, place.db[schema.PAIRS]
    if not pairs.find_one(mine, {"_id": 1}):
        return
    counts = _alike(place, strange, domain)
    if max(map(len, counts.values()), default=0) > large.MOST_ALIKE:
        transact(place, partial(large.let_go, place, domain))
        return
    for some in parts(pairs.find(mine, {"_id": 1}), _WRITTEN):
        # Who has come to the end of this before may have gone on to write: what is of today's format stays.
        updates = [
            UpdateOne({"_id": one["_id"], **earlier}, {"$set": {"a": counts.get(one["_id"], {})}, "$unset": {"t": ""}})
            for one in some
        ]
        pairs.bulk_write(updates, ordered=False)


def _alike(place: Place, strange: Strange, domain: str) -> dict[bytes, Counter[str]]:
    """Return how many live links to ``domain`` are alike, by the names of pairs. Not all links are held at once: when it was
    noted as large there were few, and there may be any number by now."""
    counts = defaultdict[bytes, Counter[str]](Counter)
    with place.client.start_session() as session:
        found = place.db[schema.LINKS].find(large.links_to(domain), large.COUNTED, session=session, batch_size=10_000)
        for some in parts(strange.read(found, LinkRecord), _READ):
            doubtful = large.doubtful_of(place, strange, {link.page for link in some}, session)
            for link in some:
                if link.until is None and not link.internal:
                    name = ids.of_pair(domain, link.source_domain)
                    counts[name][alike(link, doubtful=link.page in doubtful)] += 1
    return counts


def _drop(place: Place, collection: str, *indexes: str) -> None:
    for index in indexes:
        with suppress(OperationFailure):  # it is gone
            place.db[collection].drop_index(index)


MIGRATIONS = (
    Migration(2, "links to much linked domains are counted", _count_large),
    Migration(3, "and so are those under one anchor text", _count_texts),
)


def record(place: Place, version: int, name: str) -> None:
    """Note that the index has had a format from now on."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    note = {"$setOnInsert": {"name": name, "at": now}}
    place.db[schema.ABOUT].update_one({"_id": f"format:{version}"}, note, upsert=True)


def migrate(place: Place, version: int) -> None:
    """Bring an index of format ``version`` up to :data:`~linkindex.store.mongo.schema.VERSION`."""
    for migration in MIGRATIONS:
        if version < migration.version:
            migration.step(place)
            record(place, migration.version, migration.name)
            older = {"_id": schema.IS, "version": {"$lt": migration.version}}
            place.db[schema.ABOUT].update_one(older, {"$set": {"version": migration.version}})
