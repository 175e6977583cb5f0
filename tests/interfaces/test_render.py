"""What answers look like: they fit, they are whole, and they are text to every program that shows them."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import threading
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from crawler.frontier import Counts
from interfaces.cli.fields import write_fields
from interfaces.cli.main import main
from interfaces.cli.progress import Progress, Snapshot
from interfaces.cli.render import choose_format, opened, write_object, write_rows
from interfaces.cli.voice import Voice
from linkindex.answers.rows import AnchorText, Overview
from linkindex.errors import BadInput

THEN = datetime(2026, 1, 2, tzinfo=UTC)
BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A row with a cell of each kind."""

    source: str = "https://a.test/"
    anchor: str = "words"
    links: int = 1234
    rank: float = 0.5
    follow: bool = True
    rel: list[str] = []
    lost_at: datetime | None = None


class Terminal(io.StringIO):
    """What is written to a terminal. How wide it is, COLUMNS says."""

    def isatty(self) -> bool:
        return True


def anchor(text: str, backlinks: int = 1) -> AnchorText:
    return AnchorText(
        anchor=text, backlinks=backlinks, domains=1, follow=1, nofollow=0, first_seen=THEN, last_seen=THEN
    )


def profile(target: str, kind: str) -> Overview:
    counts = dict.fromkeys(name for name, kind in Overview.__annotations__.items() if kind == "int")
    zeros = dict.fromkeys(counts, 0)
    return Overview(target=target, by_kind={kind: 1}, by_placement={}, first_seen=None, last_seen=THEN, **zeros)


def table(rows: list[msgspec.Struct], *columns: str) -> list[str]:
    """Return the lines of a table that goes to no terminal."""
    out = io.StringIO()
    assert write_rows(rows, type(rows[0]), "table", out, columns or rows[0].__struct_fields__) == len(rows)
    return out.getvalue().splitlines()


def columns_of(text: str) -> int:
    """How many columns of a terminal a text takes, reckoned from the Unicode tables: our own second opinion."""
    marks = ("Mn", "Me", "Cf")
    return sum(
        0 if unicodedata.category(char) in marks else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def acted_on(shown: str) -> list[str]:
    """Return the characters of what is shown that a terminal would act on; the end of a line is ours."""
    return [
        char
        for char in shown
        if char != "\n" and (unicodedata.category(char) == "Cc" or unicodedata.bidirectional(char) in BIDI)
    ]


# ---- tables


def test_cells_as_people_read_them() -> None:
    assert table([Row(), Row(links=7, follow=False, rel=["ugc", "nofollow"], lost_at=THEN)]) == [
        "source           anchor  links  rank  follow  rel           lost at",
        "https://a.test/  words   1,234  0.50  yes     -             -",
        "https://a.test/  words       7  0.50  no      ugc nofollow  2026-01-02",
    ]


def test_columns_in_which_no_row_says_anything_are_left_out() -> None:
    assert table([Row(), Row()])[0] == "source           anchor  links  rank  follow"


def test_nothing_is_written_for_no_rows() -> None:
    out = io.StringIO()
    assert write_rows([], Row, "table", out, ["source"]) == 0
    assert out.getvalue() == ""


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 100, 160, 250])
@pytest.mark.parametrize("text", ["x" * 500, "漢字" * 200, "e\u0301" * 300, "🦜" * 200, "a", "漢"])
def test_no_line_is_wider_than_the_terminal(columns: int, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    out = Terminal()
    rows = [Row(source=f"https://a.test/{text}", anchor=text), Row(anchor=text[:3])]
    write_rows(rows, Row, "table", out, Row.__struct_fields__)
    lines = out.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()
    assert len(lines) == 3
    assert max(map(columns_of, lines)) <= columns


def test_columns_that_there_is_no_room_for_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for columns, told in (
        (24, "(2 more columns with --format csv)\n"),
        (30, "(1 more column with --format csv)\n"),
        (80, ""),
    ):
        monkeypatch.setenv("COLUMNS", str(columns))
        row = Row(source="https://a.test/long/enough", lost_at=THEN)
        write_rows([row], Row, "table", Terminal(), ["source", "follow", "lost_at", "rel"])  # rel: nothing to tell
        assert capsys.readouterr().err == told


def test_a_terminal_that_knows_no_escapes_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, bold in (("xterm", True), ("dumb", False)):
        monkeypatch.setenv("TERM", name)
        out = Terminal()
        write_rows([Row()], Row, "table", out, ["source"])
        assert ("\x1b" in out.getvalue()) is bold
        monkeypatch.setattr("sys.stderr", out)
        assert Voice().live is bold


def test_a_line_that_renews_itself_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    shown = Terminal()
    monkeypatch.setattr("sys.stderr", shown)
    Voice().renew("1,234,567 URLs · 100.0/s · 12,345,678 links · 139,000 hosts")
    assert shown.getvalue() == "\r\x1b[K1,234,567 URLs · 100.0/s · 12,345,678 l"


def test_progress_tells_what_is_ahead_and_until_when_nothing_happens() -> None:
    counts = Counts(queued=2, scheduled=1, leased=3, visited=2, failed=1, hosts=4)
    progress = Progress(lambda: Snapshot(counts, 5))
    assert progress.line(Snapshot(counts, 5), 0.0) == "2 URLs · 0.0/s · 5 links · 4 hosts · 6 to visit · 1 error"
    assert progress.line(Snapshot(counts, 5, 28.4), 0.0).endswith(" · 6 to visit · 1 error · next in 28 s")


@pytest.mark.parametrize("columns", [30, 40, 80])
def test_long_values_go_on_below_themselves(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    terminal, file = Terminal(), io.StringIO()
    for out in (terminal, file):
        write_fields([("name", "word " * 20 + "end"), ("", "more"), ("other", "x" * 90)], out)
    assert file.getvalue().count("\n") == 3
    lines = terminal.getvalue().splitlines()
    assert max(map(len, lines[:-1])) <= columns < len(lines[-1])  # what is one word is not broken: a URL can be copied
    assert {line[:7] for line in lines} == {"name   ", "other  ", " " * 7}
    assert terminal.getvalue().split() == file.getvalue().split()


def test_columns_stand_below_each_other_whatever_is_in_them() -> None:
    lines = table([Row(anchor=text) for text in ("漢字", "e\u0301", "plain", "")], "anchor", "follow")
    assert {columns_of(line[: line.rindex("  ")]) for line in lines} == {columns_of("anchor")}


def test_long_urls_keep_their_host_and_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = Terminal()
    url = f"https://www.example.com/{'folder/' * 20}the-end"
    write_rows([Row(source=url), Row(source="http://b.test/")], Row, "table", out, Row.__struct_fields__)
    (_, long, short) = out.getvalue().splitlines()
    assert long.startswith("www.example.com/")
    assert "…" in long.split()[0]
    assert long.split()[0].endswith("the-end")
    assert short.split()[0] == "b.test/"  # one column is written one way


# ---- programs


def test_json_is_valid_whatever_is_in_it() -> None:
    rows = [anchor('"quoted" \\ \n\t'), anchor("\x1b[31m\x9b \u202e \U000e0041 \x7f 漢字 🦜")]
    for form in ("json", "jsonl"):
        out = io.StringIO()
        assert write_rows(rows, AnchorText, form, out, []) == 2
        text = out.getvalue()
        values = json.loads(text) if form == "json" else [json.loads(line) for line in text.split("\n")[:-1]]
        assert [value["anchor"] for value in values] == [row.anchor for row in rows]
        assert acted_on(text) == []
        assert "漢字 🦜" in text


def test_an_empty_answer_is_valid_too() -> None:
    written = {}
    for form in ("json", "jsonl", "csv"):
        out = io.StringIO()
        assert write_rows([], AnchorText, form, out, []) == 0
        written[form] = out.getvalue()
    assert json.loads(written["json"]) == []
    assert written["jsonl"] == ""
    assert written["csv"] == ",".join(AnchorText.__struct_fields__) + "\n"


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_csv_cells_are_no_formulas(begin: str) -> None:
    out = io.StringIO(newline="")
    write_rows([anchor(f'{begin}cmd|"x"!A1'), anchor("a = b", -5)], AnchorText, "csv", out, [])
    first, second = csv.DictReader(io.StringIO(out.getvalue(), newline=""))
    assert first["anchor"] == f'\'{begin}cmd|"x"!A1'
    assert (second["anchor"], second["backlinks"]) == ("a = b", "-5")  # numbers and other texts stay as they are
    assert first["first_seen"] == "2026-01-02T00:00:00Z"


def test_csv_of_one_object_has_its_counts() -> None:
    out = io.StringIO()
    write_object(profile("b.test", "text"), "csv", out)
    (row,) = csv.DictReader(io.StringIO(out.getvalue()))
    assert (row["target"], row["by_kind"], row["first_seen"]) == ("b.test", "text=1", "")


# ---- what strangers wrote


def test_naughty_strings_are_shown_never_acted_on(oracles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    strings = json.loads((oracles / "bombs" / "blns.json").read_text(encoding="utf-8"))
    strings += ["\x1b]0;title\x07", "\x9b2J", "a\rb", "\u202egnp.exe", "\u2066x"]
    assert len(strings) > 500
    assert any(map(acted_on, strings))  # else this tests nothing
    lines = table([Row(source=text, anchor=text, rel=[text]) for text in strings])
    assert len(lines) == len(strings) + 1
    assert acted_on("\n".join(lines)) == []
    for text in strings:
        out = io.StringIO()
        write_object(profile(text, text), "table", out)
        assert acted_on(out.getvalue()) == []
        assert len(out.getvalue().split("\n")) == len(Overview.__struct_fields__) + 1
        terminal = Terminal()
        for form in ("csv", "jsonl"):
            write_rows([anchor(text)], AnchorText, form, terminal, [])
        assert acted_on(terminal.getvalue()) == []
        if "\0" not in text:  # no command line can hold it
            for arguments in (["backlinks", f"a b {text}"], ["backlinks", "b.test", f"--no{text}"], [f"no{text}"]):
                assert main(arguments) == 2
                printed = capsys.readouterr()
                assert acted_on(printed.out + printed.err) == []
                assert printed.err.count("\n") == 1


# ---- where it goes


@pytest.mark.parametrize(
    ("wanted", "output", "form"),
    [
        ("csv", "x.json", "csv"), (None, "x.json", "json"), (None, "x.CSV", "csv"), ("csv", "x.txt", "csv"),
        (None, "x", "jsonl"), (None, "-", "jsonl"), (None, None, "jsonl"),
    ],
)  # fmt: skip
def test_the_format_is_that_asked_for_else_that_of_the_ending(
    wanted: str | None, output: str | None, form: str
) -> None:
    assert choose_format(wanted, output) == form


@pytest.mark.parametrize("output", ["x.xlsx", "links.csv.gz", "2026.11"])
def test_an_ending_that_no_writer_knows_is_refused_with_those_that_work(output: str) -> None:
    with pytest.raises(BadInput, match=r"\.csv, \.json, \.jsonl, \.table, or say --format"):
        choose_format(None, output)


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    with opened(str(file), "csv") as stream:
        stream.write("half")
        stream.flush()
        assert not file.exists()
    assert file.read_text() == "half"
    assert list(tmp_path.iterdir()) == [file]


def test_a_failure_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("kept")
    with pytest.raises(BadInput, match="^stop$"), opened(str(file), "csv") as stream:  # noqa: PT012
        stream.write("half")
        raise BadInput("stop")
    assert file.read_text() == "kept"
    assert list(tmp_path.iterdir()) == [file]


def test_who_may_read_the_file_stays(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("old")
    file.chmod(0o600)
    with opened(str(file), "csv") as stream:
        stream.write("new")
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("new", 0o600)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("real.csv")
    with opened(str(tmp_path / "link"), "csv") as stream:
        stream.write("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "new"


def test_what_is_no_file_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    """As /dev/null is, which a file must not take the place of."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    with opened(str(pipe), "csv") as stream:
        stream.write("through")
    reader.join(10)
    assert read == ["through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc: what /dev/stdout would do is not checked")
def test_a_link_to_a_pipe_leads_into_it(tmp_path: Path) -> None:
    """As /dev/stdout is, which is a link to what no path names."""
    out, into = os.pipe()
    (tmp_path / "link").symlink_to(f"/proc/self/fd/{into}")
    with opened(str(tmp_path / "link"), "csv") as stream:
        stream.write("through")
    os.close(into)
    with os.fdopen(out) as read:
        assert read.read() == "through"


@pytest.mark.parametrize("name", ["", ".", "/", "no/such/folder/x", "x" * 300])
def test_a_place_that_cannot_be_written_is_told_in_one_line(name: str, tmp_path: Path) -> None:
    output = str(tmp_path / name) if name.strip("/.") else name
    with pytest.raises(BadInput, match=r"^-o .*; name a file") as raised, opened(output, "csv"):
        pytest.fail("nothing is asked before the place is known to be good")
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []
