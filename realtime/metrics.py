"""Metrics for Prometheus. `serve` collects those of its workers in a folder, PROMETHEUS_MULTIPROC_DIR.

A worker that has ended leaves its counters there. A counter takes 2 microseconds of CPU time, a histogram
5, once for each event or write and never for each socket.
"""

import os
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds
WRITE_TIMES = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25)  # seconds
SIZES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000)  # sockets

registry = CollectorRegistry()

connections = Gauge(
    "realtime_connections",
    "Open sockets, as of the last five seconds.",
    registry=registry,
    multiprocess_mode="livesum",
)
subscriptions = Gauge(
    "realtime_subscriptions",
    "Channels that the open sockets are subscribed to.",
    registry=registry,
    multiprocess_mode="livesum",
)
refused_connections = Counter(
    "realtime_refused_connections", "Sockets refused before the greeting.", ["code"], registry=registry
)
closed_connections = Counter(
    "realtime_closed_connections",
    "Sockets that the server has closed, refused ones among them.",
    ["code"],
    registry=registry,
)
slow_consumers = Counter(
    "realtime_slow_consumers",
    "Sockets closed because 1 MB waits for a client that reads too slowly.",
    registry=registry,
)
refused_subscriptions = Counter(
    "realtime_refused_subscriptions",
    "Subscriptions that were refused: by a `rule`, a `signature`, a `limit` of the connection or of a channel's "
    "`members`, or `ended` later because access ended.",
    ["reason"],
    registry=registry,
)
published_events = Counter(
    "realtime_published_events",
    "Events written to the event log by processes of `serve`.",
    ["event"],
    registry=registry,
)
delivered_events = Counter(
    "realtime_delivered_events",
    "Deliveries to the subscribers of a process: by `layer` at once; by `tailer` what the channel layer lost, "
    "or everything without Redis.",
    ["way"],
    registry=registry,
)
delivery_seconds = Histogram(
    "realtime_delivery_seconds",
    "From the commit to the writes, by the clocks of both machines.",
    registry=registry,
    buckets=LATENCIES,
)
fan_out_sockets = Histogram(
    "realtime_fan_out_sockets", "Sockets of a process that an event is written to.", registry=registry, buckets=SIZES
)
fan_out_seconds = Histogram(
    "realtime_fan_out_seconds",
    "Time to write a batch of events to its sockets.",
    registry=registry,
    buckets=WRITE_TIMES,
)
tailer_read_at = Gauge(
    "realtime_log_tailer_read_timestamp_seconds",
    "When the slowest log tailer has last read the event log: its age is the lag.",
    registry=registry,
    multiprocess_mode="livemin",
)
tailer_seconds = Histogram(
    "realtime_log_tailer_seconds",
    "Time to read the event log: one read per process and second, and for each wake-up.",
    registry=registry,
    buckets=LATENCIES,
)
failed_layer_sends = Counter(
    "realtime_failed_layer_sends",
    "Batches that the channel layer did not accept: Redis is down or slow, and the log tailers deliver.",
    registry=registry,
)
history_responses = Counter(
    "realtime_history_responses",
    "Answers of the history: `empty`, `events`, or `reset` (the page reloads).",
    ["result"],
    registry=registry,
)

by_layer, by_tailer = delivered_events.labels("layer"), delivered_events.labels("tailer")


def collectors() -> list[MetricWrapperBase]:
    """Return the metrics of this module, for their documentation."""
    return [each for each in registry._collector_to_names if isinstance(each, MetricWrapperBase)]


def render(collectors: Iterable[Collector] = ()) -> bytes:
    """Return the metrics of all processes that share the folder, and of `collectors`, in Prometheus's format."""
    if os.environ.get(FOLDER):
        collected = CollectorRegistry()
        MultiProcessCollector(collected)  # type: ignore[no-untyped-call]
    else:
        collected = registry
    others = CollectorRegistry()
    for each in collectors:
        others.register(each)
    return generate_latest(collected) + generate_latest(others)
