"""Our echo of bytes: a `ConnectionSet`, and what came is sent back."""

import netcode
from benchmarks.control import Control


def main() -> None:
    """Serve until the parent is gone."""
    control = Control()
    listener = netcode.Listener("127.0.0.1", 0)
    connections: netcode.ConnectionSet[None] = netcode.ConnectionSet()
    control.ready(port=listener.address.port)
    while True:
        netcode.wait(listener, connections)
        connections.accept(listener, lambda _: None)
        connections.update()
        for connection in connections:
            count = connection.receive_buffer_length
            if count:
                connection.send(connection.receive_part(count))


if __name__ == "__main__":
    main()
