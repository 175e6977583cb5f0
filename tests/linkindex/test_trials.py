"""Writers that are killed, starved and crowded, and servers that are killed under them: no link is lost or doubled."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from linkindex.store import LinkIndex, open_index
from linkindex.store.mongo import large
from linkindex.store.mongo.place import Place
from linkindex.store.mongo.records import PairRecord, Strange
from linkindex.store.selection import Selection
from linkindex.target import parse_target
from tests.linkindex.dictionary import Dictionary
from tests.linkindex.writer import PAGES, REFUSALS, TARGETS, Writer, batches
from tests.servers import MongoServer

KILLS = 20


def agrees(index: LinkIndex, seed: int, count: int) -> None:
    """Compare all that the index tells of links with what the same history makes of a dictionary."""
    model = replayed(seed, count)
    for page in PAGES + TARGETS:
        assert list(index.versions(page)) == list(model.versions(page))
    assert index.leads(TARGETS) == model.leads(TARGETS)
    for domain in ("b0.test", "b1.test", "b2.test"):
        whole = Selection(target=parse_target(domain), state="all")
        rows = list(model.links(whole))
        assert list(index.links(whole)) == rows
        assert list(index.groups(whole, "domain")) == list(model.groups(whole, "domain"))
        live = Selection(target=parse_target(domain))
        assert index.profile(live) == model.profile(live)
    assert rows


def replayed(seed: int, count: int) -> Dictionary:
    model = Dictionary()
    for batch in batches(seed, count):
        model.store(batch)
    return model


def is_whole(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def _mount(folder: Path, options: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextmanager
def _small(folder: Path) -> Iterator[bool]:
    """Make ``folder`` a disk of 1 MB where that may be done; yield whether it is."""
    mounted = _mount(folder, "size=1m")
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", folder], check=True)


# ---- SQLite


@pytest.mark.parametrize("seed", range(2))
def test_a_writer_that_is_killed_at_any_moment_loses_nothing(tmp_path: Path, seed: int) -> None:
    dice, path, count = random.Random(seed), tmp_path / "i.db", 150
    with Writer(f"sqlite:///{path}", seed, count, tmp_path) as writer:
        for kill in range(KILLS // 2):
            assert writer.wait_for(kill * 10)  # the first while it makes the file
            time.sleep(dice.random() * (0.02 if kill else 0.5))
            writer.kill()
            writer.start()
        writer.end()
        assert writer.refused == []
    is_whole(path)
    with open_index(f"sqlite:///{path}") as index:
        agrees(index, seed, count)


def test_two_writers_on_one_file_lose_and_double_nothing(tmp_path: Path) -> None:
    """Both have the whole history to store: what the one has stored changes nothing when the other comes with it."""
    path, count = tmp_path / "i.db", 80
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    with ExitStack() as stack:
        writers = [stack.enter_context(Writer(f"sqlite:///{path}", 1, count, folder)) for folder in folders]
        for writer in writers:
            writer.end()
            assert writer.refused == []
    is_whole(path)
    with open_index(f"sqlite:///{path}") as index:
        agrees(index, 1, count)


def test_a_disk_that_is_full_loses_nothing_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    disk, count = tmp_path / "disk", 150
    disk.mkdir()
    with _small(disk) as mounted:
        path = disk / "i.db"
        options = () if mounted else ("--largest-file", "600000")
        with Writer(f"sqlite:///{path}", 2, count, tmp_path, *options) as writer:
            writer.wait_for_refusal()
            before = writer.stored
            assert 0 < before < count
            if mounted:
                with open_index(f"sqlite:///{path}") as index:
                    agrees(index, 2, before)
                assert _mount(disk, "remount,size=64m")
            writer.end()
            assert writer.stored == count
        is_whole(path)
        with open_index(f"sqlite:///{path}") as index:
            agrees(index, 2, count)


def test_a_file_that_may_not_grow_loses_nothing(tmp_path: Path) -> None:
    path, count = tmp_path / "i.db", 150
    with Writer(f"sqlite:///{path}", 3, count, tmp_path, "--largest-file", "600000") as writer:
        writer.end()
        assert len(writer.refused) >= REFUSALS
    is_whole(path)
    with open_index(f"sqlite:///{path}") as index:
        agrees(index, 3, count)


# ---- MongoDB


@pytest.mark.parametrize("many", [0, 250], ids=["", "counting"])
def test_a_server_that_is_killed_under_its_writer_loses_nothing(tmp_path: Path, many: int) -> None:
    """With ``many``: nor a count, though domains begin to be counted among the kills."""
    dice, count = random.Random(4), 400
    files = tmp_path / "files"
    files.mkdir()
    with MongoServer(files) as server:
        with Writer(server.url("trial"), 4, count, tmp_path, "--large", str(many)) as writer:
            for _ in range(KILLS):
                assert writer.wait_for(writer.stored + 1)
                time.sleep(dice.random() * 0.03)
                server.kill()
                server.start()
            writer.end()
            assert writer.refused  # a kill between two batches may go by unseen, twenty do not
        with open_index(server.url("trial")) as index:
            agrees(index, 4, count)
        assert bool(many) is bool(counted_domains(server.url("trial")))


def counted_domains(url: str) -> list[str]:
    """Return the domains whose links a MongoDB index counts, and see that it counts right."""
    with closing(Place(url)) as place, place.client.start_session(snapshot=True) as session:
        pairs = list(Strange().read(place.db["pairs"].find(session=session), PairRecord))
        assert large.wrong(place, Strange(), pairs, session) == []
        return [found["_id"] for found in place.db["large"].find()]
