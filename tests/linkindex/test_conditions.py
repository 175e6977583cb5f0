"""Conditions as people write them."""

from __future__ import annotations

from typing import Any

import pytest

from linkindex.conditions import Conditions, select
from linkindex.errors import BadInput
from linkindex.store import Selection
from linkindex.target import parse_target


def test_nothing_asked_for_is_nothing_conditioned() -> None:
    assert select("example.com") == Selection(target=parse_target("example.com"))


def test_each_condition_reaches_the_selection() -> None:
    given: Conditions = {
        "state": "all",
        "internal": True,
        "as_found": True,
        "since": "1970-01-02",
        "until": "1970-01-03",
        "follow": False,
        "kind": "text, IMAGE",
        "placement": ["content", "footer,header"],
        "rel": ("UGC", "nofollow"),
        "source": "example.org",
        "anchor": " As it is ",
        "broken": True,
    }
    day = 24 * 3600 * 1000
    assert select("example.com", **given) == Selection(
        target=parse_target("example.com"),
        state="all",
        internal=True,
        as_found=True,
        since=day,
        until=3 * day,
        follow=False,
        kinds=("text", "image"),
        placements=("content", "footer", "header"),
        rel=("ugc", "nofollow"),
        source="example.org",
        anchor=" As it is ",
        broken=True,
    )
    assert select("example.com", as_of="1970-01-02").as_of == 2 * day - 1
    every = set(Selection.__struct_fields__) - {"target", "kinds", "placements"} | {"kind", "placement"}
    assert set(given) | {"as_of"} == every == set(Conditions.__annotations__)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"kind": "txt"}, "kind 'txt': unknown; did you mean text?"),
        ({"placement": "zzz"}, "placement 'zzz': unknown; it is one of content"),
        ({"state": "gone"}, "state 'gone'"),
        ({"state": "lost", "as_of": "2026-01-01"}, "leave out lost and all"),
        ({"since": "2026-01-02", "until": "2026-01-01"}, "turn them round"),
        ({"since": "soon"}, "since 'soon'"),
        ({"as_of": "soon"}, "as of 'soon'"),
        ({"source": "www.example.org"}, "write example.org"),
        ({"source": "https://example.org/page"}, "write example.org"),
        ({"source": "a b"}, "target 'a b'"),
        ({"follow": "yes"}, "follow 'yes': neither True nor False"),
        ({"broken": 2}, "broken 2: neither"),
        ({"kind": 3}, "kind 3: give a text, or a list of texts"),
        ({"rel": [b"ugc"]}, "rel [b'ugc']: give a text, or a list of texts"),
        ({"anchor": 5}, "anchor 5: give a text"),
        ({"since": 5}, "since 5: not a date; write 2026-11-25"),
    ],
)
def test_what_cannot_be_asked_is_told_in_one_line(given: Any, says: str) -> None:
    with pytest.raises(BadInput) as error:
        select("example.com", **given)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_day_can_be_asked_for() -> None:
    asked = select("example.com", since="2026-01-01", until="2026-01-01")
    assert (asked.until or 0) - (asked.since or 0) == 24 * 3600 * 1000
