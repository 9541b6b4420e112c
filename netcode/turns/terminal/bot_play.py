"""A seat at a server at which a bot sits, until its game is over or it finds nothing that the rules accept."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from netcode.turns.bots import Drawer
from netcode.turns.client import join
from netcode.turns.events import Refused
from netcode.turns.language.plays import Play
from netcode.turns.seat import Seat
from netcode.turns.terminal.telling import ended, on_a_command_line, waits_for

MAX_REFUSED = 50
"""Tries of a bot that the rules refuse before it gives up."""
AGAIN = 0.1
"""Seconds that a bot waits after a refusal: a server takes so many plays a second, and no more."""
GOODBYE = 5.0
"""Seconds in which a bot that gives up tells the server."""
POLL = 0.05
"""Seconds for which it sleeps at least."""


class GaveUp(Exception):
    """A bot left its seat, because the rules accept nothing that it finds to do."""


class BotSeat:
    """A seat at a server at which a bot sits; driven by `update()`."""

    def __init__(
        self, seat: Seat[Any], drawer: Drawer, choose: Callable[[Any, Sequence[Play]], Play], pace: float = 0.0
    ) -> None:
        self.seat, self._drawer, self._choose, self._pace = seat, drawer, choose, pace
        self._ready_at = 0.0
        self._refused = 0
        self._number = 0
        self._why = ""

    def update(self, now: float) -> None:
        """Take what came, and play if it is our turn.

        Raises:
            GaveUp: nothing is to be had that the rules accept; the seat is being left.
        """
        seat = self.seat
        seat.update()
        for event in seat.events():
            match event:
                case Refused(play, text) if play is not None:
                    self._refused += 1
                    self._why = text
                    self._ready_at = now + max(self._pace, AGAIN)
                case _:
                    pass
        if seat.number != self._number:
            self._number = seat.number
            self._refused = 0
        waits = seat.my_turn and seat.pending is None and not seat.frozen
        if waits and (seat.legal or seat.unlisted) and now >= self._ready_at:
            self._play()
            self._ready_at = now + self._pace

    def _play(self) -> None:
        seat = self.seat
        drawn = [self._drawer.draw(seat.view, name, seat.question) for name in seat.unlisted]
        plays = [*seat.legal, *(play for play in drawn if play is not None)]
        if not plays or self._refused >= MAX_REFUSED:
            seat.leave()
            what = f"play {' or '.join(seat.unlisted)}" if seat.question is None else f"answer {seat.question.prompt!r}"
            why = f"the rules refused {self._refused} tries, at last with: {self._why}"
            raise GaveUp(f"the bot gives up its seat: {why if plays else f'it knows no way to {what}'}")
        # After a refusal anything else will do: the same thought would come to the same play.
        seat.play(plays[self._refused % len(plays)] if self._refused else self._choose(seat.view, plays))


def run_bot(
    address: tuple[str, int],
    game: type[Any],
    choose: Callable[[Any, Sequence[Play]], Play],
    pace: float,
    say: Callable[[str], object] = str,
    **wanted: Any,
) -> str:
    """Have a program play at a server; return how its game ended, as a sentence. Raises `ConnectionError` and `GaveUp`.

    Where the game has not begun, `say` is told what it waits for, once for each who comes or goes; and, also later, why
    the table is frozen.
    """
    told: tuple[str, ...] = ()
    frozen = ""
    with join(address, game, **wanted) as seat:
        bot = BotSeat(seat, Drawer(game), choose, pace)
        while not seat.reason:
            try:
                bot.update(time.monotonic())
            except GaveUp:
                _say_goodbye(seat)
                raise
            if seat.result is not None:
                how = ended(seat.result, seat.names)
                seat.leave()  # whoever would like another game is not to wait for a program that has ended
                _say_goodbye(seat)
                return how
            if seat.frozen != frozen:
                frozen = seat.frozen
                what = "the table is frozen" if seat.seated else "there is no seat yet"
                say(f"{what}: {frozen}" if frozen else "the table goes on")
            if seat.seated and not seat.started and not frozen and seat.names != told:
                told = seat.names
                say(waits_for(told, *seat.players, "a person there begins with /start, or others join"))
            seat.wait(max(POLL, min(pace, 1.0)) if seat.my_turn else 1.0)
        raise ConnectionError(on_a_command_line(seat.reason))


def _say_goodbye(seat: Seat[Any]) -> None:
    until = time.monotonic() + GOODBYE
    while not seat.reason and time.monotonic() < until:
        seat.update()
        seat.wait(POLL)
