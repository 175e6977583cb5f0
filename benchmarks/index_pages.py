"""A made-up web for the link index: pages with 20 links to other domains each, as uneven as the real one. Deterministic.

* Hosts have 1 to 3,000 pages, most of them few.
* Of a page's links 12 are its site's: the same on every page of the host, in its navigation, side bar and footer. The
  other 8 are its own, in its text, with words around them.
* Targets: domains by a Zipf law, the first of a million gets 5 % of all links; a seventh of the links go to front pages.
* URLs have some 60 characters, anchors a few words.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import msgspec

from linkindex.model import Link, Outcome, Visit
from linkindex.relevance import pack

LINKS, OF_THE_SITE = 20, 12  # of a page
DOMAINS = 1_000_000  # that are linked: a place drawn as DOMAINS ** u is 1 in ln 2 / ln DOMAINS = 5 % of all cases
LARGEST = 3000  # pages of a host
START, APART = 1_700_000_000_000, 50  # ms: the first visit, and from one to the next
BATCH = 100  # visits stored at once

_SYLLABLES = (
    "ba be bi bo da de di do fa fi ga go ka ke ki la le li lo ma me "
    "mi na no pa pe po ra re ri ro sa se so ta te ti to va vi wa zo"
).split()
_RELS: tuple[tuple[tuple[str, ...], bool], ...] = (
    *(((), True),) * 14,
    *((("noopener",), True),) * 2,
    (("nofollow",), False),
    (("nofollow", "noopener"), False),
    (("nofollow", "ugc"), False),
    (("sponsored",), False),
)
_SITE_PLACES = (*("navigation",) * 3, *("sidebar",) * 4, *("footer",) * 5)


class Place(NamedTuple):
    """A target and where it lives."""

    url: str
    host: str
    domain: str


class Words:
    """Made-up text: words by a Zipf law, and long runs of them to cut from."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self.words = ["".join(dice.choices(_SYLLABLES, k=dice.randrange(1, 5))) for _ in range(20_000)]
        self.text = " ".join(self.phrase(400_000))
        self._anchors = [" ".join(self.phrase(dice.randrange(1, 7))).capitalize() for _ in range(200_000)]

    def phrase(self, words: int) -> list[str]:
        return [self.words[int(20_000 ** self._dice.random()) - 1] for _ in range(words)]

    def cut(self, characters: int) -> str:
        """Return whole words of some ``characters``."""
        begin = int(self._dice.random() * (len(self.text) - 400))
        return self.text[self.text.index(" ", begin) + 1 : self.text.index(" ", begin + characters)]

    def anchor(self) -> str:
        return self._anchors[int(len(self._anchors) * self._dice.random() ** 2)]


@lru_cache(maxsize=1 << 16)
def domain_of(place: int) -> str:
    """Return the domain with the ``place``-th most links, from 1."""
    dice = random.Random(place)
    name = "".join(dice.choices(_SYLLABLES, k=dice.randrange(2, 6)))
    return f"{name}-{place}.{'com' if place % 3 else 'org'}"


def _target(dice: random.Random) -> Place:
    place = int(DOMAINS ** dice.random())
    domain = domain_of(place)
    host = domain if place % 4 else f"www.{domain}"
    if dice.random() < 1 / 7:
        return Place(f"https://{host}/", host, domain)
    # The more links a domain has, the more pages of it are linked.
    page = int((200_000 / place + 30) ** dice.random())
    return Place(f"https://{host}/{_section(place, page)}", host, domain)


@lru_cache(maxsize=1 << 16)
def _section(place: int, page: int) -> str:
    dice = random.Random(place << 32 | page)
    slug = "-".join("".join(dice.choices(_SYLLABLES, k=dice.randrange(1, 4))) for _ in range(dice.randrange(5, 9)))
    return f"{('blog', 'articles', 'news', 'p')[page % 4]}/{slug}-{page}"


class Web:
    """The pages, host by host as a crawl with many hosts at once would bring them: a few of each in turn."""

    def __init__(self, seed: int = 1) -> None:
        self._dice = random.Random(seed)
        self._words = Words(self._dice)
        self._terms = [
            pack({self._dice.getrandbits(24): self._dice.randrange(1, 30) for _ in range(48)}) for _ in range(5000)
        ]

    def visits(self, links: int) -> Iterator[Visit]:
        """Yield visits with that many links in all, canonical already."""
        left, number, at = links // LINKS, 0, START
        open_hosts: list[Iterator[Visit]] = []
        while left:
            while len(open_hosts) < 200:
                open_hosts.append(self._host(number))
                number += 1
            host = self._dice.randrange(len(open_hosts))
            visit = next(open_hosts[host], None)
            if visit is None:
                open_hosts.pop(host)
                continue
            yield msgspec.structs.replace(visit, at=at)
            left -= 1
            at += APART

    def batches(self, links: int) -> Iterator[list[Visit]]:
        batch: list[Visit] = []
        for visit in self.visits(links):
            batch.append(visit)
            if len(batch) == BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    def _host(self, number: int) -> Iterator[Visit]:
        dice, words = self._dice, self._words
        name = "".join(dice.choices(_SYLLABLES, k=dice.randrange(2, 5)))
        domain = f"{name}-{number}.net"
        host = domain if number % 2 else f"www.{domain}"
        of_the_site = [self._of_the_site(place) for place in dice.choices(_SITE_PLACES, k=OF_THE_SITE)]
        for page in range(int(LARGEST ** (dice.random() ** 3))):
            own = [self._own() for _ in range(LINKS - OF_THE_SITE)]
            title = words.cut(45)
            yield Visit(
                url=f"https://{host}/{_section(-number - 1, page)}" if page else f"https://{host}/",
                at=0,
                outcome=Outcome.PAGE,
                status=200,
                content_type="text/html",
                charset="utf-8",
                title=title,
                description=words.cut(120),
                language="en",
                words=dice.randrange(50, 3000),
                content_digest=dice.getrandbits(62),
                text_digest=dice.getrandbits(62),
                near_digest=dice.getrandbits(62),
                terms=self._terms[int(5000 * dice.random())],
                size=dice.randrange(10_000, 90_000),
                elapsed=dice.randrange(20, 900),
                depth=3,
                host=host,
                domain=domain,
                links=_numbered(of_the_site[:4] + own + of_the_site[4:]),
            )

    def _of_the_site(self, place: str) -> Link:
        target = _target(self._dice)
        rel, follow = self._dice.choice(_RELS)
        return _link(target, self._words.anchor(), rel, follow, place, 0.9, "", "", "")

    def _own(self) -> Link:
        dice, words = self._dice, self._words
        rel, follow = dice.choice(_RELS)
        before, after = words.cut(95), words.cut(95)
        return _link(_target(dice), words.anchor(), rel, follow, "content", 0.7, before, after, words.cut(25))


def _link(
    target: Place,
    anchor: str,
    rel: tuple[str, ...],
    follow: bool,
    placement: str,
    confidence: float,
    before: str,
    after: str,
    heading: str,
) -> Link:
    return Link(
        target=target.url,
        anchor=anchor,
        rel=rel,
        follow=follow,
        placement=placement,
        placement_confidence=confidence,
        text_before=before,
        text_after=after,
        heading=heading,
        target_host=target.host,
        target_domain=target.domain,
    )


def _numbered(links: list[Link]) -> tuple[Link, ...]:
    """Return the links with their places on the page, and numbers where a target comes twice."""
    times: dict[str, int] = {}
    numbered = []
    for position, link in enumerate(links):
        ordinal = times.get(link.target, 0)
        times[link.target] = ordinal + 1
        numbered.append(msgspec.structs.replace(link, position=position, ordinal=ordinal))
    return tuple(numbered)
