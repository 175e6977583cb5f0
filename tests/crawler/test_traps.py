"""What gives nothing new is put off, then stopped; what gives something goes on for ever."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.extract import read_page
from crawler.traps import LEVELS, MOST_BYTES, PATIENCE, SUSPICIOUS, Traps
from linkindex import relevance
from linkindex.model import Link, Outcome, Visit
from pipelines.canonicalise import canonicalise
from tests.frontier.contract import entry
from tests.web import realpages

SITE = "https://a.test"
CALENDAR = "trap: calendar"


def page(url: str, number: int, *, like: int = 0, outside: Iterable[str] = (), **others: object) -> Visit:
    """Return a visit whose text and words are told by ``number``, its near digest by ``like``."""
    links = tuple(Link(target=target) for target in outside)
    dice = random.Random(like or number)
    facts = {
        "outcome": Outcome.PAGE,
        "text_digest": number + 1,
        "near_digest": dice.getrandbits(63) + 1,
        "terms": relevance.pack(dict.fromkeys((dice.getrandbits(24) for _ in range(48)), 1.0)),
        "links": links,
    }
    return Visit(url=url, at=0, **(facts | others))  # type: ignore[arg-type]


def visited(traps: Traps, url: str, visit: Visit) -> bool:
    """Visit unless it is refused."""
    if traps.judge(url).refusal:
        return False
    traps.saw(url, visit)
    return True


def test_pages_that_are_all_alike_are_put_off_then_stopped() -> None:
    traps = Traps()
    verdicts = []
    for number in range(PATIENCE * 3):
        url = f"{SITE}/archive/page/{number}"
        verdicts.append(traps.judge(url))
        visited(traps, url, page(url, number, like=1))
    lates = [verdict.late for verdict in verdicts]
    assert lates == sorted(lates)
    assert set(lates) == set(range(LEVELS + 1))
    stopped = [verdict.refusal for verdict in verdicts].index("trap: pattern")
    assert PATIENCE < stopped <= PATIENCE + 2
    assert traps.judge(f"{SITE}/elsewhere/1").refusal == ""


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ("/calendar/20{0:02}/05", CALENDAR),
        ("/events?date=20{0:02}-05-01", CALENDAR),
        ("/x/{1}", "trap: repeated"),
        ("/deep/b/c/d/e/f/g/h/i/{0}/k{0}", "trap: path_depth"),
        ("/s/Zk39dkQ0fjL2p8Xw7{0:02}/page", "trap: session"),
        ("/list?a=1&b=2&c=3&d=4&e{0}=5", "trap: query"),
    ],
)
def test_little_patience_for_the_shapes_of_traps(form: str, reason: str) -> None:
    traps = Traps()
    traps.saw(f"{SITE}/", page(f"{SITE}/", 1))
    urls = [SITE + form.format(number, "a/b/" * (number + 2)) for number in range(90)]
    assert traps.judge(urls[0]).late > 0  # until its like is known, others go first
    count = sum(visited(traps, url, page(url, number, like=1)) for number, url in enumerate(urls))
    assert count <= SUSPICIOUS + 1
    assert traps.judge(urls[-1]).refusal == reason


def test_a_url_that_differs_from_a_visited_one_in_its_session_only_is_refused() -> None:
    traps = Traps()
    traps.saw(f"{SITE}/item/1", page(f"{SITE}/item/1", 1))
    assert traps.judge(f"{SITE}/item/1;jsessionid=77").refusal == "trap: session"
    assert traps.judge(f"{SITE}/item/2;jsessionid=77").refusal == ""
    traps.saw(f"{SITE}/item/2;jsessionid=77", page(f"{SITE}/item/2;jsessionid=77", 2))
    assert traps.judge(f"{SITE}/item/2;jsessionid=78").refusal == "trap: session"


def test_a_site_that_sends_everybody_to_a_session_is_visited() -> None:
    traps = Traps()
    traps.saw(f"{SITE}/x", page(f"{SITE}/x", 1, outcome=Outcome.REDIRECT))
    assert traps.judge(f"{SITE}/x?PHPSESSID=1").refusal == ""


def test_keys_that_are_combined_at_will_are_a_growing_query() -> None:
    traps = Traps()
    dice = random.Random(1)
    names = ["colour", "size", "brand", "sort", "material", "price"]
    urls = []
    for number in range(300):
        chosen = sorted(dice.sample(names, 2 + number % 4))
        urls.append(f"{SITE}/list?{'&'.join(f'{name}={dice.randrange(9)}' for name in chosen)}")
    count = sum(visited(traps, url, page(url, number, like=1)) for number, url in enumerate(urls))
    assert count < PATIENCE
    assert traps.judge(f"{SITE}/list?brand=1&size=2").refusal == "trap: query"


def test_a_maze_of_words_is_stopped_by_its_section() -> None:
    traps = Traps()
    words = random.Random(2)
    urls = [f"{SITE}/maze/{'/'.join(''.join(words.choices('abcdefgh', k=5)) for _ in range(3))}" for _ in range(1000)]
    count = sum(visited(traps, url, page(url, number, like=1)) for number, url in enumerate(urls))
    assert count < 300


def test_new_places_outside_make_a_page_fresh_and_buttons_to_share_it_do_not() -> None:
    for form, ends in (("https://{}.example/", False), ("https://share.example/?url={}", True)):
        traps = Traps()
        for number in range(500):
            url = f"{SITE}/archive/{number}"
            visited(traps, url, page(url, number, like=1, outside=[form.format(number)]))
        assert bool(traps.judge(f"{SITE}/archive/501").refusal) is ends


def test_redirects_failures_and_files_are_no_evidence() -> None:
    traps = Traps()
    for number in range(1000):
        outcome = (Outcome.REDIRECT, Outcome.UNREACHABLE, Outcome.BLOCKED, Outcome.NOT_A_PAGE)[number % 4]
        traps.saw(f"{SITE}/node/{number}", Visit(url=f"{SITE}/node/{number}", at=0, outcome=outcome))
    assert traps.judge(f"{SITE}/node/1001") == (0, "")


def test_visiting_a_page_again_teaches_nothing() -> None:
    traps = Traps()
    urls = [f"{SITE}/post/{number}" for number in range(50)]
    for _ in range(20):
        for number, url in enumerate(urls):
            traps.saw(url, page(url, number))
    assert traps.judge(f"{SITE}/post/51") == (0, "")


def test_long_terms_of_trade_do_not_make_products_copies() -> None:
    traps = Traps()
    for number in range(500):
        url = f"{SITE}/product/{number}"
        dice = random.Random(number)
        terms = relevance.pack(dict.fromkeys((dice.getrandbits(24) for _ in range(9)), 1.0))
        assert visited(traps, url, page(url, number, like=1, terms=terms))


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 4))
def test_what_gives_something_in_every_fifth_page_goes_on(dice: random.Random, stale: int) -> None:
    traps = Traps()
    for number in range(300):
        url = f"{SITE}/thread/{dice.randrange(1 << 30)}"
        assert visited(traps, url, page(url, number, like=1 if number % 5 < stale else 0))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 40)), max_size=200))
def test_the_state_survives_being_written_down(pages: list[tuple[str, int]]) -> None:
    one = other = Traps()
    for number, (name, kind) in enumerate(pages):
        url = f"{SITE}/{name}/{number}"
        visit = page(url, number, like=kind)
        one.saw(url, visit)
        if other is not one:
            other.saw(url, visit)
        other = Traps.of(other.pack())
        assert one.judge(f"{SITE}/{name}/x") == other.judge(f"{SITE}/{name}/x")
        assert one.judge(f"{SITE}/{name}/7") == other.judge(f"{SITE}/{name}/7")
    assert not other.changed


@given(st.binary(max_size=200))
def test_strange_bytes_are_a_host_that_nothing_is_known_of(note: bytes) -> None:
    traps = Traps.of(note)
    assert traps.pages == 0
    assert traps.judge(f"{SITE}/x") == (0, "")


def test_the_state_is_bounded_and_keeps_what_was_stopped() -> None:
    traps = Traps()
    for number in range(PATIENCE * 2):
        url = f"{SITE}/archive/{number}"
        traps.saw(url, page(url, number, like=1))
    for number in range(5_000):
        url = f"{SITE}/{'abcdefghij'[number % 10] * 20}/{number * 'x' or 'y':.30}/{number % 977:03}x{number}/z"
        traps.saw(url, page(url, number, outside=[f"https://{number}.example/"]))
    note = traps.pack()
    assert 10_000 < len(note) <= MOST_BYTES
    assert Traps.of(note).judge(f"{SITE}/archive/9").refusal == "trap: pattern"


def test_seeds_and_sitemaps_go_as_they_are() -> None:
    traps = Traps()
    for number in range(PATIENCE * 2):
        url = f"{SITE}/archive/{number}"
        traps.saw(url, page(url, number, like=1))
    url = f"{SITE}/archive/1"
    assert traps.judged(entry(url, 1)).excluded == "trap: pattern"
    assert traps.judged(entry(url, 1, excluded="stay")).excluded == "stay"
    assert traps.judged(entry(url, 0)).excluded == ""
    assert traps.judged(entry(url, 1, sitemap=1)).excluded == ""


@pytest.fixture(scope="module")
def real(oracles: Path) -> list[Visit]:
    assert oracles
    visits = []
    for one in realpages.load():
        facts = read_page(one.body, one.url, headers={}, max_links=10_000)
        fields = {name: getattr(facts, name) for name in facts.__struct_fields__}
        visits.append(canonicalise(Visit(url=one.url, at=0, outcome=Outcome.PAGE, **fields)))
    return visits


def test_no_real_page_is_refused_on_its_own_host(real: list[Visit]) -> None:
    hosts: dict[str, Traps] = {}
    assert [visit.url for visit in real if not visited(hosts.setdefault(visit.host, Traps()), visit.url, visit)] == []


@pytest.mark.parametrize(
    "form", ["/post/{}", "/calendar/2024-05-{}", "/a/b/a/b/{}", "/a/b/c/d/e/f/g/h/i/j/{}", "/x?a=1&b=2&c=3&d=4&e={}"]
)
def test_real_pages_go_on_under_any_shape(real: list[Visit], form: str) -> None:
    traps = Traps()
    refused = 0
    for number, visit in enumerate(real):
        refused += not visited(traps, SITE + form.format(number), visit)
    assert refused == 0
