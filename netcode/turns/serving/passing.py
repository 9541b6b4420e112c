"""Time that passes at the tables: clocks and patience run out, and the absent are played for."""

import random

from netcode.turns.errors import BUGS
from netcode.turns.runtime.log import bug
from netcode.turns.serving.dues import Dues
from netcode.turns.serving.keeper import Keeper
from netcode.turns.serving.playing import Playing
from netcode.turns.serving.room import Room
from netcode.turns.serving.steps import Steps
from netcode.turns.simulate import act, choices_of
from netcode.turns.table import Refused, Table

STAND_INS_AT_ONCE = 4
"""Plays for absent seats that one table makes within one update."""


class Passing:
    """Has each table do what its time demands."""

    def __init__(self, keeper: Keeper, dues: Dues, steps: Steps, playing: Playing) -> None:
        self._keeper, self._dues, self._steps, self._playing = keeper, dues, steps, playing
        self._still_since: float | None = None
        """Since when nobody can play, because nothing can be stored."""
        self._random = random.Random()  # noqa: S311 - a stand-in's choice, not a key

    def step(self, now: float) -> None:
        """Do what is due by now."""
        self._stand_still(now)
        for room in self._dues.take(now):
            if self._keeper.writer.trouble:
                self._steps.look_again(room, now)
            elif room.table is None:
                self._playing.begin_full(room, now)
            elif room.over:
                self._playing.begin_again(room, now)
            else:
                self._steps.take(room, room.table.advance(now), now)
        for table in [*self._dues.hasty]:
            self._dues.hasty.discard(table)
            hasty = self._keeper.rooms.get(table)
            if hasty is not None and hasty.table is not None and not self._keeper.writer.trouble:
                self._stand_in(hasty, hasty.table, now)

    def _stand_still(self, now: float) -> None:
        """Let the time not count in which nobody could play."""
        if self._keeper.writer.trouble:
            self._still_since = now if self._still_since is None else self._still_since
        elif self._still_since is not None:
            began, self._still_since = self._still_since, None
            for room in self._keeper.rooms.values():
                for seat in room.seats:
                    if seat.away_since is not None:
                        seat.away_since += now - max(seat.away_since, began)
                if room.table is not None:
                    room.table.hold(began, now)
                    self._steps.take(room, (), now)
                    self._playing.begin_again(room, now)

    def _stand_in(self, room: Room, table: Table, now: float) -> None:
        """Play for seats that are absent, where the game says so: something that is legal, at random."""
        for _ in range(STAND_INS_AT_ONCE):
            seats = table.stand_ins(now)
            if not seats:
                return
            seat = seats[0]
            try:
                choices = choices_of(table, seat, self._random, hasty=True)
            except BUGS as error:  # a domain that fails lists nothing, and the table goes on
                bug(room.game.__name__, error, "what is legal")
                return
            if not choices:
                return
            self._random.shuffle(choices)
            # Without a number: those are the seat's own, and whoever is back may send what was under way.
            outcomes = (act(table, seat, choice, now, 0) for choice in choices)
            step = next((outcome for outcome in outcomes if not isinstance(outcome, Refused)), None)
            if step is None:
                return
            self._keeper.writer.batch.moves += 1
            self._steps.take(room, [step], now)
