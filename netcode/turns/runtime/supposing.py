"""A game as it might be for all that a seat knows, for bots that play it on."""

import random
from collections.abc import Callable
from typing import Any

from netcode.turns.errors import BUGS, Leave
from netcode.turns.language.fields import Packed, pack_fields
from netcode.turns.language.kit import ImaginedKit
from netcode.turns.language.randomness import SECRET_SIZE
from netcode.turns.runtime.course import MAX_ROUNDS, Course
from netcode.turns.runtime.looking import seen
from netcode.turns.runtime.pending import Stand, Suspension
from netcode.turns.runtime.resuming import wait_on


def suppose(
    course: Course, seat: int, dice: random.Random, change: Callable[[Any], None], view: Packed
) -> Course | None:
    """Return another course, on which `change` was made to the game: it fills in what the seat cannot see.

    What is yet to be drawn is drawn by other dice, and so is what a rule that waits for an answer has drawn unseen. Where
    such a rule waits, the seat sees its `view` in that world, too. None where the rules object, as they do to a world in
    which what happened could not have.
    """
    real, suspension = course.kit, course.suspension
    kit = ImaginedKit(real.names, real.options, real.secret)
    kit.other = dice.randbytes(SECRET_SIZE)
    kit.until = (real.number, MAX_ROUNDS)
    other = Course(course.rules, kit)
    other.supposed = True
    other.stand(course.here() if suspension is None else suspension.before)
    try:
        kit.begin(seat)
        kit.generator = dice
        if suspension is None or suspension.task.kind != "setup":  # before that there was nothing
            change(other.game)
        other.packed = pack_fields(other.game)
        other.rest()
        # What others have moved unseen, nobody knows: in this world they have yet to move.
        other.waiting.sealed = {
            mover: task for mover, task in course.waiting.sealed.items() if mover == seat or task.kind == "late"
        }
        hidden = course.waiting.sealed.keys() - other.waiting.sealed.keys()
        kit.to_move = tuple(mover for mover in real.players if mover in real.to_move or mover in hidden)
        if suspension is not None and not _stands_at_question(other, suspension, seat, view):
            return None
    except (Leave, *BUGS):  # a world that could not be may break any rule
        return None
    return other


def _stands_at_question(other: Course, suspension: Suspension, seat: int, view: Packed) -> bool:
    """Come to the question in another world; return whether the seat is asked and sees the same there.

    What the rule drew on the way may be hidden from the seat: then it must have drawn something else. Where all of it
    shows, it drew what the seat saw.
    """
    kit, number = other.kit, suspension.question.number
    assert isinstance(kit, ImaginedKit)
    before = Stand(other.packed, suspension.before.turn)
    waiting, unseen = other.waiting.copy(), other.definition.unseen_fields
    drawn: Packed | None = None
    if unseen:
        kit.until, kit.threw = (number - 1, MAX_ROUNDS), False
        asked = _come_to_question(other, before, suspension, seat)
        if asked and seen(other, seat, running=True) == view:
            return True
        if not asked or not kit.threw:
            return False
        drawn, other.waiting, other.suspension = other.packed, waiting, None
    kit.until = (number, len(suspension.answers))
    if not _come_to_question(other, before, suspension, seat) or seen(other, seat, running=True) != view:
        return False
    return drawn is None or all(drawn.get(name) == other.packed.get(name) for name in unseen)


def _come_to_question(other: Course, before: Stand, suspension: Suspension, seat: int) -> bool:
    """Come to the question in another world; return whether the seat is asked the same there."""
    asked = suspension.question
    other.stand(before)
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
