"""A network in memory, seeded, whose faults are given and changed by the test."""

import errno
import math
import random
from collections import deque
from collections.abc import Mapping
from typing import Any

from netcode.address import Address, check_destination, check_port
from netcode.faults import Ending, Lane, LinkModel, piece_at
from netcode.lan import Sighting
from netcode.limits import check_number
from netcode.loop.clock import Clock
from netcode.reasons import Reason, refused
from netcode.transport import Connector, Doorway, Ready, Transport, connection_reset, send_each
from netcode.waiting import Descriptors

CAPACITY = 65_536
"""Bytes under way in one direction before `send` is told «not now»."""

FIRST_PORT, PORTS = 50_000, 15_536
"""Where ports are taken from that nobody asked for, up to the last that there is."""

MAX_LATENCY = 10.0
"""Longest latency in seconds: at a default `timeout` nothing lives beyond it, and who gives more means milliseconds."""


class MemoryNetwork:
    """Connects clients and servers of one process, without sockets and with a time of its own.

    Give it as `network=` together with the clock. All the faults are attributes, and may be changed while links
    exist. With the same seed and the same calls, the same happens.

    Args:
        clock: tells the time; usually a `FakeClock`.
        seed: of everything random.
        latency: seconds from one end to the other.
        jitter: up to so many seconds more, drawn for each `send`, or where there is a `rate` for each piece; bytes never overtake
            each other.
        rate: bytes per second in each direction, of which fifty pieces make a second; None for no limit.
        cut_every: links break by themselves after so many bytes on average, at any byte; None for never.
        capacity: bytes under way in one direction at most.

    Raises:
        TypeError, ValueError: an argument cannot be what it should be; an attribute neither.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int = 0,
        latency: float = 0.0,
        jitter: float = 0.0,
        rate: float | None = None,
        cut_every: float | None = None,
        capacity: int = CAPACITY,
    ) -> None:
        if not callable(clock):
            raise TypeError(
                f"clock must be a function that tells the time, such as a FakeClock, not {type(clock).__name__}"
            )
        self.clock = clock
        self.random = random.Random(seed)
        self.dice = random.Random(f"{seed} of clients")
        """What clients draw from when they come back; no link is another one for that."""
        self.latency = latency
        self.jitter = jitter
        self.rate = rate
        self.cut_every = cut_every
        self.capacity = capacity
        self.down = False
        """While True, nobody can connect: connects stay unanswered."""
        self.silent_until = float("-inf")
        self._doors: dict[int, MemoryDoorway] = {}
        self._links: dict[_Link, None] = {}
        self._next_port = FIRST_PORT
        self.sightings: Mapping[str, Sighting] = {}
        """What servers say of themselves, by something that differs from one to the next."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in {"latency", "jitter"}:
            check_number(name, value, zero=True)
            if value > MAX_LATENCY:
                raise ValueError(f"{name} is seconds, {MAX_LATENCY:g} at most, not {value}: 100 ms are 0.1")
        elif name == "capacity" or (name in {"rate", "cut_every"} and value is not None):
            shut = name == "capacity" and hasattr(self, name)  # a test may let nothing through for a while
            check_number(name, value, whole=name == "capacity", zero=shut)
        super().__setattr__(name, value)

    @property
    def links(self) -> int:
        """The number of links that are up."""
        return len(self._links)

    def stall(self, seconds: float) -> None:
        """Let nothing arrive for `seconds`; it arrives afterwards. Raises `TypeError` or `ValueError` for no such number."""
        check_number("seconds", seconds, zero=True)
        self.silent_until = self.clock() + seconds

    def cut(self, *, reset: bool = True) -> None:
        """Break every link now: with a reset, by which what is under way is lost, or with an end after it."""
        for link in [*self._links]:
            link.cut(reset)

    def announce(self, name: str, host: str, address: Address, said: Mapping[str, str]) -> "MemoryAnnouncement":
        """Let `netcode.discover(network=...)` find a server. Servers call it, when they were given `announce`."""
        return MemoryAnnouncement(self, address, said)

    def look_out(self) -> "MemoryLookout":
        """Listen for servers. `netcode.discover(network=...)` calls it."""
        return MemoryLookout(self)

    def connect(self, host: str, port: int, now: float) -> "MemoryConnector":
        """Start to connect to whatever listens on `port`. Clients call it, with what they were given."""
        check_destination(host, port)
        return MemoryConnector(self, Address(host, port))

    def listen(self, host: str, port: int) -> "MemoryDoorway":
        """Listen on `port`, 0 for any free one. Servers call it. Raises `OSError` if the port is taken."""
        check_port(port)
        if port == 0:
            port = self.free_port()
        if port in self._doors:
            raise OSError(errno.EADDRINUSE, f"cannot listen on port {port}: it is taken")
        door = MemoryDoorway(self, Address(host or "memory", port))
        self._doors[port] = door
        return door

    def free_port(self) -> int:
        """Return a port on which nobody listens."""
        while True:
            self._next_port = FIRST_PORT + (self._next_port + 1 - FIRST_PORT) % PORTS
            if self._next_port not in self._doors:
                return self._next_port

    def door(self, port: int) -> "MemoryDoorway | None":
        """Return what listens on `port`."""
        return self._doors.get(port)

    def forget(self, port: int) -> None:
        """Hear that nobody listens on `port` any more."""
        self._doors.pop(port, None)

    def over(self, link: "_Link") -> None:
        """Hear that a link is down."""
        self._links.pop(link, None)

    def make_link(self, server: Address) -> tuple["MemoryTransport", "MemoryTransport"]:
        """Make a link and return its ends: the client's, the server's."""
        link = _Link(self)
        self._links[link] = None  # a set that remembers the order
        client = Address("127.0.0.1", self.free_port())
        there, back = link.lanes
        return MemoryTransport(back, there, server, link), MemoryTransport(there, back, client, link)


class _Weather:
    """What is wrong with the links of a network just now, as the model of faults asks for it."""

    def __init__(self, network: MemoryNetwork) -> None:
        self._network = network

    @property
    def rate(self) -> float | None:
        return self._network.rate

    @property
    def piece(self) -> int | None:
        rate = self._network.rate
        return None if rate is None else piece_at(rate)

    def delay(self, random: random.Random) -> float:
        return self._network.latency + random.uniform(0.0, self._network.jitter)

    def passes_at(self, now: float) -> float:
        return max(now, self._network.silent_until)

    def last_byte(self, share: float) -> int | None:
        every = self._network.cut_every
        return None if every is None else 1 + int(-math.log(1.0 - share) * every)

    def last_moment(self, opened: float) -> None:
        """No link is too old."""

    def ending(self, share: float, /) -> Ending:
        return Ending.RESET if share < 0.5 else Ending.END


class _Link:
    """Two streams, and what the model of faults does to them."""

    def __init__(self, network: MemoryNetwork) -> None:
        self._network = network
        self._weather = _Weather(network)
        self._model = LinkModel(network.clock(), str(network.random.getrandbits(64)), network.capacity)
        self._over = False
        self.lanes = self._model.up, self._model.down

    def advance(self) -> bool:
        """Let arrive what is due, break the link where its byte has come, and tell whether anything arrives now."""
        now = self._network.clock()
        up, down = self.lanes
        if not (up.idle and down.idle):
            self._model.advance(now, self._weather)
            if self._model.cut_with is not None and not self._over:
                self.cut(reset=self._model.cut_with is Ending.RESET)
        return self._network.silent_until <= now

    def room(self, lane: Lane) -> int:
        """Return how many bytes may be sent into a lane now."""
        lane.capacity = self._network.capacity
        return lane.room

    def feed(self, lane: Lane, data: bytes) -> None:
        """Send bytes."""
        lane.feed(data, self._network.clock())
        self.advance()

    def finish(self, lane: Lane) -> None:
        """Send the end."""
        lane.finish(Ending.END, self._network.clock())

    def cut(self, reset: bool) -> None:
        """Break: the readers get what is under way and the end, or only the reset."""
        for lane in self.lanes:
            if reset:
                lane.cut(Ending.RESET)
                lane.sent(len(lane.ready))
            else:
                self.finish(lane)
        self.over()

    def over(self) -> None:
        """Hear that one end is closed, or both are cut off."""
        self._over = True
        self._network.over(self)


class MemoryTransport:
    """One end of a link in memory."""

    read_fd = write_fd = -1
    lingers = True
    grain = 0
    drains = False

    def __init__(self, incoming: Lane, outgoing: Lane, address: Address, link: _Link) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._link = link
        self.address: Address | None = address

    def receive_into(self, buffer: memoryview) -> int:
        passes, lane = self._link.advance(), self._incoming
        if lane.ended is Ending.RESET:
            raise connection_reset()
        if not passes:
            raise BlockingIOError
        count = min(len(lane.ready), len(buffer))
        if count == 0 and lane.ended is None:
            raise BlockingIOError
        buffer[:count] = lane.ready[:count]
        lane.sent(count)
        return count

    def send(self, data: bytes | memoryview) -> int:
        lane = self._outgoing
        if lane.finished is not None:
            raise connection_reset()
        room = self._link.room(lane)
        if room <= 0:
            raise BlockingIOError
        count = min(room, len(data))
        self._link.feed(lane, bytes(data[:count]))
        return count  # where it broke meanwhile: they left this end, and nobody will ever know

    def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
        return send_each(self.send, chunks)

    def probe(self) -> None:
        """There is nobody but the one who receives."""

    def be_readable(self) -> None:
        """It is asked at each update."""

    def finish(self) -> None:
        self._link.finish(self._outgoing)

    def close(self) -> None:
        self._incoming.abandon()
        self._link.finish(self._outgoing)
        self._link.over()


class MemoryConnector:
    """A connect in memory: there after one round trip, if somebody listens."""

    hint = "did not answer; the network in memory is down"

    def __init__(self, network: MemoryNetwork, address: Address) -> None:
        self._network = network
        self.address: Address | None = address
        self.where = str(address)
        self._there_at = network.clock() + 2 * network.latency

    def advance(self, now: float) -> Transport | Reason | None:
        if self._network.down or self._network.clock() < self._there_at:
            return None
        assert self.address is not None
        door = self._network.door(self.address.port)
        if door is None:
            return refused(self.where)
        client, server = self._network.make_link(self.address)
        door.queue.append(server)
        return client

    def descriptors(self) -> Descriptors:
        return [], [], []

    def due(self) -> float:
        return 0.0  # its time is not the timeline's: it wants to be asked at each update

    def close(self) -> None:
        """There is nothing to give back."""


class MemoryAnnouncement:
    """A server that is being announced in memory."""

    def __init__(self, network: MemoryNetwork, address: Address, said: Mapping[str, str]) -> None:
        self._network = network
        self._address = address
        self.tell(said)

    def tell(self, said: Mapping[str, str]) -> None:
        sighting = Sighting((self._address,), {**said})
        self._network.sightings = {**self._network.sightings, str(self._address): sighting}

    def close(self) -> None:
        sightings = self._network.sightings
        self._network.sightings = {key: value for key, value in sightings.items() if key != str(self._address)}

    def abandon(self) -> None:
        """There is nothing to give back."""


class MemoryLookout:
    """Somebody who listens for servers in memory."""

    def __init__(self, network: MemoryNetwork) -> None:
        self._network = network

    @property
    def sightings(self) -> Mapping[str, Sighting]:
        return self._network.sightings

    @property
    def error(self) -> str | None:
        return "the network in memory is down" if self._network.down else None

    def fileno(self) -> int:
        return -1

    def hush(self) -> None:
        """There is nothing that would ring."""

    def close(self) -> None:
        """There is nothing to give back."""

    def abandon(self) -> None:
        """There is nothing to give back."""


class MemoryDoorway(Doorway):
    """What listens in memory."""

    def __init__(self, network: MemoryNetwork, address: Address) -> None:
        self._network = network
        self.address = address
        self.queue: deque[MemoryTransport] = deque()

    def accept(self, now: float) -> Connector | None:
        return Ready(self.queue.popleft()) if self.queue else None

    def doors(self) -> tuple[int, ...]:
        return ()

    def close(self) -> None:
        self._network.forget(self.address.port)
        for transport in self.queue:
            transport.close()
        self.queue.clear()
