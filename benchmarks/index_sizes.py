"""Where the bytes of an index are, by table or collection and by index."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.index_raw import same_collection

CONTEXT = ("text_before", "text_after", "heading")  # of links, where a table keeps them in columns of those names
MONGO_CONTEXT = ("b", "e", "h")  # the same in linkindex.store.mongo.records.LinkRecord


class Size(NamedTuple):
    """Bytes on disk of one part of an index."""

    name: str
    bytes: int


def sqlite_sizes(path: Path) -> list[Size]:
    """Return the size of each table and index, by dbstat; what lies in the log is moved to the file before."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        found = db.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC").fetchall()
        return [Size(*row) for row in found] + [Size("(free pages)", _free(db))]


def _free(db: sqlite3.Connection) -> int:
    count, size = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_size"))
    return int(count) * int(size)


def sqlite_context(path: Path) -> int:
    """Return the bytes of the words around links, with descriptions where they are packed together: of fields that hold
    nothing else, wherever they are."""
    total = 0
    with closing(sqlite3.connect(path)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for column in (row[1] for row in db.execute(f"PRAGMA table_info({table})").fetchall()):
                if column in CONTEXT or (column == "words" and table == "around"):
                    bytes_of = f"sum(length(CAST({column} AS BLOB)))"
                    total += db.execute(f"SELECT {bytes_of} FROM {table}").fetchone()[0] or 0
    return total


def mongo_context(database: Any) -> int:
    """Return by how much the links are larger than without the words around them, compressed as they are on disk."""
    bare = database.client[f"{database.name}_bare"]
    bare.client.drop_database(bare)
    same_collection(database, "links", bare)
    into = {"into": {"db": bare.name, "coll": "links"}}
    database["links"].aggregate([{"$unset": list(MONGO_CONTEXT)}, {"$merge": into}], allowDiskUse=True)
    with_words, without = (_stored(one) for one in (database, bare))
    bare.client.drop_database(bare)
    return with_words - without


def _stored(database: Any) -> int:
    database.client.admin.command("fsync")
    stats = database.command("collStats", "links")
    return int(stats["storageSize"] - stats["wiredTiger"]["block-manager"]["file bytes available for reuse"])


def mongo_sizes(database: Any) -> list[Size]:
    """Return the size of each collection and index, as they are compressed on disk after a checkpoint."""
    database.client.admin.command("fsync")
    sizes = []
    for name in database.list_collection_names():
        stats = database.command("collStats", name)
        free = stats["wiredTiger"]["block-manager"]["file bytes available for reuse"]
        sizes += [Size(name, stats["storageSize"] - free), Size(f"{name} (free)", free)]
        sizes += [Size(f"{name}.{index}", size) for index, size in stats["indexSizes"].items()]
    return sorted(sizes, key=lambda size: -size.bytes)
