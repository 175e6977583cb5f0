"""The questions as commands, on a real index: every form of answer, every way to ask wrongly."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from interfaces.cli.main import COMMANDS
from linkindex.answers.rows import Backlink
from linkindex.store import open_index
from tests.crawls.command import Ran, command, environment, run
from tests.linkindex.contract import link, visit

ODD = "=HYPERLINK(1) \x1b[31m \u202e end"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an index of three pages."""
    folder = tmp_path_factory.mktemp("index")
    with open_index(f"sqlite:///{folder}/linkatlas.db", create=True) as index:
        long = "https://b.test/" + "very-long-path/" * 20
        first = (link("https://b.test/", "good"), link("https://b.test/x", ODD, rel=("nofollow",), follow=False))
        index.store([visit("https://a.test/", 1_700_000_000_000, *first, link("https://b.test/gone", "gone"))])
        index.store([visit("https://a.test/", 1_700_086_400_000, *first, link(long, "long"))])
        index.store([visit("https://c.test/page", 1_700_000_000_000, link("https://b.test/", "good"), status=200)])
    return folder


def ask(folder: Path, *arguments: str) -> Ran:
    return run(folder, *arguments)


def on_a_terminal(folder: Path, columns: int, *arguments: str) -> str:
    """Run with a terminal of so many columns as standard output; return what was written to it."""
    ours, theirs = pty.openpty()
    variables = environment(COLUMNS=str(columns), TERM="xterm")
    with subprocess.Popen(command(*arguments), cwd=folder, env=variables, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            written += piece
        process.wait(timeout=30)
    os.close(ours)
    return written.decode().replace("\r\n", "\n")


def test_a_pipe_gets_json_lines_with_all_fields(folder: Path) -> None:
    ran = ask(folder, "backlinks", "b.test")
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert (ran.code, ran.err, len(rows)) == (0, "", 4)
    designed = """source source_domain target target_domain kind anchor rel follow placement placement_confidence text_before
    text_after first_seen last_seen lost_at lost_reason source_status target_status source_rank domain_rank""".split()
    assert set(designed) <= set(rows[0]) == set(Backlink.__struct_fields__)
    assert rows[0]["first_seen"].endswith("Z")
    assert [row["follow"] for row in rows] == [True, True, True, False]


@pytest.mark.parametrize("question", ["backlinks", "domains", "anchors", "overview"])
def test_json_is_one_value_and_csv_has_the_same_fields(folder: Path, question: str) -> None:
    lines = [json.loads(line) for line in ask(folder, question, "b.test", "--format", "jsonl").out.splitlines()]
    whole = json.loads(ask(folder, question, "b.test", "--format", "json").out)
    assert (whole if isinstance(whole, list) else [whole]) == lines
    table = list(csv.DictReader(io.StringIO(ask(folder, question, "b.test", "--format", "csv").out)))
    assert [set(row) for row in table] == [set(row) for row in lines]


def test_counts_of_all_questions_agree(folder: Path) -> None:
    def answer(question: str) -> list[dict[str, int]]:
        return [json.loads(line) for line in ask(folder, question, "b.test").out.splitlines()]

    total = answer("overview")[0]
    assert total["backlinks"] == len(answer("backlinks")) == 4
    assert total["referring_domains"] == len(answer("domains")) == 2
    assert sum(row["backlinks"] for row in answer("anchors")) == 4
    assert total["lost"] == 1


def test_lost_and_all(folder: Path) -> None:
    assert [json.loads(line)["anchor"] for line in ask(folder, "backlinks", "b.test", "--lost").out.splitlines()] == [
        "gone"
    ]
    assert len(ask(folder, "backlinks", "b.test", "--all").out.splitlines()) == 5


def test_outlinks(folder: Path) -> None:
    rows = [json.loads(line) for line in ask(folder, "outlinks", "https://a.test/").out.splitlines()]
    assert [row["lost_reason"] for row in rows] == [None, None, None, "removed"]


def test_limit(folder: Path) -> None:
    assert len(ask(folder, "backlinks", "b.test", "--limit", "2").out.splitlines()) == 2
    assert len(ask(folder, "backlinks", "b.test", "--limit", "0").out.splitlines()) == 4


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
@pytest.mark.parametrize("question", ["backlinks", "domains", "anchors"])
def test_a_terminal_gets_a_table_that_fits_and_does_nothing_else(folder: Path, question: str, columns: int) -> None:
    written = on_a_terminal(folder, columns, question, "b.test")
    lines = re.sub(r"\x1b\[[0-9;]*m", "", written).splitlines()  # the bold of the headings
    assert len(lines) > 2
    assert max(map(len, lines)) <= columns
    assert "\u202e" not in written
    assert "\x1b[31m" not in written
    if question == "anchors" and columns == 200:
        assert "\\x1b[31m" in written


def test_csv_cells_are_no_formulas(folder: Path) -> None:
    table = list(csv.DictReader(io.StringIO(ask(folder, "anchors", "b.test", "--format", "csv").out)))
    assert [row["anchor"] for row in table if "HYPERLINK" in row["anchor"]] == ["'" + ODD]


def test_a_file_gets_the_format_of_its_ending(folder: Path, tmp_path: Path) -> None:
    ask(folder, "backlinks", "b.test", "-o", str(tmp_path / "x.csv"))
    assert (tmp_path / "x.csv").read_text().startswith("source,source_domain,")
    ask(folder, "backlinks", "b.test", "-o", str(tmp_path / "x.json"))
    assert len(json.loads((tmp_path / "x.json").read_text())) == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.csv", "x.json"]


def test_a_failed_question_leaves_the_file_as_it_was(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("kept")
    ran = ask(folder, "backlinks", "not a target", "-o", str(tmp_path / "x.csv"))
    assert ran.code == 2
    assert (tmp_path / "x.csv").read_text() == "kept"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("backlinks",), "TARGET"),
        (("backlinks", "a b"), "write example.com"),
        (("backlinks", "b.test", "--format", "xml"), "xml"),
        (("backlinks", "b.test", "--limit", "-1"), "--limit"),
        (("backlinks", "b.test", "--limt", "1"), "--limit"),
        (("backlink", "b.test"), "did you mean backlinks"),
        (("nonsense",), "--help"),
        (("backlinks", "b.test", "-o", "/"), "-o /"),
        (("backlinks", "b.test", "-o", "/no/such/folder/x"), "folder that can be written"),
        (("backlinks", "b.test", "--index", "sqlite:///missing.db"), "linkatlas crawl"),
        (("outlinks", "mailto:x"), "https://example.com/page"),
        (("status", "--index", "sqlite:///missing.db"), "linkatlas crawl"),
        (("why", "https://nowhere.test/"), "no such file"),
    ],
)
def test_asking_wrongly_is_told_in_one_line(folder: Path, arguments: tuple[str, ...], says: str) -> None:
    ran = ask(folder, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1, ran.err
    assert says in ran.err
    assert not (folder / "missing.db").exists()


def test_nothing_found_is_an_answer(folder: Path) -> None:
    ran = ask(folder, "backlinks", "nobody.test")
    assert (ran.code, ran.out) == (0, "")
    assert "no backlinks of nobody.test" in on_a_terminal(folder, 100, "backlinks", "nobody.test")


def test_who_stops_reading_is_not_told_of_it(folder: Path) -> None:
    arguments = shlex.join(command("backlinks", "b.test"))
    piped = subprocess.run(
        ["sh", "-c", f"{arguments} | true"], cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert piped.stderr == ""


@pytest.mark.parametrize("question", ["backlinks", "domains", "anchors", "overview", "outlinks"])
def test_a_question_imports_no_engine(folder: Path, question: str) -> None:
    code = (
        "import sys\nfrom interfaces.cli.main import main\n"
        f"main([{question!r}, 'b.test', '--format', 'jsonl'])\n"
        "heavy = {'scrapy', 'twisted', 'pymongo', 'redis', 'tldextract', 'aiohttp', 'rich', 'selectolax', 'requests'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str, folder: Path) -> None:
    ran = ask(folder, name, "--help")
    assert ran.code == 0
    assert f"linkatlas {name}" in ran.out.partition("Example")[2]


def test_linkatlas_alone_lists_its_commands(folder: Path) -> None:
    ran = ask(folder)
    assert all(f"  {name} " in ran.out + ran.err for name in COMMANDS)
