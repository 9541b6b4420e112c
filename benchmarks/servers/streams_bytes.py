"""The bare alternative for bytes: the streams of `asyncio`, and what came is sent back."""

import asyncio

from benchmarks.control import Control
from benchmarks.lag import watch

MOST = 65_536


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back what comes, until the client leaves."""
    try:
        while data := await reader.read(MOST):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass  # it left without a word
    finally:
        writer.close()


async def serve(control: Control) -> None:
    """Serve until the parent is gone."""
    server = await asyncio.start_server(echo, "127.0.0.1", 0, backlog=1024)
    control.ready(port=server.sockets[0].getsockname()[1])
    async with watch(control):
        await server.serve_forever()


def main() -> None:
    """Serve on the loop that Python brings."""
    asyncio.run(serve(Control()))


if __name__ == "__main__":
    main()
