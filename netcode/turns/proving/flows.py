"""Flows: the same move in two worlds that look the same to somebody, and what it then tells them apart by."""

import random
from typing import Any

from netcode.turns.language.kit import Told
from netcode.turns.simulate import Choice, act
from netcode.turns.table import Step, Table

MAX_ANSWERS = 20
"""How many answers of one move are followed."""


def follow(
    table: Table, world: Table, mover: int, choice: Choice, *, viewer: int | None, dice: random.Random
) -> set[str]:
    """Make the same move, and give the same answers, in two worlds; return by what a viewer can tell them apart.

    Those are names of fields, and "to_move", "result", "tells", "questions". Nothing, where the move is not possible in
    the other world.
    """
    differs: set[str] = set()
    seat = mover
    for _ in range(MAX_ANSWERS):
        steps = [act(one, seat, choice) for one in (table, world)]
        here, there = steps
        if not isinstance(here, Step) or not isinstance(there, Step):
            return differs
        differs |= _apart(table, world, here, there, viewer)
        if table.course.suspension is None or world.course.suspension is None or table.to_move != world.to_move:
            return differs
        seat = dice.choice(table.to_move)
        drawn = table.draw(seat, "", dice)
        if drawn is None:
            return differs
        choice = ("", drawn)
    return differs


def asked_apart(
    here: tuple[Table, list[Told]], there: tuple[Table, list[Told]], *, viewer: int | None, dice: random.Random
) -> set[str]:
    """Return by what a viewer can tell two tables apart at which the same rule waits, and by what follows from an answer.

    Each comes with what that rule has told so far.
    """
    table, world = here[0], there[0]
    differs = _apart(table, world, Step(b"", tuple(here[1])), Step(b"", tuple(there[1])), viewer)
    if table.to_move != world.to_move or not table.to_move:
        return differs
    seat = dice.choice(table.to_move)
    drawn = table.draw(seat, "", dice)
    return differs if drawn is None else differs | follow(table, world, seat, ("", drawn), viewer=viewer, dice=dice)


def _apart(table: Table, world: Table, here: Step, there: Step, viewer: int | None) -> set[str]:
    before, after = table.view(viewer), world.view(viewer)
    differs = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    if table.to_move != world.to_move:
        differs.add("to_move")
    if table.result != world.result:
        differs.add("result")
    if _heard(here, viewer) != _heard(there, viewer):
        differs.add("tells")
    if viewer is not None and _asked(table, viewer) != _asked(world, viewer):
        differs.add("questions")
    return differs


def _heard(step: Step, viewer: int | None) -> list[Any]:
    return [one for one in step.happenings if isinstance(one, Told) and (one.to is None or viewer in one.to)]


def _asked(table: Table, viewer: int) -> Any:
    question = table.question(viewer)
    return None if question is None else (question.prompt, question.options)
