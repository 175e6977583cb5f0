"""What a visit leads to: its links, and the sitemaps of its host. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Set
from itertools import islice

from crawler.frontier import Entry, Lease, Robots
from crawler.frontier.order import mark
from crawler.offers import Offers
from crawler.politeness import Rules
from linkindex import urls
from linkindex.model import Link, Outcome, Visit

NAMED = 1000  # sitemaps of one robots.txt that are read
LEVELS = 10  # of sitemaps that name sitemaps
NO_SITEMAP = "no_sitemap"  # the reason that a guess gives which came to nothing
OTHER_HOST = "other_host"
SITEMAP_DEPTH = "sitemap_depth"

_UNVISITED = frozenset(("form", "media"))  # forms are for people to send; images, videos and sounds hold no links


def sitemaps_of(robots_url: str, rules: Rules, depth: int) -> Iterator[Entry]:
    """Yield the sitemaps that a host's robots.txt names, where it names none the one that most have, if it may be read.

    Pages that they name are ``depth`` + 1 links from a seed.
    """
    found = False
    for number, url in enumerate(islice(_named(rules, robots_url), NAMED)):
        found = True
        yield _sitemap(url, depth, min(number, 1) + 1)
    guess = _guess(robots_url)
    if not found and rules.allows(guess):
        yield _sitemap(guess, depth, 1)


def is_guess(lease: Lease, rules: Rules) -> bool:
    """Return whether nobody said that there is a sitemap at this URL."""
    return not lease.hops and lease.url == _guess(lease.url) and lease.url not in _named(rules, lease.url)


def strangers(visit: Visit) -> set[str]:
    """Return the hosts, other than those of its own domain, of which a sitemap names pages."""
    return {link.target_host for link in visit.links if link.kind == "sitemap" and not link.internal}


def vouches(robots: Robots, host: str) -> bool:
    """Return whether a site lets ``host`` speak for it: its robots.txt names a sitemap there.

    (https://www.sitemaps.org/protocol.html#sitemaps_cross_submits; what that sitemap names as an index counts too)
    """
    if urls.hostname_of(host).encode() not in robots.body.lower():  # few are worth parsing
        return False
    return any(urls.host_of(url) == host for url in _named(Rules(robots), None))


def entries(lease: Lease, visit: Visit, offers: Offers, refused: Set[str]) -> Iterator[Entry]:
    """Yield what the frontier should hear of: what the page links to, unless it asks that nothing be followed.

    ``offers`` is what it has heard of; of hosts that are ``refused`` a sitemap may not speak.
    """
    if "nofollow" in visit.robots or "none" in visit.robots:
        return
    redirected = visit.outcome is Outcome.REDIRECT
    depth, hops = (lease.depth, lease.hops + 1) if redirected else (lease.depth + 1, 0)
    sitemap = lease.sitemap if redirected else 0
    priority = Entry(url="", host="", domain="", depth=depth, hops=hops, sitemap=sitemap).priority
    linker = mark(visit.domain)
    for link in visit.links:
        if link.kind == "sitemap" and ("sitemap" in link.rel or link.target_host in refused):
            yield _of_sitemap(lease, link, refused)
        elif link.kind not in _UNVISITED and (
            seen := offers.worth(link.target, priority, 0 if link.internal else linker)
        ):
            yield Entry(
                url=link.target,
                host=link.target_host,
                domain=link.target_domain,
                depth=depth,
                hops=hops,
                sitemap=sitemap,
                seen=seen,
            )


def changed(lease: Lease, visit: Visit, since: int, refused: Set[str]) -> list[Entry]:
    """Return the pages that a sitemap or a feed says were modified after ``since`` (ms since 1970)."""
    return [
        Entry(url=link.target, host=link.target_host, domain=link.target_domain, depth=lease.depth + 1)
        for link in visit.links
        if link.modified > since and link.kind in ("sitemap", "feed") and link.target_host not in refused
    ]


def _of_sitemap(lease: Lease, link: Link, refused: Set[str]) -> Entry:
    """Return what is a sitemap itself, or of another site.

    From one sitemap to the next is no step: what they name is as far from a seed as if there were but one.
    """
    nested = "sitemap" in link.rel
    level = max(lease.sitemap, 1) + 1 if nested else 0
    return Entry(
        url=link.target,
        host=link.target_host,
        domain=link.target_domain,
        depth=lease.depth + (not (nested and lease.sitemap)),
        sitemap=level,
        excluded=OTHER_HOST if link.target_host in refused else SITEMAP_DEPTH if level > LEVELS else "",
    )


def _sitemap(url: str, depth: int, level: int) -> Entry:
    host = urls.host_of(url)
    return Entry(url=url, host=host, domain=urls.domain_of(host), depth=depth, sitemap=level)


def _named(rules: Rules, base: str | None) -> Iterator[str]:
    found = (urls.parse(text, base) for text in rules.sitemaps)
    return (urls.canonical(url) for url in found if url)


def _guess(url: str) -> str:
    return url[: url.index("/", url.index("//") + 2)] + "/sitemap.xml"
