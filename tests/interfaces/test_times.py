"""In every JSON that a command writes, a time is RFC 3339, in UTC; none is a number of milliseconds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crawler.frontier import Beat, open_frontier
from interfaces.cli.main import main
from linkindex.store import open_index
from tests.frontier.contract import entry
from tests.linkindex.example import fill

URL = "https://a.test/page"
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def values(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from values(inner)
    else:
        yield value


@pytest.mark.parametrize(
    ("question", "least"),
    [(f"why {URL}", 4), ("status", 2), ("nodes", 1)],
)
def test_times_are_told_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], question: str, least: int
) -> None:
    monkeypatch.chdir(tmp_path)
    with open_index("sqlite:///linkatlas.db", create=True) as index:
        fill(index)
    with open_frontier("sqlite:///linkatlas-frontier.db") as frontier:
        frontier.add([entry(URL)])
        (lease,) = frontier.lease(1, "n:1", 60.0)
        frontier.release(lease.token, 50.0, "reset by peer")
        frontier.hold("a.test", 500.0, "answered 503")
        frontier.beat(Beat(node="n:1", started=1_760_000_000_123, hand=0, pages=0, rate=0.0))
    assert main([*question.split(), "--format", "json"]) == 0
    found = list(values(json.loads(capsys.readouterr().out)))
    assert sum(isinstance(value, str) and RFC_3339.fullmatch(value) is not None for value in found) >= least
    assert not [value for value in found if isinstance(value, int | float) and value > 10**10]


def test_what_became_of_leases_is_told_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with open_frontier("sqlite:///linkatlas-frontier.db") as frontier:
        frontier.add([entry(URL)])
        (lease,) = frontier.lease(1, "n:1", 60.0)
        frontier.release(lease.token, 50.0, "reset by peer")
    assert main(["why", URL, "--format", "json"]) == 0
    (ended,) = json.loads(capsys.readouterr().out)["trail"]
    assert (ended["node"], ended["reason"]) == ("n:1", "reset by peer")
    assert RFC_3339.fullmatch(ended["at"])
