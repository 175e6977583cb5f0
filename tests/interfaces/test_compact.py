"""``linkatlas compact`` says how far it is and what it gave back; what stands in its way is one line."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from interfaces.cli.main import main
from linkindex.store import open_index
from linkindex.target import parse_target
from tests.crawls.command import run
from tests.linkindex.contract.compacting import wordy


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with an index, of which half has gone."""
    with open_index(f"sqlite:///{tmp_path}/linkatlas.db", create=True) as index:
        index.store(wordy(number) for number in range(200))
        for number in range(100):
            index.forget(parse_target(f"https://a{number}.test/"))
    return tmp_path


def size(place: Path) -> int:
    return (place / "linkatlas.db").stat().st_size


def test_it_tells_what_the_file_took_and_takes(place: Path) -> None:
    before = size(place)
    ran = run(place, "compact", "--format", "json")
    after = size(place)
    assert (ran.code, json.loads(ran.out)) == (
        0,
        {"before": before, "after": after, "given_back": before - after},
    )
    assert after < 0.8 * before
    lines = ran.err.splitlines()
    assert re.fullmatch(r"linkatlas: compacting words: \d+%", lines[0])
    assert lines[-1] == "linkatlas: compacting file: 0%"


def test_in_words_too_and_again(place: Path) -> None:
    line = r"\d\.\d MB before, \d\.\d MB after: (\d\.\d) MB given back\n"
    first, again = (run(place, "compact") for _ in range(2))
    (gave, then) = (re.fullmatch(line, ran.out) for ran in (first, again))
    assert gave is not None
    assert then is not None
    assert (float(gave[1]) > 0, float(then[1])) == (True, 0)


def test_an_index_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    ran = run(tmp_path, "compact")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert "linkatlas.db: no such file" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_another_programs_file_stays_as_it_is(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "linkatlas.db")) as db, db:
        db.execute("CREATE TABLE notes (text)")
        db.execute("INSERT INTO notes VALUES (zeroblob(100000))")
        db.execute("DELETE FROM notes")
    before = (tmp_path / "linkatlas.db").read_bytes()
    ran = run(tmp_path, "compact")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert "no linkatlas index" in ran.err
    assert (tmp_path / "linkatlas.db").read_bytes() == before


def test_an_earlier_format_is_brought_up_to_date_first(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "linkatlas.db")) as db:
        db.executescript((Path(__file__).parents[1] / "linkindex/formats/5.sql").read_text(encoding="utf-8"))
    ran = run(tmp_path, "compact")
    assert (ran.code, ran.out.count("\n")) == (0, 1), ran


def test_ctrl_c_is_what_it_was_afterwards(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    assert main(["compact", "--index", f"sqlite:///{place}/linkatlas.db"]) == 0
    assert signal.getsignal(signal.SIGINT) is before
    assert capsys.readouterr().out
