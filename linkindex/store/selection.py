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
