"""A server's numbers for Prometheus: who plays, what goes over the links, what waits, how long updates take.

Usage::

    import netcode.metrics

    with netcode.Server("", 7777, game="chess") as server:
        netcode.metrics.observe(server)
        prometheus_client.start_http_server(9100)

A server of tables, `netcode.turns.Server`, tells of those as well. It needs the extra `metrics`. Whoever scrapes does
so in a thread of its own, and so is shown what the server last wrote down, a second ago at most: the server is never
touched from there.
"""

import statistics
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, chain, count
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from netcode.loop.clock import Clock
from netcode.observing import Observable, Observer, Totals, onlookers_of
from netcode.stream.contract import State

try:
    from prometheus_client import REGISTRY, CollectorRegistry
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
    from prometheus_client.metrics_core import Metric
except ImportError as error:
    raise ImportError('netcode.metrics needs prometheus-client: python -m pip install "netcode[metrics]"') from error

if TYPE_CHECKING:
    from netcode.server import Server
    from netcode.turns.server import Server as TurnServer
    from netcode.turns.stats import Stats as TableStats

__all__ = ["BUCKETS", "Metrics", "observe"]

INTERVAL = 1.0
"""Seconds between two moments at which the server's numbers are written down."""

BUCKETS = (0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.016_7, 0.033_3, 0.1, 0.25, 1.0)
"""Upper bounds, in seconds, of the histogram of updates: a frame at 60 a second is one of them, and at 30 another."""


class Numbers(NamedTuple):
    """What a server was at one moment."""

    peers: int
    away: int
    max_peers: int
    joined: int
    left: dict[str, int]
    refused: dict[str, int]
    totals: Totals
    queued: int
    oldest: float
    round_trips: tuple[float, float] | None
    """Median and largest of the peers', in seconds."""
    updates: tuple[int, ...]
    """How many updates fell into each bucket, and how many into none."""
    busy: float
    """Seconds that all updates took."""


class Metrics(Observer):
    """One server's numbers. `observe` makes it."""

    def __init__(self, server: "Server | TurnServer", clock: Clock = time.perf_counter) -> None:
        super().__init__(server, clock)
        self.label = str(self.server.address.port)
        """What tells this server from others of the process: its port, or more where another one has that label."""
        self._buckets = [0] * (len(BUCKETS) + 1)
        self._busy = 0.0
        self._write_at = clock() + INTERVAL
        self.numbers = self._count()
        """What was written down last. Another thread may read it."""

    def took(self, seconds: float) -> None:
        self._buckets[bisect_left(BUCKETS, seconds)] += 1
        self._busy += seconds
        if self._began >= self._write_at:
            self._write_at = self._began + INTERVAL
            self.numbers = self._count()

    def closed(self) -> None:
        self.stop()
        for collector in _collectors.values():
            collector.forget(self)

    def tables_now(self) -> "TableStats | None":
        """Return what is known of the tables, if there are any; of a server that hangs, the ages grow nevertheless."""
        if self.tables is None:
            return None
        stats: Any = self.tables.stats()
        older = max(0.0, self.tables.clock() - stats.at)
        unstored, outage = (age + older if age else 0.0 for age in (stats.unstored, stats.outage))
        known: TableStats = stats._replace(renewed=stats.renewed + older, unstored=unstored, outage=outage)
        return known

    def _count(self) -> Numbers:
        server = self.server
        peers = server.peers
        stats = [peer.stats for peer in peers]
        trips = [peer.rtt for peer in peers if peer.rtt is not None]
        return Numbers(
            len(peers),
            sum(peer.away for peer in peers),
            self.about.max_peers,
            self.joined,
            {**self.left},
            {**self.refused},
            self.totals(),
            sum(one.queued for one in stats),
            max((one.queued_for for one in stats), default=0.0),
            (statistics.median(trips), max(trips)) if trips else None,
            tuple(self._buckets),
            self._busy,
        )


class _Collector:
    """What a registry asks: all servers of the process that are observed for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._metrics: list[Metrics] = []

    def find(self, server: Observable) -> Metrics | None:
        """Return the numbers of `server`, if they are observed already."""
        with self._lock:
            return next((metrics for metrics in self._metrics if metrics.server is server), None)

    def add(self, metrics: Metrics) -> None:
        address = metrics.server.address
        labels = chain((metrics.label, str(address)), (f"{address} {number}" for number in count(2)))
        with self._lock:
            taken = {one.label for one in self._metrics}
            metrics.label = next(label for label in labels if label not in taken)
            self._metrics.append(metrics)

    def forget(self, metrics: Metrics) -> None:
        with self._lock:
            if metrics in self._metrics:
                self._metrics.remove(metrics)

    def describe(self) -> Iterable[Metric]:
        """Say nothing before there is a server."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield all numbers, in the thread of whoever asks."""
        with self._lock:
            metrics = [*self._metrics]
        seen = [(one.label, one.numbers) for one in metrics]
        tables = [(one.label, stats) for one in metrics if (stats := one.tables_now()) is not None]
        yield from _gauges(seen)
        yield from _counters(seen)
        updates = HistogramMetricFamily(
            "netcode_update_seconds", "How long Server.update() took: what every player waits for.", labels=["server"]
        )
        for label, numbers in seen:
            updates.add_metric([label], _up_to(BUCKETS, numbers.updates), numbers.busy)
        yield updates
        if tables:
            yield from _tables(tables)


_collectors: WeakKeyDictionary[CollectorRegistry, _Collector] = WeakKeyDictionary()


def _up_to(buckets: tuple[float, ...], counts: tuple[int, ...]) -> list[tuple[str, float]]:
    """Return the counts of a histogram as Prometheus wants them: each with all that are smaller."""
    return [*zip([*map(str, buckets), "+Inf"], map(float, accumulate(counts)), strict=True)]


def _tables(seen: "list[tuple[str, TableStats]]") -> Iterator[Metric]:
    from netcode.turns.stats import COMMIT_BUCKETS  # with which the whole kit comes: who has tables has it

    gauges: dict[str, tuple[str, Callable[[TableStats], float]]] = {
        "netcode_tables": ("Tables in memory.", lambda n: n.tables),
        "netcode_tables_waiting": ("Tables that wait for players.", lambda n: n.waiting),
        "netcode_unstored_seconds": ("For how long the oldest move has waited to be stored.", lambda n: n.unstored),
        "netcode_outage_seconds": (
            "For how long nothing can be stored by now; 0 while all is well.",
            lambda n: n.outage,
        ),
        "netcode_renewed_seconds": ("How long ago the store heard that the process lives.", lambda n: n.renewed),
    }
    counters: dict[str, tuple[str, Callable[[TableStats], float]]] = {
        "netcode_moves": ("Moves and answers that are stored.", lambda n: n.moves),
        "netcode_committed_entries": ("All that is stored of what happened at tables.", lambda n: n.entries),
        "netcode_redirects": ("Players who were sent to another process.", lambda n: n.redirects),
        "netcode_unavailable": ("Attempts to store that failed, and are made again.", lambda n: n.unavailable),
        "netcode_lost": ("Times that tables belonged to another process.", lambda n: n.lost),
    }
    for rows, kind in ((gauges, GaugeMetricFamily), (counters, CounterMetricFamily)):
        for name, (text, value) in rows.items():
            family = kind(name, text, labels=["server"])
            for label, stats in seen:
                family.add_metric([label], value(stats))
            yield family
    commits = HistogramMetricFamily("netcode_commit_seconds", "How long commits took.", labels=["server"])
    for label, stats in seen:
        commits.add_metric([label], _up_to(COMMIT_BUCKETS, stats.commit_times), stats.commit_seconds)
    yield commits


def _gauges(seen: list[tuple[str, Numbers]]) -> Iterator[Metric]:
    rows: dict[str, tuple[str, Callable[[Numbers], float]]] = {
        "netcode_peers": ("Players, those that are away included.", lambda n: n.peers),
        "netcode_peers_away": ("Players whose link broke and whose seat is kept.", lambda n: n.away),
        "netcode_peers_max": ("Players for whom there is room.", lambda n: n.max_peers),
        "netcode_queued_bytes": ("Bytes that wait to be taken by the players' networks.", lambda n: n.queued),
        "netcode_queue_age_seconds": ("For how long the oldest of those bytes has waited.", lambda n: n.oldest),
    }
    for name, (text, value) in rows.items():
        family = GaugeMetricFamily(name, text, labels=["server"])
        for label, numbers in seen:
            family.add_metric([label], value(numbers))
        yield family
    trips = GaugeMetricFamily("netcode_round_trip_seconds", "Round-trip time of the players.", labels=["server", "of"])
    for label, numbers in seen:
        for of, seconds in zip(("median", "largest"), numbers.round_trips or (), strict=False):
            trips.add_metric([label, of], seconds)
    yield trips


def _counters(seen: list[tuple[str, Numbers]]) -> Iterator[Metric]:
    joined = CounterMetricFamily("netcode_joined", "Players that were let in.", labels=["server"])
    left = CounterMetricFamily("netcode_left", "Players that left, by reason.", labels=["server", "code"])
    refused = CounterMetricFamily("netcode_refused", "Links that were nobody's, by reason.", labels=["server", "code"])
    messages = CounterMetricFamily("netcode_messages", "Messages of the game.", labels=["server", "direction"])
    traffic = CounterMetricFamily("netcode_bytes", "Bytes over the links.", labels=["server", "direction"])
    for label, numbers in seen:
        joined.add_metric([label], numbers.joined)
        for family, counts in ((left, numbers.left), (refused, numbers.refused)):
            for code, often in counts.items():
                family.add_metric([label, code], often)
        totals = numbers.totals
        for family, incoming, outgoing in (
            (messages, totals.messages_received, totals.messages_sent),
            (traffic, totals.bytes_received, totals.bytes_sent),
        ):
            family.add_metric([label, "in"], incoming)
            family.add_metric([label, "out"], outgoing)
    yield from (joined, left, refused, messages, traffic)


def observe(server: "Server | TurnServer", registry: CollectorRegistry = REGISTRY) -> Metrics:
    """Have the numbers of `server` in `registry`, from now on and until it is closed.

    Of a server that is closed already nothing is in there. Several servers of a process are told apart by the label
    `server`, which is the port; of one that shares it with another, on another address, say, it is the host and the port.
    Who is observed already gives the same `Metrics` again.

    Raises:
        TypeError: `server` is none, or `registry`.
    """
    observed = onlookers_of(server).server
    if not isinstance(registry, CollectorRegistry):
        raise TypeError(f"registry must be a CollectorRegistry of prometheus_client, not {type(registry).__name__}")
    collector = _collectors.get(registry)
    if collector is None:
        collector = _collectors[registry] = _Collector()
        registry.register(collector)
    metrics = collector.find(observed)
    if metrics is None:
        metrics = Metrics(server)
        if observed.state is not State.DISCONNECTED:  # else nobody would ever take it out again
            collector.add(metrics)
    return metrics
