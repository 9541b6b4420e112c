"""A network in memory, seeded, whose faults are given and changed by the test."""

import errno
import os
import random
from collections import deque
from collections.abc import Mapping

from netcode.address import Address, check_destination, check_port
from netcode.lan import Sighting
from netcode.loop.clock import Clock
from netcode.reasons import Reason, refused
from netcode.transport import Connector, Doorway, Ready, Transport, send_each
from netcode.waiting import Descriptors

CAPACITY = 65_536
"""Bytes under way in one direction before `send` is told «not now»."""


class MemoryNetwork:
    """Connects clients and servers of one process, without sockets and with a time of its own.

    Give it as `network=` together with the clock. All the faults are attributes, and may be changed while links
    exist. With the same seed and the same calls, the same happens.

    Args:
        clock: tells the time; usually a `FakeClock`.
        seed: of everything random.
        latency: seconds from one end to the other.
        jitter: up to so many seconds more, drawn for each `send`; bytes never overtake each other.
        rate: bytes per second in each direction; None for no limit.
        cut_every: links break by themselves after so many bytes on average, at any byte; None for never.
        capacity: bytes under way in one direction at most.
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
        self.clock = clock
        self.random = random.Random(seed)
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
        self._next_port = 50_000
        self.sightings: Mapping[str, Sighting] = {}
        """What servers say of themselves, by something that differs from one to the next."""

    @property
    def links(self) -> int:
        """The number of links that are up."""
        return len(self._links)

    def stall(self, seconds: float) -> None:
        """Let nothing arrive for `seconds`; it arrives afterwards."""
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

    # For the parts of the network.

    def free_port(self) -> int:
        """Return a port that nobody uses."""
        self._next_port += 1
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
        there, back = link.streams
        return MemoryTransport(back, there, server, link), MemoryTransport(there, back, client, link)


class _Link:
    """Two streams, and the byte at which they break."""

    def __init__(self, network: MemoryNetwork) -> None:
        self._network = network
        self.streams = (_Stream(network, self), _Stream(network, self))
        self._left: int | None = None
        if network.cut_every is not None:
            self._left = int(network.random.expovariate(1 / network.cut_every))
        self._reset = network.random.random() < 0.5

    def carry(self, count: int) -> int:
        """Return how many of `count` bytes are still carried; fewer means that the link breaks behind them."""
        if self._left is None:
            return count
        carried = min(count, self._left)
        self._left -= carried
        return carried

    def break_up(self) -> None:
        """Break behind what is under way."""
        self.cut(self._reset)

    def cut(self, reset: bool) -> None:
        for stream in self.streams:
            stream.cut(reset)
        self.over()

    def over(self) -> None:
        """Hear that one end is closed, or both are cut off."""
        self._network.over(self)


class _Stream:
    """Bytes under way in one direction."""

    def __init__(self, network: MemoryNetwork, link: _Link) -> None:
        self._network = network
        self._link = link
        self._chunks: deque[tuple[float, memoryview]] = deque()
        self._size = 0
        self._last_due = self._busy_until = float("-inf")
        self._ended_at: float | None = None  # when the reader gets to know it
        self._reset = False
        self._closed = False

    def put(self, data: bytes | memoryview) -> int:
        network, now = self._network, self._network.clock()
        if self._reset or self._closed or self._ended_at is not None:
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        room = network.capacity - self._size
        if room <= 0:
            raise BlockingIOError
        wanted = min(room, len(data))
        count = self._link.carry(wanted)
        if count:
            due = now + network.latency + network.random.uniform(0.0, network.jitter)
            if network.rate is not None:
                self._busy_until = max(now, self._busy_until) + count / network.rate
                due += self._busy_until - now
            self._last_due = due = max(due, self._last_due)
            self._chunks.append((due, memoryview(bytes(data[:count]))))
            self._size += count
        if count < wanted:
            self._link.break_up()
            return wanted  # they left this end, and nobody will ever know
        return count

    def get(self, buffer: memoryview) -> int:
        now = self._network.clock()
        count = 0
        while self._chunks and count < len(buffer):
            due, chunk = self._chunks[0]
            if due > now or now < self._network.silent_until:
                break
            part = chunk[: len(buffer) - count]
            buffer[count : count + len(part)] = part
            count += len(part)
            self._size -= len(part)
            if len(part) == len(chunk):
                self._chunks.popleft()
            else:
                self._chunks[0] = (due, chunk[len(part) :])
        if count:
            return count
        if self._reset:
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        if self._ended_at is not None and not self._chunks and now >= max(self._ended_at, self._network.silent_until):
            return 0
        raise BlockingIOError

    def cut(self, reset: bool) -> None:
        """Break: the reader gets what is under way and the end, or only the reset."""
        if reset:
            self._reset = True
            self._chunks.clear()
            self._size = 0
        self.end()

    def end(self) -> None:
        """The writer is done."""
        if self._ended_at is None:
            self._ended_at = max(self._last_due, self._network.clock() + self._network.latency)

    def close(self) -> None:
        """The reader is gone."""
        self._closed = True
        self._chunks.clear()
        self._size = 0


class MemoryTransport:
    """One end of a link in memory."""

    read_fd = write_fd = -1
    lingers = True
    grain = 0
    drains = False

    def __init__(self, incoming: _Stream, outgoing: _Stream, address: Address, link: _Link) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._link = link
        self.address: Address | None = address

    def receive_into(self, buffer: memoryview) -> int:
        return self._incoming.get(buffer)

    def send(self, data: bytes | memoryview) -> int:
        return self._outgoing.put(data)

    def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
        return send_each(self.send, chunks)

    def probe(self) -> None:
        """There is nobody but the one who receives."""

    def be_readable(self) -> None:
        """It is asked at each update."""

    def finish(self) -> None:
        self._outgoing.end()

    def close(self) -> None:
        self._incoming.close()
        self._outgoing.end()
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
