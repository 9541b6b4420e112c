"""Many connections: accept them, update those that are ready or due, drop the dead."""

import errno
import math
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any, Final, Generic, Protocol, TypeVar

from netcode.address import Address
from netcode.clock import Clock, Deadlines, Timeline, monotonic
from netcode.connection import SCRATCH, Connection, Sink, check_silence
from netcode.engine import Engine
from netcode.forks import keep_from_children
from netcode.poller import BROKEN, EDGE, NAP, READ, WRITE, Poller, clip, make_poller
from netcode.transport import Connector, Doorway, Transport
from netcode.transport.tcp import TcpDoorway
from netcode.waiting import Descriptors, Waiter, wait

ACCEPTS_PER_UPDATE = 64
"""Connects taken in one update at most, so that a flood of them costs a bounded part of the frame."""

PORTION = 64
"""Connections, and messages, that one update of a hurried loop handles before it lets the game have its turn."""

PART = 8
"""Connections of which some may be left for the next portion."""

HURRY = 0.005
"""Seconds within which a loop comes round that is hurried: it waits, updates and takes the events, and again.

What came is then handled in portions that stay in the processor's caches from being read to being answered; with
2,000 connections that saves a sixth of the whole. A slower loop, such as a game's, gets everything at once."""

PAUSE = 0.001
"""Seconds between two wake-ups at least where the first brought the game nothing, but only pings.

What comes of thousands of silent peers is then handled together. To wake up costs more than to handle a ping."""

D = TypeVar("D")


class _Refuse:
    def __repr__(self) -> str:
        return "netcode.REFUSE"


REFUSE: Final = _Refuse()
"""What `make_data` returns to have a connect closed at once."""


class Backlog(Protocol):
    """Where what the sinks of a set have received waits for the game."""

    beats: int
    """Reads so far that brought the game nothing, but only pings."""

    @property
    def events(self) -> Sized:
        """What has not been taken yet."""
        ...


class ConnectionSet(Waiter, Generic[D]):
    """The connections of a server that speaks bytes.

    Usage, once a frame::

        connections.accept(listener, lambda address: Player(address))
        connections.update()
        for connection in connections: ...

    An update costs what is ready or due, not what is connected: the kernel is asked which sockets have something.
    A connection that died stays in the set until the next `update()`, so that its last bytes and its reason can be
    seen once. The set may change while it is iterated.
    """

    def __init__(self, *, clock: Clock = monotonic) -> None:
        self._timeline = Timeline(clock)
        self._engine = Engine()
        self._poller: Poller = make_poller()
        self._connections: dict[Connection[Any], None] = {}  # a set that remembers the order
        self._watched: list[Connection[Any] | None] = []  # by descriptor
        self._unwatched: dict[Connection[Any], None] = {}  # nobody tells when they are ready: asked at each update
        self._dead: list[Connection[Any]] = []
        self._with_output: list[Connection[Any]] = []
        self._answering: list[Connection[Any]] = []
        self._hungry: list[Connection[Any]] = []
        self._deadlines: Deadlines[Connection[Any]] = Deadlines()
        self._doorways: dict[socket.socket, TcpDoorway] = {}
        self._scratch = memoryview(bytearray(SCRATCH))
        self._doors: tuple[int, ...] = ()
        self._knocked = False
        self._ready: list[tuple[int, int]] | None = None  # what a wait was told, for the updates after it
        self._continues = False  # whether those are left over from the last update
        self._hurried = False
        self._in_vain = False  # whether the last wake-up brought the game nothing, but only pings
        self._woke = 0.0  # how long after the last tick a wait ended
        self._backlog: Backlog | None = None
        self._asleep = 0.0
        self._closed = False
        keep_from_children(self)

    def __len__(self) -> int:
        return len(self._connections)

    def __iter__(self) -> Iterator[Connection[D]]:
        return iter([*self._connections])

    def __contains__(self, connection: object) -> bool:
        return connection in self._connections

    def accept(
        self,
        listener: Doorway | socket.socket,
        make_data: Callable[[Address], D | _Refuse],
        *,
        timeout: float | None = None,
        ping: bytes | None = None,
    ) -> None:
        """Take in those who wait at `listener`, at most `ACCEPTS_PER_UPDATE`. Never blocks.

        Args:
            listener: a `Listener`, or any listening socket. It is made non-blocking, and stays yours to close.
            make_data: is given the address of the newcomer and returns the `data` of its connection, or `REFUSE`.
            timeout, ping: as for `connect`, for each newcomer.

        Raises:
            TypeError, ValueError: an argument cannot be what it should be, or the set is closed.
            OSError: the listener is closed.
        """
        self._check_open()
        check_silence(timeout, ping)
        if not isinstance(listener, (Doorway, socket.socket)):
            raise TypeError(f"expected a Listener or a listening socket, not {type(listener).__name__}")
        if not callable(make_data):
            raise TypeError(f"make_data must be a function of an address, not {type(make_data).__name__}")
        doorway = self._doorway(listener) if isinstance(listener, socket.socket) else listener
        now = self._timeline.tick()  # a newcomer's time begins now, not at the last update
        for _ in range(ACCEPTS_PER_UPDATE):
            try:
                newcomer = doorway.accept(now)
            except OSError:
                if isinstance(listener, socket.socket):
                    self._doorways.pop(listener).close()
                raise
            if newcomer is None:
                return
            try:
                data = make_data(newcomer.address or Address("local", 0))
            except BaseException:
                newcomer.close()
                raise
            if isinstance(data, _Refuse):
                newcomer.close()
            else:
                self._take_in(newcomer, data, None, timeout, ping)

    def add(self, connection: Connection[D]) -> None:
        """Put a connection of `connect` or `custom` into the set, which updates it from then on.

        Raises:
            TypeError: it is no connection.
            ValueError: it is in a set already, or over, or the set is closed.
        """
        self._check_open()
        if not isinstance(connection, Connection):
            raise TypeError(f"expected a Connection, not {type(connection).__name__}")
        if connection._keeper is not None or not connection.alive:
            raise ValueError(f"{connection!r} is in a set already, or over")
        self._timeline.tick()  # both lines have to show the same moment
        connection._timeline.tick()
        connection._move_to(self._timeline)
        self._keep(connection)
        self._watch(connection)
        connection._reschedule()
        if connection._has_to_send():
            connection._announce_output()

    def update(self) -> None:
        """Receive, send, ping, time out, and drop the connections that were dead before. Never blocks.

        If an exception leaves it, such as Ctrl-C, the next call breaks off the connection that was being handled, and
        goes on with the others.
        """
        if self._engine.torn:
            self._recover()
            self._engine.torn = False
        try:
            self._update()
        except BaseException:
            self._engine.torn = True
            raise

    def close(self) -> None:
        """Close every connection, and the set's own descriptors. Listening sockets stay open: they are yours."""
        self._closed = True
        try:
            for connection in self:
                connection.close()
            for doorway in self._doorways.values():
                doorway.close()
            self._doorways.clear()
            self._poller.close()
        except BaseException:
            self._engine.torn = True
            raise

    def instantiate(self) -> Descriptors:
        return _together(self._connections)

    # What a connection tells the set that keeps it.

    def _forget(self, connection: Connection[Any]) -> None:
        """Hear that `connection` is over, before its descriptors are closed."""
        self._unwatch(connection)
        self._unwatched.pop(connection, None)
        self._ready = self._of_the_living(self._ready or [])
        self._dead.append(connection)

    def _interrupted(self) -> None:
        """Hear that an exception left a call of a connection half-way."""
        self._engine.torn = True

    def _schedule(self, connection: Connection[Any], when: float) -> None:
        """Have `connection` looked at when `when` comes."""
        self._deadlines.push(when, connection)

    def _watch(self, connection: Connection[Any]) -> None:
        """Have the poller watch for what `connection` waits for now."""
        transport = connection._transport
        if transport is None or (transport.read_fd < 0 and transport.write_fd < 0):
            return
        bits = WRITE if connection._blocked else 0
        if connection._wants_input():
            bits |= READ | EDGE if transport.drains else READ
        if bits != connection._bits:
            self._watch_for(connection, transport, bits)

    def _tell_again(self, connection: Connection[Any]) -> None:
        """Have the poller tell of what `connection` has not yet handled, if that is told but once."""
        transport = connection._transport
        if connection._bits > EDGE and transport is not None:
            self._watch_for(connection, transport, connection._bits)

    def _watch_for(self, connection: Connection[Any], transport: Transport, bits: int) -> None:
        try:
            for fd, mask in _sides(transport):
                if connection._bits < 0:
                    self._poller.add(fd, bits & (mask | EDGE))
                    self._enter(fd, connection)
                else:
                    self._poller.change(fd, bits & (mask | EDGE))
        except OSError:
            connection._bits = bits  # one of two sides may be watched by now
            self._stop_watching(connection)  # a plain file, say, which epoll does not take: it is always ready
            return
        connection._bits = bits
        self._unwatched.pop(connection, None)

    # For a server.

    def _watch_doors(self, fds: tuple[int, ...]) -> None:
        """Note in `_knocked` when one of these descriptors is ready, and leave those watched before alone."""
        for fd in self._doors:
            if fd not in fds:
                self._poller.remove(fd)
        for fd in fds:
            if fd not in self._doors:
                self._poller.add(fd, READ)
                self._enter(fd, None)
        self._doors = fds

    # Inside.

    def _abandon(self) -> None:
        """Be closed in a child of the process that made it; or be its own there, while nobody is in it."""
        for connection in self:
            connection._abandon()
        self._closed = self._closed or bool(self._connections)
        for doorway in self._doorways.values():
            doorway.close()
        self._doorways.clear()
        self._connections.clear()
        self._engine.stepping = None
        self._recover()

    def _update(self) -> None:
        timeline = self._timeline
        hurried, self._hurried = self._hurried and timeline.since() - self._woke < HURRY, False
        now = timeline.tick(self._asleep)
        self._asleep = 0.0
        if self._dead:
            dead, self._dead = self._dead, []
            for connection in dead:
                self._connections.pop(connection, None)
            if len(self._deadlines) > 64 + 4 * len(self._connections):
                self._deadlines.prune(lambda when, connection: connection.alive and when == connection._wake)
        if self._closed:
            return
        self._read(now, hurried)
        if self._deadlines.is_due(now):
            self._look_at_due(now)
        if self._answering and not hurried:  # else the next wait is near
            self._take_answers()
        if self._with_output:
            self._send(now)

    def _recover(self) -> None:
        """Break off what was being stepped when an exception came, and make the tables anew from the connections."""
        torn = self._engine.stepping
        self._poller.close()
        if not self._closed:
            self._poller = make_poller()
        self._doors = ()
        self._watched, self._ready = [], None
        self._continues = False
        self._unwatched, self._dead, self._with_output, self._answering, self._hungry = {}, [], [], [], []
        self._deadlines = Deadlines()
        for connection in [*self._connections]:
            connection._bits, connection._wake, connection._has_output = -1, math.inf, False
            if connection is torn or connection._torn or not connection.alive:
                connection._break()
            elif self._closed:
                connection.close()
            else:
                self._take_up(connection)
        self._engine.stepping = None

    def _take_up(self, connection: Connection[Any]) -> None:
        """Have a living connection looked at when something comes, or is to be sent, or is due."""
        self._unwatched[connection] = None
        self._watch(connection)
        connection._reschedule()
        if connection._has_to_send():
            connection._announce_output()
        if connection._hungry and connection not in self._unwatched:
            self._hungry.append(connection)

    def _take_in(
        self, newcomer: Connector, data: D, sink: Sink | None, timeout: float | None, ping: bytes | None
    ) -> Connection[D]:
        """Make a connection of a newcomer, and keep it."""
        connection = Connection(newcomer, data, timeout=timeout, ping=ping, timeline=self._timeline, sink=sink)
        self._engine.stepping = connection
        self._keep(connection)
        connection._advance(self._timeline.now)
        connection._reschedule()
        self._engine.stepping = None
        return connection

    def _keep(self, connection: Connection[Any]) -> None:
        connection._keeper = self
        self._connections[connection] = None
        self._unwatched[connection] = None

    def _doorway(self, listening: socket.socket) -> TcpDoorway:
        doorway = self._doorways.get(listening)
        if doorway is None:
            doorway = self._doorways[listening] = TcpDoorway(listening)
        return doorway

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("the set is closed: it takes no more connections")

    def _enter(self, fd: int, connection: Connection[Any] | None) -> None:
        """Have what is told of descriptor `fd` mean `connection`, or the door for None."""
        if fd >= len(self._watched):
            self._watched += [None] * (fd + 1 - len(self._watched))
        self._watched[fd] = connection

    def _stop_watching(self, connection: Connection[Any]) -> None:
        """Have `connection` looked at in each update, because the poller cannot tell about it."""
        self._unwatch(connection)
        self._unwatched[connection] = None

    def _unwatch(self, connection: Connection[Any]) -> None:
        transport = connection._transport
        if transport is not None and connection._bits >= 0:
            for fd, _ in _sides(transport):
                if fd < len(self._watched):
                    self._watched[fd] = None
                self._poller.remove(fd)
        connection._bits = -1

    def _read(self, now: float, hurried: bool) -> None:
        """Receive from those who are ready: from all, or in a hurry from enough of them for now."""
        if self._hungry and not (self._continues and hurried):  # not twice for one turn of the others
            self._feed_hungry(now)
        ready = self._ready
        if not ready:
            ready, hurried = self._poller.poll(0), False
        elif not hurried:
            ready = ready + self._poller.poll(0)
        self._ready = None
        self._in_vain = self._continues = False
        if ready:
            self._read_ready(ready, now, hurried)
        if self._unwatched:
            engine = self._engine
            for waiting in [*self._unwatched]:
                engine.stepping = waiting
                waiting._step(now, self._scratch)
            engine.stepping = None

    def _read_ready(self, ready: list[tuple[int, int]], now: float, hurried: bool) -> None:
        backlog, count = self._backlog, len(ready)
        events = None if backlog is None or not hurried else backlog.events
        enough = 0 if events is None else len(events) + PORTION
        beats = 0 if backlog is None else backlog.beats
        while ready:
            part, ready = (ready, []) if events is None else (ready[:PART], ready[PART:])
            self._read_from(part, now)
            if events is not None and len(events) >= enough:
                break
        self._in_vain = backlog is not None and 0 < count - len(ready) == backlog.beats - beats
        if ready:
            self._ready = self._of_the_living(ready)
        self._continues = self._ready is not None

    def _of_the_living(self, ready: list[tuple[int, int]]) -> list[tuple[int, int]] | None:
        """Leave out who is watched no more, since its descriptor's number may be given to others from now on."""
        return [entry for entry in ready if self._watched[entry[0]] is not None or entry[0] in self._doors] or None

    def _read_from(self, ready: list[tuple[int, int]], now: float) -> None:
        scratch, watched, engine = self._scratch, self._watched, self._engine
        for fd, bits in ready:
            connection = watched[fd]
            if connection is None:
                self._knocked = self._knocked or fd in self._doors
                continue
            engine.stepping = connection
            if bits == READ:
                connection._receive(now, scratch)
                if connection._hungry:
                    self._feed_later(connection)
            else:
                self._handle(connection, fd, bits, now)
        engine.stepping = None

    def _feed_hungry(self, now: float) -> None:
        """Go on with those who had more than their share in the last update."""
        hungry, self._hungry = self._hungry, []
        engine = self._engine
        for fed in hungry:
            engine.stepping = fed
            self._receive(fed, now)
        engine.stepping = None

    def _receive(self, connection: Connection[Any], now: float) -> None:
        connection._receive(now, self._scratch)
        if connection._hungry:
            self._feed_later(connection)
        else:
            self._watch(connection)

    def _feed_later(self, connection: Connection[Any]) -> None:
        """What `connection` received is more than one update's share: go on in the next, and read nothing more."""
        if connection not in self._unwatched:  # those are looked at in each update anyway
            self._hungry.append(connection)
            self._watch(connection)

    def _handle(self, connection: Connection[Any], fd: int, bits: int, now: float) -> None:
        """Handle what is rare: room to send again, and links that broke."""
        if bits & WRITE:
            connection._flush(now)
        transport = connection._transport
        if transport is None:
            return
        if bits & (READ | BROKEN) and fd == transport.read_fd and connection._wants_input():
            self._receive(connection, now)
        elif bits & BROKEN and fd == transport.read_fd:
            # Broken, but its owner has not yet taken what came before. A poller would tell it again and again.
            self._stop_watching(connection)
        elif bits & BROKEN:
            connection._send_failed(BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)), now)
        self._tell_again(connection)  # an end may be behind what was received, or more to send than there was room for

    def _look_at_due(self, now: float) -> None:
        deadlines = self._deadlines
        entries: list[tuple[float, list[Connection[Any]]]] = []
        while (entry := deadlines.pop(now)) is not None:
            entries.append(entry)  # first all, so that one that is due again at once cannot hold the update
        engine = self._engine
        for when, connections in entries:
            for connection in connections:
                if connection._wake != when:
                    continue
                engine.stepping = connection
                connection._wake = math.inf
                if connection._transport is None and not connection.alive:
                    continue
                again = connection._check(now)
                if again < connection._wake:
                    connection._wake = again
                    deadlines.push(again, connection)
        engine.stepping = None

    def _send(self, now: float) -> None:
        connections, self._with_output = self._with_output, []
        engine = self._engine
        for connection in connections:
            if connection._blocked:
                connection._has_output = False  # the poller tells when there is room
            else:
                engine.stepping = connection
                connection._flush(now)
        engine.stepping = None

    def _take_answers(self) -> None:
        """Have the answers sent that waited for something to go with."""
        answering, self._answering = self._answering, []
        self._with_output += [entry for entry in answering if entry._answer and not entry._has_output]

    def _sleep(self, seconds: float | None) -> bool:
        """Send what is queued, sleep in the poller, and keep what it tells for the next update."""
        timeline = self._timeline
        self._woke = timeline.since()
        self._hurried = self._woke < HURRY
        engine = self._engine
        if engine.torn:
            return True
        if self._with_output or self._answering:
            self._before_sleep()
        if self._dead or self._ready or engine.later:
            return True
        left = self._seconds_left()
        if left is not None and (seconds is None or left < seconds):
            due, seconds = True, left
        else:
            due = False
        seconds = clip(seconds)
        if self._unwatched:
            return wait(self, timeout=seconds) or due
        most = PORTION if self._hurried else None
        if self._in_vain and self._woke < PAUSE and (seconds is None or seconds > PAUSE):
            time.sleep(PAUSE - self._woke)
        acts, sleep = engine.acts, seconds
        try:
            ready = self._poller.poll(NAP if sleep is None or sleep > NAP else sleep, most)
            while not ready and (sleep is None or sleep > NAP):
                if self._with_output or self._dead or engine.acts != acts:
                    due = True  # by a signal handler
                    break
                sleep = None if sleep is None else sleep - NAP
                ready = self._poller.poll(NAP if sleep is None or sleep > NAP else sleep, most)
        except BaseException as error:
            if self._closed and isinstance(error, (OSError, ValueError)):
                return True  # by a signal handler, and its poller with it
            engine.torn = True  # what the poller told is lost
            raise
        self._ready = ready or None  # nothing is no news: the update asks again
        self._woke = timeline.since()
        self._asleep = seconds or 0.0
        return self._ready is not None or due

    def _descriptors(self) -> Descriptors:
        empty = not self._connections and not self._doors  # its poller would sleep for ever
        fd = -1 if self._closed or empty else self._poller.fileno()
        if fd < 0:
            return self.instantiate()
        read, write, exceptional = _together(self._unwatched)
        return [fd, *read], write, exceptional

    def _before_sleep(self) -> None:
        engine = self._engine
        if engine.busy or engine.torn:
            return
        try:
            engine.busy = True
            if self._answering:
                self._take_answers()
            if self._with_output:
                self._send(self._timeline.now)
            engine.busy = False
        except BaseException:
            engine.torn, engine.busy = True, False
            raise

    def _seconds_left(self) -> float | None:
        if self._with_output or self._answering or self._hungry or self._dead or self._ready or self._engine.torn:
            return 0.0
        deadline = self._deadlines.next()
        left = None if deadline is None else self._timeline.until(deadline)
        for connection in self._unwatched:
            its = connection._seconds_left()
            if its is not None and (left is None or its < left):
                left = its
        return left

    def _slept(self, seconds: float) -> None:
        self._timeline.tick(seconds)

    def _is_over(self) -> bool:
        return self._closed  # an empty one may have somebody in it by the next frame


def _together(connections: Iterable[Connection[Any]]) -> Descriptors:
    lists: Descriptors = [], [], []
    for connection in connections:
        for all_of_them, its in zip(lists, connection.instantiate(), strict=True):
            all_of_them.extend(its)
    return lists


def _sides(transport: Transport) -> list[tuple[int, int]]:
    """Return the descriptors of `transport`, and what each can be watched for."""
    read, write = transport.read_fd, transport.write_fd
    if read == write:
        return [(read, READ | WRITE)]
    return [(fd, mask) for fd, mask in ((read, READ), (write, WRITE)) if fd >= 0]
