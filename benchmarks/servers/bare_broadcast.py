"""The bare alternative to a broadcast: a loop of `socket.send` over as many sockets."""

import socket
import time

from benchmarks import wire
from benchmarks.control import Control


def time_broadcasts(links: list[socket.socket], size: int, count: int, pause: float) -> list[float]:
    """Return how long each loop over all sockets took, in seconds."""
    frame = wire.message(bytes(size - 3))
    times: list[float] = []
    for _ in range(count):
        time.sleep(pause)
        start = time.perf_counter()
        for link in links:
            link.send(frame)
        times.append(time.perf_counter() - start)
    return times


def main() -> None:
    """Accept as many clients as come, and broadcast when asked."""
    control = Control()
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    listener.setblocking(False)
    control.ready(port=listener.getsockname()[1])
    links: list[socket.socket] = []
    while True:
        try:
            link, _ = listener.accept()
        except BlockingIOError:
            time.sleep(0.005)
        else:
            link.setblocking(False)
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            links.append(link)
            continue
        if not control.orders.empty():
            control.answer(time_broadcasts(links, **control.orders.get().arguments))


if __name__ == "__main__":
    main()
