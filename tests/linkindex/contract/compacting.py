"""An index that is compacted answers as before, and goes on."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from linkindex.answers.overview import overview
from linkindex.answers.pages import pages
from linkindex.model import Link, Visit
from linkindex.store import LinkIndex
from linkindex.store.selection import ORDERS, PER, By, State
from linkindex.target import parse_target
from tests.linkindex.contract.making import DAY, Places, found, link, redirect, selected, visit

_SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu".split()
_STATES: tuple[State, ...] = ("lost", "all")
_BY: tuple[By, ...] = ("", "domain", "anchor", "kind", "placement")
TARGETS = ("b.test", "a3.test")


def text(dice: random.Random) -> str:
    return " ".join("".join(dice.choices(_SYLLABLES, k=3)) for _ in range(8))


def wordy(number: int, at: int = DAY) -> Visit:
    """Return a page with words around its links: those at another time are others."""
    dice = random.Random(number * 1000 + at)
    links = [_wordy(dice, f"https://b.test/{number}/{n}") for n in range(3)]
    return visit(f"https://a{number}.test/", at, *links, link(f"https://a{number}.test/in"), description=text(dice))


def _wordy(dice: random.Random, target: str) -> Link:
    return link(target, dice.choice(["x", "y"]), text_before=text(dice), text_after=text(dice), heading=text(dice))


def a_while(pages: int) -> Iterator[list[Visit]]:
    """Yield batches: pages come, change, move, and go."""
    for begin in range(0, pages, 20):
        yield [wordy(number) for number in range(begin, min(begin + 20, pages))]
    yield [wordy(number, 2 * DAY) for number in range(0, pages, 7)]
    yield [visit(f"https://a{number}.test/", 3 * DAY) for number in range(0, pages, 11)]
    yield [
        visit("https://c.test/", DAY, link("https://old.test/")),
        redirect("https://old.test/", DAY, "https://b.test/1"),
    ]


def everything(index: LinkIndex) -> list[Any]:
    """Return all that an index answers."""
    told: list[Any] = [index.counts(), list(index.runs()), sorted(index.hosts()), index.grown()]
    for target in TARGETS:
        told += [found(index, target, order=order, per=per) for order in ORDERS for per in PER]
        told += [found(index, target, state=state) for state in _STATES]
        told += [list(index.groups(selected(target), by)) for by in _BY]
        told += [list(index.changes(selected(target))), overview(index, parse_target(target))]
        told += [list(pages(index, parse_target(target))), found(index, target, as_of=2 * DAY - 1)]
    urls = sorted(page.url for page in index.visited())
    told += [(list(index.versions(url)), list(index.outlinks(url)), index.outcome(url)) for url in urls]
    return [*told, urls, index.leads(["https://old.test/"]), sorted(named.url for named in index.named())]


class Compacting(Places):
    def test_compacting_changes_no_answer(self, place: Callable[[], str]) -> None:
        url = place()
        with self.open(url) as index, self.open(url) as other:
            for batch in a_while(40):
                index.store(batch, run="first")
            index.forget(parse_target("a9.test"))
            before = everything(index)
            steps = list(index.compact())
            assert everything(index) == everything(other) == before
            other.store(batch := [wordy(number, 4 * DAY) for number in range(30, 50)])  # goes on, whoever had it open
            assert {page.url for page in index.visited()} > {one.url for one in batch}
            assert {one.target for one in chain(*(one.links for one in batch)) if not one.internal} < {
                row.target for row in found(index, "b.test")
            }
            assert [check for check in index.check() if not check.ok] == []
        assert steps[-1].done == steps[-1].of
        assert {step.before for step in steps} == {steps[0].before}
        assert all(step.done <= step.of and step.after > 0 for step in steps)

    def test_an_empty_index_is_compacted_too(self, index: LinkIndex) -> None:
        before = everything(index)
        last = list(index.compact())[-1]
        assert (last.done, everything(index)) == (last.of, before)
