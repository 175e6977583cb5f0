"""How an index of an earlier format becomes one of today's: named steps in order.

Each may be cut off anywhere and begun again, by another too: what it has done, it finds done. Nobody may write with an earlier
program meanwhile; that one sees a newer format only when it opens the index.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from pymongo.errors import OperationFailure

from linkindex.store.mongo import large, schema
from linkindex.store.mongo.place import Place, transact
from linkindex.store.mongo.records import Strange


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
        large.count_alike(place, Strange(), domain["_id"])


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
