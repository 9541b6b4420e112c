"""Questions in the middle of a rule: the answer comes, and the rule runs again from its beginning, up to the next one."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from netcode.turns.errors import BUGS, Changed, Leave
from netcode.turns.language.fields import pack_fields
from netcode.turns.language.kit import Told
from netcode.turns.language.questions import ALL, Answered
from netcode.turns.runtime import log
from netcode.turns.runtime.course import Course
from netcode.turns.runtime.outcomes import Asked, TakenBack
from netcode.turns.runtime.pending import Stand, Suspension, Turn


def asked(course: Course, seat: int) -> Asked | None:
    """Return what the seat is asked, or None."""
    suspension = course.suspension
    if suspension is None or seat not in suspension.question.options:
        return None
    question = suspension.question
    return Asked(question.id(seat), question.prompt, question.wire_options(seat), question.is_text(seat))


def has_default(course: Course, seat: int) -> bool:
    """Tell whether the seat is asked what answers itself for those who are absent or out of time."""
    suspension = course.suspension
    return suspension is not None and suspension.question.default is not ... and seat in suspension.question.waiting


def give(course: Course, suspension: Suspension, seat: int, option: Any) -> list[Told]:
    """Take an answer that can be read, and go on if it is the last that was waited for."""
    question = suspension.question
    given = {**question.given, seat: option} if question.kind is ALL else {seat: option}
    if question.kind is ALL and len(given) < len(question.options):
        wait_on(course, suspension, given)
        return []
    answers = (*suspension.answers, Answered(question.signature(), given))
    waiting = course.waiting.copy()
    course.suspension = None
    course.stand(suspension.before)
    course.kit.number = question.number
    try:
        return course.go(suspension.task, suspension.before, answers, suspension.told)
    except Changed:
        course.waiting = waiting
        return take_back(course, suspension)


def ask_again(course: Course, suspension: Suspension) -> list[Told] | None:
    """Run a rule again from where the course stands, in a world that need not be possible.

    Returns what it tells up to its question; None where it does not come to one.
    """
    before = Stand(course.packed, suspension.before.turn)
    course.stand(before)
    course.kit.number = suspension.question.number
    try:
        news = course.go(suspension.task, before, suspension.answers)
        course.packed = pack_fields(course.game)
    except (Leave, *BUGS):  # such a world may break any rule
        return None
    return None if course.suspension is None else news


def wait_on(course: Course, suspension: Suspension, given: Mapping[int, Any]) -> None:
    """Wait for the other answers to a question to several; these were given."""
    question = replace(suspension.question, given=dict(given)) if given else suspension.question
    course.suspension = replace(suspension, question=question)
    course.kit.to_move = course.suspension.question.waiting


def take_back(course: Course, suspension: Suspension, *, other_rules: bool = False) -> list[Told]:
    """Take a rule back that no longer asks what it asked, and say so; what nobody chose begins again.

    Of `other_rules` than those that asked, it is no fault.
    """
    task, before, kit = suspension.task, suspension.before, course.kit
    where = course.place_of(task)
    if other_rules:
        log.outdated(where)
    else:
        course.complaints[where] = (
            "asks something else when it runs again with the answer; it may depend on `self` alone"
        )
        if not course.supposed:
            log.changed(where)
    course.suspension = None
    course.stand(before)
    text = f"{where} asks something else than before, so it is taken back"
    course.taken_back.append(TakenBack(task.seat, text))
    kit.number = suspension.question.number  # what it drew is known
    if task.kind == "move":
        return []
    if task.kind in ("sealed", "timeout"):
        kit.begin(task.seat)
        following = course.after(task, before.turn)
        if following is None:
            return []
        kit.number += 1
        task, before = following, Stand(pack_fields(course.game, course.packed), Turn.of(kit))
    return course.go(task, before)
