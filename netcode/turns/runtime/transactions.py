"""Changes at a table: each is whole or not at all, and gives its entry for the log and what is to be told."""

from collections.abc import Callable
from typing import Any

from netcode.turns.errors import BUGS, Refusal
from netcode.turns.language.kit import Result, Told
from netcode.turns.runtime import log
from netcode.turns.runtime.absence import Demand, is_stuck_without
from netcode.turns.runtime.outcomes import Happening, Moved, Over, Refused, Step
from netcode.turns.runtime.pending import Stand, Task
from netcode.turns.runtime.resuming import give
from netcode.turns.runtime.standing import Standing
from netcode.turns.values import pack, plain


def begin(table: Standing, task: Task, before: Stand) -> list[Told]:
    """Run a rule from where the game stands."""
    table.course.kit.number += 1
    return table.course.go(task, before)


def take_answer(
    table: Standing, seat: int, question: str, option: Any, number: int, *, now: float, lag: float = 0.0
) -> Step | Refused:
    """Answer the question of this id, as a seat does, or as time does for it: then without a number."""
    course, suspension = table.course, table.course.suspension
    if suspension is None or seat not in suspension.question.options or suspension.question.id(seat) != question:
        return Refused("too late: that is not asked any more")
    kind = ["answer", seat, number] if number else ["default", seat]

    def run(_: Stand) -> list[Told]:
        suspension.question.read(seat, option)  # here, since the check of a free answer is a part of the rules, too
        return give(course, suspension, seat, option)

    return attempt(table, run, [*kind, question, option], Moved(seat, None), now=now, lag=lag)


def attempt(
    table: Standing,
    run: Callable[[Stand], list[Told]],
    entry: list[Any],
    moved: Moved | None,
    *,
    now: float,
    lag: float = 0.0,
) -> Step | Refused:
    """Run rules; if they refuse or fail, everything is as it was."""
    course = table.course
    before = course.here()
    kind, seat = entry[:2]
    news = course.attempt(run, before, seat)
    if isinstance(news, Refused):
        return news
    if moved is not None and moved.name is not None:  # of one who was alone to move
        table.undoing.moved(course, seat, entry[3], before)
    elif kind in ("answer", "default") and not course.taken_back:
        table.undoing.wanted = None
    else:
        table.undoing.forget()
    if kind in ("play", "answer"):
        table.numbers[seat] = entry[2] or table.numbers[seat]
    return commit(table, entry, news, now=now, moved=moved, lag=lag)


def commit(
    table: Standing, entry: list[Any], news: list[Told], *, now: float, moved: Moved | None = None, lag: float = 0.0
) -> Step:
    """Make the change final: clocks, caches, the entry for the log, and what is to be told."""
    course, stored = table.course, None
    if table.clocks is not None:
        running = course.kit.to_move if table.is_open() else ()
        mover = None if moved is None else moved.seat
        if entry[0] == "timeout" and table.clocks.is_per_move:
            mover = entry[1]  # where it is to move again, it has the time of a move again
        table.clocks.switch(running, now, mover, lag)
        stored = table.clocks.stored()[0]
    table.forget()
    happenings: list[Happening] = [] if moved is None else [moved]
    happenings += course.taken_back
    course.taken_back = []
    happenings += news
    if course.kit.result is not None:
        happenings.append(Over(course.kit.result))
    return Step(pack([*entry, stored]), tuple(happenings))


def demanded(table: Standing, now: float) -> Step | None:
    """Do one thing that is due."""
    found = table.absence.demanded(table.course, table.clocks, now)
    if found is None:
        return None
    demand, seat = found
    if demand is Demand.DEFAULT:
        return _default(table, seat, now)
    if demand is Demand.TIMEOUT:
        return time_out(table, seat, now)
    return give_up(table, seat, now)


def _default(table: Standing, seat: int, now: float) -> Step:
    assert table.course.suspension is not None
    question = table.course.suspension.question
    place = table.course.place_of(table.course.suspension.task)
    step = take_answer(table, seat, question.id(seat), plain(question.default), 0, now=now)
    if isinstance(step, Step):
        return step
    log.refused_default(place, step.text)
    return time_out(table, seat, now)


def time_out(table: Standing, seat: int, now: float) -> Step:
    """Let the rules say what it means that a seat's time is up."""
    suspended = table.course.suspension
    if suspended is not None and suspended.task.kind in ("setup", "timeout"):
        return lose(table, ["lost", seat], now)  # there is no game yet that could go on, or it says no more what to do
    left = False

    def run(_: Stand) -> list[Told]:
        nonlocal left
        table.course.abandon()
        try:
            news = begin(table, Task("timeout", seat), table.course.here())
        except Refusal as error:
            _complain(table, "timeout", error, log.refused_timeout)
            raise
        except BUGS as error:
            table.course.complain("timeout", error, "a timeout")
            raise Refusal("the rules failed at this, which is a bug in them") from error
        left = _is_without_time(table, seat, now)
        if left:
            raise Refusal("")  # which nobody reads: what the rules did is undone by it
        return news

    step = attempt(table, run, ["timeout", seat], None, now=now)
    if not isinstance(step, Refused):
        return step
    # Where the rules fail, or leave the turn with a seat that has no time, somebody has to have lost.
    return lose(table, ["lost", seat] if left else ["lost", seat, "failed"], now)


def _is_without_time(table: Standing, seat: int, now: float) -> bool:
    """Tell whether it would be a seat's turn whose time is up, and which does not get the time of another move."""
    clocks, kit = table.clocks, table.course.kit
    if clocks is None or clocks.is_per_move or kit.result is not None:
        return False
    return seat in kit.to_move and seat in clocks.fallen(now)


def _complain(table: Standing, rule: str, error: Refusal, tell: Callable[[str, str], None]) -> None:
    """Note that a rule refuses where nobody has asked for anything, and have the log told."""
    place = table.course.place_of(Task(rule))
    table.course.complaints[place] = (
        f"refuses by require() what nobody has asked for: decide there by `if`{log.line_of(error)}"
    )
    if not table.course.supposed:
        tell(place, error.text)


def give_up(table: Standing, seat: int, now: float) -> Step:
    """Let a seat be gone for good: the others have won, or the game goes on without it where it says so and two stay.

    Where it is out and a rule waits for its answer, nothing goes on without it.
    """
    if is_stuck_without(table.course, seat):
        assert table.course.suspension is not None
        log.asked_in_vain(table.course.place_of(table.course.suspension.task))
        return lose(table, ["forfeit", seat, "failed"], now)
    others = [other for other in table.course.kit.alive if other != seat]
    suspended = table.course.suspension
    begun = suspended is None or suspended.task.kind != "setup"
    if table.game.absent != "out" or len(others) < 2 or not begun:
        return lose(table, ["forfeit", seat], now)
    step = put_out(table, seat, now)
    return lose(table, ["forfeit", seat, "failed"], now) if isinstance(step, Refused) else step


def put_out(table: Standing, seat: int, now: float) -> Step | Refused:
    """Take a seat out of the game, which goes on. What others were asked meanwhile is asked anew."""
    gone = f"{table.names[seat]} is out of the game"
    told = Told(f"{gone}, which goes on", {})

    def run(_: Stand) -> list[Told]:
        table.course.abandon(gone, without=seat)
        try:
            return [told, *begin(table, Task("out", seat), table.course.here())]
        except Refusal as error:
            _complain(table, "round", error, log.refused_absence)
            raise

    return attempt(table, run, ["out", seat], None, now=now)


def lose(table: Standing, entry: list[Any], now: float) -> Step:
    """End the game: all but this seat have won. Where the entry says that the rules failed, all are told.

    Not what these say: it may name what others must not know, and is for the log. What a rule did that waits for an answer
    stays as everybody has seen it.
    """
    seat: int
    kind, seat, *failed = entry
    table.course.suspension = None
    table.course.waiting.drop()
    table.undoing.forget()
    kit = table.course.kit
    name = kit.names[seat]
    others = tuple(other for other in kit.alive if other != seat)
    if kind == "forfeit":
        why, text = f"{name} gave up", f"the game is over, since the rules did not go on without {name}"
    else:
        why, text = f"{name} ran out of time", f"{name} has lost, since the rules did not go on when that time was up"
    kit.result = Result(others, None, why)
    kit.to_move = ()
    return commit(table, entry, [Told(text, {})] if failed else [], now=now)


def take_back(table: Standing, seat: int, now: float) -> Step:
    """Make everything as it was before the last move of the seat."""
    table.undoing.take_back(table.course, f"{table.names[seat]} took a move back")
    if table.clocks is not None:
        table.clocks.take_back(seat, now)
    return commit(table, ["undo", seat], [], now=now)
