"""Whether the database has what an index needs to be safe and quick."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pymongo.errors import PyMongoError

from linkindex.store.mongo import schema
from linkindex.store.mongo.place import Place
from linkindex.store.selection import Check

_LEAST = (6, 0)
_MB = 1 << 20


def checks(place: Place) -> Iterator[Check]:
    """Yield what there is and what is missing."""
    server = place.client.server_info()
    yield _version(server["version"])
    hello = place.client.admin.command("hello")
    sharded = hello.get("msg") == "isdbgrid"
    members = len(hello.get("hosts", ()))
    yield Check(
        name="replica set",
        ok=sharded or bool(members),
        found="a sharded cluster" if sharded else f"{hello.get('setName', 'none')}, members: {members}",
        remedy="" if sharded or members else "start mongod with --replSet NAME and call rs.initiate()",
    )
    yield Check(name="write concern", ok=True, found="majority, journaled; asked for by every write")
    yield from _collections(place.db)
    if sharded:
        yield from _shard_keys(place)


def _version(version: str) -> Check:
    numbers = tuple(int(part) for part in version.split(".")[:2])
    ok = numbers >= _LEAST
    return Check(name="server", ok=ok, found=f"MongoDB {version}", remedy="" if ok else "use MongoDB 6.0 or later")


def _collections(db: schema.Db) -> Iterator[Check]:
    for name in schema.COLLECTIONS:
        indexes = db[name].index_information()
        sizes = _sizes(db, name)
        absent = sorted(schema.INDEXES.get(name, {}).keys() - indexes.keys())
        found = f"{sizes['count']} documents, {sizes['storageSize'] / _MB:.1f} MB"
        for index, size in sorted(sizes["indexSizes"].items()):
            found += f"; {index} {size / _MB:.1f} MB"
        remedy = f"the indexes {', '.join(absent)} are missing: any crawl into this index makes them" if absent else ""
        yield Check(name=f"collection {name}", ok=not absent, found=found, remedy=remedy)


def _sizes(db: schema.Db, name: str) -> dict[str, Any]:
    try:
        return db.command("collStats", name)
    except PyMongoError:
        return {"count": "?", "storageSize": 0, "indexSizes": {}}


def _shard_keys(place: Place) -> Iterator[Check]:
    config = place.client.get_database("config")
    for name in schema.SHARDED:
        space = f"{place.db.name}.{name}"
        found = config["collections"].find_one({"_id": space})
        key = dict(found["key"]) if found else None
        ok = key == {"_id": 1}
        remedy = "" if ok else f'in mongosh: sh.shardCollection("{space}", {{ _id: 1 }})'
        yield Check(name=f"shard key of {name}", ok=ok, found=str(key or "not sharded"), remedy=remedy)
