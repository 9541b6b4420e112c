"""Links that break and come back: every message of both sides arrives exactly once, in order, whatever happens."""

import contextlib
import random
import selectors
import socket
import struct
import time
from typing import Any

import hypothesis
import pytest
from bounds import as_long_as
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from inside import resend_of

import netcode
from netcode.session import comeback
from netcode.testing import FakeClock, MemoryNetwork, play

MESSAGES = 10_000
CUTS = 500
DEADLINE = 120.0
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class Sessions(RuleBasedStateMachine):
    """Any sequence of sends, cuts, stalls and returns; a model knows what was sent and what has to have arrived."""

    @initialize(
        seed=st.integers(0, 2**32),
        latency=st.sampled_from([0.0, 0.05, 0.3]),
        jitter=st.sampled_from([0.0, 0.1]),
        cut_every=st.sampled_from([None, 200.0, 3_000.0]),
        capacity=st.sampled_from([100, 65_536]),
    )
    def begin(self, seed: int, latency: float, jitter: float, cut_every: float | None, capacity: int) -> None:
        self.clock = FakeClock()
        self.network = MemoryNetwork(self.clock, seed=seed)
        limits: dict[str, Any] = {"max_resend": 100_000_000, "max_queue": 100_000_000, "max_queue_age": 1_000.0}
        limits |= {"network": self.network, "clock": self.clock, "timeout": 5.0, "handshake_timeout": 3.0}
        # It never gives up: what is proved is that nothing is lost, not how long one waits.
        self.server = netcode.Server("stage", 7777, grace=100_000.0, **limits)
        self.client = netcode.Client("stage", 7777, **limits)
        self.sent: tuple[list[Any], list[Any]] = ([], [])
        self.got: tuple[list[Any], list[Any]] = ([], [])
        self.plot: tuple[list[str], list[str]] = ([], [])
        # Nobody comes back who never was in.
        self._play(0.2)
        assert self.plot == (["Joined"], ["Joined"])
        self.network.latency, self.network.jitter = latency, jitter
        self.network.cut_every, self.network.capacity = cut_every, capacity
        self.network.cut()

    @rule(count=st.integers(1, 60), size=st.sampled_from([0, 10, 3_000]))
    def send_up(self, count: int, size: int) -> None:
        for _ in range(count):
            message = [len(self.sent[0]), bytes(size)]
            self.client.send(message)
            self.sent[0].append(message)

    @rule(count=st.integers(1, 60), size=st.sampled_from([0, 10, 3_000]))
    def send_down(self, count: int, size: int) -> None:
        for peer in self.server.peers:
            for _ in range(count):
                message = [len(self.sent[1]), bytes(size)]
                peer.send(message)
                self.sent[1].append(message)

    @rule(down=st.booleans())
    def withdraw(self, down: bool) -> None:
        sent = self.sent[down]
        for peer in self.server.peers if down else (self.client.peer,):
            assert peer is not None
            count = peer.queued
            assert peer.discard_queued() == count
            assert peer.queued == 0
            del sent[len(sent) - count :]

    @rule(reset=st.booleans())
    def cut(self, reset: bool) -> None:
        self.network.cut(reset=reset)

    @rule(seconds=st.sampled_from([0.5, 4.0, 12.0]))
    def stall(self, seconds: float) -> None:
        self.network.stall(seconds)

    @rule(down=st.booleans())
    def switch(self, down: bool) -> None:
        self.network.down = down

    @rule(seconds=st.sampled_from([0.02, 0.3, 2.0, 8.0]))
    def play_both(self, seconds: float) -> None:
        self._play(seconds)

    @rule(seconds=st.sampled_from([0.3, 8.0]), server=st.booleans())
    def play_one(self, seconds: float, server: bool) -> None:
        play(self.clock, seconds, self.server if server else self.client, tick=0.05)
        self._take()

    @invariant()
    def nothing_is_lost_or_doubled_so_far(self) -> None:
        for sent, got in zip(self.sent, self.got, strict=True):
            assert got == sent[: len(got)]

    @invariant()
    def nobody_has_left(self) -> None:
        for plot in self.plot:
            assert "Left" not in plot
            assert "".join(name[0] for name in plot).replace("AB", "") in {"", "J", "JA"}

    def teardown(self) -> None:
        if not hasattr(self, "client"):
            return
        try:
            # Once the network is good again, everything arrives.
            self.network.down, self.network.silent_until = False, 0.0
            self.network.cut_every, self.network.latency, self.network.jitter = None, 0.0, 0.0
            self.network.capacity = 65_536
            for _ in range(100):
                if (self.got, self.client.state) == (self.sent, netcode.State.CONNECTED):
                    break
                self._play(3.0)
            assert self.got == self.sent
            assert self.client.reason is None
            # And what was acknowledged is kept no longer.
            self._play(3.0)
            for peer in (self.client.peer, *self.server.peers):
                assert peer is not None
                assert (resend_of(peer).size, resend_of(peer).acknowledged) == (0, resend_of(peer).sent)
        finally:
            self.client.close()
            self.server.close()

    def _play(self, seconds: float) -> None:
        play(self.clock, seconds, self.client, self.server, tick=min(seconds, 0.05))
        self._take()

    def _take(self) -> None:
        for events, got, plot in zip((self.server.events(), self.client.events()), self.got, self.plot, strict=True):
            for event in events:
                match event:
                    case netcode.Received(_, message):
                        got.append(message)
                    case _:
                        plot.append(type(event).__name__)


def test_any_sequence_of_sends_cuts_and_returns_delivers_both_streams_exactly_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # It never gives up: a network that breaks every 200 bytes does not carry 3,000, until it is good again.
    monkeypatch.setattr("netcode.session.session.VAIN_LINKS", 1_000_000)
    monkeypatch.setattr("netcode.session.session.MOST_VAIN_LINKS", 1_000_000)
    run_state_machine_as_test(Sessions, settings=hypothesis.settings(max_examples=60, stateful_step_count=25))


@pytest.mark.fault(45, layer="memory")
@pytest.mark.parametrize("seed", range(3))
def test_a_network_that_breaks_every_few_hundred_bytes_loses_nothing(seed: int) -> None:
    clock = FakeClock()
    network = MemoryNetwork(clock, seed=seed, latency=0.05, jitter=0.02)
    with (
        netcode.Server("stage", 7777, network=network, clock=clock, grace=100.0) as server,
        netcode.Client("stage", 7777, network=network, clock=clock) as client,
    ):
        up: list[Any] = []
        down: list[Any] = []
        back = 0
        play(clock, 1.0, client, server)
        network.cut_every = 600
        network.cut()
        for i in range(1_500):
            if i < 1_000:
                client.send(i)
                server.broadcast(i)
            play(clock, 0.1, client, server, tick=0.05)
            up += [e.message for e in server.events() if isinstance(e, netcode.Received)]
            events = client.events()
            down += [e.message for e in events if isinstance(e, netcode.Received)]
            back += sum(isinstance(e, netcode.Back) for e in events)

        assert up == [*range(1_000)]
        assert down == [*range(1_000)]
        assert back > 5


class Proxy:
    """Stands between real sockets, and cuts them at random bytes, both ways."""

    def __init__(self, port: int, dice: random.Random) -> None:
        self._target = ("127.0.0.1", port)
        self._dice = dice
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._others: dict[socket.socket, socket.socket] = {}
        self._left: dict[socket.socket, int] = {}
        self.cuts_to_come = 0
        self.port: int = self._listener.getsockname()[1]

    def update(self) -> None:
        """Carry on what is there; break what has come to its last byte."""
        for key, _ in self._selector.select(0):
            if key.fileobj is self._listener:
                self._accept()
            elif isinstance(key.fileobj, socket.socket) and key.fileobj in self._others:
                self._carry(key.fileobj)

    def cut(self) -> None:
        """Break what is there now."""
        for sock in [*self._others]:
            if sock in self._others:
                self._break(sock)

    def close(self) -> None:
        self.cut()
        self._listener.close()
        self._selector.close()

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        server = socket.create_connection(self._target)
        for one, other in ((client, server), (server, client)):
            one.setblocking(False)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._others[one] = other
            self._selector.register(one, selectors.EVENT_READ)
            # Some break in the greeting, some in what is sent again, some in what is new.
            self._left[one] = int(self._dice.expovariate(1 / self._dice.choice([60, 300, 700])))

    def _carry(self, sock: socket.socket) -> None:
        left = self._left[sock] if self.cuts_to_come else 65_536
        try:
            data = sock.recv(65_536)
            # There is room: one end never sends more than a share of what the kernel holds.
            self._others[sock].sendall(data[:left])
        except OSError:
            data = b""
        self._left[sock] -= len(data)
        if not data or len(data) >= left:
            self._break(sock)

    def _break(self, sock: socket.socket) -> None:
        if self.cuts_to_come:
            self.cuts_to_come -= 1
        for one in (sock, self._others[sock]):
            if self._dice.random() < 0.5:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
            self._selector.unregister(one)
            one.close()
            del self._others[one], self._left[one]


class Ends:
    """Both ends of a session over the proxy, and what each was told."""

    def __init__(self, server: netcode.Server, proxy: Proxy, client: netcode.Client) -> None:
        self._server, self._proxy, self._client = server, proxy, client
        self.up: list[int] = []
        self.down: list[int] = []
        self.sent = 0
        self.plot: list[str] = []

    def send(self, count: int, dice: random.Random) -> None:
        """Send `count` numbers more each way."""
        for _ in range(count):
            self._client.send([self.sent, bytes(dice.randrange(60))])
            self._server.broadcast([self.sent, bytes(dice.randrange(60))])
            self.sent += 1

    def update(self) -> None:
        self._client.update()
        self._proxy.update()
        self._server.update()
        self._proxy.update()
        self.up += [event.message[0] for event in self._server.events() if isinstance(event, netcode.Received)]
        for event in self._client.events():
            match event:
                case netcode.Received(_, message):
                    self.down.append(message[0])
                case netcode.Left(_, reason):
                    raise AssertionError(reason)
                case _:
                    self.plot.append(type(event).__name__)


@pytest.mark.fault(45, layer="loopback")
def test_ten_thousand_messages_each_way_survive_five_hundred_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    # Real sockets, cut at random bytes; only the pauses between attempts are shorter than in a game.
    monkeypatch.setattr(comeback, "BACKOFF", 0.001)
    monkeypatch.setattr(comeback, "BACKOFF_CAP", 0.004)
    dice = random.Random(500)
    deadline = time.monotonic() + DEADLINE
    with (
        netcode.Server("127.0.0.1", 0) as server,
        contextlib.closing(Proxy(server.address.port, dice)) as proxy,
        netcode.Client("127.0.0.1", proxy.port) as client,
    ):
        ends = Ends(server, proxy, client)
        for _ in as_long_as(lambda: ends.plot != ["Joined"]):
            ends.update()
        proxy.cuts_to_come = CUTS
        proxy.cut()

        while len(ends.up) < MESSAGES or len(ends.down) < MESSAGES:
            assert time.monotonic() < deadline, (len(ends.up), len(ends.down), proxy.cuts_to_come, client.reason)
            # The messages are spread over the cuts, so that each cut has some under way.
            due = MESSAGES * (CUTS - proxy.cuts_to_come) // CUTS
            ends.send(due - ends.sent, dice)
            ends.update()
            if len(ends.up) == len(ends.down) == due < MESSAGES:
                proxy.cut()

    assert ends.up == [*range(MESSAGES)]
    assert ends.down == [*range(MESSAGES)]
    assert proxy.cuts_to_come == 0
    assert "".join(name[0] for name in ends.plot).startswith("JABABAB")
    assert len(ends.plot) > CUTS // 2  # the others came before the greeting was over


@pytest.mark.parametrize("seed", range(30))
def test_programs_that_follow_each_other_in_one_seat_get_and_send_everything_that_is_theirs(seed: int) -> None:
    chance = random.Random(seed)
    clock = FakeClock()
    network = MemoryNetwork(clock, seed=seed, latency=chance.choice([0.0, 0.05, 0.3]))
    common: dict[str, Any] = {"network": network, "clock": clock, "timeout": 5.0}
    server = netcode.Server("stage", 7777, grace=1_000.0, **common)
    programs = [netcode.Client("stage", 7777, **common)]
    play(clock, 2.0, server, programs[0])
    down: list[int] = []  # what the server sent
    up: list[list[int]] = [[]]  # what each program sent
    got_down: list[list[int]] = [[]]
    got_up: list[list[int]] = []
    ticket = programs[0].ticket
    assert ticket is not None

    def go_on(seconds: float) -> None:
        play(clock, seconds, server, programs[-1], tick=0.05)
        got_up.extend(event.message for event in server.events() if isinstance(event, netcode.Received))
        events = programs[-1].events()
        got_down[-1] += [event.message for event in events if isinstance(event, netcode.Received)]

    for _ in range(60):
        match chance.randrange(6):
            case 0 | 1:
                for peer in server.peers:
                    down.append(len(down))
                    peer.send(down[-1])
            case 2 | 3:
                up[-1].append(len(up[-1]))
                programs[-1].send([len(up), up[-1][-1]])
            case 4:
                network.cut(reset=chance.random() < 0.5)
            case _:
                ticket = programs[-1].ticket or ticket  # of one that was never in, nobody has any
                network.cut(reset=chance.random() < 0.5)
                programs.append(netcode.Client("stage", 7777, ticket=ticket, patience=100.0, **common))
                up.append([])
                got_down.append([])
        go_on(chance.choice([0.05, 0.3, 1.5]))
    network.latency = 0.0
    for _ in range(40):
        go_on(1.0)

    assert len(programs) > 1
    assert programs[-1].state is netcode.State.CONNECTED
    arrived = [[number for program, number in got_up if program == one] for one in range(1, len(programs) + 1)]
    assert [program for program, _ in got_up] == sorted(program for program, _ in got_up)
    assert all(got == sent[: len(got)] for got, sent in zip(arrived, up, strict=True))
    assert arrived[-1] == up[-1]
    reached = 0
    for got in filter(None, got_down):
        assert got == [*range(got[0], got[0] + len(got))]
        assert got[0] <= reached  # nothing was skipped, and what comes again had come unacknowledged
        reached = max(reached, got[-1] + 1)
    assert reached == len(down)
    for program in programs:
        program.close()
    server.close()
