"""Names of documents, made from what they are about: whoever writes a link, and however often, it has this one name.

A page is called by its domain and its URL, a link by the domain and the URL it points to, its page and itself. So the
links to a domain lie side by side, and in it those to a URL, and a collection that is spread over shards is spread
by the domain that is asked about. A name is not reversible and need not be: every document says in full what it is.

====  =====  ==========================================================
bytes  of     what
====  =====  ==========================================================
5      links  digest of the target's registrable domain
4      links  digest of the target
12     links  the name of its page: 4 bytes of the source's registrable
              domain, 8 of its URL
6      links  digest of target and ordinal
8      past   when the version began (ms, big-endian), behind the link's
12     ranks  a page or a domain; behind 4 bytes of the ranking's number
8      pairs  digest of the domain that links; behind the 5 of the target's
9, 6   pairs  digests of a target, of an anchor text: names in a pair, in base64
====  =====  ==========================================================
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from hashlib import blake2b

TARGET_BYTES = 5
URL_BYTES = 4
DOMAIN_BYTES = 4
PAGE_BYTES = 12
LINK_BYTES = TARGET_BYTES + URL_BYTES + PAGE_BYTES + 6

VERSION_BYTES = LINK_BYTES + 8
PAIR_BYTES = TARGET_BYTES + 8
COUNTED_BYTES, TEXT_BYTES = 9, 6  # in a pair: of a target, of an anchor text
RANKING_BYTES = 4

Range = tuple[bytes, bytes]  # from, inclusive, until, exclusive


@lru_cache(maxsize=1 << 14)
def of_target(domain: str) -> bytes:
    """Return how the names of all links to ``domain`` begin."""
    return _digest(domain, TARGET_BYTES)


@lru_cache(maxsize=1 << 16)
def of_url(target: str, domain: str) -> bytes:
    """Return how the names of all links to ``target``, which is in ``domain``, begin."""
    return of_target(domain) + _digest(target, URL_BYTES)


@lru_cache(maxsize=1 << 14)
def of_domain(domain: str) -> bytes:
    """Return how the names of all pages of ``domain`` begin."""
    return _digest(domain, DOMAIN_BYTES)


def of_page(url: str, domain: str) -> bytes:
    """Return the name of a page."""
    return of_domain(domain) + _digest(url, PAGE_BYTES - DOMAIN_BYTES)


def of_link(page: bytes, target: str, target_domain: str, ordinal: int) -> bytes:
    """Return the name of a link on the page called ``page``."""
    return of_url(target, target_domain) + page + _digest(f"{target}\0{ordinal}", 6)


def of_version(name: bytes, since: int) -> bytes:
    """Return the name of an earlier version of what is called ``name``."""
    return name + since.to_bytes(8, "big")


def of_rank(ranking: int, name: bytes) -> bytes:
    """Return the name of the rank that a page, or a domain (:func:`of_ranked`), has in a ranking."""
    return ranking.to_bytes(RANKING_BYTES, "big") + name


@lru_cache(maxsize=1 << 14)
def of_ranked(domain: str) -> bytes:
    """Return the name of a domain that is ranked."""
    return _digest(domain, PAGE_BYTES)


def of_pair(target_domain: str, domain: str) -> bytes:
    """Return the name of what links from ``domain`` to ``target_domain`` amount to."""
    return of_target(target_domain) + _digest(domain, PAIR_BYTES - TARGET_BYTES)


@lru_cache(maxsize=1 << 14)
def of_counted(target: str) -> str:
    """Return the name of a target among those that are counted together: letters, digits, - and _. The names of the links to
    it can be told from that (:func:`of_one_target`)."""
    return urlsafe_b64encode(_digest(target, URL_BYTES) + _digest(target, COUNTED_BYTES - URL_BYTES)).decode()


@lru_cache(maxsize=1 << 14)
def of_text(anchor: str) -> str:
    """Return the name of an anchor text among those that are counted together, of the same characters."""
    return urlsafe_b64encode(_digest(anchor, TEXT_BYTES)).decode()


def of_one_target(target_domain: str, counted: str, domain: str) -> Range:
    """Return the range of the names of links from ``domain`` to the target that is called ``counted``, and a few others."""
    to = of_target(target_domain) + urlsafe_b64decode(counted)[:URL_BYTES]
    return beginning(to + of_domain(domain), LINK_BYTES)


def beginning(prefix: bytes, size: int) -> Range:
    """Return the range of all names of ``size`` bytes that begin with ``prefix``."""
    # Binary values are in order of their length first: bounds have to be as long as names, and what is longer is behind.
    above = int.from_bytes(prefix, "big") + 1
    behind = bytes(size + 1) if above >> 8 * len(prefix) else above.to_bytes(len(prefix), "big").ljust(size, b"\0")
    return prefix.ljust(size, b"\0"), behind


def _digest(text: str, size: int) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest()
