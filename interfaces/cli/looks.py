"""One look at a crawl under way: what its frontier, its index and, where they listen, its nodes say."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from crawler.frontier import Counts, Frontier, Gates, Seen
from crawler.job import read_job
from interfaces.web.asking import ask
from linkindex.errors import BadInput, LinkatlasError
from linkindex.store import LinkIndex


class NodeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A node as the frontier knows it. ``seen`` is seconds since its last sign of life."""

    node: str
    state: str
    seen: float
    leases: int
    pages: int
    pages_a_second: float


class MetricsRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a node tells itself, by address; None where it did not answer. Times are ms, on average since the look before."""

    address: str
    state: str  # "ready", or what is wrong
    under_way: int | None = None
    unstored: int | None = None
    fetch: float | None = None
    parse: float | None = None
    store: float | None = None  # of a batch
    lag: float | None = None  # of the event loop
    memory: int | None = None  # MB


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. ``problem`` says which store did not answer, what it said last is then told again."""

    at: datetime
    run: str = ""
    pages_a_second: float = 0.0
    counts: Counts = Counts()
    gates: Gates = Gates(open=0, held=0, overdue=0.0)
    spent: bool = False
    links: int | None = None  # None: there is no index
    links_a_second: float | None = None  # None at the first look
    nodes: list[NodeRow] = []
    metrics: list[MetricsRow] = []
    problem: str = ""


class Looker:
    """Looks again and again. ``addresses`` are "HOST:PORT" of nodes that listen (``--metrics-port``)."""

    def __init__(self, frontier: Frontier, index: LinkIndex | None, addresses: Sequence[str] = ()) -> None:
        self._frontier = frontier
        self._index = index
        self._places = [_place(address) for address in addresses]
        self._last = Look(at=datetime.now(UTC))
        self._links: tuple[float, int] | None = None
        self._told: dict[str, Mapping[str, float]] = {}

    def look(self) -> Look:
        """Return what all say now."""
        now: dict[str, Any] = {"at": datetime.now(UTC)}
        if self._places:
            now["metrics"] = asyncio.run(self._ask_nodes())
        try:
            self._last = Look(**now, **self._ask_stores())
        except LinkatlasError as error:
            self._last = msgspec.structs.replace(self._last, **now, problem=str(error))
        return self._last

    def _ask_stores(self) -> dict[str, Any]:
        seen = self._frontier.nodes()
        return {
            "run": read_job(self._frontier).run,
            "pages_a_second": round(sum(one.beat.rate for one in seen if one.alive), 1),
            "counts": self._frontier.counts(),
            "gates": self._frontier.gates(),
            "spent": self._frontier.outlook().spent,
            "nodes": [_row(one) for one in seen],
            **self._ask_index(),
        }

    def _ask_index(self) -> dict[str, Any]:
        if self._index is None:
            return {}
        now, links, before = time.monotonic(), self._index.grown(), self._links
        self._links = now, links
        speed = round((links - before[1]) / (now - before[0]), 1) if before else None
        return {"links": links, "links_a_second": speed}

    async def _ask_nodes(self) -> list[MetricsRow]:
        return list(await asyncio.gather(*(self._ask_node(host, port) for host, port in self._places)))

    async def _ask_node(self, host: str, port: int) -> MetricsRow:
        address = f"{host}:{port}"
        try:
            _, ready = await ask(host, port, "/readyz")
            status, text = await ask(host, port, "/metrics")
        except (OSError, TimeoutError):
            return MetricsRow(address=address, state="does not answer")
        told = _samples(text) if status == 200 else {}
        if "linkatlas_leases" not in told:
            return MetricsRow(address=address, state="is no linkatlas")
        before, self._told[address] = self._told.get(address, {}), told
        return MetricsRow(
            address=address,
            state=ready.strip().removeprefix("not ready: "),
            under_way=int(told["linkatlas_visits_under_way"]),
            unstored=int(told["linkatlas_unstored_visits"]),
            memory=round(told["linkatlas_process_resident_memory_bytes"] / 1e6),
            **{name: _mean(metric, before, told) for name, metric in _TIMES.items()},
        )


_TIMES = {
    "fetch": "linkatlas_fetch_seconds",
    "parse": "linkatlas_parse_seconds",
    "store": "linkatlas_store_seconds",
    "lag": "linkatlas_event_loop_lag_seconds",
}


def _mean(metric: str, before: Mapping[str, float], now: Mapping[str, float]) -> float | None:
    """Return the mean of a histogram in ms between two looks; None where nothing was measured."""
    total, count = (now[f"{metric}_{part}"] - before.get(f"{metric}_{part}", 0.0) for part in ("sum", "count"))
    return round(total / count * 1000, 1) if count > 0 else None


def _samples(text: str) -> dict[str, float]:
    """Return what has no label."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name.startswith("linkatlas_") and "{" not in name:
            found[name] = float(value)
    return found


def _row(seen: Seen) -> NodeRow:
    beat = seen.beat
    return NodeRow(
        node=beat.node,
        state=state_of(seen),
        seen=round(seen.ago, 1),
        leases=beat.hand,
        pages=beat.pages,
        pages_a_second=round(beat.rate, 1),
    )


def state_of(seen: Seen) -> str:
    """Return what a node is at, in a word or two; one that gives no signs of life may be gone."""
    return "silent" if not seen.alive else "draining" if seen.draining else "at work"


def _place(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise BadInput(f"--metrics {address!r}: no address of a node; write HOST:PORT, as in 127.0.0.1:9464")
    return host.strip("[]"), int(port)
