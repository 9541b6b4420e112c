"""One end of a game over the network: what the window, the bot and the spectator share."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from demo_game.rules import Broadside, Cell, Ship
from demo_game.view import View, view_of
from demo_game.wording import refused
from netcode import ReasonCode
from netcode.turns import Event, Moved, Refused, Said, Seat, Seated, Started, Told, join

LOOK_AGAIN = 1.0
"""Seconds between looks for a game to watch while there is none."""


class Ended(NamedTuple):
    """Why we are at no table any more; `code` is that of the link, None if the server's tables have nothing for us."""

    text: str
    code: ReasonCode | None


class Session:
    """A seat at a table, or a place to watch from, and what its player sees of it. Call `update()` once a frame.

    `sit` goes to a table with a ticket and a code. `view` is the game as far as it is known, `chat` what was said last.
    `ticket` is that of an earlier run, and `keep` is told the one for the next: None where there is no seat to come
    back to. Who looks on is shown another game whenever there is none.
    """

    def __init__(
        self,
        sit: Callable[[str | None, str], Seat[Broadside]],
        *,
        code: str = "",
        watching: bool = False,
        ticket: str | None = None,
        keep: Callable[[str | None], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.watching, self.code = watching, code
        self.view = View()
        self.chat: deque[Said] = deque(maxlen=50)
        self._sit, self._keep, self._clock = sit, keep, clock
        self._came_back = ticket is not None
        self.table = sit(ticket, code)
        self._left: list[Seat[Broadside]] = []
        self._games = 0
        self._fleet: tuple[Ship, ...] = ()
        self._refusal = self._told = self._frozen = ""
        self._look_at: float | None = None
        self._leaves = False

    @property
    def joined(self) -> bool:
        """Whether we sit at a table and the link to it lives."""
        return self.table.seated and self.table.connected

    @property
    def reason(self) -> Ended | None:
        """Why it is over; None while it is not."""
        table = self.table
        if not table.reason or self._look_at is not None:
            return None
        return Ended(table.reason, None if table.trouble is None else table.trouble.code)

    def update(self) -> list[Event]:
        """Let the network do its work, and give what came with it."""
        self.table.update()
        heard = self.table.events()
        for event in heard:
            self._hear(event)
        self._look_for_another()
        for table in self._left:
            table.update()
        self._left = [table for table in self._left if not table.reason]
        self._look()
        if self.view.to_place and self._fleet:
            # The other one was too slow, and with that all are asked anew who have no fleet yet.
            self.place(self._fleet)
            self._look()
        return heard

    def place(self, fleet: Sequence[Ship]) -> None:
        """Hide the fleet."""
        if self.view.to_place and self.table.question is not None:
            self._fleet = tuple(fleet)
            self.table.answer([*fleet])

    def fire(self, cell: Cell) -> None:
        """Fire at a cell of the enemy's sea."""
        if self.view.my_turn and self.table.pending is None and not self.table.reason:
            self.table.play(Broadside.fire(cell))

    def again(self) -> None:
        """Ask for another game once this one is over: against the same opponent, if there still is one."""
        if not self.watching and not self.table.reason and "left" not in {side.presence for side in self.view.sides}:
            self.table.rematch()
        else:
            self.another()

    def another(self, *, anybody: bool = False) -> None:
        """Leave this table for another one; with `anybody` it is no more that of the code."""
        if anybody:
            self.code = ""
        self._left.append(self.table)
        self.table.leave()
        self._keep(None)
        self.table, self._games, self._came_back = self._sit(None, self.code), self._games + 1, False
        self._fleet, self._refusal, self._told = (), "", ""

    def leave(self, text: str = "") -> None:
        """Give up the seat, and a game that is on, with a goodbye for the others; `update()` until there is a `reason`."""
        if text:
            self.table.say(text)
        self.table.leave()
        self._leaves, self._look_at = True, None

    def close(self) -> None:
        """Stop at once. Who has left has no seat to come back to; who has lost the server still does."""
        if self.table.reason and self.table.trouble is None:
            self._keep(None)
        for table in (self.table, *self._left):
            table.close()

    def _hear(self, event: Event) -> None:
        match event:
            case Seated():
                self._came_back = False
                self._keep(self.table.ticket)
            case Started():
                self._games, self._fleet, self._refusal, self._told = self._games + 1, (), "", ""
            case Moved():
                self._refusal = ""
            case Refused(play, text):
                frozen = text == self._frozen  # which is shown for as long as it is so, and the fleet waits
                self._refusal = "" if frozen else refused(play, text)
                if play is not None and not play.name and not frozen:
                    self._fleet = ()
            case Told(text):
                self._told = text
            case Said():
                self.chat.append(event)
            case _:
                pass

    def _look(self) -> None:
        self._frozen = self.table.frozen or self._frozen  # what was refused for it may be told once it is over
        self.view = view_of(self.table, self._games, self._fleet, self.table.frozen or self._refusal, self._told)

    def _look_for_another(self) -> None:
        """Sit down anew where that is what the player would do: the seat was not kept, or nobody plays at present."""
        table = self.table
        if not table.reason or table.trouble is not None or self._leaves:
            return
        if self._came_back and not table.seated:
            self._came_back = False
            self._keep(None)
            self.table = self._sit(None, self.code)
        elif self.watching and self._look_at is None:
            self._look_at = self._clock() + LOOK_AGAIN
        elif self._look_at is not None and self._clock() >= self._look_at:
            self._look_at = None
            self.table, self._games = self._sit(None, self.code), self._games + 1


def open_session(
    server: tuple[str, int],
    name: str,
    *,
    code: str = "",
    watching: bool = False,
    per_move: float = 0.0,
    tls: bool = False,
    ticket: str | None = None,
    keep: Callable[[str | None], None] = lambda _: None,
) -> Session:
    """Sit down at a table of a server; whatever goes wrong from here on is the session's `reason`.

    `code` is what friends agreed on; `per_move` are the seconds for each shot, where we are the first at the table;
    `tls` is for a server that encrypts. The rest is as in `Session`.
    """
    wanted: dict[str, Any] = {"options": {"clock": {"per_move": per_move}}} if per_move else {}
    wanted |= {"name": name or "Nameless", "watch": watching, "legal": False, "tls": tls}

    def sit(ticket: str | None, code: str) -> Seat[Broadside]:
        return join(server, Broadside, code or None, ticket=ticket, ping_interval=0.5, **wanted)

    return Session(sit, code=code, watching=watching, ticket=ticket, keep=keep)
