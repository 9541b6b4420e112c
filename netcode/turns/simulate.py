"""A game that plays itself, by random legal moves or by a bot, the same for the same seed."""

import operator
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from math import inf
from sys import float_info
from typing import Any

from netcode.turns.errors import RulesError
from netcode.turns.language.definition import check_game
from netcode.turns.language.kit import Result
from netcode.turns.rules import Game
from netcode.turns.table import Happening, Refused, Step, Table

MAX_MOVES = 10_000
"""Moves and answers after which a game counts as one that does not end."""

Choice = tuple[str, Mapping[str, Any]]
"""A move and its arguments, as plain wire data; ("", {"answer": option}) for an answer."""
Chooser = Callable[[Table, int, list[Choice], random.Random], Choice]
"""Chooses one of what a seat may do. The table is for those bots that may look at it: they see what is hidden."""


@dataclass(slots=True)
class Simulation:
    """A game that was played: its table, what would have been logged, and what each move was."""

    table: Table
    start: bytes
    """The state before the first move, from which `entries` lead to the end."""
    entries: list[bytes] = field(default_factory=list[bytes])
    moves: list[tuple[int, Choice]] = field(default_factory=list[tuple[int, Choice]])
    """Each seat that moved or answered, and what it chose: a name, empty for an answer, and arguments."""
    happenings: list[Happening] = field(default_factory=list[Happening])
    """What was told, who moved and how it ended, in order."""

    @property
    def result(self) -> Result | None:
        """How the game ended; None if it did not end within the limit of moves, or nobody could do anything."""
        return self.table.result

    def note(self, step: Step) -> None:
        """Keep what a step logs and tells."""
        self.entries.append(step.entry)
        self.happenings += step.happenings


def seed_of(seed: Any) -> int:
    """Return a seed as an int, also one of numpy's; raise `TypeError` for what is none."""
    kind: type[Any] = seed.__class__
    if kind is not bool:
        with suppress(TypeError):  # an array has __index__, too, which raises unless it is a scalar
            return operator.index(seed)
    raise TypeError(f"seed must be an int, not {kind.__name__}")


def dice_for(seed: int | None) -> random.Random:
    """Return dice, the same for the same seed, and others each time without one. Raises `TypeError` for what is no seed."""
    return random.Random(None if seed is None else seed_of(seed))  # noqa: S311 - what a bot or a trial draws is no key


def check_seconds(seconds: Any) -> None:
    """Raise `ValueError` for what is no time to think or to play."""
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not is_number or not (0 <= seconds <= float_info.max or seconds == inf):
        raise ValueError(f"seconds must be a number from 0 up, not {seconds!r}")


def secret_of(seed: int) -> bytes:
    """Return the secret of a table for a seed that anybody may choose."""
    return blake2b(b"%d" % seed, digest_size=32).digest()


def simulate(
    game: type[Game],
    seed: int = 1,
    *,
    players: int | None = None,
    options: Mapping[str, Any] | None = None,
    choose: Chooser | None = None,
    limit: int = MAX_MOVES,
) -> Simulation:
    """Play a whole game without anybody.

    Args:
        game: the class of the rules.
        seed: of the table and of the choices.
        players: how many; the fewest the game is for if it is left out.
        options: of the table, as plain wire data.
        choose: what chooses; random legal moves if it is left out.
        limit: moves and answers after which it stops.

    Raises:
        TypeError: for what is no class of rules, and other arguments that cannot be what they should be.
        RulesError: for rules that cannot begin, or refuse what they list as legal.
        ValueError: for a limit below 0, and a number of players or an option that the game does not have.
    """
    check_game(game, "simulate")
    seed = seed_of(seed)
    if type(limit) is not int or limit < 0:
        raise ValueError(f"limit must be an int from 0 up, not {limit!r}")
    if choose is not None and not callable(choose):
        raise TypeError(f"choose must be a function of a table, a seat, what it may do, and dice, not {choose!r}")
    table = Table.create(game, game.seats[0] if players is None else players, options, secret=secret_of(seed))
    played = Simulation(table, table.snapshot())
    played.note(done(table.start(0.0)))
    dice = dice_for(seed)
    while table.result is None and len(played.moves) < limit:
        choice = step(table, dice, choose)
        if choice is None:
            break
        played.moves.append(choice[:2])
        played.note(choice[2])
    return played


def step(table: Table, dice: random.Random, choose: Chooser | None = None) -> tuple[int, Choice, Step] | None:
    """Let one of the seats to act do something; return None if none of them can."""
    seats = [*table.to_move]
    dice.shuffle(seats)
    for seat in seats:
        choices = choices_of(table, seat, dice, thorough=True)
        if choices:
            choice = dice.choice(choices) if choose is None else _checked(choose(table, seat, choices, dice))
            return seat, choice, done(act(table, seat, choice), table)
    return None


def _checked(choice: Any) -> Choice:
    """Return what a function has chosen. Raises `TypeError` for what is no choice."""
    given: Any = choice
    match choice:
        case (str(), Mapping()):  # also a list, as moves come back that were kept as JSON
            return given[0], given[1]
        case _:
            raise TypeError(
                f'choose returned {choice!r}; it returns one of its choices, such as ("mark", {{"cell": 4}}): '
                "`return dice.choice(choices)`"
            )


def choices_of(
    table: Table, seat: int, dice: random.Random, *, thorough: bool = False, hasty: bool = False
) -> list[Choice]:
    """Return what a seat may do; of what is not listed one draw each that the rules do not refuse.

    Args:
        table: at which.
        seat: whose choice it is.
        dice: what to draw from.
        thorough: whether, where there is nothing else, what is not listed is gone through for one that is not refused.
        hasty: whether to list within the time that a listing may take, since others wait.
    """
    listing = table.legal(seat) if hasty else table.legal_all(seat)
    choices = [*listing.plays, *_drawn(table, seat, listing.unlisted, dice, thorough=False)]
    if not choices and thorough:
        choices += _drawn(table, seat, listing.unlisted, dice, thorough=True)
    return choices


def _drawn(table: Table, seat: int, names: tuple[str, ...], dice: random.Random, *, thorough: bool) -> Iterator[Choice]:
    for name in names:
        drawn = table.draw(seat, name, dice, thorough=thorough)
        if drawn is not None:
            yield name, drawn


def act(table: Table, seat: int, choice: Choice, now: float = 0.0, number: int | None = None) -> Step | Refused:
    """Do what was chosen, with the seat's next number, or with this one."""
    name, arguments = choice
    number = table.last_number(seat) + 1 if number is None else number
    question = table.question(seat)
    if question is not None and name == "":
        return table.answer(seat, question.id, arguments["answer"], number, now=now)
    return table.play(seat, name, arguments, number, now=now)


def done(outcome: Step | Refused, table: Table | None = None) -> Step:
    """Return a step, or raise `RulesError` for a refusal of what was listed; with what was wrong with the rules at the table."""
    if isinstance(outcome, Refused):
        wrong = [] if table is None else [f"{where} {what}" for where, what in table.complaints.items()]
        raise RulesError("; ".join([f"a move that is listed as legal is refused: {outcome.text}", *wrong]))
    return outcome
