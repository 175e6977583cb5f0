"""Turns what a page writes into absolute URLs as WHATWG resolves them, each distinct spelling once."""

from __future__ import annotations

import re

import ada_url

from linkindex import urls

MAX_URL_CHARS = 8192  # RFC 9110 section 4.1 asks for at least 8000; longer ones are traps or data


# What the URL Standard leaves as it is, as most links are: a host of plain labels that is no number and not encoded, no dot
# segment, nothing to encode. Telling it takes a fifth of the time of parsing.
_PLAIN = re.compile(
    r"(?:https?://(?:(?!xn--)[a-z0-9-]+\.)+(?!xn--)[a-z]{2,})?/(?:[\w\-~][\w\-.~]*/)*(?:[\w\-~][\w\-.~]*)?"
    r"(?:\?[\w\-.~=&%+/]*)?(?:#[\w\-.~=&%+/]*)?",
    re.ASCII,
)


class Resolver:
    """Resolves the hrefs of the page at ``url``.

    ``declared_base`` is the href of its base element, None where it has none
    (https://html.spec.whatwg.org/#document-base-url).
    """

    def __init__(self, url: str, declared_base: str | None) -> None:
        self.page = urls.parse(url)
        self.page_without_fragment = without_fragment(self.page or "")
        base = self.page if declared_base is None else _base(declared_base, self.page)
        # Joining many hrefs to a base of a megabyte would fill the memory; absolute hrefs still work without it.
        self.base = base if base is None or len(base) <= MAX_URL_CHARS else None
        self._origin = _origin(self.base)
        self._known: dict[str, str | None] = {}

    def __call__(self, href: str) -> str | None:
        """Return the absolute URL, None where it is none that a crawler could follow."""
        try:
            return self._known[href]
        except KeyError:
            target = self._known[href] = self._resolve(href)
            return target

    def _resolve(self, href: str) -> str | None:
        if len(href) > MAX_URL_CHARS:
            return None
        if (self._origin or href[:1] != "/") and _PLAIN.fullmatch(href):
            target: str | None = self._origin + href if href[0] == "/" else href
        else:
            target = urls.parse(href, self.base)
        return target if target is None or len(target) <= MAX_URL_CHARS else None


def without_fragment(url: str) -> str:
    """Return ``url`` up to its ``#``."""
    end = url.find("#")
    return url if end < 0 else url[:end]


def _base(href: str, page: str | None) -> str | None:
    try:
        url = ada_url.URL(href, page) if page else ada_url.URL(href)
    except (ValueError, UnicodeEncodeError):
        return page
    return page if url.protocol in ("data:", "javascript:") else str(url.href)


def _origin(base: str | None) -> str:
    """Return what stands before the path of ``base``, "" unless it is http or https."""
    if base is None or not base.startswith(("http://", "https://")):
        return ""
    return base[: base.index("/", base.index("//") + 2)]
