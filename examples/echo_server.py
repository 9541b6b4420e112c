"""The byte layer alone, the server: a line echo: `python examples/echo_server.py [PORT]`."""

import contextlib
import sys

import netcode


def main(port: int = 7777) -> None:
    listener = netcode.Listener("127.0.0.1", port)
    connections: netcode.ConnectionSet[netcode.Address] = netcode.ConnectionSet()
    netcode.say(f"echo on {listener.address}")
    while netcode.wait(listener, connections):
        connections.accept(listener, make_data=lambda address: address, timeout=60)
        connections.update()
        for connection in connections:
            seen = connection.receive_poll_part(0, connection.receive_buffer_length)
            if len(seen) > 10_000:
                connection.close()
            lines = seen.rfind(b"\n") + 1
            connection.send(connection.receive_part(lines))
            if not connection.alive:
                netcode.say(connection.data, connection.reason)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main(*map(int, sys.argv[1:]))
