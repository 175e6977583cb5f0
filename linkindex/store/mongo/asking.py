"""Asking: a question's reads, with the time that it may take. Values are compared as values, never as operators.

Documents come in the batches that the server sends and are decoded a batch at a time: that costs a fifth of a cursor that
is asked for one after the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

import bson

from linkindex.errors import TimedOut
from linkindex.store.mongo.place import Place
from linkindex.store.mongo.records import Record, Strange

BATCH = 10_000  # documents
_MOST_NAMES = 2_000  # in one request

Item = TypeVar("Item")


class Question:
    """The reads of one question. With ``limit`` seconds of time, each may take what is left of them."""

    def __init__(self, place: Place, strange: Strange, limit: float = 0.0) -> None:
        self._place, self._strange = place, strange
        self._limit, self._ends = limit, time.monotonic() + limit

    def find(
        self,
        collection: str,
        condition: Mapping[str, Any],
        record: type[Record],
        fields: Mapping[str, int] | None = None,
        **how: Any,
    ) -> Iterator[Record]:
        """Stream what fulfils ``condition``; ``how`` is what the driver's find takes: sort, limit, hint, batch_size."""
        how.setdefault("batch_size", BATCH)
        for batch in self._batches("find_raw_batches", _raw, collection, condition, fields, **how):
            yield from self._strange.read(batch, record)

    def named(
        self, collection: str, names: Iterable[bytes], record: type[Record], fields: Mapping[str, int] | None = None
    ) -> Iterator[Record]:
        """Stream the documents that have these names, in no order."""
        for part in parts(names, _MOST_NAMES):
            yield from self.find(collection, {"_id": {"$in": part}}, record, fields)

    def aggregate(self, collection: str, *stages: Mapping[str, Any], **how: Any) -> Iterator[dict[str, Any]]:
        """Stream what a pipeline yields."""
        # Not in raw batches: the driver asks for none of a pipeline's at first, and most of its answers are short.
        how |= {"allowDiskUse": True, "batchSize": BATCH}
        for batch in self._batches("aggregate", _together, collection, list(stages), **how):
            yield from batch

    def united(
        self, collection: str, pipelines: Sequence[Sequence[Mapping[str, Any]]], record: type[Record]
    ) -> Iterator[Record]:
        """Stream what several pipelines yield, one after the other: many small answers to one request."""
        first, *others = pipelines
        united = ({"$unionWith": {"coll": collection, "pipeline": list(other)}} for other in others)
        yield from self._strange.read(self.aggregate(collection, *first, *united), record)

    def number_of(self, collection: str) -> int:
        """Return how many documents there are, roughly."""
        with self._place.errors():
            return self._place.db[collection].estimated_document_count()

    def in_time(self) -> None:
        """Raise :class:`TimedOut` when the question's time is over."""
        if self._limit and time.monotonic() > self._ends:
            raise TimedOut(
                f"index {self._place.name}: the question took longer than {self._limit:g} s; ask for less, or give it "
                "more time"
            )

    def _batches(
        self, call: str, following: Callable[[Any], list[dict[str, Any]]], collection: str, *what: Any, **how: Any
    ) -> Iterator[list[dict[str, Any]]]:
        try:
            with self._place.errors():
                if self._limit:
                    self.in_time()
                    left = max(1, int((self._ends - time.monotonic()) * 1000))
                    how["maxTimeMS" if call == "aggregate" else "max_time_ms"] = left
                cursor = getattr(self._place.db[collection], call)(*what, **how)
            with cursor:
                while True:
                    with self._place.errors():
                        batch = following(cursor)
                    if not batch:
                        return
                    self.in_time()
                    yield batch
        except UnicodeEncodeError:
            return  # BSON holds no lone surrogates: nothing that is stored is like it


def _raw(cursor: Any) -> list[dict[str, Any]]:
    return bson.decode_all(next(cursor, b""))


def _together(cursor: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cursor.to_list(BATCH)
    return found


def parts(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield ``items`` in lists of at most ``size``."""
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part


def any_of(conditions: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the condition that one of ``conditions`` is fulfilled."""
    return conditions[0] if len(conditions) == 1 else {"$or": list(conditions)}
