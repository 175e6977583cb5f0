"""A small index with one of everything that a question can ask for: what the tests of answers and docs/python.md speak of.

``python -m tests.linkindex.example FILE`` writes it.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from linkindex.model import Link, Outcome, Visit
from linkindex.store import LinkIndex, open_index
from pipelines.canonicalise import canonicalise

BLOG = "https://blog.example.org/walks"
HOME = "https://example.com/"
DEAD = "https://example.com/old/how-to-tie-knots"
ALIVE = "https://example.com/guides/how-to-tie-knots"
MOVED = "http://example.com/start"
NEWS = [f"https://news.example.net/{number}" for number in (1, 2, 3)]


def november(day: int) -> int:
    """Return noon of a day of November 2026, in ms."""
    return int(datetime(2026, 11, day, 12, tzinfo=UTC).timestamp() * 1000)


def fill(index: LinkIndex) -> None:
    """Store two runs: pages of three sites on the 1st and 10th, one of them again on the 20th."""
    knots = Link(target=DEAD, anchor="tying knots", rel=("nofollow", "ugc"), follow=False, placement="comment")
    home = Link(target=HOME, anchor="Example", placement="content")
    gear = Link(target="https://example.com/gear", anchor="their gear", placement="content")
    start = Link(target=MOVED, anchor="Start here", placement="footer")
    logo = Link(target=HOME, anchor="logo", kind="image", placement="header")
    first = [
        _page(HOME, 1, title="Example walks"),
        _page(ALIVE, 1, title="How to tie knots - Example"),
        _page("https://example.com/guides/boots", 1, title="Boots - Example"),
        Visit(url=DEAD, at=november(1), outcome=Outcome.GONE, status=404),
        Visit(
            url=MOVED,
            at=november(1),
            outcome=Outcome.REDIRECT,
            status=301,
            redirect=HOME,
            links=(Link(target=HOME, kind="redirect"),),
        ),
        _page(BLOG, 1, home, knots, gear, title="Walks"),
        _page(NEWS[0], 10, start, logo),
        *(_page(url, 10, start) for url in NEWS[1:]),
    ]
    index.store([canonicalise(visit) for visit in first], "first")
    renamed = Link(target=HOME, anchor="Example walks", placement="content")
    index.store([canonicalise(_page(BLOG, 20, renamed, knots, title="Walks"))], "second")


def _page(url: str, day: int, *links: Link, title: str = "") -> Visit:
    return Visit(url=url, at=november(day), outcome=Outcome.PAGE, status=200, title=title, links=links)


if __name__ == "__main__":
    with open_index(f"sqlite:///{sys.argv[1]}", create=True) as made:
        fill(made)
