"""Many dots, the server: `python examples/many_server.py [PORT]`; shows all dots to everybody, 20 times a second."""

import sys

import netcode


class Dot:
    def __init__(self, number: int) -> None:
        self.x, self.y = 12 + number * 613 % 976, 12 + number * 367 % 676
        self.course = (0, 0)

    def move(self) -> None:
        self.x = min(max(self.x + 12 * self.course[0], 12), 988)
        self.y = min(max(self.y + 12 * self.course[1], 12), 688)


def main(port: int = 7777) -> None:
    with netcode.Server("", port, game="many", max_peers_per_address=1000) as server:
        netcode.say(f"many dots on port {server.address.port}")
        for _ in server.ticks(20):
            for event in server.events():
                match event:
                    case netcode.Joined(peer):
                        peer.data = Dot(peer.id)
                    case netcode.Received(peer, [-1 | 0 | 1 as x, -1 | 0 | 1 as y]):
                        peer.data.course = (x, y)
            for peer in server.peers:
                peer.data.move()
            server.broadcast({peer.id: (peer.data.x, peer.data.y) for peer in server.peers})


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
