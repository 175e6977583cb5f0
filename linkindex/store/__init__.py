"""SEAM 2: the link index. One contract, whatever holds the rows.

A link is kept as *versions*: a row says that the link looked so from ``since`` until ``until`` (None: still). A changed
attribute closes a version and opens the next, and a lost link closes its last one; so history, new, lost and changed
links all come from one rule (:mod:`linkindex.history`).

Calls are synchronous, to be made off the event loop. Errors: :class:`linkindex.errors.Unavailable` when the store does
not answer or cannot write, ``Incompatible`` when its state is not ours. A call that raises has stored nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, Protocol, Self

from linkindex import url_rules, urls
from linkindex.answers.rows import Backlink, Outlink, PageRow
from linkindex.errors import BadInput
from linkindex.model import Visit
from linkindex.store.selection import Group, IndexCounts, Named, Repeated, Selection, Template, Visited
from linkindex.stored import checked
from linkindex.target import Target

__all__ = [
    "Group",
    "IndexCounts",
    "LinkIndex",
    "Named",
    "Repeated",
    "Selection",
    "Template",
    "Visited",
    "open_index",
]


class LinkIndex(Protocol):
    """The contract. Backends: :mod:`linkindex.store.sqlite`."""

    def store(self, visits: Iterable[Visit]) -> None:
        """Make a batch of canonicalised visits durable, in one write. Idempotent: (url, at) is a visit's identity.

        A visit that is not newer than what is stored of its page changes nothing.
        """

    def links(self, selection: Selection, limit: int | None = None) -> Iterator[Backlink]:
        """Stream the selected links, each with its latest version: followed ones first, then the latest seen."""

    def groups(self, selection: Selection, by: Literal["", "domain", "anchor", "kind", "placement"]) -> Iterator[Group]:
        """Stream the selected links counted by a property of theirs ("": one group of all), the largest first."""

    def outlinks(self, page: str, limit: int | None = None) -> Iterator[Outlink]:
        """Stream the links of one page (a canonical URL): live ones in full first, then internal ones kept as paths."""

    def outcome(self, page: str) -> str | None:
        """Return how the last visit to a page ended, None where there was none."""

    def pages(self, target: Target, limit: int | None = None) -> Iterator[PageRow]:
        """Stream the visited pages that a target covers, those with the most external links first."""

    def pages_of(self, target: Target) -> int:
        """Count the visited pages that a target covers."""

    def counts(self) -> IndexCounts:
        """Return what the index holds."""

    def versions(self) -> int:
        """Return how many versions of links were ever stored: O(1), for watching an index grow."""

    def hosts(self) -> Iterator[tuple[str, int]]:
        """Stream the hosts of pages that were read, each with how many; safe to write while it runs."""

    def repeated(self, host: str, least: int) -> Iterator[Repeated]:
        """Stream the links that at least ``least`` pages of ``host`` have alike: target, anchor and placement."""

    def put_templates(self, host: str, templates: Iterable[Template]) -> None:
        """Make ``templates`` what the index knows of links that the pages of ``host`` repeat, in place of what it knew."""

    def terms_sample(self, size: int) -> Iterator[tuple[str, bytes]]:
        """Stream domain and term vector of some ``size`` pages from all over the index."""

    def terms_of(self, domain: str, size: int) -> Iterator[bytes]:
        """Stream the term vectors of at most ``size`` pages of a registrable domain."""

    def visited(self, target: Target | None = None) -> Iterator[Visited]:
        """Stream the pages that a target covers (None: all) and that were visited, whatever came of it."""

    def named(self, host: str = "") -> Iterator[Named]:
        """Stream the URLs of a host ("": of all) that live links of pages lead to, if those let be followed; some twice.

        Forms and media are no pages. Links of internal lists have lost their kind, and may be such.
        """

    def about(self, name: str) -> bytes | None:
        """Return what was noted about the whole index under ``name``."""

    def put_about(self, name: str, value: bytes) -> None:
        """Note ``value`` under ``name``, durably."""

    def close(self) -> None:
        """Let go of the store."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


def open_index(
    url: str, *, create: bool = False, internal_links: bool = False, full_durability: bool = False
) -> LinkIndex:
    """Open the index that ``url`` names: ``sqlite:///PATH``.

    ``internal_links`` keeps links inside one registrable domain in full, not only as a list of paths.
    ``full_durability`` keeps every acknowledged write through a loss of power, not only through a kill.
    Raises :class:`BadInput` for another scheme, or a path that cannot be used or (without ``create``) does not exist.
    """
    if url.startswith("sqlite:///"):
        from linkindex.store.sqlite import SqliteIndex

        path = url.removeprefix("sqlite:///")
        found: LinkIndex = checked(
            lambda: SqliteIndex.open(
                path, create=create, internal_links=internal_links, full_durability=full_durability
            ),
            f"index {path}",
            "take it from a copy, or visit its pages again",
        )
        if create:
            _note_rules(found)
        return found
    raise BadInput(f"index {url!r}: not an index URL; write sqlite:///PATH")


def _note_rules(index: LinkIndex) -> None:
    """Note by which rules the URLs and domains are made that are stored from now on."""
    rules = {"url_rules": str(url_rules.VERSION), "suffix_list": urls.suffix_list_version()}
    for name, version in rules.items():
        if index.about(name) != version.encode():
            index.put_about(name, version.encode())
