"""A game at one keyboard, from its first move to its end: whose turn it is to type, and what becomes of what is typed."""

import random
from collections.abc import Callable, Collection
from enum import Enum

from netcode.turns import table as happenings
from netcode.turns.language.plays import Play, answer
from netcode.turns.simulate import Choice, choices_of
from netcode.turns.table import Asked, Happening, Table
from netcode.turns.terminal.bot_play import MAX_REFUSED
from netcode.turns.terminal.choices import ALL_LISTED, NOTHING_DRAWN, drawn, show_plays
from netcode.turns.terminal.local_table import LocalTable
from netcode.turns.terminal.screen import Screen
from netcode.turns.terminal.sharing import Ask, SharedKeyboard, Typed, shows_secrets
from netcode.turns.terminal.telling import changed, clocks_of, ended, moved, who_is_who
from netcode.turns.terminal.understanding import meant, wanted
from netcode.turns.terminal.wording import rows_of

Think = Callable[[Table, int], Choice | None]
"""Chooses what a bot does."""
HELP = (
    "type a number or words to play; undo takes the last move back; quit or Ctrl-C ends; "
    "where such a word could be a play or an answer, write /undo and /quit\n"
    "/draw shows one at random of what is not listed, and /play plays it"
)


class After(Enum):
    """What becomes of a turn."""

    DONE = "done"
    """Something was played or taken back, or the time was up."""
    PASSED = "passed"
    """It is left to others to answer."""
    QUIT = "quit"
    """Nobody goes on."""


def play_locally(table: LocalTable, bots: Collection[int], screen: Screen, ask: Ask, choose: Think) -> None:
    """Play a game at one keyboard to its end."""
    LocalGame(table, bots, screen, ask, choose).run()


class LocalGame:
    """A game at one keyboard."""

    def __init__(self, table: LocalTable, bots: Collection[int], screen: Screen, ask: Ask, choose: Think) -> None:
        self._table, self._bots, self._screen, self._ask, self._choose = table, bots, screen, ask, choose
        self._people = [seat for seat in range(len(table.names)) if seat not in bots]
        self._keyboard = SharedKeyboard(screen, ask, table.names, self._people)
        self._eye = self._people[0] if len(self._people) == 1 else None
        self._before = table.view(self._eye)
        self._question: tuple[int, int] | None = None
        """Which one it is that any of several may answer."""
        self._passed: set[int] = set()
        """Who of the people left it to the others."""

    def run(self) -> None:
        """Play until the end, or until nobody can or wants to go on."""
        if self._people and len(self._table.names) > 1:
            self._keyboard.say(who_is_who(self._table.names))
        while self._tell() and self._turn():
            pass

    def _tell(self) -> bool:
        """Say what has happened; return whether the game goes on."""
        table = self._table
        table.advance()
        after = table.view(self._eye)
        for happening in table.taken_news():
            self._say(happening, changed(self._before, after))
        self._before = after
        if table.table.result is None:
            return True
        self._keyboard.end(table.game.reveal)
        self._screen.table("at the end", rows_of(table.view(None), self._screen.width))
        return False

    def _say(self, happening: Happening, changes: str) -> None:
        names, say = self._table.names, self._keyboard.say
        match happening:
            case happenings.Moved(seat, name):
                say(moved(names[seat], name, changes))
            case happenings.Told(text, _, to):
                if to is None:
                    say(text)
                else:
                    self._keyboard.whisper(text, to)
            case happenings.TakenBack(seat, text, alone):
                if not alone or seat in self._people:
                    say(f"taken back: {text}")
            case happenings.Over(result):
                say(ended(result, names))

    def _turn(self) -> bool:
        """Let one of those who are waited for do something; return whether the game goes on."""
        table = self._table
        seat = self._next()
        if seat is None:
            stuck = "nobody is to move, and the game is not over: the rules are stuck"
            self._screen.text(table.table.frozen or stuck)
            return False
        if seat in self._bots:
            refused = _let_bot_play(table, seat, self._choose)
            if refused:
                self._screen.text(f"{table.names[seat]} is a bot, and finds nothing to do: {refused}")
            return not refused
        began = table.clock()
        self._keyboard.sit_down(seat, shows_secrets(table, seat, self._people))
        table.table.hold(began, table.clock())  # who is looked for has not been thinking yet
        after = self._take_turn(seat)
        if after is After.PASSED:
            self._passed.add(seat)
        return after is not After.QUIT

    def _next(self) -> int | None:
        """Return who is to do something: bots first, but people where the first answer counts."""
        waiting = self._table.table.to_move
        bots = [seat for seat in waiting if seat in self._bots]
        people = [seat for seat in waiting if seat in self._people]
        question = self._table.any_may_answer()
        if question != self._question:
            self._question, self._passed = question, set()
        if question is None:
            sitting = [seat for seat in people if seat == self._keyboard.sitting]
            return next(iter((*bots, *sitting, *people)), None)
        mover = self._table.table.status(self._table.clock()).mover
        asked = [seat for seat in sorted(people, key=lambda seat: seat == mover) if seat not in self._passed]
        if not asked and not bots:
            self._passed.clear()
            self._keyboard.say("all have left it to the others; somebody has to answer")
            return self._next()
        return (asked or bots)[0]

    def _take_turn(self, seat: int) -> After:
        """Ask one person until something comes of it."""
        table, screen = self._table, self._screen
        asked, legal, unlisted = table.table.question(seat), table.legal(seat), table.table.legal(seat).unlisted
        drawing: Play | None = None
        self._show(seat, asked, legal)
        while True:
            line = self._ask(table.seconds())
            if table.advance():
                screen.forget_typed()
                return After.DONE
            if line is None:
                continue
            self._keyboard.typed()
            text = meant(line.strip(), legal, unlisted)
            refused = ""
            if not text:
                if self._question is not None:
                    return After.PASSED
            elif text == "/help":
                screen.lines(HELP)
            elif text == "/draw":
                drawing = table.draw(seat)
                screen.lines(drawn(drawing) if unlisted else ALL_LISTED)
            elif text == "/quit":
                return After.QUIT
            else:
                refused = table.undo(seat) if text == "/undo" else self._play(seat, text, legal, asked, drawing)
                if not refused:
                    return After.DONE
                screen.text(refused)

    def _play(self, seat: int, text: str, legal: tuple[Play, ...], asked: Asked | None, drawing: Play | None) -> str:
        """Play what was typed, or drawn; return why not, or nothing."""
        table = self._table
        unlisted = table.table.legal(seat).unlisted
        if text == "/play":
            play = drawing or NOTHING_DRAWN
        else:
            play = wanted(text, table.game, legal, unlisted, asked, names=table.names)
        if isinstance(play, str):
            return play
        typed = Typed(table)
        refused = table.play(seat, play)
        if not refused and len(self._people) > 1 and typed.is_secret(play):
            self._keyboard.secret = True
        return refused

    def _show(self, seat: int, asked: Asked | None, legal: tuple[Play, ...]) -> None:
        table, screen = self._table, self._screen
        rows = rows_of(table.view(seat), screen.width)
        clocks = table.table.status(table.clock()).clocks
        if clocks is not None:
            rows.append(("clocks", clocks_of(table.names, clocks)))
        screen.table(f"{table.names[seat]} to move", rows)
        prompt, text = ("", False) if asked is None else (asked.prompt, asked.text)
        show_plays(screen, table.game, legal, table.table.legal(seat).unlisted, prompt, text=text)
        if self._question is not None:
            screen.text("   or press Enter to leave it to the others")


def _let_bot_play(table: LocalTable, seat: int, choose: Think) -> str:
    """Have a bot play, anything if what it chose is refused after all; return why nothing is to be had, or nothing."""
    refused, dice = "the rules are stuck", random.Random()  # noqa: S311 - a bot's whims are no keys
    choice = choose(table.table, seat)
    for _ in range(MAX_REFUSED):
        if choice is None:
            break
        asked, (name, arguments) = table.table.question(seat), choice
        play = Play(name, arguments) if asked is None else answer(asked.id, arguments["answer"])
        refused = table.play(seat, play, bot=True)
        if not refused:
            return ""
        choices = choices_of(table.table, seat, dice, hasty=True)
        choice = dice.choice(choices) if choices else None
    return refused
