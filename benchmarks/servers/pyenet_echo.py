"""An echo on ENet, which games took long before Python: reliable datagrams through `pyenet`, with msgpack inside."""

from typing import Any

import msgpack

from benchmarks import others
from benchmarks.control import Control

PATIENCE = 1000
"""Milliseconds that it sleeps while nothing comes."""


def serve(control: Control, enet: Any) -> None:  # noqa: ANN401 - it has no types
    """Serve until the parent is gone."""
    host = enet.Host(enet.Address(b"127.0.0.1", 0), control.settings["limits"]["max_peers"], 1, 0, 0)
    control.ready(port=host.address.port)
    received, reliable = enet.EVENT_TYPE_RECEIVE, enet.PACKET_FLAG_RELIABLE
    while True:
        event = host.service(PATIENCE)
        if event.type == received:
            event.peer.send(0, enet.Packet(msgpack.packb(msgpack.unpackb(event.packet.data)), reliable))


if __name__ == "__main__":
    serve(Control(), others.load("enet"))
