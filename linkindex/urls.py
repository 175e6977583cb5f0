"""URLs: one canonical form, a 64-bit key, the host, the registrable domain.

Three steps, each with its own promise:

* :func:`parse` - what a browser would make of the text (WHATWG URL Standard, by ada-url), or None;
* :func:`canonical` - the same resource under one spelling: no user info, no fragment, no tracking parameters;
* :func:`key` - 64 bits of the canonical form, for sets that must be small.
"""

from __future__ import annotations

import ipaddress
from functools import cache, lru_cache
from hashlib import blake2b
from importlib.resources import files
from typing import TYPE_CHECKING

import ada_url

if TYPE_CHECKING:
    from tldextract import TLDExtract


def parse(text: str, base: str | None = None) -> str | None:
    """Return the WHATWG serialisation of ``text`` (resolved against ``base``), or None unless it is http or https."""
    try:
        href: str = ada_url.join_url(base, text) if base else ada_url.normalize_url(text)
    except (ValueError, UnicodeEncodeError):  # lone surrogates cannot be UTF-8
        return None
    return href if href.startswith(("https://", "http://")) else None


def canonical(href: str) -> str:
    """Return the canonical form of ``href``, which must be a WHATWG serialisation (see :func:`parse`). Idempotent."""
    end = href.find("#")
    if end >= 0:
        href = href[:end]
    start = href.find("//") + 2
    path = href.find("/", start)
    at = href.rfind("@", start, path)
    if at >= 0:
        href = href[:start] + href[at + 1 :]
    query = href.find("?")
    return href if query < 0 else _without_tracking(href, query)


def canonicalise(text: str) -> str | None:
    """Return the canonical form of whatever a person or a page wrote, or None where it is no http or https URL."""
    href = parse(text)
    return None if href is None else canonical(href)


def with_scheme(text: str, scheme: str = "https") -> str | None:
    """Return what a person typed with a scheme in front, None where it is some other kind of address (``mailto:x``)."""
    if "://" in text:
        return text
    host, colon, rest = text.partition("/")[0].partition(":")
    if "@" in host or "@" in rest or (colon and not rest.isdigit() and not host.startswith("[")):
        return None
    return f"{scheme}://{text}"


def key(url: str) -> int:
    """Return 64 bits (signed, as SQLite and MongoDB hold integers) of a canonical URL."""
    return int.from_bytes(blake2b(url.encode(), digest_size=8).digest(), "big", signed=True)


def host_of(url: str) -> str:
    """Return the host of a canonical URL, with its port where that is not the scheme's own: one politeness gate each."""
    start = url.find("//") + 2
    end = url.find("/", start)
    return url[start:end]


def hostname_of(host: str) -> str:
    """Return ``host`` without its port."""
    if host.endswith("]"):
        return host
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


@lru_cache(maxsize=1 << 14)
def domain_of(host: str) -> str:
    """Return the registrable domain of ``host`` (Public Suffix List with its private part, from the packaged snapshot).

    An address stands for itself, and so does a name that is a public suffix. Under a suffix that the list does not
    know, its default rule ``*`` holds: the last two labels.
    """
    name = hostname_of(host).rstrip(".")
    if _is_address(name):
        return name
    if not name:  # dots alone: a host to the URL Standard, and none to any name server
        return host
    found = _public_suffixes()(name)
    if found.suffix:
        return f"{found.domain}.{found.suffix}" if found.domain else name
    return ".".join(name.split(".")[-2:])


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


@cache
def suffix_list_version() -> str:
    """Return the date of the Public Suffix List in use, as its header says: ``2025-04-07_15-51-09_UTC``."""
    head = files("tldextract").joinpath(".tld_set_snapshot").read_text(encoding="utf-8")[:2000]
    return next((line.split()[-1] for line in head.splitlines() if line.startswith("// VERSION:")), "unknown")


@cache
def _public_suffixes() -> TLDExtract:
    # Imported here: it costs 0.15 s, and a query needs no suffixes.
    from tldextract import TLDExtract

    return TLDExtract(cache_dir=None, suffix_list_urls=(), include_psl_private_domains=True)


@cache
def _tracking_parameters() -> tuple[frozenset[str], tuple[str, ...]]:
    lines = files("linkindex").joinpath("tracking_parameters.txt").read_text(encoding="utf-8").splitlines()
    names = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    prefixes = tuple(name[:-1] for name in names if name.endswith("*"))
    return frozenset(name for name in names if not name.endswith("*")), prefixes


def _without_tracking(href: str, query: int) -> str:
    exact, prefixes = _tracking_parameters()
    parameters = href[query + 1 :].split("&")
    kept = [p for p in parameters if not ((name := p.partition("=")[0].lower()) in exact or name.startswith(prefixes))]
    if len(kept) == len(parameters):
        return href
    return f"{href[:query]}?{'&'.join(kept)}" if kept else href[:query]
