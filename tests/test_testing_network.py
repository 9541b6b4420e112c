"""The network in memory: the contract of transports, and each fault that a test can ask for."""

import contextlib
import errno
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transport_contract import Ends, TransportContract

import netcode
from netcode.address import Address
from netcode.reasons import Reason, ReasonCode
from netcode.testing import FakeClock, MemoryNetwork, play
from netcode.testing.network import MemoryTransport
from netcode.transport import Transport

ADDRESS = Address("server", 7777)


def receive(transport: Transport, room: int = 65_536) -> bytes | None:
    """Receive what is there, or None for «not now»."""
    buffer = memoryview(bytearray(room))
    try:
        return bytes(buffer[: transport.receive_into(buffer)])
    except BlockingIOError:
        return None


class TestContract(TransportContract):
    @pytest.fixture
    def ends(self) -> Ends:
        clock = FakeClock()
        one, other = MemoryNetwork(clock, latency=0.05, jitter=0.02, rate=1e6).make_link(ADDRESS)
        return Ends(one, other, lambda: clock.advance(0.01))


def test_it_is_a_local_network_on_which_servers_are_found(clock: FakeClock) -> None:
    network = MemoryNetwork(clock)
    lookout = network.look_out()
    one = network.announce("one", "", ADDRESS, {"name": "one"})
    network.announce("two", "", Address("server", 8888), {"name": "two"}).abandon()
    one.tell({"name": "one!"})
    told = [sighting.said["name"] for sighting in lookout.sightings.values()]

    one.close()
    lookout.hush()

    assert told == ["one!", "two"]
    assert [sighting.said["name"] for sighting in lookout.sightings.values()] == ["two"]
    assert (lookout.fileno(), lookout.error) == (-1, None)
    network.down = True
    assert lookout.error == "the network in memory is down"
    lookout.abandon()
    lookout.close()


def test_bytes_take_the_latency(clock: FakeClock) -> None:
    one, other = MemoryNetwork(clock, latency=0.1).make_link(ADDRESS)

    one.send(b"x")
    early = receive(other)
    clock.advance(0.0999)
    just_before = receive(other)
    clock.advance(0.0002)

    assert (early, just_before, receive(other)) == (None, None, b"x")


def test_the_end_takes_the_latency_too(clock: FakeClock) -> None:
    one, other = MemoryNetwork(clock, latency=0.1).make_link(ADDRESS)

    one.finish()
    early = receive(other)
    clock.advance(0.11)

    assert (early, receive(other)) == (None, b"")


def test_jitter_never_lets_bytes_overtake(clock: FakeClock) -> None:
    one, other = MemoryNetwork(clock, jitter=1.0, seed=3).make_link(ADDRESS)

    received = b""
    for number in range(100):
        one.send(bytes([number]))
        clock.advance(0.01)
        received += receive(other) or b""
    clock.advance(1.0)

    assert received + (receive(other) or b"") == bytes(range(100))


def test_a_rate_spreads_bytes_over_time(clock: FakeClock) -> None:
    one, other = MemoryNetwork(clock, rate=1000.0).make_link(ADDRESS)

    one.send(bytes(1000))  # which trickles: who waits for a large message hears that it is coming
    clock.advance(0.55)

    assert receive(other) == bytes(540)  # in pieces of a fiftieth of a second


def test_no_more_is_under_way_than_the_capacity(clock: FakeClock) -> None:
    network = MemoryNetwork(clock, capacity=10)
    one, other = network.make_link(ADDRESS)

    taken = one.send(b"0123456789ab")
    with pytest.raises(BlockingIOError):
        one.send(b"ab")
    part = receive(other, 4)

    assert (taken, part, one.send(b"abcdef")) == (10, b"0123", 4)
    assert receive(other) == b"456789abcd"


def test_a_stall_delays_what_is_under_way(clock: FakeClock) -> None:
    network = MemoryNetwork(clock)
    one, other = network.make_link(ADDRESS)
    one.send(b"x")
    one.finish()

    network.stall(2.0)
    clock.advance(1.9)
    early = receive(other)
    clock.advance(0.2)

    assert (early, receive(other), receive(other)) == (None, b"x", b"")


def test_a_cut_with_a_reset_loses_what_is_under_way(clock: FakeClock) -> None:
    network = MemoryNetwork(clock)
    one, other = network.make_link(ADDRESS)
    one.send(b"lost")

    network.cut()

    for transport in (one, other):
        with pytest.raises(ConnectionResetError):
            transport.receive_into(memoryview(bytearray(10)))
        with pytest.raises(ConnectionResetError):
            transport.send(b"x")
    assert network.links == 0


def test_a_cut_without_a_reset_ends_after_what_is_under_way(clock: FakeClock) -> None:
    network = MemoryNetwork(clock)
    one, other = network.make_link(ADDRESS)
    one.send(b"kept")

    network.cut(reset=False)

    assert (receive(other), receive(other), receive(one)) == (b"kept", b"", b"")


@given(st.integers(0, 1000))
@settings(max_examples=30)
def test_links_that_break_by_themselves_break_at_any_byte(seed: int) -> None:
    network = MemoryNetwork(FakeClock(), seed=seed, cut_every=50.0)
    one, other = network.make_link(ADDRESS)

    received = b""
    with pytest.raises(ConnectionResetError):  # noqa: PT012 - it breaks somewhere on the way
        for number in range(10_000):
            one.send(bytes([number % 256] * 3))
            more = receive(other)
            if more == b"":
                raise ConnectionResetError
            received += more or b""

    sent = bytes(number % 256 for number in range(10_000) for _ in range(3))
    assert sent.startswith(received)


def test_the_same_seed_breaks_at_the_same_byte() -> None:
    def left_before_it_breaks(seed: int) -> int:
        one, _ = MemoryNetwork(FakeClock(), seed=seed, cut_every=1000.0).make_link(ADDRESS)
        for count in range(10**6):
            try:
                one.send(b"x")
            except ConnectionResetError:
                return count
            except BlockingIOError:
                break
        return -1

    assert [left_before_it_breaks(seed) for seed in (1, 2, 1)][::2] == [left_before_it_breaks(1)] * 2


def test_a_whole_game_is_the_same_every_time() -> None:
    def events(seed: int) -> list[netcode.Event]:
        clock = FakeClock()
        network = MemoryNetwork(clock, seed=seed, latency=0.03, jitter=0.05, rate=20_000, cut_every=3000)
        server = netcode.Server("server", 7777, network=network, clock=clock)
        client = netcode.Client("server", 7777, network=network, clock=clock)
        told: list[netcode.Event] = []
        for frame in range(600):
            client.send("x" * (frame % 50))
            play(clock, 1 / 60, server, client)
            told += [*server.events(), *client.events()]
        server.close()
        client.close()
        return told

    first, again, other = (list(map(repr, events(seed))) for seed in (7, 7, 8))

    assert any(event.startswith("Back") for event in first)
    assert again == first
    assert other != first


def test_who_left_is_heard_of_when_something_is_sent(clock: FakeClock) -> None:
    one, other = MemoryNetwork(clock).make_link(ADDRESS)

    other.close()

    with pytest.raises(ConnectionResetError) as caught:
        one.send(b"x")
    assert caught.value.errno == errno.ECONNRESET


def connect(network: MemoryNetwork, port: int = 7777) -> "MemoryTransport | Reason | None":
    result = network.connect("server", port, 0.0).advance(0.0)
    assert result is None or isinstance(result, MemoryTransport | Reason)
    return result


def test_a_connect_is_there_after_one_round_trip(clock: FakeClock) -> None:
    network = MemoryNetwork(clock, latency=0.1)
    door = network.listen("", 7777)
    connector = network.connect("server", 7777, 0.0)

    early = connector.advance(0.0), door.accept(0.0)
    clock.advance(0.21)
    client = connector.advance(0.0)
    newcomer = door.accept(0.0)

    assert early == (None, None)
    assert isinstance(client, MemoryTransport)
    assert newcomer is not None
    server = newcomer.advance(0.0)
    assert isinstance(server, MemoryTransport)
    assert client.address == Address("server", 7777)
    assert server.address == Address("127.0.0.1", 50_001)
    assert (connector.where, connector.due(), connector.descriptors()) == ("server:7777", 0.0, ([], [], []))
    assert (door.accept(0.0), door.doors(), door.due()) == (None, (), None)
    connector.close()


def test_where_nobody_listens_a_connect_is_refused(clock: FakeClock) -> None:
    result = connect(MemoryNetwork(clock))

    assert isinstance(result, Reason)
    assert (result.code, result.text) == (
        ReasonCode.REFUSED,
        "nothing is listening on server:7777; is the server started?",
    )


def test_while_the_network_is_down_a_connect_stays_unanswered(clock: FakeClock) -> None:
    network = MemoryNetwork(clock)
    network.listen("", 7777)

    network.down = True
    while_down = connect(network)
    network.down = False

    assert while_down is None
    assert isinstance(connect(network), MemoryTransport)


def test_a_port_is_taken_until_its_door_is_closed(clock: FakeClock) -> None:
    network = MemoryNetwork(clock)
    door = network.listen("here", 7777)
    client = connect(network)

    with pytest.raises(OSError, match="cannot listen on port 7777: it is taken") as caught:
        network.listen("", 7777)
    door.close()
    door.close()

    assert caught.value.errno == errno.EADDRINUSE
    assert door.address == Address("here", 7777)
    assert isinstance(client, MemoryTransport)
    assert receive(client) == b""
    assert network.listen("", 7777).address == Address("memory", 7777)


def test_port_zero_is_any_free_one(clock: FakeClock) -> None:
    network = MemoryNetwork(clock)

    ports = {network.listen("", 0).address.port for _ in range(10)}

    assert len(ports) == 10
    assert isinstance(connect(network, min(ports)), MemoryTransport)


def test_ports_that_nobody_asked_for_are_free_and_are_ports_however_many_links_there_were(clock: FakeClock) -> None:
    network = MemoryNetwork(clock)
    for port in (50_000, 50_001, 50_002):
        network.listen("", port)

    ports = [network.free_port() for _ in range(20_000)]
    addresses = {end.address for end in network.make_link(ADDRESS)}

    assert (min(ports), max(ports)) == (50_003, 65_535)
    assert ADDRESS in addresses
    assert network.listen("", 0).address.port < 65_536


def test_misuse_raises_at_the_call(clock: FakeClock) -> None:
    network = MemoryNetwork(clock)

    with pytest.raises(ValueError, match="both must be given"):
        network.connect("", 7777, 0.0)
    with pytest.raises(ValueError, match="port must be from 0 to 65535"):
        network.listen("", 65_536)
    for seconds in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="seconds must be 0 or more and finite"):
            network.stall(seconds)
    assert network.silent_until < clock()


def test_links_that_are_over_are_forgotten(clock: FakeClock) -> None:
    network = MemoryNetwork(clock)
    links = [network.make_link(ADDRESS) for _ in range(100)]

    before = network.links
    for one, other in links[1:]:
        one.close()
        other.close()

    assert (before, network.links, len(network._links)) == (100, 1, 1)


def test_links_break_after_so_many_bytes_on_average_and_in_both_ways() -> None:
    carried: list[int] = []
    ends: list[tuple[bytes | None, bytes | None]] = []
    """What was received last of links that were not reset."""
    for seed in range(200):
        network = MemoryNetwork(FakeClock(), seed=seed, cut_every=100.0)
        one, other = network.make_link(ADDRESS)
        count = 0
        while network.links and count < 10_000:
            count += one.send(b"x")
            if network.links:
                assert receive(other) == b"x"
        carried.append(count)
        with contextlib.suppress(ConnectionResetError):
            ends.append((receive(other), receive(other)))

    assert 60 < len(ends) < 140
    assert {*ends} == {(b"x", b"")}
    assert 80 < sum(carried) / len(carried) < 125


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("latency", -1, "latency must be 0 or more and finite, not -1"),
        ("latency", "0.1", "latency must be a number, not str"),
        ("latency", 100, "latency is seconds, 10 at most, not 100: 100 ms are 0.1"),
        ("jitter", float("nan"), "jitter must be 0 or more and finite, not nan"),
        ("jitter", 30, "jitter is seconds, 10 at most, not 30: 100 ms are 0.1"),
        ("rate", 0, "rate must be above 0 and finite, not 0"),
        ("cut_every", -5, "cut_every must be above 0 and finite, not -5"),
        ("capacity", 0, "capacity must be above 0 and finite, not 0"),
        ("capacity", 1.5, "capacity must be an int, not float"),
    ],
)
def test_a_fault_that_cannot_be_is_told_where_it_is_given(name: str, value: Any, says: str) -> None:
    options = {name: value}
    with pytest.raises((TypeError, ValueError), match=f"^{says}$"):
        MemoryNetwork(FakeClock(), **options)

    network = MemoryNetwork(FakeClock())
    if options != {"capacity": 0}:
        with pytest.raises((TypeError, ValueError), match=f"^{says}$"):
            setattr(network, name, value)


def test_for_a_while_nothing_may_pass(clock: FakeClock) -> None:
    network = MemoryNetwork(clock)
    one, _ = network.make_link(ADDRESS)

    network.capacity = 0

    with pytest.raises(BlockingIOError):
        one.send(b"x")


def test_a_clock_that_tells_no_time_is_told() -> None:
    clock: Any = 0.1
    with pytest.raises(
        TypeError, match=r"^clock must be a function that tells the time, such as a FakeClock, not float$"
    ):
        MemoryNetwork(clock)
