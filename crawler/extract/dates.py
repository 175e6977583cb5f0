"""Moments as pages and headers write them, read as milliseconds since 1970-01-01 UTC.

Read are ISO 8601 and RFC 3339 in their usual spellings (extended and basic, any fraction, ``T`` or a space, ``Z``, an
offset or a zone's name), the three forms of RFC 9110 section 5.6.7 and of RFC 5322, the same with an English month in
front (``May 1, 2024``), and Unix time in seconds or milliseconds, which Open Graph's ``updated_time`` has.
A moment without a zone is taken as UTC. What leaves the day open (``2024-05``, ``01/02/2024``) is no moment.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

EARLIEST, LATEST = 1990, 2100  # years; what lies outside is a slip or a default
_MAX_CHARS = 100

_MONTHS = {name: number + 1 for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split())}
# Zones that RFC 5322 section 4.3 names, in minutes east of Greenwich, and two of Europe that mail and pages use.
_ZONES = {"": 0, "z": 0, "ut": 0, "utc": 0, "gmt": 0, "bst": 60, "cet": 60, "cest": 120} | {
    "edt": -240, "est": -300, "cdt": -300, "cst": -360, "mdt": -360, "mst": -420, "pdt": -420, "pst": -480
}  # fmt: skip
_FARTHEST = 14 * 60  # minutes from Greenwich, of the Line Islands
_TIME = (
    r"(?P<hour>\d{1,2}):?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9})\d{0,9})?)?"
    r" ?(?P<half>[ap]m)?"
)
_ZONE = r"(?: ?(?P<zone>[a-z]{1,4})?(?P<offset>[+-]\d\d(?::?\d\d)?)?(?: ?\([^()]*\))?)?"
_MONTH = r"(?P<name>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?,? )?"
_FORMS = tuple(
    re.compile(form, re.ASCII)
    for form in (
        rf"(?P<year>\d{{4}})(?P<dash>[-/.])(?P<month>\d\d?)(?P=dash)(?P<day>\d\d?)(?:(?:[t ]|, ?){_TIME}{_ZONE})?",
        rf"(?P<year>\d{{4}})(?P<month>\d\d)(?P<day>\d\d)(?:[t ]?{_TIME}{_ZONE})?",
        # RFC 5322, RFC 9110, RFC 850
        rf"{_WEEKDAY}(?P<day>\d\d?)[ -]{_MONTH}[ ,-](?P<year>\d{{4}}|\d\d)(?:,? (?:at )?{_TIME}{_ZONE})?",
        rf"{_WEEKDAY}{_MONTH} (?P<day>\d\d?),? (?P<year>\d{{4}})(?:,? (?:at )?{_TIME}{_ZONE})?",
        rf"{_WEEKDAY}{_MONTH} (?P<day>\d\d?) {_TIME}{_ZONE} (?P<year>\d{{4}})",  # asctime
    )
)
# From the year EARLIEST on, so that no YYYYMMDDhhmm is one.
_UNIX = re.compile(r"([6-9]\d{8}|[1-4]\d{9})(?:\.\d{1,9})?|([6-9]\d{11}|[1-4]\d{12})", re.ASCII)


def moment(text: str) -> int | None:
    """Return the milliseconds since 1970-01-01 UTC that ``text`` means, None where it means no moment for certain."""
    text = " ".join(text[:_MAX_CHARS].lower().split())
    if not text:
        return None
    if unix := _UNIX.fullmatch(text):
        return _within(int(unix[1]) * 1000 if unix[1] else int(unix[2]))
    match = next(filter(None, (form.fullmatch(text) for form in _FORMS)), None)
    return _moment(match.groupdict()) if match else None


def _moment(part: dict[str, str | None]) -> int | None:
    hour, minutes_east = _hour(part), _minutes_east(part)
    if hour is None or minutes_east is None:
        return None
    try:
        day = datetime(_year(part["year"] or ""), _month(part), int(part["day"] or 0), tzinfo=UTC)
    except ValueError:
        return None
    minute, second = int(part["minute"] or 0), int(part["second"] or 0)
    if hour * 60 + minute > 24 * 60 or minute > 59 or second > 60:  # ISO 8601 knows 24:00, and leap seconds
        return None
    since = (
        day - datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour, minutes=minute - minutes_east, seconds=second)
    )
    return _within(since // timedelta(milliseconds=1) + int((part["fraction"] or "0").ljust(3, "0")[:3]))


def _year(digits: str) -> int:
    """Return the year; one of two digits as RFC 5322 section 4.3 reads it."""
    year = int(digits)
    return year if len(digits) == 4 else year + (2000 if year < 50 else 1900)


def _month(part: dict[str, str | None]) -> int:
    return int(part["month"] or 0) if "month" in part else _MONTHS[part["name"] or ""]


def _hour(part: dict[str, str | None]) -> int | None:
    hour, half = int(part["hour"] or 0), part["half"]
    if half is None:
        return hour
    return hour % 12 + 12 * (half == "pm") if 1 <= hour <= 12 else None


def _minutes_east(part: dict[str, str | None]) -> int | None:
    """Return the zone's offset, None for one that is not known: an hour more or less would be a guess."""
    if offset := part["offset"]:
        minutes = int(offset[1:3]) * 60 + int(offset[3:].lstrip(":") or 0)
        if minutes > _FARTHEST:
            return None
        return -minutes if offset[0] == "-" else minutes
    return _ZONES.get(part["zone"] or "")


def _within(milliseconds: int) -> int | None:
    return milliseconds if _FIRST <= milliseconds < _END else None


_FIRST, _END = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1000 for year in (EARLIEST, LATEST + 1))
