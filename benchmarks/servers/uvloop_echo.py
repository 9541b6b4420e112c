"""The bare alternative: an `asyncio.Protocol` on uvloop with a length of four bytes and msgpack.

No handshake, no limits, no pings, no events: what somebody writes who needs an echo and nothing else.
"""

import asyncio
import struct
from typing import cast

import msgpack

from benchmarks import others
from benchmarks.control import Control
from benchmarks.lag import watch

LENGTH = struct.Struct(">I")


class Echo(asyncio.Protocol):
    """Answer every message with itself."""

    def __init__(self) -> None:
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what writes to the client."""
        self._write = cast("asyncio.Transport", transport).write

    def data_received(self, data: bytes) -> None:
        """Answer the messages that became complete, and keep what is left of the data."""
        if self._rest:
            data = self._rest + data
        start, size = 0, len(data)
        while size - start >= 4:
            end = start + 4 + LENGTH.unpack_from(data, start)[0]
            if size < end:
                break
            payload = msgpack.packb(msgpack.unpackb(data[start + 4 : end]))
            self._write(LENGTH.pack(len(payload)) + payload)
            start = end
        self._rest = data[start:]


async def serve(control: Control, protocol: type[Echo] = Echo) -> None:
    """Serve until the parent is gone."""
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, backlog=1024)
    control.ready(port=server.sockets[0].getsockname()[1])
    async with watch(control):
        await server.serve_forever()


def main() -> None:
    """Serve on uvloop's own loop."""
    control = Control()
    others.load("uvloop").run(serve(control))


if __name__ == "__main__":
    main()
