"""Moments as people write them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkindex.errors import BadInput
from linkindex.when import Edge, When, read_when

NOW = datetime(2026, 11, 25, 13, 37, tzinfo=UTC)


def ms(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("when", "edge", "means"),
    [
        ("2026-11-25", "begin", ms(2026, 11, 25)),
        ("2026-11-25", "end", ms(2026, 11, 26)),
        ("2026-11-25", "last", ms(2026, 11, 26) - 1),
        (" 2026-11-25 ", "begin", ms(2026, 11, 25)),
        ("2026-11-25T14:30", "begin", ms(2026, 11, 25, 14, 30)),
        ("2026-11-25T14:30", "end", ms(2026, 11, 25, 14, 30)),
        ("2026-11-25 14:30:10", "last", ms(2026, 11, 25, 14, 30, 10)),
        ("2026-11-25T14:30+02:00", "begin", ms(2026, 11, 25, 12, 30)),
        ("2026-11-25T14:30Z", "begin", ms(2026, 11, 25, 14, 30)),
        ("30d", "begin", ms(2026, 10, 26)),
        ("0d", "end", ms(2026, 11, 26)),
        (date(2026, 11, 25), "end", ms(2026, 11, 26)),
        (datetime(2026, 11, 25, 1), "end", ms(2026, 11, 25, 1)),  # noqa: DTZ001  without a zone, as people give it
        (datetime(2026, 11, 25, 1, tzinfo=timezone(timedelta(hours=1))), "begin", ms(2026, 11, 25)),
        ("1969-12-31", "begin", -24 * 3600 * 1000),
    ],
)
def test_what_is_written_is_what_is_meant(when: When, edge: Edge, means: int) -> None:
    assert read_when(when, "since", edge, NOW) == means


@pytest.mark.parametrize(
    "text",
    [
        "",
        "d",
        "-1d",
        "yesterday",
        "25.11.2026",
        "2026-13-01",
        "2026-11-25T25:00",
        "9" * 9 + "d",
        "999999d",
        "9999-12-31",
    ],
)
def test_what_is_no_moment_is_told_with_what_would_be(text: str) -> None:
    with pytest.raises(BadInput, match=r"since .*: not a date; write 2026-11-25, .* or 30d"):
        read_when(text, "since", "end", NOW)


@given(st.text())
def test_any_text_is_a_moment_or_bad_input(text: str) -> None:
    with suppress(BadInput):
        assert isinstance(read_when(text, "since"), int)
