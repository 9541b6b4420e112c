"""The usual alternative: the asyncio server of `websockets` with msgpack inside, compression off."""

import asyncio
import logging
from typing import Any

import msgpack

from benchmarks import others
from benchmarks.control import Control
from benchmarks.lag import watch


async def echo(link: Any) -> None:  # noqa: ANN401 - its type is in a package that may be missing
    """Answer every message with itself."""
    async for message in link:
        await link.send(msgpack.packb(msgpack.unpackb(message)))


async def serve(control: Control) -> None:
    """Serve until the parent is gone."""
    serve_websockets = others.load("websockets.asyncio.server").serve
    async with serve_websockets(echo, "127.0.0.1", 0, compression=None, backlog=1024) as server:
        control.ready(port=server.sockets[0].getsockname()[1])
        async with watch(control):
            await server.serve_forever()


def main() -> None:
    """Serve on the loop that Python brings."""
    logging.disable()  # it logs a traceback for each client that leaves without a closing handshake
    asyncio.run(serve(Control()))


if __name__ == "__main__":
    main()
