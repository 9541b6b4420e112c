"""A table in this program: several people who share a keyboard, and bots."""

import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from netcode.turns import table as happenings
from netcode.turns.language.plays import Play, answer
from netcode.turns.player.sight import fields_of, make_view
from netcode.turns.simulate import Choice, choices_of
from netcode.turns.table import Happening, Table
from netcode.turns.terminal.bot_play import MAX_REFUSED
from netcode.turns.terminal.screen import Screen
from netcode.turns.terminal.wording import changed, ended, meant, moved, rows_of, show_plays, wanted


class LocalTable:
    """A table in this program: several people at one keyboard, and bots."""

    def __init__(self, game: type[Any], names: Sequence[str], options: Mapping[str, Any], secret: bytes) -> None:
        self.game, self.names = game, names
        self.table = Table.create(game, len(names), options, secret=secret, names=names)
        step = self.table.start(time.monotonic())
        if isinstance(step, happenings.Refused):
            raise ValueError(step.text)  # noqa: TRY004 - a game that cannot be played like that
        self.news: list[Happening] = [*step.happenings]
        self.whispers: dict[int, list[str]] = {}
        """What a seat alone is told, until it is at the keyboard."""
        for seat in range(len(names)):
            self.table.note_presence(seat, True, time.monotonic())
        for later in self.table.advance(time.monotonic()):
            self.news += later.happenings

    def view(self, seat: int | None) -> Any:
        """Return what a seat sees."""
        status = self.table.status(time.monotonic())
        state: dict[str, Any] = {
            "names": self.names,
            "to_move": status.to_move,
            "mover": status.mover,
            "out": status.out,
            "options": self.table.options,
        }
        return make_view(self.game, self.table.view(seat), seat, state)

    def legal(self, seat: int) -> tuple[Play, ...]:
        """Return what a seat may do."""
        asked = self.table.question(seat)
        if asked is not None:
            return tuple(answer(asked.id, option) for option in asked.options or ())
        return tuple(Play(name, arguments) for name, arguments in self.table.legal(seat).plays)

    def play(self, seat: int, play: Play) -> str:
        """Do what a seat wants; return why not, or nothing."""
        number, now = self.table.last_number(seat) + 1, time.monotonic()
        if play.question is not None:
            outcome = self.table.answer(seat, play.question, play.wire()["answer"], number, now=now)
        else:
            outcome = self.table.play(seat, play.name, play.wire(), number, now=now)
        if isinstance(outcome, happenings.Refused):
            return outcome.text
        self.news += outcome.happenings
        return ""

    def undo(self, seat: int) -> str:
        """Take the seat's last move back; everybody who would be asked sits here and agrees."""
        now = time.monotonic()
        outcome = self.table.undo(seat, now)
        for other in range(len(self.names)):
            if not isinstance(outcome, happenings.Refused) and self.table.undo_wanted_by() == seat and other != seat:
                agreed = self.table.consent(other, True, now)
                if not isinstance(agreed, happenings.Refused):
                    self.news += agreed.happenings
        if isinstance(outcome, happenings.Refused):
            return outcome.text
        self.news += outcome.happenings
        return ""


def play_locally(
    table: LocalTable,
    bots: Collection[int],
    screen: Screen,
    ask: Callable[[], str],
    choose: Callable[[Table, int], Choice | None],
) -> None:
    """Play a game at one keyboard to its end. `ask` returns the next line, or raises `EOFError`."""
    last = None
    people = [seat for seat in range(len(table.names)) if seat not in bots]
    eye = people[0] if len(people) == 1 else None
    before = table.view(eye)
    while True:
        table.news += [happening for step in table.table.advance(time.monotonic()) for happening in step.happenings]
        after = table.view(eye)
        for happening in _taken(table.news):
            _say(table, happening, screen, people, changed(before, after))
        before = after
        status = table.table.status(time.monotonic())
        if status.result is not None:
            screen.table("at the end", rows_of(table.view(None)))
            return
        acting = [seat for seat in range(len(table.names)) if table.table.may_act(seat)]
        if not acting:
            screen.line(table.table.frozen or "nobody is to move, and the game is not over: the rules are stuck")
            return
        seat = next((seat for seat in acting if seat in bots), acting[0])
        if seat in bots:
            refused = _let_bot_play(table, seat, choose)
            if refused:
                screen.line(f"{table.names[seat]} is a bot, and finds nothing to do: {refused}")
                return
            continue
        if last not in (None, seat) and any(_differ(table, other) for other in people):
            screen.line(f"hand over to {table.names[seat]}, who presses Enter")
            ask()
            screen.clear()
        last = seat
        for text in table.whispers.pop(seat, []):
            screen.line(f"for {table.names[seat]} alone: {text}")
        if not _take_turn(table, seat, screen, ask):
            return


def _let_bot_play(table: LocalTable, seat: int, choose: Callable[[Table, int], Choice | None]) -> str:
    """Have a bot play, anything if what it chose is refused after all; return why nothing is to be had, or nothing."""
    refused, dice = "the rules are stuck", random.Random()  # noqa: S311 - a bot's whims are no keys
    choice = choose(table.table, seat)
    for _ in range(MAX_REFUSED):
        if choice is None:
            break
        asked, (name, arguments) = table.table.question(seat), choice
        play = Play(name, arguments) if asked is None else answer(asked.id, arguments["answer"])
        refused = table.play(seat, play)
        if not refused:
            return ""
        choices = choices_of(table.table, seat, dice)
        choice = dice.choice(choices) if choices else None
    return refused


def _differ(table: LocalTable, seat: int) -> bool:
    """Tell whether a seat sees what the others must not."""
    return fields_of(table.view(None)) != fields_of(table.view(seat))


def _taken(news: list[Happening]) -> list[Happening]:
    taken = news[:]
    news.clear()
    return taken


def _say(table: LocalTable, happening: Happening, screen: Screen, people: Sequence[int], changes: str) -> None:
    match happening:
        case happenings.Moved(seat, name):
            screen.line(moved(table.names[seat], name, changes))
        case happenings.Told(text, _, to):
            if to is None or (len(people) == 1 and people[0] in to):
                screen.lines(text)
            elif set(to) & set(people):
                screen.line(f"for {' and '.join(table.names[seat] for seat in to)} alone: {text}")
        case happenings.TakenBack(seat, text, alone):
            if not alone or seat in people:
                screen.line(f"taken back: {text}")
        case happenings.Over(result):
            screen.line(ended(result, table.names))


def _take_turn(table: LocalTable, seat: int, screen: Screen, ask: Callable[[], str]) -> bool:
    """Ask one person until something is played or taken back; return whether they go on playing."""
    asked, legal = table.table.question(seat), table.legal(seat)
    unlisted = table.table.legal(seat).unlisted
    rows = rows_of(table.view(seat))
    clocks = table.table.status(time.monotonic()).clocks
    if clocks is not None:
        rows.append(("clocks", "  ".join(f"{table.names[i]} {left:.0f} s" for i, left in enumerate(clocks))))
    screen.table(f"{table.names[seat]} to move", rows)
    show_plays(screen, legal, unlisted, "" if asked is None else asked.prompt)
    while True:
        text = meant(ask().strip(), legal, unlisted)
        if not text:
            continue
        if text == "/help":
            screen.line("type a number or words to play; /undo takes the last move back; /quit or Ctrl-C ends")
            continue
        if text == "/quit":
            return False
        if text == "/undo":
            movers = [other for other in range(len(table.names)) if table.table.can_undo(other)]
            refused = table.undo(movers[0] if movers else seat)
        else:
            play = wanted(text, table.game, legal, unlisted, asked)
            refused = play if isinstance(play, str) else table.play(seat, play)
        if not refused:
            return True
        screen.line(refused)
