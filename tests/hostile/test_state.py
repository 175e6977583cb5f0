"""Stored state that is damaged is never run, and ends in no crash: calls work, or raise an error of ours that says what.

Over every frontier and index that there is. ``python -m tests.hostile.test_state TRIALS`` tries so many of each.
"""

from __future__ import annotations

import random
import resource
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from crawler.frontier import Beat, Budget, Completed, Entry, Frontier, Robots, open_frontier
from crawler.job import begin, read_job
from crawler.scope import Scope
from interfaces.cli.main import main
from linkindex.errors import BadInput, Incompatible, LinkatlasError
from linkindex.model import Link, Outcome, Visit
from linkindex.store import LinkIndex, open_index
from linkindex.store.sqlite import dictionaries
from linkindex.stored import checked
from linkindex.target import Target
from pipelines.canonicalise import canonicalise
from tests.hostile.damage import MARKER, PICKLE, damage_mongo, damage_redis, damage_sqlite
from tests.servers import MongoServer, RedisServer

TRIALS = 100  # of each, in CI
MEMORY = 6 << 30  # bytes of addresses; a tenth of it is used
HOSTS = [f"h{number}.test" for number in range(4)]
UNHARMED, TOLD, SET_ASIDE = OUTCOMES = ("nothing was amiss", "told as an error of ours", "set aside and counted")
URLS = [f"https://{host}/{number}" for host in HOSTS for number in range(6)]


class Tried(NamedTuple):
    """One trial: what was damaged, and what came of it."""

    damage: str
    came: str


def entries(urls: list[str], depth: int = 1) -> list[Entry]:
    return [Entry(url=url, host=url.split("/")[2], domain=url.split("/")[2], depth=depth) for url in urls]


def fill(frontier: Frontier) -> None:
    """Put something of everything into a frontier."""
    begin(frontier, ["https://h0.test/"], Scope(depth=2, held=("*/held*",)), Budget(pages=100, pages_per_host=50), 0.1)
    frontier.add(entries(URLS), "https://h0.test/")
    frontier.add([Entry(url="https://x.test/", host="x.test", domain="x.test", depth=9, excluded="depth")])
    for host in HOSTS:
        frontier.put_robots(host, Robots(verdict="rules", body=b"User-agent: *\nDisallow: /x"), 1000.0)
        frontier.put_notes("traps", {host: b"note"})
    frontier.hold("h3.test", 50.0, "answered 503")
    first = frontier.lease(8, "n:1", 60.0)
    frontier.complete_many(
        [
            Completed(token=lease.token, discovered=entries([f"{lease.url}/child"], 2), next_due=None)
            for lease in first[:2]
        ]
    )
    for lease in first[2:3]:
        frontier.release(lease.token, 5.0, "reset")
    frontier.beat(Beat(node="n:1", started=1, hand=3, pages=2, rate=1.0))
    frontier.claim("job", "n:2", 5.0)


def use(frontier: Frontier) -> str:
    """Call everything that reads; each call may raise what is ours. Return what came of the damage."""
    tokens: list[str] = []
    came = UNHARMED

    def lease() -> None:
        leases = frontier.lease(5, "n:3", 60.0)
        tokens.extend(one.token for one in leases)
        for one in leases:
            assert isinstance(one.url, str) and isinstance(one.depth, int) and isinstance(one.memo, bytes)

    calls: list[Callable[[], object]] = [
        lambda: read_job(frontier),
        lambda: frontier.robots(HOSTS),
        lambda: frontier.notes("traps", HOSTS),
        lease,
        lambda: frontier.renew(tokens, 60.0),
        lambda: frontier.release(tokens[0], 1.0, "reset") if tokens else None,
        lambda: frontier.complete_many([Completed(token=token) for token in tokens[1:]]),
        lambda: frontier.add(entries([*URLS, "https://new.test/"])),
        lambda: [frontier.why(url) for url in URLS],
        frontier.counts,
        frontier.outlook,
        frontier.nodes,
        lambda: frontier.hungry(3),
        lambda: frontier.arrivals(3),
        lambda: frontier.claim("job", "n:3", 1.0),
        lambda: frontier.beat(Beat(node="n:3", started=1, hand=0, pages=0, rate=0.0)),
        lambda: list(frontier.excluded(["depth"])),
        lambda: frontier.set_budget(Budget(pages=200), 0.0),
        lambda: frontier.forget(URLS[:3]),
        frontier.again,
        lease,
        lambda: frontier.forget_host("h1.test"),
    ]
    for call in calls:
        try:
            call()
        except LinkatlasError:
            came = TOLD
    with suppress(LinkatlasError):
        came = SET_ASIDE if frontier.counts().quarantined else came
    return came


def opened_and_used(url: str) -> str:
    try:
        with open_frontier(url) as frontier:
            return use(frontier)
    except LinkatlasError:
        return TOLD


def try_sqlite_frontier(folder: Path, dice: random.Random) -> Tried:
    path = folder / "f.db"
    shutil.copy(folder / "whole.db", path)
    said = damage_sqlite(path, dice)
    return Tried(said, opened_and_used(f"sqlite:///{path}"))


def sqlite_frontier(folder: Path, dice: random.Random, trials: int) -> Iterator[Tried]:
    with open_frontier(f"sqlite:///{folder}/whole.db") as frontier:
        fill(frontier)
    for _ in range(trials):
        yield try_sqlite_frontier(folder, dice)
        for leftover in folder.glob("f.db*"):
            leftover.unlink()


def redis_frontier(folder: Path, dice: random.Random, trials: int) -> Iterator[Tried]:
    with RedisServer(folder) as server:
        client = server.client()
        for _ in range(trials):
            server.empty()
            with open_frontier(f"{server.url}?job=test") as frontier:
                fill(frontier)
                client.rpush("test:start_urls", "https://pushed.test/")
                said = damage_redis(client, dice)
                under_way = use(frontier)
            yield Tried(said, max(under_way, opened_and_used(f"{server.url}?job=test"), key=OUTCOMES.index))
        client.close()


def fill_index(index: LinkIndex) -> None:
    """Put something of everything into an index."""
    for at in (1, 2):  # twice: links change, and are lost
        index.store(
            [
                canonicalise(
                    Visit(
                        url=url, at=at, outcome=Outcome.PAGE, status=200, title="t", language="en", robots=("noarchive",),
                        links=(
                            *(Link(target=f"https://t.test/{n}", anchor=f"a{at}", rel=("me",)) for n in range(3 - at)),
                            Link(target=f"{url}/x"), Link(target="https://h0.test/"),
                        ),
                    )
                )
                for url in URLS
            ]
        )  # fmt: skip
    index.store([canonicalise(Visit(url="https://t.test/0", at=3, outcome=Outcome.BLOCKED, reason="403", status=403))])
    index.put_about("job", b'{"seeds":["https://h0.test/"]}')


QUESTIONS = (
    *("backlinks t.test --all", "domains t.test", "anchors t.test", "pages h0.test", "outlinks https://h0.test/0"),
    *("overview t.test", "status", "classify", "reconcile --check", "why https://h0.test/0", "audit h0.test"),
    *("changes t.test", "history https://h0.test/0", "broken t.test", "doctor"),
)


OF_BOTH = ("status", "reconcile", "why", "audit", "doctor")  # stores


def asked(url: str, frontier: Path, said: str, dice: random.Random) -> str:
    """Ask a damaged index all that is asked of one: each an answer, or one line and an exit code of ours."""
    beside = ["--frontier", f"sqlite:///{frontier}"]
    came = UNHARMED
    for question in dice.sample(QUESTIONS, 4):
        words = question.split()
        code = main([*words, "--index", url, *(beside if words[0] in OF_BOTH else [])])
        assert code in (0, 1, 2, 69), f"{said}: {question}: exit {code}"
        came = TOLD if code in (2, 69) else came
    try:
        with open_index(url) as index:
            for call in (lambda: fill_index(index), lambda: list(index.visited(None)), lambda: list(index.named("")),
                         lambda: list(index.pages(Target(text="h1.test", name="h1.test")))):  # fmt: skip
                try:
                    call()
                except LinkatlasError:
                    came = TOLD
    except LinkatlasError:
        came = TOLD
    return came


def sqlite_index(folder: Path, dice: random.Random, trials: int) -> Iterator[Tried]:
    with open_index(f"sqlite:///{folder}/whole.db", create=True) as index:
        fill_index(index)
    with open_frontier(f"sqlite:///{folder}/queue.db") as frontier:
        fill(frontier)
    for _ in range(trials):
        path = folder / "i.db"
        shutil.copy(folder / "whole.db", path)
        said = damage_sqlite(path, dice)
        yield Tried(said, asked(f"sqlite:///{path}", folder / "queue.db", said, dice))
        for leftover in folder.glob("i.db*"):
            leftover.unlink()


def mongo_index(folder: Path, dice: random.Random, trials: int) -> Iterator[Tried]:
    with MongoServer(folder) as server, server.client() as client:
        url, db = server.url("whole"), client["whole"]
        with open_index(url, create=True) as index:
            fill_index(index)
        with open_frontier(f"sqlite:///{folder}/queue.db") as frontier:
            fill(frontier)
        whole = {name: list(db[name].find()) for name in db.list_collection_names()}
        for _ in range(trials):
            said = damage_mongo(db, dice)
            yield Tried(said, asked(url, folder / "queue.db", said, dice))
            for name in db.list_collection_names():
                db[name].delete_many({})
            for name, documents in whole.items():
                if documents:
                    db[name].insert_many(documents)


KINDS: dict[str, Callable[[Path, random.Random, int], Iterator[Tried]]] = {
    "sqlite frontier": sqlite_frontier,
    "redis frontier": redis_frontier,
    "sqlite index": sqlite_index,
    "mongodb index": mongo_index,
}


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_survived_and_nothing_is_run(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dictionaries, "FIRST", 10)  # that one is trained, and damaged too
    came = Counter[str]()
    for tried in KINDS[kind](tmp_path, random.Random(1), TRIALS):
        assert not MARKER.exists(), tried.damage
        came[tried.came] += 1
    assert came[UNHARMED] < TRIALS  # else nothing was damaged


def test_a_strange_robots_is_set_aside_and_asked_for_again(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server, open_frontier(f"{server.url}?job=test") as frontier:
        fill(frontier)
        client = server.client()
        for host in HOSTS:
            client.hset(f"{{test:0}}:r:{host}", "robots", PICKLE)
        assert frontier.robots(HOSTS) == {}
        assert frontier.counts().quarantined == len(HOSTS)
        client.close()
    with open_frontier(f"sqlite:///{tmp_path}/f.db") as frontier:
        fill(frontier)
    with closing(sqlite3.connect(tmp_path / "f.db")) as db:
        db.execute("UPDATE host SET robots = ?", (PICKLE,))
        db.commit()
    with open_frontier(f"sqlite:///{tmp_path}/f.db") as frontier:
        assert frontier.robots(HOSTS) == {}
        frontier.put_robots("h0.test", Robots(verdict="open"), 10.0)
        assert list(frontier.robots(HOSTS)) == ["h0.test"]
    assert not MARKER.exists()


@pytest.mark.parametrize(
    ("damage", "question"),
    [
        ("DELETE FROM link", "overview t.test"),
        (f"UPDATE page SET first_visited = {2**60}", "anchors t.test"),
        (f"UPDATE around SET words = x'{b'no zstd'.hex()}'", "backlinks t.test"),
    ],
)
def test_an_answer_made_of_damage_names_the_index(
    damage: str, question: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_index(f"sqlite:///{tmp_path}/i.db", create=True) as index:
        fill_index(index)
    assert main([*question.split(), "--index", f"sqlite:///{tmp_path}/i.db"]) == 0
    with closing(sqlite3.connect(tmp_path / "i.db")) as db:
        db.execute(damage)
        db.commit()
    capsys.readouterr()
    assert main([*question.split(), "--index", f"sqlite:///{tmp_path}/i.db"]) == 2
    assert f"index {tmp_path}/i.db: holds something" in capsys.readouterr().err


def test_what_trips_over_stored_values_says_so_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    class Store:
        name = "of nothing"

        def rows(self) -> Iterator[int]:
            yield 1
            raise ValueError("two\nlines")

        def count(self) -> int:
            raise BadInput("as it is")

    store = checked(Store, "index x", "mend it")
    assert store.name == "of nothing"
    rows = store.rows()
    assert next(rows) == 1
    with pytest.raises(Incompatible, match=r"index x: holds something .*\(ValueError: two lines\); mend it"):
        next(rows)
    with pytest.raises(BadInput, match="as it is"):
        store.count()
    monkeypatch.setenv("LINKATLAS_DEBUG", "1")
    with pytest.raises(ValueError, match="two"):
        list(store.rows())


def test_a_row_that_is_no_url_is_set_aside_and_counted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/f.db"
    with open_frontier(url) as frontier:
        frontier.add(entries(URLS))
    with closing(sqlite3.connect(tmp_path / "f.db")) as db:
        db.execute("UPDATE url SET url = ? WHERE id IN (SELECT id FROM url ORDER BY id LIMIT 2)", (PICKLE,))
        db.execute("UPDATE url SET memo = 7 WHERE id IN (SELECT id FROM url ORDER BY id DESC LIMIT 2)")
        db.commit()
    with open_frontier(url) as frontier:
        leased = []
        for _ in HOSTS:
            leased += frontier.lease(100, "n:1", 60.0)
            frontier.complete_many([Completed(token=lease.token) for lease in leased])
        counts = frontier.counts()
        assert {lease.url for lease in leased} == set(URLS[2:])
        assert {lease.memo for lease in leased} == {b""}
        assert (counts.quarantined, counts.failed_by, counts.done) == (2, {"strange": 2}, len(URLS) - 2)
        assert frontier.outlook().finished
    assert not MARKER.exists()


def test_a_note_that_is_a_number_takes_no_memory(tmp_path: Path) -> None:
    sqlite = f"sqlite:///{tmp_path}/i.db"
    (tmp_path / "mongod").mkdir()
    with MongoServer(tmp_path / "mongod") as server, server.client() as client:
        for url in (sqlite, server.url("x")):
            with open_index(url, create=True) as index:
                index.put_about("job", b"{}")
        with closing(sqlite3.connect(tmp_path / "i.db")) as db:
            db.execute("UPDATE about SET value = ? WHERE name = 'job'", (1 << 50,))
            db.commit()
        changed = client["x"]["about"].update_many({"v": b"{}"}, {"$set": {"v": 1 << 50}})
        assert changed.modified_count == 1
        for url in (sqlite, server.url("x")):
            with open_index(url) as index, pytest.raises(Incompatible, match="a note that is [Ii]nt"):
                index.about("job")


def run(trials: int, seed: int) -> int:
    """Try each kind so often; print what fails and what came of the rest, return how many failed."""
    failed = 0
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))  # what takes more fails, and not the machine
    for kind, trial in KINDS.items():
        done, came = 0, Counter[str]()
        while done < trials:
            with tempfile.TemporaryDirectory() as name:
                said = "nothing"
                try:
                    for tried in trial(Path(name), random.Random(seed + done), trials - done):
                        said, done = tried.damage, done + 1
                        came[tried.came] += 1
                except Exception as error:  # noqa: BLE001
                    failed += 1
                    done += 1
                    print(
                        f"{kind}, seed {seed + done}: after {said}: {type(error).__name__}: {error}"[:300],
                        file=sys.stderr,
                    )
        told = ", ".join(f"{came[outcome]} {outcome}" for outcome in OUTCOMES)
        print(f"{kind}: {done} trials: {told}, {done - came.total()} escaped", file=sys.stderr)
    print(f"executed: {'YES' if MARKER.exists() else 'nothing'}", file=sys.stderr)
    return failed + MARKER.exists()


if __name__ == "__main__":
    sys.exit(min(1, run(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, 1)))
