"""The course of a game as plain data for the store, and back, also where its rules have changed since."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from netcode.turns.errors import BUGS, Changed, Refusal, Unfit
from netcode.turns.language.fields import NOTHING, Packed, fit, pack_defaults, pack_fields, share
from netcode.turns.language.questions import Answered, Kind, Question
from netcode.turns.runtime import log
from netcode.turns.runtime.course import Course
from netcode.turns.runtime.outcomes import TakenBack
from netcode.turns.runtime.pending import Stand, Suspension, Task, Turn, Undoable
from netcode.turns.runtime.resuming import take_back, wait_on
from netcode.turns.runtime.sealing import tried
from netcode.turns.runtime.soundness import check_course, check_fields, check_lasting
from netcode.turns.values import unpack

STATE_VERSION = 1
MAX_STATE = 1_048_576
"""Bytes of a table's state above which a server freezes it, unless it is told otherwise."""


class OtherVersion(ValueError):
    """A state of another version of netcode; the text says which."""


def read_state(state: bytes) -> dict[str, Any]:
    """Return what a stored state says. Raises `ValueError` for what is none, and `OtherVersion`."""
    try:
        data: dict[str, Any] = unpack(state)
        version = data["version"]
        if version == STATE_VERSION:
            check_lasting(data)
    except BUGS as error:
        raise ValueError(f"this is no state of a table: {error}") from error
    if type(version) is not int:
        raise ValueError("this is no state of a table: it has no version")
    if version != STATE_VERSION:
        raise OtherVersion(f"the state is of version {version}, and this netcode knows {STATE_VERSION}; update netcode")
    return data


def stored_course(course: Course, last: Undoable | None) -> dict[str, Any]:
    """Return, for `pack`, what `load_course` takes when it is unpacked: named tuples are lists then.

    Args:
        course: of the game.
        last: what can be taken back.
    """
    return {
        "fields": course.packed,
        "turn": Turn.of(course.kit).stored(),
        "sealed": [*course.waiting.sealed.values()],
        "queue": course.waiting.queue,
        "called": course.waiting.called,
        "suspension": None if course.suspension is None else _stored_suspension(course.suspension),
        "undo": None if last is None else [last.seat, last.before.stored(), last.free],
    }


def load_course(course: Course, data: Mapping[str, Any]) -> tuple[Undoable | None, tuple[TakenBack, ...]]:
    """Make a new course what was stored; return what can be taken back, and what was.

    Under changed rules, a move that waits for those of others is tried again, and a suspended rule runs again. What
    they no longer take, or where they ask something else, is taken back. Raises `Unfit` or `RulesError` for a state
    that does not fit the rules.
    """
    check_course(data)
    same_rules = data["rules"] == course.definition.fingerprint
    begun = has_begun(data)
    whole = begun and data["turn"][-1] is None  # who leaves while setup asks ends the game before anything is set
    fitted = partial(_fitted, course.rules, same_rules=same_rules, begun=begun, whole=whole)

    def stand_of(stored: Sequence[Any]) -> Stand:
        stand = Stand.load(stored)
        return Stand(share(fitted(stand.fields, course.packed), course.packed), stand.turn)

    course.packed = fitted(data["fields"], NOTHING)
    course.stand(Stand(course.packed, Turn.load(data["turn"])))
    sealed = [Task(*task) for task in data["sealed"]]
    taken_back = _keep_sealed(course, sealed, same_rules)
    course.waiting.queue = tuple(Task(*task) for task in data["queue"])
    course.waiting.called = None if data["called"] is None else tuple(data["called"])
    last = None
    if data["undo"] is not None:
        seat, before, free = data["undo"]
        last = Undoable(seat, stand_of(before), free)
    if data["suspension"] is not None:
        task, before, answers, told, number, given, signature = data["suspension"]
        answered = tuple(Answered(one, by_seat) for one, by_seat in answers)
        question = Question(number, len(answers), Kind.ONE, {}, "", ..., given)
        stand = stand_of(before)
        again = {one.seat for one in sealed if one.seat is not None} - course.waiting.sealed.keys()
        stand = stand._replace(turn=stand.turn._replace(to_move=tuple(sorted({*stand.turn.to_move, *again}))))
        suspension = Suspension(Task(*task), stand, answered, told, question)
        _suspend_again(course, suspension, signature, same_rules=same_rules)
        last = None if course.taken_back else last  # that move does not count any more
    taken_back += course.taken_back
    course.taken_back = []
    return last, tuple(taken_back)


def has_begun(data: Mapping[str, Any]) -> bool:
    """Tell whether the setup of a stored course is over."""
    return data["suspension"] is None or data["suspension"][0][0] != "setup"


def _fitted(rules: type[Any], fields: Packed, sound: Packed, *, same_rules: bool, begun: bool, whole: bool) -> Packed:
    """Return fields as the rules have them; until a game has `begun`, its setup runs again from their defaults."""
    if not same_rules:
        return fit(rules, fields) if begun else pack_defaults(rules)
    check_fields(rules, fields, sound, whole=whole)
    return fields


def _keep_sealed(course: Course, tasks: Sequence[Task], same_rules: bool) -> list[TakenBack]:
    """Keep moves that wait for those of others; a seat whose move the rules no longer take moves again, and is named."""
    kit, taken_back = course.kit, list[TakenBack]()
    for task in tasks:
        assert task.seat is not None
        move = course.definition.moves.get(task.name)
        if (
            same_rules
            or task.kind == "late"
            or (move is not None and tried(course, task.seat, move, task.arguments or {}) is None)
        ):
            course.waiting.sealed[task.seat] = task
            continue
        kit.to_move = tuple(sorted({*kit.to_move, task.seat}))
        text = f"the rules of {course.rules.__name__} have changed, so {kit.names[task.seat]} moves again"
        taken_back.append(TakenBack(task.seat, text))
    return taken_back


def _stored_suspension(suspension: Suspension) -> list[Any]:
    question = suspension.question
    return [
        suspension.task,
        suspension.before.stored(),
        [answered.stored() for answered in suspension.answers],
        suspension.told,
        question.number,
        question.given,
        question.signature(),
    ]


def _suspend_again(course: Course, stored: Suspension, signature: bytes, *, same_rules: bool) -> None:
    """Run a rule up to the question that it is known to wait at, of which `stored` has nothing but the answers given."""
    waiting = course.waiting.copy()
    course.stand(stored.before)
    course.kit.number = stored.question.number
    try:
        course.go(stored.task, stored.before, stored.answers, stored.told)
        wait_on(course, replace(_suspended(course, signature), told=stored.told), stored.question.given)
    except (Changed, Refusal, *BUGS) as error:  # other rules than those that asked may do anything
        if not isinstance(error, Changed | Refusal | Unfit):
            log.bug(course.rules.__name__, error, "a suspended rule that ran again")
        course.waiting = waiting
        take_back(course, stored, other_rules=not same_rules)
    course.packed = pack_fields(course.game, course.packed)


def _suspended(course: Course, signature: bytes) -> Suspension:
    """Return the rule that waits at the question of this signature. Raises `Changed` where none does."""
    there = course.suspension
    if there is None or there.question.signature() != signature:
        raise Changed
    return there
