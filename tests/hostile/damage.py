"""Damage to stored state: a value becomes another type, a pickle, an old version, or itself with a bit flipped."""

from __future__ import annotations

import datetime
import pickle
import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from bson import Code, Decimal128, MinKey, ObjectId, Regex
from bson.errors import InvalidDocument
from pymongo.errors import PyMongoError

MARKER = Path("/tmp") / "linkatlas-pickle-was-run"  # noqa: S108  # nobody may make it


class Exploit:
    """What somebody would put where a pickle is read."""

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return (Path.touch, (MARKER,))


PICKLE = pickle.dumps(Exploit())  # noqa: S301
STRANGE: list[Any] = [
    None, -1, 0, 1, 7, 2**31, 2**62, -(2**63), 1e308, -0.5, "", "x", "not a number", "https://elsewhere.example/", "[]", "{}",
    "null", '{"format":0}', "\x1b[2J\u202e", "a" * 10_000, b"", b"\x00", b"\xff\xfe", b"\x80", b"\xc0", b"\x93\x01\x02\x03",
    b"[]", b"{}", b'{"verdict":5}', b"\x82\xa7verdict\x05", PICKLE, PICKLE.decode("latin-1"),
]  # fmt: skip


# What other programs would put where linkatlas puts text, numbers and bytes.
FOREIGN: list[Any] = [
    {}, {"$gt": ""}, {"a": {"b": [1]}}, [], [PICKLE], [None, {"x": 1}], True, float("nan"), float("inf"), Regex("a"),
    ObjectId(), datetime.datetime(2031, 1, 1, tzinfo=datetime.UTC), Decimal128("1.5"), MinKey(), Code("function(){}"),
]  # fmt: skip


def strange(dice: random.Random, value: Any) -> Any:
    """Return something else in place of a stored value."""
    if value is not None and dice.random() < 0.5:
        return flipped(dice, value)
    return dice.choice(STRANGE)


def flipped(dice: random.Random, value: Any) -> Any:
    """Return a value with one bit the other way."""
    if isinstance(value, bool | float | list | dict):
        return dice.choice(STRANGE) if isinstance(value, list | dict) else -value
    if isinstance(value, int):
        return value ^ (1 << dice.randrange(62))
    raw = bytearray(value.encode() if isinstance(value, str) else value)
    if not raw:
        return b"\x00"
    raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
    return raw.decode("utf-8", "replace") if isinstance(value, str) else bytes(raw)


def damage_sqlite(path: Path, dice: random.Random) -> str:
    """Damage one value of a database; return which."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.text_factory = lambda raw: raw.decode("utf-8", "replace")
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        while True:
            table = dice.choice(tables)
            columns = [f'"{row[1]}"' for row in db.execute(f"PRAGMA table_info({table})")]
            column = dice.choice(columns)
            rows = db.execute(f"SELECT {column}, * FROM {table}").fetchall()
            if not rows:
                continue
            row = dice.choice(rows)
            where = " AND ".join(f"{name} IS ?" for name in columns)
            try:
                value = strange(dice, row[0])
                db.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (value, *row[1:]))
            except (sqlite3.Error, OverflowError):  # the schema does not take it
                continue
            return f"{table}.{column} = {value!r:.80}"


def damage_redis(client: Any, dice: random.Random) -> str:
    """Damage one value of a Redis, or the type of one key; return which."""
    keys = sorted(client.keys("*"))
    key = dice.choice(keys)
    kind = client.type(key).decode()
    value = PICKLE if dice.random() < 0.3 else None
    if dice.random() < 0.1:
        client.delete(key)
        _put_another_type(client, key, dice)
        return f"{key!r} is of another type"
    if kind == "hash":
        field, old = dice.choice(sorted(client.hgetall(key).items()))
        if field in (b"epoch", b"format", b"shards"):  # who changes these has emptied the job, which is another test
            return "nothing"
        client.hset(key, field, value or _bytes(strange(dice, old)))
        return f"{key!r} {field!r}"
    if kind == "list":
        at = dice.randrange(client.llen(key))
        client.lset(key, at, value or _bytes(strange(dice, client.lindex(key, at))))
    elif kind == "set":
        member = dice.choice(sorted(client.smembers(key)))
        client.srem(key, member)
        client.sadd(key, value or flipped(dice, member))
    elif kind == "zset":
        member, score = dice.choice(sorted(client.zrange(key, 0, -1, withscores=True)))
        client.zrem(key, member)
        client.zadd(key, {value or flipped(dice, member): score * dice.choice([1, -1, 1e9])})
    elif kind == "string":
        client.set(key, value or _bytes(strange(dice, client.get(key))))
    return f"{key!r} ({kind})"


def damage_mongo(db: Any, dice: random.Random) -> str:
    """Damage one field of a document, or its name, or take it away; return which."""
    while True:
        collection = db[dice.choice(sorted(db.list_collection_names()))]
        documents = sorted(collection.find(), key=repr)
        if not documents:
            continue
        document = dice.choice(documents)
        field = dice.choice(sorted(document))
        before = document.pop(field) if dice.random() < 0.1 else document[field]
        if field in document:
            document[field] = dice.choice(FOREIGN) if dice.random() < 0.3 else strange(dice, before)
        try:
            if document.get("_id") == before or field != "_id":
                collection.replace_one({"_id": document["_id"]}, document)
            else:
                collection.delete_one({"_id": before})
                collection.insert_one(document)
        except (PyMongoError, InvalidDocument, OverflowError, TypeError, UnicodeError):  # the server does not take it
            continue
        return f"{collection.name}.{field} = {document.get(field)!r:.80}"


def _put_another_type(client: Any, key: bytes, dice: random.Random) -> None:
    match dice.randrange(5):
        case 0:
            client.set(key, PICKLE)
        case 1:
            client.rpush(key, "x", PICKLE)
        case 2:
            client.sadd(key, b"\xff")
        case 3:
            client.zadd(key, {b"\x80": 1.5})
        case _:
            client.hset(key, "x", PICKLE)


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
