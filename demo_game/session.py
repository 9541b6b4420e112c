"""One end of a game over the network: what the window, the bot and the spectator share."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from demo_game.kept_seat import KeptSeat
from demo_game.rules import Broadside, Cell, Ship
from demo_game.view import Phase, View, view_of
from demo_game.wording import refused
from netcode import ReasonCode
from netcode.turns import Event, Moved, Refused, Said, Seat, Seated, Started, join

PATIENCE = 60.0
"""Seconds for which a server that does not answer any more is looked for."""
NOTICEABLE_SILENCE = 3
"""Seconds of silence that are shown to the player: six pings without an answer are no hiccup."""
LOOK_AGAIN = 1.0
"""Seconds between looks for a game to watch while there is none."""


class LinkSample(NamedTuple):
    """How the link was at one moment, in seconds."""

    rtt: float
    jitter: float


class Ended(NamedTuple):
    """Why we are at no table any more; `code` is that of the link, None if the server's tables have nothing for us."""

    text: str
    code: ReasonCode | None


class Session:
    """A seat at a table, or a place to watch from, and what its player sees of it. Call `update()` once a frame.

    `view` is the game as far as it is known, `chat` what was said last and `said` how much there was, `samples` the
    last round-trip times. Nothing here blocks but `wait`. `sit` is given the ticket of an earlier run if `kept` has one.
    Who looks on is shown another game whenever there is none.
    """

    def __init__(
        self,
        sit: Callable[[str | None], Seat[Broadside]],
        *,
        watching: bool = False,
        kept: KeptSeat | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.watching = watching
        self.view = View()
        self.chat: deque[Said] = deque(maxlen=50)
        self.said = 0
        self.samples: deque[LinkSample] = deque(maxlen=120)
        self._sit, self._kept, self._clock = sit, kept, clock
        ticket = kept.ticket if kept is not None else None
        self._came_back = ticket is not None
        self._table = sit(ticket)
        self._left: list[Seat[Broadside]] = []
        self._games = 0
        self._fleet: tuple[Ship, ...] = ()
        self._refusal = ""
        self._look_at: float | None = None

    @property
    def joined(self) -> bool:
        """Whether we sit at a table and the link to it lives."""
        return self._table.seated and self._table.connected

    @property
    def reason(self) -> Ended | None:
        """Why it is over; None while it is not."""
        table = self._table
        if not table.reason or self._look_at is not None:
            return None
        return Ended(table.reason, None if table.trouble is None else table.trouble.code)

    @property
    def silence(self) -> int:
        """Whole seconds for which nothing has been heard from the server; 0 while that is nothing to worry about."""
        return int(self._table.silence) if self._table.silence >= NOTICEABLE_SILENCE else 0

    @property
    def away(self) -> float | None:
        """Seconds for which our seat is still looked for, if the link to it is lost; None if it is not."""
        lost = self._table.trouble is not None and self.view.phase is not Phase.WAITING
        return self._table.patience if lost and not self._table.reason else None

    def update(self) -> list[Event]:
        """Let the network do its work, and give what came with it."""
        self._table.update()
        heard = self._table.events()
        for event in heard:
            match event:
                case Seated():
                    self._keep(self._table.ticket)
                case Started():
                    self._games, self._fleet, self._refusal = self._games + 1, (), ""
                case Moved():
                    self._refusal = ""
                case Refused(play, text):
                    self._refusal = refused(play, text)
                case Said():
                    self.chat.append(event)
                    self.said += 1
                case _:
                    pass
        self._look_for_another()
        self._part()
        self.view = view_of(self._table, self._games, self._fleet, self._table.frozen or self._refusal)
        if self._came_back and self.view.phase is not Phase.WAITING:
            self._came_back = False
            if self.view.phase is Phase.OVER:
                self.another()  # the game that we come back to ended long ago
        return heard

    def sample(self) -> None:
        """Note the round-trip time as it is now, once it has been measured."""
        if self.joined and self._table.rtt is not None:
            self.samples.append(LinkSample(self._table.rtt, self._table.jitter or 0.0))

    def wait(self, seconds: float) -> None:
        """Sleep until `update()` has something to do, at most so long."""
        self._table.wait(seconds)

    def place(self, fleet: Sequence[Ship]) -> None:
        """Hide the fleet."""
        if self.view.to_place and self._table.question is not None:
            self._fleet = tuple(fleet)
            self._table.answer([*fleet])

    def fire(self, cell: Cell) -> None:
        """Fire at a cell of the enemy's sea."""
        if self.view.my_turn and self._table.pending is None and not self._table.reason:
            self._table.play(Broadside.fire(cell))

    def say(self, text: str) -> None:
        """Say something to all at the table."""
        self._table.say(text)

    def again(self) -> None:
        """Ask for another game once this one is over: against the same opponent, if there still is one."""
        if not self.watching and not self._table.reason and "left" not in {side.presence for side in self.view.sides}:
            self._table.rematch()
        else:
            self.another()

    def another(self) -> None:
        """Leave this table for another one."""
        self._left.append(self._table)
        self.leave()
        self._keep(None)
        self._table, self._games, self._came_back = self._sit(None), self._games + 1, False
        self._fleet, self._refusal = (), ""

    def leave(self, text: str = "") -> None:
        """Give up the seat, and a game that is on, with a goodbye for the others; `update()` until there is a `reason`."""
        if text:
            self._table.say(text)
        self._table.leave()

    def close(self) -> None:
        """Stop at once. Who has left has no seat to come back to; who has lost the server still does."""
        if self._table.reason and self._table.trouble is None:
            self._keep(None)
        for table in (self._table, *self._left):
            table.close()

    def _look_for_another(self) -> None:
        """Sit down anew where that is what the player would do: the seat was not kept, or nobody plays at present."""
        table = self._table
        if not table.reason or table.trouble is not None:
            return
        if self._came_back and not table.seated:
            self._came_back = False
            self._keep(None)
            self._table = self._sit(None)
        elif self.watching and self._look_at is None:
            self._look_at = self._clock() + LOOK_AGAIN
        elif self._look_at is not None and self._clock() >= self._look_at:
            self._look_at = None
            self._table, self._games = self._sit(None), self._games + 1

    def _part(self) -> None:
        """See to it that the tables we left hear of it."""
        for table in self._left:
            table.update()
        self._left = [table for table in self._left if not table.reason]

    def _keep(self, ticket: str | None) -> None:
        if self._kept is not None:
            self._kept.keep(ticket)


def open_session(
    host: str,
    port: int,
    name: str,
    *,
    code: str = "",
    watching: bool = False,
    per_move: float = 0.0,
    kept: KeptSeat | None = None,
) -> Session:
    """Sit down at a table of a server; whatever goes wrong from here on is the session's `reason`.

    `code` is what friends agreed on; `per_move` are the seconds for each shot, where we are the first at the table.
    """
    options = {"clock": {"per_move": per_move}} if per_move else None

    def sit(ticket: str | None) -> Seat[Broadside]:
        return join(
            (host, port),
            Broadside,
            code or None,
            options=options,
            watch=watching,
            ticket=ticket,
            name=name or "Nameless",
            legal=False,
            patience=PATIENCE,
            ping_interval=0.5,
        )

    return Session(sit, watching=watching, kept=kept)
