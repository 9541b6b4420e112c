"""The fastest WebSocket server of Python, written in Cython: `picows` on uvloop with msgpack inside."""

from typing import Any

import msgpack

from benchmarks import others
from benchmarks.control import Control
from benchmarks.lag import watch


async def serve(control: Control, picows: Any) -> None:  # noqa: ANN401 - its types are in a package that may be missing
    """Serve until the parent is gone."""
    binary = picows.WSMsgType.BINARY

    class Echo(picows.WSListener):  # type: ignore[misc]
        """Answer every message with itself."""

        def on_ws_frame(self, transport: Any, frame: Any) -> None:  # noqa: ANN401 - as above
            """Answer a frame."""
            if frame.msg_type == binary:
                transport.send(binary, msgpack.packb(msgpack.unpackb(frame.get_payload_as_bytes())))

    def listen(_request: Any) -> Echo:  # noqa: ANN401 - as above
        return Echo()

    server = await picows.ws_create_server(listen, "127.0.0.1", 0, backlog=1024)
    control.ready(port=server.sockets[0].getsockname()[1])
    async with watch(control):
        await server.serve_forever()


def main() -> None:
    """Serve on uvloop's own loop."""
    control = Control()
    others.load("uvloop").run(serve(control, others.load("picows")))


if __name__ == "__main__":
    main()
