"""A site of many like pages, made page by page: for trials that count every page and link, and for benchmarks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from interfaces.demo.dice import Dice
from interfaces.demo.model import HTML, NOT_FOUND, Answer, PlantedLink
from interfaces.demo.vocabulary import SENTENCES, TOPICS

FAN = 8  # page i links to pages 8i+1 to 8i+8, so `/` reaches every page: 600 pages in 4 steps


@dataclass(frozen=True)
class Site:
    """``count`` pages over ``hosts`` hosts. Page 0 is ``/`` of the first host, page i is ``/p/i``; robots.txt is a 404.

    Page i lives on host i modulo ``hosts``. Each page holds ``links_per_page`` links, ``external_per_page`` of them to
    targets that no other link has.
    """

    count: int
    seed: int
    host: str
    hosts: int
    links_per_page: int
    external_per_page: int
    size: int  # least bytes of a page
    _made: dict[int, Answer] = field(default_factory=dict, repr=False)

    @property
    def seeds(self) -> tuple[str, ...]:
        """The one URL from which every page is found."""
        return (self.url(0),)

    @cached_property
    def pages(self) -> tuple[str, ...]:
        """URLs of all pages."""
        return tuple(map(self.url, range(self.count)))

    def url(self, page: int) -> str:
        """Return the URL of a page by its number."""
        return f"http://{self._host(page % self.hosts)}/{f'p/{page}' if page else ''}"

    def answer(self, host: str, path: str) -> Answer | None:
        """Return a page, a 404 for anything else, None for an unknown host."""
        page = self._numbers.get(f"http://{host}{path}")
        if page is None:
            return NOT_FOUND if host in self._hosts else None
        if page not in self._made:
            self._made[page] = Answer(200, (HTML,), self._body(page))
        return self._made[page]

    def links(self) -> Iterator[PlantedLink]:
        """Yield every link of every page, in the order of the documents."""
        for page in range(self.count):
            source = self.url(page)
            for target, anchor in self._links(page):
                yield PlantedLink(source, target, anchor, (), "text", "content", True)

    def external_targets(self, page: int) -> list[str]:
        """Return the targets outside the site that this page, and no other, links to."""
        return [f"http://target-{page % 50}.example/{page}/{n}" for n in range(self.external_per_page)]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {url: page for page, url in enumerate(self.pages)}

    @cached_property
    def _hosts(self) -> frozenset[str]:
        return frozenset(map(self._host, range(self.hosts)))

    def _host(self, number: int) -> str:
        if not number:
            return self.host
        name, _, rest = self.host.partition(".")
        return f"{name}-{number}.{rest}"

    def _links(self, page: int) -> list[tuple[str, str]]:
        """Targets and anchors: the children, then others in turn from a place drawn for this page; each target once."""
        dice = Dice(f"{self.seed}/{page}")
        children = range(page * FAN + 1, min(page * FAN + FAN + 1, self.count))
        start = dice.below(self.count)
        others = ((start + step) % self.count for step in range(self.count))
        internal = list(children)
        room = self.links_per_page - self.external_per_page
        for other in others:
            if len(internal) >= room:
                break
            if other != page and other not in children:
                internal.append(other)
        outside = [(url, f"source {url.rpartition('/')[2]} of page {page}") for url in self.external_targets(page)]
        return [(self.url(n), f"page {n}") for n in internal] + outside

    def _body(self, page: int) -> bytes:
        dice = Dice(f"{self.seed}/{page}/prose")
        parts = [f'<!doctype html>\n<html lang="en"><head><title>Page {page}</title></head><body><main>\n']
        parts += [f'<p>See <a href="{url}">{anchor}</a>. {_sentence(dice)}</p>\n' for url, anchor in self._links(page)]
        missing = self.size - sum(map(len, parts))
        while missing > 0:
            parts.append(f"<p>{_sentence(dice)} {_sentence(dice)}</p>\n")
            missing -= len(parts[-1])
        return "".join([*parts, "</main></body></html>\n"]).encode()


def make_site(
    pages: int,
    seed: int = 1,
    host: str = "site.example",
    *,
    hosts: int = 1,
    links_per_page: int = 20,
    external_per_page: int = 2,
    size: int = 0,
) -> Site:
    """Return a site of ``pages`` pages, each reachable from ``/`` of ``host``; a page has at least ``size`` bytes.

    With several ``hosts`` the pages are spread evenly over ``site.example``, ``site-1.example``… Raises ValueError
    where a page has no room for the links that hold the site together.
    """
    if pages < 1 or hosts < 1 or links_per_page - external_per_page < FAN:
        raise ValueError(f"a site needs a page, a host and room for {FAN} internal links on each page")
    return Site(pages, seed, host, hosts, links_per_page, external_per_page, size)


def _sentence(dice: Dice) -> str:
    words = dice.pick(TOPICS).things
    return dice.pick(SENTENCES).format(a=dice.pick(words), b=dice.pick(words))
