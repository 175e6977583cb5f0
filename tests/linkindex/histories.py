"""Random histories of pages, replayed into an index and into a dictionary: both must give the same answers.

Whatever fails is made small by hypothesis. Each history has URLs of its own, so that many fit into one index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linkindex.model import Link, Outcome, Visit
from linkindex.store import LinkIndex
from linkindex.store.selection import ORDERS, PER, By, Order, Per, Selection
from linkindex.target import Target, parse_target
from tests.linkindex.contract.making import DAY, Places, link, visit
from tests.linkindex.dictionary import Dictionary

START, HOUR = 1_700_000_000_000, 3_600_000

# Of three domains. Any may be visited, link and be linked; what stands in braces is the history's own.
URLS = (
    *("https://a{}.test/", "https://www.a{}.test/1", "https://a{}.test/2"),
    *("https://b{}.test/", "https://b{}.test/1", "https://www.b{}.test/2", "https://c{}.test/", "https://c{}.test/1"),
)
TARGETS = ("a{}.test", "b{}.test", "b{}.test", "c{}.test", "www.b{}.test", "https://b{}.test/*", "https://c{}.test/1")
BY: tuple[By, ...] = ("", "domain", "anchor", "kind", "placement")


class Mention(NamedTuple):
    """A link before it has a place."""

    target: int  # of URLS
    anchor: str
    follow: bool
    rel: tuple[str, ...]
    kind: str
    placement: str
    text_before: str


class Step(NamedTuple):
    """A visit before it has URLs and a time; or, with ``forget`` (of TARGETS), what is forgotten then."""

    url: int  # of URLS
    pause: int  # ms since the step before
    outcome: Outcome
    mentions: list[Mention]
    to: int | None  # of URLS: where a redirect leads, or the canonical page
    aside: bool  # noindex
    cut: bool
    status: int
    forget: int | None


class Question(NamedTuple):
    """One that an index can be asked, before its times and its target are those of a history."""

    target: int  # of TARGETS
    order: Order
    per: Per
    conditions: dict[str, Any]
    moments: tuple[int, int] | None  # of the visits' times, a ms before and after each of them
    as_of: int | None
    source: int | None  # of URLS
    by: By


mentions = st.builds(
    Mention,
    target=st.integers(0, len(URLS) - 1),
    anchor=st.sampled_from(["", "x", "Über", "über x"]),
    follow=st.booleans(),
    rel=st.sampled_from([(), ("nofollow", "ugc"), ("sponsored",)]),
    kind=st.sampled_from(["text", "image"]),
    placement=st.sampled_from(["content", "footer"]),
    text_before=st.sampled_from(["", "before", "two\nlines"]),
)
steps = st.builds(
    Step,
    url=st.integers(0, len(URLS) - 1),
    pause=st.sampled_from([1, 1000, HOUR, 20 * HOUR, 40 * HOUR, 4 * DAY]),
    outcome=st.sampled_from([*[Outcome.PAGE] * 8, *[Outcome.REDIRECT] * 3, *[Outcome.GONE] * 2, *Outcome]),
    mentions=st.lists(mentions, max_size=4),
    to=st.none() | st.integers(0, len(URLS) - 1),
    aside=st.integers(0, 7).map(lambda number: number == 7),
    cut=st.integers(0, 7).map(lambda number: number == 7),
    status=st.sampled_from([0, 200, 301, 302, 403, 404, 503]),
    forget=st.integers(0, 199).map(lambda number: number - 193 if number >= 193 else None),
)
histories = st.lists(steps, min_size=1, max_size=40)
questions = st.builds(
    Question,
    target=st.integers(0, len(TARGETS) - 1),
    order=st.sampled_from(ORDERS),
    per=st.sampled_from(PER),
    conditions=st.fixed_dictionaries(
        {},
        optional={
            "state": st.sampled_from(["live", "lost", "all"]),
            "as_found": st.booleans(),
            "follow": st.booleans(),
            "kinds": st.sampled_from([("text",), ("image", "redirect")]),
            "placements": st.sampled_from([("footer",), ("content", "unknown")]),
            "rel": st.sampled_from([("ugc",), ("nofollow", "ugc")]),
            "anchor": st.sampled_from(["x", "ÜBER"]),
            "broken": st.booleans(),
            "internal": st.booleans(),
        },
    ),
    moments=st.none() | st.tuples(st.integers(0, 600), st.integers(0, 600)),
    as_of=st.none() | st.integers(0, 600),
    source=st.none() | st.integers(0, len(URLS) - 1),
    by=st.sampled_from(BY),
)

fair = settings(
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[
        *(HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large),
        HealthCheck.differing_executors,  # each backend inherits these tests; what is derandomised keeps no examples
    ],
)

_NUMBERS = count()


class Story:
    """The visits of a history in order of time, under names of its own."""

    def __init__(self, history: Sequence[Step]) -> None:
        self.number = f"{next(_NUMBERS):05}"
        self.urls = [self.name(url) for url in URLS]
        self.visits: list[Visit | Target] = []
        at = START
        for step in history:
            at += step.pause
            forgotten = None if step.forget is None else parse_target(self.name(TARGETS[step.forget]))
            self.visits.append(forgotten or self._visit(step, at))
        self._moments = [one.at + off for one in self.visits if isinstance(one, Visit) for off in (0, 1, -1)] or [at]

    def name(self, text: str) -> str:
        return text.format(self.number)

    def _visit(self, step: Step, at: int) -> Visit:
        url = self.urls[step.url]
        others: dict[str, Any] = {"status": step.status, "reason": "why" * (step.status == 503)}
        links: list[Link] = []
        if step.outcome is Outcome.PAGE:
            links = [link(**one._asdict() | {"target": self.urls[one.target]}) for one in step.mentions]
            others |= {"robots": ("noindex",) if step.aside else (), "cut": step.cut, "title": str(at)}
            others |= {"canonical": "" if step.to is None else self.urls[step.to]}
        elif step.outcome is Outcome.REDIRECT:
            to = self.urls[step.to or 0]
            links = [link(to, "", kind="redirect")]
            others |= {"redirect": to}
        return visit(url, at, *links, outcome=step.outcome, **others)

    def selection(self, question: Question) -> Selection:
        conditions = dict(question.conditions)
        if question.moments is not None:
            conditions["since"], conditions["until"] = sorted(map(self._moment, question.moments))
        if question.as_of is not None:
            conditions |= {"as_of": self._moment(question.as_of), "state": "live"}
        if question.source is not None:
            conditions["source"] = ("a{}.test", "b{}.test", "c{}.test")[question.source % 3].format(self.number)
        return Selection(target=parse_target(self.name(TARGETS[question.target])), **conditions)

    def _moment(self, number: int) -> int:
        return self._moments[number % len(self._moments)]


def check_answers(index: LinkIndex, model: Dictionary, story: Story, asked: Sequence[Question]) -> None:
    """Ask both everything there is to ask about single pages, and ``asked``: they answer the same."""
    for url in story.urls:
        assert list(index.versions(url)) == list(model.versions(url))
    assert index.leads(story.urls) == model.leads(story.urls)
    for question in asked:
        selection = story.selection(question)
        wanted = {"order": question.order, "per": question.per}
        rows = list(model.links(selection, **wanted))  # type: ignore[arg-type]
        assert list(index.links(selection, **wanted)) == rows  # type: ignore[arg-type]
        middle = len(rows) // 2
        if rows:
            behind = index.links(selection, **wanted, after=rows[middle], limit=2)  # type: ignore[arg-type]
            assert list(behind) == rows[middle + 1 : middle + 3]
        assert list(index.links(selection, **wanted, limit=2)) == rows[:2]  # type: ignore[arg-type]
        groups = list(model.groups(selection, question.by))
        assert list(index.groups(selection, question.by)) == groups
        assert list(index.groups(selection, question.by, 2)) == groups[:2]
        assert index.profile(selection) == model.profile(selection)
        assert index.links_of(selection) == model.links_of(selection)
        changes = list(model.changes(selection))
        assert list(index.changes(selection)) == changes
        assert list(index.changes(selection, 2)) == changes[:2]
    assert [check for check in index.check() if check.name == "counts" and not check.ok] == []


def everything() -> list[Question]:
    """Return the questions that are asked of every history."""
    plain = Question(0, "seen", "link", {"state": "all"}, None, None, None, "")
    lost = plain._replace(conditions={"state": "lost"}, by="domain")
    live = plain._replace(conditions={}, order="rank", by="anchor")
    return [one._replace(target=target) for one in (plain, lost, live) for target in (0, 1, 3)]


class HistoriesContract(Places):
    """Subclasses give ``place``."""

    @given(
        history=histories,
        asked=st.lists(questions, min_size=3, max_size=8),
        parts=st.lists(st.integers(1, 6), min_size=1),
        again=st.lists(st.booleans(), min_size=1),
    )
    @fair
    def test_an_index_tells_what_a_dictionary_tells(
        self, index: LinkIndex, history: list[Step], asked: list[Question], parts: list[int], again: list[bool]
    ) -> None:
        story, model = Story(history), Dictionary()
        left, number = story.visits, 0
        while left:
            size, twice = parts[number % len(parts)], again[number % len(again)]
            batch, left = left[:size], left[size:]
            for whose in (index, model):
                for _ in range(1 + twice):  # a batch comes again after a crash
                    tell(whose, batch, story.name("run{}-") + str(number))
            number += 1
        ranks = [(url, place / 8) for place, url in enumerate(story.urls) if place % 3]
        for whose in (index, model):
            whose.put_ranks(ranks, [(story.name("a{}.test"), 0.5), (story.name("b{}.test"), 0.25)])
        check_answers(index, model, story, [*everything(), *asked])
        mine = [run for run in index.runs() if run.run.startswith(story.name("run{}-"))]
        assert sorted(mine, key=lambda run: run.run) == sorted(model.runs(), key=lambda run: run.run)

    @given(
        history=histories,
        asked=st.lists(questions, max_size=3),
        whose=st.lists(st.booleans(), min_size=1),
        turns=st.lists(st.tuples(st.booleans(), st.integers(1, 5)), min_size=1),
    )
    @fair
    def test_two_writers_at_their_own_pace(
        self,
        both: tuple[LinkIndex, LinkIndex],
        history: list[Step],
        asked: list[Question],
        whose: list[bool],
        turns: list[tuple[bool, int]],
    ) -> None:
        """Each has its visits in order of time, and may be behind the other: what comes late changes nothing."""
        story, model = Story(history), Dictionary()
        left: tuple[list[Visit | Target], list[Visit | Target]] = ([], [])
        for number, seen in enumerate(story.visits):
            left[whose[number % len(whose)]].append(seen)
        turn = 0
        while left[0] or left[1]:
            writer, size = turns[turn % len(turns)]
            writer = writer if left[writer] else not writer
            batch, left[writer][:] = left[writer][:size], left[writer][size:]
            tell(both[writer], batch, "")
            tell(model, batch, "")
            turn += 1
        for one in both:
            check_answers(one, model, story, [*everything()[:3], *asked])

    @given(history=histories, asked=st.lists(questions, min_size=2, max_size=5))
    @fair
    def test_links_inside_a_domain_tell_their_history_too(
        self, full: LinkIndex, history: list[Step], asked: list[Question]
    ) -> None:
        story, model = Story(history), Dictionary(internal_links=True)
        for whose in (full, model):
            tell(whose, story.visits, "")
        check_answers(
            full, model, story, [one._replace(conditions=one.conditions | {"internal": True}) for one in asked]
        )

    @pytest.fixture
    def both(self, place: Callable[[], str]) -> Iterator[tuple[LinkIndex, LinkIndex]]:
        """Two that are open on one place."""
        url = place()
        with self.open(url) as one, self.open(url) as other:
            yield one, other


def tell(whose: LinkIndex | Dictionary, seen: Sequence[Visit | Target], run: str) -> None:
    """Store visits in one batch, as far as nothing is to be forgotten in between."""
    batch: list[Visit] = []
    for one in seen:
        if isinstance(one, Visit):
            batch.append(one)
        else:
            whose.store(batch, run)
            batch = []
            whose.forget(one)
    whose.store(batch, run)
