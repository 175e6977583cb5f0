"""What a dead URL could lead to instead."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkindex import replacement, urls
from linkindex.replacement import LEAST_SCORE, MOST_COMPARED, Live, Site, copies

FILLER = [
    Live(f"https://a.test/notes/{word}", f"{word} - Acme") for word in "ash birch cedar elm fir hazel larch".split()
]
SITE = Site(
    [
        Live("https://a.test/", "Acme"),
        Live("https://a.test/en/pricing", "Pricing - Acme"),
        Live("https://a.test/articles/how-to-tie-knots", "How to tie knots - Acme"),
        Live("https://a.test/articles/how-to-tie-a-tie", "How to tie a tie - Acme"),
        Live("https://a.test/blog/", "Blog - Acme"),
        Live("https://a.test/blog/2024/autumn", "Autumn walks - Acme"),
        Live("https://a.test/shop/p?id=7", "Walnut table - Acme"),
        Live("https://a.test/ja/tsukue", "胡桃の机 - Acme"),
        *FILLER,
    ]
)


@pytest.mark.parametrize(
    ("dead", "title", "anchors", "found", "because"),
    [
        ("https://a.test/old/pricing.html", "", (), "https://a.test/en/pricing", "similar"),
        (
            "https://a.test/blog/2019/how-to-tie-knots",
            "",
            ("here",),
            "https://a.test/articles/how-to-tie-knots",
            "similar",
        ),
        ("https://a.test/x/881", "", ("tie knots",), "https://a.test/articles/how-to-tie-knots", "similar"),
        ("https://a.test/p/881", "Walnut table", (), "https://a.test/shop/p?id=7", "similar"),
        ("https://a.test/p/882", "胡桃の机", (), "https://a.test/ja/tsukue", "similar"),
        ("https://a.test/blog/qqq", "", (), "https://a.test/blog/", "section"),
        ("https://a.test/qqq", "", ("click here",), None, ""),
        ("https://a.test/acme-qqq", "Acme", ("Acme",), None, ""),
    ],
)
def test_the_nearest_live_page(
    dead: str, title: str, anchors: tuple[str, ...], found: str | None, because: str
) -> None:
    best = SITE.nearest(dead, title, anchors)
    assert (best and best.url) == found
    if best:
        assert best.because == because
        assert LEAST_SCORE <= best.score <= 0.9


def test_nearer_pages_score_higher() -> None:
    same = SITE.nearest("https://a.test/old/how-to-tie-knots", "How to tie knots")
    like = SITE.nearest("https://a.test/articles/tie-knots-quickly", "")
    section = SITE.nearest("https://a.test/blog/qqq")
    assert same and like and section
    assert same.score > like.score > section.score


def test_an_empty_site_has_no_replacement() -> None:
    assert Site([]).nearest("https://a.test/x", "x", ["x"]) is None


def test_copies_are_the_same_resource_elsewhere() -> None:
    found = [copy.url for copy in copies("http://www.a.test/Blog/Post.html?page=2", ["blog.a.test"])]
    assert found[0] == "https://www.a.test/Blog/Post.html?page=2"
    for other in (
        *("https://a.test/Blog/Post.html?page=2", "http://blog.a.test/Blog/Post.html?page=2"),
        *(
            "https://www.a.test/Blog/Post/?page=2",
            "http://www.a.test/Blog/Post.html",
            "https://a.test/blog/post?page=2",
        ),
    ):
        assert other in found
    assert "http://www.a.test/Blog/Post.html?page=2" not in found
    assert not any("www.www." in url for url in found)
    assert "https://a.test/blog/" in [copy.url for copy in copies("https://a.test/blog/index.php", [])]


PATHS = st.text(st.sampled_from("abC/.-_?=&é%20 index.html"), max_size=40)


@given(PATHS, st.lists(st.sampled_from(["a.test", "www.a.test", "b.a.test", "[::1]:8080"]), max_size=4))
def test_copies_are_canonical_bounded_and_never_the_url_itself(path: str, hosts: list[str]) -> None:
    url = urls.canonicalise(f"https://a.test/{path}")
    assert url
    found = copies(url, hosts)
    assert url not in [copy.url for copy in found]
    assert len(found) <= 200
    assert [copy.score for copy in found] == sorted((copy.score for copy in found), reverse=True)
    assert max(Counter(copy.url for copy in found).values()) == 1


@given(PATHS, st.text(max_size=40), st.lists(st.text(max_size=20), max_size=3))
def test_any_words_have_an_answer(path: str, title: str, anchors: list[str]) -> None:
    url = urls.canonicalise(f"https://a.test/{path}")
    assert url
    best = SITE.nearest(url, title, anchors)
    assert best is None or 0 < best.score <= 0.9


def test_the_work_for_one_url_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pages share its words; ``_shared`` is called once for each page that is compared."""
    dice = random.Random(1)
    words = [f"w{number}" for number in range(50)]
    pages = [
        Live(f"https://a.test/{dice.choice(words)}/{dice.choice(words)}/{n}", dice.choice(words)) for n in range(20_000)
    ]
    site, compared = Site(pages), 0
    shared = replacement._shared

    def counted(*arguments: tuple[str, ...]) -> float:
        nonlocal compared
        compared += 1
        return shared(*arguments)

    monkeypatch.setattr(replacement, "_shared", counted)
    site.nearest("https://a.test/w1/w2/w3", "w4 w5", ["w6"])
    assert 0 < compared <= MOST_COMPARED + 3
