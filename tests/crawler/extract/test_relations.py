"""Links that headers state."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.extract import read_page
from crawler.extract.relations import Stated, header_links


@pytest.mark.parametrize(
    ("values", "stated"),
    [
        (['<https://a.example/>; rel="canonical"'], [("canonical", "https://a.example/")]),
        (["</a>;rel=next, </b>; rel=prev"], [("next", "/a"), ("prev", "/b")]),
        (["</a>; rel=stylesheet, </b>; rel=preload; as=font"], []),
        (['</a>; title="x, y; \\"z\\"" ; rel=\'next\''], []),  # single quotes are part of a token
        (['</a,b>; title="x, <c>; rel=prev"; REL=Next'], [("next", "/a,b")]),
        (["</a>; rel=next; rel=prev"], [("next", "/a")]),
        (["</a>; rel=canonical; anchor=/b"], []),
        (
            ["</a>; rel=alternate; type=application/rss+xml", "</b>; rel=alternate"],
            [("feed", "/a"), ("alternate", "/b")],
        ),
        (["</a>; rel=next junk, </b>; rel=prev"], [("next", "/a")]),
        (["junk", "<", "</a", ";;;", '</a>;="'], []),
    ],
)
def test_parsed(values: list[str], stated: list[tuple[str, str]]) -> None:
    assert [(link.kind, link.href) for link in header_links(values)] == stated


def test_titles_lose_their_quotes() -> None:
    (link,) = header_links(['</a>; rel=next; title="a \\"b\\" \\\\"'])
    assert link == Stated("next", "/a", "next", 'a "b" \\')


def test_links_of_the_page() -> None:
    page = read_page(
        b"<base href=/b/><link rel=canonical href=c><a href=d>d</a>",
        "https://site.example/dir/page",
        {"link": "<e>; rel=next; title=More, <javascript:x>; rel=prev\n<f>; rel=canonical"},
    )
    assert [(link.kind, link.target.removeprefix("https://site.example"), link.placement) for link in page.links] == [
        ("canonical", "/b/c", "head"),
        ("text", "/b/d", "unknown"),
        ("next", "/dir/e", "head"),
        ("canonical", "/dir/f", "head"),
    ]
    assert (page.canonical, page.unusable, page.links[2].anchor) == ("https://site.example/b/c", 1, "More")


@given(st.lists(st.text(alphabet='<>;,="\\ \tabrelnxt/\u00e9', max_size=80), max_size=4))
def test_anything(values: list[str]) -> None:
    assert all(link.kind for link in header_links(values))


def test_no_header_is_too_long() -> None:
    assert len(list(header_links(["</a>; rel=next," * 1_000_000]))) == 100
    assert list(header_links(['</a>; rel="' + "\\" * 10_000_000])) == []
    assert list(header_links(["</a>" + ";" * 10_000_000])) == []
