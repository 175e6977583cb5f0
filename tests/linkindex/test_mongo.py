"""The MongoDB index keeps the contract, and what is its own."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from linkindex.answers.overview import overview
from linkindex.answers.rows import moment
from linkindex.errors import BadInput, Incompatible, Unavailable
from linkindex.model import Link, Outcome
from linkindex.relevance import pack
from linkindex.store import Selection, open_index
from linkindex.store.mongo import large
from linkindex.store.mongo.place import Place
from linkindex.store.mongo.records import PairRecord, Strange
from linkindex.store.mongo.selecting import Found, Selected
from linkindex.target import parse_target
from tests.linkindex.contract import DAY, IndexContract, found, link, redirect, selected, visit
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


class Counted(OnMongo):
    """Every domain counts as a large one as soon as it is linked."""

    @pytest.fixture(autouse=True)
    def _all_are_large(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("linkindex.store.mongo.large.MANY", 1)
        monkeypatch.setattr("linkindex.store.mongo.writes._LOOKS", 1)
        monkeypatch.setattr(
            "linkindex.store.mongo.large.A_PAGE", 1e-9
        )  # pages are gone through, however few have links


class TestCountedMongoIndex(Counted, IndexContract):
    pass


class TestCountedMongoHistories(Counted, HistoriesContract):
    """Replayed, forgotten, written by two: and then each count is what it should be."""

    @pytest.fixture(autouse=True)
    def _counts_are_right(
        self, mongo_server: MongoServer, mongo_url: Callable[[], str], place: Callable[[], str]
    ) -> Iterator[None]:
        yield
        with mongo_server.client() as client:
            for name in client.list_database_names():
                if name.startswith("test_"):
                    assert not wrong_pairs(mongo_server.url(name))


# ---- the other store


def test_both_stores_say_the_same_of_relevance(mongo_url: Callable[[], str], tmp_path: Path) -> None:
    """More pages of a domain than tell what it is about, in an order of their own in each store."""
    dice, visits = random.Random(7), []
    for number in range(300):
        url = f"https://{'abc'[number % 3]}.test/{number}"
        terms = pack({dice.randrange(400): dice.randrange(1, 9) for _ in range(20)})
        links = [link(f"https://{'bca'[number % 3]}.test/{dice.randrange(300)}", str(n)) for n in range(2)]
        visits.append(visit(url, number + 1, *links, terms=terms))
    said = []
    for place in (mongo_url(), f"sqlite:///{tmp_path}/i.db"):
        with open_index(place, create=True) as index:
            index.store(dice.sample(visits, len(visits)))
            rows = [row for name in "abc" for row in found(index, f"{name}.test")]
            said.append(rows)
    assert said[0] == said[1]
    assert len({row.domain_relevance for row in said[0]}) > 50


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


def test_checks_tell_how_many_documents_are_strange(mongo_server: MongoServer, mongo_url: Callable[[], str]) -> None:
    url = mongo_url()
    with open_index(url, create=True) as index, mongo_server.client() as client:
        index.store(
            [visit(f"https://a{number}.test/", 1, link("https://b.test/", rel=("ugc",))) for number in range(4)]
        )
        database = client.get_database(database_of(url))
        database["links"].update_one({"s": "https://a1.test/"}, {"$set": {"a": ["odd"]}})
        database["links"].update_one({"s": "https://a2.test/"}, {"$set": {"r": "odd"}})
        database["pages"].update_one({"u": "https://a3.test/"}, {"$set": {"ra": "yesterday"}})
        database["pages"].update_one({"u": "https://a0.test/"}, {"$set": {"lv": 0}})
        (wrong,) = (check for check in index.check() if not check.ok)
        assert (wrong.name, wrong.found) == (
            "documents",
            "strange ones, which answers leave out: 2 in links, 2 in pages",
        )


def test_checks_tell_what_cannot_be_unpacked(mongo_server: MongoServer, mongo_url: Callable[[], str]) -> None:
    url = mongo_url()
    with open_index(url, create=True) as index, mongo_server.client() as client:
        index.store([visit(f"https://a.test/{number}", 1, link("https://a.test/in")) for number in range(9)])
        pages = client.get_database(database_of(url))["pages"]
        pages.update_one({"u": "https://a.test/3"}, {"$set": {"in": b"odd"}})
        (wrong,) = (check for check in index.check() if not check.ok)
        assert (wrong.name, wrong.found.count("1 hold"), "forget" in wrong.remedy) == ("packed", 1, True)
        assert "https://a.test/3," in wrong.remedy
        index.forget(parse_target("https://a.test/3"))
        assert all(check.ok for check in index.check())


def test_a_site_that_moved_may_have_any_number_of_urls(mongo_url: Callable[[], str]) -> None:
    """A request to the server holds 16 MB."""
    with open_index(mongo_url(), create=True) as index:
        for number in range(0, 2100, 300):
            index.store(
                redirect(f"https://old.test/{n}/{'x' * 8000}", 1, f"https://b.test/{n}")
                for n in range(number, number + 300)
            )
        index.store([visit("https://a.test/", 1, link(f"https://old.test/7/{'x' * 8000}"))])
        assert index.links_of(selected("b.test")) == 2101


@pytest.mark.parametrize("odd", ["yesterday", True])
@pytest.mark.parametrize("day", [1, 2])
def test_a_page_without_a_time_hides_none_of_others(
    mongo_server: MongoServer, mongo_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch, odd: object, day: int
) -> None:
    """What is no time comes before all times in an index by them."""
    told = []
    for many in (1, 20_000):
        monkeypatch.setattr("linkindex.store.mongo.large.MANY", many)
        monkeypatch.setattr("linkindex.store.mongo.large.A_PAGE", 0.001)  # so pages are looked at for few links
        monkeypatch.setattr("linkindex.store.mongo.writes._LOOKS", 1)
        with open_index(url := mongo_url(), create=True) as index, mongo_server.client() as client:
            for at, name in enumerate(("c.test", "a.test", "a.test"), 1):
                index.store([visit(f"https://{name}/{at}", at * DAY, link("https://b.test/", anchor=f"{at}"))])
            where = {"u": {"$regex": f"/{day}$"}}
            client.get_database(database_of(url))["pages"].update_one(where, {"$set": {"lv": odd}})
            target = Selection(target=parse_target("b.test"))
            told.append(
                [[(group.key, group.last_seen) for group in index.groups(target, by, 5)] for by in ("domain", "anchor")]
                + [overview(index, target.target).last_seen]
            )
    assert told[0] == told[1]


@pytest.mark.parametrize("pages", [1, 2, 3, 4])
def test_links_of_a_page_without_a_time_are_met_among_the_first(
    mongo_server: MongoServer, mongo_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    monkeypatch.setattr("linkindex.store.mongo.writes._LOOKS", 1)
    monkeypatch.setattr("linkindex.store.mongo.walking._SURE", 0)
    told = []
    for many in (1, 20_000):
        monkeypatch.setattr("linkindex.store.mongo.large.MANY", many)
        monkeypatch.setattr("linkindex.store.mongo.large.A_PAGE", 4 / pages)  # so many are gone through
        with open_index(url := mongo_url(), create=True) as index, mongo_server.client() as client:
            index.store([visit(f"https://a.test/{n}", n, link("https://b.test/")) for n in range(1, 5)])
            where = {"u": {"$in": ["https://a.test/1", "https://a.test/3"]}}
            client.get_database(database_of(url))["pages"].update_many(where, {"$set": {"lv": "yesterday"}})
            told.append([[row.source for row in found(index, "b.test", limit=n, follow=True)] for n in range(1, 6)])
    assert told[0] == told[1]
    assert len(told[0][-1]) == 4


def test_only_so_many_pages_are_gone_through_as_have_the_first_links(
    mongo_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("linkindex.store.mongo.large.MANY", 1)
    monkeypatch.setattr("linkindex.store.mongo.large.A_PAGE", 1e-9)
    monkeypatch.setattr("linkindex.store.mongo.writes._LOOKS", 1)
    monkeypatch.setattr("linkindex.store.mongo.walking._TOGETHER", 1)
    walked: list[bytes] = []

    def noted(self: Selected, pages: Sequence[bytes]) -> Iterator[Found]:
        walked.extend(pages)
        return on_pages(self, pages)

    on_pages = Selected.on_pages
    monkeypatch.setattr(Selected, "on_pages", noted)
    today = 20_000 * DAY  # more than 32 bits
    with open_index(mongo_url(), create=True) as index:
        index.store([visit(f"https://a.test/{n}", today + n, link("https://b.test/")) for n in range(50)])
        rows = found(index, "b.test", limit=3, follow=True)
    assert [row.source for row in rows] == [f"https://a.test/{n}" for n in (49, 48, 47)]
    assert len(walked) == 4  # what is on the fourth could be as late as the third


def test_checks_count_much_linked_domains_anew(
    mongo_server: MongoServer, mongo_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("linkindex.store.mongo.large.MANY", 3)
    monkeypatch.setattr("linkindex.store.mongo.writes._LOOKS", 1)
    url = mongo_url()
    with open_index(url, create=True) as index, mongo_server.client() as client:
        index.store([visit(f"https://a{number}.test/", 1, link("https://b.test/")) for number in range(4)])
        index.store([visit("https://a4.test/", 2, link("https://b.test/"), link("https://few.test/"))])
        database = client.get_database(database_of(url))
        assert [one["_id"] for one in database["large"].find()] == ["b.test"]
        assert all(check.ok for check in index.check())
        database["pairs"].update_one({"sd": "a1.test"}, {"$inc": {"n": 1}})
        (wrong,) = (check for check in index.check() if not check.ok)
        assert (wrong.name, "'b.test'" in wrong.remedy) == ("counts", True)
        database["large"].delete_many({"_id": {"$in": ["b.test"]}})  # the remedy
        index.store([visit("https://a5.test/", 3, link("https://b.test/"))])
        assert all(check.ok for check in index.check())
        assert index.links_of(Selection(target=parse_target("b.test"))) == 6


def test_a_pair_with_too_many_targets_is_counted_no_more(
    mongo_server: MongoServer, mongo_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A document has at most 16 MB."""
    monkeypatch.setattr("linkindex.store.mongo.large.MANY", 1)
    monkeypatch.setattr("linkindex.store.mongo.writes._LOOKS", 1)
    url = mongo_url()
    with open_index(url, create=True) as index, mongo_server.client() as client:
        index.store([visit("https://a.test/1", 1, link("https://b.test/"), link("https://c.test/"))])
        database = client.get_database(database_of(url))
        database["pairs"].update_one({"td": "b.test"}, {"$set": {"zz": "x" * ((16 << 20) - 400)}})
        index.store(
            [visit(f"https://a.test/{n}", 2, link(f"https://b.test/{n}"), link("https://c.test/")) for n in range(50)]
        )
        assert {one["td"] for one in database["pairs"].find()} == {"c.test"}
        assert [index.links_of(Selection(target=parse_target(name))) for name in ("b.test", "c.test")] == [50, 50]
        index.store([visit("https://d.test/", 3, link("https://b.test/"))])
        assert index.links_of(Selection(target=parse_target("b.test"))) == 51


# Links are looked for on the last pages of their domains, or read; or there are more texts than may be looked at.
@pytest.mark.parametrize(("a_page", "most"), [(1e-9, 1_000), (1, 1_000), (8, 1_000), (8, 3)])
def test_the_most_used_anchor_texts_are_those_of_all_links(
    mongo_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch, a_page: float, most: int
) -> None:
    monkeypatch.setattr("linkindex.store.mongo.large.MANY", 1)
    monkeypatch.setattr("linkindex.store.mongo.writes._LOOKS", 1)
    monkeypatch.setattr("linkindex.store.mongo.large.A_PAGE", a_page)
    monkeypatch.setattr("linkindex.store.mongo.anchors.MOST", most)
    dice = random.Random(most)
    url = mongo_url()

    def some_links() -> list[Link]:
        return [
            link(
                dice.choice(("https://b.test/", f"https://b.test/{dice.randrange(9)}", "https://old.test/")),
                anchor=dice.choice(("", "B", "B", "home", f"text {dice.randrange(9)}")),
                **dice.choice(({}, {"follow": False, "rel": ("nofollow", "ugc")}, {"rel": ("sponsored",)})),
            )
            for _ in range(dice.randrange(7))
        ]

    pages = [f"https://a{number % 9}.test/{number}" for number in range(150)]
    with open_index(url, create=True) as index:
        index.store([redirect("https://old.test/", 1, "https://b.test/")])
        for at in range(1, 4):  # some of them change, some cannot be read, some are as they were
            again = dice.sample(pages, 120 if at == 1 else 40)
            visits = [visit(page, at * 1000 + n, *some_links()) for n, page in enumerate(again)]
            away = [visit(page, at * 1000 + 500, outcome=Outcome.BLOCKED) for page in dice.sample(pages, 15)]
            same = [visit(page, at * 1000 + 600, outcome=Outcome.UNCHANGED) for page in dice.sample(pages, 9)]
            for some in (visits, away, same):
                index.store(some)
        for conditions in (
            {},
            {"follow": False},
            {"source": "a1.test"},
            {"rel": ("sponsored",), "as_found": True},
            {"kinds": ("text",)},
        ):
            selection = selected("b.test", **conditions)
            groups = list(index.groups(selection, "anchor"))
            assert len(groups) > 4
            for limit in (1, 4, 99):
                assert list(index.groups(selection, "anchor", limit)) == groups[:limit]
    assert not wrong_pairs(url)


def test_a_domain_is_counted_while_others_write(mongo_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Writers that began before it was must not commit behind it."""
    monkeypatch.setattr("linkindex.store.mongo.large.MANY", 30)
    monkeypatch.setattr("linkindex.store.mongo.writes._LOOKS", 1)
    url = mongo_url()
    open_index(url, create=True).close()

    def write(writer: int) -> None:
        with open_index(url) as index:
            for at in range(1, 16):
                links = [link(f"https://b{number}.test/{at}") for number in range(4)]
                index.store([visit(f"https://a{writer}.test/{at}", at, *links)])

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))
    assert not wrong_pairs(url)
    with open_index(url) as index:
        numbers = [index.links_of(Selection(target=parse_target(f"b{number}.test"))) for number in range(4)]
        assert numbers == [60] * 4


def test_the_driver_is_not_imported_for_another_store() -> None:
    script = (
        "import sys, linkindex.store.sqlite, interfaces.cli.main; assert not {'pymongo', 'bson'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def wrong_pairs(url: str) -> list[PairRecord]:
    """Return the pairs of an index that count wrongly, and see that there are some."""
    place, strange = Place(url), Strange()
    with contextlib.closing(place), place.client.start_session(snapshot=True) as session:
        pairs = list(strange.read(place.db["pairs"].find(session=session), PairRecord))
        assert pairs
        return large.wrong(place, strange, pairs, session)


def database_of(url: str) -> str:
    return url.rpartition("/")[2].partition("?")[0]


def written(client: Any) -> Counter[str]:
    """Return how many documents the server has written, and how."""
    return Counter(client.admin.command("serverStatus")["metrics"]["document"]) - Counter(returned=1 << 60)


def test_a_wrong_password_is_what_was_given_and_not_a_server_that_is_away(tmp_path: Path) -> None:
    with MongoServer(tmp_path) as server:
        with server.client() as client:
            client.admin.command("createUser", "me", pwd="right", roles=["root"])
        server.let_in_by_password()
        right = f"mongodb://me:right@{server.address}/x?authSource=admin&directConnection=true"
        for url in (right.replace("right", "wrong"), right.replace("me:right@", "")):
            with pytest.raises(BadInput, match="see the user and password in the URL") as told:
                open_index(url, create=True)
            assert "wrong" not in str(told.value)
        open_index(right, create=True).close()
