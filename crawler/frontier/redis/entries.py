"""Into the queue: what is discovered, what is admitted later, what is to be visited again; and out of it for good."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TypeVar

from crawler.frontier.order import mark
from crawler.frontier.records import Added, Entry
from crawler.frontier.redis.store import Step, Store, tail_of
from linkindex import urls

_T = TypeVar("_T")
_BATCH = 400  # entries in one step, which nothing else on the server gets in between


class Entries(Store):
    """``add``, ``remember``, ``excluded``, ``again``, ``forget``, ``forget_host``, ``hungry``, ``fed``."""

    keeps_excluded = False

    def add(self, entries: Iterable[Entry], discovered_on: str = "", *, again: bool = False) -> Added:
        return self._add(self._adding(entries, discovered_on, again))

    def _adding(self, entries: Iterable[Entry], discovered_on: str, again: bool = False) -> Iterator[Step]:
        """Yield the steps that add what one page led to."""
        wanted: dict[int, Entry] = {}
        for entry in entries:
            key = urls.key(entry.url)
            if key not in wanted or (entry.excluded, entry.priority) < (wanted[key].excluded, wanted[key].priority):
                wanted[key] = entry
        by_shard: defaultdict[int, list[tuple[int, Entry]]] = defaultdict(list)
        for key, entry in wanted.items():
            by_shard[self._shard(entry.domain)].append((key, entry))
        domain = urls.domain_of(urls.host_of(discovered_on)) if discovered_on else ""
        origin = (discovered_on, domain, mark(domain) if domain else 0, again)
        for shard, keyed in by_shard.items():
            for start in range(0, len(keyed), _BATCH):
                yield Step(shard, "add", (*origin, _groups(keyed[start : start + _BATCH])))

    def _add(self, steps: Iterable[Step]) -> Added:
        replies = self._steps(list(steps))
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


def _groups(keyed: list[tuple[int, Entry]]) -> list[tuple[str, str, list[str | int]]]:
    """Return entries as ``add.lua`` takes them: together by host, flat."""
    groups: dict[str, tuple[str, str, list[str | int]]] = {}
    for key, one in keyed:
        group = groups.get(one.host)
        if group is None:
            group = groups[one.host] = (one.host, one.domain, [])
        place = (one.depth, one.hops, one.sitemap, one.late, one.priority, one.seen)
        group[2].extend((str(key), tail_of(one.url, one.host), *place, one.excluded))
    return list(groups.values())


def _parts(values: list[_T]) -> Iterator[list[_T]]:
    return (values[start : start + _BATCH] for start in range(0, len(values), _BATCH))
