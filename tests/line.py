"""A connection over the network in memory, and the bare other end."""

import pytest

from netcode.address import Address
from netcode.connection import State, connect
from netcode.reasons import Reason, ReasonCode
from netcode.testing import FakeClock, MemoryNetwork
from netcode.testing.network import MemoryTransport
from netcode.transport import Transport
from netcode.waiting import Descriptors

CONNECTING, CONNECTED, DISCONNECTING, DISCONNECTED = State

CLOSED = Reason(ReasonCode.CLOSED, "closed by this program")
BY_PEER = Reason(ReasonCode.CLOSED_BY_PEER, "server:7777 closed the connection")


class Line:
    """A connection over the network in memory, and the bare other end."""

    def __init__(self, timeout: float | None = None, ping: bytes | None = None, capacity: int = 65_536) -> None:
        self.clock = FakeClock()
        self.network = MemoryNetwork(self.clock, capacity=capacity)
        self.door = self.network.listen("", 7777)
        self.connection = connect(
            "server", 7777, "data", timeout=timeout, ping=ping, network=self.network, clock=self.clock
        )
        self.heard = b""

    def opened(self) -> "Line":
        self.connection.update()
        assert self.connection.state is CONNECTED
        return self

    @property
    def far(self) -> MemoryTransport:
        """The other end."""
        if not hasattr(self, "_far"):
            newcomer = self.door.accept(0.0)
            assert newcomer is not None
            far = newcomer.advance(0.0)
            assert isinstance(far, MemoryTransport)
            self._far = far
        return self._far

    def hear(self) -> bytes | None:
        """Receive at the other end: bytes, b"" for the end, None for nothing yet."""
        buffer = memoryview(bytearray(1 << 20))
        try:
            return bytes(buffer[: self.far.receive_into(buffer)])
        except BlockingIOError:
            return None

    def later(self, seconds: float, tick: float = 0.25) -> None:
        """Let time pass, with updates."""
        end = self.clock() + seconds
        while self.clock() < end:
            self.clock.advance(min(tick, end - self.clock()))
            self.connection.update()


def in_state(state: State, buffered: bytes = b"") -> Line:
    """Make a connection in any state, with something received where that can be."""
    line = Line()
    if state is CONNECTING:
        return line
    line.opened()
    line.far.send(buffered or b"")
    line.connection.update()
    if state is DISCONNECTING:
        line.connection.close_nicely()
        line.connection.update()
    elif state is DISCONNECTED:
        line.connection.close()
    assert line.connection.state is state
    return line


every_state = pytest.mark.parametrize("state", State)


class Half:
    """A connect that gets nowhere."""

    where = "half way"
    address: Address | None = None
    hint = "hangs"

    def advance(self, now: float) -> Transport | Reason | None:
        return None

    def descriptors(self) -> Descriptors:
        return [1], [2], [3]

    def due(self) -> float | None:
        return None

    def close(self) -> None:
        pass
