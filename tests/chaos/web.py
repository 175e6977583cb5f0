"""The web that is crawled while things break: many hosts of many kinds, and what a polite crawl must find there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from interfaces.demo.dice import Dice

FAN = 8  # page i links to pages 8i+1 to 8i+8: every page is reached from the first
OTHERS = 4  # links to pages drawn for each page
SLOW, SLOWNESS = 20, 0.3  # one page in so many takes so many s
BUSY, RETRY_AFTER = 40, 2  # one page in so many answers 503 when it is first asked for, with so many s
CLOSED = "/private/"  # what every robots.txt closes
ROBOTS = "/robots.txt"


class Host(NamedTuple):
    """A host, its own registrable domain."""

    name: str
    pages: int
    delay: float = 0.0  # s, as its robots.txt asks
    shy: bool = False  # its robots.txt is a 503 when it is first asked for


HOSTS = (
    *(Host(f"quick-{n}.example", 60) for n in range(5)),
    Host("shy.example", 60, shy=True),
    Host("calm.example", 30, 0.1),
    Host("calmer.example", 10, 0.5),
    Host("calmest.example", 3, 3.0),
)


@dataclass(frozen=True)
class Web:
    """403 pages over :data:`HOSTS`, linked as ``seed`` says. Page 0 is the seed of the crawl; page i is ``/p/i``."""

    seed: int = 1

    @property
    def start(self) -> str:
        return self.url(0)

    @cached_property
    def owners(self) -> tuple[str, ...]:
        """The host of each page, by its number; a quick one has the first."""
        every = [host.name for host in HOSTS for _ in range(host.pages)]
        return (every[0], *Dice(f"{self.seed}/owners").some(every[1:], len(every) - 1))

    @cached_property
    def delays(self) -> dict[str, float]:
        """The delay of each host, in s."""
        return {host.name: host.delay for host in HOSTS}

    def url(self, page: int) -> str:
        return f"http://{self.owners[page]}{path(page)}"

    @cached_property
    def pages(self) -> frozenset[tuple[str, str]]:
        """Host and path of all pages that a polite crawl reads."""
        return frozenset((self.owners[page], path(page)) for page in range(len(self.owners)))

    @cached_property
    def links(self) -> Counter[tuple[str, str]]:
        """Every link between domains, as (source, target)."""
        return Counter(
            (self.url(page), target)
            for page, host in enumerate(self.owners)
            for target in self.targets(page)
            if not target.startswith(f"http://{host}/")
        )

    def targets(self, page: int) -> list[str]:
        """Return what a page links to, each once: its children, pages drawn for it, one that is closed."""
        dice, count = Dice(f"{self.seed}/{page}"), len(self.owners)
        children = range(page * FAN + 1, min(page * FAN + FAN + 1, count))
        drawn = dice.some([other for other in range(count) if other != page and other not in children], OTHERS)
        # Not on the calmest: a URL that ends without a fetch shuts the gate too, and trials are to be short.
        closed = f"http://{dice.pick(HOSTS[:-2]).name}{CLOSED}{page}"
        return [*map(self.url, [*children, *drawn]), closed]


def path(page: int) -> str:
    return f"/p/{page}" if page else "/"
