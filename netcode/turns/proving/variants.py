"""Options with which a table may begin besides those that it is given: each value of each option, the others as they are."""

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, islice
from sys import maxsize
from typing import Any, NamedTuple, TypeVar

from netcode.turns.errors import BUGS, Leave, RulesError, Unfit
from netcode.turns.language.definition import definition_of
from netcode.turns.language.domains import Domain, Open
from netcode.turns.language.table_options import read_options
from netcode.turns.rules import Game
from netcode.turns.simulate import check_seconds, seed_of
from netcode.turns.values import pack, plain, same

T = TypeVar("T")
VALUES = 100
"""Values of one option that are tried; of what has more, so many from the first to the last."""
DRAWS = 10
"""So many are drawn of an option that is free."""
EACH = 20
"""Games that are played with one value at most."""
FEW = 20
"""With so many values a game is played each, however few games are asked for."""


def check_plan(games: Any, seed: Any, seconds: Any) -> None:
    """Raise `TypeError` or `ValueError` for what is no number of games, no seed, or no time for them."""
    if type(games) is not int or not 1 <= games <= maxsize:
        raise ValueError(f"games must be an int from 1 up, not {games!r}")
    seed_of(seed)
    check_seconds(seconds)


class Variant(NamedTuple):
    """One option, and what is chosen for it, as plain wire data."""

    option: str
    value: Any

    def __str__(self) -> str:
        return f"{self.option}={self.value!r}"


class Variants:
    """What may be chosen at the tables of one game, and what of it was tried.

    Args:
        game: the class of the rules.
        given: the options of the games that are played anyway, as plain wire data.
    """

    def __init__(self, game: type[Game], given: Mapping[str, Any]) -> None:
        self.all, self.wrong = list[Variant](), list[str]()
        """What may be chosen, and what is wrong with an option of which nothing can be."""
        self._beyond = dict[str, int]()
        """By option, how many values there are besides those."""
        for name, domain in definition_of(game).options.items():
            try:
                values = _values(f"{game.__name__}.setup", name, domain)
            except RulesError as error:
                self.wrong.append(str(error))
                continue
            self.all += [Variant(name, value) for value in values]
            self._beyond[name] = len(domain.values(None, {}) or values) - len(values)
        self.others = _others(game, given, self.all)
        """Those that the other games do not have."""
        self.played, self.failed = list[Variant](), list[Variant]()
        self._done = set[tuple[str, bytes]]()

    def plan(self, games: int) -> list[tuple[int, int, Variant]]:
        """Return the games to play with them, about as many as are played anyway: the how manieth with which, and that."""
        most = max(games, min(FEW, len(self.others)))
        some = self._some(most)
        return [*islice(((turn, nth, one) for turn in range(EACH) for nth, one in enumerate(some)), most)]

    def _some(self, most: int) -> list[Variant]:
        """Return so many of the others at most, of each option as many as of any, if it has so many."""
        options = [[*values] for _, values in groupby(self.others, lambda one: one.option)]
        some = list[Variant]()
        for place, values in enumerate(sorted(options, key=len)):
            some += spread(values, (most - len(some)) // (len(options) - place))
        return some

    def has_played(self, variant: Variant) -> None:
        """Remember that a game with one came to its end."""
        if variant not in self.played:
            self.played.append(variant)
        self.note(variant)

    def give_up(self, variant: Variant) -> None:
        """Play no more games with one of which it is known that something is wrong."""
        if variant not in self.failed:
            self.failed.append(variant)
        self.note(variant)

    def note(self, variant: Variant) -> None:
        """Remember that it is known what comes of one: a game with it is over, or it is none that can be chosen."""
        self._done.add(_key(variant))

    def unproved(self) -> Iterator[str]:
        """Yield of which options some values were not tried, as sentences."""
        for name, of_one in groupby(self.others, lambda one: one.option):
            values, beyond = [*of_one], self._beyond[name]
            left = sum(_key(one) not in self._done for one in values)
            given = f"{VALUES} are tried at most, so check again with those that matter as options"
            ways = ["play more, or allow more time"] * (left > 0) + [given] * (beyond > 0)
            if left or beyond:
                yield (
                    f"that all goes well with another {name}: with {left + beyond} of {len(values) + beyond} values no game "
                    f"came to its end; {'; '.join(ways)}"
                )


def _others(game: type[Game], given: Mapping[str, Any], every: list[Variant]) -> list[Variant]:
    try:
        chosen = read_options(game, given)[0]
        return [one for one in every if not same(one.value, plain(chosen[one.option]))]
    except (Leave, *BUGS):  # the first game with them says what is wrong
        return []


def spread(things: Sequence[T], most: int) -> list[T]:
    """Return so many of some things at most, evenly from the first to the last."""
    if len(things) <= most:
        return [*things]
    return [things[number * (len(things) - 1) // max(1, most - 1)] for number in range(most)]


def _key(variant: Variant) -> tuple[str, bytes]:
    return variant.option, pack(variant.value)


def _values(where: str, name: str, domain: Domain) -> list[Any]:
    """Return values of an option. Raises `RulesError` for a `Free` that draws what nobody could choose."""
    if not isinstance(domain, Open):
        return [plain(value) for value in spread(domain.values(None, {}) or (), VALUES)]
    where, dice = f"{where}: the sample of the option {name}", random.Random(1)  # noqa: S311 - the same draws each time
    drawn = dict[bytes, Any]()
    for _ in range(DRAWS):
        try:
            value = plain(domain.free.sample(dice))
            domain.read(None, {}, value, name)
            drawn[pack(value)] = value
        except RulesError:
            raise
        except Unfit as error:
            raise RulesError(f"{where} draws what is refused: {error}") from error
        except BUGS as error:
            raise RulesError(f"{where} fails: {type(error).__name__}: {error}") from error
    return [*drawn.values()]
