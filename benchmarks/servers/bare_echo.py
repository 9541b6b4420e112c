"""What no server in Python can do without: a wait, a `recv_into` and a `send` for what came, and nothing else.

It reads no message, has no limits, and takes it that a socket sends everything at once. How far a bar is above it is
what a server may spend on being one.
"""

import select
import socket

from benchmarks.control import Control


def take_in(listener: socket.socket, poller: select.epoll, links: dict[int, socket.socket]) -> None:
    """Accept one client."""
    link, _ = listener.accept()
    link.setblocking(False)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    links[link.fileno()] = link
    poller.register(link, select.EPOLLIN)


def main() -> None:
    """Serve until the parent is gone."""
    control = Control()
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    poller = select.epoll()
    poller.register(listener, select.EPOLLIN)
    links: dict[int, socket.socket] = {}
    control.ready(port=listener.getsockname()[1])
    memory = bytearray(65_536)
    view = memoryview(memory)
    while True:
        for descriptor, _ in poller.poll():
            if descriptor == listener.fileno():
                take_in(listener, poller, links)
                continue
            link = links[descriptor]
            try:
                count = link.recv_into(memory)
                link.send(view[:count])
            except ConnectionError:
                count = 0  # it left without a word
            if not count:
                poller.unregister(descriptor)
                links.pop(descriptor).close()


if __name__ == "__main__":
    main()
