"""The bare alternative for large messages: `sendall` on one side, `recv_into` on the other.

Either end may be the one that listens; the setting `port` tells an end to connect there.
"""

import select
import socket
import time

from benchmarks.bulk import count_for
from benchmarks.control import Control


class Receiver:
    """Receives messages of one known size into the same memory, again and again.

    Args:
        link: where they come from.
        size: bytes of each.
        copies: whether each is then copied, as it has to be where somebody is to keep it.
    """

    def __init__(self, link: socket.socket, size: int, *, copies: bool) -> None:
        self._link, self._copies = link, copies
        self.message = b""
        self._memory = memoryview(bytearray(4 + size))
        self._have = 0

    def receive(self, timeout: float) -> int:
        """Return 1 when a message became complete, and 0 when the time is over."""
        if not select.select([self._link], [], [], timeout)[0]:
            return 0
        while self._have < len(self._memory):
            self._have += self._link.recv_into(self._memory[self._have :])
        self._have = 0
        if self._copies:
            self.message = bytes(self._memory[4:])
        return 1


def send_for(link: socket.socket, size: int, seconds: float) -> None:
    """Send messages of one size for so long."""
    frame = size.to_bytes(4, "big") + bytes(size)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        link.sendall(frame)


def main() -> None:
    """Send or receive when asked."""
    control = Control()
    port: int | None = control.settings.get("port")
    if port is None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            control.ready(port=listener.getsockname()[1])
            link, _ = listener.accept()
    else:
        link = socket.create_connection(("127.0.0.1", port))
        control.ready()
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    size: int = control.settings["size"]
    receiver = Receiver(link, size, copies=control.settings.get("copies", False))
    while True:
        order = control.orders.get()
        if order.name == "send":
            send_for(link, size, **order.arguments)
            control.answer(None)
        else:
            control.answer(count_for(order.arguments["seconds"], receiver.receive))


if __name__ == "__main__":
    main()
