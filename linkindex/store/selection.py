"""What a store is asked for, and the counts it gives back."""

from __future__ import annotations

from typing import Literal

import msgspec

from linkindex.target import Target


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which links a question is about: those that point at ``target``."""

    target: Target
    state: Literal["live", "lost", "all"] = "live"  # a link is lost when its last version has ended
    internal: bool = False  # with links inside one registrable domain, where the index keeps them in full


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Selected links counted together. Times are ms since 1970, UTC."""

    key: str
    links: int
    sources: int  # distinct pages that link
    domains: int  # distinct domains that link
    targets: int  # distinct URLs that are linked
    follow: int
    ugc: int
    sponsored: int
    doubtful: int  # whose page could not be read when it was last visited
    first_seen: int
    last_seen: int


class IndexCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What an index holds."""

    pages: int
    domains: int  # with a page that was visited
    links: int  # external, live
    lost: int
    by_outcome: dict[str, int]
    url_rules: str  # version of :mod:`linkindex.url_rules` of the last that wrote, "" before there were any
    suffix_list: str  # date of its Public Suffix List


class Repeated(msgspec.Struct, frozen=True, kw_only=True):
    """Live external links of one host's pages that are alike."""

    target: str
    anchor: str
    placement: str  # as the pages say; "content" stands for "unknown" too, for which of them is a matter of a few words
    pages: int  # distinct ones that have it
    place: float  # where in the row of a page's links, 0: first, 1: last; the mean of all


class Visited(msgspec.Struct, frozen=True, kw_only=True):
    """A page that was visited, as a frontier would have to know it."""

    url: str
    host: str
    domain: str
    depth: int
    outcome: str


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A URL that some page, as it was read last, leads to."""

    url: str
    host: str
    domain: str
    depth: int  # links from a seed, by the way of the page that names it
    redirected: bool = False  # the page redirects there
    sitemap: bool = False  # the page says that it is a sitemap


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """The site's word about links that are alike."""

    target: str
    anchor: str
    placement_found: str  # of :class:`Repeated`
    pages: int
    placement: str | None  # None: what the pages say stands
    confidence: float | None
