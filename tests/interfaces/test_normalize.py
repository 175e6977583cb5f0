"""`linkatlas normalize`, as people and programs call it."""

from __future__ import annotations

import json

import pytest

from interfaces.cli.main import main


def test_one_url(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["normalize", "HTTP://me@www.Bücher.example:80/a/../b?utm_source=x#y"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["url"] == "http://www.xn--bcher-kva.example/b"
    assert (row["domain"], row["readable"]) == ("xn--bcher-kva.example", "www.bücher.example")
    assert row["rules"] == [
        *("scheme", "user info", "host", "port", "dot segments", "fragment", "tracking parameters"),
    ]
    assert (len(row["key"]), row["rules_version"], row["suffix_list"][:2]) == (16, 1, "20")


def test_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["normalize", "https://example.com:443/#top", "--explain", "--format", "csv"]) == 0
    heading, port, fragment = capsys.readouterr().out.splitlines()
    assert heading == "given,rule,before,after,why"
    assert port.startswith("https://example.com:443/#top,port,https://example.com:443/#top,https://example.com/#top,")
    assert "browser" in fragment


def test_explained_to_a_person_nothing_is_cut_that_tells_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    long, plain = f"HTTPS://example.com:443/{'x' * 200}#top", "https://example.com/"
    assert main(["normalize", long, plain, "http://bücher.example/", "--explain", "--format", "table"]) == 0
    assert [line.split(None, 1) for line in capsys.readouterr().out.splitlines()] == [
        ["given", long],
        ["scheme", f"https{long[5:]}"],
        ["port", f"https://example.com/{'x' * 200}#top"],
        ["fragment", f"https://example.com/{'x' * 200}"],
        ["given", plain],
        ["given", "http://bücher.example/"],
        ["host", "http://xn--bcher-kva.example/"],
    ]
    assert main(["normalize", "no url", "--explain", "--format", "table"]) == 2


def test_lines_of_a_file_bad_ones_told_by_number(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "interfaces.cli.normalize.sys.stdin", _Piped(["https://a.example\n", "\n", "x\x1b\n", "http://b"])
    )
    assert main(["normalize"]) == 2
    printed = capsys.readouterr()
    assert [json.loads(line)["url"] for line in printed.out.splitlines()] == ["https://a.example/", "http://b/"]
    assert printed.err == "linkatlas: line 3: 'x\\x1b': no scheme; write https:// in front\n"


class _Piped:
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def __iter__(self) -> object:
        return iter(self._lines)

    def isatty(self) -> bool:
        return False
