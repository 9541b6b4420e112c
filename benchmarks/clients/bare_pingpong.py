"""The bare end of a ping-pong: a blocking socket, a length of four bytes, msgpack."""

import socket
import time

from benchmarks.control import Control
from benchmarks.servers.bare_pingpong import receive, send


def time_exchanges(link: socket.socket, message: object, count: int) -> list[float]:
    """Return how long each exchange took, in seconds."""
    times: list[float] = []
    for _ in range(count):
        start = time.perf_counter()
        send(link, message)
        receive(link)
        times.append(time.perf_counter() - start)
    return times


def main() -> None:
    """Exchange messages when asked."""
    control = Control()
    link = socket.create_connection(("127.0.0.1", control.settings["port"]))
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    control.ready()
    while True:
        control.answer(time_exchanges(link, **control.orders.get().arguments))


if __name__ == "__main__":
    main()
