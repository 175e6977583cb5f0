"""Backlinks, in any order, one by one or put together."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import Any

import msgspec

from linkindex.answers.rows import Backlink
from linkindex.relevance import DOMAIN_SAMPLE, Rarity, Similarities, few_of_each
from linkindex.store import found
from linkindex.store.found import Found
from linkindex.store.selection import Order, Per, Selection
from linkindex.store.sqlite.groups import Groups
from linkindex.store.sqlite.leads import Chains
from linkindex.store.sqlite.packing import NO_WORDS, json_numbers
from linkindex.store.sqlite.recency import MOST_PAGES, Walk
from linkindex.store.sqlite.selecting import (
    FIRST_SEEN,
    PLACEMENT,
    SOURCE,
    TARGET,
    TARGET_ID,
    WITH_SOURCE,
    WITH_TARGET,
    Candidate,
    Question,
)
from linkindex.store.sqlite.sites import Sites
from linkindex.store.sqlite.whole import Whole

_QUICK_SAMPLE = 200  # pages that say how rare a word is, in an index that was never classified

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

_TIMES: dict[Order, list[str]] = {"seen": ["k.follow", "{last_seen}"], "new": [FIRST_SEEN]}
_OF_DOMAINS = "b.from_domain IN (SELECT value FROM json_each(:of_domains))"

_PER: dict[Per, str] = {"similar": "host, target_id, anchor, placement", "page": "page", "domain": "from_domain"}

_TOGETHER = """
WITH found AS MATERIALIZED ({core}),
  ordered AS (SELECT *, row_number() OVER (PARTITION BY {per} ORDER BY {order}) AS place FROM found),
  counted AS (SELECT {per}, count(*) AS links, count(DISTINCT page) AS pages FROM found GROUP BY {per})
SELECT ordered.*, links, pages FROM ordered JOIN counted USING ({per})
WHERE place = 1 AND {after} ORDER BY {order} LIMIT :limit"""

_ALONE = "SELECT *, 1 AS links, 1 AS pages FROM ({core}) WHERE {after} ORDER BY {order} LIMIT :limit"

_DETAILS = """
SELECT sd.name AS source_domain, td.name AS target_domain, k.kind, a.text AS anchor, k.rel,
  coalesce(b.template_pages, 0) AS template_pages, b.site_confidence, o.words, f.title AS source_title,
  f.language AS source_language, f.author AS source_author, f.published AS source_published,
  f.platform AS source_platform, f.words AS source_words, f.robots AS source_robots, f.terms AS source_terms,
  p.external_links AS source_external_links, p.internal_links AS source_internal_links, p.status AS source_status
FROM bundle b JOIN domain sd ON sd.id = b.from_domain JOIN domain td ON td.id = b.to_domain JOIN look k ON k.id = b.look
JOIN anchor a ON a.id = b.anchor JOIN page p ON p.id = :page JOIN fact f ON f.page = p.id JOIN around o ON o.page = p.id
WHERE b.to_domain = :to_domain AND b.from_domain = :from_domain AND b.number = :number"""

_VISITED = "SELECT p.status, f.terms FROM page p LEFT JOIN fact f ON f.page = p.id WHERE p.url = ?"


class Reads(Sites, Groups, Whole):
    """The part of :class:`linkindex.store.sqlite.SqliteIndex` that answers with links."""

    _rarity: tuple[bytes | int, Rarity] | None = None  # as it was made last, and from what

    def links(
        self,
        selection: Selection,
        *,
        order: Order = "seen",
        per: Per = "link",
        after: Backlink | None = None,
        limit: int | None = None,
    ) -> Iterator[Backlink]:
        question = self._question(selection)
        if question is None or limit == 0:
            return
        now = int(time.time() * 1000)
        similarities: Similarities | None = None
        for row in self._ordered(question, order, per, after, limit):
            similarities = similarities or self._similarities()
            yield self._backlink(row, question.chains, similarities, now)

    def _ordered(
        self, question: Question, order: Order, per: Per, after: Backlink | None, limit: int | None
    ) -> Iterator[dict[str, Any]]:
        if order == "rank" and not self._total_of("ranked"):
            order = "seen"  # nothing has a rank, and what is equal goes by that
        if limit is None or question.selection.state == "all":
            yield from self._sorted(question, order, per, after, limit)
        elif order == "rank":
            yield from self._by_rank(question, per, after, limit)
        elif order == "seen" and per == "link" and self._is_large(question):
            yield from self._by_time(question, after, limit)
        else:
            yield from self._sorted(self._narrowed(question, order, per, after, limit), order, per, after, limit)

    def _by_rank(self, question: Question, per: Per, after: Backlink | None, limit: int) -> Iterator[dict[str, Any]]:
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
                these = question.with_bundles(_OF_DOMAINS, {"of_domains": json_numbers(domains)})
                for row in self._sorted(these, "rank", per, after, left):
                    yield row
                    left -= 1
                if not left:
                    return
                domains, links, wanted = [], 0, 4 * wanted
            domains.append(domain)
            links, last = links + count, rank

    def _by_time(self, question: Question, after: Backlink | None, limit: int) -> Iterator[dict[str, Any]]:
        """Yield rows of pages that were read last: those that are followed, then the others."""
        asked = question.selection.follow
        for follow in (True, False) if asked is None else (asked,):
            if after is not None and after.follow < follow:
                continue
            behind = after if after is not None and after.follow == follow else None
            part = question.with_looks("k.follow = :way", {"way": follow})
            for row in self._seen_last(part, behind, limit):
                yield row
                limit -= 1
            if not limit:
                return

    def _seen_last(self, question: Question, after: Backlink | None, limit: int) -> Iterator[dict[str, Any]]:
        """Yield the rows behind ``after``, by order "seen"; all of them are followed, or none."""
        candidates: list[Candidate] = []
        wanted = 2 * limit
        if self._is_large(question):
            walk = Walk(self._rows, question) if after is None else Walk(self._rows, question, _ms(after.last_seen))
            while walk.pages < MOST_PAGES:
                candidates += walk.take(wanted)
                rows = list(self._sorted(question.among(candidates), "seen", "link", after, limit))
                if walk.bound is None or (len(rows) == limit and rows[-1]["last_seen"] > walk.bound):
                    yield from rows
                    return
                wanted *= 2
        yield from self._sorted(self._narrowed(question, "seen", "link", after, limit), "seen", "link", after, limit)

    def _narrowed(self, question: Question, order: Order, per: Per, after: Backlink | None, limit: int) -> Question:
        """Return the question about no more links than are shown, and those that are equal to the last of them.

        What is sorted with its texts costs several times more than what is sorted by times alone.
        """
        if per != "link":
            return question
        columns = _TIMES[order]
        named = question.named | {"limit": limit}
        names = [f"t{at}" for at in range(len(columns))]
        behind = "1"
        if after is not None:
            values = {"k.follow": after.follow, "{last_seen}": _ms(after.last_seen), FIRST_SEEN: _ms(after.first_seen)}
            named |= {f"from{at}": values[column] for at, column in enumerate(columns)}
            # What is equal to it may come behind it or not: only what is surely behind counts here.
            behind = f"({', '.join(names)}) < ({', '.join(f':from{at}' for at in range(len(names)))})"
        asked = question.ask(", ".join(f"{column} AS {name}" for column, name in zip(columns, names, strict=True)))
        descending = ", ".join(f"{name} DESC" for name in names)
        query = f"SELECT * FROM ({asked}) WHERE {behind} ORDER BY {descending} LIMIT :limit"  # noqa: S608
        shown = self._all(query, named)
        if len(shown) < limit:
            return question
        least = {f"least{at}": value for at, value in enumerate(shown[-1])}
        arms = [
            msgspec.structs.replace(
                arm,
                where=[
                    *arm.where,
                    f"({', '.join(columns).format(last_seen=arm.last_seen)}) >= ({', '.join(f':{name}' for name in least)})",
                ],
            )
            for arm in question.arms
        ]
        return msgspec.structs.replace(question, arms=arms, named=question.named | least)

    def _sorted(
        self, question: Question, order: Order, per: Per, after: Backlink | None, limit: int | None
    ) -> Iterator[dict[str, Any]]:
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

    def _backlink(self, row: dict[str, Any], chains: Chains, similarities: Similarities, now: int) -> Backlink:
        details = next(self._records(_DETAILS, row))
        position, confidence, before, behind, heading = self._unpack(details.pop("words")).links.get(
            row["slot"], NO_WORDS
        )
        certain = details.pop("site_confidence")
        hops = chains.hops(row["target_id"])
        status, terms = self._visited(row["target_id"])
        taken = (
            "source",
            "target",
            "ordinal",
            "placement",
            "first_seen",
            "last_seen",
            "lost_at",
            "doubt",
            "links",
            "pages",
        )
        link = Found(
            **{name: row[name] for name in (*taken, "source_rank", "domain_rank")},
            **details
            | {
                "rel": details["rel"].split(),
                "source_robots": [word for word in details["source_robots"].split("; ") if word],
            },
            follow=bool(row["follow"]),
            lost_reason=row["because"],
            placement_confidence=confidence if certain is None else certain,
            position=position,
            text_before=before,
            text_after=behind,
            heading=heading,
            target_status=status,
            target_terms=terms,
            end_status=self._visited(chains.passes(row["target_id"])[-1])[0] if hops else status,
        )
        return found.backlink(link, hops, similarities, now)

    def _visited(self, url: int) -> tuple[int, bytes]:
        """Return status and terms of a URL's last visit."""
        for status, terms in self._rows(_VISITED, (url,)):
            return status, terms or b""
        return 0, b""

    def _similarities(self) -> Similarities:
        counted = self.about("rarity")
        state = counted or self.grown().bit_length()  # a sample will do until the index is twice as large
        if self._rarity is None or self._rarity[0] != state:
            sample = few_of_each(self.terms_sample(_QUICK_SAMPLE))
            self._rarity = (state, Rarity.from_bytes(counted) if counted else Rarity.of(sample))
        return Similarities(self._rarity[1], lambda domain: self.terms_of(domain, DOMAIN_SAMPLE))


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
