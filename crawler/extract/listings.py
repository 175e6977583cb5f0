"""Sitemaps and feeds, told from other documents by how they begin: bytes in, :class:`Listing` out. Never raises."""

from __future__ import annotations

from crawler.decoding import Body, Undecodable
from crawler.extract import feeds, sitemaps, xml
from crawler.extract.gathering import Listing

__all__ = ["Listing", "looks_like_xml", "read_listing", "unpacked"]

_BEGINNINGS = (b"<?xml", b"<rss", b"<feed", b"<rdf:rdf", b"<urlset", b"<sitemapindex")
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_GZIP = b"\x1f\x8b"


def looks_like_xml(body: bytes) -> bool:
    """Return whether a document that is called HTML, or nothing, may be one of ours
    (https://mimesniff.spec.whatwg.org/#rules-for-distinguishing-if-a-resource-is-a-feed-or-html)."""
    head = body[:256].lstrip(b"\xef\xbb\xbf\t\n\f\r ").lower()
    return head.startswith(_BEGINNINGS)


def read_listing(
    body: bytes, url: str, content_type: str = "", *, follow: bool = True, max_links: int = 10_000, text: bool = False
) -> Listing | None:
    """Return what a sitemap or feed lists, None where ``body`` (unpacked) is neither.

    ``text`` says that a list of URLs in plain text is expected, which nothing tells from other text. ``max_links`` holds
    for feeds; sitemaps have limits of their own. A document with a DTD of its own is refused: ``broken`` says so.
    """
    root = xml.root_of(body, content_type)
    if root.name in sitemaps.ROOTS or root.name in feeds.ROOTS:
        if root.refusal:
            return Listing(broken=root.refusal)
        if root.name in sitemaps.ROOTS:
            return sitemaps.read_xml(body, url, content_type, follow=follow)
        return feeds.read(body, url, content_type, follow=follow, max_links=max_links)
    if text and not root.name and _may_be_text(body):
        listing = sitemaps.read_text(body, url, content_type, follow=follow)
        return listing if listing.links else None
    return None


def unpacked(body: bytes, limit: int, ratio: int = 0) -> tuple[bytes, tuple[str, ...], str]:
    """Return a body that is itself a gzip file (``sitemap.xml.gz``) unpacked, others as they are, with flags as of
    :class:`crawler.decoding.Body`: ``cut`` at ``limit`` bytes, ``truncated`` where it broke off; and the limit that bit."""
    if not body.startswith(_GZIP):
        return body, (), ""
    unpacking = Body("gzip", limit, ratio)
    unpacking.take(body)
    try:
        return unpacking.end(), unpacking.flags, "max_sitemap" if unpacking.bit == "max_body" else unpacking.bit
    except Undecodable:
        return b"", ("truncated",), ""


def _may_be_text(body: bytes) -> bool:
    """Return whether this is text and no markup."""
    return body.startswith(_MARKS) or (body.lstrip()[:1] != b"<" and b"\0" not in body[:1024])
