"""A table at which something comes at a bad moment, and the check that afterwards everything is as it should be.

Each case does one thing with something that comes at its first point, then all over again at its second, and so on.
Then both streams of every link arrive exactly once and in order, or the link has ended with a reason.
"""

import gc
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inside import link_of, linked_at, links_of, origins_of
from interrupts import Press, interrupt

from netcode import Client, Event, Peer, Received, Server, State, wait
from netcode.testing import FakeClock, MemoryNetwork

TICK = 0.05
SOON = 5
"""Ticks in which most has come to rest. What has not waits for a deadline, which comes in fewer ticks that are longer."""
LONG_TICK = 0.25
PATIENCE = 84
"""Ticks after which everything has come to rest, of both kinds: 20 seconds."""
MOST_POINTS = 20_000
LARGE = bytes(70_000)
OPEN_DESCRIPTORS = Path("/proc/self/fd")


class Table:
    """A server and its players, what they have sent and what they were told."""

    def __init__(self, network: str, players: int = 2) -> None:
        self.clock = FakeClock()
        self.options: dict[str, Any] = {"clock": self.clock, "max_message": 2 * len(LARGE)}
        self.memory = MemoryNetwork(self.clock, capacity=1_000_000) if network == "memory" else None
        if self.memory is not None:
            self.options["network"] = self.memory
        self.press = Press(0, interrupt)
        self.server = Server("127.0.0.1", 0, authenticate=lambda number, _: number, **self.options)
        self.clients: list[Client] = []
        self.told: dict[Server | Client, list[Event]] = {self.server: []}
        self.up: list[list[Any]] = []
        self.down: list[list[Any]] = []
        for _ in range(players):
            self.join()
        self.until(lambda: all(client.state is State.CONNECTED for client in self.clients))
        self.play(3)

    def join(self) -> Client:
        client = Client("127.0.0.1", self.server.address.port, credentials=len(self.clients), **self.options)
        self.clients.append(client)
        self.told[client] = []
        self.up.append([])
        self.down.append([])
        return client

    def take(self, end: Server | Client) -> None:
        self.told[end] += end.events()

    def play(self, ticks: int, tick: float = TICK) -> None:
        for _ in range(ticks):
            self.clock.advance(tick)
            for end in [*self.told]:
                end.update()
                self.take(end)

    def until(self, condition: Callable[[], bool]) -> None:
        for number in range(PATIENCE):
            if condition():
                return
            self.play(1, TICK if number < SOON else LONG_TICK)

    def alone(self, whose: Server | Client, ticks: int, enough: Callable[[], bool]) -> None:
        """Play, and let only what `whose` does count for `press`."""
        for _ in range(ticks):
            self.clock.advance(TICK)
            for end in [*self.told]:
                if end is not whose:
                    self.press.pause()
                end.update()
                self.press.pause()
                self.take(end)
                self.press.resume()
            if enough():
                return

    def peer(self, number: int) -> Peer | None:
        """Return a player as the server knows it: the newest, if its first greeting left a ghost behind."""
        return next((peer for peer in reversed(self.server.peers) if peer.data == number), None)

    def talk(self, count: int = 3) -> None:
        """Have everybody send messages, both ways."""
        for number, client in enumerate(self.clients):
            for _ in range(count):
                self.up[number].append([number, len(self.up[number])])
                client.send(self.up[number][-1])
                self.down[number].append([number, len(self.down[number])])
                peer = self.peer(number)
                if peer is not None:
                    peer.send(self.down[number][-1])

    def load(self) -> None:
        """Let much happen in the next update of the server: messages both ways, and pings."""
        self.clock.advance(1.2)
        for client in self.clients:
            client.update()
        self.talk()
        for client in self.clients:
            client.update()

    def cut(self) -> None:
        if self.memory is not None:
            self.memory.cut()
            return
        for client in self.clients:
            transport: Any = link_of(client).stream.transport
            transport.shutdown(2)

    def got_up(self, number: int) -> list[Any]:
        events = self.told[self.server]
        return [event.message for event in events if isinstance(event, Received) and event.peer.data == number]

    def got_down(self, number: int) -> list[Any]:
        return [event.message for event in self.told[self.clients[number]] if isinstance(event, Received)]

    def plots(self, number: int) -> tuple[str, str]:
        """Return the initials of the other events of a player, as the server and as the client were told."""
        *_, at_server = self.lives(number)
        return at_server, plot(self.told[self.clients[number]])

    def lives(self, number: int) -> list[str]:
        """Return what the server was told of each peer that a player was: a broken greeting makes another one."""
        mine = [event for event in self.told[self.server] if event.peer.data == number]
        peers = dict.fromkeys(event.peer for event in mine)
        return [plot([event for event in mine if event.peer is peer]) for peer in peers] or [""]

    def is_playing(self, client: Client) -> bool:
        return client.state is not State.DISCONNECTED

    def is_settled(self, number: int) -> bool:
        client = self.clients[number]
        if client.state is not State.CONNECTED:
            return client.state is State.DISCONNECTED and self.peer(number) is None
        if [peer.data for peer in self.server.peers].count(number) > 1:
            return False
        return (self.got_up(number), self.got_down(number)) == (self.up[number], self.down[number])

    def check(self, may_end: bool) -> None:
        """Check that all streams are whole, also from now on; or where a link may end, that it did so properly."""
        everybody = range(len(self.clients))
        self.until(lambda: all(map(self.is_settled, everybody)))
        self.talk(2)
        self.until(lambda: all(map(self.is_settled, everybody)))
        for number in everybody:
            reason = self.clients[number].reason
            up, down = self.got_up(number), self.got_down(number)
            at_server, at_client = self.plots(number)
            for ghost in self.lives(number)[:-1]:
                assert may_end
                assert re.fullmatch("JA?L", ghost)
            if reason is None:
                assert (up, down) == (self.up[number], self.down[number])
                assert re.fullmatch("J(AB)*", at_server)
                assert re.fullmatch("J(AB)*", at_client)
            else:
                assert may_end, reason
                assert up == self.up[number][: len(up)]
                assert down == self.down[number][: len(down)]
                assert self.peer(number) is None
                assert re.fullmatch("(J(AB)*A?L)?", at_server)
                assert re.fullmatch("(J(AB)*A?)?L", at_client)
        server = self.server
        if server.state is State.CONNECTED:
            living = [link for link in links_of(server) if link.stream.alive]
            assert sum(origins_of(server).values()) == len(living)
            assert linked_at(server) == sum(not peer.away for peer in server.peers)

    def close(self) -> None:
        for client in self.clients:
            client.close()
        self.server.close()


def plot(events: list[Event]) -> str:
    """Return the initials of what is no message."""
    return "".join(type(event).__name__[0] for event in events if not isinstance(event, Received))


def descriptors() -> int:
    return len([*OPEN_DESCRIPTORS.iterdir()]) if OPEN_DESCRIPTORS.exists() else 0


Case = Callable[[Table], Callable[[], object]]
"""Prepares a table, and returns what an interrupt comes into."""


def loaded_server(table: Table) -> Callable[[], object]:
    table.load()
    return table.server.update


def loaded_client(table: Table) -> Callable[[], object]:
    table.load()
    table.server.update()
    table.take(table.server)
    table.talk(2)
    table.clock.advance(0.5)
    return table.clients[0].update


def cut_off_server(table: Table) -> Callable[[], object]:
    table.load()
    table.cut()
    return table.server.update


def cut_off_client(table: Table) -> Callable[[], object]:
    table.load()
    table.cut()
    return table.clients[0].update


def returning(table: Table, whose: Server | Client) -> Callable[[], object]:
    table.load()
    table.cut()
    table.play(1)
    table.talk(2)
    return lambda: table.alone(whose, 40, lambda: all(client.state is State.CONNECTED for client in table.clients))


def returning_at_the_server(table: Table) -> Callable[[], object]:
    return returning(table, table.server)


def returning_client(table: Table) -> Callable[[], object]:
    return returning(table, table.clients[0])


def joining_at_the_server(table: Table) -> Callable[[], object]:
    newcomer = table.join()
    return lambda: table.alone(table.server, 20, lambda: newcomer.state is State.CONNECTED)


def joining_client(table: Table) -> Callable[[], object]:
    newcomer = table.join()
    return lambda: table.alone(newcomer, 20, lambda: newcomer.state is State.CONNECTED)


def leaving_server(table: Table) -> Callable[[], object]:
    table.load()

    def act() -> None:
        table.server.close_nicely("bye")
        table.alone(table.server, 20, lambda: table.server.state is State.DISCONNECTED)

    return act


def leaving_client(table: Table) -> Callable[[], object]:
    table.load()

    def act() -> None:
        table.clients[0].close_nicely("bye")
        table.alone(table.clients[0], 20, lambda: table.clients[0].state is State.DISCONNECTED)

    return act


def closing_client(table: Table) -> Callable[[], object]:
    table.load()
    return table.clients[0].close


def sending_off_a_player(table: Table) -> Callable[[], object]:
    table.load()
    peer = table.peer(0)
    assert peer is not None
    return lambda: peer.close_nicely("off you go")


def closing_a_player(table: Table) -> Callable[[], object]:
    table.load()
    peer = table.peer(0)
    assert peer is not None
    return peer.close


def waiting_server(table: Table) -> Callable[[], object]:
    table.load()
    return lambda: table.server.wait(0.0)


def waiting_client(table: Table) -> Callable[[], object]:
    table.load()
    return lambda: wait(table.clients[0], table.server, timeout=0.0)


def audit(case: Case, network: str, step: int, may_end: bool) -> int:
    """Interrupt `case` at each point, or at each so many of them; return how many were tried."""
    tried = 0
    for at in range(1, MOST_POINTS, step):
        before = descriptors()
        table = Table(network)
        act = case(table)
        press = table.press = Press(at, interrupt)
        try:
            with press:
                act()
        except KeyboardInterrupt:
            pass
        try:
            if not press.where:
                return tried
            tried += 1
            for end in table.told:
                table.take(end)
            table.check(may_end)
        except BaseException as error:
            error.add_note(f"after an interrupt at point {at}: {press.where}")
            raise
        finally:
            table.close()
        del table, act
        if descriptors() != before:
            gc.collect()
        assert descriptors() <= before, f"a descriptor leaked after an interrupt at point {at}: {press.where}"
    raise AssertionError("it never came to an end")
