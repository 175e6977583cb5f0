"""What a store could do at best: the rows of a finished index, put into an empty one by the driver's own bulk insert.

Same schema, same indexes, same number of batches, same durability. Rows are read and put in the order in which a crawl
brings them beforehand; what is measured is the insert and its commit alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from benchmarks.index_cost import Cost


class Raw(Protocol):
    """A finished index that can be put into another place once more."""

    def insert(self, batches: int, cost: Cost) -> None: ...


class SqliteRaw:
    """The tables of one file, by executemany."""

    def __init__(self, finished: Path, empty: Path) -> None:
        self._finished, self._empty = finished, empty

    def insert(self, batches: int, cost: Cost) -> None:
        for path in self._empty.parent.glob(f"{self._empty.name}*"):
            path.unlink()
        with ExitStack() as stack:
            read = stack.enter_context(closing(sqlite3.connect(self._finished)))
            write = stack.enter_context(closing(sqlite3.connect(self._empty, isolation_level=None)))
            names = self._make(read, write)
            tables = [(_insert_into(read, name), _rows(read, name, batches)) for name in names]
            for _ in range(batches):
                batch = [(insert, next(rows, [])) for insert, rows in tables]
                with cost:
                    write.execute("BEGIN IMMEDIATE")
                    for insert, rows in batch:
                        write.executemany(insert, rows)
                    write.execute("COMMIT")

    @staticmethod
    def _make(read: sqlite3.Connection, write: sqlite3.Connection) -> list[str]:
        page_size = read.execute("PRAGMA page_size").fetchone()[0]
        for pragma in (f"page_size = {page_size}", "journal_mode = WAL", "synchronous = NORMAL", "cache_size = -65536"):
            write.execute(f"PRAGMA {pragma}")
        write.execute("PRAGMA wal_autocheckpoint = 10000")
        made = "sql IS NOT NULL AND name NOT LIKE 'sqlite_%' AND type IN ('table', 'index')"
        for (sql,) in read.execute(f"SELECT sql FROM sqlite_master WHERE {made} ORDER BY type = 'index'").fetchall():
            write.execute(sql)
        tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        return [name for (name,) in read.execute(tables).fetchall()]


def _insert_into(db: sqlite3.Connection, table: str) -> str:
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    quoted = ", ".join(f'"{column}"' for column in columns)
    return f"INSERT INTO {table} ({quoted}) VALUES ({', '.join('?' * len(columns))})"


def _rows(db: sqlite3.Connection, table: str, batches: int) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows of a table in so many parts: by page, that is by time, where they have one; else shuffled, for the
    order of hashes and names is not that in which they come."""
    columns = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
    order = "page" if "page" in columns else "id" if table == "page" else "random()"
    total = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    rows = db.execute(f"SELECT * FROM {table} ORDER BY {order}")
    done = 0
    for number in range(1, batches + 1):
        until = total * number // batches
        yield rows.fetchmany(until - done) if until > done else []
        done = until


class MongoRaw:
    """The collections of one database, by insert_many; unordered, majority, journalled, as the index writes."""

    def __init__(self, client: Any, finished: str, empty: str) -> None:
        self._client, self._finished, self._empty = client, client[finished], empty

    def insert(self, batches: int, cost: Cost) -> None:
        from pymongo import WriteConcern

        self._client.drop_database(self._empty)
        write = self._client.get_database(self._empty, write_concern=WriteConcern("majority", j=True))
        sources = []
        for name in self._finished.list_collection_names():
            read, into = self._finished[name], same_collection(self._finished, name, write)
            for index, made in read.index_information().items():
                if index != "_id_":
                    options = {option: value for option, value in made.items() if option not in ("v", "key")}
                    into.create_index(made["key"], name=index, **options)
            sources.append((into.insert_many, read.estimated_document_count(), _documents(read)))
        for number in range(batches):
            batch = [
                (insert, list(islice(documents, total * (number + 1) // batches - total * number // batches)))
                for insert, total, documents in sources
            ]
            with cost:
                _insert_all(batch)
        self._client.drop_database(self._empty)


def put_off(client: Any, name: str, apart: int, batch: int, cost: Cost) -> None:
    """Move the times of an index's pages on by ``apart`` ms, ``batch`` of them in a transaction, by bare updates: what visits
    that find pages unchanged cost at least, with the same indexes."""
    from pymongo import UpdateOne, WriteConcern
    from pymongo.read_concern import ReadConcern

    pages = client[name]["pages"]
    visited = iter(list(pages.find({}, {"lv": 1}, sort=[("lv", 1)])))
    durable = WriteConcern("majority", j=True)
    with client.start_session() as session:
        while some := [(page["_id"], page["lv"] + apart) for page in islice(visited, batch)]:
            with cost:
                updates = [UpdateOne({"_id": page}, {"$set": {"lv": at, "ra": at}}) for page, at in some]
                with session.start_transaction(ReadConcern("snapshot"), durable):
                    pages.bulk_write(updates, ordered=False, session=session)


def same_collection(read: Any, name: str, write: Any) -> Any:
    """Return a new collection in the database ``write`` with the options that it has in ``read``."""
    (options,) = (found["options"] for found in read.list_collections(filter={"name": name}))
    clustered = options.get("clusteredIndex")
    if clustered:
        options = options | {"clusteredIndex": {key: clustered[key] for key in ("key", "unique")}}
    return write.create_collection(name, **options)


def _documents(collection: Any) -> Any:
    """Return the documents shuffled, those of a page together: in the order of their ids a server takes them faster than
    a crawl could bring them."""
    key = "$p" if "of_page" in collection.index_information() else "$_id"
    shuffled = [{"$set": {"_order": {"$toHashedIndexKey": key}}}, {"$sort": {"_order": 1}}, {"$unset": "_order"}]
    return collection.aggregate(shuffled, allowDiskUse=True)


def _insert_all(batch: Sequence[tuple[Callable[..., Any], list[Any]]]) -> None:
    for insert, documents in batch:
        if documents:
            insert(documents, ordered=False)
