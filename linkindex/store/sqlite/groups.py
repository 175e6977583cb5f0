"""Links counted by a property of theirs.

Where a target has few links, each is looked at. Where it has many, their bundles say how many there are, and since when;
only when they were seen last is for their pages to say (:mod:`linkindex.store.sqlite.recency`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from linkindex.store.selection import By, Group, Profile, Selection
from linkindex.store.sqlite.packing import json_numbers
from linkindex.store.sqlite.recency import MOST_PAGES, Walk
from linkindex.store.sqlite.selecting import FIRST_SEEN, PLACEMENT, TARGET_ID, Question, Selecting

FEW = 2000
"""Links that are looked at one by one: no more than a few ms."""

FEW_OF_GROUP = 64  # of one that is as quickly asked for its links as for its pages

Keys = dict[Any, int]
"""Groups, and how many links each has."""

_KEYS: dict[By, str] = {
    "": "''",
    "domain": "b.from_domain",
    "anchor": "b.anchor",
    "kind": "k.kind",
    "placement": PLACEMENT,
}
_NAMES: dict[By, str] = {
    "domain": "(SELECT name FROM domain WHERE id = key)",
    "anchor": "(SELECT text FROM anchor WHERE id = key)",
}

_OF_BUNDLES: tuple[By, ...] = ("domain", "anchor")
"""Groups that a question with a limit may leave out unseen."""

_OF_PAGES: tuple[By, ...] = ("", "domain")
"""Groups whose pages are counted: of the others, a page has many."""

_AMONG = "IN (SELECT value FROM json_each(:keys))"
_HAS = "(instr(' ' || k.rel || ' ', ' {} ') > 0)"

_COLUMNS = f"""
{{key}} AS key, v.page AS page, b.from_domain AS domain, {TARGET_ID} AS target, k.follow AS follow,
{_HAS.format("ugc")} AS ugc, {_HAS.format("sponsored")} AS sponsored,
{{{{doubtful}}}} AS doubtful, {FIRST_SEEN} AS first_seen, {{{{last_seen}}}} AS last_seen"""

_GROUPS = """
SELECT {name} AS name, count(*) AS links, {sources}, count(DISTINCT domain), count(DISTINCT target), sum(follow),
  sum(ugc), sum(sponsored), sum(doubtful), min(first_seen), max(last_seen)
FROM ({links}) GROUP BY key ORDER BY links DESC, name LIMIT :limit"""

_COUNTED = f"""
{{key}} AS key, sum(b.live) AS links, sum(b.heads) AS heads, count(DISTINCT b.from_domain) AS domains,
count(DISTINCT {TARGET_ID}) AS targets, sum(b.live * k.follow) AS follow, sum(b.live * {_HAS.format("ugc")}) AS ugc,
sum(b.live * {_HAS.format("sponsored")}) AS sponsored, sum(b.doubtful) AS doubtful, min(b.first_seen) AS first_seen"""

_SOURCES = "SELECT key, count(DISTINCT page) FROM ({links}) GROUP BY key"
_FIRST = "SELECT key, min(first_seen) FROM ({links}) GROUP BY key"
_LAST = "SELECT key, max(last_seen) FROM ({links}) GROUP BY key"

_NO_LIMIT = -1


class Groups(Selecting):
    """The part of :class:`linkindex.store.sqlite.SqliteIndex` that counts links."""

    def groups(self, selection: Selection, by: By, limit: int | None = None) -> Iterator[Group]:
        question = self._question(selection)
        if question is None:
            return
        few = limit is not None and by in _OF_BUNDLES
        if few and not question.speaks_of_time:
            question = self._largest(question, by, limit or 0)
        if self._is_large(question):
            yield from self._by_bundles(question, by, limit)
            return
        links = question.ask(_COLUMNS.format(key=_KEYS[by]))
        sources = "count(DISTINCT page)" if by in _OF_PAGES else "NULL"
        query = _GROUPS.format(name=_NAMES.get(by, "key"), sources=sources, links=links)
        for row in self._rows(query, question.named | {"limit": _NO_LIMIT if limit is None else limit}):
            yield Group(**dict(zip(Group.__struct_fields__, row, strict=True)))

    def profile(self, selection: Selection) -> Profile:
        question = self._question(selection)
        if question is None:
            return Profile(whole=None, by_kind={}, by_placement={})
        whole = next(self.groups(selection, ""), None)
        shares = [self._shares(question, by) for by in ("kind", "placement")]
        return Profile(whole=whole, by_kind=shares[0], by_placement=shares[1])

    def _shares(self, question: Question, by: By) -> dict[str, int]:
        """Return how many links each group has."""
        if question.speaks_of_time:
            counted = f"SELECT key, count(*) AS links FROM ({question.ask(f'{_KEYS[by]} AS key')})"  # noqa: S608
        else:
            counted = question.ask_bundles(f"{_KEYS[by]} AS key, sum({question.links_of_bundle}) AS links")
        return dict(self._rows(f"{counted} GROUP BY 1 ORDER BY links DESC, key", question.named))

    def _largest(self, question: Question, by: By, limit: int) -> Question:
        """Return the question about the ``limit`` largest groups, and those that are as large as the last of them."""
        counted = question.ask_bundles(f"{_KEYS[by]} AS key, sum({question.links_of_bundle}) AS links")
        keys: list[int] = []
        least = 0
        for key, links in self._rows(f"{counted} GROUP BY {_KEYS[by]} ORDER BY links DESC", question.named):
            if len(keys) >= limit and links < least:
                return question.with_bundles(f"{_KEYS[by]} {_AMONG}", {"keys": json_numbers(keys)})
            keys.append(key)
            least = links
        return question

    # ---------------------------------------------------------------- by what bundles say

    def _is_large(self, question: Question) -> bool:
        """Return whether bundles are to be asked instead of links, where they can tell."""
        if question.speaks_of_time or question.selection.state != "live":
            return False
        links = next(self._rows(question.ask_bundles("sum(b.live)"), question.named), (0,))[0]
        return (links or 0) > FEW

    def _by_bundles(self, question: Question, by: By, limit: int | None) -> Iterator[Group]:
        bundles = f"{question.ask_bundles(_COUNTED.format(key=_KEYS[by]))} GROUP BY 1"
        query = f"SELECT {_NAMES.get(by, 'key')} AS name, * FROM ({bundles}) ORDER BY links DESC, name LIMIT :limit"  # noqa: S608
        rows = list(self._records(query, question.named | {"limit": _NO_LIMIT if limit is None else limit}))
        keys = {row["key"]: row["links"] for row in rows}
        sources = self._sources(question, by, {row["key"]: row["heads"] for row in rows})
        first, last = self._first_seen(question, by), self._last_seen(question, by, keys)
        for row in rows:
            key = row.pop("key")
            del row["heads"]
            known = (time for time in (row.pop("first_seen"), first.get(key)) if time is not None)
            seen = {"first_seen": min(known), "last_seen": last[key]}
            yield Group(key=row.pop("name"), sources=sources.get(key), **row, **seen)

    def _sources(self, question: Question, by: By, heads: Keys) -> Mapping[Any, int | None]:
        """Return how many pages link, by group."""
        coverage = question.coverage
        if by not in _OF_PAGES:
            return {}
        if len(coverage.domains) == 1 and not coverage.urls and not question.looks:
            return heads
        links = question.ask_links(f"{_KEYS[by]} AS key, v.page AS page")
        return dict(self._rows(_SOURCES.format(links=links), question.named))

    def _first_seen(self, question: Question, by: By) -> dict[Any, int]:
        """Return when links were seen first whose bundles do not say it, by group."""
        unsaid = question.with_bundles("b.first_seen IS NULL", {})
        links = unsaid.ask(f"{_KEYS[by]} AS key, {FIRST_SEEN} AS first_seen")
        return dict(self._rows(_FIRST.format(links=links), question.named))

    def _last_seen(self, question: Question, by: By, keys: Keys) -> dict[Any, int]:
        """Return when groups of links were seen last."""
        if by != "domain":
            return self._walked(question, by, keys, MOST_PAGES)
        few = [key for key, links in keys.items() if links <= FEW_OF_GROUP]
        found = self._looked_at(question, by, few)
        for key, links in keys.items():
            if key not in found:
                only = question.with_bundles("b.from_domain = :only", {"only": key})
                found |= self._walked(only, by, {key: links}, min(links, MOST_PAGES))
        return found

    def _walked(self, question: Question, by: By, keys: Keys, most: int) -> dict[Any, int]:
        """Return when groups were seen last: from the pages read last, and no more than ``most``, where that will do."""
        walk = Walk(self._rows, question)
        found: dict[Any, int] = {}
        left, wanted = set(keys), 4 * len(keys)
        while left and walk.bound is not None and walk.pages < most:
            these = question.among(walk.take(wanted, most))
            links = these.ask(f"{_KEYS[by]} AS key, {{last_seen}} AS last_seen")
            for key, time in self._rows(_LAST.format(links=links), these.named):
                found[key] = max(time, found.get(key, 0))
            left = {key for key in left if key not in found or (walk.bound is not None and found[key] < walk.bound)}
            wanted *= 2
        return found | self._looked_at(question, by, sorted(left))

    def _looked_at(self, question: Question, by: By, keys: list[Any]) -> dict[Any, int]:
        """Return when groups were seen last, by a look at each of their links."""
        if not keys:
            return {}
        these = question.with_bundles(f"{_KEYS[by]} {_AMONG}", {"keys": msgspec.json.encode(keys).decode()})
        links = these.ask(f"{_KEYS[by]} AS key, {{last_seen}} AS last_seen")
        return dict(self._rows(_LAST.format(links=links), these.named))
