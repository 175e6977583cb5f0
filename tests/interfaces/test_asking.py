"""What can be asked of the index by flags, and how an answer goes on: whole commands on a small index."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from interfaces.cli.main import main
from linkindex.store import open_index
from linkindex.store.selection import ORDERS, PER
from tests.crawls.command import run
from tests.linkindex.example import ALIVE, BLOG, DEAD, HOME, MOVED, NEWS, fill


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("asked")
    with open_index(f"sqlite:///{folder}/linkatlas.db", create=True) as index:
        fill(index)
    return folder


class Asking:
    """Asks in this process, which is fast."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, line: str, *more: str) -> tuple[int, list[dict[str, Any]], str]:
        """Return the exit code, the rows and what was said beside them."""
        code = main([*shlex.split(line), *more])
        printed = self.capsys.readouterr()
        return code, [json.loads(row) for row in printed.out.splitlines()], printed.err

    def rows(self, line: str, *more: str) -> list[dict[str, Any]]:
        code, rows, said = self(line, *more)
        assert (code, said) == (0, "")
        return rows


@pytest.fixture
def ask(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Asking:
    monkeypatch.chdir(folder)
    return Asking(capsys)


BLOG_HOME, BLOG_KNOTS, LOGO = (BLOG, "Example walks"), (BLOG, "tying knots"), (NEWS[0], "logo")
GEAR, FOOTERS = (BLOG, "their gear"), [(url, "Start here") for url in NEWS]
LIVE = {BLOG_HOME, BLOG_KNOTS, LOGO, *FOOTERS}


@pytest.mark.parametrize(
    ("flags", "links"),
    [
        ("", LIVE),
        ("--lost", {GEAR}),
        ("--all", {*LIVE, GEAR}),
        ("--as-of 2026-11-05", {(BLOG, "Example"), BLOG_KNOTS, GEAR}),
        ("--as-of 2026-11-20", LIVE),
        ("--since 2026-11-10", {LOGO, *FOOTERS}),
        ("--until 2026-11-01", {BLOG_HOME, BLOG_KNOTS}),
        ("--lost --since 2026-11-20 --until 2026-11-20", {GEAR}),
        ("--lost --until 2026-11-19", set()),
        ("--follow", LIVE - {BLOG_KNOTS}),
        ("--nofollow", {BLOG_KNOTS}),
        ("--kind image", {LOGO}),
        ("--kind image,text --kind form", LIVE),
        ("--placement footer", set(FOOTERS)),
        ("--rel ugc", {BLOG_KNOTS}),
        ("--rel ugc,sponsored", set()),
        ("--from example.org", {BLOG_HOME, BLOG_KNOTS}),
        ("--anchor WALK", {BLOG_HOME}),
        ("--anchor %", set()),
        ("--broken", {BLOG_KNOTS}),
    ],
)
def test_conditions(ask: Asking, flags: str, links: set[tuple[str, str]]) -> None:
    rows = ask.rows(f"backlinks example.com {flags}")
    assert {(row["source"], row["anchor"]) for row in rows} == links
    assert len(rows) == len(links)


def test_links_to_what_leads_there_are_among_them(ask: Asking) -> None:
    rows = ask.rows("backlinks https://example.com/ --placement footer")
    assert [(row["target"], row["target_end"], row["hops"], row["end_status"]) for row in rows] == [
        (MOVED, HOME, [{"to": HOME, "kind": "redirect", "status": 301}], 200)
    ] * 3
    assert ask.rows("backlinks https://example.com/ --placement footer --as-found") == []


@pytest.mark.parametrize(
    ("per", "counts"),
    [("link", [(1, 1)] * 6), ("similar", [(1, 1)] * 3 + [(3, 3)]), ("page", [(1, 1)] * 2 + [(2, 1)] * 2)],
)
def test_a_row_stands_for_one_or_several(ask: Asking, per: str, counts: list[tuple[int, int]]) -> None:
    rows = ask.rows(f"backlinks example.com --per {per}")
    assert sorted((row["links"], row["pages"]) for row in rows) == counts


def test_a_row_a_domain(ask: Asking) -> None:
    rows = ask.rows("backlinks example.com --per domain")
    assert {row["source_domain"]: (row["links"], row["pages"]) for row in rows} == {
        "example.org": (2, 1),
        "example.net": (4, 3),
    }


UNRANKED = "linkatlas: no rank is known of these: they are in the order of --sort seen\n"


def test_who_sorts_by_ranks_that_are_not_there_is_told(ask: Asking, tmp_path: Path) -> None:
    seen = ask.rows("backlinks example.com --sort seen")
    assert ask("backlinks example.com --sort rank") == (0, seen, UNRANKED)
    assert ask("broken example.com --sort rank")[2] == UNRANKED
    assert ask("backlinks nobody.test --sort rank") == (0, [], "")
    place = f"sqlite:///{tmp_path}/ranked.db"
    with open_index(place, create=True) as index:
        fill(index)
        index.put_ranks([(BLOG, 0.5)], [])
    assert ask.rows(f"backlinks example.com --sort rank --index {place}")[0]["source"] == BLOG


@pytest.mark.parametrize("per", PER)
@pytest.mark.parametrize("order", ORDERS)
def test_an_answer_goes_on_where_it_was_cut(ask: Asking, order: str, per: str) -> None:
    question = f"backlinks example.com --all --sort {order} --per {per}"
    beside = UNRANKED if order == "rank" else ""
    code, whole, said = ask(question)
    assert (code, said) == (0, beside)
    pieces, line, cut = [], f"{question} --limit 1", True
    while cut:
        code, rows, said = ask(line)
        assert (code, said.startswith(beside)) == (0, True)
        said = said.removeprefix(beside)
        pieces += rows
        cut = bool(said)
        assert said.count("\n") == cut
        line = said.partition("more: linkatlas ")[2].strip()
    assert pieces == whole
    assert len(pieces) > 1


def test_an_answer_goes_on_where_targets_stand_behind_two_dashes(ask: Asking) -> None:
    _, first, said = ask("backlinks --limit 1 --after= -- example.com")
    assert said.endswith(" -- example.com\n")
    code, rows, _ = ask(said.partition("more: linkatlas ")[2])
    assert (code, first + rows) == (0, ask.rows("backlinks example.com")[:2])


def test_no_more_is_not_told(ask: Asking) -> None:
    assert len(ask.rows("backlinks example.com --limit 6")) == 6
    code, rows, said = ask("domains example.com --limit 1")
    assert (code, len(rows), said) == (0, 1, "")  # what has no cursor is cut in silence, as ever


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("backlinks example.com --after junk", "the cursor cannot be read"),
        ("backlinks example.com --follow --after {cursor}", "of another question"),
        ("backlinks example.org --after {cursor}", "of another question"),
        ("backlinks example.com --sort new --after {cursor}", "of another question"),
        ("backlinks example.com --kind txt", "did you mean text?"),
        ("backlinks example.com --placement nowhere", "it is one of content"),
        ("backlinks example.com --since soon", "write 2026-11-25"),
        ("backlinks example.com --as-of 30d --lost", "leave out lost and all"),
        ("backlinks example.com --since 1d --until 9d", "turn them round"),
        ("backlinks example.com --from blog.example.org", "write example.org"),
        ("backlinks example.com --sort best", "'seen', 'rank', 'new'"),
        ("backlinks example.com --per site", "'similar'"),
        ("backlinks example.com --time-limit soon", "a number from 0"),
        ("history ftp://x", "write https://example.com/page"),
        ("broken example.com --lost", "no such option --lost"),
        ("forget", "by one of TARGET, --domain, --host, --url, --run"),
        ("forget example.com --run x", "by one of"),
        ("forget --run ''", "by one of"),
        ("forget --domain www.example.com", "by --host"),
        ("forget --host https://example.com/", "not a host"),
        ("forget --url 'https://example.com/*'", "not one URL"),
        ("forget example.com --queue-only", "name it by --frontier"),
    ],
)
def test_what_cannot_be_asked_is_told_in_one_line(ask: Asking, line: str, says: str) -> None:
    _, _, said = ask("backlinks example.com --limit 1")
    code, rows, said = ask(line.format(cursor=said.split()[-1]))
    assert (code, rows) == (2, [])
    assert says in said
    assert said.count("\n") == 1


def test_domains_and_anchors_take_conditions_too(ask: Asking) -> None:
    assert [row["domain"] for row in ask.rows("domains example.com")] == ["example.net", "example.org"]
    assert [row["domain"] for row in ask.rows("domains example.com --lost")] == ["example.org"]
    assert {row["anchor"] for row in ask.rows("anchors example.com --from example.org")} == {
        "Example walks",
        "tying knots",
    }


def test_changes(ask: Asking) -> None:
    def told(flags: str = "") -> set[tuple[str, ...]]:
        rows = ask.rows(f"changes example.com {flags}")
        assert [row["at"] for row in rows] == sorted((row["at"] for row in rows), reverse=True)
        return {
            (row["at"][8:10], row["what"], row["attribute"], row["before"], row["after"], row["anchor"]) for row in rows
        }

    late = {
        ("20", "changed", "anchor", "Example", "Example walks", "Example walks"),
        ("20", "lost", "removed", "", "", "their gear"),
    }
    assert told("--since 2026-11-11") == late
    assert told() >= late | {("01", "new", "", "", "", "tying knots"), ("10", "new", "", "", "", "logo")}


def test_history(ask: Asking) -> None:
    rows = ask.rows(f"history {BLOG} {HOME}")
    assert [(row["anchor"], row["since"][:10], (row["until"] or "")[:10], row["ended_because"]) for row in rows] == [
        ("Example", "2026-11-01", "2026-11-20", "changed"),
        ("Example walks", "2026-11-20", "", None),
    ]
    assert len(ask.rows(f"history {BLOG}")) == 4


def test_broken_links_come_with_what_they_could_lead_to(ask: Asking) -> None:
    (row,) = ask.rows("broken example.com")
    assert (row["source"], row["target"], row["end_status"]) == (BLOG, DEAD, 404)
    assert (row["replacement"], row["replacement_because"]) == (ALIVE, "similar")
    assert 0.5 < row["replacement_score"] < 0.9
    assert ask.rows("broken example.com --follow") == []


def test_status_names_runs(ask: Asking) -> None:
    (status,) = ask.rows("status")
    assert {run["run"]: run["pages"] for run in status["runs"]} == {"first": 9}
    code = main(["status", "--format", "table"])
    assert (code, "first: 9 URLs, 2026-11-01" in ask.capsys.readouterr().out) == (0, True)


def test_the_doctor_finds_a_healthy_index_well(ask: Asking) -> None:
    findings = ask.rows("doctor")
    assert {finding["store"] for finding in findings} == {"index", "frontier"}
    assert [finding for finding in findings if not finding["ok"] or finding["remedy"]] == []


def test_the_doctor_says_what_is_missing_and_what_to_do(ask: Asking, tmp_path: Path) -> None:
    code, findings, _ = ask(f"doctor --index sqlite:///{tmp_path}/none.db")
    (bad,) = [finding for finding in findings if not finding["ok"]]
    assert (code, bad["store"], "linkatlas crawl" in bad["remedy"]) == (1, "index", True)
    (tmp_path / "strange.db").write_bytes(b"this is no index" * 100)
    code, findings, _ = ask(f"doctor --index sqlite:///{tmp_path}/strange.db")
    assert code == 1
    assert [finding["store"] for finding in findings if not finding["ok"]] == ["index"]


@pytest.mark.parametrize("line", ["config", "crawl https://a.test/ --dry-run", "doctor"])
def test_a_password_is_never_shown(tmp_path: Path, line: str) -> None:
    place = "mongodb://me:hidden%21@127.0.0.1:1/links?serverSelectionTimeoutMS=100&tlsCertificateKeyFilePassword=hidden"
    ran = run(tmp_path, *shlex.split(line), variables={"LINKATLAS_INDEX": place})
    assert "hidden" not in ran.out + ran.err
    assert "127.0.0.1:1/links" in ran.out + ran.err


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("backlinks nobody.test", "no backlinks of nobody.test in this index of 7 pages"),
        ("backlinks nobody.test --lost", "no lost backlinks of nobody.test in this"),
        ("domains example.com --kind form", "no referring domains of example.com that fulfil all conditions"),
        ("anchors http://example.com/", "http and https differ"),
        ("domains shop.example.com", "; that is one host, for all of the domain ask for example.com"),
        ("outlinks nowhere.example/", "without a scheme https is meant"),
        ("history nowhere.example/", "without a scheme https is meant"),
        ("outlinks https://nobody.test/", "no links on the page https://nobody.test/"),
    ],
)
def test_a_person_is_told_that_there_is_nothing(
    ask: Asking, monkeypatch: pytest.MonkeyPatch, line: str, says: str
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    code, rows, said = ask(line)
    assert (code, rows) == (0, [])
    assert says in said
