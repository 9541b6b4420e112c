"""What a client says to each kind of server, and how it counts what comes back.

The load generator compares what it receives with the answer it expects, byte for byte. Only what differs (an answer
that came in two pieces, a ping in between) is taken apart here.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

from benchmarks import wire


class Dialect(ABC):
    """One client's side of a conversation with a server."""

    opening: ClassVar[bytes] = b""
    """What the client sends as soon as it is connected."""

    pings: ClassVar[bool] = False
    """Whether the client itself pings."""

    def __init__(self) -> None:
        self.joined = not self.opening
        self.ended = False
        self.received: int = 0
        self._buffer: bytearray = bytearray()
        self.answers = b""
        """What this client has to send because of what it received."""

    @property
    def in_message(self) -> bool:
        """Whether a message was begun and is not complete."""
        return bool(self._buffer)

    @staticmethod
    @abstractmethod
    def request(payload: bytes) -> bytes:
        """Return one message as the client sends it."""

    @staticmethod
    @abstractmethod
    def reply(payload: bytes) -> bytes:
        """Return one message as the server sends it."""

    @classmethod
    def replies(cls, payload: bytes, count: int) -> bytes:
        """Return so many messages as the server sends them together."""
        return cls.reply(payload) * count

    @abstractmethod
    def take(self, data: bytes) -> int:
        """Take what was received and return how many messages it completed."""

    def ping(self) -> bytes:
        """Return what a client sends now and then to show that it lives."""
        return b""


class Plain(Dialect):
    """A length of four bytes and msgpack, nothing else."""

    @staticmethod
    def request(payload: bytes) -> bytes:
        """Return one message as the client sends it."""
        return wire.framed(payload)

    @staticmethod
    def reply(payload: bytes) -> bytes:
        """Return one message as the server sends it."""
        return wire.framed(payload)

    def take(self, data: bytes) -> int:
        """Count the frames."""
        self._buffer += data
        count = len(wire.take_frames(self._buffer))
        self.received += count
        return count


class Netcode(Plain):
    """netcode's own wire: a handshake, pings, goodbyes."""

    opening = wire.hello(max_message=16 * 1024 * 1024)
    pings = True

    def __init__(self) -> None:
        super().__init__()
        self._ping_id = 0

    def take(self, data: bytes) -> int:
        """Count the messages, and handle what is for the link itself."""
        self._buffer += data
        count = 0
        for payload in wire.take_frames(self._buffer):
            fields = wire.control_fields(payload)
            if fields is None:
                count += 1
            elif fields[0] == wire.PING:
                self.answers += wire.control(wire.PONG, fields[1], self.received + count)
            elif fields[0] == wire.WELCOME:
                self.joined = True
            elif fields[0] == wire.BYE:
                self.ended = True
        self.received += count
        return count

    def ping(self) -> bytes:
        """Return a PING that says how much was received."""
        self._ping_id += 1
        return wire.control(wire.PING, self._ping_id, self.received)


class WebSocket(Dialect):
    """Binary messages of RFC 6455, without extensions."""

    opening = (
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    _MASK = b"\x37\xfa\x21\x3d"

    @staticmethod
    def request(payload: bytes) -> bytes:
        """Return one message as the client sends it."""
        return WebSocket._masked(0x2, payload)

    @staticmethod
    def reply(payload: bytes) -> bytes:
        """Return one message as the server sends it."""
        return bytes([0x82]) + WebSocket._length(len(payload), 0) + payload

    def take(self, data: bytes) -> int:
        """Count the messages, and handle what is for the link itself."""
        before = self.received
        self.unpacked(data)
        return self.received - before

    def unpacked(self, data: bytes) -> bytes:
        """Return what the messages carry."""
        self._buffer += data
        if not self.joined and not self._take_response():
            return b""
        carried = b""
        while (frame := self._take_frame()) is not None:
            opcode, payload = frame
            if opcode in (0x1, 0x2):
                carried += payload
                self.received += 1
            elif opcode == 0x9:
                self.answers += self._masked(0xA, payload)
            elif opcode == 0x8:
                self.ended = True
        return carried

    def _take_response(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        self.joined = self._buffer.startswith(b"HTTP/1.1 101 ")
        self.ended = not self.joined
        del self._buffer[: end + 4]
        return self.joined

    def _take_frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, start = buffer[1], 2
        if length >= 126:
            start = 4 if length == 126 else 10
            length = int.from_bytes(buffer[2:start], "big")
        if len(buffer) < start + length:
            return None
        frame = buffer[0] & 0x0F, bytes(buffer[start : start + length])
        del buffer[: start + length]
        return frame

    @staticmethod
    def _masked(opcode: int, payload: bytes) -> bytes:
        mask = WebSocket._MASK
        hidden = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        return bytes([0x80 | opcode]) + WebSocket._length(len(payload), 0x80) + mask + hidden

    @staticmethod
    def _length(length: int, flag: int) -> bytes:
        if length < 126:
            return bytes([flag | length])
        if length < 65536:
            return bytes([flag | 126]) + length.to_bytes(2, "big")
        return bytes([flag | 127]) + length.to_bytes(8, "big")


class NetcodeOverWebSocket(Netcode):
    """netcode's own wire, as a browser speaks it."""

    opening = WebSocket.opening + WebSocket.request(Netcode.opening)

    def __init__(self) -> None:
        super().__init__()
        self._carrier = WebSocket()

    @property
    def in_message(self) -> bool:
        """Tell whether a message was begun and is not complete."""
        return super().in_message or self._carrier.in_message

    @staticmethod
    def request(payload: bytes) -> bytes:
        """Return one message as the client sends it."""
        return WebSocket.request(wire.framed(payload))

    @classmethod
    def replies(cls, payload: bytes, count: int) -> bytes:
        """Return so many messages as the server sends them together: one of WebSocket."""
        return WebSocket.reply(wire.framed(payload) * count)

    def take(self, data: bytes) -> int:
        """Count the messages, and handle what is for the link itself."""
        count = super().take(self._carrier.unpacked(data))
        if self._carrier.answers or self.answers:
            said, self.answers = self.answers, self._carrier.answers
            self._carrier.answers = b""
            self.answers += WebSocket.request(said) if said else b""
        self.ended = self.ended or self._carrier.ended
        return count

    def ping(self) -> bytes:
        """Return a PING that says how much was received."""
        return WebSocket.request(super().ping())


DIALECTS: dict[str, type[Dialect]] = {
    "netcode": Netcode,
    "plain": Plain,
    "websocket": WebSocket,
    "browser": NetcodeOverWebSocket,
}
