"""What `check` reads off the source of rules that reach for something outside of the game."""

import ast
import asyncio
import datetime as dt
import os
import pathlib
import random
import socket
import subprocess
import threading
import time
import uuid
from abc import ABC
from pathlib import Path
from random import Random, choice
from typing import Any, ClassVar, Generic, TypeVar

import pytest

from benchmarks.turns import EXAMPLES, example
from netcode.turns import Free, Game, check, move
from netcode.turns.proving.outside import in_any_order, uses
from netcode.turns.proving.scopes import names_in

Kind = TypeVar("Kind")
CARDS = [*range(9)]
count = 0


class Reaches(Game):
    """Whatever a subclass does in its move."""

    DECK: ClassVar[list[int]] = [1, 2]
    total: ClassVar[int] = 0
    drawn: list[int] = []

    def reach(self) -> None: ...

    @move
    def go(self) -> None:
        self.reach()
        self.finish()


def said(rule: Any) -> list[str]:
    """Return what is said of a rule, without where that is and why."""
    found = uses(type("Thing", (Reaches,), {"reach": rule, "__module__": __name__}))
    return [one.partition(", at ")[0].removeprefix("Thing.").partition(" ")[2] for one in found]


def _draws(self: Any) -> None:
    self.drawn.append(choice([1, 2]))
    self.drawn.append(random.randint(1, 6))
    self.drawn.append(Random().randint(1, 6))
    self.drawn.append(uuid.uuid4().int % 6 + os.urandom(1)[0])


def _draws_what_lasts(self: Any) -> None:
    self.drawn.append(self.random.randint(1, 6))
    self.drawn.append(Random(3).randint(1, 6))
    self.drawn.append(uuid.UUID(int=3).int)
    self.drawn.append(isinstance(self.random, random.Random))


def _looks_at_a_clock(self: Any) -> None:
    import datetime
    from time import sleep as nap

    nap(0)
    self.drawn.append(time.monotonic_ns() + dt.datetime.now().year + datetime.date.today().year)  # noqa: DTZ005, DTZ011


def _counts_days(self: Any) -> None:
    import os.path

    self.drawn.append((dt.date(2020, 2, 29) - dt.date(2020, 1, 1)).days + len(os.path.join("a", "b")))  # noqa: PTH118


def _reads_a_file(self: Any) -> None:
    self.drawn.append(len(open("/dev/null").read()))  # noqa: SIM115, PTH123
    self.drawn.append(len(pathlib.Path("/dev/null").read_text()))
    self.drawn.append(len([*os.listdir(), os.path.join("a", "b")]))  # noqa: PTH208, PTH118


def _begins_something(self: Any) -> None:
    socket.socket()
    subprocess.run(["true"], check=False)
    threading.Thread(target=self.reach).start()
    asyncio.run(asyncio.sleep(0))


def _asks_who_runs_it(self: Any) -> None:
    self.drawn.append(input("which?"))


def _keeps_beside(self: Any) -> None:
    global count  # noqa: PLW0603 - what is told of
    count += 1
    CARDS.pop()
    self.DECK.append(1)
    self.random.shuffle(CARDS)
    Reaches.total = 3
    type(self).total += 1  # pyright: ignore[reportUnknownMemberType]
    del self.__class__.total  # pyright: ignore[reportUnknownMemberType]


def _keeps_beside_what_is_called_otherwise_inside(self: Any) -> None:
    self.drawn = sorted(self.drawn, key=lambda time: -time)
    self.drawn.append(time.time_ns())
    CARDS.append(sum(CARDS for CARDS in range(3)))
    _deal(self)


def _deal(game: Any) -> None:
    game.DECK.pop()


def _takes(hand: Any) -> int:
    return int(hand.DECK.pop())


def _takes_from_something_else(self: Any) -> None:
    self.drawn.append(_takes(self.drawn))


def _keeps_inside(self: Any) -> None:
    cards = [*CARDS]
    self.random.shuffle(cards)
    self.random.shuffle(self.drawn)
    self.drawn.append(cards.pop() + self.DECK[0])
    dt.date.fromisoformat("2020-01-01").timetuple().count(1)
    CARDS_ = cards  # noqa: N806
    CARDS_.clear()
    self.drawn.real = 3


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        (_draws, ["calls choice(…)", "calls random.randint(…)", "calls Random(…)", "calls uuid.uuid4(…)", "calls os.urandom(…)"]),
        (_draws_what_lasts, []),
        (_looks_at_a_clock, ["calls nap(…)", "calls time.monotonic_ns(…)", "calls dt.datetime.now(…)", "calls datetime.date.today(…)"]),
        (_counts_days, []),
        (_reads_a_file, ["calls open(…)", "calls pathlib.Path(…)", "calls os.listdir(…)"]),
        (_begins_something, ["calls socket.socket(…)", "calls subprocess.run(…)", "calls threading.Thread(…)", "calls asyncio.run(…)", "calls asyncio.sleep(…)"]),
        (_asks_who_runs_it, ["calls input(…)"]),
        (_keeps_beside, ["assigns the global count", "changes CARDS", "changes self.DECK", "assigns Reaches.total", "assigns type(self).total", "assigns self.__class__.total"]),
        (_keeps_beside_what_is_called_otherwise_inside, ["calls time.time_ns(…)", "changes CARDS", "changes game.DECK"]),
        (_takes_from_something_else, []),
        (_keeps_inside, []),
    ],
)  # fmt: skip
def test_what_a_rule_uses_outside_of_the_game_is_read_off_its_source(rule: Any, what: list[str]) -> None:
    assert sorted(said(rule)) == sorted(what)


class Counted(Game, ABC, Generic[Kind]):
    """Builds on what Python's library defines, and counts what is made of it."""

    known: ClassVar[list[str]] = []

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        cls.known.append(cls.__name__)

    @staticmethod
    def count(hand: Any) -> None:
        hand.known.append("")

    @move
    def go(self) -> None:
        self.finish()


def test_what_the_game_is_given_to_is_read_as_a_rule_of_it() -> None:
    class Thing(Counted[int]):
        cards: ClassVar[list[int]] = [1]

        @staticmethod
        def put(game: Any) -> None:
            game.cards.append(1)

        @move
        def go(self) -> None:
            self.put(self)

    (told,) = uses(Thing)

    assert told.startswith("Thing.put changes game.cards, at ")


def test_what_the_library_does_and_what_is_done_to_other_things_or_once_is_not_told() -> None:
    class Thing(Counted[int]): ...

    assert [*uses(Thing)] == []


@pytest.mark.parametrize(
    ("inside", "own"),
    [
        ("def of(x):\n  match x:\n   case [*NAME]: NAME.pop()", True),
        ("def of(x):\n  match x:\n   case {'a': 1, **NAME}: NAME.pop()", True),
        ("def of(x):\n  match x:\n   case [_] as NAME: NAME.pop()", True),
        ("def of():\n  try: ...\n  except ValueError as NAME: NAME.pop()", True),
        ("def of():\n  import NAME.path\n  NAME.pop()", True),
        ("def of():\n  def NAME(): ...\n  NAME.pop()", True),
        ("def of(*NAME): NAME.pop()", True),
        ("def of():\n  [(NAME := x) for x in y]\n  NAME.pop()", True),
        ("of = [NAME.pop() for NAME in x]", True),
        ("class Of:\n  NAME = []\n  NAME.pop()", True),
        ("class Of:\n  NAME = []\n  def of(self): NAME.pop()", False),
        ("def of():\n  global NAME\n  NAME = NAME.pop()", False),
        ("def of():\n  NAME = 1\n NAME.pop()", False),
        ("@NAME.pop()\n def of(NAME): ...", False),
        ("del x; NAME.pop()", False),
    ],
)
def test_a_name_is_what_it_is_where_it_stands(inside: str, own: bool) -> None:
    tree = ast.parse(f"def rule(self):\n {inside}").body[0]
    assert isinstance(tree, ast.FunctionDef)
    (call,) = (one for one in ast.walk(tree) if isinstance(one, ast.Attribute) and one.attr == "pop")

    assert ("NAME" in names_in(tree, ())[call.value]) is own


def _shuffled() -> list[int]:
    random.shuffle(CARDS)
    return CARDS


def _sample(dice: Random) -> int:
    del dice
    return random.randrange(3)


def _about_three(_game: Any) -> list[int]:
    return [random.randrange(3)]


class Helped(Game):
    """Uses functions of its module, which do it."""

    n: int = 0

    def setup(self) -> None:
        self.n = _shuffled()[0]

    @classmethod
    def upgrade(cls, old: dict[str, Any]) -> dict[str, Any]:
        return {**old, "n": time.time_ns()}

    @move(size=Free(int, _sample, lambda _: None), other=_about_three)
    def go(self, size: int, other: int) -> None:
        self.finish()


def test_so_is_what_the_functions_of_its_module_do_and_how_it_is_mended_says_who_has_dice() -> None:
    found = sorted(uses(Helped))

    assert [one.partition(", at ")[0] for one in found] == [
        "_about_three() calls random.randrange(…)",
        "_sample() calls random.randrange(…)",
        "_shuffled() calls random.shuffle(…)",
        "_shuffled() changes CARDS",
    ]
    assert found[0].endswith(": it draws otherwise when the rule runs again; draw from `self.random`")
    assert found[1].endswith(": it draws otherwise each time; draw from the dice that it is given")
    assert found[3].endswith(": all tables share it, and what they change is not stored: take a copy, `[*CARDS]`")


class Foreign(Game):
    """Throws a die of its own."""

    die: int = 0

    @move
    def roll(self) -> None:
        self.die = random.randint(1, 1_000_000)
        if self.die % 3 == 0:
            self.finish()


def test_what_may_follow_from_it_is_no_problem_of_its_own() -> None:
    report = check(Foreign, 4)

    line = Foreign.roll.rule.__code__.co_firstlineno + 2
    told = f"Foreign.roll calls random.randint(…), at {__file__}:{line}: it draws otherwise when the rule runs again; draw from `self.random`"
    assert report.problems == {told: "in the source, whether or not a game came by"}
    assert "does a rule use the module `random`" in str(report.follows[told])


@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES.glob("*.py") if path.stem != "window"))
def test_the_examples_use_nothing_outside_of_themselves(name: str) -> None:
    assert [*uses(example(name))] == []


def test_where_the_order_of_a_set_may_decide_is_found_whatever_it_is_taken_by() -> None:
    class Orders(Reaches):
        tags: set[str] = set()
        found: list[str] = []

        def reach(self) -> None:
            taken = {*self.found}
            first = self.tags.pop()  # here
            for one in taken:  # here
                self.found.append(one)
            self.found += [*(self.tags | taken)]  # here
            self.found += [one * 2 for one in frozenset(self.found)]  # here
            self.found.append(next(iter({first, "b"})))  # here
            self.found.append(str(hash(first) % 2))  # here
            self.found.pop()
            self.found += sorted(self.tags)
            if first in self.tags and all(list(self.found)):
                self.found += [*self.found]

    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    here = [number for number, line in enumerate(lines, 1) if line.endswith("  # here")]
    assert in_any_order(Orders) == [f"{__file__}:{number}" for number in here]
