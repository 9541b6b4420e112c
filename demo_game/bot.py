"""A player made of code: hides a fleet at random and fires where the chart promises most."""

import time
from collections.abc import Callable
from random import Random

from demo_game.captain import choose_target
from demo_game.rules import random_fleet
from demo_game.session import Session
from demo_game.view import Phase

NAMES = ("Blackbeard", "Anne Bonny", "Drake", "Ching Shih", "Grace O'Malley", "Jean Bart", "Sayyida", "Tordenskjold")
REST = 3.0
"""How many times longer than over a shot it waits before it asks for another game."""


class Bot:
    """Plays over a session, `pace` seconds over each shot. Call `update()` after the session's own."""

    def __init__(
        self, session: Session, random: Random, *, pace: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take command of a session that has not begun."""
        self.session = session
        self._random, self._clock, self._pace = random, clock, pace
        self._due: float | None = None
        self._asked = -1

    def update(self) -> None:
        """Do what the game asks for now, if the time for it has come."""
        view = self.session.view
        if view.to_place:
            self.session.place(random_fleet(self._random))
        elif view.my_turn and self._ready():
            self.session.fire(choose_target(view.sides[view.far].chart, self._random))
        elif view.phase is Phase.OVER and view.number != self._asked and self._ready(REST):
            self._asked = view.number
            self.session.again()
        elif view.number == self._asked and view.sides[view.far].presence == "left":
            self.session.another()

    def _ready(self, slower: float = 1) -> bool:
        """Let `pace` seconds pass from the first call on, then say yes once."""
        now = self._clock()
        if self._due is None:
            self._due = now + self._pace * slower
        if now < self._due:
            return False
        self._due = None
        return True
