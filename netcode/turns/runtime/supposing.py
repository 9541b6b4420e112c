"""A game as it might be for all that a seat knows, for bots that play it on."""

import random
from collections.abc import Callable
from typing import Any

from netcode.turns.errors import BUGS, Leave
from netcode.turns.language.fields import pack_fields
from netcode.turns.language.kit import ImaginedKit
from netcode.turns.language.randomness import SECRET_SIZE
from netcode.turns.runtime.course import MAX_ROUNDS, Course
from netcode.turns.runtime.pending import Stand, Suspension
from netcode.turns.runtime.resuming import wait_on


def suppose(course: Course, seat: int, dice: random.Random, change: Callable[[Any], None]) -> Course | None:
    """Return another course, on which `change` was made to the game: it fills in what the seat cannot see.

    What is yet to be drawn is drawn by other dice. None where the rules object, as they do to a world in which what
    happened could not have.
    """
    real, suspension = course.kit, course.suspension
    kit = ImaginedKit(len(real.players), real.names, real.options, real.secret)
    kit.other = dice.randbytes(SECRET_SIZE)
    kit.until = (real.number, MAX_ROUNDS if suspension is None else len(suspension.answers))
    other = Course(course.rules, kit)
    other.stand(course.here() if suspension is None else suspension.before)
    try:
        kit.begin(seat)
        kit.generator = dice
        change(other.game)
        other.packed = pack_fields(other.game)
        other.rest()
        # What others have moved unseen, nobody knows: in this world they have yet to move.
        other.waiting.sealed = {
            mover: task for mover, task in course.waiting.sealed.items() if mover == seat or task.kind == "late"
        }
        hidden = course.waiting.sealed.keys() - other.waiting.sealed.keys()
        kit.to_move = tuple(mover for mover in real.players if mover in real.to_move or mover in hidden)
        if suspension is not None and not _come_to_question(other, suspension, seat):
            return None
    except BUGS:  # a world that could not be may break any rule
        return None
    except Leave:
        return None
    return other


def _come_to_question(other: Course, suspension: Suspension, seat: int) -> bool:
    """Come to the question in another world; return whether the seat is asked the same there."""
    asked = suspension.question
    before = Stand(other.packed, suspension.before.turn)
    before.turn.give(other.kit)
    other.kit.number = asked.number
    other.go(suspension.task, before, suspension.answers, suspension.told)
    there = other.suspension
    if there is None or seat not in asked.options or there.question.options.keys() != asked.options.keys():
        return False
    if there.question.id(seat) != asked.id(seat):
        return False
    wait_on(other, there, {own: option for own, option in asked.given.items() if own == seat})
    other.packed = pack_fields(other.game)
    return True
