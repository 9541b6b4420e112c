"""Many connections: accept them, update those that are ready or due, drop the dead."""

import socket
from collections.abc import Callable, Iterator
from typing import Any, Final, Generic, TypeVar
from weakref import ref

from netcode.address import Address
from netcode.connection import Connection, stream_of
from netcode.diagnostics.calls import explain_update
from netcode.loop.clock import Clock, monotonic
from netcode.loop.forks import keep_from_children
from netcode.stream.contract import ACCEPTS_PER_UPDATE, ALONE
from netcode.stream.intake import check_silence
from netcode.stream.stream_set import StreamSet
from netcode.transport import Connector, Doorway
from netcode.transport.sockets import check_plain
from netcode.transport.tcp_listener import Listener, TcpDoorway
from netcode.waiting import Descriptors, Waiter

D = TypeVar("D")


class _Refuse:
    def __repr__(self) -> str:
        return "netcode.REFUSE"


REFUSE: Final = _Refuse()
"""What `make_data` returns to have a connect closed at once."""


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
        self._streams: StreamSet[Connection[D]] = StreamSet(clock)
        self._doorways: dict[socket.socket, TcpDoorway] = {}
        self._listeners: list[ref[Waiter]] = []
        """Whose doors the poller watches, too."""
        keep_from_children(self)

    def __len__(self) -> int:
        return len(self._streams)

    def __iter__(self) -> Iterator[Connection[D]]:
        return iter(self._streams)

    def __contains__(self, connection: object) -> bool:
        anything: Any = connection
        return isinstance(connection, Connection) and stream_of(anything) in self._streams

    def accept(
        self,
        listener: Doorway | socket.socket,
        make_data: Callable[[Address], D | _Refuse],
        *,
        timeout: float | None = None,
        ping: bytes | None = None,
    ) -> None:
        """Take in those who wait at `listener`, at most 64 of them. Never blocks.

        Args:
            listener: a `Listener`, or any listening socket. It is made non-blocking, and stays yours to close.
            make_data: is given the address of the newcomer and returns the `data` of its connection, or `REFUSE`. It may
                close the set: then nobody comes in.
            timeout, ping: as for `connect`, for each newcomer.

        Raises:
            TypeError, ValueError: an argument cannot be what it should be, or the set is closed.
            OSError: the listener is closed.
        """
        self._check_open()
        check_silence(timeout, ping)
        # The usual one first: to ask an abstract class takes long.
        if not isinstance(listener, (Listener, Doorway, socket.socket)):
            raise TypeError(f"expected a Listener or a listening socket, not {type(listener).__name__}")
        if not callable(make_data):
            raise TypeError(f"make_data must be a function of an address, not {type(make_data).__name__}")
        doorway = self._doorway(listener) if isinstance(listener, socket.socket) else listener
        if self._is_deserted(doorway):
            return
        now = self._streams.timeline.tick()  # a newcomer's time begins now, not at the last update
        for _ in range(ACCEPTS_PER_UPDATE):
            if self._streams.closed:
                return  # by make_data
            try:
                newcomer = doorway.accept(now)
            except OSError:
                if isinstance(listener, socket.socket):
                    self._doorways.pop(listener).close()
                raise
            if newcomer is None:
                return
            self._welcome(newcomer, make_data, timeout, ping)

    def add(self, connection: Connection[D]) -> None:
        """Put a connection of `connect` or `custom` into the set, which updates it from then on.

        Raises:
            TypeError: it is no connection.
            ValueError: it is in a set already, or over, or the set is closed.
        """
        self._check_open()
        if not isinstance(connection, Connection):
            raise TypeError(f"expected a Connection, not {type(connection).__name__}")
        stream = stream_of(connection)
        if stream.host is not ALONE or not stream.alive:
            raise ValueError(f"{connection!r} is in a set already, or over")
        self._streams.add(stream, connection)

    def update(self) -> None:
        """Receive, send, ping, time out, and drop the connections that were dead before. Never blocks.

        If an exception leaves it, such as Ctrl-C, the next call breaks off the connection that was being handled, and
        goes on with the others.

        Raises:
            RuntimeError: it is called from within itself, or from two threads at once.
        """
        streams, engine = self._streams, self._streams.engine
        if engine.busy:
            raise RuntimeError("ConnectionSet.update() is already running: call it from one place, in one thread")
        if engine.torn or engine.later:
            engine.catch_up(streams.recover)
        engine.run(streams.update)
        if engine.later:
            engine.catch_up(streams.recover)

    def close(self) -> None:
        """Close every connection, and the set's own descriptors. Listening sockets stay open: they are yours.

        In the middle of an `update()`, as from a signal handler, at the end of that.
        """
        self._streams.engine.do(self._close, self._streams.recover)

    def instantiate(self) -> Descriptors:
        return self._streams.each_descriptor()

    def _descriptors(self) -> Descriptors:
        self._streams.watcher.watch_doors(())  # who knocks there is no news of ours
        return self._streams.descriptors()

    def _before_sleep(self) -> None:
        self._streams.send_now()

    def _seconds_left(self) -> float | None:
        return 0.0 if self._streams.engine.later else self._streams.seconds_left()

    def _slept(self, seconds: float) -> None:
        self._streams.timeline.tick(seconds)

    def _is_over(self) -> bool:
        return self._streams.closed  # an empty one may have somebody in it by the next frame

    def _sleep_for(self, everybody: tuple[Waiter, ...], seconds: float | None) -> bool | None:
        streams = self._streams
        others = [waiter for waiter in everybody if waiter is not self]
        fds: tuple[int, ...] = ()
        for other in others:
            doors = other.doors() if isinstance(other, Listener) else ()
            if not doors:
                return None
            fds += doors
        if streams.closed or not (fds or len(streams)) or streams.watcher.poller.fileno() < 0:
            return None  # a poller that has no descriptor would stumble over a door that is closed meanwhile
        try:
            self._watch_doors(fds, [*map(ref, others)])
            return streams.sleep(seconds)
        except Exception:
            if streams.closed or not all(isinstance(one, Listener) and one.doors() for one in others):
                return True  # a signal handler has closed one of them, and what was to be watched with it
            raise

    def _abandon(self) -> None:
        """Be closed in a child of the process that made it; or be its own there, while nobody is in it."""
        self._close_doorways()
        self._streams.abandon()

    def _watch_doors(self, fds: tuple[int, ...], listeners: "list[ref[Waiter]]") -> None:
        """Have the poller tell of who knocks at these listeners' doors, too."""
        watcher = self._streams.watcher
        if fds != watcher.doors or listeners != self._listeners:
            watcher.watch_doors(())  # numbers alone do not tell: that of a closed one may be another's by now
            watcher.watch_doors(fds)
            self._listeners = listeners

    def _close(self) -> None:
        self._streams.close()
        self._close_doorways()

    def _close_doorways(self) -> None:
        for doorway in self._doorways.values():
            doorway.close()
        self._doorways.clear()

    def _is_deserted(self, doorway: Doorway) -> bool:
        """Tell whether the poller knows that nobody is at a door. To ask it costs less than to be told so by the door."""
        watcher, fds = self._streams.watcher, doorway.doors()
        if not watcher.doors or not fds or ref(doorway) not in self._listeners:
            return False
        try:
            return not watcher.knocks(fds)
        except BaseException as error:
            self._streams.engine.torn = True  # what the poller told is lost
            if self._streams.closed and isinstance(error, ValueError):
                return True  # by a signal handler, and its poller with it
            raise

    def _welcome(
        self,
        newcomer: Connector,
        make_data: Callable[[Address], D | _Refuse],
        timeout: float | None,
        ping: bytes | None,
    ) -> None:
        """Take in who came, or close the door on who is refused."""
        try:
            data = make_data(newcomer.address or Address("local", 0))
        except BaseException:
            newcomer.close()
            raise
        if isinstance(data, _Refuse) or self._streams.closed:
            newcomer.close()
            return
        timeline = self._streams.timeline
        connection = Connection(newcomer, data, timeout=timeout, ping=ping, timeline=timeline)
        self._streams.take_in(stream_of(connection), connection)

    def _doorway(self, listening: socket.socket) -> TcpDoorway:
        doorway = self._doorways.get(listening)
        if doorway is None:
            check_plain(listening)
            if not _listens(listening):
                raise ValueError("expected a listening socket: call its listen() first, or take a netcode.Listener")
            doorway = self._doorways[listening] = TcpDoorway(listening)
        return doorway

    def _check_open(self) -> None:
        if self._streams.closed:
            raise ValueError("the set is closed: it takes no more connections")


explain_update(ConnectionSet)


def _listens(sock: socket.socket) -> bool:
    """Tell whether connects can be accepted there, as far as the system tells."""
    try:
        return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return True  # closed, which `accept` says
