"""Many dots, the server: `python examples/many_server.py [PORT [ORIGIN...]]`; pages come from those, or from itself."""

import sys

import netcode


class Dot:
    def __init__(self, name: object, _: netcode.Address) -> None:
        self.name = name[:20] if isinstance(name, str) and name.isprintable() else "?"
        self.x = self.y = 0
        self.course = (0, 0)

    def move(self) -> None:
        self.x = min(max(self.x + 12 * self.course[0], 12), 988)
        self.y = min(max(self.y + 12 * self.course[1], 12), 688)


def main(port: str = "7777", *origins: str) -> None:
    with netcode.Server(
        "", int(port), game="many", authenticate=Dot, max_peers_per_address=1000, web=netcode.Web(origins=origins)
    ) as server:
        netcode.say(f"many dots on port {server.address.port}")
        for tick in server.ticks(20):
            for event in server.events():
                match event:
                    case netcode.Joined(peer):
                        peer.data.x, peer.data.y = 12 + peer.id * 613 % 976, 12 + peer.id * 367 % 676
                    case netcode.Received(peer, [-1 | 0 | 1 as x, -1 | 0 | 1 as y]):
                        peer.data.course = (x, y)
                    case netcode.Received(peer, other):
                        netcode.say(f"number {peer.id} sent what is no course: {other!r:.80}")
            for peer in server.peers:
                peer.data.move()
            dots = {peer.id: (peer.data.x, peer.data.y, peer.data.name) for peer in server.peers}
            server.broadcast({"tick": tick, "dots": dots}, to=[peer for peer in server.peers if not peer.away])


if __name__ == "__main__":
    main(*sys.argv[1:])
