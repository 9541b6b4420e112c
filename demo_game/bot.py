"""A player made of code: hides a fleet at random and fires where the chart promises most."""

from collections.abc import Callable
from random import Random

from demo_game.captain import choose_target
from demo_game.rules import random_fleet
from demo_game.session import Session
from demo_game.view import Phase, View


class Bot:
    """Plays over a session. Call `update()` after the session's own; it takes `pace` seconds over each shot.

    `games` is how many games it plays before it is `done`; 0 is without end.
    """

    def __init__(
        self, session: Session, random: Random, *, clock: Callable[[], float], pace: float = 1.0, games: int = 0
    ) -> None:
        """Take command of a session that has not begun."""
        self._session = session
        self._random = random
        self._clock = clock
        self._pace = pace
        self._left = games or None
        self._due: float | None = None
        self._finished: View | None = None

    @property
    def done(self) -> bool:
        """Whether it has played all its games."""
        return self._left == 0

    def update(self) -> None:
        """Do what the game asks for now, if the time for it has come."""
        view = self._session.view
        if self._session.reason is not None or self.done:
            return
        if view.to_place:
            self._session.place(random_fleet(self._random))
        elif view.my_turn and self._ready():
            self._session.fire(choose_target(view.sides[view.far].chart, self._random))
        elif view.phase is Phase.OVER:
            self._go_on(view)

    def _go_on(self, view: View) -> None:
        if view is not self._finished and self._ready(slower=3):
            self._finished = view
            if self._left is not None:
                self._left -= 1
            if not self.done:
                self._session.again()

    def _ready(self, slower: float = 1) -> bool:
        """Let `pace` seconds pass from the first call on, then say yes once."""
        now = self._clock()
        if self._due is None:
            self._due = now + self._pace * slower
        if now < self._due:
            return False
        self._due = None
        return True
