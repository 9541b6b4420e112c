"""The wire as a stranger writes it: frames and control messages, made and read without netcode's own code."""

import struct
from typing import Any

import msgpack

from netcode import Address, Connection, ConnectionSet, ReasonCode
from netcode.loop.clock import Clock
from netcode.transport import Network

MAX_MESSAGE = 65_536
HELLO, WELCOME, PING, PONG, BYE, ACK = range(1, 7)
UPGRADE = (
    b"GET /any HTTP/1.1\r\nHost: game\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)
"""How a browser begins, up to further lines and an empty one."""


def frame(payload: bytes) -> bytes:
    """Put the length in front."""
    return struct.pack(">I", len(payload)) + payload


def message(value: Any) -> bytes:
    """Return the frame of an application message."""
    return frame(msgpack.packb(value))


def control(*fields: Any) -> bytes:
    """Return the frame of a control message."""
    return frame(msgpack.packb(msgpack.ExtType(78, msgpack.packb([*fields]))))


def hello(game: str = "", version: str = "", token: bytes | None = None, received: int = 0, protocol: int = 1) -> bytes:
    """Return a HELLO; without a token the stranger never comes back."""
    return control(HELLO, "netcode", protocol, game, version, MAX_MESSAGE, token, received, None)


def welcome(peer_id: int = 1, token: bytes = b"", received: int = 0, protocol: int = 1, grace: float = 0.0) -> bytes:
    """Return a WELCOME."""
    return control(WELCOME, protocol, peer_id, MAX_MESSAGE, token, received, 10.0, grace)


def bye(code: int = 3, text: str = "so long", *more: Any) -> bytes:
    """Return a BYE."""
    return control(BYE, code, text, *more)


def masked(payload: bytes, opcode: int = 2, *, last: bool = True, key: bytes = b"\x37\xfa\x21\x3d") -> bytes:
    """Return a message of WebSocket, or a part of one, as a browser sends it."""
    size = len(payload)
    if size < 126:
        length = bytes((0x80 | size,))
    elif size < 65_536:
        length = struct.pack(">BH", 0xFE, size)
    else:
        length = struct.pack(">BQ", 0xFF, size)
    mask = (key * (size // 4 + 1))[:size]
    covered = (int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")).to_bytes(size, "big")
    return bytes(((0x80 if last else 0) | opcode,)) + length + key + covered


class Stranger:
    """Somebody who has a connection, and no manners. Control messages read as lists, headed by their kind."""

    def __init__(self, connection: Connection[Any]) -> None:
        self.connection = connection
        self.frozen = False
        """While True it neither reads nor sends."""
        self._incoming = b""
        self._heard: list[Any] = []

    def say(self, *data: bytes) -> None:
        """Send whatever it likes."""
        self.connection.send(b"".join(data))

    def update(self) -> None:
        if self.frozen:
            return
        self.connection.update()
        self._incoming += self.connection.receive_all()
        while len(self._incoming) >= 4:
            end = 4 + int.from_bytes(self._incoming[:4], "big")
            if len(self._incoming) < end:
                break
            value = msgpack.unpackb(self._incoming[4:end], strict_map_key=False)
            self._heard.append(Control(msgpack.unpackb(value.data)) if isinstance(value, msgpack.ExtType) else value)
            self._incoming = self._incoming[end:]

    @property
    def messages(self) -> list[Any]:
        """The application messages that it was sent."""
        return [value for value in self._heard if not isinstance(value, Control)]

    def told(self, kind: int) -> list[list[Any]]:
        """Return the fields of the control messages of one kind that it was sent."""
        return [[*value[1:]] for value in self._heard if isinstance(value, Control) and value[0] == kind]


class Control(list[Any]):
    """A control message: its kind and its fields."""


class FalseServer:
    """Somebody who listens, and answers to clients whatever it likes."""

    def __init__(self, network: Network, host: str, clock: Clock, answer: bytes = b"") -> None:
        self._door = network.listen(host, 0)
        self._clients: ConnectionSet[None] = ConnectionSet(clock=clock)
        self._answer = answer
        self.guests: list[Stranger] = []
        self.address: Address = self._door.address

    def update(self) -> None:
        self._clients.accept(self._door, lambda address: None)
        self._clients.update()
        for connection in self._clients:
            if all(guest.connection is not connection for guest in self.guests):
                self.guests.append(Stranger(connection))
                connection.send(self._answer)

    def close(self) -> None:
        self._clients.close()
        self._door.close()


def reason_of(stranger: Stranger) -> tuple[ReasonCode, str]:
    """Return the only goodbye that a stranger was told."""
    [[code, text]] = stranger.told(BYE)
    return ReasonCode(code), text


def token_of(stranger: Stranger) -> bytes:
    """Return the token that a stranger was given."""
    [[_, _, _, token, *_]] = stranger.told(WELCOME)
    assert isinstance(token, bytes)
    return token
