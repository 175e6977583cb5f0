"""The SQLite index keeps the contract, and what is its own: cheap confirmation, other files left alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from linkindex.errors import BadInput, Incompatible, Unavailable
from linkindex.store import open_index
from tests.linkindex.contract import IndexContract, Places, link, visit
from tests.linkindex.histories import HistoriesContract


class Files(Places):
    """Each index is a file."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Callable[[], str]:
        numbers = count()
        return lambda: f"sqlite:///{tmp_path}/{next(numbers)}.db"


class TestSqliteIndex(Files, IndexContract):
    pass


class TestSqliteHistories(Files, HistoriesContract):
    pass


def test_an_unchanged_page_writes_one_row(tmp_path: Path) -> None:
    path = tmp_path / "i.db"
    with open_index(f"sqlite:///{path}", create=True) as index:
        links = [link(f"https://b{number}.test/") for number in range(50)]
        index.store([visit("https://a.test/", 1000, *links)])
        changes = index._db.total_changes  # type: ignore[attr-defined]
        index.store([visit("https://a.test/", 2000, *links)])
        assert index._db.total_changes - changes == 1  # type: ignore[attr-defined]


def test_a_reader_sees_whole_batches_while_a_writer_writes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/i.db"
    with open_index(url, create=True) as writer, open_index(url) as reader:
        writer.store([visit("https://a.test/", 1, link("https://b.test/"))])
        assert reader.counts().links == 1


def test_a_failed_batch_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "i.db"
    with open_index(f"sqlite:///{path}", create=True) as index:
        index.store([visit("https://z.test/", 1, link("https://b.test/"))])
        with sqlite3.connect(path) as db:
            db.execute(
                "CREATE TRIGGER full BEFORE INSERT ON fact WHEN new.title = 'stop' "
                "BEGIN SELECT raise(ABORT, 'disk is full'); END"
            )
        db.close()
        with pytest.raises(Unavailable, match="disk is full"):
            index.store(
                [visit("https://a.test/", 1, link("https://c.test/")), visit("https://a.test/2", 1, title="stop")]
            )
        assert (index.counts().pages, index.counts().links) == (1, 1)
        index.store([visit("https://a.test/", 1, link("https://c.test/"))])  # ids of rolled back rows are forgotten
        assert index.counts().links == 2
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()


def test_a_missing_index_is_told_with_the_remedy_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="linkatlas crawl"):
        open_index(f"sqlite:///{tmp_path}/i.db")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("url", ["mongo", "", "sqlite://x", "mysql://host/x"])
def test_what_is_no_index_url_is_told(url: str) -> None:
    with pytest.raises(BadInput, match="write sqlite:///PATH"):
        open_index(url)


def test_another_programs_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE notes (text)")
    db.close()
    with pytest.raises(Incompatible, match="no linkatlas index"):
        open_index(f"sqlite:///{path}")
    with sqlite3.connect(path) as db:
        assert [name for (name,) in db.execute("SELECT name FROM sqlite_master")] == ["notes"]
    db.close()
