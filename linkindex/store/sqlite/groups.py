"""Links counted by a property of theirs.

Where a target has few links, each is looked at. Where it has many, their bundles say how many there are, and since when;
only when they were seen last is for their pages to say (:mod:`linkindex.store.sqlite.recency`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from heapq import nlargest
from typing import Any

import msgspec

from linkindex.store.selection import By, Group, Profile, Selection
from linkindex.store.sqlite import recency
from linkindex.store.sqlite.packing import json_numbers
from linkindex.store.sqlite.question import FIRST_SEEN, PLACEMENT, TARGET_ID, Question
from linkindex.store.sqlite.recency import Walk, last_of_bundle, times_of_domains
from linkindex.store.sqlite.sources import HEADS, Sources

FEW = 2000
"""Links that are looked at one by one: no more than a few ms."""

_MOST_OF_GROUPS = 2000  # pages: the largest groups are met again and again, and the others have few links

MOST_BUNDLES = 50_000
"""Of groups: beyond that, pages tell sooner when groups were seen last."""

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

_SHARES: tuple[By, ...] = ("kind", "placement")

_OF_PAGES: tuple[By, ...] = ("", "domain")
"""Groups whose pages are counted: of the others, a page has many."""

_AMONG = "IN (SELECT value FROM json_each(:keys))"
_HAS = "(instr(' ' || k.rel || ' ', ' {} ') > 0)"

_COLUMNS = f"""
{{key}} AS key, v.page AS page, b.from_domain AS domain, {TARGET_ID} AS target, k.follow AS follow,
{_HAS.format("ugc")} AS ugc, {_HAS.format("sponsored")} AS sponsored,
{{{{doubtful}}}} AS doubtful, {FIRST_SEEN} AS first_seen, {{{{last_seen}}}} AS last_seen"""

_GROUPS = """
SELECT {name} AS name, count(*) AS links, {sources}, count(DISTINCT domain), {targets}, sum(follow),
  sum(ugc), sum(sponsored), sum(doubtful), min(first_seen), max(last_seen)
FROM ({links}) GROUP BY key ORDER BY links DESC, name LIMIT :limit"""

_COUNTED = f"""
{{key}} AS key, sum(b.live) AS links, {HEADS} AS heads, count(DISTINCT b.from_domain) AS domains,
{{targets}} AS targets, sum(b.live * k.follow) AS follow, sum(b.live * {_HAS.format("ugc")}) AS ugc,
sum(b.live * {_HAS.format("sponsored")}) AS sponsored, sum(b.doubtful) AS doubtful, min(b.first_seen) AS first_seen,
sum(b.first_seen IS NULL) AS unsaid"""

_BUNDLES = ", json_group_array(json_array(b.to_domain, b.from_domain, b.number, b.live)) AS bundles"

_WHOLE = f"""
'' AS key, '' AS name, {HEADS} AS heads, json_group_array(DISTINCT b.from_domain) AS domains,
json_group_array({TARGET_ID}) AS targets, sum(b.doubtful) AS doubtful, min(b.first_seen) AS first_seen,
sum(b.first_seen IS NULL) AS unsaid"""

_LOOKS = f"""
SELECT k.kind, coalesce(c.placement, k.placement), c.links, k.follow, {_HAS.format("ugc")}, {_HAS.format("sponsored")}
FROM ({{bundles}} GROUP BY 1, 2) c JOIN look k ON k.id = c.look"""  # noqa: S608

_FIRST = "SELECT key, min(first_seen) FROM ({links}) GROUP BY key"
_LAST = "SELECT key, max(last_seen) FROM ({links}) GROUP BY key"

_NO_LIMIT = -1

_numbers = msgspec.json.Decoder(list[int]).decode
_bundles = msgspec.json.Decoder(list[tuple[int, int, int, int]]).decode


class Groups(Sources):
    """The part of :class:`linkindex.store.sqlite.SqliteIndex` that counts links."""

    def links_of(self, selection: Selection) -> int:
        question = self._question(selection)
        if question is None:
            return 0
        if question.speaks_of_time:
            query = f"SELECT count(*) FROM ({question.ask('1')})"  # noqa: S608
        else:
            query = question.ask_bundles(f"coalesce(sum({question.links_of_bundle}), 0)")
        return int(next(self._rows(query, question.named), (0,))[0])

    def groups(self, selection: Selection, by: By, limit: int | None = None) -> Iterator[Group]:
        with self._snapshot():
            question = self._question(selection)
            if question is None:
                return
            is_large = self._is_large(question)
            if limit is not None and by in _OF_BUNDLES and not question.speaks_of_time:
                question = self._largest(question, by, limit)
            large = list(self._by_bundles(question, by, limit)) if is_large else None
        if large is not None:
            yield from large
            return
        links = question.ask(_COLUMNS.format(key=_KEYS[by]))
        sources = "count(DISTINCT page)" if by in _OF_PAGES else "NULL"
        targets = "NULL" if by else "count(DISTINCT target)"
        query = _GROUPS.format(name=_NAMES.get(by, "key"), sources=sources, targets=targets, links=links)
        for row in self._rows(query, question.named | {"limit": _NO_LIMIT if limit is None else limit}):
            yield Group(**dict(zip(Group.__struct_fields__, row, strict=True)))

    def profile(self, selection: Selection) -> Profile:
        with self._snapshot():
            question = self._question(selection)
            if question is None:
                return Profile(whole=None, by_kind={}, by_placement={})
            if self._is_large(question):
                return self._profile_of_bundles(question)
            whole = next(self.groups(selection, ""), None)
            if (whole.links if whole else 0) != self.links_of(selection):
                raise ValueError("other links than bundles count")  # damage, which is not to pass for an answer
            kinds, placements = ({one.key: one.links for one in self.groups(selection, by)} for by in _SHARES)
            return Profile(whole=whole, by_kind=kinds, by_placement=placements)

    def _profile_of_bundles(self, question: Question) -> Profile:
        sums = dict.fromkeys(("links", "follow", "ugc", "sponsored"), 0)
        shares: list[Counter[str]] = [Counter(), Counter()]
        looks = question.ask_bundles("b.look AS look, b.site_placement AS placement, sum(b.live) AS links")
        for *names, links, follow, ugc, sponsored in self._rows(_LOOKS.format(bundles=looks), question.named):
            for share, name in zip(shares, names, strict=True):
                share[name] += links
            for name, has in (("links", 1), ("follow", follow), ("ugc", ugc), ("sponsored", sponsored)):
                sums[name] += links * has
        kinds, placements = (dict(sorted(share.items(), key=lambda one: (-one[1], one[0]))) for share in shares)
        counted = next(self._records(question.ask_bundles(_WHOLE), question.named)) | sums
        domains, targets = _numbers(counted["domains"]), set(_numbers(counted["targets"]))
        counted |= {"domains": len(domains), "targets": len(targets)}
        (whole,) = self._completed(question.with_domains(domains), "", [counted])
        return Profile(whole=whole, by_kind=kinds, by_placement=placements)

    def _largest(self, question: Question, by: By, limit: int) -> Question:
        """Return the question about the ``limit`` largest groups, and those that are as large as the last of them."""
        links = self._links_by(question, by)
        if len(links) <= limit:
            return question
        least = nlargest(max(1, limit), links.values())[-1]
        return self._of_keys(question, by, [key for key, count in links.items() if count >= least])

    def _links_by(self, question: Question, by: By) -> Keys:
        """Return how many links groups have, by what bundles say."""
        if by == "domain":  # in this order bundles lie
            bundles = question.ask_bundles(f"{_KEYS[by]}, sum({question.links_of_bundle})")
            return dict(self._rows(f"{bundles} GROUP BY 1", question.named))
        # SQLite would sort all bundles for that, which takes twice as long.
        columns = (_KEYS[by], question.links_of_bundle)
        bundles = question.ask_bundles(", ".join(f"json_group_array({column})" for column in columns))
        links: Keys = {}
        for key, count in zip(*map(_numbers, next(self._rows(bundles, question.named))), strict=True):
            links[key] = links.get(key, 0) + count
        return links

    @staticmethod
    def _of_keys(question: Question, by: By, keys: Sequence[Any]) -> Question:
        """Return the question about some groups."""
        return question.with_bundles(f"{_KEYS[by]} {_AMONG}", {"keys": json_numbers(keys)})

    # ---------------------------------------------------------------- by what bundles say

    def _is_large(self, question: Question) -> bool:
        """Return whether bundles are to be asked instead of links, where they can tell."""
        if not question.is_of_now:
            return False
        some = f"{question.ask_bundles('b.live AS links')} LIMIT {FEW + 1}"  # each has a link
        links = next(self._rows(f"SELECT sum(links) FROM ({some})", question.named), (0,))[0]  # noqa: S608
        return (links or 0) > FEW

    def _has_followed(self, question: Question) -> bool:
        """Return whether any of the links is followed."""
        if question.selection.follow is not None:
            return question.selection.follow
        followed = question.with_follow(True)
        return any(self._rows(f"{followed.ask_bundles('1')} LIMIT 1", followed.named))

    def _by_bundles(self, question: Question, by: By, limit: int | None) -> Iterator[Group]:
        targets = "NULL" if by else f"count(DISTINCT {TARGET_ID})"
        counted = _COUNTED.format(key=_KEYS[by], targets=targets)
        if by == "anchor" and limit is not None:
            counted += _BUNDLES
        bundles = f"{question.ask_bundles(counted)} GROUP BY 1"
        query = f"SELECT {_NAMES.get(by, 'key')} AS name, * FROM ({bundles}) ORDER BY links DESC, name LIMIT :limit"  # noqa: S608
        rows = list(self._records(query, question.named | {"limit": _NO_LIMIT if limit is None else limit}))
        return self._completed(question, by, rows)

    def _completed(self, question: Question, by: By, rows: Sequence[dict[str, Any]]) -> Iterator[Group]:
        """Yield groups from what bundles say of them and what they do not."""
        sources = self._sources(question, by, {row["key"]: row["heads"] for row in rows})
        first = self._first_seen(question, by) if sum(row.pop("unsaid") for row in rows) else {}
        bundles = {row["key"]: _bundles(row.pop("bundles")) for row in rows if "bundles" in row}
        if bundles and sum(map(len, bundles.values())) <= MOST_BUNDLES:
            last = self._last_of_bundles(bundles)
        else:
            last = self._last_seen(question, by, {row["key"]: row["links"] for row in rows})
        for row in rows:
            key = row.pop("key")
            del row["heads"]
            known = (time for time in (row.pop("first_seen"), first.get(key)) if time is not None)
            seen = {"first_seen": min(known), "last_seen": last[key]}
            yield Group(key=row.pop("name"), sources=sources.get(key), **row, **seen)

    def _sources(self, question: Question, by: By, heads: Keys) -> Mapping[Any, int]:
        """Return how many pages link, by group, where pages are counted."""
        return self._pages_by(question, _KEYS[by], heads) if by in _OF_PAGES else {}

    def _counts_by(self, question: Question, by: By) -> dict[Any, tuple[int, int]]:
        """Return how many links groups have, and how many pages."""
        bundles = question.ask_bundles(f"{_KEYS[by]} AS key, sum(b.live), {HEADS}") + " GROUP BY 1"
        rows = self._all(bundles, question.named)
        pages = self._sources(question, by, {key: heads for key, _, heads in rows})
        return {key: (links, pages[key]) for key, links, _ in rows}

    def _first_seen(self, question: Question, by: By) -> dict[Any, int]:
        """Return when links were seen first whose bundles do not say it, by group."""
        unsaid = question.with_bundles("b.first_seen IS NULL", {})
        links = unsaid.ask(f"{_KEYS[by]} AS key, {FIRST_SEEN} AS first_seen")
        return dict(self._rows(_FIRST.format(links=links), question.named))

    # ---------------------------------------------------------------- when they were seen last

    def _last_seen(self, question: Question, by: By, keys: Keys) -> dict[Any, int]:
        """Return when groups of links were seen last."""
        if by != "domain":
            return self._last_of_pages(question, by, set(keys))
        found = self._looked_at(question, by, [key for key, links in keys.items() if links <= recency.FEW_OF_GROUP])
        for key in keys:
            if key not in found:
                only = question.of_domains([key])
                found |= self._last_of_pages(only, by, {key})
        return found

    def _last_of_bundles(self, bundles: Mapping[Any, Sequence[Sequence[int]]]) -> dict[Any, int]:
        """Return when groups were seen last: of each, those bundles are asked whose domains were read last."""
        domains = list({bundle[1] for of_key in bundles.values() for bundle in of_key})
        times = times_of_domains(self._rows, domains)
        found: dict[Any, int] = {}
        for key, of_key in bundles.items():
            last = 0
            for to, domain, number, links in sorted(of_key, key=lambda bundle: times[bundle[1]], reverse=True):
                if times[domain] <= last:
                    break
                last = max(last, last_of_bundle(self._rows, (to, domain, number), links))
            found[key] = last
        return found

    def _last_of_pages(self, question: Question, by: By, left: set[Any]) -> dict[Any, int]:
        """Return when groups were seen last: from the pages that were read last, where a few of them will do."""
        found: dict[Any, int] = {}
        walk, wanted = Walk(self._rows, question), 4 * len(left)
        while left and walk.bound is not None and walk.pages < _MOST_OF_GROUPS:
            these = question.among(walk.take(wanted))
            links = these.ask(f"{_KEYS[by]} AS key, {{last_seen}} AS last_seen")
            for key, time in self._rows(_LAST.format(links=links), these.named):
                found[key] = max(time, found.get(key, 0))
            left = {key for key in left if walk.bound is not None and found.get(key, 0) < walk.bound}
            wanted *= 2
        return found | self._looked_at(question, by, sorted(left))

    def _looked_at(self, question: Question, by: By, keys: Sequence[Any]) -> dict[Any, int]:
        """Return when groups were seen last, by a look at each of their links."""
        if not keys:
            return {}
        these = self._of_keys(question, by, keys)
        links = these.ask(f"{_KEYS[by]} AS key, {{last_seen}} AS last_seen")
        return dict(self._rows(_LAST.format(links=links), these.named))
