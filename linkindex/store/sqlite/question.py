"""What is asked, and the SQL that asks it. What is put into a statement is ours; values from outside are parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from linkindex.store.selection import Selection
from linkindex.store.sqlite.leads import Chains
from linkindex.store.sqlite.packing import json_numbers, json_rows
from linkindex.store.sqlite.schema import URL_BITS, URL_TEXT

PLACEMENT = "coalesce(b.site_placement, k.placement)"
"""The site's word, where it has one, over the page's guess."""

FIRST_SEEN = "p.first_visited + coalesce(v.first_seen, v.since)"
SOURCE = URL_TEXT.format("s", "sh")
TARGET = URL_TEXT.format("t", "th")
TARGET_ID = f"(b.to_domain << {URL_BITS} | b.target)"

DOUBTFUL = "p.outcome NOT IN ('page', 'redirect')"

OF_BUNDLE = "v.to_domain = b.to_domain AND v.from_domain = b.from_domain AND v.number = b.number"
WITH_SOURCE = "CROSS JOIN url s ON s.id = p.url CROSS JOIN host sh ON sh.id = s.origin >> 1"
WITH_TARGET = f"CROSS JOIN url t ON t.id = {TARGET_ID} CROSS JOIN host th ON th.id = t.origin >> 1"

FOLLOW = "k.follow = :follow"

KEY = ("b.to_domain", "b.from_domain", "b.number", "v.page", "v.slot")

Candidate = tuple[int, int, int, int, int]
"""The key of a version: the numbers of its bundle, its page and its slot."""


class Coverage(msgspec.Struct):
    """The targets that a question is about: all URLs of some domains, and single URLs."""

    domains: list[int]
    urls: set[int]

    def __contains__(self, url: int) -> bool:
        return url >> URL_BITS in self.domains or url in self.urls

    def __bool__(self) -> bool:
        return bool(self.domains or self.urls)


class Arm(msgspec.Struct):
    """One of the tables that versions are in, and what its columns say to a question."""

    table: str
    where: list[str]
    last_seen: str
    lost_at: str = "NULL"
    because: str = "NULL"
    doubtful: str = "0"


class Question(msgspec.Struct):
    """A selection, ready to be asked."""

    selection: Selection
    coverage: Coverage
    chains: Chains
    scan: str  # FROM: the bundles
    where: list[str]  # which of them
    looks: list[str]  # what the links of a bundle fulfil, or none of them
    arms: list[Arm]
    named: dict[str, Any]
    domains: Sequence[int] | None = None  # that link, where they are known

    def ask(self, columns: str, joins: str = "") -> str:
        """Return the statement that selects columns of all versions. ``{lost_at}`` and the like stand for the arm's."""
        parts = []
        for arm in self.arms:
            shown = columns.format(
                last_seen=arm.last_seen,
                lost_at=arm.lost_at,
                because=arm.because,
                doubtful=arm.doubtful,
                table=arm.table,
            )
            where = " AND ".join((*self.where, *self.looks, *arm.where))
            parts.append(
                f"SELECT {shown} FROM {self.scan} CROSS JOIN look k ON k.id = b.look "  # noqa: S608
                f"CROSS JOIN {arm.table} v ON {OF_BUNDLE} CROSS JOIN page p ON p.id = v.page {joins} WHERE {where}"
            )
        return " UNION ALL ".join(parts)

    def ask_links(self, columns: str) -> str:
        """Return the statement that selects columns of live links which no page has to be asked for."""
        where = " AND ".join((*self.where, *self.looks))
        look = "CROSS JOIN look k ON k.id = b.look"
        return f"SELECT {columns} FROM {self.scan} {look} CROSS JOIN link v ON {OF_BUNDLE} WHERE {where}"  # noqa: S608

    def with_bundles(self, condition: str, named: dict[str, Any]) -> Question:
        """Return the question about those of its bundles that fulfil a condition."""
        return msgspec.structs.replace(self, where=[*self.where, condition], named=self.named | named)

    def of_domains(self, domains: Sequence[int]) -> Question:
        """Return the question about links from some domains, all of which have some."""
        condition = "b.from_domain IN (SELECT value FROM json_each(:of_domains))"
        return self.with_bundles(condition, {"of_domains": json_numbers(domains)}).with_domains(domains)

    def with_domains(self, domains: Sequence[int]) -> Question:
        """Return the question, knowing that no other domains link."""
        return msgspec.structs.replace(self, domains=domains)

    def with_follow(self, follow: bool) -> Question:
        """Return the question about those of its links that are followed, or about the others."""
        selection = msgspec.structs.replace(self.selection, follow=follow)
        named = self.named | {"follow": follow}
        return msgspec.structs.replace(self, selection=selection, looks=[*self.looks, FOLLOW], named=named)

    def with_versions(self, condition: str, named: dict[str, Any]) -> Question:
        """Return the question about those of its versions that fulfil a condition; ``{last_seen}`` is the arm's."""
        arms = [
            msgspec.structs.replace(arm, where=[*arm.where, condition.format(last_seen=arm.last_seen)])
            for arm in self.arms
        ]
        return msgspec.structs.replace(self, arms=arms, named=self.named | named)

    def among(self, keys: Sequence[Sequence[int]]) -> Question:
        """Return the question about some bundles only, or some versions: by their keys, as the tables have them."""
        columns = list(enumerate(KEY))[: len(keys[0]) if keys else None]
        same = [f"{column} = json_extract(c.value, '$[{at}]')" for at, column in columns]
        return msgspec.structs.replace(
            self,
            scan=f"json_each(:listed) c CROSS JOIN bundle b ON {' AND '.join(same[:3])}",
            arms=[msgspec.structs.replace(arm, where=[*arm.where, *same[3:]]) for arm in self.arms],
            named=self.named | {"listed": json_rows(keys)},
        )

    @property
    def speaks_of_time(self) -> bool:
        """Whether which links of a bundle are meant is not for the bundle to say."""
        selection = self.selection
        return (selection.as_of, selection.since, selection.until) != (None, None, None)

    @property
    def is_of_now(self) -> bool:
        """Whether it is about links that are live, all of a bundle or none."""
        return self.selection.state == "live" and not self.speaks_of_time

    @property
    def links_of_bundle(self) -> str:
        """How many of a bundle's links are meant, at most: exactly, where no time is spoken of."""
        if self.selection.as_of is not None:
            return "(b.live + b.lost + 1)"
        return {"live": "b.live", "lost": "b.lost", "all": "(b.live + b.lost)"}[self.selection.state]

    def ask_bundles(self, columns: str, joins: str = "") -> str:
        """Return the statement that selects columns of all bundles with links that are meant."""
        where = " AND ".join((*self.where, *self.looks, f"{self.links_of_bundle} > 0"))
        look = "CROSS JOIN look k ON k.id = b.look" if "k." in columns or self.looks else ""
        return f"SELECT {columns} FROM {self.scan} {look} {joins} WHERE {where}"  # noqa: S608
