"""Several servers that share their tables, and those who play there, on a network in memory in a time of its own."""

from typing import Any

from netcode.testing import MemoryNetwork
from netcode.turns.rules import Game
from netcode.turns.seat import Seat
from netcode.turns.server import Server
from netcode.turns.store.memory import MemoryStore
from turns.hall import Players, TicTacToe

LEASE = 1.5
LINK: dict[str, Any] = {"timeout": 2.0, "ping_interval": 0.5}


class Cluster(Players):
    """Servers by number, and everybody who plays."""

    def __init__(self, count: int, *games: type[Game], seed: int = 0, **wanted: Any) -> None:
        super().__init__()
        self.network = MemoryNetwork(self.clock, seed=seed)
        self.store = MemoryStore(clock=self.clock, lease=LEASE)
        self.games = games or (TicTacToe,)
        self.wanted = wanted
        self.servers: dict[int, Server] = {}
        self.frozen: set[int] = set()
        for number in range(count):
            self.serve(number)

    def serve(self, number: int, *games: type[Game], **wanted: Any) -> Server:
        """Start a server."""
        address = f"host{number}", 7000 + number
        link: dict[str, Any] = {"clock": self.clock, "network": self.network, "on_thread": False}
        wanted = {"host": address[0], "port": address[1], **link, **LINK, **self.wanted, **wanted}
        store = wanted.pop("store", None) or self.store.neighbour()
        self.servers[number] = Server(*(games or self.games), store=store, **wanted)
        return self.servers[number]

    def kill(self, number: int) -> None:
        """Let a server die without a word."""
        server = self.servers.pop(number)
        for link in server._net._links:
            transport: Any = link.stream.transport
            if transport is not None:
                transport._link.cut(True)
        server._net.close()
        server._keeper.writer.carrier.close()

    def join(self, *numbers: int, game: Any = TicTacToe, **wanted: Any) -> Seat[Any]:
        """Have somebody who knows these servers sit down, asking the first of them, and let it answer."""
        seat = self.begin_to_join(*numbers, game=game, **wanted)
        self.until(lambda: seat.seated or seat.reason != "")
        return seat

    def begin_to_join(self, *numbers: int, game: Any = TicTacToe, **wanted: Any) -> Seat[Any]:
        """Have somebody ask for a seat."""
        first, *others = numbers or [*self.servers]
        addresses = [(f"host{number}", 7000 + number) for number in others]
        wanted = {"addresses": addresses, "network": self.network, **LINK, **wanted}
        return self.sit((f"host{first}", 7000 + first), game, **wanted)

    def where(self, seat: Seat[Any]) -> int:
        """Return the number of the server at which somebody is."""
        return seat.address.port - 7000

    def update(self) -> None:
        for number, server in [*self.servers.items()]:
            if number not in self.frozen:
                server.update()
        super().update()

    def move(self, seat: Seat[Any], *play: Any, **arguments: Any) -> float:
        """Have a seat play, wait until it is in, and return how many seconds that took."""
        seat.play(*play, **arguments)
        return self.until(lambda: seat.pending is None)

    def close(self) -> None:
        super().close()
        for server in self.servers.values():
            server.close()
