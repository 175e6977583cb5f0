"""The questions as commands, on a real index: every form of answer, every way to ask wrongly."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from crawler.frontier import open_frontier
from crawler.job import begin, budget_of, scope_of
from interfaces.cli.main import COMMANDS, Entry, main
from linkindex.answers.rows import Backlink, Overview
from linkindex.store import open_index
from settings.options import Options
from tests.crawls.command import Ran, command, environment, run
from tests.linkindex.contract import link, visit

QUESTIONS = ["backlinks", "domains", "anchors", "overview", "outlinks"]
ODD = "=HYPERLINK(1) \x1b[31m \u202e end"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an index of four pages, and a queue that knows one URL."""
    folder = tmp_path_factory.mktemp("index")
    with open_index(f"sqlite:///{folder}/linkatlas.db", create=True) as index:
        long = "https://b.test/" + "very-long-path/" * 20
        first = (link("https://b.test/", "good"), link("https://b.test/x", ODD, rel=("nofollow",), follow=False))
        index.store([visit("https://a.test/", 1_700_000_000_000, *first, link("https://b.test/gone", "gone"))])
        index.store([visit("https://a.test/", 1_700_086_400_000, *first, link(long, "long"))])
        many = (link(f"https://big.test/{number}", "words " * 20) for number in range(5000))
        index.store([visit("https://d.test/", 1_700_000_000_000, *many, link("https://odd.test/", "漢字"))])
        index.store([visit("https://c.test/page", 1_700_000_000_000, link("https://b.test/", "good"), status=200)])
    with open_frontier(f"sqlite:///{folder}/linkatlas-frontier.db") as frontier:
        begin(frontier, ["https://a.test/"], scope_of(Options()), budget_of(Options()), 1.0)
    return folder


def ask(folder: Path, *arguments: str) -> Ran:
    return run(folder, *arguments)


@pytest.fixture
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, as the one that this process is in."""
    monkeypatch.chdir(folder)
    for name in [name for name in os.environ if name.startswith("LINKATLAS_")]:
        monkeypatch.delenv(name)
    return folder


def on_a_terminal(folder: Path, columns: int, *arguments: str) -> str:
    """Run with a terminal of so many columns as standard output; return what was written to it."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
    variables = environment(TERM="xterm")
    variables.pop("COLUMNS", None)
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


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.usefixtures("here")
def test_every_format_tells_the_same(question: str, capsys: pytest.CaptureFixture[str]) -> None:
    target = "https://a.test/" if question == "outlinks" else "b.test"

    def answer(form: str) -> str:
        assert main([question, target, "--format", form]) == 0
        return capsys.readouterr().out

    lines = [json.loads(line) for line in answer("jsonl").splitlines()]
    whole = json.loads(answer("json"))
    assert (whole if isinstance(whole, list) else [whole]) == lines != []
    table = list(csv.DictReader(io.StringIO(answer("csv"))))
    assert [set(row) for row in table] == [set(row) for row in lines]
    shown = answer("table").splitlines()
    assert len(shown) == (len(Overview.__struct_fields__) if question == "overview" else 1 + len(lines))


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.usefixtures("here")
def test_an_empty_answer_is_an_answer_in_every_format(question: str, capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("jsonl", "json", "csv", "table"):
        assert main([question, "nobody.test", "--format", form]) == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        if form == "json":
            empty = json.loads(printed.out)
            assert empty == [] or empty["backlinks"] == 0


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
        (("backlinks",), "TARGET is missing (as in: linkatlas backlinks example.com)"),
        (("why",), "URL is missing (as in: linkatlas why https"),
        (("backlinks", "b.test", "more"), "more"),
        (("backlinks", "a b"), "write example.com"),
        (("backlinks", "b.test", "--format", "xml"), "xml"),
        (("backlinks", "b.test", "--limit", "-1"), "--limit"),
        (("backlinks", "b.test", "--limit", "x"), "a whole number, 0 for all"),
        (("backlinks", "b.test", "--limit"), "linkatlas backlinks --help"),
        (("backlinks", "b.test", "--limt", "1"), "did you mean --limit?"),
        (("backlinks", "b.test", "--indx", "x"), "did you mean --index?"),
        (("crawl", "https://a.test", "--max-page", "1"), "did you mean --max-pages?"),
        (("backlinks", "b.test", "-z"), "linkatlas backlinks --help"),
        (("--format", "json", "backlinks", "b.test"), "linkatlas backlinks --help"),
        (("--hlp",), "did you mean --help?"),
        (("help",), "did you mean --help?"),
        (("version",), "did you mean --version?"),
        (("BACKLINKS", "b.test"), "did you mean backlinks?"),
        (("export",), "no such command 'export' (see"),  # nothing is near it, least of all forget
        (("backlinks", "b.test", "--json"), "did you mean --format json?"),
        (("backlinks", "b.test", "--rank"), "did you mean --sort rank?"),
        (("backlinks", "b.test", "--from", "https://www.a.test/x"), "not a registrable domain; write a.test"),
        (
            ("backlinks", "b.test", "--index", "sqlite:///."),
            "is a folder; name a file in it: --index sqlite:///NAME.db",
        ),
        (("why", "https://a.test/", "--frontier", "sqlite:///."), "is a folder; name a file in it: --frontier"),
        (("crawl", "https://a.test/", "--index", "sqlite:///no/x.db"), "no folder no; make it, or name another with"),
        (("why", "http://a.test/"), "http://a.test/: never discovered, but https://a.test/ was"),
        (("--frmat",), "options follow the command"),
        (("backlink", "b.test"), "did you mean backlinks?"),
        (("nonsense",), "linkatlas --help"),
        (("backlinks", "b.test", "-o", "/"), "-o /"),
        (("backlinks", "b.test", "-o", ""), "name a file"),
        (("backlinks", "b.test", "--index", "links.db"), "give sqlite:///PATH"),
        (("domains", "\x1b[31m b"), "\\x1b[31m"),
        (("backlinks", "b.test", "-o", "/no/such/folder/x"), "folder that can be written"),
        (("backlinks", "b.test", "--index", "sqlite:///missing.db"), "linkatlas crawl"),
        (("outlinks", "mailto:x"), "https://example.com/page"),
        (("status", "--index", "sqlite:///missing.db"), "linkatlas crawl"),
        (("why", "https://nowhere.test/"), "never discovered"),
        (("why", "nowhere.test"), "https://nowhere.test/: never discovered"),
        (("why", "https://d.test/"), "linkatlas seed --again https://d.test/"),
        (("why", "https://a.test/", "--index", "sqlite:///missing.db"), "no such file"),
        (("why", "htp://x"), "write https://example.com"),
        (("status", "--format", "csv"), "'table', 'json'"),
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
    assert "no backlinks of nobody.test in this index of 3 pages" in on_a_terminal(
        folder, 100, "overview", "nobody.test"
    )


@pytest.mark.parametrize("question", ["overview", "backlinks", "pages"])
@pytest.mark.parametrize("target", ["https://www.b.test", "HTTP://www.b.test/", "www.b.test/"])
def test_who_asks_for_a_home_page_is_told_of_the_domain(folder: Path, question: str, target: str) -> None:
    told = on_a_terminal(folder, 100, question, target)
    assert told.endswith(f"linkatlas: {target} is one page; for all of the domain, ask for b.test\n")
    for other in ("b.test", "www.b.test", "https://b.test/x", "https://b.test/?x", "https://b.test/*"):
        assert "is one page" not in on_a_terminal(folder, 100, question, other)
    assert ask(folder, question, target).err == ""


def test_without_a_scheme_a_url_is_known_under_either(folder: Path, tmp_path: Path) -> None:
    place = f"sqlite:///{tmp_path}/q.db"
    assert run(tmp_path, "seed", "http://plain.test/", "--frontier", place).code == 0
    assert json.loads(run(tmp_path, "why", "plain.test", "--frontier", place).out)["url"] == "http://plain.test/"


def test_a_question_makes_no_index_of_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "linkatlas.db").touch()
    for question in ("backlinks b.test", "status", "overview b.test"):
        ran = run(tmp_path, *question.split())
        assert (ran.code, ran.err.count("\n")) == (2, 1)
        assert "linkatlas.db: there is nothing in it" in ran.err
    assert [(path.name, path.stat().st_size) for path in tmp_path.iterdir()] == [("linkatlas.db", 0)]


@pytest.mark.parametrize("question", ["backlinks big.test", "backlinks big.test --format csv", "config", "--help"])
def test_who_stops_reading_is_not_told_of_it(folder: Path, question: str) -> None:
    arguments = shlex.join(command(*question.split()))
    for reader in ("head -1", "true"):
        piped = subprocess.run(
            ["bash", "-c", f"{arguments} | {reader}; echo ${{PIPESTATUS[0]}} >&2"],
            cwd=folder,
            env=environment(PYTHONUNBUFFERED=""),
            capture_output=True,
            text=True,
            check=False,
        )
        assert piped.stderr == "0\n"


@pytest.mark.parametrize("question", ["backlinks b.test", "status", "--help"])
def test_a_closed_output_is_told(folder: Path, question: str) -> None:
    for closed, told in ((">&-", 1), (">&- 2>&-", 0)):
        line = f"{shlex.join(command(*question.split()))} {closed}"
        done = subprocess.run(
            ["bash", "-c", line], cwd=folder, env=environment(), capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", told)
        assert "standard output is closed" in done.stderr or not told


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full: what a full disk does is not checked")
def test_a_file_that_finds_no_room_is_told_as_such(folder: Path) -> None:
    ran = ask(folder, "backlinks", "b.test", "-o", "/dev/full")
    assert (ran.code, ran.out) == (69, "")
    assert ran.err == "linkatlas: -o /dev/full: No space left on device; make room, then try again\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full: what a full disk does is not checked")
@pytest.mark.parametrize("question", ["backlinks b.test", "status", "config", "--help"])
def test_a_full_disk_is_told_in_one_line(folder: Path, question: str) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            command(*question.split()),
            cwd=folder,
            env=environment(PYTHONUNBUFFERED=""),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (
        69,
        "linkatlas: output: No space left on device; make room, then try again\n",
    )


@pytest.mark.usefixtures("here")
def test_a_bug_is_one_line_unless_asked_for_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(COMMANDS, "config", Entry("interfaces.cli.no_such_module:config", ""))
    assert main(["config"]) == 70
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert "ModuleNotFoundError" in printed
    assert "LINKATLAS_DEBUG=1" in printed
    monkeypatch.setenv("LINKATLAS_DEBUG", "1")
    with pytest.raises(ModuleNotFoundError):
        main(["config"])


@pytest.mark.parametrize("form", ["jsonl", "csv", "table"])
def test_where_the_locale_knows_little_nothing_breaks(folder: Path, form: str) -> None:
    ran = run(folder, "anchors", "odd.test", "--format", form, variables={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert (ran.code, ran.err) == (0, "")
    assert ("\\u6f22" if form == "table" else "漢") in ran.out


def test_options_come_from_the_environment_and_the_file_too(folder: Path, tmp_path: Path) -> None:
    place = f"sqlite:///{folder}/linkatlas.db"
    assert len(run(tmp_path, "domains", "b.test", variables={"LINKATLAS_INDEX": place}).out.splitlines()) == 2
    (tmp_path / "linkatlas.toml").write_text(f'index = "{place}"\n')
    assert len(run(tmp_path, "domains", "b.test").out.splitlines()) == 2
    (tmp_path / "linkatlas.toml").write_text("indx = 1\n")
    ran = run(tmp_path, "domains", "b.test")
    assert (ran.code, ran.err) == (2, "linkatlas: linkatlas.toml: option 'indx' is unknown; the nearest is 'index'\n")


def test_why_and_status_fit_a_terminal(folder: Path) -> None:
    story = on_a_terminal(folder, 80, "why", "https://a.test")
    assert dict(line.split(None, 1) for line in story.splitlines())["visited"].startswith("page, ")
    assert ", as a seed\n" in story
    account = on_a_terminal(folder, 80, "status")
    assert "1 URL discovered on 1 host" in account
    assert "(1 lost) from 3 pages\n" in account
    assert max(map(len, (story + account).splitlines())) <= 80


def test_why_and_status_as_json(folder: Path) -> None:
    assert json.loads(ask(folder, "why", "https://a.test").out)["url"] == "https://a.test/"
    account = json.loads(ask(folder, "status").out)
    assert (account["discovered"], account["index"]["pages"]) == (1, 3)


def test_config_tells_where_each_value_comes_from(folder: Path) -> None:
    lines = run(folder, "config", variables={"LINKATLAS_MAX_BODY": "2MiB"}).out.splitlines()
    assert [line.split() for line in lines if line.startswith(("max_body", "depth"))] == [
        ["depth", "3", "default"],
        ["max_body", "2MiB", "LINKATLAS_MAX_BODY"],
    ]


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
    assert (ran.code, ran.out) == (2, "")
    lines = ran.err.splitlines()
    assert all(any(line.startswith(f"  {name} ") for line in lines) for name in COMMANDS)
    assert max(map(len, lines)) <= 80


def test_lines_tell_what_can_be_typed(tmp_path: Path) -> None:
    for called in ("./run", "linkatlas"):
        for arguments, says in (
            ("backlinks b.test", f"linkatlas.db: no such file; make one with: {called} crawl https://example.com\n"),
            ("backlinks b.test --limt 3", f"(see {called} backlinks --help)\n"),
            ("backlink b.test", f"(see {called} --help)\n"),
            ("why", f"(as in: {called} why https://example.com/page)\n"),
        ):
            ran = run(tmp_path, *arguments.split(), variables={"LINKATLAS_CALLED": called})
            assert ran.err.startswith("linkatlas: ") and ran.err.endswith(says)


def test_seeds_of_a_file_are_visited_again_too(folder: Path, tmp_path: Path) -> None:
    place = ("--index", f"sqlite:///{folder}/linkatlas.db", "--frontier", f"sqlite:///{tmp_path}/q.db")
    assert run(tmp_path, "seed", "https://a.test/", *place).code == 0
    (tmp_path / "again.txt").write_text("https://a.test/ # once more\n")
    again = run(tmp_path, "seed", "--again", "--seeds-file", "again.txt", *place)
    assert (again.code, again.out) == (0, "1 URL is queued to be visited again\n")
    nothing = run(tmp_path, "seed", "--again", *place)
    assert (nothing.code, nothing.err.count("\n"), "no seeds" in nothing.err) == (2, 1, True)
    assert "no node works on this crawl yet" in on_a_terminal(tmp_path, 100, "seed", "https://x.test/", *place)


def test_ctrl_c_while_the_program_is_being_read_ends_it_without_a_word(tmp_path: Path) -> None:
    code = """
import sys

class Interrupting:
    def find_spec(self, name, path, target=None):
        if name == "click":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupting())
from interfaces.start import main
sys.exit(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
