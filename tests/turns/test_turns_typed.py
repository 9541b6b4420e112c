"""How what a person types is understood, by what the rules say of each argument; and how values are written down."""

import enum
import io
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

import pytest

from netcode.turns import Free, Game, Hidden, Others, Owned, move
from netcode.turns.language.plays import Play, answer
from netcode.turns.player.sight import View
from netcode.turns.simulate import secret_of
from netcode.turns.table import Asked, Result, Table
from netcode.turns.terminal.choices import show_plays
from netcode.turns.terminal.local_table import LocalTable
from netcode.turns.terminal.screen import Screen
from netcode.turns.terminal.telling import changed, ended, who_is_who
from netcode.turns.terminal.understanding import meant, typed, wanted
from netcode.turns.terminal.wording import rows_of, said, written
from turns.hall import TicTacToe


@dataclass
class Plan:
    x: int
    word: str


def free(kind: Any) -> Free[Any]:
    return Free(kind, lambda dice: dice, lambda value: None)


CARDS = ["1", "2", "10"]


class Words(Game):
    @move(word=free(str))
    def think(self, word: str) -> None: ...

    @move(text=free(str), number=range(3))
    def shout(self, text: str, number: int) -> None: ...

    @move(number=range(3), first=free(str), second=free(str))
    def pair(self, number: int, first: str, second: str) -> None: ...

    @move(plan=free(Plan), fast=[True, False])
    def plan(self, plan: Plan, fast: bool) -> None: ...

    @move(gift=[None, "wood", "red wool"])
    def give(self, gift: str | None) -> None: ...

    @move(what=[None, 1, "one"])
    def mix(self, what: int | str | None) -> None: ...

    @move(card=CARDS)
    def drive(self, card) -> None: ...  # type: ignore[no-untyped-def] # pyright: ignore # noqa: ANN001 - as many rules are

    def cards(self) -> list[str]:
        return CARDS

    @move(card=cards)
    def park(self, card) -> None: ...  # type: ignore[no-untyped-def] # pyright: ignore # noqa: ANN001 - the same

    @move(seat=range(3))
    def accuse(self, seat: int) -> None: ...

    @move
    def ask_for(self) -> None:
        self.ask(self.mover, free(str), "a name?")


MOVES = tuple(Words._definition.moves)


@pytest.mark.parametrize(
    ("text", "play"),
    [
        ("think ice cream", Play("think", {"word": "ice cream"})),
        ('think "ice cream"', Play("think", {"word": "ice cream"})),
        ('think say "hi" now', Play("think", {"word": 'say "hi" now'})),
        ('think "a" and "b"', Play("think", {"word": '"a" and "b"'})),
        ("Think 1984", Play("think", {"word": "1984"})),
        ("think none", Play("think", {"word": "none"})),
        ("think true", Play("think", {"word": "true"})),
        ("think", None),
        ('shout "hi there" 2', Play("shout", {"text": "hi there", "number": 2})),
        ("shout hi there 2", Play("shout", {"text": "hi there", "number": 2})),
        ("shout hi", None),
        ('pair 1 "ice cream" a cake', Play("pair", {"number": 1, "first": "ice cream", "second": "a cake"})),
        ("pair 1 ice a cake", Play("pair", {"number": 1, "first": "ice", "second": "a cake"})),
        ("pair 1 ice", None),
        ('plan {"x": 3, "word": "a b"} true', Play("plan", {"plan": {"x": 3, "word": "a b"}, "fast": True})),
        ('plan {"x": 3 true', None),
        ("plan [1, [2, 3]] False", Play("plan", {"plan": [1, [2, 3]], "fast": False})),
        ("plan " + "[" * 100_000 + " true", Play("plan", {"plan": "[" * 100_000, "fast": True})),
        ("give none", Play("give", {"gift": None})),
        ("give .", Play("give", {"gift": None})),
        ("give red wool", Play("give", {"gift": "red wool"})),
        ("mix 1", Play("mix", {"what": 1})),
        ("mix one", Play("mix", {"what": "one"})),
        ("drive 10", Play("drive", {"card": "10"})),
        ("sing la", None),
    ],
)
def test_each_value_is_read_as_the_rules_say(text: str, play: Play | None) -> None:
    assert typed(text, Words, MOVES, None) == play


def test_what_is_listed_says_whether_a_number_is_text() -> None:
    listed = [Play("park", {"card": card}) for card in ("1", "2")]

    assert wanted("park 10", Words, listed, (), None) == Play("park", {"card": "10"})
    assert typed("park 10", Words, MOVES, None) == Play("park", {"card": 10})


@pytest.mark.parametrize(
    ("text", "is_text", "value"),
    [
        ("Joe", False, "Joe"),
        ("Joe Bloe", False, "Joe Bloe"),
        ("1984", False, 1984),
        ("1984", True, "1984"),
        ('"1984"', False, "1984"),
        ('"1984"', True, "1984"),
        ("[1, 2]", True, "[1, 2]"),
        ("[1, 2", True, "[1, 2"),
        ("[[5, 0, true]]", False, [[5, 0, True]]),
        ('{"x": 1}', False, {"x": 1}),
    ],
)
def test_a_free_answer_is_text_or_what_json_makes_of_it(text: str, is_text: bool, value: Any) -> None:
    asked = Asked("q", "well?", None, is_text)

    assert wanted(text, Words, (), [""], asked) == answer("q", value)


def test_json_that_is_none_and_nothing_at_all_are_no_answers() -> None:
    asked = Asked("q", "well?", None)

    assert typed("[1, 2", Words, [""], asked) is None
    assert typed("  ", Words, [""], Asked("q", "well?", None, text=True)) is None
    assert typed("a" + "[" * 9_000, Words, [""], asked) == answer("q", "a" + "[" * 9_000)
    assert typed("[" * 9_000 + "]" * 9_000, Words, [""], asked) is None


def test_the_table_says_that_a_free_answer_is_a_text() -> None:
    table = Table.create(Words, 2, secret=secret_of(1))
    table.start(0.0)
    before = table.question(0)
    table.play(0, "ask_for", {}, 1, now=0.0)
    asked = table.question(0)

    assert asked is not None
    assert (before, asked.text, table.question(1)) == (None, True, None)


def test_a_move_that_lacks_a_value_is_told_how_it_is_typed() -> None:
    how = "that is not all of it, or too much; type pair NUMBER FIRST SECOND"

    assert wanted("pair 1", Words, (), ["pair"], None) == how
    assert wanted("drive", Words, (), ["pair"], None) == "'drive' is no play; type its number or its words"


ACCUSE = [Play("accuse", {"seat": seat}) for seat in (0, 2)]


@pytest.mark.parametrize(("text", "seat"), [("accuse Player 3", 2), ("ACCUSE cid", 2), ("accuse 2", 2)])
def test_a_player_may_be_called_by_name(text: str, seat: int) -> None:
    names = ["Ann", "Bob", "player 3" if "3" in text else "Cid"]

    assert wanted(text, Words, ACCUSE, (), None, names=names) == Play("accuse", {"seat": seat})


def test_a_name_that_could_mean_two_is_none() -> None:
    both = wanted("accuse Eve", Words, ACCUSE, (), None, names=["Eve", "Bob", "Eve"])

    assert both == Play("accuse", {"seat": "Eve"})  # which the rules refuse, and say what it must be


@pytest.mark.parametrize(
    "names", [["1", "Ann", "Cid"], ["Accuse", "Ann", "Cid"], ["Cid", "Ann", "0"], ["Ann", "Ann", "Cid"]]
)
def test_a_number_or_the_move_may_be_the_name_of_another(names: list[str]) -> None:
    legal = [Play("accuse", {"seat": seat}) for seat in (1, 2)]

    assert wanted("accuse ann", Words, legal, (), None, names=names) == Play("accuse", {"seat": 1})


@pytest.mark.parametrize(
    ("text", "names", "play"),
    [
        ("give x bob", ["x", "Bob"], Play("give", {"card": "x", "to": 1})),
        ("give ann bob", ["Ann", "Bob"], Play("give", {"card": "Ann", "to": 1})),
        ("give ann ann", ["Ann", "Bob"], Play("give", {"card": "Ann", "to": 0})),
        ("give x give", ["Bob", "Give"], Play("give", {"card": "x", "to": 1})),
        ("give x ann lee", ["Ann", "Ann Lee"], Play("give", {"card": "x", "to": 1})),
    ],
)
def test_a_value_may_be_the_name_of_a_player(text: str, names: list[str], play: Play) -> None:
    legal = [Play("give", {"card": card, "to": to}) for card in ("Ann", "x") for to in (0, 1)]

    assert wanted(text, Words, legal, (), None, names=names) == play


def test_an_answer_may_be_a_player() -> None:
    whom = [answer("3", seat) for seat in (0, 1)]

    assert wanted("ann", Words, whom, (), Asked("3", "", (0, 1), text=False), names=["Bob", "Ann"]) == whom[1]


def test_more_names_than_can_be_tried_are_nobodys() -> None:
    text = " ".join(["accuse", *["ann"] * 9])

    assert wanted(text, Words, ACCUSE, (), None, names=["Ann"]) == f"{text!r} is no play; type its number or its words"


def test_who_is_which_number_is_said() -> None:
    assert who_is_who(["Ann", "Bob"]) == "by number: 0 is Ann, 1 is Bob"


def test_commands_need_no_slash_but_where_anything_may_be_an_answer() -> None:
    words = ("undo", "Quit", "rematch", "yes", "/undo", "/YES")

    assert [meant(word, (), ()) for word in words] == ["/undo", "/quit", "/rematch", "/yes", "/undo", "/yes"]
    assert [meant(word, (), [""]) for word in words] == ["undo", "Quit", "rematch", "yes", "/undo", "/yes"]
    assert meant("yes", [answer("q", "yes")], ()) == "yes"


class Suit(enum.Enum):
    HEARTS = 1
    CLUBS = 2


class Rank(enum.IntEnum):
    TWO = 2
    TEN = 10


class Paint(enum.Flag):
    RED = 1
    BLUE = 2


class Card(NamedTuple):
    suit: Suit
    rank: Rank


@dataclass
class Unit:
    owner: int
    suit: Suit
    goods: dict[str, int] = field(default_factory=dict[str, int])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Suit.CLUBS, "CLUBS"),
        (Rank.TEN, "TEN"),
        (Card(Suit.HEARTS, Rank.TWO), "HEARTS TWO"),
        (Unit(0, Suit.CLUBS), "owner: 0, suit: CLUBS, goods: -"),
        (Unit(1, Suit.CLUBS, {"wood": 2, "ore": 1}), "owner: 1, suit: CLUBS, goods: (wood: 2, ore: 1)"),
        ({"hut": {"wood": 2}}, "hut: (wood: 2)"),
        ([Card(Suit.HEARTS, Rank.TWO)], "HEARTS TWO"),
    ],
)
def test_a_value_is_written_in_a_view_as_in_a_play(value: Any, text: str) -> None:
    assert written(value) == text
    assert said(Play("lay", {"card": value})) == f"lay {text}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([Card(Suit.HEARTS, Rank.TWO), Card(Suit.CLUBS, Rank.TEN)], "HEARTS TWO, CLUBS TEN"),
        ([{"wood": 2, "ore": 1}, {"wood": 0, "ore": 2}], "wood: 2, ore: 1  |  wood: 0, ore: 2"),
        (["a clock", "a sword", "ring"], "a clock, a sword, ring"),
        (["clock", "ring"], "clock ring"),
        ([[[1], [2]], [[3]]], "(1  |  2)  |  3"),
        (Paint.RED | Paint.BLUE, "RED|BLUE"),
        (Paint(0), "0"),
    ],
)
def test_what_is_between_values_is_not_in_them(value: Any, text: str) -> None:
    assert written(value) == text


class Painting(Game):
    seats = 1, 1
    wall: Paint = Paint(0)
    lid: Paint | None = None

    @move(paint=[Paint.RED, Paint.RED | Paint.BLUE])
    def brush(self, paint: Paint, times: Literal[1, 2]) -> None:
        self.wall |= paint

    @move(paint=[Paint.RED, Paint.BLUE])
    def spray(self, paint: Any) -> None:
        self.wall |= paint


def test_flags_are_shown_and_typed_by_their_names() -> None:
    table = LocalTable(Painting, ["Ann"], {}, bytes(32))
    legal = table.legal(0)

    shown = ["brush RED 1", "brush RED 2", "brush RED|BLUE 1", "brush RED|BLUE 2", "spray RED", "spray BLUE"]
    assert [said(play) for play in legal] == shown
    assert [wanted(words, Painting, legal, (), None) for words in (*shown, "spray blue")] == [*legal, legal[-1]]
    assert table.play(0, Play("brush", {"paint": "BLUE", "times": 2})) == "paint must be one of RED, RED|BLUE"
    assert table.play(0, Play("brush", {"paint": "RED|BLUE", "times": 2})) == ""
    assert written(table.view(0).wall) == "RED|BLUE"


class Mixing(Game):
    seats = 1, 1
    wall: Paint = Paint(0)
    paints: ClassVar[list[Paint]] = [Paint.RED, Paint.RED | Paint.BLUE, Paint(0)]

    @move
    def mix(self) -> None:
        self.wall = self.ask(self.mover, self.paints, "which?", default=Paint.RED)


@pytest.mark.parametrize(("words", "paint"), [("RED|BLUE", 3), ("RED", 1), (3, 3), (0, 0)])
def test_a_question_offers_flags_by_their_names(words: Any, paint: int) -> None:
    table = LocalTable(Mixing, ["Ann"], {}, bytes(32))
    table.play(0, Play("mix"))
    legal = table.legal(0)
    question = legal[0].question or ""

    assert [str(play) for play in legal] == ["RED", "RED|BLUE", "0"]
    assert legal[1] == answer(question, Paint.RED | Paint.BLUE)
    assert table.play(0, answer(question, "x")) == "the answer must be one of RED, RED|BLUE, 0"
    assert table.play(0, answer(question, words)) == ""
    assert table.view(0).wall is Paint(paint)


class Sights(Game):
    stock: Hidden[list[int]] = [*range(16)]
    word: Hidden[str] = "pear"
    hands: Owned[list[list[Card]]]
    spies: Owned[dict[int, str | None]]
    signs: Others[list[int]] = [7, 8]
    stores: list[dict[str, int]] = [{"wood": 2, "ore": 1}, {"wood": 0, "ore": 2}]
    field: list[list[str | None]] = [["a", None], ["long one", None], [None, "c"]]
    grid: list[list[int | None]] = [[0, None], [None, 1], [1, 1]]
    units: list[Unit] = [Unit(0, Suit.CLUBS)]
    two: list[list[int]] = [[1], [2, 3]]
    nobody: Owned[list[int]] = []
    text: str = "two\nlines"

    def setup(self) -> None:
        self.hands = [[Card(Suit.HEARTS, Rank.TWO), Card(Suit.CLUBS, Rank.TEN)], [Card(Suit.CLUBS, Rank.TWO)]]
        self.spies = {0: None, 1: "Bob's"}

    @move
    def end(self) -> None:
        self.finish()


def test_a_view_says_what_is_hidden_whose_it_is_and_what_is_where() -> None:
    table = LocalTable(Sights, ["Ann", "Bobby"], {}, bytes(32))

    assert rows_of(table.view(0)) == [
        ("stock", "16 hidden"),
        ("word", "hidden"),
        ("hands", "Ann    HEARTS TWO, CLUBS TEN"),
        ("", "Bobby  1 hidden"),
        ("spies", "Ann    ."),
        ("", "Bobby  hidden"),
        ("signs", "Ann    hidden"),
        ("", "Bobby  8"),
        ("stores", "0: wood: 2, ore: 1"),
        ("", "1: wood: 0, ore: 2"),
        ("field", "0:  a  ."),
        ("", "1: long one  |  ."),
        ("", "2:  .  c"),
        ("grid", "0:  0  ."),
        ("", "1:  .  1"),
        ("", "2:  1  1"),
        ("units", "0: owner: 0, suit: CLUBS, goods: -"),
        ("two", "1  |  2 3"),
        ("nobody", "-"),
        ("text", "two"),
        ("", "lines"),
    ]


def test_the_end_opens_a_view_and_says_whose_each_is() -> None:
    table = LocalTable(Sights, ["Ann", "Bobby"], {}, bytes(32))
    table.play(0, Play("end"))

    rows = rows_of(table.view(None))

    assert rows[0] == ("stock", " 0  1  2  3")
    assert rows[4:8] == [
        ("word", "pear"),
        ("hands", "Ann    HEARTS TWO, CLUBS TEN"),
        ("", "Bobby  CLUBS TWO"),
        ("spies", "Ann    ."),
    ]


def test_a_view_without_its_class_is_written_as_it_came() -> None:
    assert rows_of(View("Go", {"hands": [[None, None], [1]], "names": ("Ann",)})) == [("hands", ". .  |  1")]


def test_boards_of_several_are_squares_each_with_its_number() -> None:
    two, many = View("Ships", {"shots": [[None] * 16, [1] * 16]}), View("Ships", {"shots": [[None] * 36] * 3})

    assert [line for _, line in rows_of(two)] == [
        "0:  .  .  .  .",
        *["    .  .  .  ."] * 3,
        "1:  1  1  1  1",
        *["    1  1  1  1"] * 3,
    ]
    assert len(rows_of(many)) == 18


def test_a_board_of_nine_columns_is_no_list_of_squares() -> None:
    rows = [line for _, line in rows_of(View("Go", {"board": [[None] * 9] * 9}))]

    assert rows == [f"{number}: {' '.join([' .'] * 9)}" for number in range(9)]


def test_a_change_inside_a_dataclass_is_told_by_its_field() -> None:
    before, after = View("Go", {"units": [Unit(0, Suit.CLUBS)]}), View("Go", {"units": [Unit(1, Suit.CLUBS)]})

    assert changed(before, after) == "units 0 owner: 0 → 1"


@pytest.mark.parametrize(
    ("result", "names", "text"),
    [
        (Result(()), ["Ann"], "nobody won"),
        (Result((), text="the bomb went off"), ["Ann", "Bob"], "nobody won: the bomb went off"),
        (Result(()), ["Ann", "Bob"], "a draw"),
    ],
)
def test_a_game_that_nobody_won_is_a_draw_only_between_several(result: Result, names: list[str], text: str) -> None:
    assert ended(result, names) == text


def test_what_is_not_listed_is_told_with_what_it_takes() -> None:
    out = io.StringIO()
    many = [Play("drive", {"card": str(card)}) for card in range(41)]

    show_plays(Screen(out), Words, [*many, Play("ask_for")], ["think", "pair"], "")

    assert out.getvalue().splitlines()[-2:] == [
        "   … and 2 more: drive CARD, ask_for",
        "   type think WORD or pair NUMBER FIRST SECOND; /draw draws one at random",
    ]


@pytest.mark.parametrize(
    ("is_text", "line"),
    [
        (True, "   type your answer; /draw draws one at random"),
        (False, "   type your answer; lists as JSON, such as [1, 2]; /draw draws one at random"),
    ],
)
def test_a_free_answer_is_asked_for(is_text: bool, line: str) -> None:
    out = io.StringIO()

    show_plays(Screen(out), TicTacToe, (), [""], "a name?", text=is_text)

    assert out.getvalue().splitlines() == ["a name?", line]


def test_a_list_of_answers_that_are_too_many_names_no_moves() -> None:
    out = io.StringIO()

    show_plays(Screen(out), TicTacToe, [answer("q", number) for number in range(50)], (), "")

    assert out.getvalue().endswith("   … and 10 more\n")
