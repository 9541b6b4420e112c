"""A player written from docs/turns-protocol.md and docs/protocol.md alone: it imports nothing of netcode."""

import socket
import struct
from collections.abc import Callable
from typing import Any

import msgpack


class PagePlayer:
    """Sits down over a plain socket and keeps what it is told; `update` reads what is there."""

    def __init__(self, port: int, game: str, **wanted: Any) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5.0)
        self.incoming = b""
        self.received = 0
        self.welcomed = False
        self.seat: int | None = None
        self.ticket: str | None = None
        self.fields: dict[str, Any] = {}
        self.state: dict[str, Any] = {}
        self.events: list[list[Any]] = []
        self.refused: list[list[Any]] = []
        self.said: list[list[Any]] = []
        self.gone: str | None = None
        self._control(1, "netcode", 1, "netcode.turns", "1", 65_536, None, 0, None, "\r\n\r\n")
        self._wanted = ["join", game, wanted]

    def update(self) -> None:
        """Read what is there, without waiting."""
        self.socket.setblocking(False)
        try:
            while data := self.socket.recv(65_536):
                self.incoming += data
        except BlockingIOError:
            pass
        self.socket.settimeout(5.0)
        while len(self.incoming) >= 4:
            (length,) = struct.unpack(">I", self.incoming[:4])
            if len(self.incoming) < 4 + length:
                return
            payload, self.incoming = self.incoming[4 : 4 + length], self.incoming[4 + length :]
            self._hear(msgpack.unpackb(payload, strict_map_key=False))

    def play(self, move: str, **arguments: Any) -> None:
        """Make a move."""
        self.say("play", self.state.get("last", 0) + 1, move, arguments)

    def say(self, *entries: Any) -> None:
        """Send a message."""
        self._send(msgpack.packb([*entries]))

    def close(self) -> None:
        """Hang up without a word."""
        self.socket.close()

    def until(self, condition: Callable[[], bool], other: Callable[[], None]) -> None:
        """Read, and let the others do their part, until something is so."""
        for _ in range(20_000):
            self.update()
            other()
            if condition():
                return
        raise AssertionError("it never came true")

    def _hear(self, value: Any) -> None:
        if isinstance(value, msgpack.ExtType):
            kind, *rest = msgpack.unpackb(value.data)
            if kind == 2:  # WELCOME
                self.welcomed = True
                self.say(*self._wanted)
            elif kind == 3:  # PING: echo the number
                self._control(4, rest[0], self.received)
            elif kind == 5:  # BYE
                self.gone = rest[1]
            return
        self.received += 1
        match value:
            case ["sat", _, _, seat, ticket, last, _]:
                self.seat, self.ticket = seat, ticket or self.ticket
                self.fields, self.state = {}, {"last": last}
            case ["part", fields]:
                self._learn(fields)
            case ["step", events, fields, state]:
                self._learn(fields)
                self.state |= state
                self.events += events
            case ["refused", *refusal]:
                self.refused.append(refusal)
            case ["said", *said]:
                self.said.append(said)
            case ["gone", text]:
                self.gone = text
            case _:
                raise AssertionError(f"the page does not know {value!r}")

    def _learn(self, fields: dict[str, bytes]) -> None:
        self.fields |= {name: msgpack.unpackb(data, strict_map_key=False) for name, data in fields.items()}

    def _control(self, *fields: Any) -> None:
        self._send(msgpack.packb(msgpack.ExtType(78, msgpack.packb([*fields]))))

    def _send(self, payload: bytes) -> None:
        self.socket.sendall(struct.pack(">I", len(payload)) + payload)
