"""The SQLite index keeps the contract, and what is its own: cheap confirmation, other files left alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from linkindex import urls
from linkindex.errors import BadInput, Incompatible, Unavailable
from linkindex.store import Selection, open_index
from linkindex.store.sqlite import bundles, compacting, dictionaries, groups, ids, ordering, recency, sites, sources
from linkindex.store.sqlite.ids import URL_MASK
from linkindex.target import parse_target
from tests.linkindex.contract import IndexContract, Places, link, visit
from tests.linkindex.contract.leading import Leading
from tests.linkindex.contract.making import found
from tests.linkindex.contract.ordering import Ordering
from tests.linkindex.histories import HistoriesContract


class Files(Places):
    """Each index is a file."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Callable[[], str]:
        numbers = count()
        return lambda: f"sqlite:///{tmp_path}/{next(numbers)}.db"


class Large(Files):
    """Every target counts as one with many links: bundles are asked, and pages are walked by time. Dictionaries are trained."""

    @pytest.fixture(autouse=True)
    def no_few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(groups, "FEW", 0)
        monkeypatch.setattr(recency, "FEW_OF_GROUP", 0)
        monkeypatch.setattr(sites, "_DOMAINS", 1)
        monkeypatch.setattr(bundles, "FEW", 1)
        monkeypatch.setattr(dictionaries, "FIRST", 10)
        monkeypatch.setattr(dictionaries, "TIMES", 2)
        monkeypatch.setattr(compacting, "SHARE", 2)
        monkeypatch.setattr(compacting, "TOGETHER", 7)


class TestSqliteIndex(Files, IndexContract):
    pass


class TestLargeSqliteIndex(Large, IndexContract):
    pass


class TestBeyondTheLimitsOfWalks(Large, Ordering, Leading):
    """Every link is looked at in the end, for the quick ways give up at once."""

    @pytest.fixture(autouse=True)
    def no_walk(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ordering, "MOST_PAGES", 0)
        monkeypatch.setattr(sources, "MOST_BESIDE", 0)
        monkeypatch.setattr(groups, "MOST_BUNDLES", 0)


class TestSqliteHistories(Files, HistoriesContract):
    pass


class TestLargeSqliteHistories(Large, HistoriesContract):
    pass


def test_an_unchanged_page_writes_one_row(tmp_path: Path) -> None:
    path = tmp_path / "i.db"
    with open_index(f"sqlite:///{path}", create=True) as index:
        links = [link(f"https://b{number}.test/") for number in range(50)]
        index.store([visit("https://a.test/", 1000, *links)])
        changes = index._db.total_changes  # type: ignore[attr-defined]
        index.store([visit("https://a.test/", 2000, *links)])
        assert index._db.total_changes - changes == 1  # type: ignore[attr-defined]


def test_counts_that_are_wrong_are_told_and_counted_anew(tmp_path: Path) -> None:
    path = tmp_path / "i.db"
    with open_index(f"sqlite:///{path}", create=True) as index:
        index.store([visit("https://a.test/", 1, link("https://b.test/"), link("https://c.test/"))])
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(
            "UPDATE bundle SET live = 7, heads = 3 WHERE to_domain = (SELECT id FROM domain WHERE name = 'b.test')"
        )
    with open_index(f"sqlite:///{path}") as index:
        (wrong,) = (check for check in index.check() if not check.ok)
    assert wrong.found == "1 of 2 bundles count wrong"
    statement = wrong.remedy.split("'")[1]
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(statement)
    with open_index(f"sqlite:///{path}") as index:
        assert all(check.ok for check in index.check())
        assert [group.links for group in index.groups(Selection(target=parse_target("b.test")), "")] == [1]


@pytest.mark.parametrize("damage", ["outgoing SET internal", "outgoing SET bundles", "around SET words"])
def test_checks_tell_what_cannot_be_unpacked(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "i.db"
    with open_index(f"sqlite:///{path}", create=True) as index:
        pages = [f"https://a.test/{number}" for number in range(9)]
        index.store([visit(page, 1, link("https://b.test/"), link("https://a.test/in")) for page in pages])
        assert all(check.ok for check in index.check())
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"UPDATE {damage} = x'c1' WHERE page = 4")
    with open_index(f"sqlite:///{path}") as index:
        (wrong,) = (check for check in index.check() if not check.ok)
        assert (wrong.name, wrong.found.count("1 hold"), "forget" in wrong.remedy) == ("packed", 1, True)
        assert "https://a.test/3," in wrong.remedy
        if "bundles" not in damage:  # which say where the links are
            index.forget(parse_target("https://a.test/3"))
            assert all(check.ok for check in index.check())


def test_a_reader_sees_whole_batches_while_a_writer_writes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/i.db"
    with open_index(url, create=True) as writer, open_index(url) as reader:
        writer.store([visit("https://a.test/", 1, link("https://b.test/"))])
        assert reader.counts().links == 1


def test_bundles_whose_hashes_are_one_have_numbers_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "_mix", lambda _: 0)
    with open_index(f"sqlite:///{tmp_path}/i.db", create=True) as index:
        texts = [f"{number}" for number in range(9)]
        for at in (1, 2):
            index.store([visit(f"https://a.test/{at}", at, *(link("https://b.test/", text) for text in texts))])
        assert {row.anchor: row.links for row in found(index, "b.test", per="similar")} == dict.fromkeys(texts, 2)


def test_names_that_are_not_remembered_any_more_are_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "REMEMBERED", 6)
    with open_index(f"sqlite:///{tmp_path}/i.db", create=True) as index:
        for number in range(30):  # each links to the one that is visited next
            index.store([visit(f"https://a{number}.test/", 1, link(f"https://a{number + 1}.test/"))])
            for page in range(number % 7):
                index.store([visit(f"https://a{number}.test/{page}", 1)])
        assert (index.counts().links, index.counts().domains) == (30, 30)


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


def test_an_index_that_went_is_told_and_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "i.db"
    open_index(f"sqlite:///{path}", create=True).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP INDEX lead_to")
        db.execute("DROP VIEW backlinks")
    with open_index(f"sqlite:///{path}") as index:
        told = {check.name: (check.found, check.remedy) for check in index.check() if not check.ok}
        remedy = "it is made anew when a crawl opens the index"
        assert told == {"index lead_to": ("missing", remedy), "view backlinks": ("missing", remedy)}
    with open_index(f"sqlite:///{path}", create=True) as index:
        assert [check for check in index.check() if not check.ok] == []


def test_urls_whose_hashes_are_alike_are_two_even_when_one_is_forgotten(tmp_path: Path) -> None:
    one, other = next(alike("https://b.test/"))
    with open_index(f"sqlite:///{tmp_path}/i.db", create=True) as index:
        index.store([visit("https://a.test/1", 1, link(one)), visit("https://a.test/2", 1, link(other, "other"))])
        for url, source in ((one, "https://a.test/1"), (other, "https://a.test/2")):
            assert [row.source for row in found(index, url)] == [source]
        index.forget(parse_target("https://a.test/1"))
        index.store([visit("https://a.test/3", 1, link(other))])
        assert [row.source for row in found(index, other)] == ["https://a.test/2", "https://a.test/3"]
        assert found(index, one) == []


def alike(site: str) -> Iterator[tuple[str, str]]:
    """Yield pairs of URLs that would have the same number."""
    met: dict[int, str] = {}
    for number in range(1 << 20):
        url = f"{site}{number}"
        before = met.setdefault(urls.key(url) & URL_MASK, url)
        if before != url:
            yield before, url


def test_the_views_tell_what_other_programs_ask(tmp_path: Path) -> None:
    path = tmp_path / "i.db"
    with open_index(f"sqlite:///{path}", create=True) as index:
        index.store(
            [visit("https://www.a.test/", 1000, link("https://b.test/x", "words"), link("http://b.test/y", ""))]
        )
        index.store([visit("https://www.a.test/", 2000, link("https://b.test/x", "words"))])
    with closing(sqlite3.connect(path)) as db:
        columns = "source, source_domain, target, target_domain, anchor, follow, first_seen, last_seen, doubt"
        assert db.execute(f"SELECT {columns} FROM backlinks").fetchall() == [
            (
                *("https://www.a.test/", "a.test", "https://b.test/x", "b.test", "words", 1),
                *("1970-01-01T00:00:01.000Z", "1970-01-01T00:00:02.000Z", None),
            )
        ]
        domains = "SELECT target_domain, domain, backlinks, follow, nofollow FROM referring_domains"
        assert db.execute(domains).fetchall() == [("b.test", "a.test", 1, 1, 0)]


def test_an_index_that_another_program_holds_is_away_not_wrong(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/i.db"
    open_index(url, create=True).close()
    with closing(sqlite3.connect(tmp_path / "i.db", isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Unavailable, match="locked; try again"):
            open_index(url, wait=0.01)


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
    before = path.read_bytes()
    with pytest.raises(Incompatible, match="no linkatlas index"):
        open_index(f"sqlite:///{path}")
    with pytest.raises(Incompatible, match="no linkatlas index"):
        open_index(f"sqlite:///{path}", create=True)
    assert path.read_bytes() == before


class TestAsked(Large):
    """While somebody writes."""

    def test_groups_and_profiles_are_of_one_moment(
        self, place: Callable[[], str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = place()
        with open_index(url, create=True) as writer, open_index(url) as reader:
            writer.store([visit(f"https://a{n}.test/", 1, link("https://b.test/")) for n in range(3)])
            after = iter(range(2, 99))

            def store(*_: object) -> bool:  # between two queries of one answer
                writer.store([visit(f"https://a{n}.test/", next(after)) for n in range(3)])
                writer.store([visit(f"https://a{n}.test/", next(after), link("https://b.test/")) for n in range(2)])
                return True

            monkeypatch.setattr(groups.Groups, "_is_large", store)
            assert [group.links for group in reader.groups(Selection(target=parse_target("b.test")), "domain", 5)] == [
                1,
                1,
                1,
            ]
            whole = reader.profile(Selection(target=parse_target("b.test"))).whole
            assert whole is not None and (whole.links, whole.sources) == (2, 2)
