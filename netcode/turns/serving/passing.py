"""Time that passes at the tables: clocks and patience run out, and the absent are played for."""

import random

from netcode.turns.runtime.log import bug
from netcode.turns.serving.dues import Dues
from netcode.turns.serving.keeper import Keeper
from netcode.turns.serving.room import Room
from netcode.turns.serving.steps import Steps
from netcode.turns.simulate import choices_of
from netcode.turns.table import Refused, Table

STAND_INS_AT_ONCE = 4
"""Plays for absent seats that one table makes within one update."""
AGAIN = 1.0
"""Seconds after which is looked again at a table at which time stands still."""


class Passing:
    """Has each table do what its time demands."""

    def __init__(self, keeper: Keeper, dues: Dues, steps: Steps) -> None:
        self._keeper, self._dues, self._steps = keeper, dues, steps
        self._random = random.Random()  # noqa: S311 - a stand-in's choice, not a key

    def step(self, now: float) -> None:
        """Do what is due by now."""
        for room in self._dues.take(now):
            if self._keeper.trouble:  # nobody could play: time stands still until somebody can
                self._dues.put_off(room, now + AGAIN)
            elif room.table is not None:
                self._steps.take(room, room.table.advance(now), now)
        for table in [*self._dues.hasty]:
            self._dues.hasty.discard(table)
            hasty = self._keeper.rooms.get(table)
            if hasty is not None and hasty.table is not None and not self._keeper.trouble:
                self._stand_in(hasty, hasty.table, now)

    def _stand_in(self, room: Room, table: Table, now: float) -> None:
        """Play for seats that are absent, where the game says so: something that is legal, at random."""
        for _ in range(STAND_INS_AT_ONCE):
            seats = table.stand_ins(now)
            if not seats:
                return
            seat = seats[0]
            try:
                table.legal(seat)  # within its budget; what is not listed then is drawn
                asked, choices = table.question(seat), choices_of(table, seat, self._random)
            except Exception as error:  # noqa: BLE001 - a domain that fails lists nothing, and the table goes on
                bug(room.game.__name__, error, "what is legal")
                return
            if not choices:
                return
            name, arguments = self._random.choice(choices)
            number = table.last_number(seat) + 1
            if asked is not None:
                outcome = table.answer(seat, asked.id, arguments["answer"], number, now=now)
            else:
                outcome = table.play(seat, name, arguments, number, now=now)
            if isinstance(outcome, Refused):
                return
            self._keeper.writer.batch.moves += 1
            self._steps.take(room, [outcome], now)
