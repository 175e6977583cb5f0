"""Words of pages are read whichever dictionary they were packed with, whoever trained it and when; SQLite."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import msgspec
import pytest
from backports import zstd

from linkindex.errors import Incompatible, Unavailable
from linkindex.model import Link, Visit
from linkindex.store import LinkIndex, open_index
from linkindex.store.sqlite import dictionaries
from linkindex.store.sqlite.packing import Around, flatten, unflatten
from linkindex.target import parse_target
from tests.linkindex.contract import link, visit
from tests.linkindex.contract.making import found

FIRST = 50
SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu".split()


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dictionary is trained on few pages, and is small."""
    monkeypatch.setattr(dictionaries, "FIRST", FIRST)
    monkeypatch.setattr(dictionaries, "TIMES", 3)
    monkeypatch.setattr(dictionaries, "SIZE", 4096)


def text(dice: random.Random) -> str:
    return " ".join("".join(dice.choices(SYLLABLES, k=3)) for _ in range(8))


def page(number: int, at: int = 1) -> Visit:
    dice = random.Random(number * 1000 + at)
    links = [
        link(f"https://b.test/{number}/{n}", str(at), text_before=text(dice), text_after=text(dice), heading=text(dice))
        for n in range(3)
    ]
    return visit(f"https://a{number}.test/", at, *links, description=text(dice))


def shown(index: LinkIndex) -> dict[str, tuple[str, str, str]]:
    return {row.target: (row.text_before, row.text_after, row.heading) for row in found(index, "b.test")}


def stored(numbers: range, at: int = 1) -> dict[str, tuple[str, str, str]]:
    links: Iterator[Link] = (one for number in numbers for one in page(number, at).links)
    return {one.target: (one.text_before, one.text_after, one.heading) for one in links}


def names_of(path: Path) -> list[int]:
    """Return which dictionary the words of each page name, in their order."""
    with closing(sqlite3.connect(path)) as db:
        return [zstd.get_frame_info(words).dictionary_id for (words,) in db.execute("SELECT words FROM around")]


def trained(path: Path) -> list[tuple[int, int]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT id, pages FROM dictionary ORDER BY pages").fetchall()


def test_one_is_trained_on_the_first_pages_and_the_next_when_they_are_many_times_as_many(tmp_path: Path) -> None:
    path = tmp_path / "i.db"
    with open_index(f"sqlite:///{path}", create=True) as index:
        for begin in range(0, 200, 10):
            index.store(page(number) for number in range(begin, begin + 10))
        assert shown(index) == stored(range(200))
        assert all(check.ok for check in index.check() if check.name == "dictionaries")
    (first, at_first), (second, at_second) = trained(path)
    assert (at_first, at_second) == (50, 150)
    assert names_of(path) == [0] * 50 + [first] * 100 + [second] * 50
    with closing(sqlite3.connect(path)) as db:
        sizes = [size for (size,) in db.execute("SELECT length(words) FROM around")]
    assert sum(sizes[50:100]) < 0.8 * sum(sizes[:50])


def test_whoever_opened_the_index_before_reads_and_writes_with_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/i.db"
    with open_index(url, create=True) as one, open_index(url) as other, open_index(url) as reader:
        one.store(map(page, range(40)))
        other.store(map(page, range(40, 50)))  # the other trains it
        one.store(map(page, range(50, 60)))
        assert shown(reader) == stored(range(60))
        one.store(page(number, 2) for number in range(5))  # what was packed before is read, and packed anew
        assert shown(reader) == stored(range(5, 60)) | stored(range(5), 2)
    ((number, pages),) = trained(tmp_path / "i.db")
    assert pages == 50
    assert names_of(tmp_path / "i.db") == [number] * 5 + [0] * 45 + [number] * 10


def test_one_that_was_taken_back_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "i.db"
    with open_index(f"sqlite:///{path}", create=True) as index:
        index.store(map(page, range(40)))
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("CREATE TRIGGER full AFTER INSERT ON dictionary BEGIN SELECT raise(ABORT, 'disk is full'); END")
        with pytest.raises(Unavailable, match="disk is full"):
            index.store(map(page, range(40, 50)))
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("DROP TRIGGER full")
        index.store(map(page, range(45)))
        index.store(map(page, range(45, 60)))
        index.store(map(page, range(60, 70)))
        assert shown(index) == stored(range(70))
    ((number, pages),) = trained(path)
    assert pages == 60
    assert names_of(path) == [0] * 60 + [number] * 10


def test_pages_without_words_train_none_until_they_are_many_times_as_many(tmp_path: Path) -> None:
    path = tmp_path / "i.db"
    with open_index(f"sqlite:///{path}", create=True) as index:
        index.store(visit(f"https://c{n}.test/", 1, link("https://b.test/"), description="same") for n in range(5))
        index.store(visit(f"https://d{n}.test/", 1) for n in range(100))
        index.store([visit("https://e.test/", 1, description="last")])
        assert trained(path) == [(0, 106)]
        index.store(map(page, range(220)))
        assert [(bool(number), pages) for number, pages in trained(path)] == [(False, 106), (True, 326)]
        index.forget(parse_target("a7.test"))
        assert len(trained(path)) == 2
        assert {target: words for target, words in shown(index).items() if any(words)} == stored(range(7)) | stored(
            range(8, 220)
        )


def test_a_description_that_changes_leaves_the_words_around_links(tmp_path: Path) -> None:
    before, after = page(1), page(1, 2)
    changed = msgspec.structs.replace(after, links=before.links)
    with open_index(f"sqlite:///{tmp_path}/i.db", create=True) as index:

        def told() -> list[str]:
            return [row.description for row in index.pages(parse_target("a1.test"))]

        index.store([before])
        assert told() == [before.description]
        index.store([changed])
        assert (told(), shown(index)) == ([after.description], stored(range(1, 2)))
        index.store([msgspec.structs.replace(after, at=3)])
        assert (told(), shown(index)) == ([after.description], stored(range(1, 2), 2))
        index.store([visit("https://a1.test/", 4)])
        assert told() == [""]


def test_an_index_of_format_5_gets_one_and_all_its_words_are_packed_with_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, texts = tmp_path / "i.db", {number: text(random.Random(number)) for number in range(3, 103)}
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript((Path(__file__).parent / "formats/5.sql").read_text())
        tables = ("page", "fact", "outgoing", "around")
        for table in tables:
            names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")][1:]
            copied = ", ".join("1 << 28 | ?1" if name == "url" else name for name in names)
            key = "id" if table == "page" else "page"
            copy = f"INSERT INTO {table} SELECT ?1, {copied} FROM {table} WHERE {key} = 1"
            db.executemany(copy, [(number,) for number in texts])
        db.executemany("INSERT INTO url VALUES (1 << 28 | ?1, 3, '/' || ?1)", [(number,) for number in texts])
        words = {number: {0: (0, 700, told, told, "")} for number, told in texts.items()}
        packed = [(zstd.compress(msgspec.msgpack.encode(of_page)), number) for number, of_page in words.items()]
        db.executemany("UPDATE around SET words = ? WHERE page = ?", packed)
        db.execute("UPDATE around SET words = 'no words' WHERE page = 77")
        db.execute("UPDATE fact SET description = x'ff' WHERE page = 2")
        db.executemany(
            "UPDATE fact SET description = ? WHERE page = ?", [(told, number) for number, told in texts.items()]
        )
    with open_index(f"sqlite:///{path}") as index:
        assert {row.description for row in index.pages(parse_target("a.example"))} == {"", *texts.values()}
        assert [row.text_before for row in found(index, "b.example") if row.anchor] == ["what stands before"]
        unpack = index._unpack  # type: ignore[attr-defined]
        with closing(sqlite3.connect(path)) as db:
            around = {number: unpack(packed).links for number, packed in db.execute("SELECT page, words FROM around")}
    assert {number: around[number] for number in texts} == {
        number: {0: (0, 0.7, told, told, "")} if number != 77 else {} for number, told in texts.items()
    }
    assert [record.getMessage() for record in caplog.records] == [
        "the words of 2 pages cannot be read, and are left out"
    ]
    ((number, _),) = trained(path)
    assert set(names_of(path)) == {number}


@pytest.mark.parametrize(
    "around",
    [
        Around(),
        Around("described"),
        Around("", {3: (1, 0.7, "before", "after", "")}),
        Around("two\nlines", {0: (0, 0.0, "", "", ""), 7: (9, 1.0, "a\nb", "", "\n")}),
        Around("two\nlines"),
    ],
)
def test_words_come_back_as_they_were(around: Around) -> None:
    plain = flatten(around)
    assert (unflatten(plain) if plain else Around()) == around


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("DELETE FROM dictionary", "which is not here"),
        ("UPDATE dictionary SET content = zeroblob(4096)", "invalid Zstandard dictionary"),
        ("UPDATE dictionary SET content = substr(content, 1, 40)", "dictionary"),
        ("UPDATE dictionary SET content = 7", "bytes-like"),
        ("UPDATE around SET words = substr(words, 1, length(words) - 9)", "cut off"),
    ],
)
def test_damage_is_told(damage: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "i.db"
    with open_index(f"sqlite:///{path}", create=True) as index:
        index.store(map(page, range(FIRST)))
        index.store(map(page, range(FIRST, 60)))
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(damage)
    with open_index(f"sqlite:///{path}") as index:
        with pytest.raises(Incompatible, match=told):
            shown(index)
        with suppress(Incompatible):
            index.store([page(1, 2), page(70)])
        checks = {check.name: check for check in index.check()}
        assert checks["dictionaries"].ok == (not damage.startswith("UPDATE dictionary"))
        assert not checks["packed"].ok


def test_words_that_swell_take_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dictionaries, "MOST", 1 << 20)
    path = tmp_path / "i.db"
    with open_index(f"sqlite:///{path}", create=True) as index:
        index.store([page(1)])
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE around SET words = ?", (zstd.compress(bytes(2 << 20)),))
    with open_index(f"sqlite:///{path}") as index, pytest.raises(Incompatible, match="cut off"):
        shown(index)


def test_one_that_cannot_be_trained_takes_no_place(tmp_path: Path) -> None:
    """Most of what the first was trained on has been forgotten, and what came since has hardly a word."""
    path = tmp_path / "i.db"
    with open_index(f"sqlite:///{path}", create=True) as index:
        index.store(map(page, range(50)))
        for number in range(50):
            index.forget(parse_target(f"a{number}.test"))
        index.store(visit(f"https://d{n}.test/", 1) for n in range(150))
        index.store([visit("https://e.test/", 1, description="last")])
        ((first, _), (none, _)) = trained(path)
        assert (bool(first), none) == (True, 0)
        index.store([page(60)])
        assert shown(index) == stored(range(60, 61))
    assert names_of(path) == [first, first]
