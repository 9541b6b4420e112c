"""What no server can do without that is pinged: a wait, a `recv_into` and a `send` for what came, and nothing else.

It reads nothing: the first that comes from a client it takes for a greeting, and all that follows for pings.
"""

import select
import socket
import time

from benchmarks import wire
from benchmarks.control import Control
from benchmarks.servers.bare_echo import take_in

PAUSE = 0.001
"""Seconds between two wake-ups at least, as our server has it where there are only pings."""


def main() -> None:
    """Serve until the parent is gone."""
    control = Control()
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    poller = select.epoll()
    poller.register(listener, select.EPOLLIN)
    links: dict[int, socket.socket] = {}
    greeted: set[int] = set()
    welcome = wire.control(wire.WELCOME, 1, 1, 65_536, b"", 0, 10.0, 0.0)
    pong = wire.control(wire.PONG, 1, 0)
    memory = bytearray(65_536)
    control.ready(port=listener.getsockname()[1])
    while True:
        for descriptor, _ in poller.poll():
            if descriptor == listener.fileno():
                take_in(listener, poller, links)
                continue
            link = links[descriptor]
            try:
                count = link.recv_into(memory)
                link.send(pong if descriptor in greeted else welcome)
            except ConnectionError:
                count = 0  # it left without a word
            if count:
                greeted.add(descriptor)
            else:
                poller.unregister(descriptor)
                greeted.discard(descriptor)
                links.pop(descriptor).close()
        time.sleep(PAUSE)


if __name__ == "__main__":
    main()
