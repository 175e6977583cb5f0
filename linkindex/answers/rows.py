"""The rows that answers are made of. Field names are the public JSON names; times are aware datetimes in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec


def moment(ms: int) -> datetime:
    """Return a stored time (ms since 1970, UTC) as the aware datetime that rows hold."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def moment_or_none(ms: int | None) -> datetime | None:
    """Return the same, and None for what there is none of."""
    return None if ms is None else moment(ms)


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """One step from where a link points to where it leads."""

    to: str  # "": into a circle, or on and on
    kind: str  # redirect or canonical
    status: int  # of the answer that said so


class Backlink(msgspec.Struct, frozen=True, kw_only=True):
    """One link that points at the target, as last observed; or the first of several (``links``, ``pages``)."""

    source: str
    source_domain: str
    target: str  # as it was found
    target_domain: str
    target_end: str  # where that leads in the end; the target itself where it leads nowhere else
    hops: list[Hop]  # from the target to its end
    ordinal: int  # which one among the links from source to target, from 0
    kind: str
    anchor: str
    rel: list[str]
    follow: bool
    placement: str  # by the page, or by its site where that knows better (linkindex.classify)
    placement_confidence: float
    template_pages: int  # pages of the host that repeat the link, 0 where it is no template's
    position: int  # among all links of the source, from 0
    text_before: str
    text_after: str
    heading: str
    first_seen: datetime  # the first version's ``since``
    last_seen: datetime  # last confirmed on the page, never before ``first_seen``
    lost_at: datetime | None  # None while live
    lost_reason: str | None  # removed, page_gone, page_unreachable, page_redirected, not_indexable, not_canonical
    doubt: str | None  # why the last visit could neither confirm nor deny it: blocked, unreachable…
    source_title: str
    source_language: str
    source_author: str
    source_published: datetime | None
    source_platform: str
    source_words: int
    source_external_links: int  # links on the source that leave its domain, and those that do not
    source_internal_links: int
    source_indexable: bool  # False where robots directives keep it out of search engines
    relevance: float | None  # of the source to the target, 0 to 1; None where either was never read
    domain_relevance: float | None  # of the source to the target's domain
    source_status: int | None
    target_status: int | None  # None where the target was never visited
    end_status: int | None  # the same of where it leads
    source_rank: float | None  # None until ranks are computed
    domain_rank: float | None  # of the source's domain
    links: int = 1  # that this row stands for
    pages: int = 1  # that have them


class Broken(Backlink, frozen=True, kw_only=True):
    """A link that leads nowhere, and the best live page of the target's site that it could lead to."""

    replacement: str | None  # None: nothing is near
    replacement_score: float | None  # 0 to 1; from 0.92 on it is the same resource under another URL
    replacement_because: str | None  # same path, a copy leads there, similar, section (above the dead URL)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a link: how it looked from ``since`` until ``until``."""

    source: str
    target: str
    ordinal: int
    kind: str
    anchor: str
    rel: list[str]
    follow: bool
    placement: str  # by the page
    since: datetime
    confirmed: datetime  # last seen so
    until: datetime | None  # None: it looks so still
    ended_because: str | None  # changed, or why it was lost


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a link."""

    at: datetime  # of the visit that found it
    what: str  # new, changed, lost, returned; moved: where its target leads has changed
    source: str
    source_domain: str
    target: str
    ordinal: int
    attribute: (
        str  # of changed and moved: anchor, rel, follow, kind, placement, target_end; of lost the reason; else ""
    )
    before: str  # value of the attribute, as text; rel tokens parted by spaces, follow yes or no
    after: str
    anchor: str  # the link's, after it happened (of lost ones the last)
    follow: bool


class ReferringDomain(msgspec.Struct, frozen=True, kw_only=True):
    """One domain that links to the target, with its live links."""

    domain: str
    backlinks: int
    pages: int
    follow: int
    nofollow: int
    first_seen: datetime
    last_seen: datetime
    domain_rank: float | None


class AnchorText(msgspec.Struct, frozen=True, kw_only=True):
    """One anchor text under which the target is linked."""

    anchor: str
    backlinks: int
    domains: int
    follow: int
    nofollow: int
    first_seen: datetime
    last_seen: datetime


class Outlink(msgspec.Struct, frozen=True, kw_only=True):
    """One link of a page. Of internal links that are kept as paths only, everything but the target is None."""

    target: str
    target_domain: str
    internal: bool
    kind: str | None
    anchor: str | None
    rel: list[str] | None
    follow: bool | None
    placement: str | None
    first_seen: datetime | None
    last_seen: datetime | None
    lost_at: datetime | None
    lost_reason: str | None
    target_status: int | None


class PageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One visited page, as it was when it was last read."""

    url: str
    outcome: str  # of the last visit: page, redirect, gone, blocked, unreachable…
    status: int | None
    title: str
    description: str
    language: str
    author: str
    published: datetime | None  # as the page says
    modified: datetime | None
    type: str
    platform: str
    words: int
    canonical: str
    redirect: str
    robots: list[str]  # directives in force
    indexable: bool  # False where they keep it out of search engines
    charset: str
    content_type: str
    external_links: int
    internal_links: int
    text_digest: str  # 16 hexadecimal digits; equal: the same readable text; "" where there is none
    near_digest: str  # 16 hexadecimal digits; few bits apart: nearly the same text
    first_visited: datetime
    last_visited: datetime
    changed_at: datetime | None


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """The backlink profile of a target in numbers; counts are of live links unless they say otherwise."""

    target: str
    backlinks: int
    referring_domains: int
    referring_pages: int
    linked_pages: int  # distinct target URLs that are linked
    follow: int
    nofollow: int
    ugc: int
    sponsored: int
    lost: int
    doubtful: int
    by_kind: dict[str, int]
    by_placement: dict[str, int]
    pages_visited: int  # pages of the target itself that were visited
    first_seen: datetime | None
    last_seen: datetime | None
