"""An index that may only be read answers questions: in a folder that nobody may write to, or as a file that is read-only."""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from crawler.frontier import Budget, open_frontier
from crawler.job import begin
from crawler.scope import Scope
from interfaces.cli.main import main
from linkindex.store import open_index
from tests.linkindex.contract import link, visit
from tests.linkindex.example import HOME, fill

NOBODY = 65534
QUESTIONS = (
    *(
        "backlinks example.com --all",
        "domains example.com",
        "anchors example.com",
        "pages example.com",
        f"outlinks {HOME}",
    ),
    *("overview example.com", "changes example.com", f"history {HOME}", "broken example.com", "status"),
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that whoever has no rights may look into, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)
        Path(name).chmod(0o755)


@pytest.fixture
def index(folder: Path) -> Path:
    with open_index(f"sqlite:///{folder}/i.db", create=True) as index:
        fill(index)
    return folder / "i.db"


@contextmanager
def without_rights() -> Iterator[None]:
    """Be somebody whom the rights of files bind: they do not bind root."""
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if mine == 0:
            os.seteuid(mine)


def close(folder: Path, *, file: int, inside: int) -> None:
    for path in folder.iterdir():
        path.chmod(file)
    folder.chmod(inside)


def asked(line: str, index: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main([*shlex.split(line), "--index", f"sqlite:///{index}"])
    return code, *capsys.readouterr()


@pytest.mark.parametrize(
    ("file", "inside"), [(0o444, 0o755), (0o644, 0o555), (0o444, 0o555)], ids=["file", "folder", "both"]
)
def test_questions_are_answered_where_nothing_may_be_written(
    index: Path, file: int, inside: int, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = [asked(line, index, capsys) for line in QUESTIONS]
    assert {code for code, _, _ in answers} == {0}
    close(index.parent, file=file, inside=inside)
    before = sorted(index.parent.iterdir())
    with without_rights():
        assert [asked(line, index, capsys) for line in QUESTIONS] == answers
        assert sorted(index.parent.iterdir()) == before


@pytest.fixture
def frontier(index: Path) -> Path:
    place = index.with_name("i-frontier.db")
    with open_frontier(f"sqlite:///{place}") as frontier:
        begin(frontier, [HOME], Scope(), Budget(), 1.0)
    return place


@pytest.mark.parametrize(
    ("file", "inside"), [(0o444, 0o755), (0o644, 0o555), (0o444, 0o555)], ids=["file", "folder", "both"]
)
def test_the_frontier_beside_it_answers_too(
    index: Path, frontier: Path, file: int, inside: int, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ("status", f"why {HOME}", "nodes", "audit example.com", "reconcile --check")
    answers = [asked(line, index, capsys) for line in lines]
    assert '"discovered":1,' in answers[0][1]
    assert asked("doctor", index, capsys)[0] == asked("top --once", index, capsys)[0] == 0
    close(index.parent, file=file, inside=inside)
    before = sorted(index.parent.iterdir())
    with without_rights():
        assert [asked(line, index, capsys) for line in lines] == answers
        assert asked("doctor", index, capsys)[0] == asked("top --once", index, capsys)[0] == 0
        assert sorted(index.parent.iterdir()) == before


def test_what_would_write_to_the_frontier_says_that_it_may_not(
    index: Path, frontier: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    close(index.parent, file=0o444, inside=0o555)
    with without_rights():
        for line in ("hold a.test", "forget --queue-only example.com", "reconcile"):
            code, out, err = asked(line, index, capsys)
            assert (code, out) == (2, "")
            assert f"frontier {frontier}: it may not be written here" in err


def test_what_would_write_says_that_it_may_not(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for line in ("forget --run first", "classify", "compact"):
        copy = index.with_name("copy.db")
        shutil.copy(index, copy)
        assert main([*shlex.split(line), "--index", f"sqlite:///{copy}"]) == 0  # which also imports all that it needs
        copy.unlink()
    for left in index.parent.glob("copy*"):
        left.unlink()
    capsys.readouterr()
    close(index.parent, file=0o444, inside=0o555)
    with without_rights():
        for line in ("forget --run first", "classify", "compact"):
            code, out, err = asked(line, index, capsys)
            assert (code, out) == (2, "")
            assert "it may not be written here" in err


def test_what_was_written_last_is_read_too_while_a_crawl_writes(
    index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked("overview late.test", index, capsys)[0] == 0
    with open_index(f"sqlite:///{index}", create=True) as writer:
        writer.store([visit("https://a.test/", 1, link("https://late.test/"))])
        close(index.parent, file=0o444, inside=0o555)
        with without_rights():
            code, out, err = asked("backlinks late.test", index, capsys)
        assert (code, err) == (0, "")
        assert '"source":"https://a.test/"' in out
        index.parent.chmod(0o755)


def test_what_was_written_last_and_cannot_be_read_is_told(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked("overview example.com", index, capsys)[0] == 0
    with closing(sqlite3.connect(index)) as writer:
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("CREATE TABLE late (x)")
        kept = index.with_name("i.db-wal").read_bytes()
    index.with_name("i.db-wal").write_bytes(kept)  # as a copy of the folder may have it
    close(index.parent, file=0o444, inside=0o555)
    with without_rights():
        code, out, err = asked("overview example.com", index, capsys)
    assert (code, out) == (2, "")
    assert "what was written last is in i.db-wal" in err
