"""What a question is about: a domain, a host, everything under a URL prefix, or one URL."""

from __future__ import annotations

import msgspec

from linkindex import urls
from linkindex.errors import BadInput


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Exactly one of the three is set. A ``name`` that is a registrable domain stands for all its hosts."""

    text: str  # as the user wrote it, for display
    name: str = ""  # a domain or a host, A-labels, lower case
    prefixes: tuple[str, ...] = ()  # canonical beginnings of URLs
    urls: tuple[str, ...] = ()  # canonical URLs


def parse_target(text: str) -> Target:
    """Read a target as people write it.

    ``example.com`` and ``www.example.com`` are names, ``https://example.com/blog/*`` is a prefix,
    ``https://example.com/page`` is one URL; without a scheme, a path is looked up under both.
    Raises :class:`BadInput` for anything else.
    """
    wanted = text.strip() if isinstance(text, str) else ""
    prefix = wanted.endswith("*")
    spelled = wanted[:-1] if prefix else wanted
    forms = [form for scheme in ("https", "http") if spelled and (form := urls.with_scheme(spelled, scheme))]
    found = [url for form in dict.fromkeys(forms) if (url := urls.canonicalise(form))]
    if not found or "*" in spelled:
        raise BadInput(
            f"target {text!r}: not a domain, host, URL or URL prefix; "
            "write example.com, https://example.com/page or 'https://example.com/blog/*'"
        )
    bare = "://" not in spelled and "/" not in spelled and "?" not in spelled
    if bare and not prefix:
        return Target(text=wanted, name=urls.host_of(found[0]))
    if prefix:
        return Target(text=wanted, prefixes=tuple(found))
    return Target(text=wanted, urls=tuple(found))


def parse_page(text: str) -> str:
    """Return the canonical URL of one page as people write it; without a scheme, https is meant.

    Raises :class:`BadInput` for what is no http or https URL.
    """
    spelled = urls.with_scheme(text.strip()) if isinstance(text, str) else None
    url = urls.canonicalise(spelled) if spelled else None
    if url is None:
        raise BadInput(f"page {text!r}: not an http or https URL; write https://example.com/page")
    return url
