"""SEAM 2: the link index. One contract, whatever holds the rows.

A link is kept as *versions*: a row says that the link looked so from ``since`` until ``until`` (None: still). A changed
attribute closes a version and opens the next, and a lost link closes its last one; so history, new, lost and changed
links all come from one rule (:mod:`linkindex.history`).

Where a URL leads by its own word (a redirect, a canonical) is kept with its versions too. A question about a target is also
about the URLs that lead there, unless ``as_found``.

Calls are synchronous, to be made off the event loop. Errors: :class:`linkindex.errors.Unavailable` when the store does
not answer or cannot write, ``Incompatible`` when its state is not ours. A call that raises has stored nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, Self

from linkindex import url_rules, urls
from linkindex.answers.rows import Backlink, Change, Outlink, PageRow, Seen
from linkindex.errors import BadInput
from linkindex.history import Lead, Patience
from linkindex.model import Visit
from linkindex.store.selection import (
    By,
    Check,
    Compacted,
    Forgotten,
    Group,
    IndexCounts,
    Named,
    Order,
    Per,
    Profile,
    Repeated,
    RunCounts,
    Selection,
    Template,
    Visited,
)
from linkindex.stored import checked
from linkindex.target import Target

__all__ = [
    "By",
    "Check",
    "Compacted",
    "Forgotten",
    "Group",
    "IndexCounts",
    "LinkIndex",
    "Named",
    "Order",
    "Per",
    "Profile",
    "Repeated",
    "RunCounts",
    "Selection",
    "Template",
    "Visited",
    "open_index",
]

PATIENCE = Patience()
_DAMAGED = "take it from a copy, or visit its pages again"


class LinkIndex(Protocol):
    """The contract. Backends: :mod:`linkindex.store.sqlite`, :mod:`linkindex.store.mongo`."""

    def store(self, visits: Iterable[Visit], run: str = "") -> None:
        """Make a batch of canonicalised visits durable, in one write. Idempotent: (url, at) is a visit's identity.

        A visit that is not newer than what is stored of its page changes nothing. ``run`` is kept of pages that are new.
        An unchanged answer is one about the page as it was read last: it ends a doubt, and confirms the links if that
        reading was whole. Of a page that was never read, or given up since, it tells nothing.
        """

    def links(
        self,
        selection: Selection,
        *,
        order: Order = "seen",
        per: Per = "link",
        after: Backlink | None = None,
        limit: int | None = None,
    ) -> Iterator[Backlink]:
        """Stream the selected links in ``order``, one row for each link or for several (``per``), each with its latest
        version; with ``as_of`` the version of then. ``after`` goes on behind a row of the same question."""

    def groups(self, selection: Selection, by: By, limit: int | None = None) -> Iterator[Group]:
        """Stream the selected links counted by a property of theirs ("": one group of all, none where there is no link),
        the largest first, of equal ones by key."""

    def profile(self, selection: Selection) -> Profile:
        """Count the selected links as a whole, by kind and by placement: what :meth:`groups` says, at a third of its cost."""

    def links_of(self, selection: Selection) -> int:
        """Count the selected links."""

    def versions(self, source: str, target: str = "") -> Iterator[Seen]:
        """Stream all versions of the links from one page (a canonical URL) to one target ("": to all), by target and
        ordinal, the oldest first."""

    def changes(self, selection: Selection, limit: int | None = None) -> Iterator[Change]:
        """Stream what happened to the selected links from ``since`` until ``until``, the latest first, of one time by source,
        target and ordinal; ``state`` and ``as_of`` do not matter. Links are selected as they are now: by their latest
        version, and where their target leads today. A change of several attributes is several rows. A link moved when its
        target's own lead did, and its end with it."""

    def leads(self, urls: Iterable[str]) -> dict[str, Lead]:
        """Return where canonical URLs lead by their own word; those that lead nowhere else are left out."""

    def outlinks(self, page: str, limit: int | None = None) -> Iterator[Outlink]:
        """Stream the links of one page (a canonical URL): live ones, lost ones, then internal ones of which only the target is
        kept; the first two external ones first, in the order in which the page has them."""

    def outcome(self, page: str) -> str | None:
        """Return how the last visit to a page ended, None where there was none."""

    def pages(self, target: Target, limit: int | None = None) -> Iterator[PageRow]:
        """Stream the visited pages that a target covers, those with the most external links first."""

    def pages_of(self, target: Target) -> int:
        """Count the visited pages that a target covers."""

    def counts(self) -> IndexCounts:
        """Return what the index holds."""

    def grown(self) -> int:
        """Return how many versions of links there are, roughly: O(1), for watching an index grow."""

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

    def visited(self, target: Target | None = None, run: str = "") -> Iterator[Visited]:
        """Stream the pages that a target covers (None: all), or that a run visited first, and that were visited, whatever
        came of it."""

    def named(self, host: str = "") -> Iterator[Named]:
        """Stream the URLs of a host ("": of all) that links of pages lead to, if those let be followed; some twice.

        Live links, and those that end because their page does not count (``not_indexable``, ``not_canonical``): a crawl
        follows them too. Forms and media are no pages. Links of internal lists have lost their kind, and may be such.
        """

    def about(self, name: str) -> bytes | None:
        """Return what was noted about the whole index under ``name``."""

    def put_about(self, name: str, value: bytes) -> None:
        """Note ``value`` under ``name``, durably."""

    def put_ranks(self, pages: Iterable[tuple[str, float]], domains: Iterable[tuple[str, float]]) -> None:
        """Make these the ranks of pages (canonical URLs) and domains, in place of all that were there. What the index does
        not know is left out."""

    def runs(self) -> Iterator[RunCounts]:
        """Stream the runs that visited pages first, the one that began last first."""

    def forget(self, target: Target | None = None, run: str = "") -> Forgotten:
        """Take out the visited pages that a target covers, or that a run visited first, with their links, texts and
        history, and where they led. Links of other pages that point there stay: they are those pages' words. With
        neither, nothing is taken out."""

    def compact(self) -> Iterator[Compacted]:
        """Give back the room on disk that the index holds and does not use, and pack tighter what can be. No answer changes.

        Yields how far it is. Others may read and write meanwhile; who writes may have to wait. It may be stopped, or killed,
        at any point; called again, it goes on. Where there is too little room to do it, nothing is changed.
        """

    def check(self) -> Iterator[Check]:
        """Stream what the index needs to answer well, and whether it has it."""

    def close(self) -> None:
        """Let go of the store."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


def open_index(
    url: str,
    *,
    create: bool = False,
    internal_links: bool = False,
    full_durability: bool = False,
    patience: Patience = PATIENCE,
    time_limit: float = 0.0,
    wait: float | None = None,
) -> LinkIndex:
    """Open the index that ``url`` names: ``sqlite:///PATH`` or ``mongodb://HOST:PORT,…/NAME``.

    ``internal_links`` keeps links inside one registrable domain in full, not only as a list of paths.
    ``full_durability`` keeps every acknowledged write through a loss of power, not only through a kill (SQLite; MongoDB
    always does). ``patience`` is when a page that fails counts as gone. A question that takes longer than ``time_limit``
    seconds (0: any) raises :class:`linkindex.errors.TimedOut`. ``wait`` is for how many seconds a call waits for a store that
    is busy or away before it says so (None: as suits the store); callers that are patient themselves want few.
    Raises :class:`BadInput` for another scheme, or a place that cannot be used or (without ``create``) does not exist.
    """
    if url.startswith("sqlite:///"):
        from linkindex.store.sqlite import SqliteIndex

        path = url.removeprefix("sqlite:///")

        def opening() -> LinkIndex:
            return SqliteIndex.open(
                path,
                create=create,
                internal_links=internal_links,
                full_durability=full_durability,
                patience=patience,
                time_limit=time_limit,
                wait=wait,
            )

        index = checked(opening, f"index {path}", _DAMAGED)
    elif url.startswith(("mongodb://", "mongodb+srv://")):
        from linkindex.store.mongo import MongoIndex

        def opening() -> LinkIndex:
            return MongoIndex.open(
                url, create=create, internal_links=internal_links, patience=patience, time_limit=time_limit, wait=wait
            )

        index = checked(opening, "index in MongoDB", _DAMAGED)
    else:
        scheme = url.partition(":")[0]
        raise BadInput(f"index {scheme!r}: not an index URL; write sqlite:///PATH or mongodb://HOST:PORT/NAME")
    if create:
        _note_rules(index)
    return index


def _note_rules(index: LinkIndex) -> None:
    """Note by which rules the URLs and domains are made that are stored from now on."""
    rules = {"url_rules": str(url_rules.VERSION), "suffix_list": urls.suffix_list_version()}
    for name, version in rules.items():
        if index.about(name) != version.encode():
            index.put_about(name, version.encode())
