"""Games of Broadside for tests: as a screen sees them, without a table; and over a network in memory."""

from dataclasses import replace
from random import Random
from typing import Any

from hours import Hours

from demo_game.bot import Bot
from demo_game.captain import choose_target
from demo_game.rules import FLEET, Broadside, Cell, Chart, Fired, Ship, random_fleet, shoot
from demo_game.session import Session
from demo_game.view import Phase, Side, View
from demo_game.window.kept_seat import KeptSeat
from netcode.testing import MemoryNetwork
from netcode.turns import Event, Server, join

HOST, PORT = "server", 7777
TIDY_FLEET = tuple(Ship(length, Cell(0, row)) for row, length in enumerate(FLEET))


def placing(seat: int | None = 0, **parts: Any) -> View:
    """A game in which both hide their fleets."""
    sides = Side("Anne Bonny"), Side("Blackbeard")
    return replace(View(Phase.PLACING, 1, seat, sides, to_place=seat is not None), **parts)


def firing(shots: int = 0, seat: int | None = 0, **parts: Any) -> View:
    """A game between two bots, so many shots long or to its end."""
    dice = Random(5)
    fleets = random_fleet(dice), random_fleet(dice)
    charts, log, turn = (Chart(), Chart()), list[Fired](), 0
    while len(log) < shots and all(chart.afloat for chart in charts):
        target = charts[1 - turn]
        log.append(Fired(turn, shoot(fleets[1 - turn], target, choose_target(target, dice))))
        turn = 1 - turn
    winner = next((1 - lost for lost, chart in enumerate(charts) if not chart.afloat), None)
    shown = [tuple(fleet) if winner is not None or owner == seat else () for owner, fleet in enumerate(fleets)]
    names = "Anne Bonny", "Blackbeard"
    sides = tuple(Side(*about, placed=True) for about in zip(names, charts, shown, strict=True))
    end: dict[str, Any] = {"turn": turn}
    if winner is not None:
        end = {"winner": winner, "why": f"{names[winner]} has sunk the whole fleet of {names[1 - winner]}"}
    phase = Phase.FIRING if winner is None else Phase.OVER
    return replace(View(phase, 1, seat, (sides[0], sides[1]), log=log), **{**end, **parts})


def changed(view: View, seat: int, **parts: Any) -> View:
    """Give the same game with something else about one seat."""
    sides = [replace(side, **parts) if seat == number else side for number, side in enumerate(view.sides)]
    return replace(view, sides=(sides[0], sides[1]))


class Sea(Hours):
    """A server of tables on a network in memory, those who play there, and the time, which passes when a test says so."""

    tick = 0.02
    patience = 120.0

    def __init__(self, seed: int = 1, **faults: Any) -> None:
        super().__init__()
        self.network = MemoryNetwork(self.clock, seed=seed, **faults)
        self.server: Server | None = None
        self.sessions: list[Session] = []
        self.asleep: list[Session] = []
        self.heard: dict[Session, list[Event]] = {}
        self.bots: list[Bot] = []

    def serve(self, **wanted: Any) -> Server:
        """Open the server."""
        terms: dict[str, Any] = {"moves_per_second": 100.0, "on_thread": False, **wanted}
        self.server = Server(Broadside, host=HOST, port=PORT, clock=self.clock, network=self.network, **terms)
        return self.server

    def kill(self) -> None:
        """Let the server die without a word."""
        assert self.server is not None
        self.network.cut()
        self.server._net.close()
        self.server._keeper.writer.carrier.close()
        self.server._store.close()
        self.server = None

    def enter(
        self, name: str, *, watching: bool = False, kept: KeptSeat | None = None, code: str = "", per_move: float = 0
    ) -> Session:
        """Have somebody sit down, or look on."""
        options = {"clock": {"per_move": per_move}} if per_move else None

        def sit(ticket: str | None, code: str) -> Any:
            link: dict[str, Any] = {"clock": self.clock, "network": self.network, "legal": False, "patience": 60.0}
            link["options"] = options
            return join((HOST, PORT), Broadside, code or None, watch=watching, ticket=ticket, name=name, **link)

        keeping: dict[str, Any] = {} if kept is None else {"ticket": kept.ticket, "keep": kept.keep}
        session = Session(sit, code=code, watching=watching, clock=self.clock, **keeping)
        self.sessions.append(session)
        self.heard[session] = []
        return session

    def pair(self, per_move: float = 0) -> tuple[Session, Session]:
        """Have Anne and Bob begin a game, with so many seconds for each shot; Anne has seat 0."""
        anne = self.enter("Anne", per_move=per_move)
        self.until(lambda: anne.joined)
        bob = self.enter("Bob", per_move=per_move)
        self.until(lambda: anne.view.to_place and bob.view.to_place)
        return anne, bob

    def enter_bot(self, name: str, pace: float = 0.0) -> Bot:
        """Have a bot play."""
        bot = Bot(self.enter(name), Random(name), pace=pace, clock=self.clock)
        self.bots.append(bot)
        return bot

    def update(self) -> None:
        """Do one frame of everybody who is not asleep."""
        if self.server is not None:
            self.server.update()
        for session in self.sessions:
            if session not in self.asleep:
                self.heard[session] += session.update()
        for bot in self.bots:
            if bot.session not in self.asleep:
                bot.update()

    def picture(self) -> object:
        return [(session.view, session.reason) for session in self.sessions]

    def close(self) -> None:
        """Close everybody."""
        for session in self.sessions:
            session.close()
        if self.server is not None:
            self.server.close()
