"""What a person reads and types at a table."""

import contextlib
import io
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TextIO

import pytest
from terminals import Terminal

from netcode.turns import Clock, Free, Game, Owned, move
from netcode.turns.bots import RandomBot
from netcode.turns.events import Over, Presence, Refused, Said, Told
from netcode.turns.language.plays import Play, answer
from netcode.turns.player.sight import View
from netcode.turns.seat import Seat
from netcode.turns.simulate import Choice
from netcode.turns.store import Unavailable
from netcode.turns.table import Asked, Result, Table
from netcode.turns.terminal import network_play
from netcode.turns.terminal import seat_file as seat_files
from netcode.turns.terminal.bot_play import run_bot
from netcode.turns.terminal.choices import STUCK, drawn, show_plays
from netcode.turns.terminal.columns import columns, padded
from netcode.turns.terminal.local_play import play_locally
from netcode.turns.terminal.local_table import LocalTable
from netcode.turns.terminal.network_play import NetworkTable, play_over_network
from netcode.turns.terminal.screen import Keyboard, Screen
from netcode.turns.terminal.seat_file import SeatFile
from netcode.turns.terminal.telling import after_the_end, changed, ended, on_a_command_line
from netcode.turns.terminal.understanding import meant, typed, understood, wanted
from netcode.turns.terminal.wording import rows_of, said, written
from turns.hall import HOST, PORT, TICK, Full, Hall, Secrets, TicTacToe


@pytest.fixture
def hall(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hall]:
    def wait(_: Seat[Any], timeout: float) -> None:
        assert timeout > 0

    # A network in memory wakes nobody; whoever asks for the time lets it pass, so that nobody has to sleep.
    monkeypatch.setattr(Seat, "wait", wait)
    hall = Hall()
    yield hall
    hall.close()


LEGAL = [Play("mark", {"cell": cell}) for cell in (0, 1, 10)] + [Play("pass"), Play("play", {"card": "8C"})]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "."),
        ("", "''"),
        ([], "-"),
        ([1, None, "a"], "1 . a"),
        ([[1], [], ["x"]], "1  |  -  |  x"),
        ({("h", 0, 1)}, "h 0 1"),
        ([("h", 0, 1), ("v", 2, 0)], "h 0 1, v 2 0"),
        ({"plum", "apple", "fig", "pear"}, "apple fig pear plum"),
        (frozenset((10, 9, 1)), "1 9 10"),
        ({None, "b", 1}, ". 1 b"),
        ({0: [1, 2]}, "0: 1 2"),
        ({}, "-"),
        (3.5, "3.5"),
        ((1, 2), "1 2"),
    ],
)
def test_a_value_is_written_as_a_person_reads_it(value: Any, text: str) -> None:
    assert written(value) == text


@pytest.mark.parametrize(
    ("pile", "lines"), [(["8C"] * 9, 1), (["8C"] * 8 + [None], 3), (["x"] * 9, 3), ([1] * 9, 3), (["8C"] * 16, 1)]
)
def test_a_pile_of_cards_is_no_board(pile: list[Any], lines: int) -> None:
    assert len(rows_of(View("Go", {"pile": pile, "names": ("Ann",)}))) == lines


def test_hits_and_misses_stand_on_a_board() -> None:
    view = View(
        "Go", {"shots": [None, True, False] * 3, "grid": [[True, None], [False, True], [None, None]], "names": ()}
    )

    assert [line for _, line in rows_of(view)] == [*[" .  *  o"] * 3, "0:  *  .", "1:  o  *", "2:  .  ."]


def test_a_square_is_written_in_rows() -> None:
    view = View("Go", {"board": [0, None, 1] * 3, "text": "x" * 150, "names": ("Ann",)})

    assert rows_of(view) == [
        ("board", " 0  .  1"),
        ("", " 0  .  1"),
        ("", " 0  .  1"),
        ("text", "x" * 150),
    ]


def test_a_board_stands_closer_where_its_rows_would_be_broken() -> None:
    view = View(
        "Go", {"go": [None] * 100, "grid": [["x"] * 10] * 11, "go 2": [10] * 100, "nest": [["a"] * 100], "names": ()}
    )

    rows = [line for _, line in rows_of(view, 39)]

    assert rows == [
        *[" ".join(["."] * 10)] * 10,  # 29 columns would not fit beside «grid» in a frame
        *[f"{number}: {' '.join(['x'] * 10)}" for number in range(11)],
        *[" ".join(["10"] * 10)] * 10,
        "0: " + " ".join(["a"] * 10),
        *["   " + " ".join(["a"] * 10)] * 9,
    ]
    assert [line for _, line in rows_of(view, 80)] == [line for _, line in rows_of(view)]


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ({"cells": [None] * 4, "turn": 3}, {"cells": [None, 0, None, None], "turn": 4}, "cells 1: . → 0, turn: 3 → 4"),
        ({"grid": [[0, 0], [0, 0]]}, {"grid": [[0, 0], [0, 7]]}, "grid 1 1: 0 → 7"),
        ({"chips": {"Ann": 5, "Bob": 5}}, {"chips": {"Ann": 2, "Bob": 8}}, "chips Ann: 5 → 2, chips Bob: 5 → 8"),
        ({"hands": [[None] * 5, [1]]}, {"hands": [[None] * 4, [1]]}, "hands 0: 5 → 4 of them"),
        ({"seen": {1: 2}}, {"seen": {2: 2}}, "seen"),
        ({"text": "x" * 60}, {"text": "y"}, "text"),
        ({"cells": [0] * 9}, {"cells": [1] * 9}, "cells 0: 0 → 1, cells 1: 0 → 1, cells 2: 0 → 1, …"),
        ({"cells": [0]}, {"cells": [0]}, ""),
    ],
)
def test_the_line_of_a_move_tells_what_it_changed(before: dict[str, Any], after: dict[str, Any], text: str) -> None:
    assert changed(View("Go", before), View("Go", after)) == text
    assert changed(None, View("Go", after)) == ""


@pytest.mark.parametrize(
    ("text", "number"), [("'mark 1'", 1), ("“mark 1”", 1), ("2.", 1), ("mark 1;", 1), ("(pass)", 3)]
)
def test_quotes_and_full_stops_around_a_play_are_none_of_it(text: str, number: int) -> None:
    assert wanted(text, TicTacToe, LEGAL, (), None) == LEGAL[number]


@pytest.mark.parametrize("text", ["'", "'mark 7'", "2..2"])
def test_what_is_no_play_without_its_quotes_either_is_none(text: str) -> None:
    assert isinstance(wanted(text, TicTacToe, LEGAL[:2], (), None), str)


def test_a_command_that_there_is_not_is_said_to_be_none(hall: Hall) -> None:
    hall.serve()
    ann = Shown(hall, hall.begin_to_join(name="Ann", room="here"))
    ann.frames(0.5)
    early = ann.out.tell()
    for text in ("/sya hello", "/draw"):
        ann.obey(text)

    assert wanted("/sya hello", TicTacToe, LEGAL, (), None) == "there is no /sya here; /help says what can be typed"
    assert ann.out.getvalue()[early:].splitlines() == [
        "there is no /sya here; /help says what can be typed",
        "the game has not begun",
    ]
    ann.seat.close()


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 0), ("3", 2), ("mark 1", 1), ("MARK  10", 2), ("pa", 3), ("8c", 4), ("play 8c", 4), ("pl", 4)],
)
def test_a_play_is_understood_by_number_and_by_words(text: str, number: int) -> None:
    assert understood(text, LEGAL) == LEGAL[number]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("6", "the list has no 6"),
        ("10", "the list has no 10; a number alone is a place in it, so type mark 10 for that"),
        ("0", "the list has no 0; a number alone is a place in it, so type mark 0 for that"),
        ("", "'' is no play"),
        ("mark", "that could be mark 0, mark 1, mark 10; say more of it"),
        ("resign", "'resign' is no play; type its number or its words"),
    ],
)
def test_what_is_not_understood_is_said(text: str, wrong: str) -> None:
    understanding = understood(text, LEGAL)

    assert isinstance(understanding, str)
    assert understanding.startswith(wrong)


@pytest.mark.parametrize("text", ["mark 1", "mark 9", "mark -1"])
def test_a_move_with_its_values_is_that_play_and_no_other_one_that_begins_so(text: str) -> None:
    legal = [Play("mark", {"cell": 10}), Play("mark", {"cell": 90}), Play("mark", {"cell": -10})]

    assert wanted(text, TicTacToe, legal, (), None) == Play("mark", {"cell": int(text[5:])})


@pytest.mark.parametrize("text", ["mark", "mark 1 2", "resign 1"])
def test_words_that_name_no_move_with_its_values_are_no_play(text: str) -> None:
    assert wanted(text, TicTacToe, (), (), None) == f"{text!r} is no play; type its number or its words"
    assert wanted("mark 1", TicTacToe, (), (), Asked("q", "which?", (4, 5))) == understood("mark 1", ())


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("act steal Ann", 1),
        ("steal  ann", 1),
        ("st ann lee", 2),
        ("give 0 ann", 3),
        ("give ann bob", 4),
        ("act bob", None),
        ("bob", None),
        ("ann", None),
        ("steal", None),
        ("annie", None),
    ],
)
def test_players_may_be_called_by_name_in_a_play_that_is_typed_short(text: str, number: int | None) -> None:
    legal = [
        Play("act", {"what": what, "victim": victim}) for what, victim in (("tax", None), ("steal", 0), ("steal", 2))
    ]
    legal += [Play("give", {"one": one, "other": other}) for one, other in ((0, 0), (0, 1))]

    found = wanted(text, TicTacToe, legal, (), None, names=("Ann", "Bob", "Ann Lee"))

    assert found == (found if number is None else legal[number])
    assert isinstance(found, str) is (number is None)


def test_an_answer_is_typed_as_its_option() -> None:
    options = [answer("q", "let it pass"), answer("q", "challenge")]

    assert [said(option) for option in options] == ["let it pass", "challenge"]
    assert understood("chal", options) == options[1]


def test_a_number_in_a_list_of_numbers_is_itself() -> None:
    options = [answer("q", number) for number in (0, 2, 1, -3)]
    out = io.StringIO()

    show_plays(Screen(out), TicTacToe, options, (), "how many?")

    assert out.getvalue().splitlines() == ["how many?", "   0   2   1   -3"]
    assert [understood(text, options) for text in ("0", "1", "2", "-3")] == [
        options[0],
        options[2],
        options[1],
        options[3],
    ]
    assert understood("4", options) == "'4' is no play; type its number or its words"


@pytest.mark.parametrize(
    ("text", "play"),
    [
        ("mark 4", Play("mark", {"cell": 4})),
        ("mark none", Play("mark", {"cell": None})),
        ("mark True", Play("mark", {"cell": True})),
        ("mark [1,2]", Play("mark", {"cell": [1, 2]})),
        ("mark x", Play("mark", {"cell": "x"})),
        ("mark", None),
        ("mark 1 2", None),
        ("other 1", None),
    ],
)
def test_a_move_that_is_not_listed_is_typed_with_its_values(text: str, play: Play | None) -> None:
    assert typed(text, TicTacToe, ["mark"], None) == play


def test_a_free_answer_is_typed_as_json() -> None:
    free = Asked("q", "hide your fleet", None)

    assert typed("[[5, 0, 0, true]]", TicTacToe, [""], free) == answer("q", [[5, 0, 0, True]])
    assert typed("[[5, 0", TicTacToe, [""], free) is None
    assert typed("5", TicTacToe, [""], free) == answer("q", 5)
    assert wanted("5", TicTacToe, (), [""], free) == answer("q", 5)
    assert wanted("5", TicTacToe, (), ["mark"], None) == "'5' is no play; type its words"
    assert typed("[1]", TicTacToe, [""], Asked("q", "which?", (1, 2))) is None


def test_plays_are_numbered_and_the_rest_is_counted() -> None:
    out = io.StringIO()

    show_plays(Screen(out), TicTacToe, [Play("mark", {"cell": cell}) for cell in range(45)], ["mark"], "your turn")

    lines = out.getvalue().splitlines()
    assert lines[0] == "your turn"
    assert lines[1].startswith("   1: mark 0   2: mark 1")
    assert max(map(len, lines)) <= 105
    assert lines[-2:] == ["   … and 5 more: mark CELL", "   type mark CELL; /draw draws one at random"]


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (Result((0,)), "Ann won"),
        (Result((0, 1), text="together"), "Ann and Bob won: together"),
        (Result(()), "a draw"),
        (Result((1,), (2.5, 3.0)), "Bob won (Ann 2.5, Bob 3)"),
    ],
)
def test_an_end_is_a_sentence(result: Result, text: str) -> None:
    assert ended(result, ["Ann", "Bob"]) == text


def test_what_a_terminal_cannot_show_is_escaped() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")

    Screen(out).line("♠ spades")

    assert raw.getvalue() == b"\\u2660 spades\n"


def test_what_a_terminal_would_obey_in_a_strangers_text_is_escaped() -> None:
    out = io.StringIO()
    screen = Screen(out)

    screen.line("Eve\x1b[2J: hi\nBob: hi")
    screen.lines("one\ntwo\x07")
    screen.table("Ann\x1b[0m", [("cells", "a\rb")])

    assert out.getvalue() == "Eve\\x1b[2J: hi\\nBob: hi\none\ntwo\\x07\n-- Ann\\x1b[0m\n   cells  a\\rb\n"


@pytest.mark.parametrize(
    ("text", "width"), [("", 0), ("Ann", 3), ("名前", 4), ("B\N{GRINNING FACE}", 3), ("e\u0301", 1), ("é", 1)]
)
def test_a_text_takes_the_columns_that_a_terminal_gives_it(text: str, width: int) -> None:
    assert (columns(text), padded(text, 6)) == (width, text + " " * (6 - width))


def test_what_is_twice_as_broad_stands_below_what_is_not() -> None:
    view = LocalTable(Named, ["名前", "Ann"], {}, bytes(32)).view(0)
    out = io.StringIO()

    Screen(out).table("", [*rows_of(view), ("名前", "x")])

    assert out.getvalue().splitlines() == ["-- ", "   hands  名前  1", "          Ann   hidden", "   名前   x"]


class Throws(Game):
    thrown: dict[int, str] = {}

    def round(self) -> None:
        self.thrown = self.ask_all(self.players, ["rock", "paper"], "what?")
        self.finish()


class Named(Game):
    hands: Owned[list[int]] = [1, 2]

    @move
    def end(self) -> None:
        self.finish()


@pytest.mark.parametrize("looked", [True, False])
def test_a_table_is_as_broad_as_what_its_output_can_show(looked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(suit: str) -> bytes:
        raw = io.BytesIO()
        out = io.TextIOWrapper(raw, encoding="ascii")
        monkeypatch.setattr(out, "isatty", lambda: looked)
        Screen(out).table(suit, [(suit, "x"), ("suits", f"{suit} {suit}")])
        return raw.getvalue()

    assert drawn("♠") == drawn(r"\u2660")


def test_a_table_breaks_what_has_no_blanks_and_cuts_nothing() -> None:
    out = Terminal()
    screen = Screen(out)
    screen._console.width = 40

    screen.table("", [("fen", "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR"), ("n" * 60, "1")])

    text = out.getvalue()
    assert (text.count("R"), text.count("n"), "…" in text) == (2, 63, False)


def test_a_plain_table_breaks_lines_where_the_terminal_would(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(Screen, "width", 40)

    Screen(out).table("", [("b", "名前" * 20), ("c", "名前 x " * 9)])

    _, *lines = out.getvalue().splitlines()
    assert "".join(line[6:] for line in lines).strip() == "名前" * 20 + "名前 x " * 8 + "名前 x"
    assert {columns(line) for line in lines[:2]} == {40}
    assert max(map(columns, lines)) <= 40


class Broken(io.RawIOBase):
    """A pipe whose reader has left."""

    def writable(self) -> bool:
        return True

    def write(self, _data: Any) -> int:
        raise BrokenPipeError(32, "Broken pipe")


class BrokenTerminal(io.TextIOWrapper):
    """A terminal whose window was closed."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("kind", [io.TextIOWrapper, BrokenTerminal])
def test_a_screen_that_nobody_reads_any_more_ends_nothing(kind: type[io.TextIOWrapper]) -> None:
    out = kind(io.BufferedWriter(Broken()), encoding="utf-8")
    screen = Screen(out)

    screen.line("a line")
    screen.table("Ann to move", [("cells", "0")])
    screen.clear()

    out.close()  # raises if anything is left in it


def test_a_program_without_an_output_has_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    screen = Screen()

    screen.line("nobody reads it")
    screen.clear()


def test_a_line_is_asked_for_wherever_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdin", io.StringIO("mark 4\n\n"))
    screen = Screen(out)

    assert (screen.ask(), screen.ask(), out.getvalue()) == ("mark 4", "", "> > ")
    with pytest.raises(EOFError):
        screen.ask()
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(EOFError):
        screen.ask()


def test_at_a_terminal_a_line_can_be_edited(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal("mark 4\n"))
    monkeypatch.setattr(sys, "stdout", out)

    assert Screen().ask() == "mark 4"


def test_a_table_is_drawn_where_rich_is_installed() -> None:
    pytest.importorskip("rich")
    out = Terminal()
    screen = Screen(out)

    screen.table("[bold]Ann[/bold] to move", [("cells", "[red]0"), ("suit", "♠")])
    screen.line("[a] line")
    screen.clear()

    text = out.getvalue()
    assert "[bold]Ann[/bold]" in text
    assert "[red]0" in text
    assert "│" in text
    assert "[a] line" in text
    assert text.endswith("\x1b[H")


def test_a_title_is_as_wide_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rich")
    out, title = Terminal(), "a player with a rather long name to move"

    Screen(out).table(title, [("n", "0")])

    assert title in out.getvalue()


@pytest.mark.parametrize("plain", [True, False])
def test_a_sentence_breaks_between_words_and_a_command_is_left_whole(
    plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if plain:
        monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.setenv("COLUMNS", "40")
    out, file = Terminal(), io.StringIO()
    address = f"https://{'x' * 40}/"

    for screen in (Screen(out), Screen(file)):
        screen.lines(f"a rule tells all of them a sentence that is long, and {address} then\n")
        screen.line("python -m netcode.turns play --at localhost file.py")

    assert out.getvalue().split("\n") == [
        "a rule tells all of them a sentence that",
        "is long, and",
        address,
        "then",
        "",
        "python -m netcode.turns play --at localhost file.py",
        "",
    ]
    assert file.getvalue().splitlines()[0] == f"a rule tells all of them a sentence that is long, and {address} then"


def test_a_line_breaks_between_words_at_the_width_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.setenv("COLUMNS", "60")
    out = Terminal()

    Screen(out).table("", [("cards", " ".join(["a-card"] * 12)), ("long", "x" * 60), ("none", "")])

    assert (Screen(out).width, Screen(io.StringIO()).width) == (60, 100)
    assert out.getvalue().splitlines() == [
        "-- ",
        "   cards  " + "a-card " * 7,
        "          " + " ".join(["a-card"] * 5),
        "   long   " + "x" * 50,
        "          " + "x" * 10,
        "   none   ",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="only sockets can be waited for there")
def test_a_terminal_is_waited_for_no_longer_than_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    keyboard, terminal = os.openpty()
    out = io.StringIO()
    with os.fdopen(terminal, encoding="utf-8") as source, os.fdopen(keyboard, "wb", buffering=0) as keys:
        monkeypatch.setattr(sys, "stdin", source)
        silence = Screen(out).ask(0.0)
        keys.write(b"mark 4\n")
        typed = Screen(out).ask(60.0)
        keys.write(b"\x04")  # Ctrl-D
        with pytest.raises(EOFError):
            Screen(out).ask(60.0)

    assert (silence, typed, out.getvalue()) == (None, "mark 4", "> \n> > ")


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal of POSIX")
def test_what_was_typed_ahead_is_thrown_away_with_half_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    keyboard, terminal = os.openpty()
    screen = Screen(io.StringIO())
    with os.fdopen(terminal, encoding="utf-8") as source, os.fdopen(keyboard, "wb", buffering=0) as keys:
        monkeypatch.setattr(sys, "stdin", source)
        keys.write(b"mark 1\nmark ")
        screen.forget_typed()
        keys.write(b"8\n")
        typed = screen.ask(60.0)

    assert typed == "8"


def test_what_was_typed_ahead_is_thrown_away_on_windows_key_by_key(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [*"mark 1\rmar"]
    console = SimpleNamespace(kbhit=lambda: bool(keys), getwch=lambda: keys.pop(0))
    monkeypatch.setitem(sys.modules, "termios", None)
    monkeypatch.setitem(sys.modules, "msvcrt", console)
    monkeypatch.setattr(sys, "stdin", Terminal(""))

    Screen(io.StringIO()).forget_typed()

    assert keys == []


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal of POSIX")
def test_a_terminal_that_is_hung_up_has_nothing_that_was_typed_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    keyboard, terminal = os.openpty()
    os.close(keyboard)
    with os.fdopen(terminal, encoding="utf-8") as source:
        monkeypatch.setattr(source, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(sys, "stdin", source)

        Screen(io.StringIO()).forget_typed()  # raises nothing


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal of POSIX")
def test_what_is_typed_while_a_keyboard_goes_from_hand_to_hand_is_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    keyboard, terminal = os.openpty()
    screen, pauses = Screen(io.StringIO()), list[float]()
    with os.fdopen(terminal, encoding="utf-8") as source, os.fdopen(keyboard, "wb", buffering=0) as keys:

        def pass_on(seconds: float) -> None:
            pauses.append(seconds)
            keys.write(b"\n")

        monkeypatch.setattr(sys, "stdin", source)
        monkeypatch.setattr("netcode.turns.terminal.screen.time.sleep", pass_on)
        screen.forget_typed(1.0)
        keys.write(b"8\n")
        typed = screen.ask(60.0)

    assert (typed, pauses) == ("8", [1.0])


def test_where_nothing_can_be_typed_ahead_nothing_is_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, lines = Screen(io.StringIO()), list[str | None]()
    for source in (io.StringIO("mark 1\n"), Terminal("mark 2\n")):  # a file, and what only says that it is a terminal
        monkeypatch.setattr(sys, "stdin", source)
        screen.forget_typed()
        lines.append(screen.ask())
    monkeypatch.setattr(sys, "stdin", None)
    screen.forget_typed()

    assert lines == ["mark 1", "mark 2"]


def test_what_is_no_text_ends_no_game(monkeypatch: pytest.MonkeyPatch) -> None:
    def typed() -> io.TextIOWrapper:
        return io.TextIOWrapper(io.BytesIO(b"play \xce\xb1\nmark 4\n"), encoding="ascii")

    screen = Screen(io.StringIO())
    monkeypatch.setattr(sys, "stdin", typed())

    assert (screen.ask(), screen.ask()) == (r"play \xce\xb1", "mark 4")
    assert lines_of(Keyboard(typed())) == [r"play \xce\xb1", "mark 4"]


def test_where_a_keyboard_cannot_be_waited_for_the_next_line_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("mark 4\n"))

    assert Screen(io.StringIO()).ask(0.0) == "mark 4"


def test_without_rich_a_table_is_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    out = Terminal()

    Screen(out).table("Ann to move", [("cells", "0"), ("x", "1")])

    assert out.getvalue() == "-- Ann to move\n   cells  0\n   x      1\n"


def test_at_a_dumb_terminal_all_is_plain_text_and_what_is_wiped_is_scrolled_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "5")
    out = Terminal()
    screen = Screen(out)

    screen.table("Ann to move", [("cells", "0")])

    assert screen.clear()
    assert out.getvalue() == "-- Ann to move\n   cells  0\n" + "\n" * 5


def test_on_an_old_console_a_table_is_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    rich = pytest.importorskip("rich.console")

    def old(**_: Any) -> SimpleNamespace:
        return SimpleNamespace(legacy_windows=True)

    monkeypatch.setattr(rich, "Console", old)
    out = Terminal()

    Screen(out).line("Ann to move")

    assert out.getvalue() == "Ann to move\n"


def test_a_reason_names_what_can_be_typed() -> None:
    told = on_a_command_line(
        "h:1 closed the connection without a greeting; is that a netcode server, with tls= as here?"
    )

    assert told.endswith("is that a netcode server, with --tls as here?")


def test_a_ticket_is_kept_for_its_server_and_its_name(tmp_path: Path) -> None:
    game = tmp_path / "go.py"
    mine = SeatFile(game, "Ann/..", ("h", 1))
    mine.write("table.key")

    assert mine.read() == "table.key"
    assert SeatFile(game, "Bob", ("h", 1)).read() is None
    assert SeatFile(game, "Ann", ("other", 1)).read() is None
    assert SeatFile(game, "Ann", ("other", 1), ("h", 1)).read() == "table.key"
    SeatFile(game, "Ann/..", ("h", 1), ("k", 2)).write("table.other")
    assert SeatFile(game, "Ann", ("k", 2)).read() == "table.other"
    assert mine.read() == "table.other"
    assert [path.name for path in tmp_path.iterdir()] == [".go.Ann.seat"]
    mine.forget()
    mine.forget()
    assert mine.read() is None
    pasted = SeatFile(game, "Ann" * 100, ("h", 1))  # longer than a file may be called
    with pasted.held():
        pasted.write("table.key")
    assert pasted.read() == "table.key"


def test_two_windows_of_one_name_keep_a_seat_each(tmp_path: Path) -> None:
    mine, yours, again = (SeatFile(tmp_path / "go.py", "Ann", ("h", 1)) for _ in range(3))
    with mine.held(), yours.held():
        mine.write("table.key")
        alone = yours.read()
        yours.write("table.other")
        kept = mine.read()

    with again.held():
        assert (alone, kept, again.read()) == (None, "table.key", "table.key")
    assert sorted(path.name for path in tmp_path.glob(".*.seat")) == [".go.Ann.2.seat", ".go.Ann.seat"]


def test_a_window_comes_back_to_the_seat_of_the_second_one_where_the_first_has_none(tmp_path: Path) -> None:
    mine, yours, again, last, elsewhere = (SeatFile(tmp_path / "go.py", "Ann", (host, 1)) for host in "hhhhk")
    with mine.held(), yours.held():
        yours.write("table.key")

    with again.held():
        assert again.read() == "table.key"
    with elsewhere.held():
        elsewhere.write("table.other")
    with last.held(), elsewhere.held():
        assert (last.read(), elsewhere.read()) == ("table.key", "table.other")


def test_a_seat_at_another_server_is_kept_beside_it(tmp_path: Path) -> None:
    here, there, again = (SeatFile(tmp_path / "go.py", "Ann", (host, 1)) for host in "hkh")
    for window, ticket in ((here, "table.key"), (there, "table.other")):
        with window.held():
            window.write(ticket)

    with again.held():
        assert again.read() == "table.key"


def test_no_window_takes_the_seat_of_one_that_is_open_however_many_there_are(tmp_path: Path) -> None:
    windows = [SeatFile(tmp_path / "go.py", "Ann", ("h", 1)) for _ in range(12)]
    with contextlib.ExitStack() as stack:
        for number, window in enumerate(windows):
            stack.enter_context(window.held())
            assert window.read() is None
            window.write(f"table.{number}")

        assert [window.read() for window in windows] == [f"table.{number}" for number in range(12)]
    assert len([*tmp_path.glob(".go.Ann.*seat")]) == len([*tmp_path.iterdir()]) == 12


def test_where_nothing_can_be_locked_a_seat_is_kept_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unlockable(path: Path) -> int:
        raise Unavailable(f"{path} cannot be locked")

    monkeypatch.setattr(seat_files, "take_lock", unlockable)
    mine, again = (SeatFile(tmp_path / "go.py", "Ann", ("h", 1)) for _ in range(2))
    with mine.held():
        mine.write("table.key")
    with again.held():
        assert again.read() == "table.key"


def test_a_kill_while_a_ticket_is_written_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat_file = SeatFile(tmp_path / "go.py", "Ann", ("h", 1))
    seat_file.write("table.key")

    def killed(path: Path, *_: Any, **__: Any) -> int:
        path.open("w").close()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", killed)
        with pytest.raises(KeyboardInterrupt):
            seat_file.write("table.other")

    assert seat_file.read() == "table.key"
    seat_file.write("table.third")
    assert seat_file.read() == "table.third"
    if os.name == "posix":
        assert [path.stat().st_mode & 0o777 for path in tmp_path.iterdir()] == [0o600]


def test_a_folder_that_may_not_be_written_stops_no_game(tmp_path: Path) -> None:
    seat_file = SeatFile(tmp_path / "nowhere" / "go.py", "", ("h", 1))
    with seat_file.held():
        seat_file.write("t.k")


def test_a_keyboard_gives_lines_and_then_ends() -> None:
    assert lines_of(Keyboard(io.StringIO("one\n two \n"))) == ["one", "two"]


def lines_of(keyboard: Keyboard) -> list[str]:
    lines: list[str] = []
    with pytest.raises(EOFError):  # noqa: PT012 - lines come whenever the thread has read them
        for _ in range(1_000_000):
            line = keyboard.line()
            if line is not None:
                lines.append(line)
    return lines


class Cut(io.StringIO):
    """A terminal that goes away while it is read."""

    def __iter__(self) -> Any:
        raise OSError(5, "Input/output error")


def test_a_keyboard_that_goes_away_has_ended() -> None:
    keyboard = Keyboard(Cut())

    with pytest.raises(EOFError):  # noqa: PT012 - the thread needs a moment
        for _ in range(1_000_000):
            assert keyboard.line() is None


def test_a_program_without_an_input_has_a_keyboard_that_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    keyboard = Keyboard()

    with pytest.raises(EOFError):  # noqa: PT012 - the thread needs a moment
        for _ in range(1_000_000):
            assert keyboard.line() is None


def test_a_keyboard_that_has_ended_says_so_to_whoever_asks_again() -> None:
    keyboard = Keyboard(io.StringIO())
    lines_of(keyboard)

    for _ in range(3):
        with pytest.raises(EOFError):
            keyboard.line()


@pytest.fixture
def unread() -> Iterator[TextIO]:
    """An output whose reader had enough, as `| head` has."""
    if sys.platform == "win32":
        pytest.skip("Windows cannot see that")
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as out:
        yield out


def test_nobody_is_asked_where_nobody_reads(unread: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("mark 4\n"))
    screen = Screen(unread)

    with pytest.raises(EOFError):
        screen.ask()
    assert (screen.is_closed, Screen(io.StringIO()).is_closed) == (True, False)


class Typist:
    """Types what it was given, and then is gone."""

    def __init__(self, *lines: str) -> None:
        self.lines = [*lines]

    def __call__(self, seconds: float | None = None) -> str | None:
        assert seconds is None or seconds >= 0
        if not self.lines:
            raise EOFError
        return self.lines.pop(0)


def first(table: Table, seat: int) -> Choice | None:
    return next(iter(table.legal(seat).plays), None)


def test_two_people_play_at_one_keyboard() -> None:
    out = io.StringIO()
    table = LocalTable(TicTacToe, ["Ann", "Bob"], {}, bytes(32))

    play_locally(
        table, (), Screen(out), Typist("mark 0", "", "mark 0", "mark 3", "/help", "1", "mark 4", "mark 2"), first
    )

    text = out.getvalue()
    assert "that cell is taken\n" in text
    assert "is no play" not in text
    assert "hand over" not in text
    assert text.count("Ann to move") == 3
    assert "Ann won\n" in text


@pytest.mark.parametrize("word", ["/quit", "quit", "EXIT", "/exit"])
def test_who_quits_at_the_keyboard_has_ended_the_game_here(word: str) -> None:
    out, typist = io.StringIO(), Typist("help", "?", word, "mark 0")

    play_locally(LocalTable(TicTacToe, ["Ann", "Bob"], {}, bytes(32)), (), Screen(out), typist, first)

    assert typist.lines == ["mark 0"]
    assert out.getvalue().count("undo takes the last move back; quit or Ctrl-C ends; ") == 2


def test_a_word_that_a_play_begins_with_is_that_play() -> None:
    legal = (Play("helper", {}), Play("exit", {"door": 3}))

    found = [meant(text, legal, ("Quit",)) for text in ("help", "/help", "Exit", "quit", "?", " 1", "/quit", "/say ?")]

    assert found == ["help", "/help", "Exit", "quit", "/help", " 1", "/quit", "/say ?"]


def test_a_person_plays_against_a_bot_with_hidden_hands_and_questions() -> None:
    out = io.StringIO()
    table = LocalTable(Secrets, ["Ann", "Bot"], {"size": 7}, bytes(32))

    play_locally(table, (1,), Screen(out), Typist("draw", "doubled"), first)

    text = out.getvalue()
    assert "how do you show it?" in text
    assert "1: as it is   2: doubled" in text
    assert "won" in text


def test_what_one_sees_alone_is_not_shown_to_the_next() -> None:
    out = io.StringIO()
    table = LocalTable(Secrets, ["Ann", "Bob"], {}, bytes(32))

    with pytest.raises(EOFError):
        play_locally(table, (), Screen(out), Typist("draw", "1", "", "draw"), first)

    assert "hand over to Bob, who presses Enter" in out.getvalue()


def test_a_person_plays_over_the_network(hall: Hall) -> None:
    hall.serve()
    out = io.StringIO()
    ann = hall.join(name="Ann")
    hall.seats.remove(ann)
    table = NetworkTable(ann, TicTacToe, Screen(out))
    for event in hall.told[ann]:
        table._tell(event)
    bob = hall.begin_to_join(name="Bob")

    def frame(seconds: float = 0.2) -> None:
        for _ in range(round(seconds / TICK)):
            hall.play(TICK)
            assert table.update()

    frame()
    for line in ("/help", "mark 4", "mark 0", "", "nonsense", "/say hello", "/undo"):
        table.obey(line)
        frame()
    hall.move(bob, "mark", cell=0)
    frame()
    for line in ("nonsense", "mark 9", "mark 0"):
        table.obey(line)
        frame()
    hall.move(bob, "mark", cell=1)
    frame()
    table.obey("mark 0")
    frame()
    bob.leave()
    frame(1.0)
    table.obey("1")
    table.obey("/leave")
    for _ in range(20):
        hall.play(TICK)
        if not table.update():
            break

    text = out.getvalue()
    for part in (
        "you sit at seat",
        "Bob sits down",
        "the game begins",
        "your turn",
        "Ann moved: mark (cells 4: . → 0)",
    ):
        assert part in text, part
    for part in (
        "Bob to move",
        "it is not your turn",
        "is no play",
        "mark 0: that cell is taken",
        "mark 9: cell must be one of 0, 1, 2",
        "Ann: hello",
        "Ann won",
        "/rematch",
        "you left the table",
    ):
        assert part in text, part
    ann.close()


def test_that_a_seat_was_kept_is_said_when_one_comes_and_not_when_a_rematch_moves_it(hall: Hall) -> None:
    hall.serve()
    out, ann = io.StringIO(), hall.join(name="Ann")
    table = NetworkTable(ann, TicTacToe, Screen(out), kept=True)
    for event in [*hall.told[ann], *hall.told[ann]]:
        table._tell(event)

    assert out.getvalue().count("you sit at seat 0") == 2
    assert out.getvalue().count("this seat was kept for you") == 1


class Shown(NetworkTable):
    """A table at the network, and what its terminal shows of each frame."""

    def __init__(
        self, hall: Hall, seat: Seat[Any], game: type[Game] = TicTacToe, seat_file: SeatFile | None = None
    ) -> None:
        hall.seats.remove(seat)
        self.hall, self.out = hall, io.StringIO()
        super().__init__(seat, game, Screen(self.out), seat_file)

    def frames(self, seconds: float) -> str:
        """Let time pass, and return what was written meanwhile."""
        begin = self.out.tell()
        for _ in range(round(seconds / TICK)):
            self.hall.play(TICK)
            assert self.update()
        return self.out.getvalue()[begin:]

    def to_the_end(self) -> str:
        """Let time pass until there is no table any more, and return what was written meanwhile."""
        begin = self.out.tell()
        while self.update():
            self.hall.play(TICK)
        return self.out.getvalue()[begin:]


def test_who_sits_down_is_told_so_once(hall: Hall) -> None:
    hall.serve()
    ann = Shown(hall, hall.begin_to_join(name="Ann"))
    text = ann.frames(0.5)
    hall.begin_to_join(name="Bob")

    text += ann.frames(0.5)

    assert [line.partition(";")[0] for line in text.splitlines() if "sit" in line] == [
        "you sit at seat 0",
        "Bob sits down",
    ]
    assert text.count("-- you are Ann") == 1


def test_it_says_for_whom_the_game_waits_and_how_it_begins(hall: Hall) -> None:
    hall.serve()
    ann = Shown(hall, hall.begin_to_join(Secrets, name="Ann", room="few"), Secrets)
    alone = ann.frames(0.5)
    hall.begin_to_join(Secrets, name="Bob", room="few")
    enough = ann.frames(0.5)
    ann.obey("draw")
    early = ann.frames(0.5)
    ann.obey("/start")
    begun = ann.frames(1.0)

    begins = "2 sit here, up to 4 can: /start begins, or wait for others\n"
    assert alone.endswith("waiting for 1 more\n")
    assert enough == f"Bob sits down\n{begins}"
    assert early == begins
    assert f"the game has not begun\n{begins}" in ann.out.getvalue()
    assert begun.startswith("the game begins\n")


class Unbegun(TicTacToe):
    def setup(self) -> None:
        self.require(False, "not today")


@pytest.mark.usefixtures("sleepless")
def test_that_a_game_cannot_begin_is_said_and_nobody_is_waited_for() -> None:
    hall, said = Hall(Unbegun), list[str]()
    hall.serve()
    ann = Shown(hall, hall.begin_to_join(Unbegun, name="Ann", room="ours"), Unbegun)
    eve = Shown(hall, hall.begin_to_join(Unbegun, room="ours", watch=True), Unbegun)
    ann.frames(0.5)
    eve.frames(0.5)

    def say(text: str) -> None:
        said.append(text)
        raise ConnectionError("that was enough")

    with pytest.raises(ConnectionError, match="enough"):
        run_bot((HOST, PORT), Unbegun, RandomBot(), 0.0, say, room="ours", name="bot", **Pump(hall).link)

    frozen = "the table is frozen: the rules of Unbegun cannot begin: setup() refuses to begin: not today"
    assert said == [frozen]
    assert ann.frames(0.5).splitlines() == ["bot sits down", "bot is away", frozen]
    assert eve.frames(0.5).splitlines() == ["bot sits down", "bot is away", frozen]
    hall.close()


def test_why_there_is_no_seat_yet_is_said(hall: Hall) -> None:
    hall.store = store = Full(clock=hall.clock)
    store.full = True
    hall.serve()
    ann = Shown(hall, hall.begin_to_join(name="Ann"))

    early = ann.frames(2.0)
    store.full = False
    late = ann.frames(2.0)

    assert early == "there is no seat yet: the disk is full\n"
    assert late.splitlines()[0].startswith("you sit at seat 0;")
    assert late.endswith("waiting for 1 more\n")


@pytest.mark.usefixtures("sleepless")
def test_a_bot_says_why_it_has_no_seat_yet() -> None:
    hall, said = Hall(), list[str]()
    hall.store = store = Full(clock=hall.clock)
    store.full = True
    hall.serve()

    def say(text: str) -> None:
        said.append(text)
        store.full = False
        if len(said) == 3:
            raise ConnectionError("that was enough")

    with pytest.raises(ConnectionError, match="enough"):
        run_bot((HOST, PORT), TicTacToe, RandomBot(), 0.0, say, name="bot", **Pump(hall).link)
    hall.close()

    assert said == ["there is no seat yet: the disk is full", "the table goes on", "waiting for 1 more"]


def test_what_is_typed_before_one_sits_there_is_told_so(hall: Hall) -> None:
    ann = Shown(hall, hall.begin_to_join(name="Ann"))  # nobody serves yet

    for line in ("/start", "undo", "mark 4", "/help"):
        ann.obey(line)

    told = ann.out.getvalue()
    assert told.startswith("you do not sit at the table yet; try again in a moment\n" * 3 + "type a number")
    ann.seat.close()


def test_what_is_typed_while_the_link_is_broken_is_told_so(hall: Hall) -> None:
    hall.serve()
    ann = Shown(hall, hall.begin_to_join(name="Ann"))
    ann.frames(0.5)
    hall.kill()
    ann.frames(10.0)

    ann.obey("mark 4")

    assert ann.out.getvalue().endswith("the link is still broken; try again once you are back at the table\n")
    ann.seat.close()


def test_an_answer_may_be_changed_until_the_last_one_came(hall: Hall) -> None:
    hall.games = (Throws,)
    hall.serve()
    ann = Shown(hall, hall.begin_to_join(Throws, name="Ann"), Throws)
    ann.frames(0.2)
    bob = hall.begin_to_join(Throws, name="Bob")
    ann.frames(0.5)

    ann.obey("rock")
    told = ann.frames(0.5)
    ann.obey("2")
    ann.frames(0.5)
    bob.play(bob.legal[0])
    ann.frames(0.5)
    ann.obey("1")

    assert told.endswith("Bob to move; until then you may answer something else instead\n")
    assert ann.seat.view.thrown == {0: "paper", 1: "rock"}
    assert ann.out.getvalue().endswith("the game is over\n")


def test_who_asks_to_take_a_move_back_hears_that_the_others_are_asked(hall: Hall) -> None:
    hall.serve()
    ann = Shown(hall, hall.begin_to_join(Secrets, name="Ann", room="few"), Secrets)
    ann.frames(0.2)
    bob = hall.begin_to_join(Secrets, name="Bob", room="few")
    ann.frames(0.5)
    for line in ("/start", "draw", "as it is"):
        ann.obey(line)
        ann.frames(0.5)

    ann.obey("undo")

    assert ann.frames(0.5) == "you asked the others to take your move back\n"
    bob.consent(False)
    assert ann.frames(0.5) == "Bob does not agree to take the move back\nBob to move\n"


def test_who_would_like_another_game_is_told_and_who_comes_late_how_it_ended(hall: Hall) -> None:
    hall.serve()
    ann = Shown(hall, hall.begin_to_join(name="Ann", room="here"))
    ann.frames(0.5)
    bob = hall.begin_to_join(name="Bob", room="here")
    ann.frames(0.5)
    for line, cell in (("mark 0", 3), ("mark 1", 4), ("mark 2", None)):
        ann.obey(line)
        ann.frames(0.5)
        if cell is not None:
            bob.play("mark", cell=cell)
            ann.frames(0.5)
    ended = ann.frames(0.5)
    late = Shown(hall, hall.begin_to_join(name="Ann", ticket=ann.seat.ticket)).frames(0.5)
    ann.seat.close()
    ann = Shown(hall, hall.begin_to_join(name="Ann", ticket=ann.seat.ticket))
    ann.frames(0.5)
    bob.rematch()
    asked = ann.frames(0.5)
    ann.obey("rematch")
    again = ann.frames(0.5)
    bob.leave()
    ann.frames(0.5)

    assert ended == ""
    assert late.splitlines()[-2:] == ["Ann won", "/rematch for another game, /leave to go"]
    assert asked == "Bob would like another game: /rematch, or /leave to go\n"
    assert again.startswith("the game begins\n")
    assert ann.out.getvalue().endswith(
        "Ann won: Bob gave up\nBob has left\ntoo few are left for another game: /leave to go\n"
    )
    ann.seat.close()


def test_who_asked_for_another_game_reads_who_is_waited_for() -> None:
    names = ("Ann", "Bob", "Cid", "Dan")

    assert after_the_end(names, 0, (0, 1, 2), (0, 1), 2) == "you asked for another game; waiting for Cid"
    assert (
        after_the_end(names, 0, (0, 1, 2), (1, 2), 2)
        == "Bob and Cid would like another game: /rematch, or /leave to go"
    )


@pytest.mark.parametrize("reveal", [True, False])
def test_what_an_end_without_a_move_opens_is_shown(hall: Hall, reveal: bool) -> None:
    game = type("Named", (Named,), {"reveal": reveal, "__module__": __name__})
    hall.games = (game,)
    hall.serve()
    ann = Shown(hall, hall.begin_to_join(game, name="Ann"), game)
    ann.frames(0.2)
    bob = hall.begin_to_join(game, name="Bob")
    ann.frames(0.5)
    bob.leave()
    ann.frames(0.5)

    opened = "-- at the end\n   hands  Ann  1\n          Bob  2\n"
    assert ("Ann won: Bob gave up\n" in ann.out.getvalue(), opened in ann.out.getvalue()) == (True, reveal)


class Names(Game):
    seats = 1, 1
    said: list[str] = []

    @move
    def call(self) -> None:
        self.said.append(self.ask(0, Free(str, lambda _: "Joe", lambda text: text and None), "a name?"))

    @move
    def count(self) -> None:
        self.ask(0, Free(int, lambda _: 1, lambda number: None if number else "not 0"), "how many?")


def test_a_free_answer_that_is_a_number_is_text_where_the_rules_want_text(hall: Hall) -> None:
    hall.games = (Names,)
    hall.serve()
    ann = Shown(hall, hall.begin_to_join(Names, name="Ann"), Names)
    ann.frames(0.5)
    for line in ("call", "1984", "call", "Joe B", "call", "[1, 2", "count", "no", "0", "7", "call"):
        ann.obey(line)
        ann.frames(0.5)

    text = ann.out.getvalue()
    assert ann.seat.view.said == ["1984", "Joe B", "[1, 2"]
    assert "must be str" not in text
    assert "no: the answer must be int, not a str" in text
    assert "0: not 0" in text
    assert text.count("your turn\n") == 5
    assert text.count("type your answer; /draw draws one at random\n") == 4
    ann.seat.close()


def test_what_is_not_listed_is_drawn_and_played_for_who_has_no_idea(hall: Hall) -> None:
    hall.games = (Names,)
    hall.serve()
    ann = Shown(hall, hall.begin_to_join(Names, name="Ann"), Names)
    ann.frames(0.5)
    for line in ("/play", "/draw", "call", "/draw", "/draw", "/play", "/play"):
        ann.obey(line)
        ann.frames(0.5)

    text = ann.out.getvalue()
    assert ann.seat.view.said == ["Joe"]
    assert text.count("nothing is drawn yet: /draw draws one at random of what is not listed\n") == 2
    assert text.count("everything is listed: type its number or its words\n") == 1
    assert text.count("drawn: Joe\n/play plays it, /draw draws another one\n") == 2
    ann.seat.close()


class Routes(Game):
    """What is free is a list, and has to be typed so."""

    seats = 1, 1
    way: list[int] = []

    @move(way=Free(list[int], lambda _: [3, 4], lambda way: None if way else "go somewhere"))
    def go(self, way: list[int]) -> None:
        self.way = way

    @move
    def ask_for(self) -> None:
        self.way = self.ask(0, Free(list[int], lambda _: [5], lambda way: None if way else "go"), "which way?")

    @move(way=Free(list[int], lambda _: [], lambda way: None if way else "go somewhere"))
    def stay(self, way: list[int]) -> None:
        self.way = way


class Quick(Game):
    """Whoever is quicker says the word; then each seat says another one."""

    seats = 2, 2
    said: list[str] = []

    @move
    def call(self) -> None:
        word = Free(str, lambda _: "drawn", lambda text: text and None)
        self.said.append(self.ask_any([0, 1], word, "a word?")[1])
        self.said += [self.ask(seat, word, "another word?") for seat in (1, 0)]


def test_what_was_drawn_is_played_in_that_turn_alone(hall: Hall) -> None:
    hall.games = (Routes, Quick)
    hall.serve()
    ann = Shown(hall, hall.begin_to_join(Routes, name="Ann"), Routes)
    bob = Shown(hall, hall.begin_to_join(Quick, name="Bob"), Quick)
    cid = Shown(hall, hall.begin_to_join(Quick, name="Cid"), Quick)
    for table in (ann, bob, cid):
        table.frames(0.5)
    typed = (ann, "/draw"), (ann, "go [1]"), (ann, "/play"), (bob, "call"), (bob, "/draw"), (cid, "a"), (cid, "b")
    for table, line in (*typed, (bob, "/play"), (bob, "c")):
        table.obey(line)
        for other in (table, ann, bob, cid):
            other.frames(0.5)

    assert (ann.seat.view.way, bob.seat.view.said) == ([1], ["a", "b", "c"])
    for table in (ann, bob):
        assert "nothing is drawn yet: /draw draws one at random of what is not listed\n" in table.out.getvalue()
    for table in (ann, bob, cid):
        table.seat.close()


def test_what_was_drawn_is_shown_as_it_is_typed_at_one_keyboard() -> None:
    out = io.StringIO()
    table = LocalTable(Routes, ["Ann"], {}, bytes(32))

    with pytest.raises(EOFError):
        play_locally(table, (), Screen(out), Typist("/play", "/draw", "/play", "ask_for", "/draw", "/play"), first)

    text = out.getvalue()
    assert text.count("nothing is drawn yet: /draw draws one at random of what is not listed\n") == 1
    assert "drawn: go [3, 4]\n/play plays it" in text
    assert "drawn: [5]\n" in text
    assert table.view(0).way == [5]
    assert drawn(None) == "nothing could be drawn that the rules take; try again, or type it"


class Jammed(Game):
    seats = 1, 1

    @move(way=Free(list[int], lambda _: [1 // 0], lambda way: None))
    def go(self, way: list[int]) -> None: ...


def test_where_nothing_can_be_drawn_that_is_said() -> None:
    out = io.StringIO()

    with pytest.raises(EOFError):
        play_locally(LocalTable(Jammed, ["Ann"], {}, bytes(32)), (), Screen(out), Typist("/draw"), first)

    assert "nothing could be drawn that the rules take; try again, or type it\n" in out.getvalue()


class Towns(Game):
    """Fields with an entry for each seat, and some that have none."""

    scores: list[int]
    trick: dict[int, str] = {}
    boards: list[list[int | None]]
    towns: list[list[str]]
    dice: list[int] = [3, 4]
    plan: dict[int, str] | None = None

    def setup(self) -> None:
        self.scores = [0 for _ in self.players]
        self.boards = [[None] * 9 for _ in self.players]
        self.towns = [["a town", "a village", "a house"] for _ in self.players]

    @move(card=["8C"])
    def lay(self, card: str) -> None:
        self.scores[self.mover] += 1
        self.trick[self.mover] = card
        self.boards[self.mover][0] = self.mover
        self.plan = {9: "none of theirs", self.mover: "x"} if self.plan is None else {self.mover: self.plan[self.mover]}


def test_what_the_rules_keep_for_each_seat_has_the_names_of_the_players() -> None:
    table = LocalTable(Towns, ["Ann", "Bob"], {}, bytes(32))
    before = table.view(None)
    table.play(0, Play("lay", {"card": "8C"}))

    assert rows_of(table.view(None)) == [
        ("scores", "Ann: 1, Bob: 0"),
        ("trick", "Ann: 8C"),
        ("boards", "Ann   0  .  ."),
        ("", "      .  .  ."),
        ("", "      .  .  ."),
        ("", "Bob   .  .  ."),
        ("", "      .  .  ."),
        ("", "      .  .  ."),
        ("towns", "Ann  a town, a village, a house"),
        ("", "Bob  a town, a village, a house"),
        ("dice", "3 4"),
        ("plan", "9: none of theirs, 0: x"),
    ]
    assert rows_of(before)[1] == ("trick", "-")
    assert changed(before, table.view(None)).startswith("scores Ann: 0 → 1, trick: 0 → 1 of them, boards Ann 0: . → 0")


def test_a_board_without_room_beside_its_name_stands_below_it() -> None:
    table = LocalTable(Towns, ["Ann the first of all", "Bob"], {}, bytes(32))

    rows = rows_of(table.view(None), 32)

    assert [line for _, line in rows[3:11]] == ["Ann the first of all", *[" .  .  ."] * 3, "Bob", *[" .  .  ."] * 3]


def test_the_board_is_shown_again_to_who_comes_back(hall: Hall) -> None:
    hall.serve()
    ann = Shown(hall, hall.begin_to_join(name="Ann", room="here"))
    ann.frames(0.5)
    hall.begin_to_join(name="Bob", room="here")
    ann.frames(0.5)
    ann.obey("mark 4")
    ann.frames(1.0)

    hall.kill()
    hall.play(1.0)
    hall.serve()
    back = ann.frames(10.0)
    ticket = ann.seat.ticket
    ann.seat.close()
    anew = Shown(hall, hall.begin_to_join(name="Ann", ticket=ticket))
    looking = Shown(hall, hall.begin_to_join(watch=True, room="here"))
    found = anew.frames(1.0)

    board = "   cells   .  .  .\n           .  0  .\n           .  .  .\n"
    assert back.replace("Bob is here\n", "") == (  # whenever he is
        "the connection to hall:7777 broke: the other program stopped or the network cut it\n"
        f"looking for the way back, for 120 s at most\nback at the table\n-- you are Ann\n{board}Bob to move\n"
    )
    assert found.count(board) == 1
    assert f"-- you look on\n{board}" in looking.frames(1.0)
    ann.seat.close()
    anew.seat.close()
    looking.seat.close()


def test_why_there_is_no_link_is_said_and_what_comes_up_meanwhile_each_once(hall: Hall, tmp_path: Path) -> None:
    hall.serve()
    kept = SeatFile(tmp_path / "go.py", "Ann", (HOST, PORT))
    ann = Shown(hall, hall.begin_to_join(name="Ann", room="here"), seat_file=kept)
    ann.frames(0.5)
    hall.kill()
    first = ann.frames(30.0)
    hall.serve()
    back = ann.frames(10.0)
    hall.kill()
    last = ann.to_the_end()

    broke = "the connection to hall:7777 broke: the other program stopped or the network cut it"
    nothing = "nothing is listening on hall:7777; is the server started?"
    lost = [broke, "looking for the way back, for 120 s at most", nothing]
    assert first.splitlines() == lost
    assert back.splitlines() == ["back at the table", "waiting for 1 more"]
    assert last.splitlines() == [
        *lost,
        f"no way back: {nothing}",
        "your seat is kept: start this again to sit down there",
    ]
    assert kept.read() == ann.seat.ticket


def test_a_server_that_is_silent_is_told_before_the_link_ends(hall: Hall) -> None:
    hall.serve()
    ann = Shown(hall, hall.begin_to_join(name="Ann", room="here"))
    ann.frames(0.5)
    server, hall.server = hall.server, None  # its program stands still
    silent = ann.frames(6.0)
    over = ann.frames(6.0)
    hall.server = server

    assert silent == "nothing heard from the server for 3 s; what you play arrives once it is back\n"
    assert over.startswith("nothing was heard from hall:7777 for timeout = 10 s; its program or the network stopped\n")


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Told("a flush", {}), "a flush"),
        (Refused(Play("mark", {"cell": 1}), "taken"), "mark 1: taken"),
        (Refused(None, "no"), "no"),
        (Presence(1, "away", 30.0), "somebody is away (30 s left)"),
        (Presence(1, "left", None), "somebody has left"),
        (Said(None, "Eve", "hi"), "Eve: hi"),
        (Over(Result(())), "a draw"),
    ],
)
def test_events_are_told_in_a_line(hall: Hall, event: Any, line: str) -> None:
    seat = hall.begin_to_join()
    out = io.StringIO()

    assert NetworkTable(seat, TicTacToe, Screen(out))._tell(event)

    assert out.getvalue() == line + "\n"


class Pump:
    """A clock that lets everybody else do a frame whenever it is read; so what blocks here plays with them."""

    def __init__(self, hall: Hall) -> None:
        self.hall, self.inside, self.reads = hall, False, 0

    def __call__(self) -> float:
        self.reads += 1
        assert self.reads < 1_000_000, "it never ended"
        if not self.inside:
            self.inside = True
            self.hall.play(TICK)
            self.inside = False
        return self.hall.clock.now

    @property
    def link(self) -> dict[str, Any]:
        return {"clock": self, "network": self.hall.network}


@pytest.fixture
def sleepless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nobody sleep who waits at a seat: what would wake them on this network is the time, which a `Pump` lets pass."""

    def awake(seat: Seat[Any], timeout: float | None = None) -> bool:
        return True

    monkeypatch.setattr(Seat, "wait", awake)


class Keys(Keyboard):
    """Types its lines, one a frame, once something is to be done; then nobody types any more."""

    def __init__(self, *lines: str) -> None:
        self.lines = [*lines]

    def line(self) -> str | None:
        if not self.lines:
            raise EOFError
        return self.lines.pop(0)


@pytest.mark.usefixtures("sleepless")
def test_bots_play_each_other_over_the_network(hall: Hall) -> None:
    hall.serve()
    pump = Pump(hall)
    bob = hall.begin_to_join(name="Bob")

    def choose(_view: Any, legal: Sequence[Play]) -> Play:
        return legal[0]

    original = hall.update

    def update() -> None:
        original()
        if bob.started and bob.my_turn and bob.pending is None and bob.legal:
            bob.play(bob.legal[-1])

    hall.update = update  # type: ignore[method-assign]
    how = run_bot((HOST, PORT), TicTacToe, choose, 0.5, name="bot", **pump.link)

    assert bob.result is not None
    assert how == ended(bob.result, ["Bob", "bot"])
    assert how in ("Bob won", "bot won")
    with pytest.raises(ConnectionError, match="this server does not play 'Chess'"):
        run_bot((HOST, PORT), type("Chess", (TicTacToe,), {}), choose, 0.0, **pump.link)


@pytest.mark.usefixtures("sleepless")
def test_a_bot_says_what_it_waits_for() -> None:
    class Several(TicTacToe):
        seats = 2, 3

    hall, said = Hall(Several), list[str]()
    hall.serve()

    def say(text: str) -> None:
        said.append(text)
        if len(said) == 2:
            raise ConnectionError("that was enough")
        hall.begin_to_join(Several, name="Bob")

    with pytest.raises(ConnectionError, match="enough"):
        run_bot((HOST, PORT), Several, RandomBot(), 0.0, say, name="bot", **Pump(hall).link)
    hall.close()

    assert said == ["waiting for 1 more", "2 sit here, up to 3 can: a person there begins with /start, or others join"]


def test_who_stops_in_the_middle_of_a_game_reads_how_to_come_back(hall: Hall, tmp_path: Path) -> None:
    class Stopped(Keys):
        def line(self) -> str | None:
            if "you sit at seat 0" in out.getvalue():
                raise KeyboardInterrupt
            return super().line()

    hall.serve()
    out = io.StringIO()
    seat_file = SeatFile(tmp_path / "go.py", "Ann", (HOST, PORT))

    with pytest.raises(KeyboardInterrupt):
        play_over_network((HOST, PORT), TicTacToe, Screen(out), Stopped(*[""] * 60), seat_file, **Pump(hall).link)

    assert out.getvalue().endswith("your seat is kept: start this again to sit down there\n")


def test_a_person_plays_over_the_network_until_nobody_types_and_sits_down_again(
    hall: Hall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_play, "time", SimpleNamespace(monotonic=hall.clock))  # or who stands still is told so
    hall.serve()
    pump, out = Pump(hall), io.StringIO()
    seat_file = SeatFile(tmp_path / "go.py", "Ann", (HOST, PORT))

    def play(*lines: str) -> str:
        begin = out.tell()
        wanted = {"name": "Ann", "room": "ours", **pump.link}
        play_over_network((HOST, PORT), TicTacToe, Screen(out), Keys(*lines), seat_file, **wanted)
        return out.getvalue()[begin:]

    play(*[""] * 20)
    bob = hall.begin_to_join(name="Bob", room="ours")
    second = play(*[""] * 60, "mark 4", *[""] * 20)
    bob.leave()
    hall.play(1.0)
    kept = play(*[""] * 20, "help", "quit", "/leave")
    third = play(*[""] * 20, "/leave", *[""] * 60)

    assert "/quit or Ctrl-C ends, and the seat is kept until you come back\n" in kept
    assert "you left the table" not in kept
    assert "you sit at seat 0" in second
    assert out.getvalue().count("this seat was kept for you; for another table, /leave it and start again\n") == 3
    assert "Ann moved: mark" in second
    assert "you left the table" in third
    assert seat_file.read() is None
    seat_file.write("ffffffffffffffffffffffff.key")  # of a table that is not kept any more
    anew = play(*[""] * 60)
    # The room is asked for again: its game is over and both have gone, so others may play there.
    assert anew.startswith("this table is not kept any more\nyou sit at seat 0")
    back = "your seat is kept: start this again to sit down there\n"
    assert anew.endswith(f"waiting for 1 more, with --room ours\n{back}")
    assert [text.count(back) for text in (second, kept, third)] == [1, 0, 0]  # Bob gave up, and then we left
    bob.close()


@pytest.mark.parametrize("watch", [False, True])
def test_who_plays_or_looks_on_ends_once_nobody_reads(
    hall: Hall, unread: TextIO, watch: bool, caplog: pytest.LogCaptureFixture
) -> None:
    hall.serve()
    hall.begin_to_join(name="Bob")
    keys = None if watch else Silent()

    assert play_over_network((HOST, PORT), TicTacToe, Screen(unread), keys, watch=watch, **Pump(hall).link)
    assert caplog.records == []


class Silent(Keyboard):
    """A keyboard at which somebody sits, and types nothing."""

    def __init__(self) -> None:
        pass

    def line(self) -> str | None:
        return None


class Late(Keyboard):
    """A keyboard that has ended before anything is known of the seat."""

    def __init__(self) -> None:
        super().__init__(io.StringIO())
        while self._lines.empty():
            time.sleep(0.001)


def test_a_seat_at_which_nobody_types_from_the_start_is_left_once_it_is_known(hall: Hall, tmp_path: Path) -> None:
    hall.serve()
    out, seat_file = io.StringIO(), SeatFile(tmp_path / "go.py", "Ann", (HOST, PORT))

    assert play_over_network((HOST, PORT), TicTacToe, Screen(out), Late(), seat_file, **Pump(hall).link)
    assert "you sit at seat 0" in out.getvalue()
    assert seat_file.read() is not None


class Older(TicTacToe):
    cells: list[str] = []  # type: ignore[assignment] # pyright: ignore


Older.__name__ = "TicTacToe"


def test_who_has_other_rules_than_the_server_keeps_the_seat_for_the_right_ones(hall: Hall, tmp_path: Path) -> None:
    hall.serve()
    pump, out = Pump(hall), io.StringIO()
    seat_file = SeatFile(tmp_path / "go.py", "Ann", (HOST, PORT))
    bob = hall.begin_to_join(name="Bob", room="ours")
    hall.play(0.5)

    def play(game: type[Game]) -> bool:
        keys = Keys(*[""] * 60)
        return play_over_network((HOST, PORT), game, Screen(out), keys, seat_file, name="Ann", room="ours", **pump.link)

    there = [play(Older)]
    ticket = seat_file.read()
    there += [play(TicTacToe)]

    assert there == [False, True]
    assert ticket is not None
    assert "TicTacToe has other rules here than at the server: cells[0] must be str, not None" in out.getvalue()
    assert bob.names == ("Bob", "Ann")
    assert "you sit at seat 1; type" in out.getvalue()
    bob.close()


def test_a_move_of_other_rules_is_listed_by_its_name() -> None:
    out = io.StringIO()

    show_plays(Screen(out), TicTacToe, [], ["mark", "hide"], "your turn")

    assert out.getvalue().endswith("type mark CELL or hide; /draw draws one at random\n")


def test_who_waits_for_the_first_word_of_a_server_is_told_what_is_looked_for(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall.serve()
    hall.network.latency = 1.0
    out, passed = io.StringIO(), iter(range(1_000))
    monkeypatch.setattr(network_play, "time", SimpleNamespace(monotonic=lambda: next(passed) / 10))

    play_over_network((HOST, PORT), TicTacToe, Screen(out), Keys(*[""] * 400), name="Ann", **Pump(hall).link)

    assert out.getvalue().count(f"looking for the server at {HOST}:{PORT}; Ctrl-C ends\n") == 1
    assert out.getvalue().endswith("waiting for 1 more\n")


def test_a_seat_is_kept_while_no_server_answers(hall: Hall, tmp_path: Path) -> None:
    hall.serve()
    pump, out = Pump(hall), io.StringIO()
    seat_file = SeatFile(tmp_path / "go.py", "Ann", (HOST, PORT))

    def play() -> None:
        play_over_network(
            (HOST, PORT), TicTacToe, Screen(out), Keys(*[""] * 60), seat_file, name="Ann", room="ours", **pump.link
        )

    play()
    ticket = seat_file.read()
    hall.kill()
    play()

    assert ticket is not None
    assert seat_file.read() == ticket


def test_a_move_is_taken_back_at_one_keyboard() -> None:
    out = io.StringIO()
    table = LocalTable(TicTacToe, ["Ann", "Bob"], {}, bytes(32))

    with pytest.raises(EOFError):
        play_locally(table, (), Screen(out), Typist("/undo", "mark 0", "/undo", "mark 1"), first)

    text = out.getvalue()
    assert "there is no move of yours to take back" in text
    assert "taken back: Ann took a move back" in text
    assert table.table.to_move == (1,)


class Dice(Game):
    """A move that draws is taken back by consent alone."""

    clock = Clock(minutes=1)
    eyes: int = 0

    @move
    def roll(self) -> None:
        self.eyes = self.random.randrange(6)
        self.tell("a look at it\nand another", to=self.mover)


def test_everybody_at_one_keyboard_agrees_to_an_undo() -> None:
    out = io.StringIO()
    table = LocalTable(Dice, ["Ann", "Bob"], {}, bytes(32))

    with pytest.raises(EOFError):
        play_locally(table, (), Screen(out), Typist("roll", "", "", "/undo"), first)

    text = out.getvalue()
    assert "taken back: Ann took a move back" in text
    assert "for Ann alone: a look at it" in text
    assert "clocks  Ann 1:00, Bob 1:00" in text


class Stuck(Game):
    def nothing(self) -> list[int]:
        return []

    @move(step=nothing)
    def go(self, step: int) -> None: ...


def test_a_bot_that_finds_nothing_to_do_says_so() -> None:
    out = io.StringIO()
    table = LocalTable(Stuck, ["Bot", "Ann"], {}, bytes(32))

    play_locally(table, (0,), Screen(out), Typist(), first)

    assert (
        out.getvalue() == "by number: 0 is Bot, 1 is Ann\nBot is a bot, and finds nothing to do: the rules are stuck\n"
    )


class Failing(Game):
    def steps(self) -> list[int]:
        return [1 // 0]

    @move(step=steps)
    def go(self, step: int) -> None: ...


def test_a_person_who_finds_nothing_to_do_for_a_bug_is_not_told_of_another_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    out = io.StringIO()
    with pytest.raises(EOFError):
        play_locally(LocalTable(Failing, ["Ann", "Bob"], {}, bytes(32)), (), Screen(out), Typist("1"), first)

    assert "ZeroDivisionError" in caplog.text
    assert (
        "the rules are stuck; if no bug of theirs was logged, they have to end it by self.finish(…)" in out.getvalue()
    )


def test_a_person_who_finds_nothing_to_do_reads_that_the_rules_are_stuck(hall: Hall) -> None:
    out = io.StringIO()
    with pytest.raises(EOFError):
        play_locally(LocalTable(Stuck, ["Ann", "Bob"], {}, bytes(32)), (), Screen(out), Typist("1"), first)
    hall.games = (Stuck,)
    hall.serve()
    ann, bob = (Shown(hall, hall.begin_to_join(Stuck, name=name), Stuck) for name in ("Ann", "Bob"))
    for shown in (ann, bob, ann):
        shown.frames(0.5)

    assert f"-- Ann to move\n{STUCK}\n" in out.getvalue()
    assert ann.out.getvalue().endswith(f"your turn\n{STUCK}\n")
    assert STUCK not in bob.out.getvalue()
    ann.seat.close()
    bob.seat.close()
