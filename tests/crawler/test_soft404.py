"""What a probe tells, and what is taken for no page because of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from crawler.extract import read_page
from crawler.soft404 import Missing, further, is_home, judged, learned, unpack
from linkindex.model import Link, Outcome, Visit
from tests.web import realpages

URL = "http://a.test/x/y"
PROBE = "http://a.test/no-such-page-1a2b"


def page(url: str = URL, **facts: Any) -> Visit:
    links = tuple(Link(target=f"http://a.test/{number}") for number in range(5))
    known = {"title": "Oops", "text_digest": 7, "near_digest": 9, "words": 100, "links": links, "status": 200}
    return Visit(**{"url": url, "at": 1, "outcome": Outcome.PAGE, **known, **facts})


def redirect(to: str, url: str = URL) -> Visit:
    link = Link(target=to, kind="redirect")
    return Visit(url=url, at=1, outcome=Outcome.REDIRECT, status=302, redirect=to, links=(link,))


def is_gone(visit: Visit, probe: Visit) -> bool:
    seen = judged(visit, learned(probe, 0))
    if seen is visit:
        return False
    assert (seen.outcome, seen.reason, seen.status, seen.links) == (Outcome.GONE, "soft_404", visit.status, ())
    return True


def test_the_same_page_for_whatever_is_asked_for_is_none() -> None:
    assert is_gone(page(), page(PROBE))


@pytest.mark.parametrize(
    ("facts", "gone"),
    [
        ({"text_digest": 8}, True),  # nearly the same text
        ({"text_digest": 8, "words": 104}, True),
        ({"text_digest": 8, "near_digest": 9 ^ 0b1111}, True),
        ({"text_digest": 8, "near_digest": 9 ^ 0b11111}, False),
        ({"text_digest": 8, "words": 120}, False),
        ({"text_digest": 8, "near_digest": 0}, False),
        ({"text_digest": 8, "links": ()}, False),
        ({"title": "A page of its own"}, False),
        ({"cut": True}, False),
        ({"outcome": Outcome.UNREADABLE}, False),
    ],
)
def test_what_resembles_it(facts: dict[str, Any], gone: bool) -> None:
    assert is_gone(page(**facts), page(PROBE)) is gone


@pytest.mark.parametrize(
    ("facts", "gone"),
    [
        ({"words": 9, "near_digest": 0}, False),  # an application's shell, a picture
        ({"words": 9, "near_digest": 0, "title": "404 - Not Found"}, True),
        ({"words": 9, "near_digest": 0, "title": "Seite nicht gefunden"}, True),
        ({"words": 9, "near_digest": 0, "title": "お探しのページは見つかりません"}, True),
        ({"words": 0, "near_digest": 0, "text_digest": 0, "title": "404"}, False),
        ({"words": 100, "links": ()}, False),  # a shell with much to say to who has no scripts
    ],
)
def test_little_text_proves_nothing_unless_it_says_what_it_is(facts: dict[str, Any], gone: bool) -> None:
    assert is_gone(page(**facts), page(PROBE, **facts)) is gone


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://a.test/",
            "http://a.test/index.html",
            "http://a.test/en/",
            "http://a.test/de-at",
            "http://a.test/Home",
        ),
        *("https://a.test:8080/default.aspx", "http://a.test/en"),
    ],
)
def test_a_home_page_is_there_whatever_it_looks_like(url: str) -> None:
    assert is_home(url)
    assert not is_gone(page(url), page(PROBE))
    assert not is_gone(redirect("http://a.test/start/x", url), redirect("http://a.test/start/x", PROBE))


@pytest.mark.parametrize(
    "url", ["http://a.test/?p=1", "http://a.test/home/x", "http://a.test/news", "http://a.test/en/x"]
)
def test_what_is_no_home_page(url: str) -> None:
    assert not is_home(url)


@pytest.mark.parametrize(
    ("to", "probes", "gone"),
    [
        ("http://a.test/", "http://a.test/", True),
        ("http://a.test/?utm_source=x", "http://a.test/", True),  # by its canonical form
        ("http://www.a.test/error", "http://www.a.test/error", True),
        ("http://a.test/b", "http://a.test/", False),
        ("http://b.test/", "http://b.test/", False),  # a site that has moved
        ("http://a.test/login", "http://a.test/login", False),
        ("http://consent.a.test/x", "http://consent.a.test/x", False),
        ("http://a.test/lesson", "http://a.test/lesson", True),
    ],
)
def test_who_is_sent_where_the_probe_was_sent(to: str, probes: str, gone: bool) -> None:
    assert is_gone(redirect(to), redirect(probes, PROBE)) is gone
    assert not is_gone(page(), redirect(probes, PROBE))
    assert not is_gone(redirect(to), page(PROBE))


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - {Outcome.PAGE, Outcome.REDIRECT}))
def test_other_answers_to_a_probe_are_taken_for_no_page(outcome: Outcome) -> None:
    assert learned(page(PROBE, outcome=outcome), 5) == Missing(until=5)
    assert not is_gone(page(), page(PROBE, outcome=outcome))


@pytest.mark.parametrize(
    ("to", "asked"),
    [
        ("https://a.test/no-such-page-1a2b", True),
        ("http://a.test/no-such-page-1a2b/", True),
        ("http://www.a.test/no-such-page-1a2b", False),  # another host, which has an answer of its own
        ("http://a.test/error", False),
    ],
)
def test_a_probe_follows_its_own_name(to: str, asked: bool) -> None:
    assert further(redirect(to, PROBE), PROBE) == (to if asked else "")
    assert further(redirect("http://a.test/", f"{PROBE}/"), f"{PROBE}/") == ""
    assert further(page(PROBE), PROBE) == ""


@pytest.mark.parametrize("note", [b"", b"\x01", b"strange", msgspec.msgpack.encode({"until": "x"})])
def test_a_strange_note_is_none(note: bytes) -> None:
    assert unpack(note) == Missing()


def test_what_was_learned_is_noted() -> None:
    missing = learned(page(PROBE), 5)
    assert unpack(msgspec.msgpack.encode(missing)) == missing


def test_no_real_page_is_taken_for_another(oracles: Path) -> None:
    seen = []
    for real in realpages.load(oracles / "pages"):
        facts = read_page(real.body, real.url, headers={"content-type": "text/html; charset=utf-8"})
        seen.append(Visit(**msgspec.structs.asdict(facts), url=URL, at=1, outcome=Outcome.PAGE))
    assert len(seen) > 390
    answers = [learned(visit, 0) for visit in seen]
    taken = [
        (one, other)
        for one, answer in enumerate(answers)
        for other, visit in enumerate(seen)
        if one != other and judged(visit, answer) is not visit
    ]
    assert taken == []
    assert sum(judged(visit, answer) is not visit for visit, answer in zip(seen, answers, strict=True)) > 350
