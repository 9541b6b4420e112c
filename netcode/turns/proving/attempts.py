"""Plays that are tried at a position though they are not legal there: the rules refuse them, and may tell nothing by it."""

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Any

from netcode.turns.errors import BUGS, Refusal
from netcode.turns.language.definition import MoveRule
from netcode.turns.language.domains import Domain
from netcode.turns.proving.worlds import supposed
from netcode.turns.runtime.legal import draw_each
from netcode.turns.runtime.sealing import tried
from netcode.turns.simulate import Choice, act
from netcode.turns.table import Refused, Table
from netcode.turns.values import plain

MAX_FOUND = 200
"""Plays of one move that are looked at, of those that its domains list."""
MAX_TRIED = 6
"""Plays that are tried, of all that domains list and rules refuse."""
DRAWS = 4
"""How often a move is drawn that is not listed, in search of what the rules refuse."""
REFUSED_DRAWS = 2
"""So many such draws of one move are tried."""
QUOTED = 80
"""Characters of a refusal that are quoted."""


def wrong_choices(table: Table, dice: random.Random) -> list[tuple[int, Choice]]:
    """Return some moves, of seats to move, that are not legal: listed by domains, or such that a domain itself refuses."""
    if table.course.suspension is not None:
        seat = table.course.suspension.question.seats[0]
        return [(seat, ("", {"answer": "no such option"}))]
    wrong, barred = list[tuple[int, Choice]](), list[tuple[int, Choice]]()
    for seat in table.to_move:
        legal = table.legal_all(seat)
        for name, move in table.course.definition.moves.items():
            if move.free or name in legal.unlisted:
                continue
            shut: list[dict[str, Any]] = []
            try:
                found = itertools.islice(_listed(table, seat, move, shut), MAX_FOUND)
                wrong += [(seat, (name, arguments)) for arguments in found if (name, arguments) not in legal.plays]
            except BUGS:
                continue
            barred += [(seat, (name, arguments)) for arguments in shut[:1]]
    dice.shuffle(wrong)
    return wrong[:MAX_TRIED] + barred


def in_the_way(table: Table) -> str:
    """Say whose turn it is at a table at which nobody finds anything to do, and what keeps each move from being made.

    For the end of a sentence; nothing of moves that are drawn, or fail.
    """
    asks = table.course.suspension
    if asks is not None:
        return f"; {table.course.place_of(asks.task)} waits for {_seats(table.to_move)} to answer"
    alike: dict[str, list[int]] = {}
    for seat in table.to_move:
        kept = "; ".join(filter(None, (_kept(table, seat, move) for move in table.course.definition.moves.values())))
        alike.setdefault(f": {kept}" if kept else "", []).append(seat)
    return "".join(
        f"; {_seats(seats)} {'is' if len(seats) == 1 else 'are'} to move{kept}" for kept, seats in alike.items()
    )


def _seats(seats: Sequence[int]) -> str:
    *others, last = map(str, seats)
    return f"seats {', '.join(others)} and {last}" if others else f"seat {last}"


def _kept(table: Table, seat: int, move: MoveRule) -> str:
    """Say what keeps a seat from a move, of which nothing is legal."""
    shut: list[dict[str, Any]] = []
    try:
        found = None if move.free else next(_listed(table, seat, move, shut), None)
    except BUGS:
        return ""
    arguments = found if found is not None else next(iter(shut), None)
    if arguments is None:
        return "" if move.free else f"{move.name} lists nothing"
    outcome = act(supposed(table), seat, (move.name, arguments))
    return f"{move.name} is refused: {outcome.text:.{QUOTED}}" if isinstance(outcome, Refused) else ""


def _listed(table: Table, seat: int, move: MoveRule, shut: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the arguments that the domains of a move list; note in `shut` those for which a domain refuses."""
    scratch, reload = table.course.scratch(seat)

    def extend(domains: list[tuple[str, Domain]], earlier: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if not domains:
            yield {name: plain(value) for name, value in earlier.items()}
            return
        (name, domain), *others = domains
        try:
            values = domain.values(scratch, earlier) or ()
        except Refusal:
            reload()
            shut.append(_whatever(move, earlier))
            return
        for value in values:
            yield from extend(others, {**earlier, name: value})

    yield from extend([*move.domains.items()], {})


def _whatever(move: MoveRule, earlier: dict[str, Any]) -> dict[str, Any]:
    """Return arguments of which the rules read no more than these: they are all, or the domain of the next one refuses."""
    return {name: plain(earlier.get(name)) for name in move.domains}


def refused_draws(table: Table) -> list[tuple[int, Choice]]:
    """Return some moves, of seats to move, of which nothing is listed, as they are drawn, and the rules refuse them.

    They are drawn by dice of their own, the same at the same position: what else is done there does not depend on them.
    """
    if table.course.suspension is not None:
        return []
    dice = random.Random(table.snapshot())  # noqa: S311 - the same draws for the same position
    refused: list[tuple[int, Choice]] = []
    for seat in table.to_move:
        plays, unlisted = table.legal_all(seat)
        listed = {name for name, _ in plays}
        for name, move in table.course.definition.moves.items():
            if name in unlisted or (len(move.domains) > 1 and name not in listed):
                drawn = itertools.islice(_refused(supposed(table), seat, move, dice), REFUSED_DRAWS)
                refused += [(seat, (name, arguments)) for arguments in drawn]
    return refused


def _refused(world: Table, seat: int, move: MoveRule, dice: random.Random) -> Iterator[dict[str, Any]]:
    scratch, reload = world.course.scratch(seat)
    for _ in range(DRAWS):
        try:
            found, shut = draw_each(move, scratch, reload, dice)
            drawn = _whatever(move, found) if shut or len(found) == len(move.domains) else None
        except BUGS:  # which is told where such a move is drawn to be played
            return
        if drawn is not None and tried(world.course, seat, move, drawn) is not None:
            yield drawn
