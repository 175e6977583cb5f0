"""Short ways to make visits and to ask for links, and the places where a backend puts its indexes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pytest

from linkindex.answers.rows import Backlink
from linkindex.model import Link, Outcome, Visit
from linkindex.store import LinkIndex, open_index
from linkindex.store.selection import Order, Per, Selection
from linkindex.target import parse_target
from pipelines.canonicalise import canonicalise

DAY = 24 * 3600 * 1000


def visit(url: str, at: int, *links: Link, outcome: Outcome = Outcome.PAGE, **others: object) -> Visit:
    made = Visit(url=url, at=at, outcome=outcome, links=links, **others)  # type: ignore[arg-type]
    return canonicalise(made)


def link(target: str, anchor: str = "words", **others: object) -> Link:
    return Link(target=target, anchor=anchor, **others)  # type: ignore[arg-type]


def redirect(url: str, at: int, to: str, status: int = 301) -> Visit:
    moved = link(to, "", kind="redirect")
    return visit(url, at, moved, outcome=Outcome.REDIRECT, status=status, redirect=to)


def selected(target: str, **conditions: object) -> Selection:
    return Selection(target=parse_target(target), **conditions)  # type: ignore[arg-type]


def found(
    index: LinkIndex,
    target: str,
    *,
    order: Order = "seen",
    per: Per = "link",
    after: Backlink | None = None,
    limit: int | None = None,
    **conditions: object,
) -> list[Backlink]:
    return list(index.links(selected(target, **conditions), order=order, per=per, after=after, limit=limit))


def sources(rows: Iterable[Backlink]) -> list[str]:
    """Return the pages that link, in order, without what all of them have: https://a.test/ is a."""
    return [row.source.removeprefix("https://").removesuffix(".test/") for row in rows]


class Places:
    """What a backend's own class gives: ``place``, which returns the URL of another index that nobody has made yet."""

    @pytest.fixture
    def place(self) -> Callable[[], str]:
        raise NotImplementedError

    @pytest.fixture
    def index(self, place: Callable[[], str]) -> Iterator[LinkIndex]:
        """An empty index that keeps links inside a domain as paths."""
        with self.open(place()) as index:
            yield index

    @pytest.fixture
    def full(self, place: Callable[[], str]) -> Iterator[LinkIndex]:
        """An empty index that keeps links inside a domain in full."""
        with self.open(place(), internal_links=True) as index:
            yield index

    def open(self, url: str, **options: object) -> LinkIndex:
        return open_index(url, create=True, **options)  # type: ignore[arg-type]
