"""An index of every earlier format opens today and answers as it did. ``formats/mongo-N.json`` was written in its time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bson import json_util

from linkindex.answers.overview import overview
from linkindex.answers.rows import moment
from linkindex.errors import Unavailable
from linkindex.store import open_index
from linkindex.store.mongo.migrations import MIGRATIONS
from linkindex.store.mongo.schema import INDEXES, VERSION
from linkindex.target import parse_target
from tests.linkindex.contract import DAY, found, link, visit
from tests.linkindex.test_mongo import database_of, wrong_pairs
from tests.servers import MongoServer

FORMATS = sorted(Path(__file__).parent.glob("formats/mongo-*.json"))
Database = Any


@pytest.fixture(params=FORMATS, ids=lambda path: path.stem)
def old(request: pytest.FixtureRequest, mongo_server: MongoServer, mongo_url: Callable[[], str]) -> str:
    """The URL of an index of an earlier format."""
    url = mongo_url()
    with mongo_server.client() as client:
        database = client.get_database(database_of(url))
        for name, kept in json_util.loads(request.param.read_text(encoding="utf-8")).items():
            options = kept["options"]
            if clustered := options.get("clusteredIndex"):
                options["clusteredIndex"] = {key: clustered[key] for key in ("key", "unique")}
            collection = database.create_collection(name, **options)
            for index, how in kept["indexes"].items():
                others = {key: value for key, value in how.items() if key not in ("v", "key")}
                collection.create_index([tuple(pair) for pair in how["key"]], name=index, **others)
            if kept["documents"]:
                collection.insert_many(kept["documents"])
    return url


@pytest.fixture
def database(old: str, mongo_server: MongoServer) -> Any:
    with mongo_server.client() as client:
        yield client.get_database(database_of(old))


def test_every_earlier_format_is_here() -> None:
    assert [path.stem for path in FORMATS] == [f"mongo-{version}" for version in range(1, VERSION)]
    assert [migration.version for migration in MIGRATIONS] == list(range(2, VERSION + 1))


@pytest.mark.parametrize("many", [1, 3, 20_000])
def test_answers_are_as_before_and_it_goes_on(old: str, monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    monkeypatch.setattr("linkindex.store.mongo.large.MANY", many)
    with open_index(old, create=True) as index:
        rows = found(index, "b.example", order="rank", state="all")
        assert [(row.source, row.target, row.anchor, row.placement, row.lost_at) for row in rows] == [
            ("https://a.example/1", "https://b.example/x", "new words", "unknown", None),
            ("https://c.example/moved", "https://b.example/x", "", "unknown", None),
            ("https://c.example/3", "https://b.example/x", "x", "unknown", None),
            ("https://c.example/3", "https://b.example/x", "twice", "unknown", None),
            ("https://c.example/2", "https://b.example/x", "", "header", None),
            ("https://c.example/2", "https://old.example/", "old", "unknown", None),
            ("https://old.example/", "https://b.example/x", "", "unknown", None),
            ("https://a.example/1", "https://b.example/y", "why", "footer", moment(2 * DAY)),
        ]
        assert rows[:2] == found(index, "b.example", order="rank", limit=2)
        told = overview(index, parse_target("b.example"))
        assert (told.backlinks, told.referring_domains, told.lost, told.doubtful) == (7, 3, 1, 2)
        index.store([visit("https://a.example/1", 3 * DAY, link("https://b.example/x"), author="Anna")])
        index.store([visit("https://d.example/", 3 * DAY, link("https://b.example/x"))])
        assert overview(index, parse_target("b.example")).backlinks == 8
    if many < 20_000:
        assert not wrong_pairs(old)


def test_its_shape_is_that_of_a_new_one(old: str, database: Database) -> None:
    open_index(old).close()
    for name, indexes in INDEXES.items():
        assert database[name].index_information().keys() - {"_id_", "_id_1"} == indexes.keys()
    assert database["about"].find_one({"_id": "index"})["version"] == VERSION
    assert [note["name"] for note in database["about"].find({"_id": {"$regex": "^format:"}})] == [
        migration.name for migration in MIGRATIONS
    ]


def test_a_step_that_is_cut_off_is_begun_again(old: str, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a server that refuses the counts of one pair: what others amount to may be there already."""
    monkeypatch.setattr("linkindex.store.mongo.large.MANY", 1)
    if "pairs" not in database.list_collection_names():
        database.create_collection("pairs")
    database.command("collMod", "pairs", validator={"sd": {"$ne": "c.example"}})
    version = database["about"].find_one({"_id": "index"})["version"]
    with pytest.raises(Unavailable):
        open_index(old)
    assert database["about"].find_one({"_id": "index"})["version"] == version
    database.command("collMod", "pairs", validator={})
    open_index(old).close()
    assert "b.example" in {one["_id"] for one in database["large"].find()}
    assert not wrong_pairs(old)


def test_a_domain_whose_pairs_would_outgrow_a_document_is_not_counted(
    old: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("linkindex.store.mongo.large.MANY", 1)
    monkeypatch.setattr("linkindex.store.mongo.large.MOST_ALIKE", 1)
    with open_index(old) as index:
        assert overview(index, parse_target("b.example")).backlinks == 7
    assert database["large"].find_one({"_id": "b.example"}) == {"_id": "b.example", "no": True}
    assert not list(database["pairs"].find({"td": "b.example"}))
