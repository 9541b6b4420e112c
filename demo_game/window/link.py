"""A session with what only a screen shows of it: how the link to the server is."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from demo_game.rules import Cell, Ship
from demo_game.session import Session
from demo_game.view import Phase, View, before_the_end
from netcode import ReasonCode

NOTICEABLE_SILENCE = 3
"""Seconds of silence that are shown to the player: six pings without an answer are no hiccup."""


class LinkSample(NamedTuple):
    """How the link was at one moment, in seconds."""

    rtt: float
    jitter: float


class Link:
    """What scenes are given to play on."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._samples: deque[LinkSample] = deque(maxlen=120)
        self.flying = False
        """Whether the shell that ends the game is still in the air: nobody is told of the end before it lands."""

    @property
    def samples(self) -> Sequence[LinkSample]:
        """The last round-trip times; none while the link is lost."""
        return () if self.away is not None else self._samples

    @property
    def view(self) -> View:
        """The game as far as it is known, and may be told."""
        view = self.session.view
        return before_the_end(view) if self.flying else view

    @property
    def silence(self) -> int:
        """Whole seconds for which nothing has been heard from the server; 0 while that is nothing to worry about."""
        silence = self.session.table.silence
        return int(silence) if silence >= NOTICEABLE_SILENCE else 0

    @property
    def away(self) -> float | None:
        """Seconds for which our seat is still looked for, if the link to it is lost; None if it is not."""
        table = self.session.table
        lost = table.trouble is not None and not table.reason and self.view.phase is not Phase.WAITING
        return table.patience if lost else None

    @property
    def closed(self) -> bool:
        """Whether the link is lost because there is no server any more at the other end."""
        trouble = self.session.table.trouble
        return trouble is not None and trouble.code in {ReasonCode.SHUTDOWN, ReasonCode.REFUSED}

    def sample(self) -> None:
        """Note the round-trip time as it is now, once it has been measured."""
        table = self.session.table
        if self.session.joined and table.rtt is not None:
            self._samples.append(LinkSample(table.rtt, table.jitter or 0.0))

    def place(self, fleet: Sequence[Ship]) -> None:
        """Hide the fleet."""
        self.session.place(fleet)

    def fire(self, cell: Cell) -> None:
        """Fire at a cell of the enemy's sea."""
        self.session.fire(cell)
