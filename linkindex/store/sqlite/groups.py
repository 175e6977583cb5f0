"""Links counted by a property of theirs."""

from __future__ import annotations

from collections.abc import Iterator

from linkindex.store.selection import By, Group, Selection
from linkindex.store.sqlite.packing import json_numbers
from linkindex.store.sqlite.selecting import FIRST_SEEN, PLACEMENT, TARGET_ID, Question, Selecting

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

_COLUMNS = f"""
{{key}} AS key, v.page AS page, b.from_domain AS domain, {TARGET_ID} AS target, k.follow AS follow,
instr(' ' || k.rel || ' ', ' ugc ') > 0 AS ugc, instr(' ' || k.rel || ' ', ' sponsored ') > 0 AS sponsored,
{{{{doubtful}}}} AS doubtful, {FIRST_SEEN} AS first_seen, {{{{last_seen}}}} AS last_seen"""

_GROUPS = """
SELECT {name} AS name, count(*) AS links, count(DISTINCT page), count(DISTINCT domain), count(DISTINCT target), sum(follow),
  sum(ugc), sum(sponsored), sum(doubtful), min(first_seen), max(last_seen)
FROM ({links}) GROUP BY key ORDER BY links DESC, name LIMIT :limit"""


class Groups(Selecting):
    """The part of :class:`linkindex.store.sqlite.SqliteIndex` that counts links."""

    def groups(self, selection: Selection, by: By, limit: int | None = None) -> Iterator[Group]:
        question = self._question(selection)
        if question is None:
            return
        if limit is not None and by in _OF_BUNDLES:
            question = self._largest(question, by, limit)
        links = question.ask(_COLUMNS.format(key=_KEYS[by]))
        query = _GROUPS.format(name=_NAMES.get(by, "key"), links=links)
        for row in self._rows(query, question.named | {"limit": -1 if limit is None else limit}):
            yield Group(**dict(zip(Group.__struct_fields__, row, strict=True)))

    def _largest(self, question: Question, by: By, limit: int) -> Question:
        """Return the question about the ``limit`` largest groups, and those that are as large as the last of them.

        How many links a bundle has is known; all else that is told of a group needs a look at each link.
        """
        selection = question.selection
        if (selection.as_of, selection.since, selection.until) != (None, None, None):
            return question
        counted = question.ask_bundles(f"{_KEYS[by]} AS key, sum({question.links_of_bundle}) AS links")
        keys: list[int] = []
        least = 0
        for key, links in self._rows(f"{counted} GROUP BY {_KEYS[by]} ORDER BY links DESC", question.named):
            if len(keys) >= limit and links < least:
                among = "IN (SELECT value FROM json_each(:keys))"
                return question.with_bundles(f"{_KEYS[by]} {among}", {"keys": json_numbers(keys)})
            keys.append(key)
            least = links
        return question
