"""What a list of URLs (a sitemap or a feed) brings home, and why some of its entries do not come along."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import msgspec

from crawler.extract.dates import moment
from crawler.extract.links import ANCHOR_CHARS, fold
from crawler.extract.resolving import without_fragment
from linkindex import urls
from linkindex.model import Link

MAX_PIECES = 1024  # of one element's text that are kept: each reference makes one, and one more around it


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What a sitemap or feed says. Targets are absolute, WHATWG-serialised, not canonical."""

    title: str = ""
    links: tuple[Link, ...] = ()
    refused: dict[str, int] = {}  # why entries are left out: no_url, not_a_url, url_too_long, duplicate
    # Why not all of it was read: entities, dtd, broken_xml, too_much_markup, too_many_urls. A part that was read stands.
    broken: str = ""

    @property
    def reason(self) -> str:
        """What there is to say of it in one line, ``""`` where it is in order."""
        counts = (f"{why} {count}" for why, count in sorted(self.refused.items()))
        return ", ".join(filter(None, (self.broken, *counts)))


class Gathering:
    """Links in the making, in document order; each target once for each kind."""

    def __init__(self, page: str, follow: bool, url_chars: int) -> None:
        self.refused: Counter[str] = Counter()
        self._page = without_fragment(page)
        self._follow = follow
        self._url_chars = url_chars
        self._links: list[Link] = []
        self._seen: set[tuple[str, str]] = set()
        self._ordinals: Counter[str] = Counter()

    def add(
        self,
        kind: str,
        href: str,
        base: str | None = None,
        anchor: str = "",
        modified: int = 0,
        rel: tuple[str, ...] = (),
    ) -> str:
        """Take a link in, or return why not. What links to the list itself is left out without a reason."""
        href = href.strip()
        if not href:
            return "no_url"
        if len(href) > self._url_chars:
            return "url_too_long"
        target = urls.parse(href, base)
        if target is None:
            return "not_a_url"
        page = without_fragment(target)
        if (kind, page) in self._seen:
            return "duplicate"
        self._seen.add((kind, page))
        if page != self._page:
            ordinal = self._ordinals[page]
            self._ordinals[page] = ordinal + 1
            self._links.append(
                Link(
                    target=target,
                    kind=kind,
                    anchor=fold(anchor, ANCHOR_CHARS) if anchor else "",
                    rel=rel,
                    follow=self._follow,
                    ordinal=ordinal,
                    modified=modified,
                )
            )
        return ""

    def __len__(self) -> int:
        return len(self._links)

    def listing(self, broken: str, title: str = "") -> Listing:
        """Return what was gathered."""
        return Listing(
            title=fold(title, ANCHOR_CHARS), links=tuple(self._links), refused=dict(self.refused), broken=broken
        )


@lru_cache(maxsize=1 << 12)
def modified(text: str) -> int:
    """Return when that is in milliseconds since 1970-01-01 UTC, 0 where it says no moment: many entries share one."""
    return moment(text) or 0
