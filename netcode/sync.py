"""The verbs that wait: for tools, tests and programs without a frame.

They wait until what they are named for has happened or the connection is DISCONNECTED, and can be mixed freely
with the verbs that do not wait. None of them raises for what the network does: look at `connection.state`.
"""

from collections.abc import Callable
from typing import Any, TypeVar, overload

from netcode.address import check_host
from netcode.connection import Connection, State, stream_of
from netcode.connection import connect as start_to_connect
from netcode.diagnostics.advice import PATIENCE, advise
from netcode.diagnostics.calls import explains_arguments
from netcode.stream.driver import seconds_left
from netcode.stream.intake import MAX_RECEIVE_BUFFER, check_receivable
from netcode.waiting import wait

D = TypeVar("D")


@overload
def connect(
    host: str, port: int, data: None = None, *, timeout: float | None = None, ping: bytes | None = None
) -> Connection[None]: ...
@overload
def connect(
    host: str, port: int, data: D, *, timeout: float | None = None, ping: bytes | None = None
) -> Connection[D]: ...
@explains_arguments("sync.connect", check=check_host)
def connect(
    host: str, port: int, data: Any = None, *, timeout: float | None = None, ping: bytes | None = None
) -> Connection[Any]:
    """Connect as `netcode.connect` does, and wait until that worked or failed.

    Raises:
        TypeError, ValueError: an argument cannot be what it should be.
    """
    connection = start_to_connect(host, port, data, timeout=timeout, ping=ping)
    _wait_until(connection, lambda: connection.state is not State.CONNECTING)
    return connection


def send(connection: Connection[Any], data: bytes | bytearray | memoryview) -> None:
    """Send `data`, and wait until the operating system has taken all that was queued.

    Where each end waits for the other to read, only a `timeout` of the connection ends that; a `RuntimeWarning` tells
    of it after five seconds.

    Raises:
        TypeError: `data` is not bytes-like.
    """
    _check(connection)
    connection.send(data)
    _wait_until(connection, lambda: not connection.send_buffer_length, PATIENCE)


def receive(connection: Connection[Any], length: int) -> bytes | None:
    """Wait for exactly `length` bytes and take them; None if the connection ended with fewer left, or has no input.

    Raises:
        TypeError, ValueError: as for `Connection.receive`.
    """
    _check(connection)
    check_receivable(length)
    _wait_until(connection, lambda: connection.receive_buffer_length >= length)
    return connection.receive(length)


def close_nicely(connection: Connection[Any], timeout: float | None = None) -> None:
    """Close as `Connection.close_nicely` does, and wait until that is done.

    Raises:
        TypeError, ValueError: `timeout` is no finite number from 0 up.
    """
    _check(connection)
    connection.close_nicely(timeout)
    _wait_until(connection, lambda: False)


def _check(connection: Connection[Any]) -> None:
    if not isinstance(connection, Connection):
        hint = "; a Client and a Server have a wait() of their own" if hasattr(connection, "wait") else ""
        raise TypeError(f"expected a Connection, not {type(connection).__name__}{hint}")


def _wait_until(connection: Connection[Any], done: Callable[[], bool], patience: float | None = None) -> None:
    """Wait until something is so.

    Args:
        patience: seconds in which nothing happens after which a program is told that it could receive.
    """
    connection.update()
    while connection.alive and not done():
        if not any(connection.instantiate()) and seconds_left(stream_of(connection)) is None:
            return  # nothing will ever happen: it has no input
        if not wait(connection, timeout=patience) and connection.receive_buffer_length >= MAX_RECEIVE_BUFFER:
            advise(
                f"sync.send() has waited for {patience:g} seconds in which the other end took nothing, while "
                f"{MAX_RECEIVE_BUFFER} bytes from there wait to be received: perhaps each end waits for the other to "
                "read; receive in between, or give the connection a timeout"
            )
            patience = None
        connection.update()
