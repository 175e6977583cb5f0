"""The shared link index: a MongoDB database, from a replica set of one member to a sharded cluster.

What is written is in ``planning`` (what visits do) and ``writes`` (one transaction a batch); what is asked goes from
``covering`` (what a target covers) and ``selecting`` (the selected links) to ``links``, ``counting`` and ``changing``;
``pages``, ``sites`` and ``upkeep`` answer the rest; ``compacting`` gives room back. Much linked domains are counted
(``large``, ``pairs``), so that ``referring``, ``anchors`` and ``walking`` answer without a look at each link; ``recency``
finds out when links were seen last. ``records`` holds the documents' fields, ``ids`` their names, ``schema`` the collections,
``migrations`` how an earlier format becomes this one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Self

from linkindex.errors import BadInput, Incompatible
from linkindex.history import Patience
from linkindex.store.mongo import checking, compacting, migrations, schema
from linkindex.store.mongo.place import WAIT, Place
from linkindex.store.mongo.upkeep import Upkeep
from linkindex.store.selection import Check, Compacted


class MongoIndex(Upkeep):
    """:class:`linkindex.store.LinkIndex` on MongoDB. Any number may write and read at once."""

    @classmethod
    def open(
        cls,
        url: str,
        *,
        create: bool = False,
        internal_links: bool = False,
        patience: Patience = Patience(),  # noqa: B008  # frozen
        time_limit: float = 0.0,
        wait: float | None = None,
    ) -> Self:
        place = Place(url, WAIT if wait is None else wait)
        with ExitStack() as undo:
            undo.callback(place.close)
            with place.errors():
                _prepare(place, create)
            undo.pop_all()
        return cls(place, internal_links, patience, time_limit)

    def check(self) -> Iterator[Check]:
        with self._place.errors():
            yield from checking.checks(self._place)

    def compact(self) -> Iterator[Compacted]:
        with self._place.errors():
            yield from compacting.compact(self._place)

    def close(self) -> None:
        self._place.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _prepare(place: Place, create: bool) -> None:
    """See whether the database is an index; make it one where it is empty and ``create`` allows."""
    about = place.db[schema.ABOUT].find_one({"_id": schema.IS})
    if about is None:
        if place.db.list_collection_names(filter={"name": {"$nin": list(schema.COLLECTIONS)}}):
            raise Incompatible(f"index {place.name}: a database, but no linkatlas index; name another in the URL")
        if not create:
            raise BadInput(f"index {place.name}: there is none; make one with: linkatlas crawl https://example.com")
        _see_transactions(place)
        schema.create(place.db)
        about = {"kind": schema.KIND, "version": schema.VERSION}
        place.db[schema.ABOUT].update_one({"_id": schema.IS}, {"$setOnInsert": about}, upsert=True)
        migrations.record(place, schema.VERSION, "made")
    elif about.get("kind") != schema.KIND:
        raise Incompatible(f"index {place.name}: a database, but no linkatlas index; name another in the URL")
    elif about.get("version", 0) > schema.VERSION:
        version = about["version"]
        raise Incompatible(f"index {place.name}: written by a newer linkatlas (format {version}); use that version")
    elif about.get("version", 0) < schema.VERSION:
        migrations.migrate(place, about.get("version", 0))
    elif create:
        schema.create(place.db)


def _see_transactions(place: Place) -> None:
    hello = place.client.admin.command("hello")
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise BadInput(
            f"index {place.name}: the server is no member of a replica set, and writes need transactions; start mongod with "
            "--replSet NAME and call rs.initiate() once"
        )
