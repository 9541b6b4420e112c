"""A server and its clients on a network in memory, whose time passes when a test says so."""

from typing import Any

from faults.wire import FalseServer, Stranger, hello
from hours import Hours

import netcode
from netcode import Client, Event, Peer, Server, State
from netcode.testing import MemoryNetwork

TICK = Hours.tick
HOST, PORT = "scene", 7777


class Scene(Hours):
    """Who plays, and what each has been told so far."""

    patience = 20.0

    def __init__(self, **faults: Any) -> None:
        super().__init__()
        self.network = MemoryNetwork(self.clock, **faults)
        self.told: dict[Server | Client, list[Event]] = {}
        self.frozen: set[Server | Client] = set()
        """Ends that are not updated."""
        self.deaf: set[Server | Client] = set()
        """Ends whose events nobody takes."""
        self._strangers: list[Stranger] = []

    def serve(self, **options: Any) -> Server:
        """Open a server."""
        options = {"network": self.network, "clock": self.clock, **options}
        server = Server(HOST, PORT, **options)
        self.told[server] = []
        return server

    def client(self, **options: Any) -> Client:
        """Start a client."""
        options = {"network": self.network, "clock": self.clock, **options}
        client = Client(HOST, PORT, **options)
        self.told[client] = []
        return client

    def join(self, **options: Any) -> Client:
        """Start a client, and let it come in."""
        client = self.client(**options)
        self.until(lambda: client.state is State.CONNECTED)
        self.play(2 * TICK)
        return client

    def stranger(self, *data: bytes) -> Stranger:
        """Connect somebody who speaks for itself, and has it say `data`."""
        connection: netcode.Connection[None] = netcode.connect(HOST, PORT, network=self.network, clock=self.clock)
        stranger = Stranger(connection)
        stranger.say(*data)
        self._strangers.append(stranger)
        self.play(5 * TICK)
        return stranger

    def guest(self, *data: bytes, **greeting: Any) -> Stranger:
        """Connect a stranger who greets first, and then says `data`."""
        stranger = self.stranger(hello(**greeting))
        stranger.say(*data)
        self.play(3 * TICK)
        return stranger

    def update(self) -> None:
        """Do one frame of everybody."""
        for end in [*self.told]:
            if end not in self.frozen:
                end.update()
                if end not in self.deaf:
                    self.told[end] += end.events()
        for stranger in self._strangers:
            stranger.update()

    def picture(self) -> object:
        return [(end, events[-3:]) for end, events in self.told.items()]

    def heard(self, end: Server | Client) -> list[Any]:
        """Return the messages that `end` was told."""
        return [event.message for event in self.told[end] if isinstance(event, netcode.Received)]

    def news(self, end: Server | Client) -> list[str]:
        """Return the kinds of everything else that `end` was told, in order."""
        return [type(event).__name__ for event in self.told[end] if not isinstance(event, netcode.Received)]

    def left(self, end: Server | Client) -> netcode.Reason:
        """Return the reason of the only `Left` that `end` was told, which was the last event of its peer."""
        [left] = [event for event in self.told[end] if isinstance(event, netcode.Left)]
        assert [event for event in self.told[end] if event.peer is left.peer][-1] is left
        return left.reason

    def away(self, end: Server | Client) -> netcode.Reason:
        """Return the reason of the only `Away` that `end` was told."""
        [away] = [event for event in self.told[end] if isinstance(event, netcode.Away)]
        return away.reason

    def close(self) -> None:
        """Close everybody."""
        for end in self.told:
            end.close()
        for stranger in self._strangers:
            stranger.connection.close()


def only(server: Server) -> Peer:
    """Return the only peer of `server`."""
    [peer] = server.peers
    return peer


class Listening:
    """Somebody who answers as a test says, in a scene."""

    def __init__(self, scene: Scene, answer: bytes = b"") -> None:
        self._scene = scene
        self.server = FalseServer(scene.network, HOST, scene.clock, answer)
        self.port = self.server.address.port

    def client(self, **options: Any) -> Client:
        client = Client(HOST, self.port, network=self._scene.network, clock=self._scene.clock, **options)
        self._scene.told[client] = []
        return client

    def play(self, seconds: float) -> None:
        for _ in range(max(1, round(seconds / TICK))):
            self._scene.play(TICK)
            self.server.update()
            for guest in self.server.guests:
                guest.update()
