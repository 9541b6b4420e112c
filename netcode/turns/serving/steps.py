"""What happened at a table is stored, told once that is done, and what is due next is noted."""

from collections.abc import Iterable
from typing import Any

from netcode.turns.serving.dues import Dues
from netcode.turns.serving.keeper import Keeper
from netcode.turns.serving.room import Room
from netcode.turns.serving.telling import Telling
from netcode.turns.table import Happening, Step

AGAIN = 1.0
"""Seconds after which is looked again at a table at which nothing can be done while nothing can be stored."""


class Steps:
    """Takes what tables return when somebody moved, or time passed."""

    def __init__(self, keeper: Keeper, telling: Telling, dues: Dues) -> None:
        self._keeper, self._telling, self._dues = keeper, telling, dues

    def take(self, room: Room, steps: Iterable[Step], now: float, events: list[list[Any]] | None = None) -> None:
        """Store what happened at a table, and tell it once that is done."""
        if room.id in self._keeper.leaving:
            return  # it may be another process's by now, at which the same happens
        happenings: list[Happening] = []
        for step in steps:
            if step.entry:
                self._keeper.log(room, room.stepped(step.entry))
            happenings += step.happenings
        self._keeper.settle(room)
        self._telling.publish(room, happenings, now, events=events)
        self._dues.note(room, now)

    def look_again(self, room: Room, now: float) -> None:
        """Have a table wait a little for what is due there, as where nothing can be stored."""
        self._dues.put_off(room, now + AGAIN)
