"""Moves of several at once: each is tried, and kept unseen until the last has come; then all are made, by seat."""

from collections.abc import Mapping
from typing import Any

from netcode.turns.errors import Enough
from netcode.turns.language.definition import MoveRule
from netcode.turns.language.kit import Told
from netcode.turns.runtime.course import Course
from netcode.turns.runtime.outcomes import Refused
from netcode.turns.runtime.pending import Stand, Task, Turn
from netcode.turns.values import check_bounds


def together(course: Course) -> bool:
    """Tell whether a move would be one of several at once."""
    return len(course.kit.to_move) + len(course.waiting.sealed) > 1


def tried(course: Course, seat: int, move: MoveRule, arguments: Mapping[str, Any]) -> Refused | None:
    """Try a move on a scratch copy, up to where it draws, asks or ends the game; return why it is refused."""
    try:
        check_bounds(arguments)
        scratch, _ = course.scratch(seat)
        move.rule(scratch, **course.read(scratch, move, arguments, seat))
    except Enough:
        pass
    except BaseException as error:  # noqa: BLE001 - what is no fault of the seat is raised again
        return course.refusal(error, seat)
    return None


def seal(course: Course, task: Task) -> list[Told]:
    """Keep a move; with the last one, make them all, and return what they tell."""
    kit, seat = course.kit, task.seat
    assert seat is not None
    kit.mover = seat
    course.waiting.sealed[seat] = task
    kit.to_move = tuple(other for other in kit.to_move if other != seat)
    if kit.to_move:
        return []
    kit.number += 1
    return course.go(course.waiting.next(), Stand(course.packed, Turn.of(kit)))
