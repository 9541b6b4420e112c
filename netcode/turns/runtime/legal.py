"""What a seat may do: the products of the domains of its moves, each tried on a scratch copy where it can be refused."""

import random
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

from netcode.turns.errors import BUGS, Enough, Leave, Refusal
from netcode.turns.language.definition import Definition, MoveRule
from netcode.turns.language.domains import Open, lasts
from netcode.turns.language.kit import kit_of
from netcode.turns.values import NATIVE, plain

MAX_CANDIDATES = 20_000
"""How many candidates of one move are looked at."""
MAX_SECONDS = 0.05
"""How long one listing may take."""
SURE = 64
"""Candidates that are tried however long they take: a pause of the interpreter must not empty a short list."""
MAX_DRAWS = 100
"""How often arguments are drawn for a move that the rules then refuse, before it counts as none that is legal now."""


MAX_SEARCHED = 500_000
"""How many arguments are gone through for one that is legal, where nobody waits: `check` and `simulate` do."""


class Listing(NamedTuple):
    """What a seat may do, as plain wire data.

    `plays` are (name, arguments); while the seat is asked they are ("", {"answer": option}). `unlisted` names the moves
    that are not listed, because there are too many or their arguments are free: those are accepted all the same.
    """

    plays: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    unlisted: tuple[str, ...] = ()


NONE = Listing()
"""What a seat may do that is not to move."""


class _Spent(Exception):
    """The budget is used up."""


class Budget:
    """How much a listing may cost."""

    def __init__(
        self,
        candidates: int = MAX_CANDIDATES,
        seconds: float = MAX_SECONDS,
        clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self._candidates = self._left = candidates
        self._sure, self._clock, self._seconds = candidates - SURE, clock, seconds
        self._until: float | None = None

    def renew(self) -> None:
        """Begin with another move: one that has too many candidates does not hide the others."""
        self._left = self._candidates

    def spend(self, count: int = 1) -> None:
        """Pay for so many candidates."""
        before, self._left = self._left, self._left - count
        left = self._left
        # The clock is not read for each, nor where nothing depends on it: it costs as much as trying some.
        if left < 0 or (left < self._sure and left >> 3 != before >> 3 and self._is_late()):
            raise _Spent

    def _is_late(self) -> bool:
        now = self._clock()
        if self._until is None:
            self._until = now + self._seconds
        return now > self._until


Complain = Callable[[str, BaseException, str], None]
"""Is told of a bug: the name of the move, what was raised, and where that was."""


def list_moves(
    definition: Definition, scratch: Any, reload: Callable[[], None], budget: Budget, complain: Complain
) -> Listing:
    """List what the mover of `scratch` may do. Whoever calls it sees to the kit of `scratch`, and throws it away.

    Args:
        scratch: a copy of the game with a dry kit.
        reload: makes `scratch` again what it was.
        budget: what it may cost.
        complain: is told of a rule that fails.
    """
    plays: list[tuple[str, Mapping[str, Any]]] = []
    unlisted: list[str] = []
    for name, move in definition.moves.items():
        if move.free:
            unlisted.append(name)
            continue
        budget.renew()
        try:
            found = _candidates(move, scratch, reload, budget)
            if move.refuses:
                budget.renew()  # what they begin with has been paid for as well
                found = _tried(move, scratch, reload, found, budget=budget, complain=complain)
            plays += [(name, _plain(arguments)) for arguments in found]
        except _Spent:
            unlisted.append(name)
        except BUGS as error:  # what is listed may fail as well: when it is compared, or told
            complain(name, error, "what it lists")
            reload()
    return Listing(tuple(plays), tuple(unlisted))


def _plain(arguments: dict[str, Any]) -> dict[str, Any]:
    for value in arguments.values():
        if value.__class__ not in NATIVE:
            return {name: plain(one) for name, one in arguments.items()}
    return arguments


def draw_arguments(
    move: MoveRule,
    scratch: Any,
    reload: Callable[[], None],
    dice: random.Random,
    complain: Complain,
    *,
    thorough: bool,
) -> dict[str, Any] | None:
    """Draw a value for each argument of a move that is not listed.

    None if a domain has nothing to choose from, or the rules refuse so many draws: it is not the time for such a move.
    `thorough`: unless one of all that could be drawn is not refused, if those are no more than `MAX_SEARCHED`.
    """
    for _ in range(MAX_DRAWS):
        drawn, _ = draw_each(move, scratch, reload, dice)
        if len(drawn) == len(move.domains):
            if not move.refuses:
                return drawn
            for one in _tried(move, scratch, reload, [drawn], budget=Budget(), complain=complain):
                return one
        elif not drawn:
            return None  # the first has nothing to choose from, whatever is drawn
    return _search(move, scratch, reload, dice, complain) if thorough and not move.free else None


def draw_each(
    move: MoveRule, scratch: Any, reload: Callable[[], None], dice: random.Random
) -> tuple[dict[str, Any], bool]:
    """Draw one argument after the other, whether or not the rules then refuse them.

    Returns:
        Those up to the first that has nothing to choose from after them; and whether that is because its domain refuses.
    """
    drawn: dict[str, Any] = {}
    try:
        for name, domain in move.domains.items():
            if isinstance(domain, Open):
                drawn[name] = domain.free.sample(dice)
                continue
            values = domain.values(scratch, drawn)
            if not values:
                break
            drawn[name] = dice.choice(values)
    except Leave:
        reload()  # a domain that refuses lists nothing
        return drawn, True
    return drawn, False


def _search(
    move: MoveRule, scratch: Any, reload: Callable[[], None], dice: random.Random, complain: Complain
) -> dict[str, Any] | None:
    """Try one after the other, in no order, until the rules do not refuse one."""
    try:
        found = _candidates(move, scratch, reload, Budget(MAX_SEARCHED, float("inf")))
    except _Spent:
        return None
    dice.shuffle(found)
    endless = Budget(len(found), float("inf"))
    tried = (_tried(move, scratch, reload, [one], budget=endless, complain=complain) for one in found)
    return next((one for [one] in filter(None, tried)), None)


def _candidates(move: MoveRule, game: Any, reload: Callable[[], None], budget: Budget) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{}]
    for name, domain in move.domains.items():
        longer: list[dict[str, Any]] = []
        for earlier in found:
            try:
                values = domain.values(game, earlier) or ()
            except Leave:  # a domain that refuses lists nothing
                reload()
                continue
            budget.spend(len(values))
            longer += [{**earlier, name: value} for value in values]
        found = longer
    return found


def _tried(
    move: MoveRule,
    game: Any,
    reload: Callable[[], None],
    candidates: list[dict[str, Any]],
    *,
    budget: Budget,
    complain: Complain,
) -> list[dict[str, Any]]:
    """Return those candidates that the rule does not refuse, as wire data where a rule may write to them.

    It leaves `game` as it was.
    """
    kit, rule = kit_of(game), move.rule
    found: list[dict[str, Any]] = []
    said = candidates if move.only_looks else [*map(_said, candidates)]
    for arguments, values in zip(said, candidates, strict=True):
        budget.spend()
        try:
            given = values if values is arguments else _given(move, game, arguments, values)
            kit.demands = move.demands  # what comes after the last of them takes most of the time, and says nothing
            rule(game, **given)
            found.append(arguments)
        except Refusal:
            pass
        except Enough:
            found.append(arguments)
        except BUGS as error:  # a bug of the rules: such a move would be refused
            complain(move.name, error, "a dry run of it")
        if not move.only_looks:
            reload()
    kit.demands = 0
    return found


def _said(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return arguments that cannot be written to as they are, others as wire data: each try gets its own of those."""
    return arguments if all(map(lasts, arguments.values())) else _plain(arguments)


def _given(move: MoveRule, game: Any, said: dict[str, Any], drawn: dict[str, Any]) -> dict[str, Any]:
    """Return the values that wire data stands for in this game, and copies of what was drawn freely."""
    kit_of(game).demands = 0  # a domain that refuses is no rule
    given: dict[str, Any] = {}
    for name, domain in move.domains.items():
        free = isinstance(domain, Open)
        given[name] = deepcopy(drawn[name]) if free else domain.read(game, given, said[name], name)
    return given
