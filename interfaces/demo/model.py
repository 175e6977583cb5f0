"""What a made-up web is: answers by host and path, and the truth about the links that were planted in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol


class Answer(NamedTuple):
    """One HTTP answer; the body is as it travels, Content-Length is added by the server."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class PlantedLink(NamedTuple):
    """One link as an index should know it; words as in :class:`linkindex.model.Link`, URLs canonical."""

    source: str
    target: str
    anchor: str
    rel: tuple[str, ...]  # lower case, sorted
    kind: str
    placement: str
    follow: bool  # rel ∧ meta robots ∧ X-Robots-Tag


class Served(Protocol):
    """Whatever :mod:`interfaces.demo.serve` can serve."""

    def answer(self, host: str, path: str) -> Answer | None:
        """Return what ``host`` answers for ``path`` (with its query), or None where there is no such host."""


@dataclass(frozen=True)
class Web:
    """A made-up web with its truth. Everything in it follows from one seed number."""

    seeds: tuple[str, ...]  # URLs from which all of it is found
    star: str  # the domain that many others link to
    answers: Mapping[tuple[str, str], Answer]  # by (host, path with query); robots.txt included
    planted: tuple[PlantedLink, ...]
    closed: Mapping[str, tuple[str, ...]]  # host -> path prefixes that its robots.txt closes

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """Every host that answers, sorted."""
        return tuple(sorted({host for host, _ in self.answers}))

    def answer(self, host: str, path: str) -> Answer | None:
        """Return what ``host`` answers for ``path``, a 404 for an unknown path, None for an unknown host."""
        found = self.answers.get((host, path))
        if found is None and host in self.hosts:
            return NOT_FOUND
        return found

    def links(self) -> tuple[PlantedLink, ...]:
        """Return every planted link, in the order of the documents. Links of a page to itself are not listed."""
        return self.planted

    def reachable(self, follow_only: bool = False) -> dict[str, int]:
        """Return each URL that a polite crawl from the seeds asks for, with its distance in links from a seed.

        Redirects count as links, and what robots.txt closes is left out. ``follow_only`` walks no nofollow link.
        """
        by_source = defaultdict(list)
        for link in self.planted:
            if (link.follow or not follow_only) and self._open(link.target):
                by_source[link.source].append(link.target)
        distance = dict.fromkeys(self.seeds, 0)
        ring, step = list(self.seeds), 0
        while ring:
            step += 1
            ring = list(dict.fromkeys(t for source in ring for t in by_source[source] if t not in distance))
            distance |= dict.fromkeys(ring, step)
        return distance

    @cached_property
    def pages(self) -> tuple[str, ...]:
        """URLs of the HTML documents (status 200) that a polite crawl from the seeds reads, nearest first."""
        return tuple(url for url in self.reachable() if self._is_page(url))

    def _open(self, url: str) -> bool:
        host, path = split(url)
        return host in self.hosts and not path.startswith(self.closed.get(host, ()))

    def _is_page(self, url: str) -> bool:
        found = self.answers.get(split(url))
        return found is not None and found.status == 200 and dict(found.headers)["Content-Type"].startswith("text/html")


def split(url: str) -> tuple[str, str]:
    """Return host and path (with query) of an http URL."""
    host, _, path = url.removeprefix("http://").partition("/")
    return host, f"/{path}"


HTML = ("Content-Type", "text/html; charset=utf-8")
NOT_FOUND = Answer(404, (HTML,), b"<!doctype html><title>Not found</title><h1>Not found</h1>\n")
