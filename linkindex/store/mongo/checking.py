"""Whether the database has what an index needs to be safe and quick."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import msgspec
from pymongo.errors import ExecutionTimeout, OperationFailure, PyMongoError

from linkindex.store import paths
from linkindex.store.mongo import large, schema
from linkindex.store.mongo.place import Place
from linkindex.store.mongo.records import LeadRecord, LinkRecord, PageRecord, PairRecord, Strange, fields, odd_types
from linkindex.store.sampling import DRAWN, packed
from linkindex.store.selection import Check

_LEAST = (6, 0)
_MB = 1 << 20
_ALIVE = (1, 2, 7)  # primary, secondary, arbiter
_SECONDS = 30  # to look through all documents
_DRAWN = 20  # pairs that are counted anew
_RECORDS: dict[str, type[msgspec.Struct]] = {
    schema.LINKS: LinkRecord,
    schema.PAST: LinkRecord,
    schema.PAGES: PageRecord,
    schema.LEADS: LeadRecord,
    schema.PAIRS: PairRecord,
}
_MENDED = "the next visit of their pages writes them anew; what wrote them has the index's password"


def checks(place: Place) -> Iterator[Check]:
    """Yield what there is and what is missing."""
    server = place.client.server_info()
    yield _version(server["version"])
    hello = place.client.admin.command("hello")
    sharded = hello.get("msg") == "isdbgrid"
    if not sharded:
        yield _compatibility(place)
    yield _replica_set(place, hello)
    yield _durability(place, sharded)
    yield from _collections(place.db)
    if sharded:
        yield from _shard_keys(place)
    yield _documents(place)
    yield _counts(place)
    yield packed(_drawn(place))


def _version(version: str) -> Check:
    numbers = tuple(int(part) for part in version.split(".")[:2])
    ok = numbers >= _LEAST
    return Check(name="server", ok=ok, found=f"MongoDB {version}", remedy="" if ok else "use MongoDB 6.0 or later")


def _compatibility(place: Place) -> Check:
    """Return whether the server keeps its files as its own release does: an earlier way refuses clustered collections."""
    name, wanted = "feature compatibility", ".".join(map(str, _LEAST))
    told = _asked(place, {"getParameter": 1, "featureCompatibilityVersion": 1})
    if told is None:
        return Check(name=name, ok=True, found="not told to this user")
    version = str(told["featureCompatibilityVersion"]["version"])
    ok = tuple(map(int, version.split("."))) >= _LEAST
    remedy = "" if ok else f'in mongosh: db.adminCommand({{ setFeatureCompatibilityVersion: "{wanted}" }})'
    return Check(name=name, ok=ok, found=version, remedy=remedy)


def _replica_set(place: Place, hello: Mapping[str, Any]) -> Check:
    if hello.get("msg") == "isdbgrid":
        return Check(name="replica set", ok=True, found="a sharded cluster")
    if "setName" not in hello:
        remedy = "start mongod with --replSet NAME and call rs.initiate()"
        return Check(name="replica set", ok=False, found="none", remedy=remedy)
    status = _asked(place, {"replSetGetStatus": 1})
    found, ok = f"{hello['setName']}, members: {len(hello.get('hosts', ()))}", True
    if status is not None:
        alive = sum(member["state"] in _ALIVE for member in status["members"])
        found, ok = f"{found}, of them at work: {alive}", alive >= status["majorityVoteCount"]
    return Check(name="replica set", ok=ok, found=found, remedy="" if ok else "start the other members: writes wait")


def _durability(place: Place, sharded: bool) -> Check:
    """Return whether what the server acknowledges is in its journal: every write asks for that, by a majority."""
    found, ok = "majority and journaled, asked for by every write", True
    status = None if sharded else _asked(place, {"serverStatus": 1, "metrics": 0, "locks": 0})
    if status is not None:
        engine = status["storageEngine"]
        ok = bool(engine["persistent"])
        found += f"; {engine['name']}, {'on disk' if ok else 'in memory only'}"
    return Check(
        name="write concern", ok=ok, found=found, remedy="" if ok else "use a server that keeps its data on disk"
    )


def _asked(place: Place, command: dict[str, Any]) -> Mapping[str, Any] | None:
    """Return what the server tells of itself, None where this user may not know."""
    try:
        return place.client.admin.command(command)
    except OperationFailure:
        return None


def _documents(place: Place) -> Check:
    """Count what is in the collections and has other types than what was written: no answer shows it. A page that was read
    after its last visit has another time there, and is looked for in a wrong place."""
    name, ends = "documents", time.monotonic() + _SECONDS
    strange: dict[str, int] = {}
    for collection, record in _RECORDS.items():
        left = max(1, round((ends - time.monotonic()) * 1000))
        odd = odd_types(record) + ([{"$lt": ["$lv", "$ra"]}] if record is PageRecord else [])
        counted: list[dict[str, Any]] = [{"$match": {"$expr": {"$or": odd}}}, {"$count": "n"}]
        try:
            found = next(place.db[collection].aggregate(counted, maxTimeMS=left), {"n": 0})
        except ExecutionTimeout:
            told = f"{_told(strange)}; {collection} not looked through in {_SECONDS} s"
            return Check(name=name, ok=not strange, found=told, remedy=_MENDED if strange else "")
        if found["n"]:
            strange[collection] = found["n"]
    return Check(name=name, ok=not strange, found=_told(strange), remedy=_MENDED if strange else "")


def _told(strange: Mapping[str, int]) -> str:
    parts = [f"{number} in {collection}" for collection, number in strange.items()]
    return f"strange ones, which answers leave out: {', '.join(parts)}" if parts else "no strange ones"


def _counts(place: Place) -> Check:
    """Count some pairs of domains anew, drawn by lot."""
    domains = place.db[schema.LARGE].count_documents({"no": {"$exists": False}})
    with place.client.start_session(snapshot=True) as session:
        drawn = list(place.db[schema.PAIRS].aggregate([{"$sample": {"size": _DRAWN}}], session=session))
        pairs = list(Strange().read(drawn, PairRecord))
        wrong = large.wrong(place, Strange(), pairs, session)
    found = f"links to {domains} much linked domains; of {len(pairs)} counted anew, {len(wrong)} differ"
    spoilt = sorted({pair.target_domain for pair in wrong})
    remedy = f"in mongosh, for them to be counted anew: db.large.deleteMany({{ _id: {{ $in: {spoilt} }} }})"
    return Check(name="counts", ok=not wrong, found=found, remedy=remedy if wrong else "")


def _drawn(place: Place) -> Iterator[tuple[str, Callable[[], object]]]:
    drawn = place.db[schema.PAGES].aggregate(
        [{"$sample": {"size": DRAWN}}, {"$project": fields(PageRecord, "url", "inside")}]
    )
    for page in Strange().read(drawn, PageRecord):
        yield page.url, partial(paths.unpack, page.inside, page.url)


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
