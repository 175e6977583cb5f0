"""What strangers wrote is shown, never acted on."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interfaces.text import counted, safe_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ünïcödé, 漢字, 🦜", "plain, ünïcödé, 漢字, 🦜"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\x00b\nc\td\re", "a\\x00b\\x0ac\\x09d\\x0de"),
        ("\x9b31m", "\\x9b31m"),
        ("abc\u202edcba", "abc\\u202edcba"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\U000e0041tag", "\\U000e0041tag"),
    ],
)
def test_controls_are_shown_as_escapes(text: str, shown: str) -> None:
    assert safe_text(text) == shown


@given(st.text())
def test_nothing_that_a_terminal_acts_on_comes_through(text: str) -> None:
    assert not [char for char in safe_text(text) if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")]


def test_naughty_strings(oracles: Path) -> None:
    strings = json.loads((oracles / "bombs" / "blns.json").read_text(encoding="utf-8"))
    assert len(strings) > 500
    bidi = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    for text in strings:
        shown = safe_text(text)
        assert shown.encode("utf-8").decode("utf-8") == shown
        assert not [
            char for char in shown if unicodedata.bidirectional(char) in bidi or unicodedata.category(char) == "Cc"
        ]


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (counted(0, "page"), "0 pages"),
        (counted(1, "page"), "1 page"),
        (counted(12345, "page"), "12,345 pages"),
        (counted(1, "URL is", "URLs are"), "1 URL is"),
        (counted(2, "URL is", "URLs are"), "2 URLs are"),
    ],
)
def test_a_number_and_what_it_counts_agree(said: str, text: str) -> None:
    assert said == text


def test_no_command_writes_a_noun_behind_a_number_by_itself() -> None:
    nouns = r"(?:pages|links|URLs|hosts|domains|requests|lines|runs|seeds|nodes)\b"
    for path in (Path(__file__).parents[2] / "interfaces" / "cli").glob("*.py"):
        assert not re.search(r":,\} " + nouns, path.read_text(encoding="utf-8")), path
