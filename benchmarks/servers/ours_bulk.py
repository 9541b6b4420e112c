"""Our end for large messages, sending or receiving; the setting `port` makes it the client."""

import time
from typing import Any

import netcode
from benchmarks.bulk import count_for
from benchmarks.control import Control
from netcode import Joined, Received

QUEUED_MESSAGES = 2
"""Messages that the sender keeps in its queue: one on its way, and the next."""


class End:
    """A `Client`, or a `Server` with one peer."""

    def __init__(self, end: netcode.Client | netcode.Server) -> None:
        self._end = end

    def receive(self, timeout: float) -> int:
        """Wait and update once, and return how many messages came."""
        self._end.wait(timeout)
        self._end.update()
        return sum(isinstance(event, Received) for event in self._end.events())

    def join(self) -> netcode.Peer:
        """Return the other end as soon as it is there."""
        while True:
            self._end.wait(0.1)
            self._end.update()
            for event in self._end.events():
                if isinstance(event, Joined):
                    return event.peer


def send_for(end: End, peer: netcode.Peer, size: int, seconds: float) -> None:
    """Send messages of one size for so long, as fast as they leave."""
    message = bytes(size - 5)  # msgpack announces so many bytes with five of its own
    stop = time.perf_counter() + seconds
    while time.perf_counter() < stop:
        while peer.stats.queued < QUEUED_MESSAGES * size:
            peer.send(message)
        end.receive(0.1)
    while peer.stats.queued:
        end.receive(0.1)


def open_end(control: Control, limits: dict[str, Any]) -> netcode.Client | netcode.Server:
    """Open the server, or the client of the one that is told."""
    port: int | None = control.settings.get("port")
    if port is not None:
        control.ready()
        return netcode.Client("127.0.0.1", port, **limits)
    server = netcode.Server("127.0.0.1", 0, **limits)
    control.ready(port=server.address.port)
    return server


def main() -> None:
    """Send or receive when asked."""
    control = Control()
    size: int = control.settings["size"]
    end = End(open_end(control, control.settings["limits"]))
    peer = end.join()
    while True:
        end.receive(0.01)
        if control.orders.empty():
            continue
        order = control.orders.get()
        if order.name == "send":
            send_for(end, peer, size, **order.arguments)
            control.answer(None)
        else:
            control.answer(count_for(order.arguments["seconds"], end.receive))


if __name__ == "__main__":
    main()
