"""Links counted by a property of theirs."""

from __future__ import annotations

from collections.abc import Iterator

from linkindex.store.selection import By, Group, Profile, Selection
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

_SHARES: tuple[By, ...] = ("kind", "placement")

_HAS = "(instr(' ' || k.rel || ' ', ' {} ') > 0)"

_COLUMNS = f"""
{{key}} AS key, v.page AS page, b.from_domain AS domain, {TARGET_ID} AS target, k.follow AS follow,
{_HAS.format("ugc")} AS ugc, {_HAS.format("sponsored")} AS sponsored,
{{{{doubtful}}}} AS doubtful, {FIRST_SEEN} AS first_seen, {{{{last_seen}}}} AS last_seen"""

_GROUPS = """
SELECT {name} AS name, count(*) AS links, count(DISTINCT page), count(DISTINCT domain), count(DISTINCT target), sum(follow),
  sum(ugc), sum(sponsored), sum(doubtful), min(first_seen), max(last_seen)
FROM ({links}) GROUP BY key ORDER BY links DESC, name LIMIT :limit"""


# Of the links of a target, what their bundles say, and what only their pages do.
_OF_ALL_BUNDLES = f"""
sum({{number}}), count(DISTINCT b.from_domain), count(DISTINCT {TARGET_ID}), sum({{number}} * k.follow),
sum({{number}} * {_HAS.format("ugc")}), sum({{number}} * {_HAS.format("sponsored")})"""
_OF_ALL_LINKS = f"v.page AS page, {{doubtful}} AS doubtful, {FIRST_SEEN} AS first_seen, {{last_seen}} AS last_seen"
_SEEN = "SELECT count(DISTINCT page), sum(doubtful), min(first_seen), max(last_seen) FROM ({links})"


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

    def profile(self, selection: Selection) -> Profile:
        question = self._question(selection)
        if question is None:
            return Profile(whole=None, by_kind={}, by_placement={})
        if question.speaks_of_time:
            whole = next(self.groups(selection, ""), None)
            shares = [{group.key: group.links for group in self.groups(selection, by)} for by in _SHARES]
        else:
            whole = self._whole(question)
            shares = [self._shares(question, by) for by in _SHARES]
        return Profile(whole=whole, by_kind=shares[0], by_placement=shares[1])

    def links_of(self, selection: Selection) -> int:
        whole = next(self.groups(selection, ""), None)
        return whole.links if whole else 0

    def _whole(self, question: Question) -> Group | None:
        bundles = question.ask_bundles(_OF_ALL_BUNDLES.format(number=question.links_of_bundle))
        links, domains, targets, follow, ugc, sponsored = next(self._rows(bundles, question.named))
        if not links:
            return None
        seen = _SEEN.format(links=question.ask(_OF_ALL_LINKS))
        sources, doubtful, first, last = next(self._rows(seen, question.named))
        return Group(
            key="",
            links=links,
            sources=sources,
            domains=domains,
            targets=targets,
            follow=follow,
            ugc=ugc,
            sponsored=sponsored,
            doubtful=doubtful,
            first_seen=first,
            last_seen=last,
        )

    def _shares(self, question: Question, by: By) -> dict[str, int]:
        counted = question.ask_bundles(f"{_KEYS[by]} AS key, sum({question.links_of_bundle}) AS links")
        return dict(self._rows(f"{counted} GROUP BY 1 ORDER BY links DESC, key", question.named))

    def _largest(self, question: Question, by: By, limit: int) -> Question:
        """Return the question about the ``limit`` largest groups, and those that are as large as the last of them.

        How many links a bundle has is known; all else that is told of a group needs a look at each link.
        """
        if question.speaks_of_time:
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
