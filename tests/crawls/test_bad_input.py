"""Bad input gets one clear line and exit 2, or is skipped with its line number; nothing is lost, no file is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crawls.command import run

CRAWL = ("crawl", "--max-wait", "0")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "no seeds"),
        (("htp://x",), "not an http or https URL"),
        (("javascript:alert(1)",), "not an http or https URL"),
        (("mailto:a@example.com",), "not an http or https URL"),
        (("file:///etc/passwd",), "not an http or https URL"),
        (("http://",), "not an http or https URL"),
        (("http://127.0.0.1",), "--allow-private"),
        (("http://2130706433/",), "--allow-private"),
        (("http://0x7f.1/",), "--allow-private"),
        (("http://[::1]/",), "--allow-private"),
        (("http://localhost/",), "--allow-private"),
        (("http://169.254.169.254/", "--allow-private"), "allow"),
        (("http://example.com:8080/",), "--ports 8080"),
        (("http://example.com:22/", "--ports", "22"), "port"),
        (("--seeds-file", "missing.txt"), "missing.txt"),
        (("--seeds-file", "binary.txt"), "not a text file"),
        (("--seeds-file", "."), "seeds file ."),
        (("--seeds-file", "empty.txt"), "no seeds"),
        (("http://example.com", "--depth", "-1"), "--depth"),
        (("http://example.com", "--depth", "many"), "--depth"),
        (("http://example.com", "--stay", "hosts"), "did you mean host"),
        (("http://example.com", "--delay", "nan"), "--delay"),
        (("http://example.com", "--workers", "0"), "--workers"),
        (("http://example.com", "--ports", "80,x"), "--ports"),
        (("http://example.com", "--max-body", "lots"), "--max-body"),
        (("http://example.com", "--connect-to", "nonsense"), "HOST:PORT:ADDRESS:PORT2"),
        (("http://example.com", "--dept", "3"), "--depth"),
        (("http://example.com", "--index", "sqlite:////no/such/folder/x.db"), "/no/such/folder"),
        (("http://example.com", "--index", "sqlite:///binary.txt"), "binary.txt"),
        (("http://example.com", "--index", "mongodb//x"), "sqlite:///PATH"),
        (("http://example.com", "--frontier", "nowhere"), "sqlite:///PATH"),
        (("http://example.com", "--contact", "a\nX-Evil: 1"), "--contact"),
    ],
)
def test_one_line_and_exit_2(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "empty.txt").write_text("# nothing here\n\n")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    ran = run(tmp_path, *CRAWL, *arguments)
    assert ran.code == 2, ran
    assert ran.err.count("\n") == 1, ran.err
    assert ran.err.startswith("linkatlas: ")
    assert says in ran.err
    assert ran.out == ""
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir() if not path.name.endswith("-lock")}
    assert after == before


@pytest.mark.parametrize(
    ("variables", "toml", "says"),
    [
        ({"LINKATLAS_DEPHT": "3"}, "", "LINKATLAS_DEPTH"),
        ({"LINKATLAS_DEPTH": "deep"}, "", "LINKATLAS_DEPTH"),
        ({}, "dept = 3", "depth"),
        ({}, "depth = 'x'", "linkatlas.toml"),
        ({}, "depth = ", "linkatlas.toml"),
        ({}, "\x00", "linkatlas.toml"),
    ],
)
def test_options_from_elsewhere_are_checked_too(
    tmp_path: Path, variables: dict[str, str], toml: str, says: str
) -> None:
    if toml:
        (tmp_path / "linkatlas.toml").write_text(toml)
    ran = run(tmp_path, *CRAWL, "http://example.com", variables=variables)
    assert (ran.code, ran.err.count("\n")) == (2, 1), ran
    assert says in ran.err


def test_a_comment_may_stand_behind_a_seed(tmp_path: Path) -> None:
    (tmp_path / "seeds.txt").write_text("http://good.example/ # ours\nhttp://x.example/a#b\t# a fragment\n #\n")
    ran = run(tmp_path, "crawl", "--seeds-file", "seeds.txt", "--dry-run")
    assert (ran.code, ran.err) == (0, "")
    assert "seeds     2: http://good.example/, http://x.example/a\n" in ran.out


def test_the_rest_goes_on_and_what_is_skipped_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "seeds.txt").write_text("# mine\nhttp://good.example/\nhtp://x\n\nhttp://10.0.0.1/\n")
    ran = run(tmp_path, "crawl", "--seeds-file", "seeds.txt", "http://other.example:8080/", "--dry-run")
    assert ran.code == 0
    assert "http://good.example/" in ran.out
    lines = ran.err.splitlines()
    assert [line.partition(": seed '")[0] for line in lines] == [
        "linkatlas: skipped",
        "linkatlas: skipped: seeds.txt, line 3",
        "linkatlas: skipped: seeds.txt, line 5",
    ]


def test_an_index_that_cannot_be_written_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    index = tmp_path / "linkatlas.db"
    assert run(tmp_path, "crawl", "http://a.invalid/", "--max-wait", "0").code in (0, 1, 75)
    index.write_bytes(b"SQLite format 3\x00" + b"damaged" * 1000)
    ran = run(tmp_path, "crawl", "http://b.invalid/", "--max-wait", "0")
    assert (ran.code, ran.err.count("\n")) == (2, 1), ran
    assert "linkatlas.db" in ran.err


def test_hostile_text_in_an_error_cannot_drive_the_terminal(tmp_path: Path) -> None:
    ran = run(tmp_path, "crawl", "http://x\x1b]0;evil\x07/")
    assert ran.code == 2
    assert "\x1b" not in ran.err
    assert "\x07" not in ran.err
