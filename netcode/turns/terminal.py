"""Tables in a terminal: how a view is written down, what a person may type, and the loops around both."""

import inspect
import json
import queue
import random
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

from netcode.console import escaped, is_terminal, put
from netcode.turns import table as happenings
from netcode.turns.bots import Drawer
from netcode.turns.client import Seat, join
from netcode.turns.events import (
    Gone,
    Moved,
    Over,
    Presence,
    Refused,
    Said,
    Seated,
    Started,
    TakenBack,
    Told,
)
from netcode.turns.plays import Play, answer
from netcode.turns.sight import fields_of, make_view
from netcode.turns.simulate import Choice, choices_of
from netcode.turns.table import Asked, Happening, Result, Table

WIDTH = 100
"""Columns of a line; a field that is longer goes on below."""
LISTED = 40
"""Plays that are shown; more are there, and may be typed all the same."""
POLL = 0.05
"""Seconds between two looks at the keyboard."""
MAX_REFUSED = 50
"""Tries of a bot that the rules refuse before it gives up."""
AGAIN = 0.1
"""Seconds that a bot waits after a refusal: a server takes so many plays a second, and no more."""
GOODBYE = 5.0
"""Seconds in which a bot that gives up tells the server."""


class Screen:
    """Where lines go: with `rich`, if it is installed and somebody looks, else as plain text."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = sys.stdout if out is None else out
        self._console: Any = None
        if is_terminal(self._out):
            try:
                console: Any = import_module("rich.console").Console(file=self._out, highlight=False, emoji=False)
            except ImportError:
                return
            if not console.legacy_windows:  # that is drawn by calls, and not by what is written
                self._console = console

    def line(self, text: str = "") -> None:
        """Write a line; what a terminal would obey in it is escaped, for names and texts come from strangers."""
        if self._console is not None:
            self._draw(escaped(text), markup=False, soft_wrap=True)
        else:
            put(self._out, f"{escaped(text)}\n")

    def lines(self, text: str) -> None:
        """Write a text of several lines."""
        for line in text.split("\n"):
            self.line(line)

    def ask(self) -> str:
        """Return the next line that is typed. Raises `EOFError` when there will be none any more."""
        if is_terminal(sys.stdin) and is_terminal(sys.stdout) and self._out is sys.stdout:
            return input("> ")  # where one can go back in the line
        put(self._out, "> ")
        line = "" if sys.stdin is None else sys.stdin.readline()  # pyright: ignore[reportUnnecessaryComparison] # pythonw has none
        if not line:
            raise EOFError
        return line.rstrip("\n")

    def _draw(self, *what: Any, **how: Any) -> None:
        with self._console.capture() as drawn:
            self._console.print(*what, **how)
        put(self._out, drawn.get())

    def clear(self) -> None:
        """Wipe what the next one at the keyboard must not read."""
        if is_terminal(self._out):
            put(self._out, "\x1b[2J\x1b[3J\x1b[H")

    def table(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """Write names and values, one pair a line."""
        if self._console is not None:
            text: Any = import_module("rich.text").Text
            grid: Any = import_module("rich.table").Table(
                title=text(escaped(title)), title_justify="left", show_header=False, pad_edge=False
            )
            for name, value in rows:
                grid.add_row(text(escaped(name)), text(escaped(value)))
            self._draw(grid)
            return
        width = max((len(name) for name, _ in rows), default=0)
        self.line(f"-- {title}")
        for name, value in rows:
            self.line(f"   {name:<{width}}  {value}")


def written(value: Any) -> str:
    """Return a value as a person reads it: `.` for what is not there, rows for lists of lists."""
    match value:
        case None:
            return "."
        case str():
            return value or "''"
        case list() | tuple() if value and all(isinstance(item, list) for item in value):  # pyright: ignore[reportUnknownVariableType]
            return "  |  ".join(written(item) for item in value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case list() | tuple() | set() | frozenset():
            return " ".join(map(written, value)) or "-"  # pyright: ignore[reportUnknownArgumentType]
        case dict():
            return ", ".join(f"{written(key)}: {written(item)}" for key, item in value.items()) or "-"  # pyright: ignore[reportUnknownVariableType]
        case _:
            return str(value)


def rows_of(view: Any) -> list[tuple[str, str]]:
    """Return the fields of a view, written down; a square of nine or more values in rows."""
    rows: list[tuple[str, str]] = []
    for name, value in fields_of(view).items():
        side = _side(value)
        if side:
            cells = [*value]
            rows += [
                (name if not row else "", " ".join(f"{written(cell):>2}" for cell in cells[row : row + side]))
                for row in range(0, len(cells), side)
            ]
        else:
            parts = [
                line[start : start + WIDTH]
                for line in written(value).split("\n")
                for start in range(0, len(line) or 1, WIDTH)
            ]
            rows += [(name if not number else "", part) for number, part in enumerate(parts)]
    return rows


def _side(value: Any) -> int:
    """Return the side of the square that a list of single values could be: 3 for 9, 8 for 64; else 0."""
    if not isinstance(value, list) or len(value) < 9:  # pyright: ignore[reportUnknownArgumentType]
        return 0
    side = round(len(value) ** 0.5)  # pyright: ignore[reportUnknownArgumentType]
    simple = all(item is None or (isinstance(item, int | str) and len(str(item)) < 3) for item in value)  # pyright: ignore[reportUnknownVariableType]
    return side if side * side == len(value) and simple else 0  # pyright: ignore[reportUnknownArgumentType]


def said(play: Play) -> str:
    """Return a play as a person types it."""
    if play.question is not None:
        return written(play.wire()["answer"])
    return " ".join([play.name, *(written(value) for value in play.wire().values())])


def understood(text: str, legal: Sequence[Play]) -> Play | str:
    """Return the play that a person typed, by its number in the list or by its words; else what is wrong."""
    text = " ".join(text.split())
    if text.isdecimal() and 1 <= int(text) <= len(legal):
        return legal[int(text) - 1]
    exact = [play for play in legal if said(play).lower() == text.lower()]
    if exact:
        return exact[0]
    words = text.lower().split()
    close = [play for play in legal if words and _fits(words, said(play).lower().split())]
    if len(close) == 1:
        return close[0]
    if close:
        return f"that could be {', '.join(said(play) for play in close[:5])}; say more of it"
    return f"{text!r} is no play; type its number or its words"


def _fits(words: Sequence[str], full: Sequence[str]) -> bool:
    """Tell whether each word begins one of the play's, in their order."""
    rest = iter(full)
    return all(any(other.startswith(word) for other in rest) for word in words)


def typed(text: str, game: type[Any], unlisted: Iterable[str], question: Asked | None) -> Play | None:
    """Return a play that is not listed, as a person typed it: the move and its values, or a free answer as JSON."""
    if question is not None:
        if question.options is not None or text[:1] not in ("[", "{", '"'):
            return None
        try:
            return answer(question.id, json.loads(text))
        except ValueError:
            return None
    name, *values = text.split()
    if name not in unlisted:
        return None
    names = list(inspect.signature(getattr(game, name).rule).parameters)[1:]
    return Play(name, dict(zip(names, map(_value, values), strict=True))) if len(names) == len(values) else None


def _value(word: str) -> Any:
    """Return what a word says: a number, a truth, nothing, a list as JSON, or itself."""
    if word in (".", "none", "None"):
        return None
    try:
        return json.loads(word.lower() if word in ("True", "False") else word)
    except ValueError:
        return word


def show_plays(screen: Screen, legal: Sequence[Play], unlisted: Iterable[str], prompt: str) -> None:
    """Write down what may be played, numbered."""
    if prompt:
        screen.lines(prompt)
    shown = [f"{number}: {said(play)}" for number, play in enumerate(legal[:LISTED], 1)]
    line = ""
    for part in shown:
        if line and len(line) + len(part) + 3 > WIDTH:
            screen.line("   " + line)
            line = ""
        line += ("   " if line else "") + part
    if line:
        screen.line("   " + line)
    if len(legal) > LISTED:
        screen.line(f"   … and {len(legal) - LISTED} more")
    more = [name or "an answer, typed as JSON" for name in unlisted]
    if more:
        screen.line(f"   also, not listed: {', '.join(more)}")


def ended(result: Result, names: Sequence[str]) -> str:
    """Return how a game ended, as a sentence."""
    winners = " and ".join(names[seat] for seat in result.winners if seat < len(names))
    text = f"{winners} won" if winners else "a draw"
    if result.scores is not None:
        scores = (f"{name} {score:g}" for name, score in zip(names, result.scores, strict=False))
        text += f" ({', '.join(scores)})"
    return f"{text}: {result.text}" if result.text else text


class Keyboard:
    """Lines that a person types, without waiting for them."""

    def __init__(self, source: TextIO | None = None) -> None:
        import threading

        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._source = sys.stdin if source is None else source
        # It ends with the program: nothing can wake a thread that waits for a person.
        threading.Thread(target=self._read, name="keyboard", daemon=True).start()

    def _read(self) -> None:
        try:
            for line in self._source:
                self._lines.put(line.strip())
        except (OSError, ValueError):
            pass  # a terminal that is gone, or what is no text: nobody types any more
        self._lines.put(None)

    def line(self) -> str | None:
        """Return the next line, or None if there is none yet. Raises `EOFError` when there will be none any more."""
        try:
            line = self._lines.get_nowait()
        except queue.Empty:
            return None
        if line is None:
            raise EOFError
        return line


class SeatFile:
    """Keeps a ticket beside the game, so that a window that was closed finds its seat again."""

    def __init__(self, game: Path, name: str, address: tuple[str, int]) -> None:
        plain = "".join(character for character in name if character.isalnum()) or "me"
        self._path = game.with_name(f".{game.stem}.{plain}.seat")
        self._address = f"{address[0]}:{address[1]}"

    def read(self) -> str | None:
        """Return the ticket for this server, if there is one."""
        try:
            address, ticket = self._path.read_text(encoding="utf-8").split()
        except (OSError, ValueError):
            return None
        return ticket if address == self._address else None

    def write(self, ticket: str) -> None:
        """Keep a ticket; whoever reads it can sit there."""
        try:
            self._path.touch(mode=0o600)
            self._path.write_text(f"{self._address} {ticket}\n", encoding="utf-8")
        except OSError:
            pass  # the game goes on without

    def forget(self) -> None:
        """Drop the ticket."""
        self._path.unlink(missing_ok=True)


HELP = "type a number or words to play; /say TEXT, /undo, /yes, /no, /start, /rematch, /leave, /help; Ctrl-C ends"


class NetworkTable:
    """A seat at a server, in a terminal."""

    def __init__(self, seat: Seat[Any], game: type[Any], screen: Screen, seat_file: SeatFile | None = None) -> None:
        self.seat, self.game, self.screen, self.seat_file = seat, game, screen, seat_file
        self._shown: Any = None
        self._away = False
        self._due = False
        """Whether the table is to be shown once it is there: we have just come."""

    def update(self) -> bool:
        """Take what came and show it; False once it is over with the table."""
        self.seat.update()
        for event in self.seat.events():
            if not self._tell(event):
                return False
        if self._due:
            self._show()
        self._prompt()
        return True

    def _name(self, seat: int | None) -> str:
        names = self.seat.names
        return names[seat] if seat is not None and seat < len(names) else "somebody"

    def _tell(self, event: Any) -> bool:
        line = self.screen.line
        match event:
            case Seated(seat, name) if seat == self.seat.seat:
                line("you look on" if seat is None else f"you sit at seat {seat}; {HELP}")
                self._due = True
                if self.seat_file is not None and self.seat.ticket is not None:
                    self.seat_file.write(self.seat.ticket)
            case Seated(_, name):
                line(f"{name} sits down")
            case Started():
                line("the game begins")
                self._show()
            case Moved(seat, name, _, _):
                line(f"{self._name(seat)} moved{f': {name}' if name else ''}")
                self._show()
            case TakenBack(_, text, _, _):
                line(f"taken back: {text}")
                self._show()
            case _:
                return self._tell_more(event)
        return True

    def _tell_more(self, event: Any) -> bool:
        line = self.screen.line
        match event:
            case Told(text, _):
                self.screen.lines(text)
            case Refused(play, text):
                line(f"{said(play)}: {text}" if play is not None else text)
                self._shown = None
            case Presence(None, state, _):
                self._tell_of_link(state == "away")
            case Presence(seat, state, seconds):
                if seat != self.seat.seat:
                    line(f"{self._name(seat)} is {state}{f' ({seconds:.0f} s left)' if seconds is not None else ''}")
            case Said(_, name, text):
                line(f"{name}: {text}")
            case Over(result):
                line(ended(result, self.seat.names))
                if self.seat.seat is not None:
                    line("/rematch for another game, /leave to go")
            case Gone(reason):
                line(reason)
                if self.seat_file is not None and self.seat.seated:
                    self.seat_file.forget()
                return False
            case _:
                pass
        return True

    def _tell_of_link(self, away: bool) -> None:
        if not away:
            self.screen.line("back at the table")
            self._shown, self._due = None, True
        elif not self._away:  # a session that cannot be resumed breaks a second time
            self.screen.line("the link broke; looking for the way back")
        self._away = away

    def _show(self) -> None:
        if self.seat.started:
            self._due = False
            who = "you look on" if self.seat.seat is None else f"you are {self._name(self.seat.seat)}"
            clocks = self.seat.clocks
            rows = rows_of(self.seat.view)
            if clocks is not None:
                rows.append(("clocks", "  ".join(f"{self._name(i)} {left:.0f} s" for i, left in enumerate(clocks))))
            self.screen.table(who, rows)

    def _prompt(self) -> None:
        """Say what is to be done, once for each time it changes."""
        seat = self.seat
        asked = seat.question
        now = (seat.to_move, seat.over, asked, seat.legal, seat.undo_wanted_by, seat.frozen, seat.pending is None)
        if now == self._shown or not seat.started or not seat.seated:
            return
        self._shown = now
        if seat.frozen:
            self.screen.line(f"the table is frozen: {seat.frozen}")
        elif seat.undo_wanted_by not in (None, seat.seat) and seat.seat is not None:
            self.screen.line(f"{self._name(seat.undo_wanted_by)} would like to take the move back: /yes or /no")
        elif seat.my_turn and seat.pending is None and (seat.legal or seat.unlisted):
            show_plays(self.screen, seat.legal, seat.unlisted, "your turn" if asked is None else asked.prompt)
        elif not seat.over and not seat.my_turn and seat.to_move:
            self.screen.line(f"{' and '.join(self._name(i) for i in seat.to_move)} to move")

    def obey(self, text: str) -> None:
        """Do what a person typed."""
        seat = self.seat
        word, _, rest = text.partition(" ")
        try:
            match word:
                case "":
                    self._shown = None
                    self._show()
                case "/help":
                    self.screen.line(HELP)
                case "/say":
                    seat.say(rest)
                case "/undo":
                    seat.undo()
                case "/yes" | "/no":
                    seat.consent(word == "/yes")
                case "/start":
                    seat.start()
                case "/rematch":
                    seat.rematch()
                case "/leave":
                    seat.leave()
                case _ if not seat.my_turn:
                    self.screen.line("the game is over" if seat.over else "it is not your turn")
                case _:
                    play = typed(text, self.game, seat.unlisted, seat.question) or understood(text, seat.legal)
                    if isinstance(play, str):
                        self.screen.line(play)
                    else:
                        seat.play(play)
        except (RuntimeError, ValueError) as error:  # what cannot be done now, and what cannot be sent
            self.screen.line(str(error))


def play_over_network(
    address: tuple[str, int],
    game: type[Any],
    screen: Screen,
    keyboard: Keyboard | None,
    seat_file: SeatFile | None = None,
    **wanted: Any,
) -> None:
    """Play, or watch, at a server until it is over with the table."""
    ticket = None if seat_file is None else seat_file.read()
    if ticket is not None:
        wanted = {"name": wanted.get("name", "")} | {"ticket": ticket}
    with join(address, game, **wanted) as seat:
        table = NetworkTable(seat, game, screen, seat_file)
        while table.update():
            try:
                line = None if keyboard is None else keyboard.line()
            except EOFError:
                return
            if line is not None:
                table.obey(line)
            seat.wait(POLL if keyboard is not None else 1.0)
    if ticket is not None and not seat.seated and seat_file is not None:
        seat_file.forget()  # of a table that is not there any more
        play_over_network(
            address, game, screen, keyboard, seat_file, **{k: v for k, v in wanted.items() if k != "ticket"}
        )


class GaveUp(Exception):
    """A bot left its seat, because the rules accept nothing that it finds to do."""


class BotSeat:
    """A seat at a server at which a bot sits; driven by `update()`."""

    def __init__(
        self, seat: Seat[Any], drawer: Drawer, choose: Callable[[Any, Sequence[Play]], Play], pace: float = 0.0
    ) -> None:
        self.seat, self._drawer, self._choose, self._pace = seat, drawer, choose, pace
        self._ready_at = 0.0
        self._refused = 0
        self._number = 0
        self._why = ""

    def update(self, now: float) -> None:
        """Take what came, and play if it is our turn.

        Raises:
            GaveUp: nothing is to be had that the rules accept; the seat is being left.
        """
        seat = self.seat
        seat.update()
        for event in seat.events():
            match event:
                case Refused(play, text) if play is not None:
                    self._refused += 1
                    self._why = text
                    self._ready_at = now + max(self._pace, AGAIN)
                case _:
                    pass
        if seat.number != self._number:
            self._number = seat.number
            self._refused = 0
        waits = seat.my_turn and seat.pending is None and not seat.frozen
        if waits and (seat.legal or seat.unlisted) and now >= self._ready_at:
            self._play()
            self._ready_at = now + self._pace

    def _play(self) -> None:
        seat = self.seat
        drawn = [self._drawer.draw(seat.view, name, seat.question) for name in seat.unlisted]
        plays = [*seat.legal, *(play for play in drawn if play is not None)]
        if not plays or self._refused >= MAX_REFUSED:
            seat.leave()
            what = f"play {' or '.join(seat.unlisted)}" if seat.question is None else f"answer {seat.question.prompt!r}"
            why = f"the rules refused {self._refused} tries, at last with: {self._why}"
            raise GaveUp(f"the bot gives up its seat: {why if plays else f'it knows no way to {what}'}")
        # After a refusal anything else will do: the same thought would come to the same play.
        seat.play(plays[self._refused % len(plays)] if self._refused else self._choose(seat.view, plays))


def run_bot(
    address: tuple[str, int], game: type[Any], choose: Callable[[Any, Sequence[Play]], Play], pace: float, **wanted: Any
) -> Result | None:
    """Have a program play at a server; return the result of its game. Raises `ConnectionError` and `GaveUp`."""
    with join(address, game, **wanted) as seat:
        bot = BotSeat(seat, Drawer(game), choose, pace)
        while not seat.reason:
            try:
                bot.update(time.monotonic())
            except GaveUp:
                until = time.monotonic() + GOODBYE
                while not seat.reason and time.monotonic() < until:
                    seat.update()
                    seat.wait(POLL)
                raise
            if seat.over:
                return seat.result
            seat.wait(max(POLL, min(pace, 1.0)) if seat.my_turn else 1.0)
        raise ConnectionError(seat.reason)


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
            self.table.presence(seat, True, time.monotonic())

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
    while True:
        table.news += [happening for step in table.table.advance(time.monotonic()) for happening in step.happenings]
        for happening in _taken(table.news):
            _say(table, happening, screen, people)
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
        _take_turn(table, seat, screen, ask)


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


def _say(table: LocalTable, happening: Happening, screen: Screen, people: Sequence[int]) -> None:
    match happening:
        case happenings.Moved(seat, name):
            screen.line(f"{table.names[seat]} moved{f': {name}' if name else ''}")
        case happenings.Told(text, _, to):
            if to is None or (len(people) == 1 and people[0] in to):
                screen.lines(text)
            elif set(to) & set(people):
                screen.line(f"for {' and '.join(table.names[seat] for seat in to)} alone: {text}")
        case happenings.TakenBack(_, text):
            screen.line(f"taken back: {text}")
        case happenings.Over(result):
            screen.line(ended(result, table.names))


def _take_turn(table: LocalTable, seat: int, screen: Screen, ask: Callable[[], str]) -> None:
    """Ask one person until something is played or taken back."""
    asked, legal = table.table.question(seat), table.legal(seat)
    unlisted = table.table.legal(seat).unlisted
    rows = rows_of(table.view(seat))
    clocks = table.table.status(time.monotonic()).clocks
    if clocks is not None:
        rows.append(("clocks", "  ".join(f"{table.names[i]} {left:.0f} s" for i, left in enumerate(clocks))))
    screen.table(f"{table.names[seat]} to move", rows)
    show_plays(screen, legal, unlisted, "" if asked is None else asked.prompt)
    while True:
        text = ask().strip()
        if not text:
            continue
        if text == "/help":
            screen.line("type a number or words to play; /undo takes the last move back; Ctrl-C ends")
            continue
        if text == "/undo":
            movers = [other for other in range(len(table.names)) if table.table.can_undo(other)]
            refused = table.undo(movers[0] if movers else seat)
        else:
            play = typed(text, table.game, unlisted, asked) or understood(text, legal)
            refused = play if isinstance(play, str) else table.play(seat, play)
        if not refused:
            return
        screen.line(refused)
