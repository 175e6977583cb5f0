"""Links that lead nowhere, and where on the same site they could lead: on a whole index. What is near is told by
test_replacement."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import linkindex
from linkindex.answers.rows import Broken
from linkindex.index import Index
from linkindex.model import Outcome, Visit
from linkindex.store import LinkIndex, open_index
from tests.linkindex.contract import link, redirect, visit

AT = 1_700_000_000_000


@pytest.fixture
def place(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/linkatlas.db"


@pytest.fixture
def store(place: str) -> Iterator[LinkIndex]:
    with open_index(place, create=True) as index:
        yield index


@pytest.fixture
def index(store: LinkIndex) -> Index:
    return Index(store)


def gone(url: str) -> Visit:
    return visit(url, AT, outcome=Outcome.GONE, status=404)


def page(url: str, title: str = "") -> Visit:
    return visit(url, AT, status=200, title=title)


def links(*targets: str) -> Visit:
    return visit("https://a.test/", AT, *(link(target, "somewhere") for target in targets))


def replaced(index: Index, target: str = "b.test") -> dict[str, tuple[str | None, str | None]]:
    return {row.target: (row.replacement, row.replacement_because) for row in index.broken(target, kind="text")}


def test_the_same_path_under_another_host_scheme_or_spelling(store: LinkIndex, index: Index) -> None:
    dead = ["http://b.test/1", "https://old.b.test/2", "https://b.test/three.html", "https://b.test/4?utm=x"]
    alive = ["https://b.test/1", "https://www.b.test/2", "https://b.test/three/", "https://b.test/4"]
    store.store([links(*dead), *map(gone, dead), *map(page, alive)])
    assert replaced(index) == {old: (new, "same path") for old, new in zip(dead, alive, strict=True)}
    assert min(row.replacement_score or 0 for row in index.broken("b.test")) > 0.9


def test_where_a_copy_leads(store: LinkIndex, index: Index) -> None:
    dead = "http://b.test/old"
    store.store(
        [
            links(dead),
            gone(dead),
            redirect("https://b.test/old", AT, "https://b.test/between"),
            redirect("https://b.test/between", AT, "https://b.test/new"),
            page("https://b.test/new"),
        ]
    )
    assert replaced(index) == {dead: ("https://b.test/new", "a copy leads there")}


def test_a_copy_that_is_as_dead_is_none(store: LinkIndex, index: Index) -> None:
    dead = "http://b.test/qqq"
    store.store([links(dead), gone(dead), redirect("https://b.test/qqq", AT, dead), gone("https://www.b.test/qqq")])
    assert replaced(index) == {dead: (None, None)}


def test_what_may_not_be_shown_or_names_another_page_is_no_replacement(store: LinkIndex, index: Index) -> None:
    dead = "https://b.test/a"
    hidden = visit("https://www.b.test/a", AT, status=200, robots=("noindex",))
    copy = visit("http://www.b.test/a", AT, status=200, canonical="https://b.test/else")
    store.store([links(dead), gone(dead), hidden, copy])
    assert replaced(index) == {dead: (None, None)}


def test_redirects_into_nothing(store: LinkIndex, index: Index) -> None:
    round_and_round = [
        redirect("https://b.test/x", AT, "https://b.test/y"),
        redirect("https://b.test/y", AT, "https://b.test/x"),
    ]
    to_the_dead = [redirect("https://b.test/winter-boots", AT, "https://b.test/gone"), gone("https://b.test/gone")]
    others = [page(f"https://b.test/notes/{word}", word) for word in ("ash", "birch", "cedar", "elm")]
    store.store([links("https://b.test/x", "https://b.test/winter-boots"), *round_and_round, *to_the_dead, *others])
    rows = {row.target: row for row in index.broken("b.test")}
    assert rows["https://b.test/x"].target_end == ""
    assert rows["https://b.test/winter-boots"].end_status == 404


def test_a_replacement_is_on_the_site_that_was_asked_about(store: LinkIndex, index: Index) -> None:
    """Though the link names another site, which redirects to this one; and though the dead end is a stranger's."""
    store.store(
        [
            links("https://former.test/boots", "https://b.test/partner"),
            redirect("https://former.test/boots", AT, "https://b.test/boots"),
            gone("https://b.test/boots"),
            page("https://www.b.test/boots"),
            redirect("https://b.test/partner", AT, "https://stranger.test/"),
            gone("https://stranger.test/"),
            page("https://www.b.test/partner"),
        ]
    )
    assert replaced(index) == {
        "https://former.test/boots": ("https://www.b.test/boots", "same path"),
        "https://b.test/partner": ("https://www.b.test/partner", "same path"),
    }


@pytest.mark.parametrize("target", ["b.test", "www.b.test", "https://www.b.test/*", "https://www.b.test/1"])
def test_any_target_may_be_asked_about(store: LinkIndex, index: Index, target: str) -> None:
    store.store([links("https://www.b.test/1"), gone("https://www.b.test/1"), page("https://b.test/1")])
    assert replaced(index, target) == {"https://www.b.test/1": ("https://b.test/1", "same path")}


def test_anchors_of_all_links_tell_what_it_was_about(store: LinkIndex, index: Index) -> None:
    dead = "https://b.test/p/881"
    words = ("ash", "birch", "cedar", "walnut-tables", "elm")
    pages = [page(f"https://b.test/notes/{word}", word.replace("-", " ")) for word in words]
    other = visit("https://c.test/", AT, link(dead, "walnut tables"))
    store.store([links(dead), other, gone(dead), *pages])
    assert set(replaced(index).values()) == {("https://b.test/notes/walnut-tables", "similar")}


def test_nothing_broken_reads_nothing_more(place: str, store: LinkIndex) -> None:
    store.store([links("https://b.test/1", "https://b.test/never-visited"), page("https://b.test/1")])
    with linkindex.open(place) as index:
        assert list(index.broken("b.test")) == []


def test_rows_are_backlinks_and_go_on_behind_a_cursor(store: LinkIndex, index: Index) -> None:
    dead = [f"https://b.test/{number}" for number in range(5)]
    store.store([links(*dead), *map(gone, dead)])
    answer = index.broken("b.test", limit=2)
    first = list(answer)
    assert all(isinstance(row, Broken) for row in first)
    assert [*first, *index.broken("b.test", after=answer.cursor)] == list(index.broken("b.test"))
