"""A live server and live clients, to which everything happens: the contract is the same, and memory stays bounded.

An input is a program: each step is one byte that says what happens, and some bytes that say how much of it. Two of
the clients are ours and behave; whatever the others do, those two keep their session, and get every message once.
Only where the network itself does not carry what they are sent, or breaks before it did, again and again, may a limit
end one of them. Time does not: an input is over before the grace is.
"""

from collections.abc import Callable
from typing import Any

import msgpack
from bounds import as_long_as
from inside import has_link, inbox_of, link_of, links_of

import netcode
from netcode.loop.clock import MAX_GAP
from netcode.reasons import Reason, ReasonCode
from netcode.testing import FakeClock, MemoryNetwork
from netcode.wire import protocol

from .fuzz_wire import check_reason

LIMITS: dict[str, Any] = {
    "max_message": 4_096,
    "max_queue": 20_000,
    "max_backlog": 20_000,
    "max_resend": 2_000_000,  # more than an input can send
    "max_messages_per_update": 16,
    "timeout": 4.0,
    "handshake_timeout": 2.0,
    "message_timeout": 5.0,
    "max_queue_age": 4.0,
    "close_timeout": 2.0,
    "flood_timeout": 2.0,
}
STRANGERS = 4
STEPS = 400
TICKS = 15
"""Updates that one step lets pass at most; each counts for `MAX_GAP` seconds at most, however much time it jumps."""
GRACE = 2 * STEPS * TICKS * MAX_GAP
"""Longer than an input can last: whoever is away for ever so long still has a seat."""
MOST_UNHEARD = 500
"""Messages that a client which behaves has on their way at most. After a stall they come at once, and more than
`max_messages_per_update` in each of the 40 updates that a `flood_timeout` of 2 s has at least would be a flood."""
MOST_HELD = 400_000
"""Bytes that a link may hold, in all its buffers: a read, a message, and two queues. To one of the two that behave
everything that was sent while it was away may be under way besides.
"""


class Source:
    """The bytes of an input, taken from the front; zeros when they are used up."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def some(self) -> bytes:
        count = self.byte()
        begin, self._at = self._at, self._at + count
        return self._data[begin : self._at]

    @property
    def more(self) -> bool:
        return self._at < len(self._data)


class Stranger:
    """A connection that says what the input says, to the server or to a client."""

    def __init__(self, connection: netcode.Connection[Any]) -> None:
        self.connection = connection
        self.frozen = False

    def update(self) -> None:
        if not self.frozen:
            self.connection.update()
            self.connection.receive_all()


class World:
    """Everybody, and what has to be true of them."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.clock = FakeClock()
        self.network = MemoryNetwork(self.clock, seed=1, capacity=8_192)
        common: dict[str, Any] = {"network": self.network, "clock": self.clock, **LIMITS}
        self.server = netcode.Server("stage", 1, grace=GRACE, authenticate=self._authenticate, **common)
        self.false = netcode.ConnectionSet[None](clock=self.clock)
        self.false_door = self.network.listen("stage", 2)
        self.good = [netcode.Client("stage", 1, credentials="good", **common) for _ in range(2)]
        self.common = common
        self.victims: list[netcode.Client] = []
        self.strangers: list[Stranger] = []
        self.sent: dict[netcode.Client, list[int]] = {client: [] for client in self.good}
        self.got: dict[Any, list[Any]] = {}
        self.plots: dict[int, list[str]] = {}
        self.seats: dict[netcode.Client, netcode.Peer] = {}
        self.peers: list[netcode.Peer] = []  # so that no two have the same id() in `plots`
        self.takes_events = True
        for _ in as_long_as(lambda: any(client.state is not netcode.State.CONNECTED for client in self.good)):
            self.tick(0.05)
        self.seats = {client: peer for client in self.good for peer in self.server.peers if peer.id == client.id}

    def _authenticate(self, credentials: Any, address: netcode.Address) -> Any:
        return netcode.Refusal("no\x1b[2J") if credentials == "bad" else credentials

    def run(self) -> None:
        steps: list[Callable[[], None]] = [
            self._time,
            self._good_sends,
            self._server_sends,
            self._stranger_comes,
            self._stranger_says_bytes,
            self._stranger_says_frame,
            self._stranger_says_control,
            self._stranger_changes,
            self._network_changes,
            self._victim_comes,
            self._server_acts,
            self._false_server_says,
        ]
        for _ in range(STEPS):
            if not self.source.more:
                break
            steps[self.source.byte() % len(steps)]()
            self.tick(1 / 60)
        self._end()

    def tick(self, seconds: float) -> None:
        self.clock.advance(seconds)
        for client in [*self.good, *self.victims]:
            client.update()
            self._take(client)
        for stranger in self.strangers:
            stranger.update()
        self.server.update()
        if self.takes_events:
            self._take(self.server)
        self.false.accept(self.false_door, lambda address: None)
        self.false.update()
        for connection in self.false:
            connection.receive_all()
        self._check()

    # What may happen.

    def _time(self) -> None:
        much = self.source.byte()
        for _ in range(much % (TICKS + 1)):
            self.tick(0.01 * (1 + much // 16) ** 2)

    def _good_sends(self) -> None:
        which = self.source.byte()
        client = self.good[which % 2]
        room = MOST_UNHEARD + len(self.got.get(client.id, ())) - len(self.sent[client])
        for _ in range(min(which // 32, room)):
            self.sent[client].append(len(self.sent[client]))
            client.send(self.sent[client][-1])

    def _server_sends(self) -> None:
        size = self.source.byte()
        self.server.broadcast(bytes(size * 16))

    def _stranger_comes(self) -> None:
        kind = self.source.byte()
        connection: netcode.Connection[None] = netcode.connect("stage", 1, network=self.network, clock=self.clock)
        self.strangers.append(Stranger(connection))
        if len(self.strangers) > STRANGERS:
            self.strangers.pop(0).connection.close()
        if kind % 4:
            token = (None, b"", bytes(32))[kind % 3]
            connection.send(protocol.hello(protocol.Hello("", "", 4_096, token, kind // 128, "good")))

    def _stranger_says_bytes(self) -> None:
        self._say(self.source.some())

    def _stranger_says_frame(self) -> None:
        payload = self.source.some()
        self._say(len(payload).to_bytes(4, "big") + payload)

    def _stranger_says_control(self) -> None:
        kind, number, received = self.source.byte() % 8, self.source.byte(), self.source.byte()
        fields: list[Any] = [kind, number, received]
        if kind == 1:
            fields = [1, "netcode", 1 + number // 128, "", "", 4_096, b"", received, "bad" if number % 2 else None]
        elif kind == 2:
            fields = [2, 1, number, 4_096, b"", received, 1.0, 1.0]
        elif kind == 5:
            fields = [5, number, self.source.some()[:200].decode("latin-1")]
        body = msgpack.packb(msgpack.ExtType(protocol.EXTENSION, msgpack.packb(fields)))
        self._say((len(body).to_bytes(4, "big") + body) * (1 + received // 16))

    def _say(self, data: bytes) -> None:
        if self.strangers:
            self.strangers[self.source.byte() % len(self.strangers)].connection.send(data)

    def _stranger_changes(self) -> None:
        how = self.source.byte()
        if not self.strangers:
            return
        stranger = self.strangers[how % len(self.strangers)]
        match how // 4 % 4:
            case 0:
                stranger.frozen = not stranger.frozen
            case 1:
                stranger.connection.close()
            case 2:
                stranger.connection.close_nicely(1.0)
            case _:
                stranger.connection.send(self.source.some() * 200)

    def _network_changes(self) -> None:
        how = self.source.byte()
        match how % 6:
            case 0:
                self.network.cut(reset=how >= 128)
            case 1:
                self.network.stall(how / 64)
            case 2:
                self.network.latency = how / 512
            case 3:
                self.network.jitter = how / 512
            case 4:
                self.network.cut_every = None if how >= 128 else 200.0 + how * 16
            case _:
                self.network.down = how >= 128

    def _victim_comes(self) -> None:
        if len(self.victims) < 3:
            port = 2 if self.source.byte() % 4 else 3
            self.victims.append(netcode.Client("stage", port, **self.common))

    def _server_acts(self) -> None:
        how = self.source.byte()
        strangers = [peer for peer in self.server.peers if not self._is_good(peer)]
        match how % 4:
            case 0:
                self.takes_events = not self.takes_events
            case 1 if strangers:
                strangers[how % len(strangers)].close()
            case 2 if strangers:
                strangers[how % len(strangers)].close_nicely(self.source.some().decode("latin-1"))
            case _:
                for victim in self.victims:
                    victim.close_nicely("home")

    def _false_server_says(self) -> None:
        how = self.source.byte()
        for connection in self.false:
            match how % 4:
                case 0:
                    connection.send(protocol.welcome(protocol.Welcome(7, 4_096, bytes(how // 32), 0, 1.0, how / 64)))
                case 1:
                    payload = self.source.some()
                    connection.send(len(payload).to_bytes(4, "big") + payload)
                case 2:
                    connection.send(self.source.some())
                case _:
                    connection.close()

    # What has to be true.

    def _is_good(self, peer: netcode.Peer) -> bool:
        return any(client.id == peer.id for client in self.good)

    def _take(self, end: netcode.Client | netcode.Server) -> None:
        for event in end.events():
            self.peers.append(event.peer)
            self.plots.setdefault(id(event.peer), []).append(type(event).__name__)
            match event:
                case netcode.Received(peer, message):
                    repr(message)
                    if end is self.server and self._is_good(peer):
                        self.got.setdefault(peer.id, []).append(message)
                case netcode.Left(peer, reason):
                    check_reason(reason)
                    for client, seat in self.seats.items():
                        if end is client or peer is seat:
                            self._check_end(end, reason, seat)
                case _:
                    pass

    def _check_end(self, end: netcode.Client | netcode.Server, reason: Reason, seat: netcode.Peer) -> None:
        """Assert that one of the two that behave was ended by a limit that the network made it reach."""
        if end is not self.server and reason.code is ReasonCode.RESUME_LOST:
            # The goodbye of the server was lost on the way, and coming back told. What the server decided is asked
            # of the peer: the event may still wait for a server whose game does not take any.
            assert seat.reason is not None, str(reason)
            reason = seat.reason
        assert reason.code in {ReasonCode.TOO_SLOW, ReasonCode.STALLED}, str(reason)

    def _check(self) -> None:
        links = [*links_of(self.server)]
        for client in [*self.good, *self.victims]:
            if has_link(client):
                links.append(link_of(client))
            assert client.rtt is None or 0.0 <= client.rtt < 60.0
        again = {link_of(seat) for seat in self.seats.values() if has_link(seat)}
        for link in links:
            held = (0 if link.reader.rest is None else len(link.reader.rest)) + link.stream.waiting
            assert held < MOST_HELD + (LIMITS["max_resend"] if link in again else 0)
        for false in self.false:
            assert false.receive_buffer_length + false.send_buffer_length < MOST_HELD
        assert inbox_of(self.server).limit - inbox_of(self.server).room < MOST_HELD
        assert len(links_of(self.server)) <= 2 + 3 * (STRANGERS + 2) * 60
        assert len(self.server.peers) <= 1_000

    def _end(self) -> None:
        """Let the network be good again: the two that behave have everything, and all the others are gone."""
        self.network.down, self.network.silent_until, self.network.cut_every = False, 0.0, None
        self.network.latency = self.network.jitter = 0.0
        self.takes_events = True
        for stranger in self.strangers:
            stranger.connection.close()
        for victim in self.victims:
            victim.close()
        for _ in range(400):
            self.tick(0.1)
            if self._is_settled():
                break
        for client in self._sound():
            assert client.state is netcode.State.CONNECTED, str(client.reason)
            assert self.got.get(client.id, []) == self.sent[client]
        ends: list[netcode.Client | netcode.Server] = [*self.good, *self.victims, self.server]
        for end in ends:
            end.close()
            end.update()
            self.takes_events = True
            for event in end.events():
                self.plots.setdefault(id(event.peer), []).append(type(event).__name__)
        for story in self.plots.values():
            plot = "".join(name[0] for name in story)
            assert plot.count("L") == 1
            assert plot.endswith("L"), plot
            assert plot == "L" or plot[0] == "J"
        self.false.close()
        self.false_door.close()

    def _sound(self) -> list[netcode.Client]:
        return [client for client, seat in self.seats.items() if client.reason is None and seat.reason is None]

    def _is_settled(self) -> bool:
        return all(
            client.state is netcode.State.CONNECTED and self.got.get(client.id, []) == self.sent[client]
            for client in self._sound()
        )


def fuzz_pair(data: bytes) -> None:
    """Let everything happen that `data` says. Raises `AssertionError` where the contract is broken."""
    import random

    random.seed(1)
    World(Source(data)).run()


def seeds() -> dict[str, bytes]:
    """Return inputs from which the others grow."""
    bye = protocol.bye(Reason(ReasonCode.GOODBYE, "so long"))
    down, cut = (8, 131), (8, 132)
    return {
        "play": bytes((1, 200, 1, 201, 2, 9, 0, 20)) * 10,
        "cuts": bytes((1, 255, 8, 0, 0, 9, 1, 254, 8, 132, 0, 40)) * 8,
        "stranger": bytes((3, 1, 6, 3, 1, 0, 0, 5, 3, 0xA1, 120, 0, 0, 4, 5, 1, 2, 3, 4, 5, 0, 0, 9)),
        "goodbye": bytes((3, 1, 0, 2, 4, len(bye), *bye, 0, 0, 9)),
        "flood": bytes((3, 1, 0, 3, 7, 12, 5, 0, 0, 0, 1, 7)) + bytes((7, 12, 5, 0, 0, 0, 1, 7, 0, 20)) * 9,
        "victim": bytes((9, 1, 0, 3, 11, 96, 0, 3, 11, 1, 3, 0xC1, 0, 0, 9, 9, 1, 0, 3, 11, 0, 11, 3)),
        "bad network": bytes((8, 2 + 6 * 10, 8, 3 + 6 * 9, 8, 4, 1, 255, 2, 200, 0, 255, 8, 1 + 6 * 20, 0, 99)) * 4,
        "backlog": bytes((10, 0, 1, 255, 1, 254, 0, 200, 10, 0)) * 4,
        "overtaken": bytes((0, 255, 8, 0, 0, 41, 1, 254, 8, 0, 0, 40, 8, 255, 1, 254, 8, 0, 0, 162, 8, 132, 0, 40, 8)),
        "goodbye lost while events wait": bytes((10, 0, 8, 121, *(2, 255) * 8, *cut, 0, 159, 0, 159)),
        "away for long": bytes((*cut, *down, *(0, 255) * 198)),
        "much to tell": bytes((*cut, *down, *(1, 255) * 95)),
        "frozen": bytes((3, 1, 0, 3, 7, 0, 2, 255, 2, 255, 2, 255, 0, 255)) * 3,
    }
