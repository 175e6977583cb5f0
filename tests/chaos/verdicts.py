"""The verdicts: pure functions over what the site was asked and what the index holds. Each returns what went wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

from tests.chaos.web import CLOSED, RETRY_AFTER, ROBOTS

TOLERANCE = 0.005  # s
UNHEARD = 1.0  # s before its death in which a node may not have come to keep what a host had asked for

Span = tuple[float, float]  # from when until when, s of the monotonic clock
NEVER = (0.0, 0.0)


class Ask(NamedTuple):
    """One request, as the site saw it; seconds of the monotonic clock."""

    start: float
    end: float
    host: str
    path: str
    status: int  # 0: the client was gone before the answer
    by: str  # the node, each incarnation under its own name


class Ended(NamedTuple):
    """How a process ended."""

    name: str
    code: int
    told: bool  # to stop: by a signal
    left: int  # URLs that the frontier still had to visit then
    said: str = ""  # last


def read_log(text: str) -> list[Ask]:
    """Return what a site's log tells, by start."""
    asks = []
    for line in text.splitlines():
        start, end, host, path, status, by = line.split(" ")
        asks.append(Ask(float(start), float(end), host, path, int(status), by))
    return sorted(asks)


def urls_lost(asks: Iterable[Ask], read: Set[str], wanted: Set[tuple[str, str]]) -> list[str]:
    """Return the pages that were not answered to anybody, or are not in the index; ``read``: URLs of those that are."""
    answered = {(ask.host, ask.path) for ask in asks if ask.status == 200}
    return sorted(
        url for host, path in wanted if (url := f"http://{host}{path}") not in read or (host, path) not in answered
    )


def links_lost(held: Counter[tuple[str, str]], planted: Counter[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted((planted - held).elements())


def links_doubled(held: Counter[tuple[str, str]], planted: Counter[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return links that are held too often: ``held`` counts every version, so one that was closed and opened is there."""
    return sorted((held - planted).elements())


def refetches(asks: Iterable[Ask]) -> Counter[str]:
    """Count the pages that were asked for again, by who had asked for them before. A 503 asks for it."""
    before: dict[tuple[str, str], Ask] = {}
    again: Counter[str] = Counter()
    for ask in asks:
        page = (ask.host, ask.path)
        if ask.path != ROBOTS:
            if page in before and before[page].status != 503:
                again[before[page].by] += 1
            before[page] = ask
    return again


def too_many_refetches(again: Counter[str], allowed: Mapping[str, int]) -> dict[str, int]:
    """Return by how many pages each node was over what it may leave behind: nothing, but for those in ``allowed``."""
    return {by: count - allowed.get(by, 0) for by, count in again.items() if count > allowed.get(by, 0)}


def silent_finishes(ends: Iterable[Ended]) -> list[Ended]:
    """Return the processes that ended as if all were done, by themselves, with work left."""
    return [end for end in ends if end.code == 0 and not end.told and end.left]


def gaps(
    asks: Iterable[Ask], delays: Mapping[str, float], deaths: Mapping[str, float], blind: Span = NEVER
) -> list[str]:
    """Return the fetches that came too soon after the one before, on the same host.

    A host's delay binds from the first page on: nobody can know it before. A Retry-After that a node did not survive to
    keep (``deaths``: when each died) binds nobody, nor does anything while the frontier is ``blind``.
    """
    return [
        f"{ask.start - before.end:.3f} s, not {due:g}: {_told(before)}, then {_told(ask)}"
        for before, ask, due in _intervals(asks, delays, deaths)
        if ask.start - before.end < due - TOLERANCE and not _within(blind, ask)
    ]


def _intervals(
    asks: Iterable[Ask], delays: Mapping[str, float], deaths: Mapping[str, float]
) -> Iterator[tuple[Ask, Ask, float]]:
    for host, own in _by_host(asks).items():
        known = False
        for before, ask in pairwise(own):
            known = known or {before.path, ask.path} != {ROBOTS}
            due = delays[host] if known else 0.0
            heard = before.end < deaths.get(before.by, float("inf")) - UNHEARD
            yield before, ask, max(due, RETRY_AFTER if before.status == 503 and heard else 0.0)


def crowded(asks: Iterable[Ask], blind: Span = NEVER) -> list[str]:
    """Return the fetches that began while another of the same host was under way."""
    over = []
    for own in _by_host(asks).values():
        latest = own[0]
        for ask in own[1:]:
            if ask.start < latest.end and not _within(blind, ask):
                over.append(f"{_told(ask)} while {_told(latest)}")
            latest = max(latest, ask, key=attrgetter("end"))
    return over


def _within(span: Span, ask: Ask) -> bool:
    return span[0] < ask.start < span[1]


def disallowed(asks: Sequence[Ask]) -> list[str]:
    """Return the fetches of what robots.txt closes, and those before it had been read."""
    known: dict[str, float] = {}
    for ask in asks:
        if ask.path == ROBOTS and ask.status == 200:
            known[ask.host] = min(ask.end, known.get(ask.host, ask.end))
    return [
        _told(ask)
        for ask in asks
        if ask.path != ROBOTS and (ask.path.startswith(CLOSED) or ask.start < known.get(ask.host, float("inf")))
    ]


def _by_host(asks: Iterable[Ask]) -> dict[str, list[Ask]]:
    hosts: defaultdict[str, list[Ask]] = defaultdict(list)
    for ask in sorted(asks):
        hosts[ask.host].append(ask)
    return hosts


def _told(ask: Ask) -> str:
    return f"{ask.host}{ask.path} ({ask.status}) by {ask.by}"
