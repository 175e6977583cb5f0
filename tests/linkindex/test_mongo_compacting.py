"""What compaction does on MongoDB: on each member of a set, beside a writer, for a user who may and one who may not."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pymongo
import pytest

from interfaces.cli.main import main
from linkindex.errors import BadInput, Unavailable
from linkindex.store import Compacted, open_index
from linkindex.store.mongo import compacting
from linkindex.store.mongo.place import Place
from linkindex.store.mongo.schema import COLLECTIONS
from linkindex.target import parse_target
from tests.linkindex.contract.compacting import everything, wordy
from tests.linkindex.test_replica_set import Untouched
from tests.linkindex.test_trials import agrees
from tests.linkindex.writer import Writer
from tests.servers import MongoServer, free_port


def test_room_is_given_back_and_all_that_is_left_stays(tmp_path: Path) -> None:
    keep_nothing = ["--setParameter", "minSnapshotHistoryWindowInSeconds=0"]  # else what goes is kept for five minutes
    with MongoServer(tmp_path, keep_nothing) as server, open_index(server.url("links"), create=True) as index:
        for begin in range(0, 1000, 100):
            index.store(wordy(number) for number in range(begin, begin + 100))
        with server.client() as client:
            client.admin.command("fsync")  # what was written in the last minute may not be in its files yet
            for number in range(900):
                index.forget(parse_target(f"https://a{number}.test/"))
            client.admin.command("fsync")
        before = everything(index)
        last = list(index.compact())[-1]
        assert last.after < 0.7 * last.before
        assert everything(index) == before


class Set(NamedTuple):
    """A set of two members that are there, and one that is not."""

    primary: MongoServer
    secondary: MongoServer
    away: str

    def url(self, options: str) -> str:
        return f"mongodb://{self.primary.address},{self.secondary.address}/links?{options}"


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Set]:
    with (
        Untouched(tmp_path_factory.mktemp("one"), replica_set="rs") as one,
        Untouched(tmp_path_factory.mktemp("other"), replica_set="rs") as other,
        one.client() as client,
    ):
        made = Set(one, other, f"127.0.0.1:{free_port()}")
        config: dict[str, Any] = {"_id": "rs", "members": [{"_id": 0, "host": one.address, "priority": 2}]}
        client.admin.command("replSetInitiate", config)
        until_primary(one)
        config["members"] += [
            {"_id": 1, "host": other.address, "priority": 0, "votes": 0},
            {"_id": 2, "host": made.away, "priority": 0, "votes": 0},
        ]
        client.admin.command("replSetReconfig", config | {"version": 2}, force=True)
        with open_index(made.url("replicaSet=rs"), create=True) as index:
            index.store(wordy(number) for number in range(20))
        with other.client() as second:
            until(lambda: second.admin.command("hello")["secondary"])
            until(lambda: second["links"]["pages"].count_documents({}) == 20)
        yield made
        for server in (one, other):
            server.kill()  # told to end, they would wait for each other


def until_primary(server: MongoServer) -> None:
    with server.client() as client:
        until(lambda: client.admin.command("hello")["isWritablePrimary"])


def until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        time.sleep(0.05)


def test_each_member_is_asked_and_one_that_is_away_is_told_at_the_end(members: Set) -> None:
    with open_index(members.url("replicaSet=rs"), wait=2) as index:
        steps, told = until_it_raises(index.compact())
    assert f"no answer from {members.away}, and what is unused there" in told
    of = len(COLLECTIONS)
    expected = [(one.address, done, of) for one in (members.secondary, members.primary) for done in range(1, of + 1)]
    assert [(step.part, step.done, step.of) for step in steps] == expected


def until_it_raises(compaction: Iterator[Compacted]) -> tuple[list[Compacted], str]:
    steps: list[Compacted] = []
    try:
        steps.extend(compaction)
    except Unavailable as error:
        return steps, str(error)
    raise AssertionError(steps)


@pytest.mark.parametrize("which", ["primary", "secondary"])
def test_a_direct_connection_means_one_member(members: Set, which: str) -> None:
    server: MongoServer = getattr(members, which)
    with open_index(server.url("links") + "&replicaSet=rs") as index:
        assert {step.part for step in index.compact()} == {server.address}


def test_the_command_tells_what_was_done_and_what_was_not(
    members: Set, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("linkindex.store.mongo.WAIT", 2.0)
    assert main(["compact", "--index", members.url("replicaSet=rs")]) == 69
    out, err = capsys.readouterr()
    assert re.fullmatch(r"[\d.]+ MB before, [\d.]+ MB after: [\d.]+ MB given back\n", out)
    *progress, last = err.splitlines()
    assert [line.partition(":")[0] for line in progress] == ["linkatlas"] * 2  # whenever it is another member's turn
    assert f"no answer from {members.away}" in last


def test_a_mongos_is_told_what_to_call_at_its_shards() -> None:
    with (
        closing(Place("mongodb://127.0.0.1:1/web")) as place,
        pytest.raises(BadInput, match="a mongos has no files; connect to each member of each shard") as told,
    ):
        compacting.members(place, {"msg": "isdbgrid"})
    assert 'db.getSiblingDB("web").runCommand({ compact: name, force: true })' in str(told.value)
    assert all(f"'{name}'" in str(told.value) for name in COLLECTIONS)


def test_who_may_not_is_told_which_role_is_missing_and_goes_on_with_it(tmp_path: Path) -> None:
    with MongoServer(tmp_path) as server:
        with server.client() as client:
            client.admin.command("createUser", "root", pwd="p", roles=["root"])
            client.links.command("createUser", "me", pwd="p@/:?", roles=["readWrite"])
        server.let_in_by_password()
        url = f"mongodb://me:p%40%2F%3A%3F@{server.address}/links"  # of the set, and of the database's own users
        with open_index(url, create=True) as index, pytest.raises(BadInput) as told:
            list(index.compact())
        command = 'db.grantRolesToUser(USER, [{ role: "dbAdmin", db: "links" }])'
        assert command in str(told.value)
        assert "p@" not in str(told.value)
        with pymongo.MongoClient[dict[str, Any]](f"mongodb://root:p@{server.address}/?directConnection=true") as client:
            client.links.command("grantRolesToUser", "me", roles=[{"role": "dbAdmin", "db": "links"}])
        with open_index(url) as index:
            assert list(index.compact())[-1].part == server.address


def test_a_writer_goes_on_beside_it_and_loses_nothing(tmp_path: Path) -> None:
    count, files = 150, tmp_path / "files"
    files.mkdir()
    with MongoServer(files) as server, Writer(server.url("trial"), 6, count, tmp_path) as writer:
        assert writer.wait_for(1)
        times = 0
        with open_index(server.url("trial")) as index:
            while writer.running:
                list(index.compact())
                times += 1
        writer.end()
        assert times
        assert writer.refused == []
        with open_index(server.url("trial")) as index:
            agrees(index, 6, count)
