"""When each shot of a game flies and lands on the screen. Without pygame."""

from collections.abc import Sequence
from typing import NamedTuple

from demo_game.rules import Fired

FLIGHT = 0.45
"""Seconds that a shell flies."""

IMPACT = 0.9
"""Seconds that a splash or a blast lasts."""

AT_ONCE = 2
"""New shots that are shown in flight; a spectator who comes late sees the earlier ones landed."""


class Shell(NamedTuple):
    """One shot, and when it was fired on the screen."""

    fired: Fired
    start: float

    def flight(self, now: float) -> float | None:
        """How far it has come, from 0 to 1; None once it has landed."""
        share = (now - self.start) / FLIGHT
        return share if share < 1 else None

    def impact_age(self, now: float) -> float | None:
        """Seconds since it landed, while the splash or the blast lasts; None before and after."""
        age = now - self.start - FLIGHT
        return age if 0 <= age < IMPACT else None


class Barrage:
    """All the shots of one game, in order, as the screen shows them."""

    def __init__(self) -> None:
        self.shells: list[Shell] = []

    def follow(self, log: Sequence[Fired], now: float) -> None:
        """Fire on the screen what is new in the log."""
        new = log[len(self.shells) :]
        for number, fired in enumerate(new):
            shown = number >= len(new) - AT_ONCE
            self.shells.append(Shell(fired, now if shown else now - 2 * (FLIGHT + IMPACT)))

    def landed(self, target: int, now: float) -> list[Shell]:
        """Give the shots that have fallen into this seat's sea."""
        return [shell for shell in self.shells if shell.fired.seat != target and shell.flight(now) is None]

    def last_landed(self, now: float) -> Fired | None:
        """Give the last shot that has landed anywhere."""
        return next((shell.fired for shell in reversed(self.shells) if shell.flight(now) is None), None)

    def flying(self, now: float) -> bool:
        """Say whether a shell is in the air."""
        return bool(self.shells) and self.shells[-1].flight(now) is not None

    def quiet(self, now: float) -> bool:
        """Say whether nothing flies or splashes any more."""
        return not self.shells or now - self.shells[-1].start > FLIGHT + IMPACT
