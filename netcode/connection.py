"""A link of bytes, as who speaks bytes uses it: verbs over a stream and a receive buffer."""

from typing import Any, Generic, TypeVar, overload

from netcode.address import Address, check_host
from netcode.diagnostics.calls import explain_close, explain_update, explains_arguments
from netcode.diagnostics.mistakes import hint
from netcode.diagnostics.vocabulary import CONNECTION
from netcode.loop.clock import Clock, Timeline, monotonic
from netcode.loop.forks import keep_from_children
from netcode.reasons import Reason
from netcode.stream import driver
from netcode.stream.closing import LINGER
from netcode.stream.connecting import CONNECT_TIMEOUT, Connecting
from netcode.stream.contract import SCRATCH, State
from netcode.stream.draining import unsent
from netcode.stream.intake import (
    MAX_RECEIVE_BUFFER,
    MAX_SEND_BUFFER,
    Intake,
    check_positive,
    check_receivable,
    check_silence,
    copy_of,
)
from netcode.stream.stream import Stream
from netcode.transport import Connector, Network, Ready, check_network
from netcode.transport.pipe import PipeTransport
from netcode.transport.tcp import TCP
from netcode.waiting import Descriptors, Waiter, check_timeout

__all__ = [
    "CONNECT_TIMEOUT",
    "LINGER",
    "MAX_RECEIVE_BUFFER",
    "MAX_SEND_BUFFER",
    "Connection",
    "State",
    "connect",
    "custom",
    "stream_of",
]

_TAKES = State.CONNECTING, State.CONNECTED  # looked up once; a member of an Enum takes long to look up

D = TypeVar("D")
D_co = TypeVar("D_co", covariant=True)


class Connection(Waiter, Generic[D_co]):
    """A link that carries bytes, driven by `update()`.

    Make one with `connect` or `custom`, or let `ConnectionSet.accept` make it. Call `update()` once a frame:
    it moves bytes between the network and the buffers, and never blocks or raises for what the network does.
    Everything else only looks at the buffers.
    """

    __slots__ = ("__weakref__", "_busy", "_data", "_intake", "_scratch", "_stream")

    def __init__(
        self,
        connector: Connector,
        data: D_co,
        *,
        timeout: float | None,
        ping: bytes | None,
        timeline: Timeline,
    ) -> None:
        self._data = data
        self._intake = Intake(timeout, ping)
        connecting = Connecting(connector, timeline.now, min(CONNECT_TIMEOUT, timeout or CONNECT_TIMEOUT))
        self._stream = Stream(connecting, self._intake, self._intake, timeline)
        self._scratch: memoryview | None = None
        self._busy = False  # in an update: what another one read meanwhile would come before what this one has read

    @property
    def state(self) -> State:
        """The state as of the last `update()`, `wait`, `close()` or `close_nicely()`."""
        return self._stream.state

    @property
    def reason(self) -> Reason | None:
        """Why the connection is `DISCONNECTED`; None in every other state. The first reason stays."""
        return self._stream.reason

    @property
    def alive(self) -> bool:
        """Whether the state is anything but `DISCONNECTED`. A dead one may still have bytes to be received."""
        return self._stream.alive

    @property
    def data(self) -> D_co:
        """What was given as `data`: yours, netcode does not look at it."""
        return self._data

    @property
    def timeout(self) -> float | None:
        """Seconds of silence that end the connection, or None."""
        return self._intake.timeout

    @property
    def ping(self) -> bytes | None:
        """What is sent by itself after half of `timeout` in silence, or None."""
        return self._intake.ping

    @property
    def remote_address(self) -> Address | None:
        """The other end's address; None while connecting, and for descriptors without one."""
        return self._stream.remote_address

    @property
    def send_buffer_length(self) -> int:
        """Bytes that wait to be sent; where a write has failed, also those that it lost, until all is over."""
        stream = self._stream
        return unsent(stream.waiting, stream.draining) if stream.alive else 0

    @property
    def receive_buffer_length(self) -> int:
        """Bytes that were received and not taken."""
        return self._intake.held()

    @property
    def receive_buffer_empty(self) -> bool:
        """Whether there is nothing to receive now."""
        return not self.receive_buffer_length

    def __repr__(self) -> str:
        return f"<Connection {self.state.value} to {self.remote_address or self._stream.where}>"

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Queue `data` to be sent by the following updates.

        CONNECTING: it is sent once the connection is established. DISCONNECTING, DISCONNECTED: it is ignored.
        `data` may be changed afterwards; what is sent is what it was. Never blocks.

        If more than 64 MiB (`MAX_SEND_BUFFER`) are waiting, the next update ends the connection with `TOO_SLOW`; what
        is sent until then is ignored.

        Raises:
            TypeError: `data` is not bytes-like.
        """
        copy = data if type(data) is bytes else copy_of(data)
        stream, intake = self._stream, self._intake
        if stream.state in _TAKES and copy and not intake.overfull:
            try:
                stream.send(copy)
                intake.bound(stream)
            except BaseException:
                stream.interrupted()
                raise

    def receive(self, length: int) -> bytes | None:
        """Take exactly `length` bytes, or None if fewer are there yet. Works in every state; never blocks.

        Raises:
            TypeError: `length` is no int.
            ValueError: `length` is negative, or above 65,536 (`MAX_RECEIVE_BUFFER`): it could never be there.
        """
        check_receivable(length)
        return self._intake.take(self._stream, length) if self.receive_buffer_length >= length else None

    def receive_poll(self, offset: int, length: int) -> bytes | None:
        """Return exactly `length` bytes from `offset` and leave them in the buffer; None if they are not there yet.

        Raises:
            TypeError: `offset` or `length` is no int.
            ValueError: `offset` or `length` is negative, or their sum is above 65,536 (`MAX_RECEIVE_BUFFER`).
        """
        check_receivable(length)
        check_receivable(offset)
        check_receivable(offset + length)
        return self.receive_poll_part(offset, length) if self.receive_buffer_length >= offset + length else None

    def receive_poll_part(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`, perhaps none, and leave them in the buffer.

        Raises:
            TypeError: `offset` or `length` is no int.
            ValueError: `offset` or `length` is negative.
        """
        check_positive(offset)
        check_positive(length)
        return self._intake.peek(offset, length)

    def receive_all(self) -> bytes:
        """Take everything that is there, perhaps nothing."""
        return self._intake.take(self._stream, self.receive_buffer_length)

    def receive_part(self, length: int) -> bytes:
        """Take up to `length` bytes, perhaps none.

        Raises:
            TypeError: `length` is no int.
            ValueError: `length` is negative.
        """
        check_positive(length)
        return self._intake.take(self._stream, length)

    def receive_forget(self, length: int) -> None:
        """Drop exactly `length` bytes unread, or nothing if fewer are there yet: `receive` without the copy.

        Raises:
            TypeError, ValueError: as for `receive`.
        """
        check_receivable(length)
        self._intake.forget(self._stream, length)

    def close(self) -> None:
        """End the connection at once; what waits to be sent is lost. Does nothing if it is over already."""
        self._stream.close()

    def close_nicely(self, timeout: float | None = None) -> None:
        """End the connection once everything queued is sent and the other end has had it.

        The state is DISCONNECTING meanwhile: bytes that arrive are still received, and `send` is ignored. Where they fill
        the buffer and nobody takes any for half a second, what comes further is dropped, for the other end to finish.
        After the last byte, our side of the stream is ended and the other end's end is awaited, because closing
        earlier would destroy what it has not yet read. Keep calling `update()`. Never blocks.

        CONNECTING: with nothing queued, closes at once; else goes on connecting to send it.
        DISCONNECTING: only a shorter `timeout` has an effect. DISCONNECTED: does nothing.

        Args:
            timeout: seconds after which it is over in any case, with `CLOSE_TIMEOUT`. None: no limit for sending,
                and 2 seconds for the other end to finish.

        Raises:
            TypeError, ValueError: `timeout` is no finite number from 0 up.
        """
        check_timeout(timeout)
        try:
            self._stream.close_nicely(timeout)
        except BaseException:
            self._stream.interrupted()
            raise

    def update(self) -> None:
        """Do what can be done now: connect, receive, send, ping, time out. Call it once a frame. Never blocks.

        CONNECTING: goes on connecting; the state changes when that worked or failed. CONNECTED, DISCONNECTING:
        moves bytes. DISCONNECTED: does nothing. If an exception leaves it, such as Ctrl-C, the next call ends the
        connection, because nobody knows how far it got. Raises `RuntimeError` in itself, and in two threads at once.
        """
        if self._busy:
            raise RuntimeError("Connection.update() is already running: call it from one place, in one thread")
        try:
            self._busy = True
            scratch = self._scratch = self._scratch or memoryview(bytearray(SCRATCH))
            driver.update(self._stream, scratch)
        finally:
            self._busy = False

    def instantiate(self) -> Descriptors:
        """Return what `update` waits for: reading if there is room, writing if something is to be sent or connects."""
        return driver.descriptors(self._stream)

    def _before_sleep(self) -> None:
        driver.send_now(self._stream)

    def _seconds_left(self) -> float | None:
        return driver.seconds_left(self._stream)

    def _slept(self, seconds: float) -> None:
        self._stream.timeline.tick(seconds)

    def _is_over(self) -> bool:
        return not self.alive  # while it lives, what it waits for may be that somebody takes what was received

    def _abandon(self) -> None:
        self._busy = False
        self._stream.abandon()


hint(Connection, CONNECTION)
explain_close(Connection)
explain_update(Connection)


def stream_of(connection: Connection[Any]) -> Stream:
    """Return what moves the bytes of `connection`, for the floors above: it is no business of whoever uses one."""
    return connection._stream  # noqa: SLF001 - a friend of the class, in its module


@overload
def connect(
    host: str,
    port: int,
    data: None = None,
    *,
    timeout: float | None = None,
    ping: bytes | None = None,
    network: Network = TCP,
    clock: Clock = monotonic,
) -> Connection[None]: ...
@overload
def connect(
    host: str,
    port: int,
    data: D,
    *,
    timeout: float | None = None,
    ping: bytes | None = None,
    network: Network = TCP,
    clock: Clock = monotonic,
) -> Connection[D]: ...
@explains_arguments("connect", check=check_host)
def connect(
    host: str,
    port: int,
    data: Any = None,
    *,
    timeout: float | None = None,
    ping: bytes | None = None,
    network: Network = TCP,
    clock: Clock = monotonic,
) -> Connection[Any]:
    """Start to connect to a server. Returns at once; call `update()` until `state` is no longer CONNECTING.

    Names are looked up beside the game, and IPv6 and IPv4 addresses are raced, so nothing here ever blocks.
    What goes wrong on the network becomes `reason`.

    Args:
        host: an IPv4 or IPv6 address, or a name.
        port: from 1 to 65535.
        data: anything of yours to keep with the connection.
        timeout: seconds of nothing received after which the connection ends by itself; None for never.
            Connecting itself takes at most 5 seconds, or `timeout` if that is less.
        ping: sent by itself when nothing was received for half of `timeout`.
        network, clock: what to connect over and how to tell the time, for tests.

    Raises:
        TypeError, ValueError: an argument cannot be what it should be.
    """
    check_network(network)
    timeline = Timeline(clock)
    connector = network.connect(host, port, timeline.now)
    return keep_from_children(Connection(connector, data, timeout=timeout, ping=ping, timeline=timeline))


@overload
def custom(
    data: None = None,
    *,
    input: object | None = None,
    output: object | None = None,
    timeout: float | None = None,
    ping: bytes | None = None,
    remote_address: Address | None = None,
    clock: Clock = monotonic,
) -> Connection[None]: ...
@overload
def custom(
    data: D,
    *,
    input: object | None = None,
    output: object | None = None,
    timeout: float | None = None,
    ping: bytes | None = None,
    remote_address: Address | None = None,
    clock: Clock = monotonic,
) -> Connection[D]: ...
@explains_arguments("custom")
def custom(
    data: Any = None,
    *,
    input: object | None = None,
    output: object | None = None,
    timeout: float | None = None,
    ping: bytes | None = None,
    remote_address: Address | None = None,
    clock: Clock = monotonic,
) -> Connection[Any]:
    """Make a connection of descriptors that are there already: pipes, standard input and output, a socketpair.

    The first `update()` makes it CONNECTED. It owns the descriptors from now on: they are made non-blocking,
    and closed at its end (a terminal's blocking mode is given back).

    Args:
        data, timeout, ping: as for `connect`.
        input: a descriptor, or an object with `fileno()`, to receive from. None: nothing will ever be received.
        output: where to send to; may be the same as `input`. None: what is sent is ignored.
        remote_address: what the property of that name shall say.
        clock: how to tell the time, for tests.

    Raises:
        TypeError, ValueError: an argument cannot be what it should be; on Windows, a descriptor is no socket.
        OSError: a descriptor is closed.
    """
    check_silence(timeout, ping)  # this and the clock before the descriptors change hands
    timeline = Timeline(clock)
    transport = PipeTransport(input, output, remote_address)
    return keep_from_children(Connection(Ready(transport), data, timeout=timeout, ping=ping, timeline=timeline))
