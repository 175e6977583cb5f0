"""Gives every URL of a visit its one spelling, for the index and the frontier alike."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import msgspec

from linkindex import urls
from linkindex.model import Link, Visit

_REMEMBERED_CHARS = 500  # of a target; 16,384 of 8,192 characters would fill the memory


class Place(NamedTuple):
    """A canonical URL and where it lives."""

    url: str
    host: str
    domain: str


class CanonicalisePipeline:
    """Scrapy item pipeline: a Visit in, the same visit with canonical targets, hosts and domains out."""

    def process_item(self, item: Visit) -> Visit:
        return canonicalise(item)


def canonicalise(visit: Visit) -> Visit:
    """Return ``visit`` with canonical targets. ``visit.url`` is canonical already: the frontier holds no other.

    A link that points back at its own page after this is dropped, and links whose targets turn out to be one are
    numbered anew.
    """
    host = urls.host_of(visit.url)
    domain = urls.domain_of(host)
    ordinals: dict[str, int] = {}
    links: list[Link] = []
    for link in visit.links:
        place = _place(link.target)
        if place.url == visit.url:
            continue
        ordinal = ordinals.get(place.url, 0)
        ordinals[place.url] = ordinal + 1
        links.append(_placed(link, place, ordinal, len(links), place.domain == domain))
    redirect = _place(visit.redirect).url if visit.redirect else ""
    canonical = _place(visit.canonical).url if visit.canonical else ""
    return msgspec.structs.replace(
        visit, host=host, domain=domain, links=tuple(links), redirect=redirect, canonical=canonical
    )


def _place(target: str) -> Place:
    # A site's navigation is on each of its pages: most targets were seen a moment ago. Very long ones are none of it.
    return _known_place(target) if len(target) <= _REMEMBERED_CHARS else _known_place.__wrapped__(target)


@lru_cache(maxsize=1 << 14)
def _known_place(target: str) -> Place:
    url = urls.canonical(target)
    host = urls.host_of(url)
    return Place(url, host, urls.domain_of(host))


def _placed(link: Link, place: Place, ordinal: int, position: int, internal: bool) -> Link:
    return msgspec.structs.replace(
        link,
        target=place.url,
        target_host=place.host,
        target_domain=place.domain,
        ordinal=ordinal,
        position=position,
        internal=internal,
    )
