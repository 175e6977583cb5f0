"""May this crawl visit that URL, and if not, why not. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate
from functools import lru_cache
from typing import Literal, Self

import msgspec

from crawler.consent import is_opted_out
from crawler.frontier import Entry
from linkindex import urls

# Reasons that another scope may take back; `Frontier.excluded` is asked for them when a crawl's scope changed.
REASONS = ("opted_out", "depth", "stay", "include", "exclude", "held", "redirects", "url_length")


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """The part of the web that a job may visit; kept in the frontier, so all nodes of a job judge alike."""

    depth: int = 3  # links from a seed
    stay: Literal["host", "domain", "anywhere"] = "anywhere"
    hosts: frozenset[str] = frozenset()  # of the seeds
    domains: frozenset[str] = frozenset()
    include: tuple[str, ...] = ()  # shell-style patterns of whole URLs; with any, a URL must match one
    exclude: tuple[str, ...] = ()
    held: tuple[str, ...] = ()  # patterns too, by `linkatlas hold`, until they are let go
    opted_out: frozenset[str] = frozenset()  # hosts and domains whose owners want no visits
    max_redirects: int = 10
    max_url: int = 2083  # bytes

    def around(self, seeds: Iterable[Entry]) -> Self:
        """Return this scope with more seeds to stay near."""
        found = list(seeds)
        return msgspec.structs.replace(
            self,
            hosts=self.hosts | {seed.host for seed in found},
            domains=self.domains | {seed.domain for seed in found},
        )

    def refusal(self, entry: Entry) -> str:
        """Return why ``entry`` may not be visited, "" when it may. Seeds answer to ``opted_out`` and ``exclude`` alone.

        ``include`` says which pages are wanted; a sitemap is only the way to them.
        """
        if self.opted_out and is_opted_out(entry.host, self.opted_out):
            return "opted_out"
        if self.exclude and _any_of(self.exclude).match(entry.url):
            return "exclude"
        if self.held and _any_of(self.held).match(entry.url):
            return "held"
        if len(entry.url) > self.max_url:
            return "url_length"
        if entry.depth == 0 and entry.hops == 0:
            return ""
        if entry.depth > self.depth:
            return "depth"
        if entry.hops > self.max_redirects:
            return "redirects"
        if self.stay == "host" and entry.host not in self.hosts:
            return "stay"
        if self.stay == "domain" and entry.domain not in self.domains:
            return "stay"
        if self.include and not entry.sitemap and not _any_of(self.include).match(entry.url):
            return "include"
        return ""

    def judged(self, entry: Entry) -> Entry:
        """Return ``entry`` as this scope sees it."""
        refusal = self.refusal(entry)
        return entry if refusal == entry.excluded else msgspec.structs.replace(entry, excluded=refusal)


def seed(url: str) -> Entry:
    """Return the entry of a canonical seed URL."""
    host = urls.host_of(url)
    return Entry(url=url, host=host, domain=urls.domain_of(host))


@lru_cache(maxsize=16)
def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    # fnmatch makes patterns without nested repetition: each * is lazy and anchored by what follows it.
    return re.compile("|".join(translate(pattern) for pattern in patterns))
