"""What compaction does to a SQLite index: beside writers and readers, killed at any point, on a disk that is too small."""

from __future__ import annotations

import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import msgspec
import pytest
from backports import zstd

from linkindex.errors import Unavailable
from linkindex.store import Compacted, LinkIndex, open_index
from linkindex.store.sqlite import SqliteIndex, compacting, dictionaries
from linkindex.target import parse_target
from tests.crawls.command import command, environment
from tests.crawls.test_index_away import small_disk
from tests.linkindex.contract.compacting import everything, wordy
from tests.linkindex.contract.making import DAY, found, visit
from tests.linkindex.test_migrations import FORMATS
from tests.linkindex.test_trials import agrees, is_whole
from tests.linkindex.writer import ROOT, Writer

PAGES = 120


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few words are enough for a dictionary, and those of ingest are small."""
    monkeypatch.setattr(compacting, "SHARE", 4)
    monkeypatch.setattr(compacting, "TOGETHER", 20)
    monkeypatch.setattr(dictionaries, "FIRST", 50)
    monkeypatch.setattr(dictionaries, "TIMES", 3)
    monkeypatch.setattr(dictionaries, "SIZE", 4096)


def fill(index: LinkIndex, numbers: range, at: int = DAY) -> None:
    for begin in range(numbers.start, numbers.stop, 10):
        index.store(wordy(number, at) for number in range(begin, min(begin + 10, numbers.stop)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An index with pages, of which some have gone."""
    path = tmp_path / "i.db"
    with open_index(f"sqlite:///{path}", create=True) as index:
        fill(index, range(PAGES))
        for number in range(0, PAGES, 5):
            index.forget(parse_target(f"a{number}.test"))
    return path


def compacted(path: Path) -> Compacted:
    with open_index(f"sqlite:///{path}") as index:
        return list(index.compact())[-1]


def told(path: Path) -> list[object]:
    with open_index(f"sqlite:///{path}") as index:
        return everything(index)


def rows(path: Path) -> dict[str, list[object]]:
    """Return all that an index holds, unpacked."""
    with SqliteIndex.open(str(path)) as index:
        tables = index._all(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('around', 'dictionary')"
        )
        held = {name: index._all(f"SELECT * FROM {name}") for (name,) in tables}  # noqa: S608
        words = index._all("SELECT page, words FROM around ORDER BY page")
        return held | {"around": [(page, index._unpack(packed)) for page, packed in words]}


def packed_with(path: Path) -> Counter[int]:
    """Return how many pages have words that name each dictionary."""
    with closing(sqlite3.connect(path)) as db:
        return Counter(zstd.get_frame_info(words).dictionary_id for (words,) in db.execute("SELECT words FROM around"))


def trained(path: Path, condition: str) -> list[tuple[int, int, bytes]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(f"SELECT id, pages, content FROM dictionary WHERE {condition} ORDER BY pages").fetchall()  # noqa: S608


def ours(path: Path) -> list[int]:
    return [number for number, _, _ in trained(path, "pages = 0")]


def test_words_get_smaller_and_the_file_has_no_gaps(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        (before,) = db.execute("SELECT sum(length(words)) FROM around").fetchone()
        assert db.execute("PRAGMA freelist_count").fetchone()[0]
    size = path.stat().st_size
    last = compacted(path)
    assert (last.before, last.after) == (size, path.stat().st_size)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT sum(length(words)) FROM around").fetchone()[0] < 0.8 * before
        assert db.execute("PRAGMA freelist_count").fetchone() == (0,)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    (number,) = ours(path)
    assert packed_with(path)[number] == PAGES * 4 // 5
    is_whole(path)


def test_ingest_goes_on_with_the_dictionaries_that_it_would_have_had(tmp_path: Path) -> None:
    paths = [tmp_path / "compacted.db", tmp_path / "not.db"]
    for path in paths:
        with open_index(f"sqlite:///{path}", create=True) as index:
            fill(index, range(60))
            if path == paths[0]:
                list(index.compact())
            fill(index, range(60, 200))
    expected = trained(paths[1], "pages > 0")
    assert [pages for _, pages, _ in expected] == [50, 150]
    assert trained(paths[0], "pages > 0") == expected
    first, second = (number for number, _, _ in expected)
    assert packed_with(paths[0]) == {ours(paths[0])[0]: 60, first: 90, second: 50}


def test_the_next_one_packs_only_what_came_since(path: Path) -> None:
    compacted(path)
    (number,) = ours(path)
    with open_index(f"sqlite:///{path}") as index:
        fill(index, range(PAGES, PAGES + 10))
        before = index._db.total_changes  # type: ignore[attr-defined]
        list(index.compact())
        assert index._db.total_changes - before == 10  # type: ignore[attr-defined]
    assert ours(path) == [number]
    assert packed_with(path)[number] == PAGES * 4 // 5 + 10


def test_words_that_have_become_others_are_packed_with_another(path: Path) -> None:
    compacted(path)
    (first,) = ours(path)
    upper = (
        msgspec.structs.replace(
            page,
            links=tuple(
                msgspec.structs.replace(link, text_before=link.text_before.upper(), text_after=link.text_after.upper())
                for link in page.links
            ),
        )
        for page in (wordy(number) for number in range(PAGES, 4 * PAGES))
    )
    with open_index(f"sqlite:///{path}") as index:
        index.store(upper)
        before = everything(index)
        list(index.compact())
        assert everything(index) == before
    (second,) = {*ours(path)} - {first}
    assert packed_with(path)[second] > 3 * PAGES


def test_words_that_cannot_be_read_stay_as_they_are(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE around SET words = 'no words' WHERE page = 7")
        db.execute("UPDATE around SET words = substr(words, 1, 40) WHERE page = 8")
        rows = db.execute("SELECT words FROM around WHERE page IN (7, 8)").fetchall()
    compacted(path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT words FROM around WHERE page IN (7, 8)").fetchall() == rows


def test_pages_without_words_are_compacted_too(tmp_path: Path) -> None:
    path = tmp_path / "i.db"
    with open_index(f"sqlite:///{path}", create=True) as index:
        index.store(visit(f"https://a.test/{number}", 1) for number in range(500))
        index.forget(parse_target("https://a.test/4*"))
    last = compacted(path)
    assert last.after < last.before
    assert trained(path, "pages = 0") == []


@pytest.mark.parametrize("old", FORMATS, ids=lambda path: path.stem)
def test_an_index_of_an_earlier_format_is_brought_up_to_date_first(old: Path, tmp_path: Path) -> None:
    for name in ("one.db", "other.db"):
        with closing(sqlite3.connect(tmp_path / name)) as db:
            db.executescript(old.read_text(encoding="utf-8"))
    compacted(tmp_path / "one.db")
    assert told(tmp_path / "one.db") == told(tmp_path / "other.db")


# ---- beside others


def test_what_is_stored_while_words_are_packed_stays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smaller = SqliteIndex._smaller
    with open_index(f"sqlite:///{path}") as index, open_index(f"sqlite:///{path}") as writer:
        late = iter([wordy(7, 2 * DAY)])

        def store_and_pack(*arguments: object) -> bytes | None:  # what was read is about to be packed
            writer.store(late)
            return smaller(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(SqliteIndex, "_smaller", store_and_pack)
        list(index.compact())
        (row,) = index.pages(parse_target("a7.test"))
        assert row.description == wordy(7, 2 * DAY).description != wordy(7).description


def test_readers_go_on_while_the_file_is_written_and_writers_wait(path: Path) -> None:
    url = f"sqlite:///{path}"
    before = told(path)
    seen: list[object] = []
    with SqliteIndex.open(str(path)) as index, open_index(url) as reader, open_index(url, wait=0.001) as writer:

        def look() -> int:
            if not seen:
                seen.append(everything(reader))
                with pytest.raises(Unavailable, match="locked"):
                    writer.store([wordy(PAGES)])
            return 0

        for step in index.compact():
            if step.part == "file" and not step.done:
                index._db.set_progress_handler(look, 1000)  # of SQLite's steps: among those of VACUUM
        writer.store([wordy(PAGES)])
        assert seen == [before]
        assert f"https://a{PAGES}.test/" in {page.url for page in reader.visited()}


def test_what_others_read_keeps_room_and_that_is_told(path: Path) -> None:
    url = f"sqlite:///{path}"
    with open_index(url, wait=0.01) as index, closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        count = reader.execute("SELECT count(*) FROM page").fetchone()
        with pytest.raises(Unavailable, match="MB stay in its log while others read"):
            list(index.compact())
        assert reader.execute("SELECT count(*) FROM page").fetchone() == count
        reader.execute("COMMIT")
        list(index.compact())
        assert not path.with_name("i.db-wal").stat().st_size
    is_whole(path)


def test_a_writer_and_a_reader_beside_compactions_that_are_killed_lose_nothing(tmp_path: Path) -> None:
    path, count, dice = tmp_path / "i.db", 200, random.Random(1)
    with Writer(f"sqlite:///{path}", 5, count, tmp_path) as writer:
        assert writer.wait_for(5)
        over, answers = threading.Event(), []

        def ask() -> None:
            with open_index(f"sqlite:///{path}") as reader:
                while not over.is_set():
                    answers.append(len(found(reader, "b0.test", state="all")))

        reader = threading.Thread(target=ask)
        reader.start()
        try:
            for _ in range(6):
                with subprocess.Popen(
                    [*command("compact", "--index", f"sqlite:///{path}")], cwd=ROOT, env=environment()
                ) as one:
                    time.sleep(0.2 + dice.random())
                    one.kill()
            writer.end()
        finally:
            over.set()
            reader.join()
        assert writer.refused == []
    assert answers
    is_whole(path)
    with open_index(f"sqlite:///{path}") as index:
        agrees(index, 5, count)
        list(index.compact())
        agrees(index, 5, count)


def test_two_at_once_do_no_harm(path: Path) -> None:
    before = told(path)
    line = command("compact", "--index", f"sqlite:///{path}")
    both = [
        subprocess.Popen(
            line, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for one in both:
        _, err = one.communicate()
        assert one.returncode == 0, err
    assert told(path) == before
    is_whole(path)


# ---- killed


def killed(path: Path, *arguments: object) -> int:
    compactor = [sys.executable, "-m", "tests.linkindex.compactor", str(path), *map(str, arguments)]
    return subprocess.run(compactor, cwd=ROOT, env=environment(), check=False).returncode


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index that takes several transactions to be packed."""
    path = tmp_path_factory.mktemp("wide") / "i.db"
    with open_index(f"sqlite:///{path}", create=True) as index:
        for begin in range(0, 1500, 500):
            index.store(wordy(number) for number in range(begin, begin + 500))
    return path


@pytest.mark.parametrize(
    ("when", "most"),
    [
        (("--before", "INSERT OR REPLACE INTO dictionary", 1), 0),
        (("--before", "UPDATE around", 3), 0),
        (("--before", "COMMIT", 2), 0),  # the first was that of the dictionary
        (("--before", "COMMIT", 4), 1000),
        (("--before", "VACUUM", 1), 1500),
        (("--steps", 1000), 1500),
        (("--steps", 10_000), 1500),
        (("--before", "PRAGMA wal_checkpoint", 1), 1500),  # the new file is in the log, and not in its place
    ],
    ids=lambda when: " ".join(map(str, when)) if isinstance(when, tuple) else "",
)
def test_killed_at_any_point_it_goes_on(wide: Path, tmp_path: Path, when: tuple[object, ...], most: int) -> None:
    path = Path(shutil.copy(wide, tmp_path))
    before = rows(path)
    assert killed(path, *when) == -signal.SIGKILL
    is_whole(path)
    assert rows(path) == before
    dictionary = ours(path)
    assert sum(packed_with(path)[number] for number in dictionary) <= most
    assert killed(path) == 0
    (number,) = ours(path)
    assert dictionary in ([], [number])  # it goes on with the one that it had
    assert packed_with(path)[number] == 1500
    assert rows(path) == before
    is_whole(path)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_killed_while_the_new_file_is_written_into_the_log(wide: Path, tmp_path: Path, share: float) -> None:
    path = Path(shutil.copy(wide, tmp_path))
    before = rows(path)
    assert killed(path) == 0
    size = path.stat().st_size
    assert killed(path, "--log", round(share * size)) == -signal.SIGXFSZ
    assert path.with_name("i.db-wal").stat().st_size > (share - 0.1) * size
    is_whole(path)
    assert rows(path) == before
    assert killed(path) == 0
    assert path.stat().st_size == size
    assert rows(path) == before


def test_a_damaged_file_stays_as_it_is(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        (page,) = db.execute("SELECT max(pageno) FROM dbstat WHERE name = 'link' AND pagetype = 'leaf'").fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(bytes(size))
    with pytest.raises(Unavailable, match="malformed; linkatlas doctor tells more"):
        compacted(path)
    with path.open("rb") as file:
        file.seek((page - 1) * size)
        assert not any(file.read(size))


# ---- room


@pytest.fixture(scope="module")
def large(wide: Path) -> Path:
    """The same, grown to 3 MB."""
    path = Path(shutil.copy(wide, wide.with_name("large.db")))
    with open_index(f"sqlite:///{path}") as index:
        index.store(wordy(number) for number in range(1500, 4000))
    assert path.stat().st_size > 3e6
    return path


@pytest.mark.parametrize("named", ["", "it's", "no such folder"])
def test_the_file_is_made_anew_beside_it_or_where_somebody_said(
    large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    path = Path(shutil.copy(large, tmp_path))
    (tmp_path / "it's").mkdir()
    monkeypatch.setenv("SQLITE_TMPDIR", named and str(tmp_path / named))
    seen: set[Path] = set()

    def look() -> int:
        opened = (one.readlink() for one in Path("/proc/self/fd").iterdir() if one.is_symlink())
        seen.update(one.parent for one in opened if one.name.startswith("etilqs"))
        return 0

    with SqliteIndex.open(str(path)) as index:
        index._db.execute("PRAGMA cache_size = 10")  # pages: what has no room there is written
        index._db.set_progress_handler(look, 10_000)
        list(index.compact())
    assert seen == {tmp_path / "it's" if named == "it's" else tmp_path}
    with closing(sqlite3.connect(":memory:")) as db:
        assert db.execute("PRAGMA temp_store_directory").fetchall() == []


@pytest.fixture
def tight(large: Path, tmp_path: Path) -> Iterator[Path]:
    """An index of 3 MB on a disk of 8."""
    with small_disk(tmp_path) as disk:
        yield Path(shutil.copy(large, disk))


def test_a_disk_that_is_too_small_is_told_and_nothing_is_changed(
    tight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tight.read_bytes()
    with pytest.raises(Unavailable) as refused:
        compacted(tight)
    says = rf"index {tight}: compacting it takes [\d.]+ MB in {tight.parent}, and [\d.]+ MB are free; make room, or .*"
    assert re.fullmatch(says, str(refused.value))
    assert tight.read_bytes() == before
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))  # as it says
    last = compacted(tight)
    assert last.after < last.before


def test_a_disk_that_fills_meanwhile_loses_nothing(
    tight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    before, ballast = rows(tight), tight.with_name("ballast")

    def take_all(statement: str) -> None:
        if statement == "VACUUM":  # there was room when it looked
            with suppress(OSError), ballast.open("wb", buffering=0) as file:
                while file.write(bytes(1 << 12)):
                    pass

    with SqliteIndex.open(str(tight)) as index:
        index._db.set_trace_callback(take_all)
        with pytest.raises(Unavailable, match="is full; nothing was lost, run the same command again"):
            list(index.compact())
    assert ballast.stat().st_size
    ballast.unlink()
    is_whole(tight)
    assert rows(tight) == before
    last = compacted(tight)
    assert last.after < last.before
    assert rows(tight) == before
