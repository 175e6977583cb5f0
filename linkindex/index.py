"""The link index as Python programs ask it: an open index with one method for each question. See docs/python.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import index
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, Unpack

import msgspec

from linkindex.answers import rows
from linkindex.answers.anchors import anchors
from linkindex.answers.backlinks import backlinks
from linkindex.answers.changes import changes
from linkindex.answers.cursor import cursor_of, read_cursor
from linkindex.answers.domains import referring_domains
from linkindex.answers.history import history
from linkindex.answers.outlinks import outlinks
from linkindex.answers.overview import overview
from linkindex.answers.pages import pages
from linkindex.conditions import Conditions, select
from linkindex.errors import BadInput, Unavailable
from linkindex.store import LinkIndex, Order, Per, Selection
from linkindex.store.selection import ORDERS, PER, Check, IndexCounts, RunCounts
from linkindex.stored import guarded
from linkindex.target import parse_target
from settings.values import nearest

if TYPE_CHECKING:
    import pandas as pd

Row = TypeVar("Row", bound=msgspec.Struct)
Link = TypeVar("Link", bound=rows.Backlink)
Answer = TypeVar("Answer")


class Rows(Iterator[Row], Generic[Row]):
    """An answer: an iterator of rows of one type, read from the index as they are taken."""

    def __init__(self, kind: type[Row], found: Iterator[Row], mark: Callable[[Row], str] | None = None) -> None:
        self.kind = kind
        self._found = found
        self._mark = mark
        self._last: Row | None = None

    def __next__(self) -> Row:
        self._last = next(self._found)
        return self._last

    @property
    def cursor(self) -> str:
        """What continues the same question behind the row that was taken last, as its ``after``; "" before the first.

        Only backlinks and broken have one.
        """
        return self._mark(self._last) if self._mark and self._last is not None else ""

    def df(self) -> pd.DataFrame:
        """Take all rows that are left into a pandas DataFrame, a column for each field.

        Raises :class:`linkindex.errors.Unavailable` where pandas is not installed.
        """
        try:
            import pandas as pd  # noqa: PLC0415  not ours to need
        except ImportError:
            raise Unavailable("pandas is not installed, and .df() makes its DataFrames; pip install pandas") from None
        fields = self.kind.__struct_fields__
        return pd.DataFrame([[getattr(row, name) for name in fields] for row in self], columns=list(fields))


class Index:
    """An open index. Targets, pages and conditions are read as on the command line; times in rows are aware, in UTC.

    Closing it, or leaving its ``with``, ends answers that are still being read. Errors are those of :mod:`linkindex.errors`.
    """

    def __init__(self, store: LinkIndex) -> None:
        self.store = store

    def backlinks(
        self,
        target: str,
        *,
        order: Order = "seen",
        per: Per = "link",
        after: str = "",
        limit: int | None = None,
        **conditions: Unpack[Conditions],
    ) -> Rows[rows.Backlink]:
        """Who links to the target; ``after`` is the cursor of an earlier answer to the same question."""
        return self._links(backlinks, rows.Backlink, select(target, **conditions), order, per, after, limit)

    def broken(
        self,
        target: str,
        *,
        order: Order = "seen",
        per: Per = "link",
        after: str = "",
        limit: int | None = None,
        **conditions: Unpack[Conditions],
    ) -> Rows[rows.Broken]:
        """Which of those links lead nowhere, and where they could lead instead."""
        from linkindex.answers.broken import broken  # noqa: PLC0415  it brings what the other questions do not need

        conditions["broken"] = True
        return self._links(broken, rows.Broken, select(target, **conditions), order, per, after, limit)

    def domains(
        self, target: str, *, limit: int | None = None, **conditions: Unpack[Conditions]
    ) -> Rows[rows.ReferringDomain]:
        """Which domains link to the target, those with the most links first."""
        return Rows(rows.ReferringDomain, self._asked(referring_domains, select(target, **conditions), limit=limit))

    def anchors(
        self, target: str, *, limit: int | None = None, **conditions: Unpack[Conditions]
    ) -> Rows[rows.AnchorText]:
        """Under which texts the target is linked, the most used first."""
        return Rows(rows.AnchorText, self._asked(anchors, select(target, **conditions), limit=limit))

    def changes(self, target: str, *, limit: int | None = None, **conditions: Unpack[Conditions]) -> Rows[rows.Change]:
        """What happened to links that point at the target, the latest first."""
        return Rows(rows.Change, self._asked(changes, select(target, **conditions), limit=limit))

    def history(self, source: str, target: str = "", *, limit: int | None = None) -> Rows[rows.Seen]:
        """Every version of the links from one page to another ("": to all), the oldest of each link first."""
        return Rows(rows.Seen, self._asked(history, source, target, limit=limit))

    def outlinks(self, page: str, *, limit: int | None = None) -> Rows[rows.Outlink]:
        """What a page links to."""
        return Rows(rows.Outlink, self._asked(outlinks, page, limit=limit))

    def pages(self, target: str, *, limit: int | None = None) -> Rows[rows.PageRow]:
        """The visited pages of the target and what they say of themselves, those that link out most first."""
        return Rows(rows.PageRow, self._asked(pages, parse_target(target), limit=limit))

    def overview(self, target: str) -> rows.Overview:
        """The backlink profile of the target in numbers."""
        return self._asked(overview, parse_target(target))

    def counts(self) -> IndexCounts:
        """What the index holds."""
        return self.store.counts()

    def runs(self) -> Rows[RunCounts]:
        """The runs that visited pages first, the latest first; times are ms since 1970, UTC."""
        return Rows(RunCounts, self.store.runs())

    def check(self) -> Rows[Check]:
        """What the index needs to answer well, and whether it has it."""
        return Rows(Check, self.store.check())

    def close(self) -> None:
        """Let go of the index."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _asked(self, answer: Callable[..., Answer], *arguments: Any, **keywords: Any) -> Answer:
        if (limit := keywords.get("limit")) is not None:
            keywords["limit"] = _whole(limit)
        return guarded(self.store, answer)(self.store, *arguments, **keywords)

    def _links(
        self,
        answer: Callable[..., Iterator[Link]],
        kind: type[Link],
        selection: Selection,
        order: Order,
        per: Per,
        after: str,
        limit: int | None,
    ) -> Rows[Link]:
        _one_of(order, ORDERS, "order")
        _one_of(per, PER, "per")
        start = read_cursor(after, selection, order, per) if after else None
        found = self._asked(answer, selection, order=order, per=per, after=start, limit=limit)
        return Rows(kind, found, lambda row: cursor_of(row, selection, order, per))


def _whole(limit: Any) -> int:
    try:
        if (found := index(limit)) >= 0:  # of numpy's numbers too
            return found
    except TypeError:
        pass
    raise BadInput(f"limit {limit!r}: give a whole number, or None for all")


def _one_of(value: Any, known: tuple[str, ...], what: str) -> None:
    if value not in known:
        near = nearest(str(value), known)
        meant = f"did you mean {near}? " if near else ""
        raise BadInput(f"{what} {value!r}: unknown; {meant}it is one of {', '.join(known)}")
