"""What `check` finds: every fault that is planted here, and none in the games of the examples."""

import importlib
import io
import itertools
import json
import logging
import os
import random
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from benchmarks.turns import EXAMPLES, example
from netcode.limits import Limits
from netcode.turns import Clock, Free, Game, Hidden, Others, Owned, check, move, options, shown, simulate
from netcode.turns import table as table_module
from netcode.turns.check import Checker
from netcode.turns.language.definition import MoveRule
from netcode.turns.language.imagining import is_open
from netcode.turns.language.marks import Mark
from netcode.turns.proving import playtest, twin, worlds
from netcode.turns.proving.beside import Beside
from netcode.turns.proving.elsewhere import compare
from netcode.turns.proving.findings import Findings
from netcode.turns.proving.growth import MAX_TOLD
from netcode.turns.proving.hushing import Hush
from netcode.turns.proving.report import Report
from netcode.turns.runtime import legal
from netcode.turns.runtime import view as view_module
from netcode.turns.table import Asked, Moved, Status, Table
from netcode.turns.values import Shape

pytestmark = pytest.mark.usefixtures("forks_for_twins")

FLOWS = {
    "crazy_eights": [],
    "love_letter": ["play: aside, deck, hands, played, result, to_move"],
    "uno": ["draw: colour, direction, hands, pile, questions, stock, to_move", "play: hands, stock, to_move"],
    "hanabi": [
        "discard: discarded, hands",
        "hint: known",
        "play: deck, discarded, fireworks, fuses, hands, result, to_move",
    ],
    "draft_and_tricks": ["round: packs, questions"],
    "traders": ["build: goods"],
    "coup": ["act: court, hands, questions, to_move"],
    "battleship": ["fire: fleets, result, shots, sunk, to_move"],
}
"""What tells others of what is hidden, in the games that hide anything: a change here is a change of the rules."""
GAMES, SEED = 6, 1
SOON = {"battleship": (3, 1), "crazy_eights": (4, 1), "traders": (3, 1), "uno": (3, 3)}
"""Of the games that take long: how many, and from which seed on, show every flow."""
NOTHING_HIDDEN = ("tictactoe", "tictactoe_exact", "connect_four", "rock_paper_scissors", "pig", "chess_game")


def problems(game: type[Game], games: int = 6) -> str:
    return "\n".join(check(game, games).problems)


@pytest.mark.games
@pytest.mark.parametrize("name", [*FLOWS, *NOTHING_HIDDEN])
def test_nothing_is_wrong_with_the_examples_and_their_flows_are_these(name: str) -> None:
    games, seed = SOON.get(name, (GAMES, SEED))

    report = check(example(name), games, seed=seed)

    assert (report.problems, report.games, report.notes) == ({}, games, [])
    assert (report.worlds > 0) == (name in FLOWS)
    assert report.flow_lines() == FLOWS.get(name, [])


def _as_it_is(_shape: Shape, data: object) -> object:
    return data


class Cards(Game):
    """Each has three cards; the highest card of three rounds wins a point."""

    stock: Hidden[list[int]]
    hands: Owned[list[list[int]]]
    table: list[int]

    def setup(self) -> None:
        self.stock = [*range(20)]
        self.random.shuffle(self.stock)
        self.hands = [[self.stock.pop() for _ in range(3)] for _ in self.players]
        self.table = []

    def held(self) -> list[int]:
        return self.hands[self.mover]

    @move(card=held)
    def lay(self, card: int) -> None:
        self.hands[self.mover].remove(card)
        self.table.append(card)
        if len(self.table) == 6:
            self.finish(self.table.index(max(self.table)) % 2)


def test_the_cards_that_faults_are_planted_in_are_fine() -> None:
    report = check(Cards, 12)

    assert (report.ok, report.games, report.moves) == (True, 12, 72)
    assert str(report).endswith("no problems")


def test_legality_that_reads_another_hand_is_found() -> None:
    class Peeking(Cards):
        def held(self) -> list[int]:
            other = self.hands[1 - self.mover]
            return [card for card in self.hands[self.mover] if not other or card != min(other) + 1] or self.hands[
                self.mover
            ]

    assert "what lay lists as legal tells of what is hidden" in problems(Peeking, 30)


def test_a_refusal_that_names_a_hidden_card_is_found() -> None:
    class Telling(Cards):
        @move(card=range(20))
        def lay(self, card: int) -> None:
            hand = self.hands[self.mover]
            self.require(card in hand, f"not that one, and the next of the stock is {self.stock[-1]}")
            hand.remove(card)
            self.table.append(card)
            if len(self.table) == 6:
                self.finish()

    assert "what lay is refused with tells of what is hidden" in problems(Telling)


class Questions(Game):
    """Something is hidden, and every refusal names it: what is refused is said by the subclasses."""

    stock: Hidden[list[int]]
    turns: int = 0

    def setup(self) -> None:
        self.stock = self.random.sample(range(20), 20)

    def step(self) -> None:
        self.turns += 1
        if self.turns == 6:
            self.finish()

    def must(self, condition: object) -> None:
        self.require(condition, f"no; and the next card is {self.stock[-1]}")

    @move
    def rest(self) -> None:
        self.step()


class Word(Questions):
    @move(word=Free(str, lambda dice: dice.choice(["plum", "fig"]), lambda text: None if text else "a word"))
    def say(self, word: str) -> None:
        self.must(len(word) == 4)
        self.step()


class TooMany(Questions):
    @move(first=range(200), second=range(200))
    def say(self, first: int, second: int) -> None:
        self.must((first + second) % 2 == 0)
        self.step()


class Closed(Questions):
    """The domain itself refuses, with one value of the first argument."""

    def some(self, first: int) -> list[int]:
        self.must(first != 1)
        return [1, 2]

    @move(first=range(3), second=some)
    def say(self, first: int, second: int) -> None:
        self.step()


class ClosedAfterMany(Questions):
    """The same, after more than is looked at one by one."""

    def some(self, first: int) -> range:
        self.must(first % 7)
        return range(200)

    @move(first=range(1, 200), second=some)
    def say(self, first: int, second: int) -> None:
        self.step()


class ClosedAndTooMany(Questions):
    """The same, where there is more than is listed before it."""

    def some(self, first: int) -> range:
        self.must(first < 120)
        return range(200)

    @move(first=range(200), second=some)
    def say(self, first: int, second: int) -> None:
        self.step()


@pytest.mark.games
@pytest.mark.parametrize("game", [Word, TooMany, Closed, ClosedAfterMany, ClosedAndTooMany])
def test_a_refusal_that_names_a_hidden_card_is_found_where_no_list_has_what_is_refused(game: type[Game]) -> None:
    (found,) = check(game, 2).problems

    assert found.startswith("what say is refused with tells of what is hidden from the seat; ")


class Market(Game):
    """Honest: a domain that refuses lists nothing, also if it does so only in the middle."""

    turns: int = 0

    def goods(self) -> Iterator[str]:
        yield "fish"
        self.require(self.turns % 2, "the market is closed")
        yield "salt"

    def prices(self, good: str) -> range:
        self.require(good != "salt" or self.turns > 2, "there is no salt yet")
        return range(3)

    @move(good=goods, price=prices)
    def buy(self, good: str, price: int) -> None:
        self.rest()

    @move
    def rest(self) -> None:
        self.turns += 1
        if self.turns == 6:
            self.finish()


def test_a_domain_that_refuses_lists_nothing_and_is_fine() -> None:
    report = check(Market, 6)

    assert (report.problems, report.games) == ({}, 6)


def test_draws_that_fail_are_one_problem() -> None:
    class Unlucky(Questions):
        @move(number=Free(int, lambda dice: 1 // dice.randrange(3), lambda _: None))
        def say(self, number: int) -> None:
            self.step()

    class Brittle(Questions):
        @move(number=Free(int, lambda dice: dice.randrange(2), lambda number: None if 1 // number else "no"))
        def say(self, number: int) -> None:
            self.step()

    for game in (Unlucky, Brittle):
        (found,) = check(game, 6).problems
        assert "fails: ZeroDivisionError" in found


def test_a_domain_with_nothing_to_draw_from_is_fine() -> None:
    class Empty(Questions):
        def none(self, word: str) -> list[int]:
            return []

        @move(word=Free(str, lambda _: "word", lambda _: None), number=none)
        def say(self, word: str, number: int) -> None:
            self.step()

    assert problems(Empty, 2) == ""


@pytest.mark.process
def test_a_game_whose_rules_print_is_compared_with_another_process_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loud.py").write_text(
        "from netcode.turns import Game, move\n"
        "class Loud(Game):\n"
        "    count: int = 0\n"
        "    @move\n"
        "    def add(self):\n"
        "        print('counting')\n"
        "        self.count += 1\n"
        "        if self.count == 3: self.finish()\n"
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    assert problems(importlib.import_module("loud").Loud) == ""


class Loud(Game):
    """Says something in every way there is, wherever rules run."""

    count: int = 0
    how: str = "print"

    @options(how=("print", "stderr", "log", "warn", "handler"))
    def setup(self, how: str = "print") -> None:
        self.how = how

    def few(self) -> range:
        self.speak()
        return range(2)

    @move(number=few)
    def add(self, number: int) -> None:
        self.require(number == 0, "nothing else")
        self.speak()
        self.count += 1
        if self.count == 3:
            self.finish()

    def speak(self) -> None:
        match self.how:
            case "print":
                print("\nhow loud\n")  # noqa: T201
            case "stderr":
                sys.stderr.write("how loud\n")
            case "log":
                logging.getLogger("loud").error("how loud")
            case "handler":
                logging.getLogger("loud.with a handler").error("how loud")
            case _:
                warnings.warn("how loud", stacklevel=1)


def as_python_does(message: object, *_what: object) -> None:
    sys.stderr.write(f"{message}\n")


@dataclass
class Unit:
    strength: int = 1


@dataclass(frozen=True)
class Badge:
    """Nothing in it can be changed, so that it does no harm to have it twice."""

    number: int = 1


class Shares(Game):
    """Has one thing in two fields, as `how` says."""

    seats = 1, 1
    how: ClassVar[str]
    deck: list[int] = []
    hand: list[int] = []
    units: dict[str, tuple[Unit, ...]] = {}
    best: Unit | None = None
    badges: list[Badge] = []
    worn: Badge | None = None
    board: list[list[int]] = []

    def setup(self) -> None:
        how, self.deck = self.how, [1, 2]
        self.hand = self.deck if how == "list" else [*self.deck]
        self.units = {"first": (Unit(), Unit(2))}
        self.best = self.units["first"][1] if how == "in a tuple" else None
        self.badges = [Badge()]
        self.worn = self.badges[0] if how == "frozen" else None
        self.board = [[0]] * 3 if how == "rows" else []

    @move
    def play(self) -> None:
        self.deck.pop()
        if self.how == "later":
            self.hand = self.deck
        if not self.deck:
            self.finish(0)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("list", ["deck and hand hold one list"]),
        ("later", ["deck and hand hold one list"]),
        ("in a tuple", ["units and best hold one Unit"]),
        ("frozen", []),
        ("rows", []),
        ("copy", []),
    ],
)
def test_what_two_fields_share_is_told_since_it_is_two_things_from_then_on(how: str, told: list[str]) -> None:
    report = check(type("Shares", (Shares,), {"how": how}), 2)

    notes = [note.partition(" where a rule ends, and from then on each has its own: ") for note in report.notes]
    assert report.ok
    assert [what for what, found, _ in notes if found] == told


@dataclass
class Colour:
    shade: int


class Card(Colour, Enum):
    RED = 1
    BLUE = 2


class Coloured(Game):
    seats = 1, 1
    top: Card = Card.RED
    bottom: Card = Card.RED

    @move
    def play(self) -> None:
        self.top = self.bottom = Card.BLUE
        self.finish(0)


def test_a_member_of_an_enum_is_nothing_that_two_fields_share() -> None:
    assert check(Coloured, 2).notes == []


class SharesInRound(Shares):
    """Has one list in two fields only once a round has run."""

    how = "copy"

    @move
    def play(self) -> None:
        self.deck.pop()
        self.turn_to()

    def round(self) -> None:
        if not self.deck:
            self.finish(0)
        elif len(self.deck) == 1:
            self.hand = self.deck
        self.turn_to(0)


def test_what_a_round_shares_is_told() -> None:
    report = check(SharesInRound, 2)

    assert [note for note in report.notes if note.startswith("deck and hand hold one list where a rule ends")]


@pytest.mark.parametrize("how", ["print", "stderr", "log", "handler", "warn"])
def test_what_rules_say_is_kept_back_and_is_one_note(
    how: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    handler = logging.StreamHandler()
    monkeypatch.setattr(logging.getLogger("loud"), "propagate", False)
    monkeypatch.setattr(logging.getLogger("loud.with a handler"), "handlers", [handler])
    streams = sys.stdout, sys.stderr, sys.stdin, handler.stream

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", as_python_does)
        report = check(Loud, 3, options={"how": how})

    assert report.problems == {}
    (note,) = (note for note in report.notes if "the rules print or log, " in note)
    assert " lines, which was kept back; first 'how loud' by Loud.few, at " in note
    assert "test_check.py:" in note
    assert capsys.readouterr() == ("", "")
    assert (sys.stdout, sys.stderr, sys.stdin, handler.stream) == streams


def test_a_rule_that_waits_for_somebody_to_type_is_a_bug(capsys: pytest.CaptureFixture[str]) -> None:
    class Asking(Loud):
        def speak(self) -> None:
            input("how loud\n")

    report = check(Asking, 1)

    assert "EOFError" in str(report.problems)
    assert capsys.readouterr() == ("", "")


def test_what_others_say_while_games_are_played_comes_through(capsys: pytest.CaptureFixture[str]) -> None:
    hush = Hush()
    with hush.on():
        print("from outside", flush=True)  # noqa: T201
        assert not sys.stdout.isatty()

    assert capsys.readouterr().out == "from outside\n"
    assert hush.note() == ""


def test_where_there_are_no_standard_streams_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)

    with Hush().on():
        print("nobody hears it", flush=True)  # noqa: T201
        assert not sys.stdout.isatty()

    assert sys.stdout is None


def test_another_process_loads_a_game_by_its_module_or_by_its_file_and_answers_with_digests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "nowhere_to_be_imported.py"
    file.write_text((EXAMPLES / "tictactoe.py").read_text(encoding="utf-8") + "print('loaded')\n", encoding="utf-8")
    job: list[Any] = [sys.path, file.stem, str(file), "TicTacToe", [(1, 2, "80", ""), (2, 2, "80", "")]]
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(job)))
    monkeypatch.setattr(sys, "path", [*sys.path])
    state = random.getstate()

    twin.main()

    random.setstate(state)
    game = twin.load(file.stem, "", "TicTacToe")
    sys.modules.pop(file.stem)
    out, err = capsys.readouterr()
    assert (json.loads(out), err) == ([twin.digest(game, twin.Job(seed, 2, {})) for seed in (1, 2)], "loaded\n")


def test_the_log_says_once_what_fails_again_and_again_and_the_report_how_often(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Fails(Game):
        @move(n=range(9))
        def go(self, n: int) -> None:
            [][n]

    report = check(Fails, 3)

    (message,) = caplog.messages
    assert message.endswith("IndexError: list index out of range\n")
    assert report.notes[-1] == "the log says once what came up more often: Fails: IndexError, 27 times"


@pytest.mark.process
def test_a_process_that_cannot_play_the_game_says_why() -> None:
    class Unknown(Cards):
        """A class that no other process can find."""

    Unknown.__qualname__ = "Unknown"

    assert twin.digests(Unknown, [twin.Job(1, 2, {})]) == [
        f"AttributeError: module '{Unknown.__module__}' has no attribute 'Unknown'"
    ]


def test_a_process_that_was_started_to_compare_starts_none_where_the_file_of_the_game_checks_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", twin.__spec__)

    report = check(Cards, 1)

    assert report.notes == ["not compared with another process: it runs in one that compares"]


@pytest.mark.process
def test_a_process_that_is_not_through_with_a_game_is_given_up() -> None:
    with pytest.raises(TimeoutError, match="one was not through with the same games after 0 seconds"):
        twin.digests(Cards, [twin.Job(1, 2, {})], 0.0)


def test_a_process_that_takes_long_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def give_up(*_job: object) -> list[str]:
        raise TimeoutError("one was not through with the same games after 60 seconds")

    monkeypatch.setattr(twin, "digests", give_up)
    checker = Checker(Cards, {}, 60.0)

    checker.compare_processes(1, 1)

    slow = "that other processes play the same game: one was not through with the same games after 60 seconds"
    assert (checker.report.unproved, checker.report.ok) == ([slow], True)


def test_a_hidden_field_that_is_shown_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view_module, "blank", _as_it_is)

    found = problems(Cards)

    assert "a spectator sees in stock what is hidden from it" in found
    assert "a seat sees in hands what is hidden from it" in found


def test_owned_and_others_mixed_up_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def mixed_up(mark: Mark, entry: int, seat: int | None) -> bool:
        return is_open(Mark.OTHERS if mark is Mark.OWNED else Mark.OWNED, entry, seat)

    monkeypatch.setattr(view_module, "is_open", mixed_up)

    assert "a seat sees in hands what is hidden from it" in problems(Cards)


@pytest.mark.games
def test_a_spectator_who_sees_a_fleet_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_open(mark: Mark, entry: int, seat: int | None) -> bool:
        return seat is None or is_open(mark, entry, seat)

    monkeypatch.setattr(view_module, "is_open", too_open)

    assert "a spectator sees in fleets what is hidden from it" in problems(example("battleship"), 1)


def test_arguments_in_events_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def told_too_much(seat: int, name: str | None) -> Moved:
        return Moved(seat, f"{name} and what with")

    monkeypatch.setattr(table_module, "Moved", told_too_much)
    monkeypatch.setattr(playtest, "Moved", Moved)

    assert "others are told more of a move than its name" in problems(Cards)


@pytest.mark.games
def test_a_prompt_to_all_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    question = Table.question

    def to_all(self: Table, seat: int) -> Asked | None:
        asked = question(self, seat)
        return (
            asked if self.course.suspension is None else asked or Asked("1", self.course.suspension.question.prompt, ())
        )

    monkeypatch.setattr(Table, "question", to_all)

    assert "a seat that is not asked learns of a question" in problems(example("coup"), 1)


@pytest.mark.games
def test_a_game_that_reveals_nothing_and_publishes_its_seed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Discreet(Cards):
        reveal = False

    assert problems(Discreet) == ""
    status = Table.status

    def with_the_seed(self: Table, now: float) -> Status:
        return status(self, now)._replace(secret=b"seed")

    monkeypatch.setattr(Table, "status", with_the_seed)

    assert "reveal = False, and the seed is published" in problems(Discreet)


class SetOrder(Game):
    words: set[str] = {"alpha", "beta", "gamma", "delta", "epsilon"}
    first: str = ""

    @move
    def look(self) -> None:
        self.first = next(iter(self.words))
        self.words.discard(self.first)
        if not self.words:
            self.finish()


def test_a_rule_that_depends_on_the_order_of_a_set_is_found() -> None:
    found = problems(SetOrder)

    assert "in another process" in found or "after a restart" in found


class ToldInSetOrder(Game):
    words: set[str] = {"red", "blue"}

    @move
    def look(self) -> None:
        for word in self.words:
            self.tell(word)
        self.finish()


class ListedInSetOrder(Game):
    words: set[str] = {"red", "blue"}

    def some(self) -> list[str]:
        return [*self.words]

    @move(word=some)
    def look(self, word: str) -> None:
        self.finish()


class WonInSetOrder(Game):
    words: set[str] = {"red", "blue"}

    @move
    def look(self) -> None:
        self.finish(*(int(word == "red") for word in self.words))


class ShownInSetOrder(Game):
    words: set[str] = {"red", "blue"}

    @shown
    def sight(self, seat: int) -> list[str]:
        return [*self.words]

    @move
    def look(self) -> None:
        self.finish()


class LateInSetOrder(Game):
    words: set[str] = {"red", "blue"}
    first: str = ""

    def timeout(self, seat: int) -> None:
        self.first = next(iter(self.words))

    @move
    def look(self) -> None:
        self.finish()


class AnsweredInSetOrder(Game):
    words: set[str] = {"red", "blue"}

    @move
    def look(self) -> None:
        self.ask(self.mover, sorted(self.words), "which?", default=next(iter(self.words)))
        self.finish()


@pytest.mark.parametrize(
    "game", [ToldInSetOrder, ListedInSetOrder, WonInSetOrder, ShownInSetOrder, LateInSetOrder, AnsweredInSetOrder]
)
def test_a_set_of_two_is_in_one_order_in_some_process_and_in_the_other_in_another(game: type[Game]) -> None:
    found = {repr(twin.digests(game, [twin.Job(1, 2, {})], hash_seed=seed)) for seed in twin.HASH_SEEDS}

    assert len(found) == 2
    (found_here,) = check(game, 2).problems
    assert found_here.startswith("the same seed gives another game in another process: does a rule go through a set, ")
    assert re.search(r"\? Look at \S+test_check\.py:\d+: `sorted\(…\)` is the same everywhere$", found_here)


class SevenInSetOrder(Game):
    """Wrong where seven play, and no fewer."""

    seats = 2, 8
    words: set[str] = {"red", "blue"}
    first: str = ""

    @move
    def look(self) -> None:
        self.first = next(iter(self.words)) if len(self.players) > 6 else ""
        self.finish()


@pytest.mark.process
def test_a_game_with_each_number_of_players_is_compared_with_another_process() -> None:
    (found,) = check(SevenInSetOrder, 7).problems

    assert found.startswith("the same seed gives another game in another process: ")


@pytest.mark.process
def test_what_rules_print_by_the_descriptor_is_no_answer_of_another_process(capfd: pytest.CaptureFixture[str]) -> None:
    assert problems(PrintsByDescriptor, 2) == ""
    assert "printed" in capfd.readouterr().out


class PrintsByDescriptor(Game):
    @move
    def look(self) -> None:
        getattr(os, "write")(1, b"printed")  # noqa: B009 - which is not read off the source
        self.finish()


def test_a_game_that_fails_only_when_it_is_played_again_is_a_finding() -> None:
    count = itertools.count()

    class Worn(Game):
        def setup(self) -> None:
            if next(count) == 2:  # the first game is played twice
                raise LookupError("worn out")

        @move
        def look(self) -> None:
            self.finish()

    assert check(Worn, 1).problems == {"Worn fails: LookupError: worn out": "in another game"}


def test_a_foreign_random_is_found() -> None:
    class Foreign(Game):
        die: int = 0

        @move
        def roll(self) -> None:
            self.die = getattr(random, "randint")(1, 1_000_000)  # noqa: B009 - which is not read off the source
            if self.die % 3 == 0:
                self.finish()

    assert "does a rule use the module `random`" in problems(Foreign)


def test_a_refusal_after_a_draw_is_found() -> None:
    class Late(Game):
        pot: int = 0

        @move
        def roll(self) -> None:
            die = self.random.randint(1, 6)
            self.require(die > 0, "never")
            self.pot += die
            if self.pot > 20:
                self.finish(self.mover)

    assert "Late.roll calls require() after it drew" in problems(Late)


def test_a_question_that_changes_on_the_second_run_is_found() -> None:
    count = itertools.count()

    class Fickle(Game):
        asked: int = 0

        @move
        def go(self) -> None:
            self.asked = self.ask(self.mover, [next(count), next(count)], "which?")
            self.finish()

        @move
        def stop(self) -> None:
            self.finish()

    assert "Fickle.go asks something else when it runs again" in problems(Fickle) or "after a restart" in problems(
        Fickle
    )


def test_where_the_same_moves_give_another_game_is_said() -> None:
    numbers = itertools.count()

    class Numbered(Game):
        number: int = 0
        moves: int = 0

        def setup(self) -> None:
            self.number = next(numbers)

        @move
        def go(self) -> None:
            self.moves += 1
            if self.moves == 3:
                self.finish()

    class Counted(Numbered):
        def setup(self) -> None: ...

        @move
        def go(self) -> None:
            self.number = next(numbers)
            Numbered.go.rule(self)

    (at_first,), (later,) = (check(game, 1).problems for game in (Numbered, Counted))

    assert (
        "a variable beside the game? It differs after setup(): number. Beside the fields the rules change numbers of"
        in at_first
    )
    assert "a variable beside the game? It differs after go: number. Beside the fields" in later


def test_a_tuple_that_is_lost_in_storage_is_found() -> None:
    class Lost(Game):
        pairs: list[Any] = []

        @move
        def add(self) -> None:
            self.pairs.append((1, 2))
            if len(self.pairs) == 3:
                self.finish()

    assert "after Lost.add, Lost.pairs[0] is a tuple" in problems(Lost)


def test_a_deadlock_is_found() -> None:
    class Stuck(Game):
        left: list[int] = [1, 2, 3]

        def remaining(self) -> list[int]:
            return self.left

        @move(which=remaining)
        def take(self, which: int) -> None:
            self.left.remove(which)

        @move(much=range(2))
        def bid(self, much: int) -> None:
            self.require(False, f"{len(self.left)} lie there")

        def nothing(self) -> list[int]:
            self.require(False, "there is nothing")
            return []

        @move(what=nothing)
        def sell(self, what: int) -> None: ...

    (stuck,) = check(Stuck, 1).problems

    why = "take lists nothing; bid is refused: 0 lie there; sell is refused: there is nothing"
    assert stuck == f"nobody can do anything, and the game is not over: a deadlock; seat 1 is to move: {why}"


@pytest.mark.parametrize(
    ("spared", "why"),
    [
        (1, "; seats 0 and 2 are to move: go is refused: not, not yet; seat 1 is to move: go is refused: enough"),
        (9, "; seats 0, 1 and 2 are to move: go is refused: not, not yet"),
    ],
)
def test_a_deadlock_of_several_says_it_of_each(spared: int, why: str) -> None:
    class Still(Game):
        seats = 3, 3

        def setup(self) -> None:
            self.turn_to(*self.players)

        @move
        def go(self) -> None:
            self.require(False, "enough" if self.mover == spared else "not, not yet")

    (stuck,) = check(Still, 1).problems

    assert stuck == f"nobody can do anything, and the game is not over: a deadlock{why}"


def test_an_endless_game_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(Game):
        @move
        def wait(self) -> None:
            pass

    monkeypatch.setattr(playtest, "MAX_MOVES", 300)

    assert problems(Endless, 1) == "a game does not end within 300 moves"


def test_a_bug_behind_a_legal_move_is_found() -> None:
    class Buggy(Game):
        @move
        def go(self) -> None:
            self.turn_to(next(seat for seat in self.players if seat > 5))

        @move
        def stop(self) -> None:
            self.finish()

    report = check(Buggy, 12)

    (bug,) = report.problems
    assert bug.startswith("Buggy fails: StopIteration")
    (refused,) = report.follows[bug]
    assert refused.startswith("go is listed as legal, and refused: the rules failed at this")
    assert "    1 more finding may follow from it; mend it, and check again" in str(report).splitlines()
    assert str(report).endswith("\n  1 problem")


def test_of_one_bug_that_has_many_faces_one_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playtest, "MAX_MOVES", 50)

    class Forgetful(Game):
        count: int = 0

        @move(number=range(3))
        def add(self, number: int) -> None:
            chosen = self.ask(self.mover, [1, 2], f"which, {next(CALLS)}?")
            self.count += chosen + number

        @shown
        def sight(self, seat: int) -> int:
            raise LookupError(self.count)

    report = check(Forgetful, 3)

    bug, changes = report.problems
    assert bug.startswith("Forgetful.sight fails: LookupError")
    assert (
        changes == "Forgetful.add asks something else when it runs again with the answer; it may depend on `self` alone"
    )
    assert report.follows[bug] == [
        "after a restart the table is not what it was; does a rule depend on more than `self`?",
        "an answer is refused, and changes something all the same",
        "a game does not end within 50 moves",
    ]
    assert str(report).endswith("\n  2 problems")


CALLS = itertools.count()


def test_the_same_failure_of_several_rules_or_with_other_numbers_is_told_once() -> None:
    findings = Findings(where="here")
    for what in (
        "A.go fails: KeyError: 3",
        "A.sight fails: KeyError: 4",
        "A.go fails: KeyError: 'x'",
        "B fails: OSError",
    ):
        findings.begin()
        findings.add(what, breaks=True)
        findings.symptom("nobody can do anything")
        findings.settle()

    assert findings.problems == {"A.go fails: KeyError: 3": "here", "B fails: OSError": "here"}
    assert findings.follows == {
        "A.go fails: KeyError: 3": ["nobody can do anything", "A.sight fails: KeyError: 4", "A.go fails: KeyError: 'x'"]
    }


def test_what_is_wrong_in_a_game_where_nothing_else_is_stands_for_itself() -> None:
    findings = Findings()
    findings.add("calls require() late")
    findings.symptom("nobody can do anything")
    findings.symptom("a restart changes it")
    findings.settle()

    assert [*findings.problems] == ["calls require() late", "nobody can do anything"]
    assert findings.follows == {"nobody can do anything": ["a restart changes it"]}


def test_an_imagination_that_fails_is_found_with_its_line() -> None:
    class Dreamer(Cards):
        def imagine(self, seat: int) -> None:
            self.hands[1 - seat] = self.random.sample(self.stock, 40)

    (found,) = check(Dreamer, 2).problems

    line = Dreamer.imagine.__code__.co_firstlineno + 1
    assert found.startswith("Dreamer.imagine fails: ValueError: Sample larger than population or is negative, at ")
    assert f"test_check.py:{line}; a bot cannot think ahead there: mend it" in found


def test_an_imagination_of_what_cannot_be_stored_is_found() -> None:
    class Dreamer(Cards):
        def imagine(self, seat: int) -> None:
            self.hands[1 - seat] = ["ace"]  # type: ignore[list-item] # pyright: ignore

    (found,) = check(Dreamer, 2).problems

    assert found.startswith("Dreamer.imagine fails: RulesError: ")


def test_an_imagination_that_drops_what_cannot_be_is_fine() -> None:
    class Doubter(Cards):
        def imagine(self, seat: int) -> None:
            super().imagine(seat)
            self.require(sum(self.hands[1 - seat]) % 2 == 0, "they hold an even sum")

    assert check(Doubter, 2).ok


def test_an_imagination_that_always_refuses_or_tells_of_the_open_proves_nothing_and_that_is_told() -> None:
    class Doubter(Cards):
        def imagine(self, seat: int) -> None:
            self.require(not self.stock, "who knows?")

    class Cheating(Cards):
        def imagine(self, seat: int) -> None:
            self.table.append(99)

    refusing, cheating = check(Doubter, 3), check(Cheating, 3)

    nothing = "that nothing hidden leaks to a seat: there was no other world to compare with; imagine(self, seat) "
    assert refusing.unproved == [f"{nothing}refuses each time, so that bots do not think ahead either"]
    assert cheating.unproved == [f"{nothing}writes to what the seat does not see, and to nothing else"]
    assert f"  not proved: {refusing.unproved[0]}" in str(refusing).splitlines()


MEDDLING: dict[str, Callable[[Any], object]] = {
    "asks": lambda game: game.ask(0, [1, 2], "which?"),
    "draws": lambda game: game.random.random(),
    "ends": lambda game: game.finish(0),
    "refuses": lambda game: game.require(False, "no"),
    "tells": lambda game: game.tell("well"),
    "turns": lambda game: game.turn_to(0),
    "leaves": lambda game: game.out(1),
    "writes": lambda game: game.stock.pop(),
}
PLAYS = "draws, asks, plays or ends the game; @shown only looks, whenever somebody does: let a move do that, and keep in a field"
LISTS = "; it only lists what may be chosen: let a move do that"
SHOWS = "; it only looks, whenever somebody does: let a move do that"


@pytest.mark.games
@pytest.mark.parametrize(
    ("verb", "shows", "lists"),
    [
        ("asks", PLAYS, "draws, asks or ends the game; it only lists: let a move do that"),
        ("draws", PLAYS, "draws, asks or ends the game; it only lists: let a move do that"),
        ("ends", PLAYS, "draws, asks or ends the game; it only lists: let a move do that"),
        ("refuses", "refuses by require(), where nobody is refused; return what is to be seen instead, or None", ""),
        ("tells", f"tells players something{SHOWS}", f"tells players something{LISTS}"),
        ("turns", f"gives the turn{SHOWS}", f"gives the turn{LISTS}"),
        ("leaves", f"takes a seat out{SHOWS}", f"takes a seat out{LISTS}"),
        ("writes", f"writes to stock{SHOWS}", f"writes to stock{LISTS}"),
    ],
)
def test_what_only_looks_and_does_more_is_told_what_it_may_not(verb: str, shows: str, lists: str) -> None:
    do = MEDDLING[verb]

    class Showing(Cards):
        @shown
        def sight(self, seat: int) -> int:
            do(self)
            return 1

    class Listing(Cards):
        def held(self) -> list[int]:
            if self.table and verb == "refuses":
                return super().held()
            do(self)
            return super().held()

    found, also = problems(Showing, 2), problems(Listing, 2)

    assert f"Showing.sight {shows}" in found
    assert f"Listing.lay: the domain of card {lists}" in also if lists else "the domain" not in also


@pytest.mark.parametrize("verb", ["asks", "draws", "ends", "tells", "turns", "leaves"])
def test_a_check_of_a_free_answer_that_does_more_than_look_is_told(verb: str) -> None:
    class Checked(Cards):
        def look(self, _: int) -> None:
            MEDDLING[verb](self)

        @move
        def guess(self) -> None:
            self.ask(self.mover, Free(int, lambda dice: dice.randrange(9), self.look), "how many?")
            self.finish()

    found = problems(Checked, 4)

    assert "the check of a Free draws, " in found
    assert "; it only looks at the value" in found


def test_an_imagination_that_tells_or_gives_the_turn_is_found() -> None:
    class Telling(Cards):
        def imagine(self, seat: int) -> None:
            super().imagine(seat)
            self.tell("I wonder")

    class Turning(Telling):
        def imagine(self, seat: int) -> None:
            self.turn_to(seat)

    assert [problems(game, 2) for game in (Telling, Turning)] == [
        f"{name}.imagine tells players something or gives the turn, in a game that nobody plays; it only writes to fields, "
        "as they might be"
        for name in ("Telling", "Turning")
    ]


def test_what_has_not_come_up_is_told() -> None:
    class Sealed(Game):
        secret: Hidden[int] = 3
        steps: int = 0

        def timeout(self, seat: int) -> None:
            self.finish()

        @move
        def step(self) -> None:
            self.require(self.steps < 100, "far enough")
            self.steps += 1
            if self.steps == 4:
                self.finish()

        @move(undo=True)
        def peek(self) -> None:
            self.require(self.steps == 10, "too early")

    class Brief(Game):
        def setup(self) -> None:
            self.finish()

        def timeout(self, seat: int) -> None:
            self.finish()

        @move
        def step(self) -> None: ...

    why = "; say what could be in imagine(self, seat)"
    assert check(Sealed, 3).unproved == [
        "anything of peek: never made in these games; play more, or other options",
        "that step changes nothing where the rules refuse it: they never did",
        f"that nothing hidden leaks to a seat: there was no other world to compare with{why}",
        "undo=True of peek: not made in any other world",
    ]
    assert "timeout(): it never was somebody's turn where it was tried" in check(Brief, 2).unproved
    assert check(Cards, 3).unproved == []


def test_an_imagination_that_plays_is_found() -> None:
    class Asking(Cards):
        def imagine(self, seat: int) -> None:
            self.stock[0] = self.ask(seat, [1, 2], "which?")

    class Ending(Cards):
        def imagine(self, seat: int) -> None:
            self.finish()

    class Leaving(Cards):
        def imagine(self, seat: int) -> None:
            self.out(1 - seat)

    for game in (Asking, Ending, Leaving):
        (found,) = check(game, 2).problems
        assert found == (
            f"{game.__name__}.imagine asks, ends the game or takes a seat out of it; it only writes to fields, as they "
            "might be"
        )


def test_a_world_that_could_not_be_hides_no_finding_where_it_is_asked_which_field_tells() -> None:
    class Twins(Cards):
        one: Hidden[int]
        other: Hidden[int]

        def setup(self) -> None:
            super().setup()
            self.imagine(0)

        def imagine(self, seat: int) -> None:
            self.one = self.other = self.random.randrange(6)

        def held(self) -> list[int]:
            hand = self.hands[self.mover]
            return hand[[self.one][self.one - self.other] % 2 :] or hand

    found = problems(Twins, 6)

    assert "what lay lists as legal tells of what is hidden from the seat: " in found
    assert "IndexError" not in found


def test_a_game_that_cannot_be_set_up_is_a_finding() -> None:
    class Unready(Game):
        board: list[int]

        def setup(self) -> None:
            self.board = [next(seat for seat in self.players if seat > 5)]

        @move
        def go(self) -> None: ...

    report = check(Unready, 2)

    line = Unready.setup.__code__.co_firstlineno + 1
    assert report.problems == {
        f"Unready.setup() fails: StopIteration: , at {__file__}:{line}": "with seed 1 and 2 players, at the start"
    }


@pytest.mark.games
def test_hidden_sets_and_tuples_differ_between_worlds_as_lists_do() -> None:
    class Bagged(Game):
        seats = 3, 3
        stock: Hidden[set[int]] = {*range(6)}
        hands: Owned[list[set[int]]]
        last: Hidden[tuple[int, ...]] = ()

        def setup(self) -> None:
            cards = [*range(20, 26)]
            self.random.shuffle(cards)
            self.hands = [{cards.pop(), cards.pop()} for _ in self.players]

        def held(self) -> set[int]:
            return self.hands[self.mover]

        @move(card=held)
        def lay(self, card: int) -> None:
            self.hands[self.mover].remove(card)
            self.stock.remove(max(self.stock))
            self.last = (*self.last, card)
            if not any(self.hands):
                self.finish()

    class Peeking(Bagged):
        def held(self) -> set[int]:
            other = self.hands[self.after(self.mover)]
            return {card for card in self.hands[self.mover] if card + 1 not in other} or self.hands[self.mover]

    report = check(Bagged, 12)

    assert report.problems == {}
    assert report.worlds > 200
    assert "what lay lists as legal tells of what is hidden" in problems(Peeking)


def test_a_rule_that_raises_instead_of_requiring_is_found() -> None:
    class Raising(Game):
        count: int = 0

        @move(number=range(9))
        def add(self, number: int) -> None:
            if number < self.count:
                raise ValueError("too small")
            self.count = number
            if number > 6:
                self.finish()

    assert problems(Raising).startswith("Raising.add fails: ValueError: too small, at ")


def test_a_domain_that_fails_is_found() -> None:
    class Failing(Game):
        stock: list[int] = [1, 2, 3]

        def top(self) -> list[int]:
            return [self.stock[-1]]

        @move(card=top)
        def draw(self, card: int) -> None:
            self.stock.remove(card)

    line = Failing.top.__code__.co_firstlineno + 1
    fails = "Failing.draw: the domain of card fails: IndexError: list index out of range"
    assert problems(Failing) == f"{fails}, at {__file__}:{line}"


def test_a_claim_that_nothing_is_learnt_is_proved_wrong() -> None:
    class Peeking(Game):
        stock: Hidden[list[int]]
        top: int = -1

        def setup(self) -> None:
            self.stock = [*range(20)]
            self.random.shuffle(self.stock)

        @move(undo=True)
        def turn_over(self) -> None:
            self.top = self.stock.pop()
            if not self.stock:
                self.finish()

    assert "turn_over says undo=True, and its mover learns by it" in problems(Peeking)


def test_what_a_move_tells_and_asks_somebody_is_among_its_flows() -> None:
    class Thieves(Cards):
        @move(card=Cards.held)
        def lay(self, card: int) -> None:
            other = 1 - self.mover
            if len(self.stock) > 1:
                self.stock.remove(self.ask(other, self.stock[-2:], "which of these two goes?"))
                self.tell("the next is seen", to=[other], card=self.stock[-1])
            super().lay(card)

    report = check(Thieves, 6)

    assert report.ok
    assert {"questions", "tells"} <= report.flows["lay"]


def test_what_is_shown_is_among_the_flows() -> None:
    class Foggy(Cards):
        @shown
        def highest(self, seat: int) -> int:
            return max(map(max, filter(None, self.hands)), default=0)

    report = check(Foggy, 12)

    # The end opens the stock.
    assert report.flow_lines() == ["@shown highest: the fields that it reads", "lay: highest, stock"]
    assert report.ok


def test_cards_that_others_hold_for_one_are_hidden_from_their_holder() -> None:
    class Held(Cards):
        hands: Others[list[list[int]]]

    assert "what lay lists as legal tells of what is hidden from the seat" in problems(Held)


# Other worlds


class Counted(Game):
    """Hands are counted by rank, and nobody sees of which ranks another one has cards."""

    hands: Owned[list[dict[str, int]]]
    turns: int = 0

    def setup(self) -> None:
        deck = [*"AAABBBCCCDDD"]
        self.random.shuffle(deck)
        self.hands = [
            {card: deck[3 * seat : 3 * seat + 3].count(card) for card in deck[3 * seat : 3 * seat + 3]}
            for seat in (0, 1)
        ]

    @move
    def wait(self) -> None:
        self.turns += 1
        if self.turns == 4:
            self.finish()


class Fishing(Counted):
    @move(rank="ABCD")
    def fish(self, rank: str) -> None:
        self.require(rank in self.hands[1 - self.mover], "they have none of those")
        self.wait()


class Piles(Game):
    """How deep each of four piles is, nobody sees."""

    piles: Hidden[list[list[int]]]
    turns: int = 0

    def setup(self) -> None:
        self.piles = [[1] * self.random.randrange(1, 6) for _ in range(4)]

    @move(pile=range(4))
    def dig(self, pile: int) -> None:
        self.require(len(self.piles[pile]) > 2, "that pile is too low")
        self.wait()

    @move
    def wait(self) -> None:
        self.turns += 1
        if self.turns == 4:
            self.finish()


def _three_letters(dice: random.Random) -> str:
    return "".join(dice.choice("AB") for _ in range(3))


class Guesses(Game):
    """A guess of which nothing is right is refused, which tells more than it should."""

    code: Hidden[str]
    tries: int = 0

    def setup(self) -> None:
        self.code = _three_letters(self.random)

    @move(guess=Free(str, _three_letters, lambda text: None if len(text) == 3 else "three letters"))
    def guess(self, guess: str) -> None:
        self.require(any(map(str.__eq__, guess, self.code)), "none of these is right")
        self.tries += 1
        if guess == self.code or self.tries == 5:
            self.finish(self.mover)


class Wide(Counted):
    """What may be asked for is too much to be listed, and depends on what another one holds."""

    @move(rank="ABCD", since=range(20_000))
    def ask_for(self, rank: str, since: int) -> None:
        self.require(rank in self.hands[1 - self.mover], "the other one has not got that")
        self.turns += since >= 0
        if self.turns == 4:
            self.finish()


@pytest.mark.parametrize(
    ("game", "what"),
    [
        (Fishing, "what fish lists as legal tells"),
        (Piles, "what dig lists as legal tells"),
        (Guesses, "whether guess is refused tells"),
        (Wide, "whether ask_for is refused tells"),
    ],
)
def test_legality_that_reads_what_is_hidden_is_found_however_that_is_kept(game: type[Game], what: str) -> None:
    assert f"{what} of what is hidden from the seat" in problems(game, 20)


class Envelope(Game):
    """What is hidden is of several kinds and sizes, and that is seen."""

    envelope: Hidden[list[int] | None] = None
    box: Hidden[Any] = None
    bids: Owned[list[list[int] | None]] = [None, None]
    turns: int = 0

    @move
    def fill(self) -> None:
        self.turns += 1
        self.bids[self.mover] = [*(self.bids[self.mover] or []), self.turns]
        self.envelope = None if self.turns % 3 == 0 else [self.random.randrange(9) for _ in range(self.turns)]
        self.box = {"a": self.turns} if self.turns % 2 else [self.turns] * self.turns
        if self.turns == 6:
            self.finish()


class Thief(Game):
    """One of the guests is the thief, always: a world without one is none."""

    seats = 3, 4
    roles: Owned[list[str]]

    def setup(self) -> None:
        self.roles = ["guest" for _ in self.players]
        self.roles[self.random.choice(self.players)] = "thief"

    def others(self) -> list[int]:
        return [seat for seat in self.alive if seat != self.mover]

    @move(seat=others)
    def accuse(self, seat: int) -> None:
        thief = self.roles.index("thief")
        self.require(seat != self.mover, "not yourself")
        if seat == thief or len(self.alive) == 2:
            self.finish(self.mover)
        else:
            self.out(seat)


class Said(Thief):
    """The same, and what could be is said by the game."""

    def imagine(self, seat: int) -> None:
        others = [other for other in self.players if other != seat]
        if self.roles[seat] != "thief":
            thief = self.random.choice(others)
            for other in others:
                self.roles[other] = "thief" if other == thief else "guest"


@pytest.mark.parametrize("game", [Counted, Envelope, Thief, Said])
def test_nothing_is_found_where_a_world_that_could_not_be_is_all_that_differs(
    game: type[Game], caplog: pytest.LogCaptureFixture
) -> None:
    report = check(game, 20)

    assert (report.problems, caplog.text) == ({}, "")
    assert report.worlds > 20


def test_what_a_game_imagines_of_what_a_seat_sees_is_no_other_world() -> None:
    class Cheating(Cards):
        def imagine(self, seat: int) -> None:
            self.hands[seat].reverse()
            self.table.append(99)

    class Refusing(Cards):
        def imagine(self, seat: int) -> None:
            self.require(False, "nothing could be")

    assert (problems(Cheating), problems(Refusing)) == ("", "")


def test_positions_of_other_games_are_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worlds, "MAX_ALIKE", 2)
    monkeypatch.setattr(worlds, "MAX_KEPT", 100)
    kept = worlds.Worlds(Cards)
    for seed in range(9):
        for moves in (0, 1, 0):
            kept.gather(simulate(Cards, seed, limit=moves).table)

    # A position has 20 bytes of cards at most; the one that came up last is the beginning.
    assert 0 < sum(map(worlds._size, itertools.chain.from_iterable(kept.positions.values()))) <= 100
    assert len([*kept.positions.values()][-1]) == 2


class Shut(Game):
    """A card that each seat is shown, of a field that nobody sees: what is legal may depend on it."""

    _cards: list[int] = []

    def setup(self) -> None:
        self._cards = [self.random.randrange(2) for _ in self.players]

    @shown
    def card(self, seat: int) -> int:
        return self._cards[seat]

    @move(bet=range(2))
    def say(self, bet: int) -> None:
        self.require(bet <= self._cards[self.mover], "your card is too low")
        self.finish(self.mover)


class Spy(Game):
    """Who the spy is, everybody with a card of another kind knows not to be it: a guess has to obey that."""

    seats = 3, 3
    spy: Hidden[int] = 0
    card: Owned[list[str]] = []
    waits: int = 0

    def setup(self) -> None:
        self.spy = self.random.randrange(3)
        self.card = ["spy" if seat == self.spy else "beach" for seat in self.players]

    def imagine(self, seat: int) -> None:
        if self.card[seat] != "spy":
            self.spy = self.random.choice([other for other in self.players if other != seat])
        self.card = ["spy" if one == self.spy else "beach" for one in self.players]

    @move
    def show(self) -> None:
        self.require(self.spy == self.mover, "you are not the spy")
        self.finish(self.mover)

    @move
    def wait(self) -> None:
        self.waits += 1
        if self.waits == 6:
            self.finish()


class Shrugging(Game):
    """A field that nobody sees and everybody knows, for those who followed the game: nothing could be there."""

    _passes: int = 0
    moves: int = 0

    def imagine(self, seat: int) -> None:
        pass

    @move
    def skip(self) -> None:
        self.require(self._passes < 2, "you have passed twice")
        self._passes += 1
        self.go()

    @move
    def go(self) -> None:
        self.moves += 1
        if self.moves == 6:
            self.finish()


@pytest.mark.parametrize("game", [Shut, Spy, Shrugging])
def test_what_a_seat_is_shown_or_what_the_game_says_could_be_is_believed(game: type[Game]) -> None:
    assert problems(game, 20) == ""


def test_a_problem_names_the_field_and_what_to_do_where_everybody_knows_it() -> None:
    class Counting(Shrugging):
        other: Hidden[list[int]] = [1, 2]
        imagine = Game.imagine

    assert (
        "what skip lists as legal tells of what is hidden from the seat: _passes; where a seat knows that anyway, let it "
        "be an open field, or say what could be in imagine(self, seat)"
    ) in problems(Counting, 20)


def test_what_a_round_asks_and_tells_is_among_the_flows() -> None:
    class Bids(Game):
        hands: Owned[list[list[int]]] = []
        top: int = 0

        def setup(self) -> None:
            cards = [*range(8)]
            self.random.shuffle(cards)
            self.hands = [cards[:4], cards[4:]]

        def round(self) -> None:
            self.tell("the best card is", card=max(map(max, self.hands)))
            laid = self.ask_all(self.players, lambda seat: self.hands[1 - seat], "which of theirs?")
            self.top = max(laid.values())
            for seat, card in laid.items():
                self.hands[1 - seat].remove(card)
            if len(self.hands[0]) == 1:
                self.finish()

    report = check(Bids, 10)

    assert report.ok
    assert report.flow_lines() == ["round: hands, questions, tells"]


class Wide10(Game):
    """A board so large that its moves are not listed, and few of them are legal."""

    left: int = 2

    @move(x=range(20), y=range(20), to_x=range(20), to_y=range(20))
    def go(self, x: int, y: int, to_x: int, to_y: int) -> None:
        self.require((x, y, to_x) == (7, 7, 7) and to_y > 15, "not there")
        self.left -= 1
        if not self.left:
            self.finish()


@pytest.mark.games
def test_a_move_that_is_hardly_ever_legal_is_searched_for() -> None:
    assert check(Wide10, 1).problems == {}


def test_where_a_move_is_too_much_to_be_gone_through_that_is_said_and_not_called_a_deadlock() -> None:
    class Endless(Wide10):
        @move(x=range(1000), y=range(1000), to_x=range(10), to_y=range(10))
        def go(self, x: int, y: int, to_x: int, to_y: int) -> None:
            self.require((x, y) == (7, 7), "not there")

    found = problems(Endless, 1)

    assert "nothing was found that go would take, of which there is too much to be listed" in found
    assert "deadlock" not in found


def test_what_is_not_listed_is_gone_through_only_where_there_is_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    class Phases(Game):
        """What is not listed is refused for most of the game, beside something that is not."""

        moves: int = 0

        @move(x=range(50), y=range(50), z=range(50))
        def place(self, x: int, y: int, z: int) -> None:
            self.require(self.moves == 0, "only at the beginning")
            self.moves += 1

        @move
        def go(self) -> None:
            self.moves += 1
            if self.moves == 5:
                self.finish()

    searched: list[str] = []

    def search(move: MoveRule, *_: Any) -> None:
        searched.append(move.name)

    monkeypatch.setattr(legal, "_search", search)

    report = check(Phases, 3)

    assert (report.problems, searched) == ({}, [])


def test_samples_that_are_all_refused_are_named_as_such() -> None:
    class Deaf(Game):
        @move(word=Free(str, lambda dice: dice.choice(["a", "b"]), lambda _word: None))
        def say(self, word: str) -> None:
            self.require(word == "c", "not that")
            self.finish()

    class Broken(Deaf):
        @move(word=Free(str, lambda dice: dice.choice(("",)[1:]), lambda _word: None))
        def say(self, word: str) -> None: ...

    class Mute(Game):
        @move
        def say(self) -> None:
            self.ask(self.mover, Free(str, lambda dice: dice.choice(("",)[1:]), lambda _word: None))

    (deaf,), (broken,), (mute,) = (check(game, 1).problems for game in (Deaf, Broken, Mute))
    assert deaf.startswith("the rules refuse whatever Free draws for say, and there is nothing else to do: a deadlock")
    assert broken.startswith("Broken.say fails: IndexError: ")
    assert mute.startswith("Mute.say fails: IndexError: ")


def test_everybody_knows_whether_a_word_was_thought_of() -> None:
    class Words(Game):
        word: Hidden[str] = ""
        seen: str = ""
        tries: int = 0

        @move(word=["plum", "pear"])
        def think(self, word: str) -> None:
            self.require(not self.word, "there is one")
            self.word = word
            self.seen = "_" * len(word)

        @move(letter="aelmpru")
        def guess(self, letter: str) -> None:
            self.require(self.word, "no word yet")
            self.tries += 1
            self.seen = "".join(c if letter in (c, s) else s for c, s in zip(self.word, self.seen, strict=True))
            if "_" not in self.seen or self.tries > 6:
                self.finish(self.mover)
            self.turn_to(self.mover)

    report = check(Words, 6)

    assert report.problems == {}
    assert report.flow_lines() == ["guess: seen, word"]


# Time that runs out


class Hurried(Cards):
    clock = Clock(per_move=30)

    def timeout(self, seat: int) -> None:
        self.hands[seat].pop(self.after(seat) + 5)


class Patient(Cards):
    def timeout(self, seat: int) -> None:
        self.hands[seat].sort()
        self.turn_to(seat)


class Refusing(Cards):
    def timeout(self, seat: int) -> None:
        self.require(not self.hands[seat], "lay your hand down first")


def test_a_timeout_that_refuses_is_found() -> None:
    found = problems(Refusing)

    assert "Refusing.timeout refuses by require() what nobody has asked for: decide there by `if`, at " in found
    assert ", when the time of a seat is up, so that it has lost" in found


def test_what_a_game_does_when_time_is_up_is_tried() -> None:
    found = problems(Hurried)

    assert "Hurried.timeout fails: IndexError: pop index out of range, at " in found
    assert "test_check.py:" in found
    assert ", when the time of a seat is up, so that it has lost" in found
    assert problems(Patient) == ""


class Careless(Questions):
    def timeout(self, seat: int) -> None:
        self.turn_to(seat if getattr(random, "random")() < 0.5 else self.after(seat))  # noqa: B009 - as above


class Dated(Questions):
    def timeout(self, seat: int) -> None:
        self.tell(f"at {getattr(time, 'perf_counter_ns')()}")  # noqa: B009 - as above


@pytest.mark.parametrize("game", [Careless, Dated])
def test_a_timeout_that_depends_on_more_than_the_game_is_found(game: type[Game]) -> None:
    (found,) = check(game, 2).problems

    assert found == (
        f"{game.__name__}.timeout() does something else when it runs again from the same position: does it use the module "
        "`random`, time, files, or a variable beside the game?"
    )


class Trek(Game):
    """Goes on without who leaves; after four steps of everybody the first has won."""

    seats = 2, 4
    absent = "out"
    steps: list[int] = []
    nobody: int = 0

    def setup(self) -> None:
        self.steps = [0 for _ in self.players]

    @move
    def step(self) -> None:
        self.steps[self.mover] += 1
        if all(self.steps[seat] > 3 for seat in self.alive):
            self.finish(self.alive[0])


class Loyal(Trek):
    """Lets nobody go on before all have come as far."""

    def near(self) -> list[int]:
        return [1] if self.steps[self.mover] == min(self.steps) else []

    @move(by=near)
    def walk(self, by: int) -> None:
        self.steps[self.mover] += by
        if min(self.steps) > 3:
            self.finish()

    step = None  # type: ignore[assignment]


class Hasty(Trek):
    @move
    def step(self) -> None:
        self.steps[self.mover] += 1 // (len(self.alive) - len(self.players) + 1)
        if min(self.steps) > 3:
            self.finish()


class Complete(Trek):
    def setup(self) -> None:
        super().setup()
        self.turn_to(*self.players)

    def round(self) -> None:
        self.require(len(self.alive) == len(self.players), "all have to be there")
        self.turn_to(*self.players)


class Rolls(Trek):
    def setup(self) -> None:
        super().setup()
        self.turn_to(*self.players)

    def round(self) -> None:
        for seat, roll in self.ask_all(self.players, range(1, 3), "how far?").items():
            self.steps[seat] += roll
        if min(self.steps) > 3:
            self.finish()
        else:
            self.turn_to(*self.alive)


def test_games_that_go_on_without_who_leaves_are_played_on_without_somebody() -> None:
    fine = check(Trek, 3)
    assert (fine.problems, fine.unproved) == ({}, [])
    for game, said in ((Loyal, "nobody can do anything"), (Hasty, "Hasty fails: ZeroDivisionError")):
        found = " ".join(check(game, 2).problems)
        assert said in found
        assert f", after {game.__name__} went on without a seat that has left" in found
    found = " ".join(check(Complete, 6).problems)
    assert "Complete.round refuses by require() what nobody has asked for: decide there by `if`, at " in found

    [asks] = check(Rolls, 2).problems
    assert asks == (
        "Rolls.round asks a seat that has left, so that the game is over and the others have won: ask `self.alive`, or "
        "give the question a default"
    )

    class Pair(Trek):
        seats = 2, 2

    assert check(Pair, 1).unproved == []
    assert check(Trek, 1).unproved == ['absent = "out": no game had more than two at the table; play with more']


def test_a_setup_refuses_nobody_and_may_draw_before_it_requires() -> None:
    class Dealt(Cards):
        def setup(self) -> None:
            super().setup()
            self.require(self.stock, "the stock is empty")

    assert problems(Dealt) == ""


def test_progress_is_told_and_time_is_bounded() -> None:
    told: list[tuple[int, int]] = []

    check(Cards, 3, progress=lambda done, of: told.append((done, of)))
    stopped = check(Cards, 3, seconds=1e-9)

    assert told == [(1, 3), (2, 3), (3, 3)]
    assert (stopped.games, stopped.notes[0]) == (0, "stopped after 0 of 3 games, for want of time")


def test_a_class_inside_a_function_is_not_compared_with_another_process() -> None:
    class Inside(Cards):
        pass

    report = check(Inside, 2)

    assert report.notes == ["not compared with another process: the class is in no module that could be imported"]
    assert "note: not compared" in str(report)
    assert "2 games" in str(report)


class Grows(Game):
    """Keeps more and more, until a server would freeze its table."""

    log: list[str]
    last: str = ""
    moves: int = 0

    def setup(self) -> None:
        self.log = []

    @move
    def note(self) -> None:
        self.log.append("x" * 100_000)
        self.moves += 1
        if self.moves == 50:
            self.finish()


def test_a_state_that_a_server_would_freeze_is_found_with_the_move_and_what_takes_most_of_it() -> None:
    class FromTheBeginning(Grows):
        def setup(self) -> None:
            self.log = ["x" * 2_000_000]

    report = check(Grows, 12)
    at_once = check(FromTheBeginning, 2)

    told, found = report.problems
    assert told.startswith("log, as players see it, is more than the 65,536 bytes of a message")
    assert "note makes the state 1,1" in found
    assert "of which log is 600,031, kept twice while the move can be taken back; above 1,048,576 bytes" in found
    assert report.problems[found] == "with seed 1 and 2 players, after 6 moves"
    assert report.notes == ["stopped after 3 of 12 games, since 3 of them did not come to their end"]
    assert [one for one in at_once.problems if one.startswith("setup() makes the state 2,000")]


def test_a_field_that_no_message_takes_is_found() -> None:
    class Wide(Cards):
        noise: list[str]

        def setup(self) -> None:
            super().setup()
            self.noise = ["x" * 70_000]

    class Unseen(Cards):
        noise: Hidden[list[str]]

        def setup(self) -> None:
            super().setup()
            self.noise = ["x" * 70_000]

    wide, unseen = check(Wide, 2), check(Unseen, 2)

    assert wide.problems == {
        "noise, as players see it, is more than the 65,536 bytes of a message, so that a server sends everybody away: 70,006 "
        "after setup(); divide it among several fields, or raise max_message there and at each player": (
            "with seed 1 and 2 players, after 0 moves"
        )
    }
    (opened,) = unseen.problems
    assert opened.startswith("noise, as the end of the game opens it, is more than the 65,536 bytes of a message")
    assert Limits().max_message == MAX_TOLD


def test_what_is_stopped_before_a_game_was_over_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(playtest.Playtest, "_step", interrupted)
    checker = Checker(Cards, {}, 60.0)
    with pytest.raises(KeyboardInterrupt):
        checker.run(3, 1, None)

    assert [*checker.report.problems] == [
        "not one game came to its end before it was stopped, so nothing is proved; play on"
    ]


def test_a_class_that_is_not_found_by_its_name_is_not_compared_with_another_process() -> None:
    renamed = type("Renamed", (Cards,), {"__module__": __name__, "__qualname__": "Renamed"})

    report = check(renamed, 2)

    assert report.problems == {}
    assert report.notes == ["not compared with another process: the class is in no module that could be imported"]


def test_a_large_state_is_looked_at_more_seldom() -> None:
    class Large(Cards):
        noise: Hidden[list[str]]

        def setup(self) -> None:
            super().setup()
            self.noise = ["x" * 50_000]

    assert (check(Cards, 6).worlds, check(Large, 6).worlds) == (270, 87)


def test_the_time_is_over_in_the_middle_of_a_game_too(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count(0.0)
    clock = SimpleNamespace(monotonic=lambda: next(seconds))
    monkeypatch.setattr(sys.modules["netcode.turns.check"], "time", clock)

    report = check(Cards, 3, seconds=4.5)

    assert report.notes == ["stopped in game 1 of 3, for want of time"]
    assert (report.games, report.moves) == (0, 0)


def test_an_option_with_which_a_game_cannot_begin_is_found() -> None:
    class Sized(Game):
        seats = 2, 4
        hands: list[list[int]]

        @options(size=range(1, 13), mode=("short", "long"))
        def setup(self, size: int = 5, mode: str = "short") -> None:
            self.require(mode == "short" or len(self.players) < 4, "long games are for two or three")
            cards = [*range(40)]
            self.hands = [[cards.pop() for _ in range(size)] for _ in self.players]

        @move
        def go(self) -> None:
            self.finish(self.mover)

    report = check(Sized, 2)

    [(problem, where)] = report.problems.items()
    assert "fails: IndexError" in problem
    assert where == "with the option size=11 and 4 players, at the start"


@pytest.mark.parametrize("tells", ["", "prompt", "options", "tell", "setup"])
def test_what_a_rule_asks_and_tells_of_what_it_has_just_dealt_is_among_its_flows(tells: str) -> None:
    class Wizard(Game):
        hands: Owned[list[list[int]]] = []
        rounds: int = 0

        def setup(self) -> None:
            self.deal()
            if tells == "setup":
                self.ask_all(self.players, bool, f"others have {self.hands[0]} and {self.hands[1]}; another hand?")

        def deal(self) -> None:
            cards = [*range(20)]
            self.random.shuffle(cards)
            self.hands = [cards[:3], [self.random.randrange(50, 99) for _ in self.players]]

        def round(self) -> None:
            self.rounds += 1
            if self.rounds > 3:
                self.finish()
                return
            self.deal()
            if tells == "tell":
                self.tell(f"others have {self.hands}", to=1)
            prompt = f"others have {self.hands[0][0]}" if tells == "prompt" else "your bid"
            self.ask_all(self.players, lambda seat: [self.hands[1 - seat if tells == "options" else seat]], prompt)

    report = check(Wizard, 6)

    where = "setup" if tells == "setup" else "round"
    there = {"prompt": "questions", "options": "questions", "setup": "questions", "tell": "tells"}.get(tells)
    assert report.problems == {}
    assert report.flows.get(where, set()) & {"questions", "tells"} == ({there} if there else set())


@pytest.mark.parametrize("games", [0, -1, "x"])
def test_no_games_prove_nothing_and_are_told_at_the_call(games: Any) -> None:
    with pytest.raises(ValueError, match="games must be an int from 1 up, not"):
        check(Cards, games)


def test_a_rule_that_ends_the_game_once_more_otherwise_is_found() -> None:
    class Both(Cards):
        @move(card=Cards.held)
        def lay(self, card: int) -> None:
            self.hands[self.mover].remove(card)
            self.finish(self.mover)
            if card % 2:
                self.finish(text="a draw")

    class Once(Cards):
        @move(card=Cards.held)
        def lay(self, card: int) -> None:
            for _ in range(2):
                self.finish(self.mover)

    [problem] = check(Both, 6).problems
    assert problem.startswith(
        "Both.lay calls finish() again with another result, and that one counts: `return` after the first"
    )
    assert problems(Once) == ""


def test_a_rule_that_ends_the_program_is_told_so_where_it_is_tried() -> None:
    class Ends(Cards):
        @move(card=Cards.held)
        def lay(self, card: int) -> None:
            if card >= 0:
                sys.exit(card)
            self.require(card, "there is no such card")

    [problem, *_] = check(Ends, 1).problems

    assert problem.startswith(
        "Ends.lay ends the program, which has everybody's games; to end this one, `self.finish(…)`, at "
    )


def test_what_the_end_of_a_game_opens_is_nothing_that_could_be_taken_back() -> None:
    class Ends(Cards):
        passed: int = 0

        @move(undo=True)
        def wait(self) -> None:
            self.passed += 1
            if self.passed == 3:
                self.finish()

    assert problems(Ends, 12) == ""


def test_a_game_in_which_something_is_broken_is_not_played_on_for_long() -> None:
    class Goes(Game):
        steps: int = 0

        def few(self) -> list[int]:
            return [1 // 0]

        @move(step=few)
        def leap(self, step: int) -> None:
            self.finish()

        @move
        def go(self) -> None:
            self.steps += 1

    report = check(Goes, 9)

    [problem] = report.problems
    assert problem.startswith("Goes.leap: the domain of step fails: ZeroDivisionError: ")
    assert (report.follows, report.notes[0]) == (
        {},
        "stopped after 3 of 9 games, since 3 of them did not come to their end",
    )


def test_where_no_time_is_left_no_other_process_is_asked_and_that_is_told() -> None:
    report = Report("Spins")

    compare(Cards, [], report, lambda: True, Beside(Cards))

    assert report.ok
    assert report.unproved == ["that other processes play the same game: there was no time left for it"]
