"""Tries every row of the table of bad input."""

from __future__ import annotations

import os
import shlex
import sqlite3
from pathlib import Path

import pytest

from crawler import politeness
from crawler.extract import read_page
from crawler.extract.hazards import parser_hazard
from crawler.extract.listings import read_listing
from crawler.fetching import Answer, Limits
from crawler.frontier import open_frontier
from interfaces.cli.main import main
from linkindex.model import Link, Outcome, Visit
from linkindex.store import open_index
from pipelines.canonicalise import canonicalise
from tests.crawler.fetches import ends_of
from tests.hostile import table
from tests.hostile.table import Case

ROOT = Path(__file__).parents[2]
LIMITS = Limits(connect=20, first_byte=1.5, whole=3, body=4 << 20, headers=64 * 1024)


def each(group: str) -> pytest.MarkDecorator:
    cases = table.GROUPS[group][1]
    return pytest.mark.parametrize("case", cases, ids=[case.id for case in cases])


def check_command(arguments: list[str], case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    """Run a command in this process: it ends as the row says, with one clear line where that is an error."""
    code = main(arguments)
    said = capsys.readouterr()
    assert f"exit {code}" == case.ends, said.err
    assert case.says in said.err + said.out
    if code == 2:
        assert (said.out, said.err.count("\n")) == ("", 1), said
        assert said.err.startswith("linkatlas: ")
        assert "bug" not in said.err
        assert "hunter2" not in said.err


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files that are no good, and an index of one link."""
    for name in [name for name in os.environ if name.startswith("LINKATLAS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "binary").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "empty").write_text("# nothing here\n\n")
    (tmp_path / "urls").write_text("http://example.com/\n")
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and not path.name.endswith("-lock")
    }


@each("seeds")
def test_seeds(case: Case, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(here)
    check_command(
        ["crawl", *(case.given.split(" ") if "a b" not in case.given else [case.given])[: None if case.given else 0]],
        case,
        capsys,
    )
    assert files(here) == before


@each("flags")
def test_flags(case: Case, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(here)
    check_command(["crawl", "http://example.com", *case.given.split(" ")], case, capsys)
    assert {name: files(here)[name] for name in before} == before


@each("config")
def test_config(case: Case, here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    if case.given.startswith("LINKATLAS_"):
        for variable in case.given.split(" LINKATLAS_"):
            name, value = variable.split("=", 1)
            monkeypatch.setenv(f"LINKATLAS_{name.removeprefix('LINKATLAS_')}", value)
    else:
        (here / "linkatlas.toml").write_text(case.given)
    check_command(["crawl", "http://example.com"], case, capsys)


@each("questions")
def test_questions(case: Case, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_index("sqlite:///linkatlas.db", create=True) as index:
        link = Link(target="http://a.example/")
        visit = Visit(url="http://b.example/", at=1, outcome=Outcome.PAGE, status=200, links=(link,))
        index.store([canonicalise(visit)])
    open_frontier("sqlite:///linkatlas-frontier.db").close()
    check_command(shlex.split(case.given), case, capsys)


@each("http")
def test_http(case: Case) -> None:
    [end] = ends_of(case.data, limits=LIMITS)
    if isinstance(end, Answer):
        assert f"answer {end.status}" == case.ends
        assert ", ".join(filter(None, (*end.fetched.flags, end.fetched.limit))).startswith(case.says)
        assert bool(case.says) is bool(end.fetched.flags)
    else:
        assert case.ends == "no answer"
        assert end.reason == case.says


@each("robots")
def test_robots(case: Case) -> None:
    status, _, body = case.given.partition(" ")
    robots = politeness.judge_robots(int(status), body.encode())
    if robots.verdict == "closed":
        assert (case.ends, case.says) == ("held", robots.reason)
        return
    rules = politeness.Rules(robots)
    assert ("allowed" if rules.allows("http://a.example/private/x") else "forbidden") == case.ends
    assert not case.says or f"{rules.crawl_delay:g} s" == case.says


@each("html")
def test_html(case: Case) -> None:
    body = case.given.encode()
    if hazard := parser_hazard(body):
        assert hazard == case.ends
        return
    facts = read_page(
        body, "http://a.example/", {"content-type": "text/html; charset=utf-8" if "charset" not in case.given else ""}
    )
    visit = canonicalise(Visit(url="http://a.example/", at=1, outcome=Outcome.PAGE, links=facts.links))
    assert f"{len(visit.links)} links" == case.ends
    said = [f"{facts.unusable} unusable", *facts.limits, *facts.robots, *(link.target for link in visit.links[:3])]
    assert not case.says or case.says in " ".join(said)


@each("sitemaps")
def test_sitemaps(case: Case) -> None:
    listing = read_listing(case.given.encode(), "http://a.example/sitemap.xml", "text/xml", text=True)
    assert (f"{len(listing.links)} links" if listing else "no listing") == case.ends
    assert not case.says or (listing and case.says in listing.reason)


@each("state")
def test_state(case: Case, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, _, command = case.given.partition(": ")
    make(here / name, case.data)
    before = files(here)
    check_command(shlex.split(command.partition(" | ")[2]), case, capsys)
    assert {name: files(here)[name] for name in before} == before  # it is as it was


def make(path: Path, what: object) -> None:
    """Make stored state of a kind."""
    if what == b"folder":
        path.mkdir()
    elif what in {b"index", b"newer index"}:
        open_index(f"sqlite:///{path}", create=True).close()
    elif what in {b"frontier", b"newer frontier"}:
        open_frontier(f"sqlite:///{path}").close()
    elif what == b"other":
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE link (id INTEGER PRIMARY KEY)")
        db.close()
    else:
        assert isinstance(what, bytes)
        path.write_bytes(what)
    if isinstance(what, bytes) and what.startswith(b"newer"):
        db = sqlite3.connect(path)
        db.execute("PRAGMA user_version = 99")
        db.close()


def test_the_table_is_as_long_as_it_should_be_and_published() -> None:
    ids = [(group, case.id) for group, (_, cases) in table.GROUPS.items() for case in cases]
    assert len(ids) == len(set(ids)) >= 120
    assert (ROOT / "docs" / "bad-input.md").read_text(encoding="utf-8") == table.document()
