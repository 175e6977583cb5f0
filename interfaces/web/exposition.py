"""What a node measures, told to Prometheus. The table is the documentation too: docs/metrics.md is written from it.

No label holds what a stranger could choose (a host, a URL, a reason): each makes a time series, and there is no end of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from crawler.frontier import Counts
from crawler.metrics import Histogram
from crawler.vitals import Vitals

PREFIX = "linkatlas_"

Value = float | Mapping[Any, float] | Histogram | None
"""A mapping has a value for each value of the label; None: there is nothing to tell."""


class Told(NamedTuple):
    """One metric. Counters get the ending ``_total``; sizes are bytes, times are seconds."""

    name: str
    kind: str  # counter, gauge or histogram
    help: str
    read: Callable[[Vitals], Value]
    label: str = ""


def _states(counts: Counts) -> Mapping[str, float]:
    return {name: getattr(counts, name) for name in ("queued", "scheduled", "leased", "done", "failed", "excluded")}


TABLE = (
    # What the node has done.
    Told("pages", "counter", "Visits that are durable in the index, by outcome.", lambda v: v.metrics.pages, "outcome"),
    Told("fetched_bytes", "counter", "Bytes of the bodies that were fetched, as they came.", lambda v: v.metrics.bytes),
    Told("links", "counter", "Links on the pages that were visited.", lambda v: v.metrics.links),
    Told(
        "leases_lost", "counter", "Leases that had run out before their visits were acknowledged; others have them.",
        lambda v: v.metrics.leases_lost,
    ),
    Told(
        "store_errors", "counter", "Calls of a store that it did not do, each try counted: of the index, failed writes.",
        lambda v: {name: call.errors for name, call in v.stores.items()}, "store",
    ),
    Told(
        "fetch_seconds", "histogram", "From the beginning of a fetch to its end, with an answer or without.",
        lambda v: v.metrics.fetch,
    ),
    Told("parse_seconds", "histogram", "Reading one page: the event loop does nothing else.", lambda v: v.metrics.parse),
    Told(
        "store_seconds", "histogram", "From a batch of visits to when it is durable in the index.",
        lambda v: v.metrics.store,
    ),
    Told("complete_seconds", "histogram", "Ending the leases of a batch of visits.", lambda v: v.metrics.complete),
    Told(
        "event_loop_lag_seconds", "histogram", "How late the event loop did what it was to do, looked at twice a second.",
        lambda v: v.metrics.lag,
    ),
    # How the node is.
    Told("leases", "gauge", "Leases in hand.", lambda v: v.leases),
    Told("oldest_lease_seconds", "gauge", "For how long the oldest of them has been.", lambda v: v.oldest_lease),
    Told("visits_under_way", "gauge", "Visits begun and not yet acknowledged; at most --concurrency.", lambda v: v.under_way),
    Told("unstored_visits", "gauge", "Of these, on their way into the index.", lambda v: v.unstored()),
    Told("unacknowledged_visits", "gauge", "Of these, stored, with leases still to end.", lambda v: v.unacknowledged),
    Told("draining", "gauge", "1 while the node takes no new lease because it is to leave.", lambda v: v.draining),
    Told(
        "store_silent_seconds", "gauge", "For how long a store has not answered what it was asked; 0: it answers.",
        lambda v: v.silent(), "store",
    ),
    Told(
        "worst_host_error_share", "gauge",
        "The largest share of errors among the latest fetches from one host, of hosts with at least 20; the log names it.",
        lambda v: v.metrics.hosts.worst(),
    ),
    Told(
        "failing_hosts", "gauge", "Hosts, of those, from which more than half of the fetches fail.",
        lambda v: v.metrics.hosts.failing(),
    ),
    Told("disk_free_bytes", "gauge", "Free where an embedded index lies; not told of one on a server.", lambda v: v.disk()),
    # How the crawl is: the same from each of its nodes.
    Told(
        "frontier_urls", "gauge", "URLs of the frontier, by state; all of them are what was discovered.",
        lambda v: v.shared and _states(v.shared.counts), "state",
    ),
    Told(
        "frontier_visited", "gauge", "URLs that were visited, as budgets count.",
        lambda v: v.shared and v.shared.counts.visited,
    ),
    Told("frontier_hosts", "gauge", "Hosts that were discovered.", lambda v: v.shared and v.shared.counts.hosts),
    Told(
        "frontier_waiting_hosts", "gauge", "Hosts with more URLs than Redis queues; the rest waits in the index.",
        lambda v: v.shared and v.shared.counts.waiting,
    ),
    Told(
        "frontier_quarantined", "gauge", "Stored values of a strange shape, which were set aside.",
        lambda v: v.shared and v.shared.counts.quarantined,
    ),
    Told(
        "frontier_open_gates", "gauge", "Hosts that may be leased now; SQLite stops counting at 10,000.",
        lambda v: v.shared and v.shared.gates.open,
    ),
    Told("frontier_held_hosts", "gauge", "Hosts that are left alone for a while.", lambda v: v.shared and v.shared.gates.held),
    Told(
        "frontier_overdue_seconds", "gauge", "For how long the first lease that ran out has waited to be taken back.",
        lambda v: v.shared and v.shared.gates.overdue,
    ),
    Told(
        "frontier_spent", "gauge", "1 where the budget is used up with work left: then nothing more is visited.",
        lambda v: v.shared and v.shared.spent,
    ),
    Told("frontier_nodes", "gauge", "Nodes that gave a sign of life within 30 s.", lambda v: v.shared and v.shared.nodes),
    Told("index_links", "gauge", "Versions of links that the index holds, roughly.", lambda v: v.links),
    Told("build_info", "gauge", "1, with the version of linkatlas.", lambda _: {version("linkatlas"): 1}, "version"),
)  # fmt: skip


class _Node(Collector):
    """What Prometheus' library asks of whoever has metrics."""

    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals

    def collect(self) -> Iterator[Metric]:
        for told in TABLE:
            value = told.read(self._vitals)
            if value is not None:
                yield _family(told, value)

    def describe(self) -> Iterable[Metric]:
        return ()


def registry_of(vitals: Vitals) -> CollectorRegistry:
    """Return a registry with a node's metrics, and what its process takes of the machine."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Node(vitals))
    ProcessCollector(namespace=PREFIX.rstrip("_"), registry=registry)
    return registry


def described() -> Iterator[tuple[str, str, str, str]]:
    """Yield (name, kind, label, help) of every metric, as it is told."""
    for told in TABLE:
        yield f"{PREFIX}{told.name}{'_total' * (told.kind == 'counter')}", told.kind, told.label, told.help
    for metric in ProcessCollector(namespace=PREFIX.rstrip("_"), registry=None).collect():
        yield f"{metric.name}{'_total' * (metric.type == 'counter')}", metric.type, "", metric.documentation


def _family(told: Told, value: Any) -> Metric:
    name, labels = PREFIX + told.name, [told.label] if told.label else []
    if isinstance(value, Histogram):
        histogram = HistogramMetricFamily(name, told.help)
        histogram.add_metric([], list(_buckets(value)), value.sum)
        return histogram
    kind = CounterMetricFamily if told.kind == "counter" else GaugeMetricFamily
    family = kind(name, told.help, labels=labels)
    for label, number in value.items() if isinstance(value, Mapping) else [("", value)]:
        family.add_metric([str(label)] if labels else [], float(number))
    return family


def _buckets(histogram: Histogram) -> Iterator[tuple[str, float]]:
    total = 0
    for bound, count in zip((*map(repr, histogram.bounds), "+Inf"), histogram.counts, strict=True):
        total += count
        yield bound, total
