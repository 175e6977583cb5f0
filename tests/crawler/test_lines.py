"""What a line of a log is, as text and as JSON."""

from __future__ import annotations

import json
import logging
import re

import pytest

from crawler.lines import JsonLines, SafeRecord, fields, request_of
from linkindex.text import UNSAFE


def line(message: str, *arguments: object, **named: object) -> str:
    record = SafeRecord("crawler.node", logging.WARNING, "x.py", 1, message, arguments, None)
    record.__dict__.update(fields(**named))
    return JsonLines().format(record)


def test_a_json_line_says_when_how_bad_who_what_and_its_fields() -> None:
    told = json.loads(line("%s answered %d", "a.test", 503, host="a.test", seconds=1.5, requests=["1a2b3c4d"]))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told.pop("time"))
    assert told == {
        "level": "warning", "logger": "crawler.node", "message": "a.test answered 503", "host": "a.test", "seconds": 1.5,
        "requests": ["1a2b3c4d"],
    }  # fmt: skip


@pytest.mark.parametrize("naughty", ["\x1b[2J", "\u202egpj", "a\nb", "\r", '"}', "\x85", "\ud800", "\u2028", "\x00"])
def test_what_strangers_write_is_one_line_and_drives_no_terminal(naughty: str) -> None:
    told = line("page %s", naughty, url=naughty)
    assert not UNSAFE.search(told)
    assert json.loads(told)["url"] == naughty.encode("utf-8", "backslashreplace").decode()


def test_no_password_is_told() -> None:
    secret = "s3cr3t-w0rd"
    url = f"redis://me:{secret}@h/0"
    assert secret not in line("at %s", url, frontier=url)
    assert secret not in line("settings %r", {"password": secret})


def test_an_exception_is_part_of_its_line() -> None:
    try:
        raise ValueError("\x1b[2J redis://:s3cr3t-w0rd@h/0")
    except ValueError as error:
        record = SafeRecord("x", logging.ERROR, "x.py", 1, "failed", (), (type(error), error, error.__traceback__))
    told = JsonLines().format(record)
    assert "s3cr3t-w0rd" not in told
    assert not UNSAFE.search(told)
    assert json.loads(told)["exception"].startswith("Traceback")


def test_a_request_is_named_by_its_lease() -> None:
    tokens = ["0.7.123.a.test", "0.8.123.a.test", "0.7.123.b.test", "7.12", "7.13"]
    names = {request_of(token) for token in tokens}
    assert len(names) == len(tokens)
    assert all(re.fullmatch("[0-9a-f]{8}", name) for name in names)
    assert request_of("7.12") == request_of("7.12")
