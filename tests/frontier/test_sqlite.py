"""The SQLite frontier keeps the contract, and what is its own: one crawl at a time, damage told from a frontier."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from crawler.frontier import Budget, Completed, Counts, Frontier, open_frontier
from crawler.frontier.sqlite import SqliteFrontier, clock
from crawler.frontier.sqlite.schema import State
from linkindex.errors import BadInput, Busy, Incompatible, Unavailable
from tests.frontier.accounts import AccountsContract
from tests.frontier.contract import Clock, FrontierContract, entry, pages


class TestSqliteFrontier(FrontierContract):
    @pytest.fixture
    def frontier(self, tmp_path: Path, clock: Clock) -> Iterator[Frontier]:
        with SqliteFrontier.open(str(tmp_path / "f.db"), clock=clock) as frontier:
            yield frontier

    @pytest.fixture
    def reopen(self, frontier: Frontier, tmp_path: Path, clock: Clock) -> Iterator[Callable[[], Frontier]]:
        opened: list[Frontier] = []

        def reopen() -> Frontier:
            frontier.close()
            opened.append(SqliteFrontier.open(str(tmp_path / "f.db"), clock=clock))
            return opened[-1]

        yield reopen
        for again in opened:
            again.close()


class TestSqliteAccounts(AccountsContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def frontier(self, tmp_path: Path, clock: Clock) -> Iterator[Frontier]:
        with SqliteFrontier.open(str(tmp_path / "f.db"), clock=clock) as frontier:
            yield frontier

    @pytest.fixture
    def recounted(self, frontier: SqliteFrontier) -> Callable[[Counts], None]:
        db = frontier._db

        def check(counts: Counts) -> None:
            found = dict(db.execute("SELECT state, count(*) FROM url GROUP BY state"))
            assert {state: getattr(counts, state.name.lower()) for state in State} == {
                state: found.get(state, 0) for state in State
            }
            visited = "SELECT count(*) FROM url WHERE state IN (3, 4) OR (state = 1 AND ended_at IS NOT NULL)"
            assert counts.visited == db.execute(visited).fetchone()[0]
            drifted = db.execute(
                "SELECT name, queued, leased, head, q, l, p FROM (SELECT h.*, "
                "(SELECT count(*) FROM url WHERE host = h.id AND state = 0) AS q, "
                "(SELECT count(*) FROM url WHERE host = h.id AND state = 2) AS l, "
                "(SELECT min(score) FROM url WHERE host = h.id AND state = 0) AS p FROM host h) "
                "WHERE queued <> q OR leased <> l OR (q > 0 AND head <> p)"
            ).fetchall()
            assert drifted == []

        return check


def test_one_crawl_at_a_time(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/f.db"
    with open_frontier(url, exclusive=True):
        with pytest.raises(Busy, match="another crawl"):
            open_frontier(url, exclusive=True)
        open_frontier(url).close()  # a worker of that crawl
    open_frontier(url, exclusive=True).close()


def test_a_killed_crawl_leaves_no_lock_and_its_leases_come_back_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/f.db"
    code = (
        "import os, sys\n"
        "from crawler.frontier import open_frontier, Entry\n"
        f"f = open_frontier({url!r}, exclusive=True)\n"
        "f.add([Entry(url='https://a.test/', host='a.test', domain='a.test')])\n"
        "assert f.lease(1, 'n', 3600)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2])
    assert killed.returncode == -9
    with open_frontier(url, exclusive=True) as frontier:
        assert [lease.url for lease in frontier.lease(1, "m", 60)] == ["https://a.test/"]


@pytest.mark.parametrize(
    ("url", "error", "says"),
    [
        ("sqlite:////no/such/folder/f.db", BadInput, "name another"),
        ("redis//x", BadInput, "not a frontier URL"),
    ],
)
def test_what_cannot_be_opened_is_told_in_one_line(url: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says) as raised:
        open_frontier(url, exclusive=True)
    assert "\n" not in str(raised.value)


def test_without_create_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        open_frontier(f"sqlite:///{tmp_path}/f.db", create=False)
    assert not list(tmp_path.iterdir())


def test_another_file_is_not_touched(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a database, and long enough to be looked at\n" * 40)
    before = text.read_bytes()
    with pytest.raises(BadInput):
        open_frontier(f"sqlite:///{text}")
    assert text.read_bytes() == before


def test_another_programs_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE notes (text)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(Incompatible, match="no linkatlas frontier"):
        open_frontier(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_a_frontier_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    open_frontier(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(Incompatible, match="another linkatlas"):
        open_frontier(f"sqlite:///{path}")


def test_a_frontier_that_was_made_before_gets_what_came_later(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    with open_frontier(f"sqlite:///{path}") as frontier:
        frontier.add(pages("a.test", 2))
        frontier.hold("a.test", 100, "answered 503")
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript("DROP TABLE drain; DROP INDEX host_held;")
    with open_frontier(f"sqlite:///{path}", create=False) as frontier:
        assert frontier.gates().held == 1
        assert not frontier.drain("h:1")
        assert frontier.counts().queued == 2


def test_two_processes_lease_every_url_once(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    url = f"sqlite:///{path}"
    with open_frontier(url) as frontier:
        frontier.add(
            [page for number in range(40) for page in pages(f"h{number}.test", 5)] + [entry("https://x.test/")]
        )
    code = (
        "from crawler.frontier import open_frontier, Completed\n"
        f"f = open_frontier({url!r})\n"
        "while not f.outlook().finished:\n"
        "    for lease in f.lease(7, 'n', 60):\n"
        "        print(lease.url)\n"
        "        f.complete_many([Completed(token=lease.token)])\n"
    )
    root = Path(__file__).parents[2]
    nodes = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=root) for _ in "ab"]
    leased = [line for node in nodes for line in node.communicate(timeout=60)[0].split()]
    assert [node.returncode for node in nodes] == [0, 0]
    assert len(leased) == len(set(leased)) == 201


class Machine:
    """A machine whose wall clock is set while it runs, and that is started again."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall, self.up, self.boot = 1_700_000_000.0, 5.0, "first"
        self._url = f"sqlite:///{folder}/f.db"
        monkeypatch.setattr(time, "time", lambda: self.wall)
        monkeypatch.setattr(clock, "since_boot", lambda: self.up)
        monkeypatch.setattr(clock, "boot_id", lambda: self.boot)

    def pass_(self, seconds: float) -> None:
        self.wall += seconds
        self.up += seconds

    def start_again(self, boot: str) -> None:
        self.up, self.boot = 1.0, boot

    def frontier(self) -> Frontier:
        return open_frontier(self._url)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


@pytest.mark.parametrize("jump", [3600.0, -86400.0])
def test_a_clock_that_is_set_ends_no_lease_and_opens_no_host(machine: Machine, jump: float) -> None:
    with machine.frontier() as frontier:
        frontier.add([*pages("a.test", 1), *pages("b.test", 1)])
        frontier.hold("b.test", 100, "asked")
        (lease,) = frontier.lease(9, "n", 60)
        machine.wall += jump
        machine.pass_(50)
        with machine.frontier() as other:  # of a process that starts after the jump
            assert other.lease(9, "m", 60) == []
            machine.pass_(51)
            assert {lease.host for lease in other.lease(9, "m", 60)} == {"a.test", "b.test"}
        assert frontier.complete_many([Completed(token=lease.token)]) == [lease.token]


def test_time_goes_on_from_the_wall_clock_when_the_machine_is_started_again(machine: Machine) -> None:
    with machine.frontier() as frontier:
        frontier.hold("a.test", 1000, "asked")
    machine.wall += 990
    machine.start_again("second")
    with machine.frontier() as frontier:
        frontier.add(pages("a.test", 1))
        assert frontier.lease(9, "n", 60) == []
        machine.pass_(11)
        assert len(frontier.lease(9, "n", 60)) == 1


def test_time_never_goes_back(machine: Machine) -> None:
    with machine.frontier() as frontier:
        frontier.add(pages("a.test", 1))
        frontier.hold("a.test", 100, "asked")
        for _ in range(9):
            machine.pass_(9.9)
            frontier.put_notes("any", {})  # a step
        machine.wall -= 86400
        machine.start_again("second")
    with machine.frontier() as frontier:
        assert frontier.lease(9, "n", 60) == []
        machine.pass_(12)
        assert len(frontier.lease(9, "n", 60)) == 1


def test_without_a_name_for_its_starts_the_wall_clock_is_the_time(machine: Machine) -> None:
    machine.boot = ""
    with machine.frontier() as frontier:
        frontier.add(pages("a.test", 1))
        frontier.hold("a.test", 100, "asked")
        machine.wall += 101
        assert len(frontier.lease(9, "n", 60)) == 1


def test_beside_what_is_another_programs_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE theirs (x)")
        db.commit()
    for exclusive in (False, True):
        with pytest.raises(Incompatible, match="no linkatlas frontier"):
            open_frontier(f"sqlite:///{path}", exclusive=exclusive)
    assert [found.name for found in tmp_path.iterdir()] == ["f.db"]


def test_marks_that_were_taken_back_are_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "http://linked.example/"
    with SqliteFrontier.open(str(tmp_path / "f.db")) as frontier:
        frontier.set_budget(Budget(pages_per_host=1, growth=10), 0.0)
        with monkeypatch.context() as failing:
            failing.setattr(frontier, "_note_time", lambda _: frontier._db.execute("SELECT * FROM nothing"))
            with pytest.raises(Unavailable):
                frontier.add([entry(url)], "http://linker.example/")
        for again in range(2):
            if again:
                frontier.forget_host("linked.example")
            frontier.add([entry(url)], "http://linker.example/")
            life = frontier.why(url)
            assert life is not None and life.host_budget == 11


def test_a_host_that_another_process_forgot_is_numbered_anew(tmp_path: Path) -> None:
    path = str(tmp_path / "f.db")
    with SqliteFrontier.open(path) as crawl, SqliteFrontier.open(path) as forgetting:
        crawl.add([entry("http://a.example/")])
        forgetting.forget_host("a.example")
        forgetting.add([entry("http://b.example/")])
        crawl.add([entry("http://a.example/again")])
        hosts = {lease.url: lease.host for lease in crawl.lease(10, "node", 60.0)}
    assert hosts == {"http://a.example/again": "a.example", "http://b.example/": "b.example"}
