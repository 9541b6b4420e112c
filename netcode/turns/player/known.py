"""What a player's end knows of its table: all that the server has told, kept up with each step."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from netcode.turns import protocol
from netcode.turns.events import Event, Over, event_of
from netcode.turns.player.sight import make_view
from netcode.turns.runtime.outcomes import result_of

G = TypeVar("G")


class Known(Generic[G]):
    """The newest state of one table, as one seat is told it, or one who watches."""

    def __init__(self, game: "type[G] | str") -> None:
        self.game = game
        self.seat: int | None = None
        self.view: G | None = None
        self.state: dict[str, Any] = {}
        """What is told beside the fields, by the names of the protocol."""
        self._fields: dict[str, bytes] = {}
        self._heard_at = 0.0
        self._ended: str | None = None
        """The game whose end was told."""

    @property
    def title(self) -> str:
        """What the game is called."""
        return self.game if isinstance(self.game, str) else self.game.__name__

    @property
    def last(self) -> int:
        """How many plays and answers of this seat are in."""
        return int(self.state.get("last", 0))

    @property
    def name(self) -> str:
        """What we are called at the table; nothing for who watches."""
        names = self.state.get("names", ())
        return names[self.seat] if self.seat is not None and self.seat < len(names) else ""

    def has_come(self, wish: str) -> bool:
        """Tell whether what was wished for is so, or can be no more: a start, or a rematch, or our wish for one."""
        started, over = bool(self.state.get("started")), self.state.get("result") is not None
        return started if wish == "start" else not over or self.seat in self.state.get("rematch", ())

    def sit(self, seat: int | None, last: int) -> None:
        """Begin anew at a table: what was known before is void."""
        self._fields, self.state = {}, {"last": last}
        self.seat = seat

    def add(self, fields: Mapping[str, bytes]) -> None:
        """Take fields of the step that follows."""
        self._fields |= fields

    def step(self, step: protocol.Step, now: float) -> list[Event]:
        """Take a step, and return what happened. Raises `ValueError` or the like for fields that do not fit."""
        before = self.view
        self._fields |= step.fields
        self.state |= step.state
        self._heard_at = now
        if self._fields or self.state.get("started"):
            self.view = make_view(self.game, self._fields, self.seat, self.state)
        events = [event_of(data, before, self.view, self.seat) for data in step.events]
        told = [one for one in events if one is not None]
        return told + self._missed_end(told)

    def _missed_end(self, told: list[Event]) -> list[Event]:
        """Return that the game is over where that came to pass while nobody could tell us; once."""
        result = self.state.get("result")
        if result is None:
            return []
        known, self._ended = self._ended, self.state.get("id", "")
        if known == self._ended or any(isinstance(one, Over) for one in told):
            return []
        return [Over(result_of(result))]

    def clocks(self, now: float) -> tuple[float, ...] | None:
        """Return the seconds that each seat has left; None without clocks."""
        clocks = self.state.get("clocks")
        if clocks is None:
            return None
        passed, running = now - self._heard_at, self.state.get("running", ())
        return tuple(max(0.0, left - passed) if seat in running else left for seat, left in enumerate(clocks))

    def presence(self, now: float) -> tuple[tuple[str, float | None], ...]:
        """Return for each seat "here", "away" or "left", and in how many seconds absence has consequences."""
        passed = now - self._heard_at
        return tuple(
            (state, None if seconds is None else max(0.0, seconds - passed))
            for state, seconds in self.state.get("presence", ())
        )
