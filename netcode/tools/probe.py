"""One question to a server, without a seat there: what it plays, and how long its answer takes."""

from ssl import SSLContext
from typing import Any, NamedTuple

from netcode.address import Address
from netcode.connection import State, connect
from netcode.errors import ProtocolError
from netcode.loop.clock import Clock, monotonic
from netcode.reasons import Reason, ReasonCode, printable
from netcode.transport import Network
from netcode.transport.tcp import TCP
from netcode.waiting import wait
from netcode.wire import protocol
from netcode.wire.framing import HEADER_SIZE, breach, split
from netcode.wire.protocol import ASKING, MAX_NAME, MAX_UNGREETED, Bye, Hello

LOOK = 0.1
"""Seconds between two looks at the time that is left."""


class Answer(NamedTuple):
    """What a server said. Its words are a stranger's, and safe to print."""

    address: Address
    connected: float
    """Seconds until the connection was there: one round trip of the network, and the handshake of TLS."""
    answered: float
    """Seconds from the question to the answer: one round trip, and the wait for the server's next update."""
    game: str | None
    """None where the server does not tell, as those of an earlier version."""
    version: str | None
    players: int | None
    max_players: int | None
    text: str
    """The sentence that came with it."""


class Probe:
    """A question under way. Driven by `update()`; `result` tells when it is over."""

    def __init__(
        self,
        where: Address,
        *,
        tls: SSLContext | bool = False,
        timeout: float = 3.0,
        network: Network = TCP,
        clock: Clock = monotonic,
    ) -> None:
        if tls:
            from netcode.transport.tls import TlsNetwork

            network = TlsNetwork(network, None if tls is True else tls)
        self._clock, self._began = clock, clock()
        self._until = self._began + timeout
        self._where = where
        self._asked: float | None = None
        self.connection = connect(where.host, where.port, network=network, clock=clock)
        self.result: Answer | Reason | None = None
        """What came of it; None while it is under way."""

    def update(self) -> None:
        """Do what can be done now."""
        connection = self.connection
        connection.update()
        now = self._clock()
        if self.result is not None:
            return
        if connection.state is State.CONNECTED and self._asked is None:
            self._asked = now
            connection.send(protocol.hello(Hello(ASKING, "", MAX_UNGREETED, None, 0, None)))
            connection.update()
        try:
            self._read(now)
        except ProtocolError as error:
            self._over(error.reason)
        if self.result is None and connection.reason is not None:
            self._over(self._why(connection.reason))
        if self.result is None and now >= self._until:
            code, why = ReasonCode.HANDSHAKE_TIMEOUT, "the server or the network is busy"
            if self._asked is None:
                code, why = ReasonCode.CONNECT_TIMEOUT, "is the address right, and does a firewall block the port?"
            self._over(Reason(code, f"{self._where} did not answer in {now - self._began:.3g} s; {why}"))

    def close(self) -> None:
        """Give it up."""
        self.connection.close()

    def _over(self, result: Answer | Reason) -> None:
        self.result = result
        self.connection.close()

    def _why(self, reason: Reason) -> Reason:
        if self._asked is not None and reason.code in {ReasonCode.CLOSED_BY_PEER, ReasonCode.RESET}:
            return Reason(reason.code, f"{self._where} hung up; is that a netcode server, and does it speak TLS?")
        return reason

    def _read(self, now: float) -> None:
        """Look for the answer in what has come. Raises `ProtocolError` for what is none."""
        data = self.connection.receive_poll_part(0, MAX_UNGREETED + HEADER_SIZE)
        payloads, _, rest, _ = split(memoryview(data), MAX_UNGREETED, 1)
        if rest < 0 and not payloads:
            raise breach(memoryview(data), MAX_UNGREETED, greeted=False)
        if not payloads:
            return
        said = protocol.decode(payloads[0])
        if not isinstance(said, Bye):
            raise ProtocolError(ReasonCode.MALFORMED, "the server did not answer as the protocol has it")
        if said.reason.code is not ReasonCode.WRONG_GAME:
            self._over(said.reason)
            return
        about: dict[Any, Any] = said.about or {}
        assert self._asked is not None
        self._over(
            Answer(
                self.connection.remote_address or self._where,
                self._asked - self._began,
                now - self._asked,
                _name(about.get("game")),
                _name(about.get("version")),
                _count(about.get("players")),
                _count(about.get("max_players")),
                said.reason.text,
            )
        )


def ask(where: Address, tls: SSLContext | bool, timeout: float) -> Answer | Reason:
    """Ask a server, and wait for what comes of it."""
    probe = Probe(where, tls=tls, timeout=timeout)
    try:
        while probe.result is None:
            wait(probe.connection, timeout=LOOK)
            probe.update()
    finally:
        probe.close()
    return probe.result


def _name(value: Any) -> str | None:
    return printable(value, MAX_NAME) if isinstance(value, str) else None


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 1 << 32 else None
