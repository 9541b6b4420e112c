"""Our echo server with the loop of the README, which takes events apart with `match`."""

from benchmarks.control import Control
from benchmarks.servers.ours import open_server
from netcode import Received


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
