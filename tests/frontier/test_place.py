"""What a Redis URL says, and what is told of one that says nothing."""

from __future__ import annotations

import pytest

from crawler.frontier.redis.place import Place, parse
from linkindex.errors import BadInput


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://h?job=a", Place(job="a", addresses=(("h", 6379),))),
        ("redis:///?job=a", Place(job="a", addresses=(("localhost", 6379),))),
        ("redis://h:1,i:2/3?job=a&shards=8", Place(job="a", addresses=(("h", 1), ("i", 2)), db=3, shards=8)),
        ("rediss://u:p%40w@[::1]:7/0?job=a.b-c_d",
         Place(job="a.b-c_d", addresses=(("::1", 7),), tls=True, username="u", password="p@w")),
        ("unix:///run/r.sock?job=a&db=2", Place(job="a", path="/run/r.sock", db=2)),
        ("redis+sentinel://:p@s,t:5/main/4?job=a",
         Place(job="a", kind="sentinel", addresses=(("s", 26379), ("t", 5)), password="p", db=4, primary="main")),
        ("rediss+cluster://h:1,i?job=a", Place(job="a", kind="cluster", addresses=(("h", 1), ("i", 6379)), tls=True)),
    ],
)  # fmt: skip
def test_a_place_is_read(url: str, place: Place) -> None:
    assert parse(url) == place


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redis://:secret@h/0", "must name the job"),
        ("redis://:secret@h/0?job=", "must name the job"),
        ("redis://:secret@h/0?job=a%20b", "must name the job"),
        ("redis://:secret@h/0?job=" + "a" * 65, "must name the job"),
        ("redis://:secret@h/x?job=a", "the database must be a number"),
        ("redis://:secret@h/0/1?job=a", "names no database"),
        ("redis://:secret@h:99999/0?job=a", "no HOST:PORT"),
        ("redis://:secret@h,,i/0?job=a", "no HOST:PORT"),
        ("redis://:secret@h/0?job=a&shards=0x2", "shards must be a number"),
        ("redis://:secret@h/0?job=a&colour=red", "no option"),
        ("redis://:secret@h/0?job", "cannot be read"),
        ("redis://:secret@[h/0?job=a", "cannot be read"),
        ("redis+sentinel://:secret@h?job=a", "needs the name"),
        ("redis+cluster://:secret@h/1?job=a", "database 0 only"),
        ("unix://?job=a", "needs the path"),
        ("http://:secret@h/0?job=a", "no Redis URL"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_line_without_the_password(url: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as raised:
        parse(url)
    assert "\n" not in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_place_shown_tells_no_password() -> None:
    place = parse("redis://:secret@h:1,i:2/0?job=a")
    assert "secret" not in repr(place)
    assert place.name == "h:1,i:2"
