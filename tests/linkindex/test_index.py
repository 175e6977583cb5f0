"""The index as Python programs ask it. What it answers is the contract's business; this is about how it is asked."""

from __future__ import annotations

import doctest
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import linkindex
from linkindex.answers import rows
from linkindex.errors import BadInput, Unavailable
from linkindex.index import Index
from linkindex.store import open_index
from tests.linkindex.example import BLOG, HOME, fill

PAGE = Path(__file__).parents[2] / "docs" / "python.md"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    with open_index("sqlite:///linkatlas.db", create=True) as index:
        fill(index)
    return tmp_path


@pytest.fixture
def index(folder: Path) -> Iterator[Index]:
    with linkindex.open("sqlite:///linkatlas.db") as index:
        yield index


@pytest.mark.usefixtures("folder")
def test_the_examples_of_the_docs_are_true() -> None:
    ran = doctest.testfile(
        str(PAGE), module_relative=False, optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    )
    assert ran.failed == 0
    assert ran.attempted >= 15


def test_every_question_is_documented() -> None:
    text = PAGE.read_text(encoding="utf-8")
    methods = [name for name in vars(Index) if not name.startswith("_")]
    assert [name for name in methods if f"{name}(" not in text] == []


def test_importing_it_costs_nothing() -> None:
    code = "import sys, linkindex; print(*(name for name in sys.modules if 'linkindex' in name), len(sys.modules))"
    bare = "import sys, typing, __future__; print(len(sys.modules))"
    ours = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    theirs = subprocess.run([sys.executable, "-c", bare], capture_output=True, text=True, check=True).stdout
    assert ours.startswith("linkindex ")
    assert int(ours.split()[-1]) <= int(theirs) + 1


@pytest.mark.usefixtures("folder")
def test_asking_sqlite_imports_no_other_driver_and_no_suffix_list() -> None:
    code = """
import sys, linkindex
with linkindex.open('sqlite:///linkatlas.db') as index:
    assert list(index.backlinks('example.com'))
print(sorted({'scrapy', 'pymongo', 'redis', 'tldextract', 'click', 'pandas'} & set(sys.modules)))
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_rows_come_one_by_one(index: Index) -> None:
    answer = index.backlinks("example.com")
    assert answer.kind is rows.Backlink
    assert answer.cursor == ""
    first = next(answer)
    assert isinstance(first, rows.Backlink)
    assert answer.cursor
    assert [first, *answer] == list(index.backlinks("example.com"))
    assert index.domains("example.com").cursor == ""


@pytest.mark.parametrize("day", ["2026-11-05", date(2026, 11, 5), datetime(2026, 11, 5, 20, tzinfo=UTC)])
def test_dates_may_be_dates(index: Index, day: str | date | datetime) -> None:
    assert len(list(index.backlinks("example.com", as_of=day))) == 3


def test_what_cannot_be_asked_is_said_before_anything_is_read(index: Index) -> None:
    with pytest.raises(BadInput, match="did you mean rank"):
        index.backlinks("example.com", order="ranks")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="it is one of link"):
        index.backlinks("example.com", per="site")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="state 'gone'"):
        index.domains("example.com", state="gone")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="no such file"):
        linkindex.open("sqlite:///none.db")


@pytest.mark.parametrize("limit", [-1, "3", 2.5, [3]])
def test_a_limit_that_is_none_is_no_fault_of_the_index(index: Index, limit: Any) -> None:
    for ask in (index.backlinks, index.domains, index.pages, index.outlinks):
        with pytest.raises(BadInput, match=r"limit .*: give a whole number, or None for all"):
            ask("https://example.com/", limit=limit)
    two: Any = np.int64(2)
    yes: Any = np.True_
    assert len(list(index.backlinks("example.com", limit=two))) == 2
    assert list(index.backlinks("example.com", follow=yes)) == list(index.backlinks("example.com", follow=True))


@pytest.mark.parametrize("after", [1, b"WzEs", ["WzEs"]])
def test_what_is_no_text_is_no_cursor(index: Index, after: Any) -> None:
    for ask in (index.backlinks, index.broken):
        with pytest.raises(BadInput, match="the cursor cannot be read"):
            ask("example.com", after=after)


@pytest.mark.parametrize("place", [Path("linkatlas.db"), None])
def test_what_is_no_url_of_an_index_is_told(place: Any) -> None:
    with pytest.raises(BadInput, match="write sqlite:///PATH"):
        linkindex.open(place)


@pytest.mark.parametrize("target", [None, 5, b"example.com"])
def test_what_is_no_text_is_no_target(index: Index, target: Any) -> None:
    for ask in (index.backlinks, index.overview, index.outlinks, index.history):
        with pytest.raises(BadInput, match="write (example.com|https://example.com/page)"):
            ask(target)


def test_a_frame_has_a_column_for_each_field(index: Index) -> None:
    frame = index.backlinks("example.com").df()
    assert tuple(frame.columns) == rows.Backlink.__struct_fields__
    assert len(frame) == 6
    assert str(frame["first_seen"].dt.tz) == "UTC"
    empty = index.history("https://nobody.test/", "https://nobody.test/x").df()
    assert (tuple(empty.columns), len(empty)) == (rows.Seen.__struct_fields__, 0)


def test_without_pandas_the_error_says_what_to_install(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)  # as Python itself remembers what cannot be imported
    with pytest.raises(Unavailable, match="pip install pandas"):
        index.backlinks("example.com").df()


def test_history_takes_urls_as_people_write_them(index: Index) -> None:
    assert list(index.history("blog.example.org/walks#top", "HTTPS://EXAMPLE.com")) == list(index.history(BLOG, HOME))


QUESTIONS: dict[str, Callable[[Index], object]] = {
    "backlinks": lambda index: list(index.backlinks("example.com", state="all")),
    "as of": lambda index: list(index.backlinks("example.com", as_of="2026-11-05", order="new")),
    "similar": lambda index: list(index.backlinks("example.com", per="similar")),
    "conditions": lambda index: list(index.backlinks("example.com", rel="ugc", source="example.org", anchor="KNOT")),
    "broken": lambda index: list(index.broken("example.com")),
    "domains": lambda index: list(index.domains("example.com", follow=True)),
    "anchors": lambda index: list(index.anchors("example.com")),
    "changes": lambda index: list(index.changes("example.com", since="2026-11-05")),
    "history": lambda index: list(index.history(BLOG)),
    "outlinks": lambda index: sorted(
        index.outlinks(BLOG), key=lambda row: row.target
    ),  # live ones first; else no order
    "pages": lambda index: list(index.pages("example.com")),
    "overview": lambda index: index.overview("example.com"),
    "counts": lambda index: index.counts(),
    "runs": lambda index: list(index.runs()),
}


def test_both_stores_answer_alike_and_go_on_where_the_other_stopped(index: Index, mongo_url: Callable[[], str]) -> None:
    place = mongo_url()
    with open_index(place, create=True) as store:
        fill(store)
    with linkindex.open(place) as other:
        told = {name: (ask(index), ask(other)) for name, ask in QUESTIONS.items()}
        assert [name for name, (one, two) in told.items() if one != two] == []
        assert [name for name, (one, _) in told.items() if not one] == []
        first = index.backlinks("example.com", limit=2)
        assert [*first, *other.backlinks("example.com", after=first.cursor)] == list(index.backlinks("example.com"))
        assert [check.name for check in other.check() if not check.ok] == []
