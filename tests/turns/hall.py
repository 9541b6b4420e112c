"""A server of tables and those who play there, on a network in memory, whose time passes when a test says so."""

from collections.abc import Sequence
from typing import Any

from hours import Hours

from netcode import Client, Received
from netcode.testing import MemoryNetwork
from netcode.turns import protocol
from netcode.turns.client import join
from netcode.turns.events import Event
from netcode.turns.language.marks import Hidden, Owned
from netcode.turns.rules import Game, move, options
from netcode.turns.seat import Seat
from netcode.turns.server import Server
from netcode.turns.store import Entry, Listing, State, Unavailable
from netcode.turns.store.memory import MemoryStore

TICK = Hours.tick
HOST, PORT = "hall", 7777
LINES = (0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)


class TicTacToe(Game):
    cells: list[int | None] = [None] * 9

    @move(cell=range(9))
    def mark(self, cell: int) -> None:
        self.require(self.cells[cell] is None, "that cell is taken")
        self.cells[cell] = self.mover
        if any(all(self.cells[i] == self.mover for i in line) for line in LINES):
            self.finish(self.mover)
        elif None not in self.cells:
            self.finish()


class Secrets(Game):
    """Each draws a number nobody else sees, is asked how to show it, and the highest wins."""

    seats = 2, 4
    deck: Hidden[list[int]]
    hands: Owned[list[list[int]]]
    shown: list[int]
    size: int

    @options(size=range(5, 9))
    def setup(self, size: int = 5) -> None:
        self.size = size
        self.deck = [*range(size * 2)]
        self.random.shuffle(self.deck)
        self.hands = [[] for _ in self.players]
        self.shown = []

    @move
    def draw(self) -> None:
        self.hands[self.mover].append(self.deck.pop())
        self.tell("a look at it", to=self.mover, card=self.hands[self.mover][-1])
        how = self.ask(self.mover, ("as it is", "doubled"), "how do you show it?")
        self.shown.append(self.hands[self.mover][-1] * (2 if how == "doubled" else 1))
        if len(self.shown) == len(self.players):
            self.finish(self.shown.index(max(self.shown)))


class Grab(Game):
    """Everybody takes something at once; what is gone, is gone."""

    seats = 2, 3
    things: list[str] = ["a", "b", "c"]
    got: list[str] = []

    def setup(self) -> None:
        self.turn_to(*self.players)

    def round(self) -> None:
        self.turn_to(*self.players)

    def left(self) -> list[str]:
        return self.things

    @move(thing=left)
    def take(self, thing: str) -> None:
        self.things.remove(thing)
        self.got.append(f"{thing} for {self.mover}")


class Full(MemoryStore):
    """A store that is full when a test says so."""

    full = False

    def append(self, entries: Sequence[Entry], states: Sequence[State] = (), listings: Sequence[Listing] = ()) -> None:
        if self.full:
            raise Unavailable("the disk is full")
        super().append(entries, states, listings)


class Players(Hours):
    """Who plays, and what each has been told so far."""

    def __init__(self) -> None:
        super().__init__()
        self.seats: list[Seat[Any]] = []
        self.told: dict[Seat[Any], list[Event]] = {}

    def sit(self, address: tuple[str, int], game: Any, **wanted: Any) -> Seat[Any]:
        """Have somebody ask for a seat."""
        seat: Seat[Any] = join(address, game, clock=self.clock, **wanted)
        self.seats.append(seat)
        self.told[seat] = []
        return seat

    def update(self) -> None:
        for seat in self.seats:
            seat.update()
            self.told[seat] += seat.events()

    def picture(self) -> object:
        return [(seat.reason or seat.trouble or seat.frozen, events[-3:]) for seat, events in self.told.items()]

    def finish(self, *seats: Seat[Any]) -> None:
        """Have seats play the first thing that is legal until the game is over."""
        end = self.clock.now + 120.0
        while not all(seat.over for seat in seats):
            assert self.clock.now < end, "the game never ended"
            for seat in seats:
                if seat.my_turn and seat.pending is None and seat.legal:
                    seat.play(seat.legal[0])
            self.play(TICK)

    def close(self) -> None:
        """Close everybody."""
        for seat in self.seats:
            seat.close()


class Hall(Players):
    """Who serves, who plays, and what each has been told so far."""

    def __init__(self, *games: type[Game], store: MemoryStore | None = None, **faults: Any) -> None:
        super().__init__()
        self.network = MemoryNetwork(self.clock, **faults)
        self.store = store or MemoryStore(clock=self.clock)
        self.games = games or (TicTacToe, Secrets)
        self.guests: dict[Client, list[Any]] = {}
        self.server: Server | None = None

    def guest(self) -> Client:
        """Connect somebody who speaks the protocol without a kit; `guests` has what it is told."""
        link: dict[str, Any] = {"clock": self.clock, "network": self.network}
        guest = Client(HOST, PORT, game=protocol.GAME, version=protocol.VERSION, **link)
        self.guests[guest] = []
        return guest

    def serve(self, **wanted: Any) -> Server:
        """Open the server."""
        wanted = {"on_thread": False, **wanted}
        self.server = Server(
            *self.games, host=HOST, port=PORT, store=self.store, clock=self.clock, network=self.network, **wanted
        )
        return self.server

    def kill(self) -> None:
        """Let the server die without a word: what it did not store is lost."""
        assert self.server is not None
        self.network.cut()
        self.server._net.close()
        self.server._keeper.writer.carrier.close()
        self.server = None
        self.store = self.store.successor()

    def join(self, game: Any = TicTacToe, **wanted: Any) -> Seat[Any]:
        """Have somebody sit down, and let the server answer."""
        seat = self.begin_to_join(game, **wanted)
        self.until(lambda: seat.seated or seat.reason != "")
        self.play(4 * TICK)
        return seat

    def begin_to_join(self, game: Any = TicTacToe, **wanted: Any) -> Seat[Any]:
        """Have somebody ask for a seat."""
        return self.sit((HOST, PORT), game, network=self.network, **wanted)

    def update(self) -> None:
        if self.server is not None:
            self.server.update()
        super().update()
        for guest, told in self.guests.items():
            guest.update()
            told += [event.message for event in guest.events() if isinstance(event, Received)]

    def settle(self) -> None:
        if self.server is not None:
            self.server._keeper.writer.carrier.join()  # a thread has no part in the time of the hall

    def heard(self, seat: Seat[Any], *kinds: type[Any]) -> list[Any]:
        """Return the events of some kinds that a seat was told."""
        return [event for event in self.told[seat] if isinstance(event, kinds)]

    def move(self, seat: Seat[Any], *play: Any, **arguments: Any) -> None:
        """Have a seat play, and wait until it is in or refused."""
        seat.play(*play, **arguments)
        self.until(lambda: seat.pending is None)
        self.play(2 * TICK)

    def close(self) -> None:
        super().close()
        for guest in self.guests:
            guest.close()
        if self.server is not None:
            self.server.close()
