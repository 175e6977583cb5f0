"""Links counted by a property of theirs."""

from __future__ import annotations

from collections.abc import Iterator

from linkindex.store.selection import By, Group, Selection
from linkindex.store.sqlite.selecting import FIRST_SEEN, PLACEMENT, TARGET_ID, Selecting

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
        links = question.ask(_COLUMNS.format(key=_KEYS[by]))
        query = _GROUPS.format(name=_NAMES.get(by, "key"), links=links)
        for row in self._rows(query, question.named | {"limit": -1 if limit is None else limit}):
            yield Group(**dict(zip(Group.__struct_fields__, row, strict=True)))
