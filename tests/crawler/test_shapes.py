"""What URLs have in common, and which of them look like traps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.shapes import shape
from linkindex import urls

ORDINARY = [
    ("/", "/"),
    ("/about", "/~"),
    ("/blog/2024/05/my-first-post", "/blog/0/0/~"),
    ("/blog/2024/05/07/", "/blog/@"),  # an archive: a calendar by its looks
    ("/list/page-7", "/list/page-0"),
    ("/list/page/7", "/list/page/0"),
    ("/product/red-shoe-15-xl.html", "/product/~.html"),
    ("/product/12345.html", "/product/0.html"),
    ("/viewtopic.php?t=77&f=3&start=20", "/viewtopic.php?f&start&t"),
    ("/index.php?option[3]=1&option[4]=2", "/index.php?option"),
    ("/%D0%BF%D1%80/x", "/~/~"),
    ("/commit/3f2a9c88", "/commit/h"),
    ("/2012/10/12/10/12/a", "/0/0/0/0/0/~"),
]
SUSPICIOUS = [
    ("/calendar/2031/5", "calendar"),
    ("/calendar/2031-05-02", "calendar"),
    ("/cal?month=5&year=2031", "calendar"),
    ("/events?view=day&date=2031-05-02", "calendar"),
    ("/a/b/a/b/", "repeated"),
    ("/a/a/a", "repeated"),
    ("/a/x/a/y/a", "repeated"),
    ("/" + "/".join("abcdefghij"), "path_depth"),
    ("/shop?a=1&b=2&c=3&d=4&e=5", "query"),
    ("/shop?a=1&a=2&a=3", "query"),
    ("/s/Zk39dkQ0fjL2p8Xw71/page", "session"),
]


@pytest.mark.parametrize(("path", "pattern"), ORDINARY)
def test_what_a_template_makes_has_one_pattern(path: str, pattern: str) -> None:
    assert shape(f"https://a.test{path}").pattern == pattern


@pytest.mark.parametrize(("path", "suspicion"), SUSPICIOUS)
def test_shapes_of_traps_are_suspected(path: str, suspicion: str) -> None:
    assert shape(f"https://a.test{path}").suspicion == suspicion


@pytest.mark.parametrize(("path", "twin"), [(path, "") for path, _ in ORDINARY + SUSPICIOUS])
def test_who_has_no_session_id_has_no_twin(path: str, twin: str) -> None:
    assert shape(f"https://a.test{path}").twin == twin


@pytest.mark.parametrize(
    ("path", "twin"),
    [
        ("/item-17;jsessionid=ABC.node1", "/item-17"),
        ("/item-17;jsessionid=ABC?x=1", "/item-17?x=1"),
        ("/t?f=3&sid=3f2a9c88aa01bb23&t=7", "/t?f=3&t=7"),
        ("/t?PHPSESSID=abc", "/t"),
        ("/(S(abcdefgh1234))/x.aspx", "/x.aspx"),
        ("/jsessionid=17/x", "/x"),
        ("/t?sid=12", ""),  # a section as likely as not
        ("/t?s=3f2a9c88aa01bb23", ""),
    ],
)
def test_a_session_id_is_seen_through(path: str, twin: str) -> None:
    found = shape(f"https://a.test{path}")
    assert found.twin == (f"https://a.test{twin}" if twin else "")
    assert found.pattern == shape(found.twin or f"https://a.test{path}").pattern


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_every_url_has_a_bounded_shape(rest: str) -> None:
    url = urls.canonicalise(f"https://a.test/{rest}")
    if url is not None:
        found = shape(url)
        assert found == shape(url)
        assert len(found.pattern) <= 160
        assert not found.twin or urls.canonicalise(found.twin) == found.twin


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=4), st.integers(0, 10**9))
def test_numbers_make_no_patterns(numbers: list[int], other: int) -> None:
    one, two = (f"https://a.test/x/{'/'.join(str(n + more) for n in numbers)}/item" for more in (0, other))
    assert shape(one).pattern == shape(two).pattern
