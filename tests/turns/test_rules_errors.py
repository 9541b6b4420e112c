"""What is wrong with a class of rules is said when it is defined, and how to write it right."""

import copy
import enum
import functools
import inspect
import re
from abc import ABC
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Generic, Literal, TypeVar, cast

import pytest

from netcode.turns import Clock, Free, Game, Hidden, Others, Owned, RulesError, move, options, shown
from netcode.turns.table import Refused, Step, Table

T = TypeVar("T")
CASES: list[tuple[str, Callable[[], object]]] = []


def told(pattern: str) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Say what a definition is told."""

    def note(define: Callable[[], object]) -> Callable[[], object]:
        CASES.append((pattern, define))
        return define

    return note


class Playable(Game):
    @move
    def go(self) -> None:
        self.finish()


@told(r"Mine has neither a move nor a round\(\), so nobody can do anything; write .*@move\(cell=range\(9\)\)")
def nothing_to_do() -> object:
    class Mine(Game):
        score: int = 0

    return Mine


@told(r"Mine\.go assigns self\.score, which is no field")
def assigned_in_a_move() -> object:
    class Mine(Game):
        @move
        def go(self) -> None:
            for self.score in range(3):
                pass

    return Mine


@told(r"Mine\.go changes self\.alive, which is a copy, so that nothing comes of it; .*`self\.out\(seat\)`")
def a_seat_taken_out_of_a_copy() -> object:
    class Mine(Playable):
        @move
        def go(self) -> None:
            self.alive.remove(self.mover)

    return Mine


def _renames(self: Any) -> None:
    self.names[0] = "Ann"


def _takes_an_option_away(self: Any) -> None:
    del self.options["size"]


@told(
    r"Mine\._renames changes self\.names, which is a copy, so that nothing comes of it; what players are called, they say"
)
def a_name_given_in_a_copy() -> object:
    return type("Mine", (Playable,), {"rename": _renames})


@told(r"Mine\._takes_an_option_away changes self\.options, which is a copy, .* let setup\(\) set it")
def an_option_taken_from_a_copy() -> object:
    return type("Mine", (Playable,), {"choose": _takes_an_option_away})


@told(r"Mine\.go deletes self\.score, and a field is always there; .*`score: … \| None`")
def a_field_deleted() -> object:
    class Mine(Playable):
        score: int = 0

        @move
        def go(self) -> None:
            del self.score

    return Mine


@told(r"Mine\._kit cannot be a field: `_kit` is the kit's own")
def the_kit_assigned() -> object:
    class Mine(Playable):
        @move
        def go(self) -> None:
            self._kit = cast("Any", None)

    return Mine


@told(r"the domain of card is the text 'hand', of which it would list the letters.*`@move\(card=hand\)`")
def domain_in_quotes() -> object:
    class Mine(Game):
        def hand(self) -> list[int]:
            return [1, 2]

        @move(card="hand")
        def go(self, card: int) -> None: ...

    return Mine


@told(r"Mine\.go has no argument card, for which there is a domain; it has no arguments.*def go\(self, card\)")
def domain_without_argument() -> object:
    class Mine(Game):
        @move(card=range(3))
        def go(self) -> None: ...

    return Mine


@told(r"Mine\.go: nothing says what card may be; write `@move\(card=range\(9\)\)`")
def argument_without_domain() -> object:
    class Mine(Game):
        @move
        def go(self, card: int) -> None: ...

    return Mine


@told(r"the domain of card holds what is of type object, which cannot be sent")
def unsayable_domain() -> object:
    class Mine(Game):
        @move(card=[object()])
        def go(self, card: object) -> None: ...

    return Mine


@told(r"@options says by name what may be chosen: `@options\(size=range\(3, 8\)\)`")
def options_without_a_name() -> object:
    untyped: Any = options
    return untyped(range(3))


@told(r"@options stands above `def setup\(self, size=3\): …`, and not above the class")
def options_of_a_class() -> object:
    untyped: Any = options(size=range(3, 8))

    @untyped
    class Mine(Game):
        @move
        def go(self) -> None: ...

    return Mine


@told(r"the domain of card asks for colour, .* write `def go\(self, colour, card\): …`")
def domain_of_a_later_argument() -> object:
    class Mine(Game):
        def cards(self, colour: str) -> list[int]:
            return [len(colour)]

        @move(card=cards, colour="rb")
        def go(self, card: int, colour: str) -> None: ...

    return Mine


@told(r'`at` cannot be an argument: it is an option of `@move` itself, `@move\(at="cells\[cell\]"\)`')
def reserved_place() -> object:
    class Mine(Game):
        @move
        def go(self, at: bool) -> None: ...

    return Mine


@told(r"\*cards: int is no single argument; name each one")
def any_number_of_arguments() -> object:
    class Mine(Game):
        @move
        def go(self, *cards: int) -> None: ...

    return Mine


@told(r"without `async` or `yield`; it asks with `self\.ask\(…\)`")
def generator_for_a_move() -> object:
    class Mine(Game):
        @move  # type: ignore[arg-type] # pyright: ignore
        def go(self) -> Iterator[int]:
            yield 1

    return Mine


@told(r"Mine\.hand says who sees it, and not of what type it is: `hand: Hidden\[list\[str\]\]`")
def hidden_without_a_type() -> object:
    class Mine(Playable):
        hand: Hidden = []  # type: ignore[type-arg]

    return Mine


@told(r"Mine\.best keeps each game that it was called on for ever")
def a_method_with_a_cache() -> object:
    class Mine(Playable):
        @functools.cache  # noqa: B019 - which is what it is told
        def best(self) -> int:
            return 3

    return Mine


@told(r"Mine\.best keeps each game that it was called on for ever")
def a_property_with_a_cache() -> object:
    class Mine(Playable):
        @property
        @functools.lru_cache(8)  # noqa: B019 - as above
        def best(self) -> int:
            return 3

    return Mine


@told(r"Mine\.take: undo is 1; write `@move\(undo=True\)`, or leave it out")
def undo_by_a_number() -> object:
    class Mine(Playable):
        @move(undo=cast("Any", 1))
        def take(self) -> None: ...

    return Mine


@told(r"Mine\.setup cannot be a property: `setup` is what the kit calls; it is a plain method: `def setup\(self\): …`")
def setup_as_a_property() -> object:
    class Mine(Playable):
        @property
        def setup(self) -> None: ...  # type: ignore[override] # pyright: ignore

    return Mine


@told(r"Mine\.hand needs an entry for each seat: `hand: Others\[list\[…\]\]`")
def others_of_a_number() -> object:
    class Mine(Playable):
        hand: Others[int]

    return Mine


@told(r"Mine: an annotation cannot be evaluated: name 'Nowhere' is not defined")
def annotation_of_nothing() -> object:
    class Mine(Playable):
        hand: "Nowhere"  # type: ignore[name-defined] # noqa: F821 # pyright: ignore

    return Mine


@told(r"Mine\.hand.*keys of a dict are int or str.*keys such as f\"{x},{y}\"")
def keys_that_msgpack_has_not() -> object:
    class Mine(Playable):
        hand: dict[tuple[int, int], int]

    return Mine


@told(r"Mine\.hand.*keys of a dict are int or str, not Suit; write `dict\[str, …\]`, with `key.name`")
def keys_that_are_an_enum() -> object:
    class Suit(enum.StrEnum):
        HEARTS = "h"

    class Mine(Playable):
        hand: dict[Suit, int]

    return Mine


@told(r"Mine\.hand.*keys of a dict are int or str, not frozenset\[int\]; write `dict\[str, …\]`, with keys such as")
def sets_for_keys() -> object:
    class Mine(Playable):
        hand: dict[frozenset[int], int]

    return Mine


@told(r"Mine\.hand.*keys of a dict are int or str, not float; write `dict\[int, …\]`")
def keys_that_are_floats() -> object:
    class Mine(Playable):
        hand: dict[float, int]

    return Mine


@told(r"Mine\.random cannot be a field: `random` is the kit's own; call yours `random_` or, better")
def field_named_like_the_kit() -> object:
    class Mine(Playable):
        random: int = 0  # type: ignore[assignment] # pyright: ignore

    return Mine


@told(r"Mine\.ask cannot be a move: `ask` is the kit's own")
def move_named_like_the_kit() -> object:
    class Mine(Game):
        @move
        def ask(self) -> None: ...  # type: ignore[override] # pyright: ignore

    return Mine


@told(r"Mine\.finish cannot be a method")
def method_named_like_the_kit() -> object:
    class Mine(Playable):
        def finish(self) -> None: ...  # type: ignore[override] # pyright: ignore

    return Mine


@told(r"Mine\.round cannot be a field: `round` is what the kit calls; it is a plain method: `def round\(self\): …`")
def hook_that_is_no_method() -> object:
    class Mine(Playable):
        round: int = 3

    return Mine


@told(r"Mine\.seats cannot be a field: `seats` is a setting of the class; it is assigned without an annotation")
def annotated_setting() -> object:
    class Mine(Playable):
        seats: tuple[int, int] = (2, 3)  # type: ignore[misc] # pyright: ignore

    return Mine


@told(r"Mine\.go is a move in a base; write `@move` above it here, too")
def override_without_move() -> object:
    class Mine(Playable):
        def go(self) -> None: ...  # pyright: ignore

    return Mine


def nothing(_: object) -> None:
    pass


@told(r"Mine\.seen is shown in a base; write `@shown` above it here, too")
def a_shown_value_overridden_without_its_decorator() -> object:
    class Base(Playable):
        @shown
        def seen(self, seat: int) -> int:
            return seat

    class Mine(Base):
        def seen(self, seat: int) -> int:  # pyright: ignore
            return -seat

    return Mine


def logged(rule: Any) -> Any:
    @functools.wraps(rule)
    def inside(*arguments: Any) -> Any:
        return rule(*arguments)

    return inside


@told(r"Mine\.take has another decorator above `@move`, which hides it; let `@move` be the uppermost")
def a_decorator_above_the_move() -> object:
    class Mine(Playable):
        @logged
        @move
        def take(self) -> None:
            pass

    return Mine


@told(r"Mine\.round is a plain function, `def round\(self\): …`, without `async` or `yield`")
def a_round_that_is_awaited() -> object:
    class Mine(Playable):
        async def round(self) -> None:
            pass

    return Mine


@told(r"Mine\.take: the domain of card is listed by a plain function, `def cards\(self\): …`, without `async`")
def a_domain_that_is_awaited() -> object:
    class Mine(Playable):
        async def cards(self) -> list[int]:
            return [1]

        @move(card=cards)  # type: ignore[arg-type]  # pyright: ignore
        def take(self, card: int) -> None:
            pass

    return Mine


@told(r"Mine\.setup: the option size is 10 if nobody chooses, and size must be one of 3, 4, 5")
def an_option_whose_default_cannot_be_chosen() -> object:
    class Mine(Playable):
        @options(size=range(3, 6))
        def setup(self, size: int = 10) -> None:
            pass

    return Mine


@told(r"Mine\.setup: the option size is chosen before there is a game.*write what it may be: `@options\(size=range")
def an_option_that_a_method_lists() -> object:
    class Mine(Playable):
        def sizes(self) -> list[int]:
            return [3]

        @options(size=sizes)
        def setup(self, size: int = 3) -> None:
            pass

    return Mine


@told(r"Mine\.reveal cannot be a move: `reveal` is a setting of the class; it is assigned without an annotation")
def a_move_called_like_a_setting() -> object:
    return type("Mine", (Playable,), {"reveal": move(nothing)})


@told(r"Mine\.clock cannot be a field: `clock` is a setting of the class")
def a_field_called_like_a_setting() -> object:
    return type("Mine", (Playable,), {"clock": 0, "__annotations__": {"clock": int}})


@told(r"Mine\.seen is shown to each seat, and asked which: `def seen\(self, seat\): …`")
def a_shown_value_that_is_not_asked_for_whom() -> object:
    class Mine(Playable):
        @shown  # type: ignore[arg-type]  # pyright: ignore
        def seen(self) -> int:
            return 1

    return Mine


@told(r"Mine\.timeout is called by the kit: `def timeout\(self, seat\): …`")
def a_hook_that_takes_nothing() -> object:
    class Mine(Playable):
        def timeout(self) -> None:  # type: ignore[override]  # pyright: ignore
            pass

    return Mine


@told(r"@move is above what is no method, but of type Shown; one word of the kit is enough")
def a_move_that_is_shown() -> object:
    kit: Any = move
    return kit(shown(lambda _, seat: seat))


@told(r"Mine\.sight is a plain function, `def sight\(self, seat\): …`, without `async` or `yield`; it returns what is")
def a_shown_value_that_is_a_generator() -> object:
    class Mine(Playable):
        @shown
        def sight(self, seat: int) -> Iterator[int]:
            yield seat

    return Mine


@told(r"@shown is above what is no method, but of type Move; one word of the kit is enough")
def a_shown_value_that_is_a_move() -> object:
    kit: Any = shown
    return kit(move(nothing))


@told(r"Mine\.go assigns self\.total, which is a property without a setter.*`@total\.setter`")
def a_property_that_cannot_be_assigned() -> object:
    class Mine(Playable):
        @property
        def total(self) -> int:
            return 1

        @move
        def go(self) -> None:
            self.total = 2  # type: ignore[misc]  # pyright: ignore

    return Mine


@told(r"Mine\.setup: the option size needs a default")
def option_without_default() -> object:
    class Mine(Playable):
        @options(size=range(3))
        def setup(self, size: int) -> None: ...  # type: ignore[override] # pyright: ignore

    return Mine


@told(r"Mine\.setup: nothing says what size may be; write `@options\(size=range\(3, 8\)\)` above it")
def option_without_domain() -> object:
    class Mine(Playable):
        def setup(self, size: int = 3) -> None: ...

    return Mine


@told(r"Mine\.setup: every table has the option players")
def option_that_all_have() -> object:
    class Mine(Playable):
        @options(players=range(2, 5))
        def setup(self, players: int = 3) -> None: ...

    return Mine


@told(r"Mine\.setup: every table has the option clock; call yours by another word")
def option_of_the_clock() -> object:
    class Mine(Playable):
        def setup(self, clock: int = 3) -> None: ...

    return Mine


@told(r"Mine\.take has another decorator above `@move`, which hides it; let `@move` be the uppermost")
def a_move_below_a_decorator_that_does_not_say_what_it_holds() -> object:
    def plainly(rule: Any) -> Any:
        def instead(*arguments: Any) -> Any:
            return rule(*arguments)

        return instead

    class Mine(Playable):
        @plainly
        @plainly
        @move
        def take(self) -> None: ...

    return Mine


@told(r"Mine\.upgrade is called on the class.*`@classmethod` above `def upgrade\(cls, old\)")
def an_upgrade_that_needs_a_game() -> object:
    class Mine(Playable):
        def upgrade(self, old: dict[str, Any]) -> dict[str, Any]:
            return old

    return Mine


@told(r"Mine\.sight has another decorator above `@shown`, which hides it")
def shown_below_a_property() -> object:
    class Mine(Playable):
        @property  # pyright: ignore
        @shown  # pyright: ignore
        def sight(self, seat: int) -> int:  # noqa: PLR0206 - the slip
            return seat

    return Mine


@told(r"Mine\.stay has another decorator above `@move`, which hides it")
def a_move_below_a_static_method() -> object:
    class Mine(Playable):
        @staticmethod
        @move  # type: ignore[arg-type] # pyright: ignore
        def stay() -> None: ...

    return Mine


@told(r"Mine\.seat has no annotation\. If you mean the setting, it is `seats = …`\.")
def a_setting_that_is_spelled_otherwise() -> object:
    class Mine(Playable):
        seat = 2, 3

    return Mine


@told(r"the domain of top is of type set_iterator.*`@options\(top=range\(9\)\)`")
def an_option_that_is_used_up() -> object:
    class Mine(Playable):
        @options(top=iter({1, 2}))
        def setup(self, top: int = 1) -> None: ...

    return Mine


@told(r"the domain of top is of type staticmethod.*`def cards\(self\): …` without a decorator")
def a_domain_with_a_decorator() -> object:
    class Mine(Game):
        @staticmethod
        def tops() -> list[int]:
            return [1]

        @move(top=tops)  # pyright: ignore
        def go(self, top: int) -> None: ...

    return Mine


@told(r"the domain of card is the text 'deck', .*`def listed\(self\): return self\.deck`, and `@move\(card=listed\)`")
def a_field_in_quotes() -> object:
    class Mine(Game):
        deck: list[str]

        @move(card="deck")
        def take(self, card: str) -> None: ...

    return Mine


@told(
    r"Mine\.take: the domain of card is what deck is at first, .*`def listed\(self\): return self\.deck`, and `@move\(card"
)
def a_domain_that_is_the_default_of_a_field() -> object:
    class Mine(Game):
        deck: list[str] = ["ace", "king"]

        @move(card=deck)
        def take(self, card: str) -> None: ...

    return Mine


@told(r"Mine\.take has `@options`, which says what the founder of a table may choose; write it above `def setup")
def options_of_a_move() -> object:
    class Mine(Game):
        @move(size=range(3))
        @options(size=range(3))
        def take(self, size: int) -> None: ...

    return Mine


@told(r"Mine\.prepare has `@options`")
def options_of_what_setup_calls() -> object:
    class Mine(Playable):
        @options(size=range(3))
        def prepare(self, size: int = 1) -> None: ...

    return Mine


@told(r"@move is above what is no method, but of type range; what an argument may be .*`@move\(cell=range\(9\)\)`")
def a_domain_without_the_name_of_its_argument() -> object:
    kit: Any = move
    return kit(range(9))


@told(r"@move\(cards\) is a move called cards; what an argument may be is given by its name: `@move\(cell=cards\)`")
def a_method_for_a_domain_without_the_name_of_its_argument() -> object:
    def cards(_: object) -> list[int]:
        return [1]

    def play(_: object, card: int) -> None: ...

    kit: Any = move
    return kit(cards)(play)


@told(r"Mine\.cells cannot be a move, since a field has that name; call one of them by another word")
def a_move_that_is_called_as_a_field() -> object:
    return type("Mine", (Game,), {"__annotations__": {"cells": list[int]}, "cells": move(nothing)})


@told(r"Mine\.items: T stands for any type.*`class Tiles\(Game, ABC, Generic\[T\]\)`")
def a_generic_game() -> object:
    class Mine(Playable, Generic[T]):
        items: list[T]

    return Mine


@pytest.mark.parametrize(("pattern", "define"), [pytest.param(*case, id=case[1].__name__) for case in CASES])
def test_the_definition_is_told(pattern: str, define: Callable[[], object]) -> None:
    with pytest.raises(RulesError) as caught:
        define()

    assert re.search(pattern, str(caught.value), re.DOTALL), str(caught.value)


# What is right, though it looks like the above.


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Fine(Game):
    LIMIT: ClassVar[int] = 3
    hands: Owned[dict[int, list[int]]] = {0: [1], 1: []}
    seen: Others[list[int]] = [0, 0]
    _secret: str = "x"
    clock = Clock(per_move=30)

    @property
    def double(self) -> int:
        return 2 * self.LIMIT

    @staticmethod
    def of(number: int) -> int:
        return number

    @shown
    def sight(self, seat: int) -> int:
        return seat + self.double

    @move(cards=Free(list[int], lambda dice: [dice.randrange(3)], lambda cards: "too many" if len(cards) > 2 else None))
    def lay(self, colour: Colour, sure: bool, cards: list[int]) -> None:
        self.hands[self.mover] = cards


def test_class_variables_properties_and_static_methods_are_no_state() -> None:
    table = Table.create(Fine, 2, secret=bytes(32))
    table.start(0.0)

    assert {*table.view(0)} == {"hands", "seen", "sight"}
    assert Fine.lay(Colour.RED, True, [1]).name == "lay"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"colour": "GREEN", "sure": True, "cards": []}, "colour must be one of RED, BLUE"),
        ({"colour": "RED", "sure": 1, "cards": []}, "sure must be one of False, True"),
        ({"colour": "RED", "sure": True, "cards": [1, 2, 3]}, "too many"),
        ({"colour": "RED", "sure": True, "cards": ["1"]}, "cards[0] must be int, not a str"),
        ({"colour": "RED", "sure": True, "cards": 1}, "cards must be list[int], not an int"),
        ({"colour": "RED", "sure": True}, "lay takes colour, sure, cards"),
        ({"colour": "RED", "sure": True, "cards": [0] * 5000}, "it holds more than 4096 values"),
        ({"colour": "RED" * 30_000, "sure": True, "cards": []}, "its texts are longer than 65536 characters together"),
    ],
)
def test_a_strangers_arguments_are_refused_with_a_sentence(arguments: dict[str, Any], text: str) -> None:
    table = Table.create(Fine, 2, secret=bytes(32))
    table.start(0.0)
    before = table.snapshot()

    assert table.play(0, "lay", arguments, 1, now=0.0) == Refused(text)
    assert table.snapshot() == before


# At the first table, at the first storing, at the move.


def test_a_field_that_is_never_set_is_told_at_the_first_table() -> None:
    class Forgetful(Playable):
        hands: list[int]

    table = Table.create(Forgetful, 2, secret=bytes(32))
    with pytest.raises(
        RulesError,
        match=r"Forgetful\.hands is annotated and never set; set it in setup\(\), or give it a default: `hands: … = …`",
    ):
        table.start(0.0)

    assert not table.started


class Buggy(Game):
    total: int = 0

    @move(kind=["fail", "return", "count", "attribute"])
    def go(self, kind: str) -> Any:
        self.total += 1
        if kind == "fail":
            raise KeyError("a bug")
        if kind == "attribute":
            self.__dict__["oops"] = 1
        return 7 if kind == "return" else None


@pytest.mark.parametrize("kind", ["fail", "return", "attribute"])
def test_a_bug_in_a_move_refuses_it_and_the_table_goes_on(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    table = Table.create(Buggy, 2, secret=bytes(32))
    table.start(0.0)
    before = table.snapshot()

    refused = table.play(0, "go", {"kind": kind}, 1, now=0.0)
    after = table.snapshot()

    assert refused == Refused("the rules failed at this, which is a bug in them; the game goes on without it")
    assert "Traceback" in caplog.text
    assert ("Buggy.go returned an int, which nobody would hear of" in caplog.text) is (kind == "return")
    assert after == before
    assert isinstance(table.play(0, "go", {"kind": "count"}, 1, now=0.0), Step)


def test_rules_inside_of_a_function_may_use_what_is_defined_below_them() -> None:
    class Mine(Game):
        @move
        def take(self) -> None:
            self.finish(first())

    def first() -> int:
        return 0

    table = Table.create(Mine, 2, secret=bytes(32))
    table.start(0.0)
    table.play(0, "take", {}, 1, now=0.0)

    assert table.result is not None


def test_a_type_lists_itself_as_a_domain_and_as_an_option() -> None:
    class Typed(Game):
        @options(fast=cast("Any", bool))
        def setup(self, fast: bool = False) -> None: ...

        @move(how=cast("Any", Literal["up", "down"]), far=cast("Any", bool | None))
        def go(self, how: str, far: bool | None) -> None: ...

    table = Table.create(Typed, 2, {"fast": True}, secret=bytes(32))
    table.start(0.0)

    assert [tuple(arguments.values()) for _, arguments in table.legal(0).plays] == [
        (how, far) for how in ("up", "down") for far in (False, True, None)
    ]


class Tiles(Game, ABC, Generic[T]):
    row: list[T] = []
    taken: Hidden[dict[str, T]] = {}

    @move(end=[0, -1])
    def lay(self, end: int) -> None:
        self.row.append(self.row[end])


def test_a_game_that_is_generic_has_the_types_that_its_subclass_says() -> None:
    class Dominoes(Tiles[tuple[int, int]]):
        def setup(self) -> None:
            self.row = [(1, 2)]

    class Letters(Dominoes):
        row: list[str]  # type: ignore[assignment] # pyright: ignore

        def setup(self) -> None:
            self.row = ["a"]

    for rules, first in ((Dominoes, (1, 2)), (Letters, "a")):
        table = Table.create(rules, 2, secret=bytes(32))
        table.start(0.0)
        assert isinstance(table.play(0, "lay", {"end": 0}, 1, now=0.0), Step)
        back = Table.restore(rules, table.snapshot())
        assert (back.frozen, back.course.values) == ("", {"row": [first, first], "taken": {}})


def test_a_cached_property_that_a_rule_reads_is_told_to_be_a_property() -> None:
    class Sums(Game):
        rows: list[int] = [1, 2]

        @functools.cached_property
        def total(self) -> int:
            return sum(self.rows)

        @move
        def add(self) -> None:
            self.rows.append(self.total)

    table = Table.create(Sums, 2, secret=bytes(32))
    table.start(0.0)
    assert isinstance(table.play(0, "add", {}, 1, now=0.0), Refused)

    assert table.complaints["Sums"].endswith(
        "Sums.add kept total among the fields, which change; let it be a `@property`, no `@cached_property`"
    )


@pytest.mark.parametrize(
    "use",
    [
        lambda: Playable().go(),
        lambda: Playable().mover,
        lambda: Playable().finish(0),
        lambda: copy.copy(Playable()).go(),
        lambda: cast("Callable[[int], Playable]", Playable)(2),
        lambda: cast("Callable[..., Playable]", Playable)(size=3),
    ],
)
def test_a_game_that_was_made_by_hand_says_how_one_is_played(use: Callable[[], object]) -> None:
    with pytest.raises(
        TypeError, match=r"^a game that is made by calling its class is at no table: simulate\(…\) plays"
    ):
        use()


def test_a_game_that_was_made_by_hand_can_be_looked_at() -> None:
    class Board(Playable):
        cells: list[int] = [1, 2]

        def free(self) -> int:
            return len(self.cells)

    board = copy.deepcopy(Board())

    assert (board.cells, board.free()) == ([1, 2], 2)


def test_a_game_that_was_made_by_hand_can_be_asked_what_it_has() -> None:
    board = Playable()

    assert [hasattr(board, name) for name in ("seats", "mover", "go", "nothing")] == [True, False, False, False]
    assert ("seats", (2, 2)) in inspect.getmembers(board)
