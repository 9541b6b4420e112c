"""The load generator for a server on ENet: all its clients share a socket, and pyenet's own C moves their datagrams."""

import time
from typing import Any

from benchmarks import others, wire
from benchmarks.control import Control, Order
from benchmarks.load import follow

MOST = 4095
"""Clients of one socket: ENet numbers them with twelve bits."""


class EnetLoad:
    """Many clients of one server, driven in turns. What it is asked and answers is what `load.Load` is and does."""

    def __init__(self, enet: Any) -> None:  # noqa: ANN401 - it has no types
        self._enet = enet
        self._host = enet.Host(None, MOST, 1, 0, 0)
        self._peers: list[Any] = []
        self._joined = 0

    def join(self, host: str, port: int, count: int, patience: float) -> int:
        """Connect so many clients and see each through its handshake."""
        deadline = time.monotonic() + patience
        address = self._enet.Address(host.encode(), port)
        for _ in range(count):
            self._peers.append(self._host.connect(address, 1))
            while self._joined < len(self._peers):
                self.turn(0.05)
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{self._joined:,} of {count:,} clients joined")
        return self._joined

    def echo(self, message: object, batch: int, seconds: float) -> dict[str, float]:
        """Send `batch` messages from each client, again whenever all were answered, and poll without sleeping."""
        enet, request = self._enet, wire.pack(message)
        reliable = enet.PACKET_FLAG_RELIABLE
        waiting = dict.fromkeys((peer.incomingPeerID for peer in self._peers), batch)
        answers, idle = 0, 0.0
        start = now = time.monotonic()
        for peer in self._peers:
            for _ in range(batch):
                peer.send(0, enet.Packet(request, reliable))
        end = start + seconds
        left = len(waiting)
        while left:
            peer = self.turn(0.0)
            before, now = now, time.monotonic()
            if peer is None:
                idle += now - before
                if now > end + 10.0:
                    raise TimeoutError("the server left messages unanswered for ten seconds")
                continue
            answers += 1
            number = peer.incomingPeerID
            waiting[number] -= 1
            if waiting[number]:
                continue
            if now >= end:
                left -= 1
                continue
            waiting[number] = batch
            for _ in range(batch):
                peer.send(0, enet.Packet(request, reliable))
        took = now - start
        return {"messages": answers, "seconds": took, "busy": 1 - idle / took}

    def obey(self, order: Order) -> object:
        """Carry out an order of the parent."""
        match order:
            case Order("join", arguments):
                return self.join(**arguments)
            case Order("echo", arguments):
                return self.echo(**arguments)
            case _:
                raise ValueError(f"this load generator knows no order «{order.name}»")

    def turn(self, timeout: float) -> Any:  # noqa: ANN401 - it has no types
        """Let ENet work, at most `timeout` seconds; return whom a message came from, if one came."""
        event = self._host.service(int(timeout * 1000))
        if event.type == self._enet.EVENT_TYPE_RECEIVE:
            return event.peer
        if event.type == self._enet.EVENT_TYPE_CONNECT:
            self._joined += 1
        elif event.type == self._enet.EVENT_TYPE_DISCONNECT:
            raise ConnectionError("the server ended a link")
        return None


if __name__ == "__main__":
    follow(Control(), EnetLoad(others.load("enet")))
