"""When pages are visited again, and what for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crawler.recrawl import DAY, FIRST, HOUR, LEAST, MOST, Memo, conditions, plan, unpack
from linkindex.model import Link, Outcome, Visit

NOW = 1_700_000_000_000


def page(text: int = 1, *links: str, outcome: Outcome = Outcome.PAGE, modified: int | None = None) -> Visit:
    found = tuple(Link(target=target) for target in links)
    return Visit(url="https://a.test/", at=NOW, outcome=outcome, text_digest=text, links=found, modified=modified)


def intervals(*visits: Visit) -> list[float]:
    memo, found = b"", []
    for visit in visits:
        _, memo = plan(visit, memo, "", "")
        found.append(unpack(memo).interval)
    return found


def test_the_interval_halves_with_change_and_grows_by_half_without() -> None:
    assert intervals(page(1), page(2), page(2), page(2, "https://b.test/")) == [
        FIRST,
        FIRST / 2,
        FIRST * 0.75,
        FIRST * 0.375,
    ]
    unchanged = page(0, outcome=Outcome.UNCHANGED)
    assert intervals(page(1), unchanged, page(1)) == [FIRST, FIRST * 1.5, FIRST * 2.25]


def test_it_stays_within_an_hour_and_ninety_days() -> None:
    assert intervals(*(page(text) for text in range(20)))[-1] == LEAST
    assert intervals(*(page() for _ in range(20)))[-1] == MOST


def test_what_was_modified_lately_is_looked_at_sooner_the_first_time() -> None:
    assert intervals(page(modified=NOW - int(2 * DAY * 1000))) == [DAY]
    assert intervals(page(modified=NOW - 1000)) == [HOUR]
    assert intervals(page(modified=NOW + 1000)) == intervals(page(modified=1)) == [FIRST]


def test_a_page_that_cannot_be_read_is_tried_the_next_day_and_leaves_the_memo() -> None:
    _, memo = plan(page(5), b"", '"e"', "")
    due, kept = plan(page(0, outcome=Outcome.GONE), memo, "", "")
    assert kept == memo
    assert 0.9 * DAY <= due <= 1.1 * DAY


def test_the_next_request_names_what_the_last_answer_did() -> None:
    _, memo = plan(page(), b"", '"abc"', "Mon, 01 Jan 2024 00:00:00 GMT")
    assert conditions(memo) == {"If-None-Match": '"abc"', "If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT"}
    assert conditions(b"") == {}
    _, memo = plan(page(), b"", "x" * 500, "a\r\nb: c")
    assert conditions(memo) == {}


@given(st.binary(max_size=60))
def test_strange_bytes_are_an_empty_memo(packed: bytes) -> None:
    assert unpack(packed).version == 1


@given(st.text(max_size=2000), st.text(max_size=2000), st.integers(-(2**63), 2**63 - 1))
def test_a_memo_is_small(etag: str, modified: str, digest: int) -> None:
    due, memo = plan(page(digest), b"", etag, modified)
    assert len(memo) <= 1024
    assert LEAST <= due <= MOST
    assert unpack(memo) != Memo()
