"""The collections of a link index in MongoDB, their indexes, and how they come into being."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from pymongo import IndexModel
from pymongo.database import Database
from pymongo.errors import OperationFailure

VERSION = 3
KIND = "linkatlas link index"
IS = "index"  # the note that says what the database is

LINKS, PAST, PAGES, LEADS, RANKS, ABOUT, TALLIES = "links", "past", "pages", "leads", "ranks", "about", "tallies"
LARGE, PAIRS = "large", "pairs"

COLLECTIONS = {
    LINKS: "the latest version of every link, live or lost",
    PAST: "earlier versions of links",
    PAGES: "visited pages, with where their URLs lead",
    LEADS: "where URLs led once",
    RANKS: "ranks of pages and domains",
    ABOUT: "notes about the whole index",
    TALLIES: "counts of the whole index, in parts: two writers seldom meet in one",
    LARGE: "domains whose links are counted, for there are many",
    PAIRS: "what the links from one domain to another of those amount to",
}

# A field that is in an index here is in ids.py's or records.py's short spelling. Nothing is unique but _id: the shard key.
# Pages have few: when one index of a document changes in a transaction, MongoDB 6.0 looks each of them up in its catalogue.
INDEXES: dict[str, dict[str, list[tuple[str, int]]]] = {
    LINKS: {"of_page": [("p", 1)]},
    PAST: {"of_page": [("p", 1)]},
    PAGES: {
        "of_domain": [("d", 1), ("lv", -1)],
        "by_visit": [("lv", -1)],
        "of_lead": [("lm", 1), ("lt", 1)],
        "of_run": [("rn", 1)],
    },
    LEADS: {"of_page": [("p", 1)], "of_lead": [("lm", 1), ("lt", 1)]},
}
CLUSTERED = {LINKS, PAST, PAIRS}
"""Kept in the order of their names, for they are asked for by ranges of names. The others are asked for by many names at
once: of a clustered collection, MongoDB 6.0 then reads all from the first to the last of them."""

SHARDED = (LINKS, PAST, PAGES, LEADS, RANKS, PAIRS)  # by _id; the others are small
SPARSE = {(PAGES, "of_lead"), (PAGES, "of_run")}

# Larger pages than the server's 32 KB would take an eighth less, but links come all over the collection: where its cache does
# not hold them all, the server writes a page for nearly each of them.
_ZSTD = {"wiredTiger": {"configString": "block_compressor=zstd"}}

Db = Database[dict[str, Any]]


def create(db: Db) -> None:
    """Make what is missing of the collections and indexes; what is there stays."""
    there = set(db.list_collection_names())
    for name in COLLECTIONS:
        if name not in there:
            with suppress(OperationFailure):  # another was quicker; whatever else it is, the indexes meet it too
                how: dict[str, Any] = {"storageEngine": _ZSTD}
                if name in CLUSTERED:
                    how["clusteredIndex"] = {"key": {"_id": 1}, "unique": True}
                db.create_collection(name, check_exists=False, **how)
    for name, indexes in INDEXES.items():
        made = [
            IndexModel(keys, name=index, sparse=(name, index) in SPARSE, storageEngine=_ZSTD)
            for index, keys in indexes.items()
        ]
        db[name].create_indexes(made)
