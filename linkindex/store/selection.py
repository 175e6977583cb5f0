"""What a store is asked for, and the counts it gives back."""

from __future__ import annotations

from typing import Literal

import msgspec

from linkindex.model import Outcome
from linkindex.target import Target

State = Literal["live", "lost", "all"]
Order = Literal["seen", "rank", "new"]
Per = Literal["link", "similar", "page", "domain"]
By = Literal["", "domain", "anchor", "kind", "placement"]

ORDERS: tuple[Order, ...] = ("seen", "rank", "new")
"""How links are put in a row. Live ones always come before lost ones; what is equal, by source, target, ordinal.

``seen``: followed first, then those confirmed last. ``rank``: by rank of the source's domain, then of the source, then as
``seen``; what has no rank counts as 0. ``new``: those first seen last.
"""

PER: tuple[Per, ...] = ("link", "similar", "page", "domain")
"""What one row stands for: a link; links of one host that are alike (same target, anchor and placement); all of a page; all
of a domain. It shows the first of them by the order that was asked for, and how many there are."""


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which links a question is about: those that point at ``target`` and fulfil every condition that is given.

    Times are ms since 1970, UTC. ``since`` (inclusive) and ``until`` (exclusive) speak of when a link was first seen, with
    ``state`` "lost" of when it was lost, with "all" of either. ``as_of`` asks for the links that were live at that moment,
    as they were then; it goes with ``state`` "live".
    """

    target: Target
    state: State = "live"  # a link is lost when its last version has ended
    internal: bool = False  # with links inside one registrable domain, where the index keeps them in full
    as_found: bool = False  # only links whose own target is covered; else also those whose target leads there
    as_of: int | None = None
    since: int | None = None
    until: int | None = None
    follow: bool | None = None
    kinds: tuple[str, ...] = ()  # any of these
    placements: tuple[str, ...] = ()  # any of these, by the site's word where it has one
    rel: tuple[str, ...] = ()  # all of these tokens
    source: str = ""  # registrable domain that links
    anchor: str = ""  # is in the anchor text, whatever the case
    broken: bool = False  # only links that lead nowhere: the end of their target's hops answered 4xx, 5xx or not at all


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Selected links counted together. Times are ms since 1970, UTC."""

    key: str
    links: int
    sources: int | None  # distinct pages that link; None where they are grouped by what a page has many of
    domains: int  # distinct domains that link
    targets: int | None  # distinct URLs that are linked; None where there may be many groups
    follow: int
    ugc: int
    sponsored: int
    doubtful: int  # whose page could not be read when it was last visited
    first_seen: int
    last_seen: int


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Selected links counted in all ways that an overview tells."""

    whole: Group | None  # None: there are no such links
    by_kind: dict[str, int]  # how many links, the most first, of equal ones by name
    by_placement: dict[str, int]


class IndexCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What an index holds."""

    pages: int  # visited URLs, however that ended
    domains: int  # with a page that was visited
    links: int  # external, live
    lost: int
    by_outcome: dict[str, int]
    url_rules: str  # version of :mod:`linkindex.url_rules` of the last that wrote, "" before there were any
    suffix_list: str  # date of its Public Suffix List

    @property
    def read(self) -> int:
        """Return how many of the URLs are documents that were read, so that links of theirs can be here."""
        return self.by_outcome.get(Outcome.PAGE, 0)


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


class RunCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Pages by the run that visited them first. Pages of no run are none of these."""

    run: str
    pages: int
    first: int  # ms; when the first of them was visited first
    last: int  # when the last of them was


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken out of an index."""

    pages: int
    links: int  # whatever their state; versions of one link count once


class Compacted(msgspec.Struct, frozen=True, kw_only=True):
    """How far a compaction has come."""

    part: str  # what is worked on
    done: int
    of: int
    before: int  # bytes on disk, of the whole index, when it began
    after: int  # and now


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that an index needs, and whether it has it."""

    name: str
    ok: bool
    found: str  # what there is, with sizes where they cost
    remedy: str = ""  # what to do where it is not ok
