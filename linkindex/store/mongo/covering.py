"""Which links, pages and leads a target covers, as conditions on documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from linkindex import urls
from linkindex.store.mongo import ids
from linkindex.target import Target

Condition = Mapping[str, Any]
_FEW = 20  # URLs of one domain that are asked for one by one; of more, the whole domain's links are read
_LAST = "\U0010ffff"


def covers(target: Target, url: str) -> bool:
    """Return whether a target covers a URL."""
    if target.name:
        host = urls.host_of(url) if url else ""
        return bool(host) and target.name in (host, urls.domain_of(host))
    return url in target.urls or url.startswith(target.prefixes or ("\0",))


def whole_domain(target: Target) -> str:
    """Return the registrable domain that a target is, "" where it is less than that."""
    return target.name if target.name and urls.domain_of(target.name) == target.name else ""


def pages(target: Target) -> list[Condition]:
    """Return conditions on pages, any of which holds for those that a target covers."""
    return [
        {
            "_id": _within(ids.beginning(ids.of_domain(domain), ids.PAGE_BYTES)),
            "d": domain,
            **({} if on is None else {"u": on}),
        }
        for domain, on in _parts(target)
    ]


def links(target: Target, size: int = ids.LINK_BYTES) -> list[Condition]:
    """Return the same of links, by their own target; ``size`` is that of their names."""
    if target.urls:
        return [_links_to_one(url, domain_of(url), size) for url in target.urls]
    return [
        {"_id": _within(ids.beginning(ids.of_target(domain), size)), "td": domain, **({} if on is None else {"t": on})}
        for domain, on in _parts(target)
    ]


def links_to(found: Iterable[str], size: int = ids.LINK_BYTES) -> list[Condition]:
    """Return the same of links whose own target is one of these URLs; some hold for others of their domain too."""
    made: list[Condition] = []
    for domain, several in _by_domain(found).items():
        if len(several) <= _FEW:
            made += [_links_to_one(url, domain, size) for url in several]
        else:
            made.append({"_id": _within(ids.beginning(ids.of_target(domain), size)), "td": domain})
    return made


def _links_to_one(url: str, domain: str, size: int) -> Condition:
    return {"_id": _within(ids.beginning(ids.of_url(url, domain), size)), "td": domain, "t": url}


def leads(target: Target) -> list[Condition]:
    """Return the same of pages and earlier leads, by where they lead to."""
    return [{"lm": domain, **({} if on is None else {"lt": on})} for domain, on in _parts(target)]


def leads_to(found: Iterable[str]) -> list[Condition]:
    """Return the same of those that lead to one of these URLs."""
    return [{"lm": domain, "lt": {"$in": several}} for domain, several in _by_domain(found).items()]


def on_host(host: str) -> list[Condition]:
    """Return conditions on URLs, one of which holds for those of a host."""
    return [{"$gte": f"{scheme}://{host}/", "$lt": f"{scheme}://{host}0"} for scheme in ("http", "https")]


def domain_of(url: str) -> str:
    """Return the registrable domain of a URL, whatever it is that is said to be one."""
    host = urls.host_of(url)
    return urls.domain_of(host) if host else ""


def _by_domain(found: Iterable[str]) -> dict[str, list[str]]:
    by_domain: dict[str, list[str]] = {}
    for url in found:
        by_domain.setdefault(domain_of(url), []).append(url)
    return by_domain


def _parts(target: Target) -> list[tuple[str, Condition | None]]:
    """Return domains, with what URLs of them have to fulfil (None: nothing)."""
    if domain := whole_domain(target):
        return [(domain, None)]
    if target.name:
        return [(urls.domain_of(target.name), on) for on in on_host(target.name)]
    if target.prefixes:
        return [(domain_of(prefix), {"$gte": prefix, "$lt": prefix + _LAST}) for prefix in target.prefixes]
    return [(domain_of(url), {"$eq": url}) for url in target.urls]


def _within(names: ids.Range) -> Condition:
    return {"$gte": names[0], "$lt": names[1]}
