"""Into the queue: what is discovered, what is admitted later, what is to be visited again; and out of it for good."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from struct import pack
from typing import Any, TypeVar

from crawler.frontier.order import mark
from crawler.frontier.records import Added, Entry
from crawler.frontier.redis.store import Step, Store, tail_of
from linkindex import urls

_T = TypeVar("_T")
_BATCH = 400  # entries in one step, which nothing else on the server gets in between


class Entries(Store):
    """``add``, ``remember``, ``excluded``, ``again``, ``forget``, ``forget_host``, ``hungry``, ``fed``."""

    keeps_ended = False

    def add(self, entries: Iterable[Entry], discovered_on: str = "", *, again: bool = False) -> Added:
        return self._add([(discovered_on, entries)], again)

    def _add(self, led: Iterable[tuple[str, Iterable[Entry]]], again: bool = False) -> Added:
        """Add what pages ("" for none) led to. What several led to is sent once."""
        pages: list[str] = []
        wanted: dict[int, _Found] = {}
        for page, entries in led:
            pages.append(page)
            domain = urls.domain_of(urls.host_of(page)) if page else ""
            _gather(entries, domain, len(pages) if page else 0, wanted)
        by_shard: defaultdict[int, list[tuple[int, _Found]]] = defaultdict(list)
        for key, found in wanted.items():
            by_shard[self._shard(found.entry.domain)].append((key, found))
        steps = [
            Step(shard, "add", *_inputs(pages, again, part))
            for shard, keyed in by_shard.items()
            for part in _parts(sorted(keyed, key=_group))
        ]
        replies = self._steps(steps)
        new, known, refused, waiting, woke = (sum(numbers) for numbers in zip((0,) * 5, *replies, strict=True))
        if woke:
            self._wake()
        return Added(new, known, refused, waiting)

    def remember(self, entries: Iterable[Entry]) -> int:
        by_shard: defaultdict[int, set[str]] = defaultdict(set)
        for entry in entries:
            by_shard[self._shard(entry.domain)].add(str(urls.key(entry.url)))
        steps = [Step(shard, "remember", part) for shard, keys in by_shard.items() for part in _parts(list(keys))]
        return sum(self._steps(steps))

    def excluded(self, reasons: Iterable[str]) -> Iterator[Entry]:
        self._everywhere("unexclude", list(reasons))
        return iter(())

    def again(self) -> int:
        queued = 0
        for shard in self._shards:
            first, more = True, 1
            while more:
                n, more = self._step(shard, "again", [first])
                queued, first = queued + n, False
        self._spread_budget()
        self._wake()
        return queued

    def _spread_budget(self) -> None:
        raise NotImplementedError

    def forget(self, urls_: Iterable[str]) -> int:
        by_shard: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
        for url in dict.fromkeys(urls_):
            host = urls.host_of(url)
            by_shard[self._shard_of(host)].append((str(urls.key(url)), host))
        return sum(
            self._steps([Step(shard, "forget", part) for shard, each in by_shard.items() for part in _parts(each)])
        )

    def forget_host(self, host: str) -> int:
        return int(self._step(self._shard_of(host), "forget", host))

    def hungry(self, limit: int) -> list[str]:
        found: list[str] = []
        for shard in self._shards:
            if len(found) < limit:
                found += [host.decode() for host in self._step(shard, "hungry", limit - len(found))]
        return found

    def fed(self, host: str, more: bool) -> None:
        self._step(self._shard_of(host), "fed", (host, more))


class _Found:
    """An entry, as one or several pages led to it."""

    __slots__ = ("entry", "marks", "page", "seen")

    def __init__(self, entry: Entry, page: int) -> None:
        self.entry, self.page = entry, page  # the number of the first page, from 1; 0: none
        self.marks, self.seen = 0, 0


def _gather(entries: Iterable[Entry], domain: str, page: int, wanted: dict[int, _Found]) -> None:
    """Put what a page of ``domain`` led to into ``wanted``, by key."""
    bit = mark(domain) if domain else 0
    here: set[int] = set()
    for entry in entries:
        key = urls.key(entry.url)
        found = wanted.get(key)
        if found is None:
            found = wanted[key] = _Found(entry, page)
        elif (entry.excluded, entry.priority) < (found.entry.excluded, found.entry.priority):
            found.entry = entry
        if entry.domain != domain:
            found.marks |= bit
        if key not in here:  # a page that links twice has discovered once
            here.add(key)
            found.seen += entry.seen


def _group(keyed: tuple[int, _Found]) -> tuple[str, str]:
    """Return what an entry shares with others in ``add.lua``: its host, and the reason why it is not admitted.

    Seeds, and sitemaps that a robots.txt names, wait nowhere else: they ("!") are always taken in.
    """
    one = keyed[1].entry
    return one.host, one.excluded or ("" if one.depth and not one.sitemap else "!")


def _inputs(pages: list[str], again: bool, keyed: list[tuple[int, _Found]]) -> tuple[object, list[bytes]]:
    """Return entries, which are in the order of their groups, as ``add.lua`` takes them: with the pages that they name."""
    numbers: dict[int, int] = {0: 0}
    groups: list[list[Any]] = []
    keys: list[bytes] = []
    lines: list[bytes] = []
    end = 0
    columns: list[list[int]] = [[] for _ in range(6)]
    shared: tuple[str, str] | None = None
    for i, each in enumerate(keyed, 1):
        key, found = each
        one = found.entry
        if (group := _group(each)) != shared:
            shared = group
            groups.append([one.host, one.domain, group[1], 0, i, i])
        groups[-1][3] |= found.marks
        groups[-1][5] = i
        text = b"%d" % key
        line = f"{one.depth} {one.hops} {one.sitemap} {one.late} {tail_of(one.url, one.host)}".encode()
        keys += (b"%c" % len(text), text)
        lines.append(line)
        end += len(line)
        page = numbers.setdefault(found.page, len(numbers))
        row = (one.priority, int(text[-9:]), found.seen, page, found.marks, end)
        for column, number in zip(columns, row, strict=True):
            column.append(number)
    packed = pack(f">{len(keyed)}i{5 * len(keyed)}I", *chain.from_iterable(columns))
    named = [pages[page - 1] for page in numbers if page]
    return (named, again, len(keyed), groups), [b"".join(keys), packed, b"".join(lines)]


def _parts(values: list[_T]) -> Iterator[list[_T]]:
    return (values[start : start + _BATCH] for start in range(0, len(values), _BATCH))
