"""A game that plays itself: to its end, to the limit, or to where nobody can do anything."""

import json
import random
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from netcode.turns import Clock, Free, Game, RulesError, check, move, simulate
from netcode.turns.bots import RandomBot, SearchBot
from netcode.turns.replay import stored_tables
from netcode.turns.simulate import Choice, dice_for, done
from netcode.turns.table import Refused, Table


class Count(Game):
    total: int = 0

    @move(number=range(1, 4))
    def add(self, number: int) -> None:
        self.total += number
        if self.total >= 9:
            self.finish(self.mover)


class Several:
    """As numpy's arrays are: they have `__index__`, and only those that are scalars answer it."""

    def __index__(self) -> int:
        raise TypeError("only integer scalar arrays can be converted to a scalar index")


def _forgets(*_: Any) -> None: ...


def _forgets_names(_table: Table, _seat: int, choices: Any, _dice: Any) -> Any:
    return choices[0][0], 4


def _hands_on(_table: Table, _seat: int, choices: Any, _dice: Any) -> Any:
    return choices


class Stuck(Game):
    cards: list[int] = [1]

    def playable(self) -> list[int]:
        return self.cards

    @move(card=playable)
    def play(self, card: int) -> None:
        self.cards.remove(card)


class Unsure(Game):
    """What its domain lists is refused once it has drawn, which no trial sees."""

    count: int = 0

    @move
    def roll(self) -> None:
        self.count += self.random.randrange(2) + 1
        self.require(False, "not today")


def lowest(_table: Table, _seat: int, choices: list[Choice], _dice: random.Random) -> Choice:
    return min(choices, key=lambda choice: choice[1]["number"])


def test_the_same_seed_is_the_same_game_and_its_log_leads_to_its_end() -> None:
    first, second, other = (simulate(Count, seed) for seed in (1, 1, 3))

    assert first.entries == second.entries != other.entries
    assert first.result is not None
    back = Table.restore(Count, first.start, first.entries)
    assert (back.frozen, back.result) == ("", first.result)


def test_a_choice_may_come_back_as_a_list_as_from_json() -> None:
    def choose(_table: Table, _seat: int, choices: Any, dice: random.Random) -> Any:
        return json.loads(json.dumps(dice.choice(choices)))

    assert simulate(Count, seed=3, choose=choose).result == simulate(Count, seed=3).result


def test_who_chooses_is_asked_for_every_move() -> None:
    played = simulate(Count, choose=lowest)

    assert [choice[1] for _, choice in played.moves] == [{"number": 1}] * 9


@pytest.mark.parametrize(("game", "limit", "moves"), [(Count, 2, 2), (Stuck, 100, 1)])
def test_a_game_may_stop_before_it_has_ended(game: type[Game], limit: int, moves: int) -> None:
    played = simulate(game, limit=limit)

    assert (len(played.moves), played.result) == (moves, None)


def test_what_is_listed_and_refused_is_a_fault_of_the_rules() -> None:
    with pytest.raises(RulesError, match="a move that is listed as legal is refused: not today"):
        simulate(Unsure)
    with pytest.raises(RulesError, match="no reason"):
        done(Refused("no reason"))


class Faulty(Game):
    """Leaves behind what cannot be stored."""

    cards: list[int] = []

    @move
    def go(self) -> None:
        self.cards.append(self.cards)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_what_is_wrong_with_rules_that_fail_is_said_as_well() -> None:
    with pytest.raises(RulesError) as error:
        simulate(Faulty)

    assert str(error.value).endswith(
        "the game goes on without it; Faulty fails: RulesError: after Faulty.go, Faulty.cards[0] is a list; "
        "its annotation says int; it cannot be stored"
    )


def few(places: list[int]) -> str | None:
    return None if len(places) < 4 else "at most three"


FREE = Free(list[int], lambda dice: [dice.randrange(9)], few)


class Hiding(Game):
    """Its move and its answer are drawn, not listed."""

    hidden: list[list[int]] = []

    @move(places=FREE)
    def hide(self, places: list[int]) -> None:
        self.hidden.append(places)
        self.hidden.append(self.ask(self.mover, FREE, "and where else?"))
        if len(self.hidden) == 4:
            self.finish()


def test_what_is_not_listed_is_drawn() -> None:
    played = simulate(Hiding)

    assert [choice[0] for _, choice in played.moves] == ["hide", "", "hide", ""]
    assert played.result is not None


class OfNumpy:
    """A number of numpy, as far as it is looked at."""

    def __index__(self) -> int:
        return 3


def test_a_seed_may_be_a_number_of_numpy() -> None:
    seed: Any = OfNumpy()

    assert simulate(Count, seed=seed).moves == simulate(Count, seed=3).moves
    assert check(Count, games=1, seed=seed).ok
    assert dice_for(seed).random() == dice_for(3).random()


@pytest.mark.parametrize("call", [simulate, check])
@pytest.mark.parametrize("game", [Count(), "Count", random, int])
def test_what_is_no_class_of_rules_is_told_so(call: Callable[[Any], object], game: object) -> None:
    with pytest.raises(
        TypeError, match=rf"a game is a class, not .*; give the class itself, as in {call.__name__}\(Tic"
    ):
        call(game)


@pytest.mark.parametrize(
    ("call", "given", "error", "text"),
    [
        (partial(simulate, Count), {"seed": None}, TypeError, "seed must be an int, not NoneType"),
        (partial(simulate, Count), {"seed": True}, TypeError, "seed must be an int, not bool"),
        (partial(simulate, Count), {"seed": Several()}, TypeError, "seed must be an int, not Several"),
        (RandomBot, {"seed": Several()}, TypeError, "seed must be an int, not Several"),
        (RandomBot, {"seed": "anne"}, TypeError, "seed must be an int, not str"),
        (
            partial(simulate, Count),
            {"options": "size"},
            TypeError,
            'options must be a dict such as {"size": 5}, not str',
        ),
        (
            partial(simulate, Count),
            {"choose": "any"},
            TypeError,
            "choose must be a function of a table, a seat, what it may do, and",
        ),
        (
            partial(simulate, Count),
            {"choose": _forgets},
            TypeError,
            "choose returned None; it returns one of its",
        ),
        (
            partial(simulate, Count),
            {"choose": _hands_on},
            TypeError,
            "it returns one of its choices, such",
        ),
        (
            partial(simulate, Count),
            {"choose": _forgets_names},
            TypeError,
            "it returns one of its choices, such",
        ),
        (partial(simulate, Count), {"limit": None}, ValueError, "limit must be an int from 0 up, not None"),
        (partial(simulate, Count), {"limit": -1}, ValueError, "limit must be an int from 0 up, not -1"),
        (partial(check, Count), {"seed": 1.5}, TypeError, "seed must be an int, not float"),
        (partial(check, Count), {"seconds": None}, ValueError, "seconds must be a number from 0 up, not None"),
        (partial(check, Count), {"seconds": float("nan")}, ValueError, "seconds must be a number from 0 up, not nan"),
        (
            partial(check, Count),
            {"options": ["size"]},
            TypeError,
            'options must be a dict such as {"size": 5}, not list',
        ),
        (partial(check, Count), {"games": 10**20}, ValueError, "games must be an int from 1 up, not 1000"),
        (SearchBot, {"seconds": "1"}, ValueError, "seconds must be a number from 0 up, not '1'"),
        (Clock, {"minutes": int}, ValueError, "not Clock(minutes=<class 'int'>, increment=0"),
        (stored_tables, {"path": "games.db", "game": int}, TypeError, "a game is a class, not <class 'int'>"),
    ],
)
def test_arguments_that_cannot_be_are_told_at_the_call(
    call: Any, given: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=re.escape(text)):
        call(**given)


@pytest.mark.parametrize("call", [simulate, check])
def test_what_games_build_on_is_told_to_be_none(call: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError, match=rf"^Game has no rules; give a class of yours .*, as in {call.__name__}\(Tic"):
        call(Game)
