"""The MongoDB index keeps the contract, and what is its own."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from linkindex.answers.rows import moment
from linkindex.errors import BadInput, Incompatible, Unavailable
from linkindex.store import open_index
from linkindex.target import parse_target
from tests.linkindex.contract import IndexContract, found, link, visit
from tests.linkindex.histories import HistoriesContract
from tests.linkindex.writer import batches
from tests.servers import MongoServer, free_port


class OnMongo:
    """The fixture that both suites ask for."""

    @pytest.fixture
    def place(self, mongo_url: Callable[[], str]) -> Callable[[], str]:
        return mongo_url


class TestMongoIndex(OnMongo, IndexContract):
    pass


class TestMongoHistories(OnMongo, HistoriesContract):
    pass


# ---- writing


def test_an_unchanged_page_writes_one_document(mongo_server: MongoServer, mongo_url: Callable[[], str]) -> None:
    url = mongo_url()
    links = [link(f"https://b{number}.test/") for number in range(50)]
    with open_index(url, create=True) as index, mongo_server.client() as client:
        index.store([visit("https://a.test/", 1000, *links)])
        before = written(client)
        index.store([visit("https://a.test/", 2000, *links)])
        assert written(client) - before == Counter(updated=1)


def test_a_batch_that_fails_leaves_nothing(mongo_server: MongoServer, mongo_url: Callable[[], str]) -> None:
    url = mongo_url()
    with open_index(url, create=True) as index, mongo_server.client() as client:
        index.store([visit("https://z.test/", 1, link("https://b.test/"))])
        database = client.get_database(database_of(url))
        database.command("collMod", "pages", validator={"ti": {"$ne": "stop"}})
        batch = [visit("https://a.test/", 1, link("https://c.test/")), visit("https://a.test/2", 1, title="stop")]
        with pytest.raises(Unavailable, match="failed validation"):
            index.store(batch)
        assert (index.counts().pages, index.counts().links, index.grown()) == (1, 1, 1)
        database.command("collMod", "pages", validator={})
        index.store(batch)
        assert (index.counts().pages, index.counts().links, index.grown()) == (3, 2, 2)


def test_writers_of_one_page_end_in_its_newest_visit(mongo_url: Callable[[], str]) -> None:
    """Each stores visits of the same pages, in an order of its own: whoever comes late changes nothing."""
    url, count, pages = mongo_url(), 12, [f"https://a{number}.test/" for number in range(3)]

    def write(seed: int) -> None:
        times = random.Random(seed).sample(range(1, 1 + count), count)
        with open_index(url) as index:
            for at in times:
                index.store([visit(page, at * 1000, link("https://b.test/", f"at {at}")) for page in pages])

    open_index(url, create=True).close()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))
    with open_index(url) as index:
        rows = found(index, "b.test", state="all")
        assert {(row.source, row.anchor) for row in rows} == {(page, f"at {count}") for page in pages}
        assert len(rows) == len(pages)
        assert (index.counts().links, index.counts().lost) == (len(pages), 0)
        for page in pages:
            *earlier, last = index.versions(page)
            assert last.until is None
            ends = [(one.since, one.until) for one in earlier]
            assert [end for _, end in ends] == [*(since for since, _ in ends[1:]), last.since]


def test_counts_are_those_of_what_is_there(mongo_server: MongoServer, mongo_url: Callable[[], str]) -> None:
    url = mongo_url()
    with mongo_server.client() as client:
        for seed in range(3):
            with open_index(url, create=True) as index:  # each counts for itself
                for batch in batches(seed, 10):
                    index.store(batch)
                index.forget(parse_target("a1.test"))
        database = client.get_database(database_of(url))
        latest, earlier = (database[name].count_documents({}) for name in ("links", "past"))
        outcomes = Counter(page.get("o", "page") for page in database["pages"].find())
        with open_index(url) as index:
            counts = index.counts()
            assert (counts.links + counts.lost, index.grown()) == (latest, latest + earlier)
            assert counts.by_outcome == outcomes


# ---- what is not ours


def test_documents_of_another_shape_are_set_aside(mongo_server: MongoServer, mongo_url: Callable[[], str]) -> None:
    url = mongo_url()
    with open_index(url, create=True) as index, mongo_server.client() as client:
        index.store([visit(f"https://a{number}.test/", 1, link("https://b.test/")) for number in range(3)])
        database = client.get_database(database_of(url))
        database["links"].update_one({"s": "https://a1.test/"}, {"$set": {"a": {"$gt": 1}}})
        database["pages"].update_one({"u": "https://a2.test/"}, {"$set": {"ra": "yesterday"}})
        assert [row.source for row in found(index, "b.test")] == ["https://a0.test/", "https://a2.test/"]
        index.store([visit(f"https://a{number}.test/", 2, link("https://b.test/", "new")) for number in range(3)])
        assert {row.anchor for row in found(index, "b.test")} == {"new"}  # and mended when their page is visited
        assert len(found(index, "b.test")) == 3


def test_what_a_newer_version_added_is_kept(mongo_server: MongoServer, mongo_url: Callable[[], str]) -> None:
    url = mongo_url()
    with open_index(url, create=True) as index, mongo_server.client() as client:
        index.store([visit("https://a.test/", 1, link("https://b.test/"))])
        database = client.get_database(database_of(url))
        for name in ("links", "pages"):
            database[name].update_one({}, {"$set": {"zz": 1}})
        index.store([visit("https://a.test/", 2, link("https://b.test/", "new"))])
        assert all(database[name].find_one()["zz"] == 1 for name in ("links", "pages"))  # type: ignore[index]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mongodb://127.0.0.1:1", "no database is named"),
        ("mongodb://127.0.0.1:1/", "no database is named"),
        ("mongodb://127.0.0.1:port/x", "write mongodb://HOST:PORT/NAME"),
        ("mongodb:///x", "write mongodb://HOST:PORT/NAME"),
        ("mongodb://me:s3cret@127.0.0.1:port/x", "mongodb://me@127.0.0.1:port/x: "),
        ("mongodb://me:s3@cret@127.0.0.1/x", "write mongodb://HOST:PORT/NAME"),
        ("mongodb://me:s3/cret@127.0.0.1/x", "write mongodb://HOST:PORT/NAME"),
        ("mongodb://127.0.0.1:1/x?password=s3cret&nonsense", "write mongodb://HOST:PORT/NAME"),
    ],
)
def test_a_url_that_cannot_be_used_is_told_without_its_password(url: str, says: str) -> None:
    with pytest.raises(BadInput) as told:
        open_index(url)
    assert says in str(told.value)
    assert "cret" not in str(told.value)
    assert "\n" not in str(told.value)


def test_a_missing_index_is_told_with_the_remedy_and_not_made(
    mongo_server: MongoServer, mongo_url: Callable[[], str]
) -> None:
    url = mongo_url()
    with pytest.raises(BadInput, match="linkatlas crawl"):
        open_index(url)
    with mongo_server.client() as client:
        assert database_of(url) not in client.list_database_names()


def test_another_programs_database_is_refused_untouched(
    mongo_server: MongoServer, mongo_url: Callable[[], str]
) -> None:
    url = mongo_url()
    with mongo_server.client() as client:
        database = client.get_database(database_of(url))
        database["notes"].insert_one({"text": "mine"})
        with pytest.raises(Incompatible, match="no linkatlas index"):
            open_index(url, create=True)
        assert database.list_collection_names() == ["notes"]


def test_a_newer_format_is_refused(mongo_server: MongoServer, mongo_url: Callable[[], str]) -> None:
    url = mongo_url()
    open_index(url, create=True).close()
    with mongo_server.client() as client:
        client.get_database(database_of(url))["about"].update_one({"_id": "index"}, {"$set": {"version": 99}})
    with pytest.raises(Incompatible, match="format 99"):
        open_index(url)


def test_a_server_that_is_away_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linkindex.store.mongo.place.WAIT", 0.05)
    with pytest.raises(Unavailable) as told:
        open_index(f"mongodb://me:s3cret@127.0.0.1:{free_port()}/x")
    assert "is mongod running" in str(told.value)
    assert "s3cret" not in str(told.value)
    assert "\n" not in str(told.value)


def test_a_server_that_ends_is_unavailable_for_questions_and_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("linkindex.store.mongo.place.WAIT", 0.5)
    with MongoServer(tmp_path) as server, open_index(server.url("x"), create=True) as index:
        index.store([visit("https://a.test/", 1, link("https://b.test/"))])
        server.kill()
        with pytest.raises(Unavailable):
            found(index, "b.test")
        with pytest.raises(Unavailable):
            index.store([visit("https://a.test/", 2, link("https://b.test/"))])
        server.start()
        index.store([visit("https://a.test/", 3, link("https://b.test/"))])
        assert found(index, "b.test")[0].last_seen == moment(3)


def test_a_server_without_a_replica_set_is_told(tmp_path: Path) -> None:
    with (
        MongoServer(tmp_path, replica_set="") as server,
        pytest.raises(BadInput, match="--replSet"),
    ):
        open_index(server.url("x"), create=True)


def test_checks_name_what_is_missing(mongo_server: MongoServer, mongo_url: Callable[[], str]) -> None:
    url = mongo_url()
    with open_index(url, create=True) as index, mongo_server.client() as client:
        client.get_database(database_of(url))["links"].drop_index("of_page")
        (wrong,) = (check for check in index.check() if not check.ok)
        assert (wrong.name, "of_page" in wrong.remedy) == ("collection links", True)
    with open_index(url, create=True) as index:
        assert all(check.ok for check in index.check())


def test_the_driver_is_not_imported_for_another_store() -> None:
    script = (
        "import sys, linkindex.store.sqlite, interfaces.cli.main; assert not {'pymongo', 'bson'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def database_of(url: str) -> str:
    return url.rpartition("/")[2].partition("?")[0]


def written(client: Any) -> Counter[str]:
    """Return how many documents the server has written, and how."""
    return Counter(client.admin.command("serverStatus")["metrics"]["document"]) - Counter(returned=1 << 60)


def test_a_wrong_password_is_what_was_given_and_not_a_server_that_is_away(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("between the members of the set " * 2)
    (tmp_path / "key").chmod(0o600)
    with MongoServer(tmp_path) as server:
        with server.client() as client:
            client.admin.command("createUser", "me", pwd="right", roles=["root"])
        server.kill()
        server._options = ["--keyFile", str(tmp_path / "key")]
        server.start()
        right = f"mongodb://me:right@{server.address}/x?authSource=admin&directConnection=true"
        for url in (right.replace("right", "wrong"), right.replace("me:right@", "")):
            with pytest.raises(BadInput, match="see the user and password in the URL") as told:
                open_index(url, create=True)
            assert "wrong" not in str(told.value)
        open_index(right, create=True).close()
