"""One keyboard that several people share: who sits there, what they are told alone, and what the next must not read."""

import contextlib
from collections.abc import Callable, Collection, Sequence
from typing import Any

from netcode.turns.language.definition import definition_of
from netcode.turns.language.plays import Play
from netcode.turns.player.sight import fields_of
from netcode.turns.terminal.local_table import LocalTable
from netcode.turns.terminal.screen import Screen
from netcode.turns.values import unpack

Ask = Callable[[float | None], str | None]
"""Returns the next line that is typed, or None after so many seconds; raises `EOFError` when there will be none."""
REPEATED = 12
"""News that are repeated at most to who takes the keyboard."""

PASSING = 1.0
"""Seconds in which nobody can have read who is to take the keyboard: an Enter is still that of who sat there."""


class SharedKeyboard:
    """A keyboard at which people take turns."""

    def __init__(self, screen: Screen, ask: Ask, names: Sequence[str], people: Sequence[int]) -> None:
        self.screen, self.ask = screen, ask
        self.sitting: int | None = people[0] if len(people) == 1 else None
        self.secret = False
        """Whether something is on the screen that is for nobody but who sits there."""
        self._names, self._people = names, people
        self._fresh = False
        """Whether who sits there has had no time to read what they were told alone."""
        self._said: list[str] = []
        self._read = dict.fromkeys(people, 0)
        self._whispers: dict[int, list[str]] = {}

    def say(self, text: str) -> None:
        """Tell all; who takes the keyboard later is told again, if the screen was wiped."""
        self.screen.lines(text)
        self._said.append(text)

    def whisper(self, text: str, to: Collection[int]) -> None:
        """Tell some alone: once each of them sits there. Where nobody else is here, all at once."""
        if self._people and {*self._people} <= {*to}:
            self.say(text)
            return
        for seat in self._people:
            if seat in to:
                self._whispers.setdefault(seat, []).append(text)
        self._tell()

    def typed(self) -> None:
        """Note that who sits there has typed something, and so has read what is above it."""
        self._fresh = False

    def sit_down(self, seat: int, secret: bool) -> None:
        """Let somebody take the keyboard, who will be shown what is for them alone, or not."""
        if seat != self.sitting:
            if self.secret or secret or seat in self._whispers:
                self._hand_over(seat)
            self.sitting, self.secret = seat, False
        self._read[seat] = len(self._said)
        self.secret = self.secret or (secret and len(self._people) > 1)
        self._tell()

    def end(self, opened: bool) -> None:
        """Say what was to be told alone and could not be any more; where the end opens nothing, wipe what nobody else may read."""
        if opened:
            for seat, texts in self._whispers.items():
                for text in texts:
                    self.screen.lines(f"for {self._names[seat]} alone: {text}")
        elif self.secret:
            self._wipe(max(0, len(self._said) - REPEATED))
        self._whispers.clear()

    def _tell(self) -> None:
        if self.sitting is None:
            return
        for text in self._whispers.pop(self.sitting, ()):
            self.screen.lines(f"for {self._names[self.sitting]} alone: {text}")
            self.secret = self._fresh = True

    def _wipe(self, read: int) -> None:
        """Wipe the screen once who sits there has read it, and repeat the news after so many."""
        if self._fresh:
            self.screen.text("press Enter when you have read it")
            with contextlib.suppress(EOFError):  # nobody reads on, and what is behind it is shown all the same
                self.ask(None)
            self._fresh = False
        if self.screen.clear():
            for text in self._said[read:][-REPEATED:]:
                self.screen.lines(text)
        self.secret = False

    def _hand_over(self, seat: int) -> None:
        self._wipe(self._read[seat])
        self.screen.text(f"hand over to {self._names[seat]}, who presses Enter")
        self.screen.forget_typed(PASSING)  # an Enter too many would show what is not theirs to who typed it
        self.ask(None)


def shows_secrets(table: LocalTable, seat: int, people: Sequence[int]) -> bool:
    """Tell whether a seat is shown what somebody else at the keyboard is not."""
    others = [other for other in people if other != seat]
    if not others or definition_of(table.game).all_open:
        return False
    seen = fields_of(table.view(seat))
    asked = table.table.question(seat) is not None  # its options may come of anything that is hidden
    return asked or any(fields_of(table.view(other)) != seen for other in others)


class Typed:
    """What a person is about to type: whether the next one may read it is known once it was played."""

    def __init__(self, table: LocalTable) -> None:
        self._table = table
        open_to_all = definition_of(table.game).all_open
        to_move = table.table.to_move
        # The last of several has nothing to hide where everything is open: the rules go on with it at once.
        one_of_several = table.any_may_answer() is not None
        self._sealed = not one_of_several and len(to_move) > 1
        self._last = not open_to_all and self._is_together()
        self._hidden = self._read()

    def is_secret(self, play: Play) -> bool:
        """Tell whether it was hidden from others: moved together with them, or kept where not all can see."""
        if self._sealed or self._last:
            return True
        now = self._read()
        return bool(play.arguments) and any(_gained(self._hidden.get(name), now[name]) for name in now)

    def _is_together(self) -> bool:
        course = self._table.table.course
        given = course.suspension.question.given if course.suspension is not None else course.waiting.sealed
        return bool(given)

    def _read(self) -> dict[str, bytes]:
        course = self._table.table.course
        return {name: course.packed[name] for name in course.definition.unseen_fields if name in course.packed}


def _gained(before: bytes | None, after: bytes) -> bool:
    """Tell whether something is there that was not; what was drawn from a pile is not in it any more."""
    if before == after:
        return False
    old: Any = None if before is None else unpack(before)
    new: Any = unpack(after)
    if not isinstance(old, list) or not isinstance(new, list):
        return True
    rest: list[Any] = [*old]  # pyright: ignore[reportUnknownArgumentType]
    for item in new:  # pyright: ignore[reportUnknownVariableType]
        if item not in rest:
            return True
        rest.remove(item)
    return False
