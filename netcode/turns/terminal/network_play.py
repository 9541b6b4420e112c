"""A table at a server in a terminal, at which a person plays or looks on."""

import time
from typing import Any, Self

from netcode.turns.bots import Drawer
from netcode.turns.client import join
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
from netcode.turns.language.plays import Play
from netcode.turns.seat import Seat
from netcode.turns.table import Result
from netcode.turns.terminal.choices import ALL_LISTED, NOTHING_DRAWN, drawn, show_plays
from netcode.turns.terminal.screen import Keyboard, Screen
from netcode.turns.terminal.seat_file import SeatFile
from netcode.turns.terminal.telling import (
    after_the_end,
    changed,
    clocks_of,
    ended,
    moved,
    newest,
    on_a_command_line,
    waits_for,
    who_is_who,
)
from netcode.turns.terminal.understanding import meant, no_command, wanted
from netcode.turns.terminal.wording import rows_of, said

POLL = 0.05
"""Seconds between two looks at the keyboard."""

SOON = 1.0
"""Seconds after which who waits for the first word of a server is told what is looked for."""
SILENT = 3
"""Seconds without a sign of life from the server of which a player is told: several pings have gone unanswered then."""

KEPT = "your seat is kept: start this again to sit down there"
_OF_A_TABLE = ("room", "players", "options", "watch")


HELP = (
    "type a number or words to play; /quit or Ctrl-C ends, and the seat is kept until you come back\n"
    "/draw shows one at random of what is not listed, and /play plays it\n"
    "/say TEXT, /undo, /yes, /no, /start, /rematch, /leave for good, /help; but for /say, the slash is needed only\n"
    "where such a word could be a play or an answer"
)


class NetworkTable:
    """A seat at a server, in a terminal.

    Args:
        seat: the seat.
        game: its rules.
        screen: where it is shown.
        seat_file: where its ticket is kept.
        kept: whether it is one of an earlier run.
        room: the code that was agreed on, if it is none.
    """

    def __init__(
        self,
        seat: Seat[Any],
        game: type[Any],
        screen: Screen,
        seat_file: SeatFile | None = None,
        *,
        kept: bool = False,
        room: str | None = None,
    ) -> None:
        self.seat, self.game, self.screen, self.seat_file = seat, game, screen, seat_file
        self._shown: Any = None
        self._rows: list[tuple[str, str]] = []
        """What the table that was shown last says."""
        self._away = False
        self._silent = False
        self._troubles: list[str] = []
        """What was told of why the link is away, since it is."""
        self._due = False
        """Whether the table is to be shown once it is there: we have just come."""
        self._kept, self._room = kept, room
        self._drawer = Drawer(game)
        self._drawn: Play | None = None
        """What was drawn in this turn of ours, and not played."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Tell whoever ends the program in the middle of a game how to come back."""
        by_hand = kind in (None, KeyboardInterrupt) and self.seat.seated and not self.seat.reason
        if by_hand and not self.seat.over and self.seat_file is not None and self.seat_file.read() is not None:
            self.screen.text(KEPT)

    def update(self) -> bool:
        """Take what came and show it; False once it is over with the table."""
        self.seat.update()
        for event in self.seat.events():
            if not self._tell(event):
                return False
        if not self._may_play:
            self._drawn = None
        if self._away:
            self._tell_trouble()
        self._tell_silence()
        if self._due:
            self._show()
        self._prompt()
        return True

    def _name(self, seat: int | None) -> str:
        names = self.seat.names
        return names[seat] if seat is not None and seat < len(names) else "somebody"

    def _tell(self, event: Any) -> bool:
        line = self.screen.text
        match event:
            case Seated(seat, name) if seat == self.seat.seat:
                line("you look on" if seat is None else f"you sit at seat {seat}; type a number or words, or /help")
                if self._kept:  # whatever room was asked for now
                    line("this seat was kept for you; for another table, /leave it and start again")
                    self._kept = False
                self._due = True
                if self.seat_file is not None and self.seat.ticket is not None:
                    self.seat_file.write(self.seat.ticket)
            case Seated(_, name):
                line(f"{name} sits down")
            case Started():
                line("the game begins")
                if len(self.seat.names) > 1:
                    line(who_is_who(self.seat.names))
                self._show()
            case Moved(seat, name, before, after):
                line(moved(self._name(seat), name, changed(before, after)))
                self._show()
            case TakenBack(_, text, _, _):
                line(f"taken back: {text}")
                self._show()
            case _:
                return self._tell_more(event)
        return True

    def _tell_more(self, event: Any) -> bool:
        line = self.screen.text
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
                    is_now = "has left" if state == "left" else f"is {state}"
                    line(f"{self._name(seat)} {is_now}{f' ({seconds:.0f} s left)' if seconds is not None else ''}")
            case Said(_, name, text):
                line(f"{name}: {text}")
            case Over(result):
                if self._due:  # it was over when we came
                    self._show()
                self._tell_end(result)
            case Gone(reason):
                self._tell_that_it_is_over(on_a_command_line(reason))
                return False
            case _:
                pass
        return True

    def _tell_that_it_is_over(self, reason: str) -> None:
        """Say why there is no table any more; the seat is kept unless the server has let us go."""
        lost = self.seat.trouble is not None
        self.screen.text(f"no way back: {newest(reason)}" if self._troubles else reason)
        if self.seat_file is not None and lost and self.seat_file.read() is not None:
            self.screen.text(KEPT)
        elif self.seat_file is not None and self.seat.seated and not lost:
            self.seat_file.forget()

    def _tell_end(self, result: Result) -> None:
        self.screen.text(ended(result, self.seat.names))
        if self.seat.started and rows_of(self.seat.view, self.screen.width) != self._rows:  # opened, and nobody moved
            self._table("at the end")

    def _tell_of_link(self, away: bool) -> None:
        if not away:
            self.screen.text("back at the table")
            self._shown, self._due, self._troubles = None, True, []
        self._away = away

    def _tell_trouble(self) -> None:
        """Say why there is no link, and what comes up meanwhile that keeps us from having one, each once."""
        trouble = self.seat.trouble
        text = "" if trouble is None else on_a_command_line(newest(trouble.text))
        if text and text not in self._troubles:
            self.screen.text(text)
            if not self._troubles:
                self.screen.text(f"looking for the way back, for {self.seat.patience:.0f} s at most")
            self._troubles.append(text)

    def _tell_silence(self) -> None:
        """Say that nothing comes from the server, which is no end of the link yet, and nothing that is played arrives."""
        silent = self.seat.silence >= SILENT
        if silent and not self._silent:
            self.screen.text(f"nothing heard from the server for {SILENT} s; what you play arrives once it is back")
        self._silent = silent

    def _show(self) -> None:
        if self.seat.started:
            self._due = False
            if self.seat.my_turn:
                self._shown = None  # what may be played stands below what it is played on
            who = "you look on" if self.seat.seat is None else f"you are {self._name(self.seat.seat)}"
            self._table(who)

    def _table(self, title: str) -> None:
        self._rows, clocks = rows_of(self.seat.view, self.screen.width), self.seat.clocks
        rows = [*self._rows]
        if clocks is not None:
            rows.append(("clocks", clocks_of(self.seat.names, clocks)))
        self.screen.table(title, rows)

    def _prompt(self) -> None:
        """Say what is to be done, once for each time it changes."""
        seat = self.seat
        if not seat.started and (seat.seat is not None or seat.frozen):
            self._wait_for_others(seat.seat or 0)
            return
        asked = seat.question
        here = [number for number, (state, _) in enumerate(seat.presence) if state != "left"] if seat.over else []
        turn = (seat.to_move, asked, seat.legal, seat.undo_wanted_by, seat.frozen, seat.pending is None)
        now = (turn, seat.over, seat.rematch_wanted_by, here)
        if now == self._shown or not seat.started or not seat.seated:
            return
        self._shown = now
        if seat.frozen:
            self.screen.text(f"the table is frozen: {seat.frozen}")
        elif seat.undo_wanted_by not in (None, seat.seat) and seat.seat is not None:
            self.screen.text(f"{self._name(seat.undo_wanted_by)} would like to take the move back: /yes or /no")
        elif seat.undo_wanted_by is not None and seat.undo_wanted_by == seat.seat and not seat.my_turn:
            self.screen.text("you asked the others to take your move back")
        elif seat.my_turn and seat.pending is None:
            prompt, text = ("your turn", False) if asked is None else (asked.prompt, asked.text)
            show_plays(self.screen, self.game, seat.legal, seat.unlisted, prompt, text=text)
        elif seat.over and seat.seat is not None:
            self.screen.text(after_the_end(seat.names, seat.seat, here, seat.rematch_wanted_by, seat.players[0]))
        elif not seat.over and not seat.my_turn and seat.to_move:
            change = "; until then you may answer something else instead" if self._may_change else ""
            self.screen.text(f"{' and '.join(self._name(i) for i in seat.to_move)} to move{change}")

    def _wait_for_others(self, number: int) -> None:
        """Say for whom the game waits, once for each who comes or goes."""
        names, (low, high), frozen = self.seat.names, self.seat.players, self.seat.frozen
        if (names, frozen) == self._shown or (number >= len(names) and not frozen):
            return
        self._shown = (names, frozen)
        how = "/start begins, or wait for others"
        what = "the table is frozen" if self.seat.seated else "there is no seat yet"
        self.screen.text(f"{what}: {frozen}" if frozen else waits_for(names, low, high, how, self._room))

    def obey(self, text: str) -> bool:
        """Do what a person typed; return whether they stay."""
        seat = self.seat
        text = meant(text, seat.legal, seat.unlisted)
        if text == "/quit":
            return False
        if seat.seated or text in ("", "/help"):
            self._do(text)
        elif self._away:
            self.screen.text("the link is still broken; try again once you are back at the table")
        else:
            self.screen.text("you do not sit at the table yet; try again in a moment")
        return True

    @property
    def _may_change(self) -> bool:
        """Whether what we answered, as others are asked to, counts only once the last of them has."""
        seat = self.seat
        return seat.seat is not None and not seat.my_turn and bool(seat.legal or seat.unlisted)

    @property
    def _may_play(self) -> bool:
        return self.seat.my_turn or self._may_change

    def _do(self, text: str) -> None:
        seat = self.seat
        word, _, rest = text.partition(" ")
        try:
            match word:
                case "":
                    self._shown = None
                    self._show()
                case "/help":
                    self.screen.lines(HELP)
                case "/say":
                    seat.say(rest)
                case "/yes" | "/no":
                    seat.consent(word == "/yes")
                case "/undo" | "/start" | "/rematch" | "/leave":
                    getattr(seat, word[1:])()
                case _ if not self._may_play:
                    self._say_why_not(text)
                case "/draw" | "/play":
                    self._draw_or_play(word)
                case _:
                    play = wanted(text, self.game, seat.legal, seat.unlisted, seat.question, names=seat.names)
                    if isinstance(play, str):
                        self.screen.text(play)
                    else:
                        self._play(play)
        except (RuntimeError, ValueError) as error:  # what cannot be done now, and what cannot be sent
            self.screen.text(str(error))

    def _draw_or_play(self, word: str) -> None:
        """Draw something that is not listed, or play what was drawn; it is shown as it would be typed."""
        seat, play = self.seat, self._drawn
        if word == "/draw":
            plays = (self._drawer.draw(seat.view, name, seat.question) for name in seat.unlisted)
            self._drawn = next((play for play in plays if play is not None), None)
            self.screen.lines(drawn(self._drawn) if seat.unlisted else ALL_LISTED)
        elif play is None:
            self.screen.text(NOTHING_DRAWN)
        else:
            self._play(play)

    def _play(self, play: Play) -> None:
        self._drawn = None
        self.seat.play(play)

    def _say_why_not(self, text: str) -> None:
        """Say why nothing comes now of what was typed."""
        if text.startswith("/") and text not in ("/draw", "/play"):
            self.screen.text(no_command(text))
        elif not self.seat.started:
            self._shown = None  # and for whom it waits, again
            self.screen.text("the game has not begun")
        else:
            self.screen.text("the game is over" if self.seat.over else "it is not your turn")


def play_over_network(
    address: tuple[str, int],
    game: type[Any],
    screen: Screen,
    keyboard: Keyboard | None,
    seat_file: SeatFile | None = None,
    **wanted: Any,
) -> bool:
    """Play, or watch, at a server until it is over with the table; return whether we sat there to the end."""
    ticket = None if seat_file is None else seat_file.read()
    asked = dict(wanted)
    if ticket is not None:  # which says all of the table
        asked = {name: value for name, value in wanted.items() if name not in _OF_A_TABLE}
        asked["ticket"] = ticket
    with (
        join(address, game, **asked) as seat,
        NetworkTable(seat, game, screen, seat_file, kept=ticket is not None, room=asked.get("room")) as table,
    ):
        patient_until: float | None = time.monotonic() + SOON
        while table.update():
            if screen.is_closed:  # nobody sees what is to be played, or what the others do
                return True
            if patient_until is not None and (seat.seated or time.monotonic() > patient_until):
                patient_until = None
                if not seat.seated:
                    screen.line(f"looking for the server at {seat.address}; Ctrl-C ends")
            try:
                line = None if keyboard is None else keyboard.line()
            except EOFError:
                if seat.seated:
                    return True
                line = None  # nobody types, and where we sit is not known yet
            if line is not None and not table.obey(line):
                return True
            seat.wait(POLL if keyboard is not None else 1.0)
    # Where no server answered, or another one, nobody said that the table is gone: the seat is kept for the next time.
    if ticket is not None and not seat.seated and seat.trouble is None and seat_file is not None:
        seat_file.forget()  # of a table that is not there any more
        return play_over_network(address, game, screen, keyboard, seat_file, **wanted)
    return seat.seated and seat.trouble is None
