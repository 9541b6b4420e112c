"""A table in this program: what each seat sees of it and may do, and how a move is taken back."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from netcode.turns import table as happenings
from netcode.turns.language.plays import Play, answer
from netcode.turns.language.questions import Kind
from netcode.turns.player.sight import view_at
from netcode.turns.table import Happening, Step, Table, TakenBack


class LocalTable:
    """A table in this program: several people at one keyboard, and bots."""

    def __init__(
        self,
        game: type[Any],
        names: Sequence[str],
        options: Mapping[str, Any],
        secret: bytes,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.game, self.names, self.clock = game, names, clock
        self.table = Table.create(game, len(names), options, secret=secret, names=names)
        step = self.table.start(clock())
        if isinstance(step, happenings.Refused):
            raise ValueError(step.text)  # noqa: TRY004 - a game that cannot be played like that
        self.news: list[Happening] = [*step.happenings]
        self._own: tuple[int, bytes] | None = None
        """Who of the people moved last, and the table as it was before; None once that was taken back."""
        self._bots_since = False
        self._seat_all()
        self.advance()

    def _seat_all(self) -> None:
        for seat in range(len(self.names)):
            self.table.note_presence(seat, True, self.clock())

    def advance(self) -> bool:
        """Do what time demands; return whether anything happened."""
        now, clocks = self.clock(), self.table.clocks
        late = () if clocks is None else clocks.fallen(now)
        steps = self.table.advance(now)
        if steps:  # the rules may say nothing of it
            self.news += [happenings.Told(f"the time of {self.names[seat]} is up", {}, None) for seat in late]
        for step in steps:
            self.news += step.happenings
        return bool(steps)

    def seconds(self) -> float | None:
        """Return after how many seconds time demands something; None for never."""
        due = self.table.due()
        return None if due is None else max(0.0, due - self.clock())

    def taken_news(self) -> list[Happening]:
        """Return what happened since this was asked for."""
        taken, self.news = self.news, []
        return taken

    def view(self, seat: int | None) -> Any:
        """Return what a seat sees."""
        return view_at(self.table, seat)

    def legal(self, seat: int) -> tuple[Play, ...]:
        """Return what a seat may do."""
        asked = self.table.question(seat)
        if asked is not None:
            return tuple(answer(asked.id, option) for option in asked.options or ())
        return tuple(Play(name, arguments) for name, arguments in self.table.legal(seat).plays)

    def draw(self, seat: int) -> Play | None:
        """Return something that a seat may do and that is not listed, drawn at random; None if there is nothing."""
        asked = self.table.question(seat)
        for name in self.table.legal(seat).unlisted:
            arguments = self.table.draw(seat, name, random.Random())  # noqa: S311 - no secret comes of it
            if arguments is not None:
                return Play(name, arguments) if asked is None else answer(asked.id, arguments["answer"])
        return None

    def any_may_answer(self) -> tuple[int, int] | None:
        """Return which question this is that one of several may answer, or None."""
        suspension = self.table.course.suspension
        if suspension is None or suspension.question.kind is not Kind.ANY or len(suspension.question.waiting) < 2:
            return None
        return suspension.question.number, suspension.question.step

    def play(self, seat: int, play: Play, *, bot: bool = False) -> str:
        """Do what a seat wants; return why not, or nothing."""
        number, now, before = self.table.last_number(seat) + 1, self.clock(), self.table.snapshot()
        own = not bot and (play.question is None or self.table.status(now).mover != seat)
        if play.question is not None:
            outcome = self.table.answer(seat, play.question, play.wire()["answer"], number, now=now)
        else:
            outcome = self.table.play(seat, play.name, play.wire(), number, now=now)
        if isinstance(outcome, happenings.Refused):
            return outcome.text
        if own:
            self._own, self._bots_since = (seat, before), False
        self._bots_since = self._bots_since or bot
        self.news += outcome.happenings
        return ""

    def undo(self, seat: int) -> str:
        """Take back the last move of a person; everybody who would be asked sits here and agrees."""
        if self._own is not None and self._bots_since and self.game.undo and self.table.is_open():
            self._go_back(*self._own)
            return ""
        now = self.clock()
        movers = [other for other in range(len(self.names)) if self.table.can_undo(other)]
        seat = movers[0] if movers else seat
        outcome = self.table.undo(seat, now)
        for other in range(len(self.names)):
            if not isinstance(outcome, happenings.Refused) and self.table.undo_wanted_by() == seat and other != seat:
                self._note(self.table.consent(other, True, now))
        if not isinstance(outcome, happenings.Refused):
            self._own = None
        return self._note(outcome)

    def _note(self, outcome: Step | happenings.Refused) -> str:
        if isinstance(outcome, happenings.Refused):
            return outcome.text
        self.news += outcome.happenings
        return ""

    def _go_back(self, seat: int, state: bytes) -> None:
        """Go on from before a person's own move: what bots have done since is taken back with it."""
        number = self.table.number
        self.table = Table.restore(self.game, state, now=self.clock())
        if self.table.course.suspension is None:
            self.table.course.kit.number = number  # what was drawn since is known, so it is drawn otherwise next time
        self._seat_all()
        self._own, self._bots_since = None, False
        self.news.append(TakenBack(seat, f"{self.names[seat]} took a move back"))
