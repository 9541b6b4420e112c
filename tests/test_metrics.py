"""A server's numbers for Prometheus."""

import importlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from scene import Scene

pytest.importorskip("prometheus_client")

from prometheus_client import CollectorRegistry, generate_latest

from netcode import Server, metrics, turns
from netcode.metrics import BUCKETS, Metrics, observe
from netcode.testing import FakeClock, MemoryNetwork


class TicTacToe(turns.Game):
    """Tables of it are served, and nobody comes."""

    @turns.move
    def mark(self) -> None:
        self.finish()


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene(latency=0.01)
    yield scene
    scene.close()


def read(registry: CollectorRegistry) -> dict[str, float]:
    """Return what a scrape would get, by name and labels."""
    lines = generate_latest(registry).decode().splitlines()
    return {name: float(value) for name, _, value in (x.rpartition(" ") for x in lines if not x.startswith("#"))}


def watched(scene: Scene, **options: Any) -> tuple[Any, CollectorRegistry, Metrics]:
    """Serve, observed by the clock of the scene."""
    registry = CollectorRegistry()
    server = scene.serve(**options)
    seen = observe(server, registry)
    seen._clock, seen._write_at = scene.clock, scene.clock.now
    return server, registry, seen


def test_it_counts_who_plays_and_what_goes_over_the_links(scene: Scene) -> None:
    server, registry, _ = watched(scene, max_peers=4)
    client = scene.join()
    client.send("one")
    client.send("two")
    scene.play(0.2)
    server.broadcast("all")
    scene.play(2.0)

    numbers = read(registry)

    assert numbers['netcode_peers{server="7777"}'] == 1
    assert numbers['netcode_peers_max{server="7777"}'] == 4
    assert numbers['netcode_peers_away{server="7777"}'] == 0
    assert numbers['netcode_joined_total{server="7777"}'] == 1
    assert numbers['netcode_messages_total{direction="in",server="7777"}'] == 2
    assert numbers['netcode_messages_total{direction="out",server="7777"}'] == 1
    assert numbers['netcode_bytes_total{direction="out",server="7777"}'] == 8
    assert numbers['netcode_bytes_total{direction="in",server="7777"}'] > 16
    assert 0.02 <= numbers['netcode_round_trip_seconds{of="median",server="7777"}'] < 0.1
    assert 0.02 <= numbers['netcode_round_trip_seconds{of="largest",server="7777"}'] < 0.1


def test_servers_that_share_a_port_are_told_apart() -> None:
    registry, clock = CollectorRegistry(), FakeClock()
    servers = [Server("host", 7777, network=MemoryNetwork(clock), clock=clock) for _ in range(4)]
    labels = [observe(server, registry).label for server in servers[:3]]

    servers[0].close()
    labels.append(observe(servers[3], registry).label)

    assert labels == ["7777", "host:7777", "host:7777 2", "7777"]
    assert {name for name in read(registry) if name.startswith("netcode_peers{")} == {
        f'netcode_peers{{server="{label}"}}' for label in set(labels)
    }
    for server in servers:
        server.close()


def test_it_counts_who_leaves_and_who_is_turned_away_by_reason(scene: Scene) -> None:
    _, registry, _ = watched(scene, grace=0)
    client = scene.join()
    scene.stranger(b"GET / HTTP/1.1\r\n\r\n")
    client.close_nicely()
    scene.play(2.0)

    numbers = read(registry)

    assert numbers['netcode_left_total{code="GOODBYE",server="7777"}'] == 1
    assert numbers['netcode_refused_total{code="NOT_NETCODE",server="7777"}'] == 1
    assert not any(name.startswith("netcode_round_trip_seconds{") for name in numbers)


def test_it_says_what_waits_and_for_how_long(scene: Scene) -> None:
    server, registry, seen = watched(scene)
    scene.frozen.add(scene.join())
    for _ in range(4):
        server.broadcast(b"x" * 60_000)
        scene.play(0.5)
    scene.update()
    seen._write_at = 0.0
    scene.play(0.1)

    numbers = read(registry)

    assert numbers['netcode_queued_bytes{server="7777"}'] > 100_000
    assert 0.5 < numbers['netcode_queue_age_seconds{server="7777"}'] < 2.5


def test_updates_are_counted_by_how_long_they_took(scene: Scene) -> None:
    _, registry, seen = watched(scene)
    for seconds in (0.000_05, 0.000_1, 0.003, 5.0):
        seen.took(seconds)
    seen.numbers = seen._count()

    numbers = read(registry)

    def up_to(bound: str) -> float:
        return numbers[f'netcode_update_seconds_bucket{{le="{bound}",server="7777"}}']

    assert [up_to(str(bound)) for bound in BUCKETS[:6]] == [2, 2, 2, 2, 2, 3]
    assert (up_to("1.0"), up_to("+Inf")) == (3, 4)
    assert numbers['netcode_update_seconds_count{server="7777"}'] == 4
    assert numbers['netcode_update_seconds_sum{server="7777"}'] == pytest.approx(5.00315)


def test_what_a_scrape_sees_is_a_second_old_at_most(scene: Scene) -> None:
    _, registry, _ = watched(scene)
    scene.update()
    scene.client()
    scene.play(0.5)
    early = read(registry)['netcode_peers{server="7777"}']
    scene.play(1.0)

    assert (early, read(registry)['netcode_peers{server="7777"}']) == (0, 1)


def test_two_servers_are_told_apart_by_their_ports_until_they_close(scene: Scene) -> None:
    registry = CollectorRegistry()
    one = scene.serve()
    other = netcode_server(scene)
    observe(one, registry)
    observe(other, registry)
    observe(one, CollectorRegistry())
    both = [name for name in read(registry) if name.startswith("netcode_peers{")]

    one.close()

    assert both == ['netcode_peers{server="7777"}', 'netcode_peers{server="7778"}']
    assert [name for name in read(registry) if name.startswith("netcode_peers{")] == ['netcode_peers{server="7778"}']
    assert one._observers == []
    other.close()
    assert read(registry) == {}


def test_a_server_that_is_closed_already_takes_no_place(scene: Scene) -> None:
    registry = CollectorRegistry()
    closed = scene.serve()
    closed.close()

    seen = observe(closed, registry)
    before = read(registry)
    another = Server("scene", closed.address.port, network=scene.network, clock=scene.clock)
    observe(another, registry)

    assert (seen.numbers.peers, before) == (0, {})
    assert 'netcode_peers{server="7777"}' in read(registry)
    another.close()


def test_who_is_observed_already_is_not_counted_twice(scene: Scene) -> None:
    server, registry, first = watched(scene)

    assert observe(server, registry) is first
    assert generate_latest(registry).decode().count("netcode_peers{") == 1
    assert observe(server, CollectorRegistry()) is not first


def test_what_cannot_be_observed_is_told(scene: Scene) -> None:
    client: Any = scene.client()
    port: Any = 7777

    for wrong in (client, port):
        with pytest.raises(TypeError, match=f"^expected a netcode.Server, not {type(wrong).__name__}$"):
            observe(wrong)
    with pytest.raises(TypeError, match=r"^registry must be a CollectorRegistry of prometheus_client, not int$"):
        observe(scene.serve(), port)


def netcode_server(scene: Scene) -> Any:
    from netcode import Server

    return Server("scene", 7778, network=scene.network, clock=scene.clock)


def served(scene: Scene) -> tuple[turns.Server, CollectorRegistry]:
    """Serve tables, observed."""
    registry = CollectorRegistry()
    server = turns.Server(
        TicTacToe, host="tables", port=8888, network=scene.network, clock=scene.clock, store=None, on_thread=False
    )
    observe(server, registry)
    return server, registry


def test_a_server_of_tables_tells_what_it_stores(scene: Scene) -> None:
    server, registry = served(scene)
    server._keeper.writer.tally.committed(0.003, 7, 5)
    server._keeper.writer.tally.committed(60.0, 1, 1)
    server._keeper.writer.tally.redirects = 4
    scene.clock.advance(1.0)
    server.update()

    numbers = read(registry)
    server.close()

    assert numbers['netcode_moves_total{server="8888"}'] == 6
    assert numbers['netcode_committed_entries_total{server="8888"}'] == 8
    assert numbers['netcode_commit_seconds_count{server="8888"}'] == 2
    assert numbers['netcode_commit_seconds_bucket{le="0.0025",server="8888"}'] == 0
    assert numbers['netcode_commit_seconds_bucket{le="0.005",server="8888"}'] == 1
    assert numbers['netcode_redirects_total{server="8888"}'] == 4
    for name in ("tables", "tables_waiting", "unstored_seconds", "outage_seconds", "lost_total", "unavailable_total"):
        assert numbers[f'netcode_{name}{{server="8888"}}'] == 0


def test_the_ages_of_a_server_that_hangs_grow(scene: Scene) -> None:
    server, registry = served(scene)
    server._keeper.writer.batch.since = server._keeper.writer.failing_since = scene.clock.now
    server._counting.count(scene.clock.now + 0.5)
    before = read(registry)
    scene.clock.advance(10.5)

    after = read(registry)
    server.close()

    ages = [f'netcode_{name}_seconds{{server="8888"}}' for name in ("unstored", "renewed", "outage")]
    assert [before[age] for age in ages] == [0.5] * 3
    assert [after[age] for age in ages] == [10.5] * 3


def test_each_number_says_what_it_is(scene: Scene) -> None:
    server, registry = served(scene)

    helps = [line for line in generate_latest(registry).decode().splitlines() if line.startswith("# HELP")]

    server.close()
    assert len(helps) == 23
    assert all(line.endswith(".") for line in helps)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)  # as where it is not installed
    monkeypatch.delitem(sys.modules, "netcode.metrics")

    with pytest.raises(
        ImportError, match=r'netcode.metrics needs prometheus-client: python -m pip install "netcode\[metrics\]"'
    ):
        importlib.import_module("netcode.metrics")
    assert metrics.__name__ == "netcode.metrics"
