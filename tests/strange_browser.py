"""A browser's end of a WebSocket as a transport, spoken by somebody else's library, for the contract of transports."""

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from netcode.address import Address
from netcode.transport import Heard, Transport, send_each
from netcode.wire.http import parse
from netcode.wire.websocket import accept


class StrangeBrowser:
    """The client's end, over what carries it, from behind the handshake on."""

    grain = 65_536
    drains = False

    def __init__(self, below: Transport) -> None:
        self.below = below
        self.read_fd, self.write_fd = below.read_fd, below.write_fd
        self.address: Address | None = below.address
        self.lingers = below.lingers
        self.client = ClientProtocol(parse_uri("ws://a/"), max_size=None)
        self.client.send_request(self.client.connect())
        self.client.receive_data(accept(parse(b"".join(self.client.data_to_send())[:-4])))
        self.client.events_received()
        self.heard: list[Frame] = []
        self._room = memoryview(bytearray(65_536))
        self._unsent = b""
        self._has_ended = False

    def receive_into(self, buffer: memoryview) -> int:
        if self._has_ended:
            return 0
        count = self.below.receive_into(self._room)
        if count:
            self.client.receive_data(bytes(self._room[:count]))
        assert self.client.parser_exc is None
        frames = [event for event in self.client.events_received() if isinstance(event, Frame)]
        self.heard += frames
        data = b"".join(bytes(frame.data) for frame in frames if frame.opcode in (Opcode.BINARY, Opcode.CONT))
        self._has_ended = not count or any(frame.opcode is Opcode.CLOSE for frame in frames)
        self.flush()
        buffer[: len(data)] = data
        if not data and not self._has_ended:
            raise Heard
        return len(data)

    def send(self, data: bytes | memoryview) -> int:
        self._flush()
        if self._unsent:
            raise BlockingIOError
        self.client.send_binary(bytes(data))
        self._flush()
        return len(data)

    def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
        return send_each(self.send, chunks)

    def probe(self) -> None:
        """A page cannot."""

    def be_readable(self) -> None:
        """Nothing stands on a browser."""

    def flush(self) -> None:
        """Send what the library has to say, if somebody is there to hear it."""
        try:
            self._flush()
        except OSError:
            pass

    def _flush(self) -> None:
        self._unsent += b"".join(self.client.data_to_send())
        try:
            while self._unsent:
                self._unsent = self._unsent[self.below.send(self._unsent) :]
        except BlockingIOError:
            pass

    def finish(self) -> None:
        """Say Close, as a page does when it leaves."""
        if self.client.state.name == "OPEN":
            self.client.send_close(1000)
            self.flush()

    def close(self) -> None:
        self.finish()
        self.below.close()
