"""Links that a page states rather than shows: ``<link>`` elements and ``Link`` headers, told by the words of their rel.

Sources: HTML Standard 4.6.7 (link types), RFC 8288 (Link header), the IANA registry of link relations.
"""

from __future__ import annotations

from functools import lru_cache

# The most telling first. Others (stylesheet, icon, preload, dns-prefetch…) fetch parts of the page or hint at them.
_KINDS = {
    "canonical": "canonical",
    "amphtml": "amphtml",
    "next": "next",
    "prev": "prev",
    "previous": "prev",
    "sitemap": "sitemap",
    "alternate": "alternate",
}
_FEEDS = ("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json")
_MOST_CHARS = 1000


@lru_cache(maxsize=1 << 10)
def link_kind(rel: str, media_type: str) -> str | None:
    """Return the kind of link that ``rel`` with the ``type`` attribute makes, None where it makes none."""
    words = rel[:_MOST_CHARS].lower().split()
    kind = next((_KINDS[word] for word in _KINDS if word in words), None)
    if kind != "alternate":
        return kind
    if "stylesheet" in words:
        return None
    return "feed" if media_type.partition(";")[0].strip().lower() in _FEEDS else kind
