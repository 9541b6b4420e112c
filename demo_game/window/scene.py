"""What a scene is, and what it may do with the session behind it."""

from collections.abc import Sequence
from typing import Protocol

import pygame

from demo_game.rules import Cell, Ship
from demo_game.view import View
from demo_game.window.link import LinkSample
from demo_game.window.painter import Painter


class Play(Protocol):
    """The side of a `Session` that scenes see: tests draw them over one without a network."""

    @property
    def view(self) -> View:
        """The game as far as it is known."""
        ...

    @property
    def samples(self) -> Sequence[LinkSample]:
        """The last round-trip times."""
        ...

    @property
    def silence(self) -> int:
        """Whole seconds without a word from the server, 0 if that is nothing to worry about."""
        ...

    @property
    def away(self) -> float | None:
        """Seconds for which our seat is still looked for, if the link to it is lost; None if it is not."""
        ...

    @property
    def closed(self) -> bool:
        """Whether the link is lost because the server is gone."""
        ...

    def place(self, fleet: Sequence[Ship]) -> None:
        """Hide the fleet."""
        ...

    def fire(self, cell: Cell) -> None:
        """Fire at a cell."""
        ...


class Scene(Protocol):
    """One screen of the game."""

    def handle(self, event: pygame.event.Event) -> None:
        """Take one event of the window."""
        ...

    def draw(self, painter: Painter, now: float) -> None:
        """Draw everything, `now` seconds on the clock of the animations."""
        ...
