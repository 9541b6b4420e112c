"""Our echo server, as a game would write it: the whole `netcode.Server`, and a loop that waits."""

import netcode
from benchmarks.control import Control
from netcode import Received


def open_server(control: Control) -> netcode.Server:
    """Open a server with the limits that the row asks for, and tell its port."""
    server = netcode.Server("127.0.0.1", 0, **control.settings.get("limits", {}))
    control.ready(port=server.address.port)
    return server


def main() -> None:
    """Serve until the parent is gone."""
    server = open_server(Control())
    while True:
        server.wait()
        server.update()
        for event in server.events():
            match event:
                case Received(peer, message):
                    peer.send(message)
                case _:
                    pass


if __name__ == "__main__":
    main()
