"""An index of every earlier format opens today and answers as it did. ``formats/N.sql`` was written by format N's time."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from linkindex.answers.backlinks import backlinks
from linkindex.answers.rows import moment
from linkindex.errors import Incompatible
from linkindex.model import Outcome
from linkindex.store import Selection, open_index, sqlite
from linkindex.store.sqlite.migrations import MIGRATIONS, migrate
from linkindex.store.sqlite.schema import VERSION
from linkindex.target import parse_target
from tests.linkindex.contract import DAY, link, visit

FORMATS = sorted(Path(__file__).parent.glob("formats/*.sql"))


@pytest.fixture(params=FORMATS, ids=lambda path: path.stem)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "old.db"
    db = sqlite3.connect(path)
    db.executescript(request.param.read_text(encoding="utf-8"))
    db.close()
    return path


def shape(path: Path) -> dict[str, set[tuple[object, ...]]]:
    db = sqlite3.connect(path)
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    columns = {name: {row[1:] for row in db.execute(f"PRAGMA table_info({name})")} for name in tables}
    columns["indexes"] = set(db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index'"))
    db.close()
    return columns


def test_every_earlier_format_is_here() -> None:
    assert [path.stem for path in FORMATS] == [str(version) for version in range(1, VERSION)]
    assert [step.version for step in MIGRATIONS] == list(range(2, VERSION + 1))


def test_answers_are_as_before_and_it_goes_on(old: Path) -> None:
    with open_index(f"sqlite:///{old}", create=True) as index:
        rows = list(backlinks(index, Selection(target=parse_target("b.example"), state="all")))
        assert [(row.source, row.target, row.anchor, row.follow, row.lost_at) for row in rows] == [
            ("https://a.example/1", "https://b.example/x", "new words", True, None),
            ("https://c.example/moved", "https://b.example/x", "", True, None),
            ("https://a.example/1", "https://b.example/y", "why", True, moment(2 * DAY)),
        ]
        assert [check for check in index.check() if check.name == "counts" and not check.ok] == []
        index.store([visit("https://a.example/1", 3 * DAY, link("https://b.example/x"), author="Anna", words=7)])
        index.store([visit("https://a.example/new", 3 * DAY, outcome=Outcome.BLOCKED)])
        assert index.counts().links == 2
        assert [check for check in index.check() if check.name == "counts" and not check.ok] == []


def test_its_shape_is_that_of_a_new_one(old: Path, tmp_path: Path) -> None:
    open_index(f"sqlite:///{old}").close()
    open_index(f"sqlite:///{tmp_path}/new.db", create=True).close()

    def plain(columns: dict[str, set[tuple[object, ...]]]) -> object:
        # Columns that were added come last, so that their places differ.
        return {name: {row[:4] if name != "indexes" else row for row in rows} for name, rows in columns.items()}

    assert plain(shape(old)) == plain(shape(tmp_path / "new.db"))


def test_a_step_that_fails_leaves_all_as_it_was(old: Path) -> None:
    before = shape(old)
    db = sqlite3.connect(old, isolation_level=None)
    alter = sqlite3.SQLITE_ALTER_TABLE
    version = db.execute("PRAGMA user_version").fetchone()[0]
    db.set_authorizer(lambda action, *_: sqlite3.SQLITE_DENY if action == alter else sqlite3.SQLITE_OK)
    with pytest.raises(sqlite3.Error, match="not authorized"):
        migrate(db, version)
    db.close()
    assert shape(old) == before


def test_a_large_index_says_that_it_takes_a_while(
    old: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sqlite, "LARGE", 0)
    with closing(sqlite3.connect(old)) as db:
        (before,) = db.execute("PRAGMA user_version").fetchone()
    open_index(f"sqlite:///{old}").close()
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        f"is brought from format {before} to {VERSION}, once; that takes a while"
    ]
    open_index(f"sqlite:///{old}").close()
    assert len(caplog.records) == 1


def test_two_at_once_do_it_once(old: Path) -> None:
    one, other = (sqlite3.connect(old, isolation_level=None) for _ in range(2))
    migrate(one, 1)
    migrate(other, 1)  # it had looked at the version before the first one was done
    assert other.execute("PRAGMA user_version").fetchone() == (VERSION,)
    one.close()
    other.close()


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "i.db"
    open_index(f"sqlite:///{path}", create=True).close()
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.close()
    with pytest.raises(Incompatible, match="newer linkatlas"):
        open_index(f"sqlite:///{path}")
