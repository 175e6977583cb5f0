"""Random histories of pages, replayed into an index and into a plain dictionary: both must tell the same."""

from __future__ import annotations

import random
from typing import Any

import pytest

from linkindex.history import is_gone
from linkindex.model import Link, Outcome, Visit
from linkindex.store import LinkIndex
from tests.linkindex.contract import found, link, visit

PAGES = [f"https://a{number}.test/" for number in range(4)]
TARGETS = [f"https://b.test/{number}" for number in range(5)]
HOUR = 3_600_000


class Model:
    """What an index must know, the slow way: for each page and link, when it was first, last and no longer seen."""

    def __init__(self) -> None:
        self.links: dict[tuple[str, str, int], dict[str, Any]] = {}
        self.pages: dict[str, dict[str, Any]] = {}

    def store(self, seen: Visit) -> None:
        page = self.pages.setdefault(seen.url, {"at": 0, "outcome": None, "failures": 0, "since": 0, "known": False})
        if seen.at <= page["at"]:
            return
        before = page["outcome"]
        same = before == seen.outcome
        page["failures"], page["since"] = (page["failures"] + 1, page["since"]) if same else (1, seen.at)
        page["at"], page["outcome"] = seen.at, seen.outcome
        mine = {key: row for key, row in self.links.items() if key[0] == seen.url}
        if seen.outcome in (Outcome.PAGE, Outcome.REDIRECT):
            self._read(seen, mine)
            page["known"] = True
        elif seen.outcome is Outcome.UNCHANGED and page["known"]:
            for row in mine.values():
                row["last"] = row["last"] if row["lost"] else seen.at
            page["outcome"] = Outcome.REDIRECT if before is Outcome.REDIRECT else Outcome.PAGE
        elif seen.outcome is Outcome.GONE and is_gone(page["failures"], page["since"], seen.at):
            page["known"] = False
            for row in mine.values():
                row["lost"] = row["lost"] or (seen.at, "page_gone")

    def _read(self, seen: Visit, mine: dict[tuple[str, str, int], dict[str, Any]]) -> None:
        now = {(seen.url, one.target, one.ordinal): one for one in seen.links}
        for key, one in now.items():
            row = self.links.setdefault(key, {"first": seen.at})
            row.update(last=seen.at, lost=None, anchor=one.anchor, follow=one.follow)
        for key, row in mine.items():
            if key not in now and not row["lost"]:
                because = "page_redirected" if seen.outcome is Outcome.REDIRECT else "removed"
                row["lost"] = (seen.at, because)


def histories(seed: int, length: int = 60) -> list[Visit]:
    """Visits of a few pages over some weeks: links come, go and change, pages move and fail."""
    dice, at, made = random.Random(seed), 0, []
    for _ in range(length):
        at += dice.choice([1, HOUR, 20 * HOUR, 40 * HOUR])
        outcome = dice.choice([Outcome.PAGE] * 5 + [Outcome.REDIRECT, Outcome.GONE, Outcome.GONE, *Outcome])
        links: list[Link] = []
        if outcome is Outcome.PAGE:
            links = [
                link(target, dice.choice(["x", "y"]), follow=dice.random() < 0.7)
                for target in dice.choices(TARGETS, k=dice.randrange(6))
            ]
        elif outcome is Outcome.REDIRECT:
            links = [link(dice.choice(TARGETS), "", kind="redirect")]
        made.append(visit(dice.choice(PAGES), at, *links, outcome=outcome))
    return made


def told(index: LinkIndex) -> dict[tuple[str, str, str], Any]:
    rows = sorted(found(index, "b.test", state="all"), key=lambda row: (row.source, row.target, row.anchor, row.follow))
    return _grouped(
        (row.source, row.target, row.anchor, row.follow, row.first_seen, row.last_seen, row.lost_at, row.lost_reason)
        for row in rows
    )


def expected(model: Model) -> dict[tuple[str, str, str], Any]:
    from linkindex.answers.rows import moment

    return _grouped(
        (
            *(source, target, row["anchor"], row["follow"], moment(row["first"]), moment(row["last"])),
            moment(row["lost"][0]) if row["lost"] else None,
            row["lost"][1] if row["lost"] else None,
        )
        for (source, target, _), row in model.links.items()
    )


def _grouped(rows: Any) -> dict[tuple[str, str, str], Any]:
    grouped: dict[tuple[str, str, str], Any] = {}
    for source, target, anchor, *rest in rows:
        grouped.setdefault((source, target, anchor), []).append(tuple(rest))
    return {key: sorted(values, key=repr) for key, values in grouped.items()}


class HistoriesContract:
    """Subclasses give ``index``, empty."""

    @pytest.mark.parametrize("seed", range(12))
    def test_the_index_tells_what_a_dictionary_tells(self, index: LinkIndex, seed: int) -> None:
        model, dice = Model(), random.Random(seed)
        for seen in histories(seed):
            batch = [seen] * dice.choice([1, 1, 2])  # a batch may come twice: after a crash
            index.store(batch)
            model.store(seen)
            assert told(index) == expected(model)

    @pytest.mark.parametrize("seed", range(4))
    def test_how_visits_are_batched_makes_no_difference(self, index: LinkIndex, seed: int) -> None:
        model = Model()
        visits = histories(seed)
        for seen in visits:
            model.store(seen)
        index.store(visits[:37])
        index.store(visits[20:])  # overlapping: what was stored changes nothing
        assert told(index) == expected(model)
