"""Links in an order, one by one or put together: the rows that answers show, before their details.

Where a target has few links, they are sorted. Where it has many and only the first are wanted, domains by their ranks or
pages by their times are gone through until no other can come before what was found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from heapq import nlargest
from itertools import chain
from typing import Any

import msgspec

from linkindex.answers.rows import Backlink
from linkindex.store.selection import Order, Per
from linkindex.store.sqlite.groups import Groups
from linkindex.store.sqlite.packing import json_numbers
from linkindex.store.sqlite.question import (
    FIRST_SEEN,
    KEY,
    PLACEMENT,
    SOURCE,
    TARGET,
    TARGET_ID,
    WITH_SOURCE,
    WITH_TARGET,
    Candidate,
    Question,
)
from linkindex.store.sqlite.recency import EVER, MOST_PAGES, Walk

_COLUMNS = f"""
{{lost_at}} AS lost_at, {{because}} AS because, {{last_seen}} AS last_seen, {FIRST_SEEN} AS first_seen, v.page AS page,
v.slot AS slot, v.ordinal AS ordinal, b.to_domain AS to_domain, b.from_domain AS from_domain, b.number AS number,
{SOURCE} AS source, {TARGET} AS target, {TARGET_ID} AS target_id, k.follow AS follow, sd.rank AS domain_rank,
p.rank AS source_rank, b.host AS host, b.anchor AS anchor, {PLACEMENT} AS placement,
iif({{doubtful}}, p.outcome || iif(p.reason = '', '', ': ' || p.reason), NULL) AS doubt"""

_JOINS = f"{WITH_SOURCE} {WITH_TARGET} CROSS JOIN domain sd ON sd.id = b.from_domain"

_TIES = [("source", ""), ("target", ""), ("ordinal", "")]
_SEEN = [("follow", "DESC"), ("last_seen", "DESC")]
_RANK = [("coalesce(domain_rank, 0)", "DESC"), ("coalesce(source_rank, 0)", "DESC")]
_ORDERS: dict[Order, list[tuple[str, str]]] = {
    "seen": [("lost_at IS NOT NULL", ""), *_SEEN, *_TIES],
    "rank": [("lost_at IS NOT NULL", ""), *_RANK, *_SEEN, *_TIES],
    "new": [("lost_at IS NOT NULL", ""), ("first_seen", "DESC"), *_TIES],
}

_FOLLOWED = 1 << 60  # more than any time in ms
_WEIGHTS: dict[Order, str] = {
    "seen": f"(k.follow * {_FOLLOWED} + {{last_seen}})",
    "rank": "coalesce(p.rank, 0)",  # within a domain
    "new": f"({FIRST_SEEN})",
}
"""What an order goes by first, as one number: the heavier a link, the earlier it comes."""

_PER: dict[Per, str] = {"similar": "host, target_id, anchor, placement", "page": "page", "domain": "from_domain"}
_GROUPS: dict[Per, str] = {
    "link": ", ".join(KEY),
    "similar": f"b.host AS host, {TARGET_ID} AS target_id, b.anchor AS anchor, {PLACEMENT} AS placement",
    "page": "v.page AS page",
    "domain": "b.from_domain AS from_domain",
}
"""What links have in common that one row stands for; the same names as :data:`_PER`."""

# Of what is grouped by its least place, SQLite shows the row that has it. It would join rows with their counts in loops.
_TOGETHER = """
SELECT * FROM (SELECT *, min(place), count(*) AS links, count(DISTINCT page) AS pages
  FROM (SELECT *, row_number() OVER (ORDER BY {order}) AS place FROM ({core})) GROUP BY {per})
WHERE {after} ORDER BY place LIMIT :limit"""

_ALONE = "SELECT *, 1 AS links, 1 AS pages FROM ({core}) WHERE {after} ORDER BY {order} LIMIT :limit"

Row = dict[str, Any]
"""A link with what orders go by, and what says where its details are."""


class Heaviest(msgspec.Struct):
    """The links of a group that come first, as far as names do not matter."""

    weight: float
    keys: list[Candidate]
    links: int = 0  # of the group, that were met


class Ordering(Groups):
    """The part of :class:`linkindex.store.sqlite.SqliteIndex` that puts links in order."""

    def _ordered(
        self, question: Question, order: Order, per: Per, after: Backlink | None, limit: int | None
    ) -> Iterator[Row]:
        if limit is None or question.selection.state == "all":
            yield from self._sorted(question, order, per, after, limit)
        elif order == "rank":
            yield from self._by_rank(question, per, after, limit)
        elif order == "seen" and per == "link" and self._is_large(question):
            yield from self._by_time(question, after, limit)
        else:
            yield from self._first(question, order, per, after, limit)

    def _by_rank(self, question: Question, per: Per, after: Backlink | None, limit: int) -> Iterator[Row]:
        """Yield rows of the domains that rank highest, then those of the next: most domains need no look."""
        columns = f"b.from_domain AS domain, coalesce(sd.rank, 0) AS rank, sum({question.links_of_bundle}) AS links"
        ranked = question.ask_bundles(columns, "CROSS JOIN domain sd ON sd.id = b.from_domain")
        named = question.named | {"below": 2.0**1000 if after is None else after.domain_rank or 0.0}
        query = f"SELECT * FROM ({ranked} GROUP BY b.from_domain) WHERE rank <= :below ORDER BY rank DESC"  # noqa: S608
        wanted, left = limit, limit
        domains: list[int] = []
        links, last = 0, None
        for domain, rank, count in chain(self._rows(query, named), [(0, None, 0)]):
            if rank != last and domains and (links >= wanted or rank is None):
                for row in self._of_rank(question.of_domains(domains), per, after, left):
                    yield row
                    left -= 1
                if not left:
                    return
                domains, links, wanted = [], 0, 4 * wanted
            domains.append(domain)
            links, last = links + (1 if per == "domain" else count), rank

    def _of_rank(self, question: Question, per: Per, after: Backlink | None, limit: int) -> Iterator[Row]:
        """Yield the rows of some domains by their ranks."""
        if per == "link" or not question.is_of_now:
            yield from self._sorted(question, "rank", per, after, limit)
            return
        with self._snapshot():
            met: dict[Any, Heaviest] = {}
            self._meet(question, "rank", per, met)
            rows = self._shown(question, "rank", per, after, limit, met)
        yield from rows

    def _by_time(self, question: Question, after: Backlink | None, limit: int) -> Iterator[Row]:
        """Yield rows of pages that were read last: those that are followed, then the others."""
        asked = question.selection.follow
        for follow in (True, False) if asked is None else (asked,):
            if after is not None and after.follow < follow:
                continue
            behind = after if after is not None and after.follow == follow else None
            for row in self._first(question.with_follow(follow), "seen", "link", behind, limit):
                yield row
                limit -= 1
            if not limit:
                return

    def _first(self, question: Question, order: Order, per: Per, after: Backlink | None, limit: int) -> Iterator[Row]:
        """Yield the first rows behind ``after``, by order "seen" or "new"."""
        with self._snapshot():
            rows = self._walked(question, order, per, after, limit) if self._is_large(question) else None
        if rows is None:
            question = self._narrowed(question, order, per, after, limit)
        yield from self._sorted(question, order, per, after, limit) if rows is None else rows

    # ---------------------------------------------------------------- page by page

    def _walked(
        self, question: Question, order: Order, per: Per, after: Backlink | None, limit: int
    ) -> list[Row] | None:
        """Return the first rows from the pages that were read last; None where those are too many.

        No link was seen, or seen first, later than its page was read, or changed. So a link on a page that is still to
        come is no heavier than that page's time, and rows that are heavier than that are final.
        """
        # The first link of a domain, or of alike ones, may have been on any page that was read later.
        begins = after is not None and order == "seen" and per in ("link", "page")
        before = _ms(after.last_seen) if after is not None and begins else EVER
        walk = Walk(self._rows, question, before)
        most = _FOLLOWED if order == "seen" and self._has_followed(question) else 0
        # Pages that were read later come before, but for those without a followed link: they come behind all that have one.
        is_whole = before == EVER or not most or question.selection.follow is True
        behind = _weight(after, order)
        met: dict[Any, Heaviest] = {}
        wanted = 2 * limit
        while walk.pages < MOST_PAGES:
            self._meet(question.among(walk.take(wanted)), order, per, met)
            first = [one.weight for one in met.values() if one.weight < behind]
            least = nlargest(limit, first)[-1] if len(first) >= limit else -1
            if least > most + (walk.bound or 0) or (walk.bound is None and is_whole):
                final = {group: one for group, one in met.items() if least <= one.weight <= behind}
                return self._shown(question, order, per, after, limit, final)
            if walk.bound is None:
                break
            wanted *= 2
        return None

    def _meet(self, question: Question, order: Order, per: Per, met: dict[Any, Heaviest]) -> None:
        """Add links to what was met, by group."""
        columns = f"{_WEIGHTS[order]}, {', '.join(KEY)}, {_GROUPS[per]}"
        for weight, *row in self._rows(question.ask(columns), question.named):
            key, group = tuple(row[: len(KEY)]), tuple(row[len(KEY) :])
            one = met.setdefault(group, Heaviest(weight, []))
            one.links += 1
            if weight > one.weight:
                one.weight, one.keys = weight, []
            if weight == one.weight:
                one.keys.append(key)

    def _shown(
        self,
        question: Question,
        order: Order,
        per: Per,
        after: Backlink | None,
        limit: int,
        met: Mapping[Any, Heaviest],
    ) -> list[Row]:
        """Return the first rows of the groups that were met, with the links and pages that each stands for."""
        keys = [key for one in met.values() for key in one.keys]
        rows = list(self._sorted(question.among(keys), order, per, after, limit))
        if per == "link":
            return rows
        groups = [tuple(row[name] for name in _PER[per].split(", ")) for row in rows]
        if per == "page":
            counts = {group: (met[group].links, 1) for group in groups}  # all links of a page are met at once
        else:
            counts = self._counts_of_rows(question, per, rows)
        for group, row in zip(groups, rows, strict=True):
            row["links"], row["pages"] = counts[group]
        return rows

    def _counts_of_rows(self, question: Question, per: Per, rows: list[Row]) -> dict[Any, tuple[int, int]]:
        """Return the links and pages of the groups that rows stand for, and of some others."""
        these = question.of_domains(list({row["from_domain"] for row in rows}))
        if per == "domain":
            return {(domain,): counts for domain, counts in self._counts_by(these, "domain").items()}
        anchors = json_numbers(list({row["anchor"] for row in rows}))
        these = these.with_bundles("b.anchor IN (SELECT value FROM json_each(:of_anchors))", {"of_anchors": anchors})
        asked = these.ask_links(f"{_GROUPS[per]}, v.page AS page")
        query = f"SELECT count(*), count(DISTINCT page), {_PER[per]} FROM ({asked}) GROUP BY {_PER[per]}"  # noqa: S608
        return {tuple(group): (links, pages) for links, pages, *group in self._rows(query, these.named)}

    # ---------------------------------------------------------------- link by link

    def _narrowed(self, question: Question, order: Order, per: Per, after: Backlink | None, limit: int) -> Question:
        """Return the question about no more links than are shown, and those that are as heavy as the last of them.

        What is sorted with its texts costs several times more than what is sorted by a number.
        """
        if per != "link":
            return question
        weight = _WEIGHTS[order]
        # What is as heavy as ``after`` may come behind it or not: only what is surely behind counts here.
        named = question.named | {"limit": limit, "behind": _weight(after, order)}
        links = question.ask(f"{weight} AS weight")
        query = f"SELECT weight FROM ({links}) WHERE weight < :behind ORDER BY weight DESC LIMIT :limit"  # noqa: S608
        weights = self._all(query, named)
        if len(weights) < limit:
            return question
        return question.with_versions(f"{weight} >= :least", {"least": weights[-1][0]})

    def _sorted(
        self, question: Question, order: Order, per: Per, after: Backlink | None, limit: int | None
    ) -> Iterator[Row]:
        named = question.named | {"limit": -1 if limit is None else limit}
        keys = _ORDERS[order]
        behind = _behind(keys, after, named) if after is not None else "1"
        query = (_ALONE if per == "link" else _TOGETHER).format(
            core=question.ask(_COLUMNS, _JOINS),
            per=_PER.get(per),
            order=", ".join(f"{column} {way}" for column, way in keys),
            after=behind,
        )
        return self._records(query, named)


def _weight(row: Backlink | None, order: Order) -> int:
    """Return what :data:`_WEIGHTS` says of a row, of none more than of any."""
    if row is None:
        return 2 * _FOLLOWED
    return row.follow * _FOLLOWED + _ms(row.last_seen) if order == "seen" else _ms(row.first_seen)


def _behind(keys: list[tuple[str, str]], after: Backlink, named: dict[str, Any]) -> str:
    """Return the condition that a row comes behind ``after``; its values go into ``named``."""
    values = {
        "lost_at IS NOT NULL": after.lost_at is not None,
        "follow": after.follow,
        "last_seen": _ms(after.last_seen),
        "first_seen": _ms(after.first_seen),
        "coalesce(domain_rank, 0)": after.domain_rank or 0.0,
        "coalesce(source_rank, 0)": after.source_rank or 0.0,
        "source": after.source,
        "target": after.target,
        "ordinal": after.ordinal,
    }
    condition = "0"
    for at, (column, way) in reversed(list(enumerate(keys))):
        named[f"after{at}"] = values[column]
        sign = "<" if way else ">"
        condition = f"(({column}) {sign} :after{at} OR (({column}) = :after{at} AND {condition}))"
    return condition


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
