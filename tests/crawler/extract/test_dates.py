"""Moments as they are written, against what the standard library makes of the strict spellings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.extract.dates import EARLIEST, LATEST, moment

MOMENT = datetime(2024, 5, 1, 10, 0, tzinfo=UTC)
MS = int(MOMENT.timestamp()) * 1000
DAY = MS - 10 * 3_600_000

FIRST, LAST = (int(datetime(*day, tzinfo=UTC).timestamp()) * 1000 for day in ((EARLIEST, 1, 2), (LATEST, 12, 30)))

moments = st.integers(FIRST, LAST).map(lambda number: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=number))
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def milliseconds(time: datetime) -> int:
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


class TestSpellings:
    @pytest.mark.parametrize(
        "text",
        [
            "2024-05-01T10:00:00Z",
            "2024-05-01t10:00:00z",
            "  2024-05-01\n10:00:00 UTC ",
            "2024-05-01 10:00",
            "2024-05-01T10:00:00.000000000000+00:00",
            "2024-05-01T10:00:00,0",
            "2024-05-01T12:00:00+0200",
            "2024-05-01T12:00+02",
            "2024-05-01 12:00:00 +0200",
            "2024/05/01 10:00:00 GMT",
            "2024-5-1 10:00",
            "20240501T100000Z",
            "20240501100000",
            "202405011000",
            "1714557600",
            "1714557600.123",
            "1714557600000",
            "Wed, 01 May 2024 10:00:00 GMT",
            "Wed, 1 May 2024 06:00:00 EDT",
            "1 May 2024 10:00 UT",
            "Wednesday, 01-May-24 10:00:00 GMT",
            "Wed May  1 10:00:00 2024",
            "Wed May 01 2024 12:00:00 GMT+0200 (Central European Summer Time)",
            "May 1, 2024 at 10:00 AM",
            "Wed May 1 10:00:00 UTC 2024",
        ],
    )
    def test_one_moment(self, text: str) -> None:
        assert moment(text) == MS

    @pytest.mark.parametrize(
        "text", ["2024-05-01", "20240501", "2024/5/1", "2024.05.01", "1 May 2024", "May 1, 2024", "Wed, 1 May 2024"]
    )
    def test_a_day_begins_at_midnight(self, text: str) -> None:
        assert moment(text) == DAY

    @pytest.mark.parametrize(
        ("text", "hours"),
        [("2024-05-01T24:00:00Z", 24), ("May 1, 2024 12:30 am", 0.5), ("May 1, 2024 12:30pm", 12.5)],
    )
    def test_ends_of_the_clock(self, text: str, hours: float) -> None:
        assert moment(text) == DAY + hours * 3_600_000


class TestNoMoment:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            "yesterday",
            "5 minutes ago",
            "2024",  # leave the day open
            "2024-05",
            "May 2024",
            "01/02/2024",  # January or February
            "01.02.2024",
            "2024-05/01",
            "2024-02-30",
            "2024-13-01",
            "2024-05-01T25:00",
            "2024-05-01T24:01",
            "2024-05-01T10:60",
            "2024-05-01T10:00:00 XYZ",  # a zone that nobody knows
            "2024-05-01T10:00:00+25:00",
            "2024-05-01T10",
            "May 1, 2024 at 13:00 PM",
            "published 2024-05-01",
            "2024-05-01 and later",
            "0000-00-00T00:00:00Z",
            "1970-01-01",
            "1989-12-31T23:59:59Z",
            "2101-01-01",
            "0",
            "99999999999999999999",
            "٢٠٢٤-٠٥-٠١",
            "2024-05-01" + " " * 10_000 + "x" * 10_000,
        ],
    )
    def test_each(self, text: str) -> None:
        cut = text[:100].strip() == "2024-05-01"  # what is beyond any date is not read
        assert moment(text) == (DAY if cut else None)

    @given(st.text(max_size=120))
    def test_any_text(self, text: str) -> None:
        found = moment(text)
        assert found is None or moment("1990-01-01") <= found < moment("2100-12-31") + 86_400_000  # type: ignore[operator]

    @given(st.text("0123456789-:/.,+TZ zGMT", max_size=40))
    def test_almost_a_date(self, text: str) -> None:
        assert moment(text) is None or moment(f" {text}\n") == moment(text)


class TestAgainstTheStandardLibrary:
    @given(moments, zones, st.sampled_from("T "), st.sampled_from(["auto", "milliseconds", "microseconds"]))
    def test_iso(self, time: datetime, zone: timezone, separator: str, precision: str) -> None:
        assert moment(time.astimezone(zone).isoformat(separator, precision)) == milliseconds(time)

    @given(moments, zones)
    def test_mail_and_http(self, time: datetime, zone: timezone) -> None:
        whole = time.replace(microsecond=0)
        assert moment(format_datetime(whole.astimezone(zone))) == milliseconds(whole)
        assert moment(format_datetime(whole, usegmt=True)) == milliseconds(whole)
        assert moment(whole.ctime()) == milliseconds(whole)

    @given(moments)
    def test_unix_time(self, time: datetime) -> None:
        assert moment(str(milliseconds(time) // 1000)) == milliseconds(time) // 1000 * 1000
        assert moment(str(milliseconds(time))) == milliseconds(time)
