"""What a viewer sees of a course, and what a seat may do in it."""

import random
from collections.abc import Mapping
from typing import Any

from netcode.turns.errors import BUGS, Leave
from netcode.turns.language.domains import Free
from netcode.turns.language.fields import Packed
from netcode.turns.language.marks import Mark
from netcode.turns.runtime.course import Course
from netcode.turns.runtime.legal import Budget, Listing, draw_arguments, list_moves
from netcode.turns.runtime.view import mask, shown_value
from netcode.turns.values import pack, plain, unpack

_NOTHING = pack(None)


def seen(course: Course, viewer: int | None, *, running: bool) -> Packed:
    """Return each field (and each `@shown` value) as the seat, or None for a spectator, sees it: msgpack bytes.

    Args:
        course: of the game.
        viewer: who looks.
        running: whether the rules can be asked; if not, what they would compute or mask is left out.
    """
    definition, packed = course.definition, course.packed
    opened = course.kit.result is not None and course.rules.reveal
    view: dict[str, bytes] = {}
    for name, field in definition.fields.items():
        if name not in packed or field.mark is Mark.PRIVATE:
            continue
        if field.mark is Mark.OPEN or opened:
            view[name] = packed[name]
        elif running:
            try:
                view[name] = pack(mask(field.mark, definition.shapes[name], unpack(packed[name]), viewer))
            except BUGS as error:  # a rule may have put anything there
                course.complain(name, error, "a view of it")
    if definition.shown and viewer is not None and running:
        scratch, _ = course.scratch(viewer)
        for name in definition.shown:
            try:
                view[name] = shown_value(scratch, definition, name, viewer)
            except (Leave, *BUGS) as error:  # rules that fail leave one thing unseen, no more
                course.complain(name, error, "what is shown of it")
                view[name] = _NOTHING  # and not what was shown before
    return view


def possible(course: Course, seat: int, budget: Budget | None) -> Listing:
    """List what a seat that is to move or asked may do."""
    if course.suspension is not None:
        options = course.suspension.question.wire_options(seat)
        if options is None:
            return Listing((), ("",))
        return Listing(tuple(("", {"answer": option}) for option in options))
    scratch, reload = course.scratch(seat)
    return list_moves(course.definition, scratch, reload, budget or Budget(), course.complain)


def draw(
    course: Course, seat: int, name: str, dice: random.Random, *, thorough: bool = False
) -> Mapping[str, Any] | None:
    """Draw arguments for a move, or an answer if `name` is ""; None if there is none to be found."""
    asks = course.suspension
    try:
        if name == "":
            assert asks is not None
            options = asks.question.options[seat]
            return {"answer": plain(options.sample(dice) if isinstance(options, Free) else dice.choice(options))}
        scratch, reload = course.scratch(seat)
        move = course.definition.moves[name]
        values = draw_arguments(move, scratch, reload, dice, course.complain, thorough=thorough)
    except (Leave, *BUGS) as error:  # a domain or a sample that fails draws nothing
        if asks is None:
            course.complain(name, error, "a draw for it")
        else:
            course.complain(asks.task.name or asks.task.kind, error, "a drawn answer")
        return None
    return None if values is None else {argument: plain(value) for argument, value in values.items()}
