"""When a page is visited again, how it is asked for, and what is remembered in between."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.recrawl import FIRST, LEAST, MEMO_BYTES, MOST, Memo, after, first, sooner
from linkindex.model import Link, Outcome, Visit

DAY = 86_400.0
NOW = 1_700_000_000_000
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
OUTSIDE = Link(target="https://b.test/", anchor="b")


def page(text: int = 1, links: tuple[Link, ...] = (OUTSIDE,), **others: object) -> Visit:
    facts = {"outcome": Outcome.PAGE, "status": 200, "text_digest": text, "links": links, "content_digest": 7}
    return Visit(url="https://a.test/", at=NOW, **(facts | others))  # type: ignore[arg-type]


NOT_MODIFIED = Visit(url="https://a.test/", at=NOW, outcome=Outcome.UNREADABLE, status=304)


@pytest.mark.parametrize(
    ("visit", "interval"),
    [
        (page(), FIRST),
        (page(modified=NOW - int(20 * DAY * 1000)), 20 * DAY),
        (page(published=NOW - int(400 * DAY * 1000)), MOST),
        (page(modified=NOW - 1000), LEAST),
        (page(modified=NOW + 10**9), FIRST),  # a clock that is wrong says nothing
    ],
)
def test_the_first_interval_is_as_long_as_the_page_has_gone_without_a_change(visit: Visit, interval: float) -> None:
    assert after(Memo(), visit)[0] == interval


def test_what_a_sitemap_says_counts_before_what_the_page_says() -> None:
    assert first(page(modified=NOW - 1000), NOW - int(3 * DAY * 1000)) == 3 * DAY


@pytest.mark.parametrize(
    ("visit", "factor"),
    [
        (page(), 1.5),
        (page(content_digest=8), 1.5),  # an advertisement
        (page(links=(OUTSIDE, Link(target="https://a.test/x", internal=True))), 1.5),
        (page(text=2), 0.5),
        (page(links=()), 0.5),
        (page(links=(Link(target="https://b.test/", anchor="b", rel=("nofollow",)),)), 0.5),
        (NOT_MODIFIED, 1.5),
        (Visit(url="https://a.test/", at=NOW, outcome=Outcome.UNREACHABLE, status=503), 1.0),
        (Visit(url="https://a.test/", at=NOW, outcome=Outcome.GONE, status=404), 1.0),
    ],
)
def test_it_halves_when_the_page_changed_and_grows_by_half_when_not(visit: Visit, factor: float) -> None:
    _, memo = after(Memo(), page())
    interval, later = after(memo, visit)
    assert (interval, later.interval) == (FIRST * factor, FIRST * factor)


def test_links_in_another_order_are_the_same_links() -> None:
    other = Link(target="https://c.test/")
    _, memo = after(Memo(), page(links=(OUTSIDE, other)))
    assert after(memo, page(links=(other, OUTSIDE)))[0] == FIRST * 1.5


def test_it_is_asked_for_with_what_the_server_sent() -> None:
    _, memo = after(Memo(), page(), etag='W/"x-1"', modified=DATE)
    assert memo.headers == {"If-None-Match": 'W/"x-1"', "If-Modified-Since": DATE}
    _, kept = after(memo, NOT_MODIFIED)
    assert kept.headers == memo.headers
    _, renewed = after(memo, NOT_MODIFIED, etag='"2"')
    assert renewed.headers == {"If-None-Match": '"2"', "If-Modified-Since": DATE}
    assert after(memo, page())[1].headers == {}  # it sends none any more
    assert after(kept, page())[0] > FIRST  # the digests were kept too


@pytest.mark.parametrize("etag", ['"' + "x" * 600 + '"', '"a\r\nHost: b"', '"ü"', "a b"])
def test_a_validator_that_could_not_be_sent_back_is_dropped(etag: str) -> None:
    assert after(Memo(), page(), etag=etag, modified="yesterday")[1].headers == {}


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.floats(LEAST, MOST))
def test_the_more_domains_link_to_a_page_the_sooner(one: int, other: int, interval: float) -> None:
    few, many = sorted((one, other))
    assert LEAST <= sooner(interval, many) <= sooner(interval, few) <= interval


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.text(max_size=600), st.text(max_size=80)), max_size=30))
def test_every_history_stays_within_bounds_and_survives_packing(history: list[tuple[int, bool, str, str]]) -> None:
    memo = Memo()
    for text, modified, etag, date in history:
        interval, memo = after(memo, page(text) if modified else NOT_MODIFIED, etag=etag, modified=date)
        assert LEAST <= interval <= MOST
        assert len(memo.pack()) <= MEMO_BYTES
        assert Memo.of(memo.pack()) == memo


@given(st.binary(max_size=2000))
def test_strange_bytes_are_an_empty_memo(packed: bytes) -> None:
    memo = Memo.of(packed)
    assert memo == Memo() or memo.pack() == packed


@pytest.mark.parametrize("memo", [Memo(form=2, interval=DAY), Memo(interval=1.0), Memo(interval=DAY, etag="a\r\nb")])
def test_a_memo_of_another_make_is_an_empty_one(memo: Memo) -> None:
    assert Memo.of(memo.pack()) == Memo()
