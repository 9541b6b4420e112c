"""What stands behind the kit's names while a rule runs: whose turn it is, dice, questions, what is told.

A game holds one `Kit`. In a table it is live; in a trial it is dry and leaves the rule at the first draw or question;
behind a view it refuses to play.
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any, NoReturn

from netcode.turns.errors import Changed, Enough, RulesError, Suspended, Unfit
from netcode.turns.language.domains import Free, check_sayable, listed, listed_by
from netcode.turns.language.questions import Answered, Kind, Question
from netcode.turns.language.randomness import DRY, dice
from netcode.turns.values import check_bounds, of_python, pack, plain, same

_FREE: Any = Free
_ITERABLE: Any = Iterable
_ASKED = '`self.ask(self.mover, ["left", "right"], "which way?")`'
_COLLECTIONS = (range, list, tuple, str)
"""What options mostly are: to ask whether something is iterable costs more than the rest of a question."""
MAX_SAID = 16_384
"""Bytes of a question, of what one `tell` tells, and of a result: they fit a message with everything else."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a game ended: who won (nobody: a draw), the scores if there are any, and why."""

    winners: tuple[int, ...]
    scores: tuple[float, ...] | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A rule told something: to all if `to` is None, else to those seats alone. `facts` are plain wire data."""

    text: str
    facts: Mapping[str, Any]
    to: tuple[int, ...] | None = None


class Kit:
    """The live kit of one table."""

    __slots__ = (
        "answers", "called", "careless", "demands", "generator", "mover", "names", "number", "options", "out", "players",
        "question", "result", "secret", "step", "tells", "to_move", "told", "torn",
    )  # fmt: skip

    def __init__(self, names: list[str], options: Mapping[str, Any], secret: bytes) -> None:
        self.players = range(len(names))
        self.names, self.options, self.secret = names, options, secret
        self.mover: int | None = None
        self.to_move: tuple[int, ...] = ()
        self.out: tuple[int, ...] = ()
        self.result: Result | None = None
        self.number = 0
        self.demands = 0
        """In a trial: how many calls of `require` are left until the rule cannot refuse any more, which ends it."""
        self.begin(None)

    def begin(self, mover: int | None, answers: Sequence[Answered] = (), told: int = 0) -> None:
        """Get ready to run a rule.

        Args:
            mover: whose rule it is; None for `setup` and `round`.
            answers: those to its questions so far.
            told: how much of what it tells was told before.
        """
        self.mover = mover
        self.called: tuple[int, ...] | None = None
        self.answers, self.told, self.step = answers, told, 0
        self.question: Question | None = None
        self.generator: random.Random | None = None
        self.tells: list[Told] = []
        self.careless = self.torn = False

    @property
    def alive(self) -> list[int]:
        """The seats that are not out."""
        return [seat for seat in self.players if seat not in self.out]

    def whose(self) -> int:
        """Return the mover, or say why there is none."""
        if self.mover is None:
            raise RulesError(
                "`mover` is asked for where nobody moves, as in setup() and round(); "
                "name a seat: `for seat in self.players: …`"
            )
        return self.mover

    def random(self) -> random.Random:
        """Return the dice of this move and answer."""
        if self.generator is None:
            self.generator = dice(self.secret, self.number, self.step)
        return self.generator

    def drew(self) -> bool:
        """Tell whether the rule has drawn since its last question."""
        if self.generator is None:
            return False
        return self.generator.getstate() != dice(self.secret, self.number, self.step).getstate()

    def note_draw(self) -> None:
        """Note whether the rule drew before what it is about to require."""
        self.careless = self.careless or self.drew()

    def turn_to(self, seats: tuple[int, ...]) -> None:
        """Say who moves next."""
        for seat in seats:
            self.check_seat(seat, "turn_to")
            if seat in self.out:
                instead = f"self.after({seat})" if len(seats) == 1 else "*self.alive"
                raise RulesError(f"turn_to({seat}): seat {seat} is out; write `self.turn_to({instead})`")
        self.called = tuple(dict.fromkeys(seats))

    def leave(self, seat: int) -> None:
        """Take a seat out of the turn."""
        self.check_seat(seat, "out")
        if seat not in self.out:
            self.out = (*self.out, seat)

    def after(self, seat: int) -> int:
        """Return the next seat that is not out."""
        self.check_seat(seat, "after")
        count = len(self.players)
        for step in range(1, count + 1):
            other = (seat + step) % count
            if other not in self.out:
                return other
        raise RulesError("after(): every seat is out; call `self.finish(…)` before the last one is")

    def finish(self, winners: tuple[int, ...], scores: Iterable[float] | Mapping[int, float] | None, text: str) -> None:
        """End the game."""
        for seat in winners:
            self.check_seat(seat, "finish")
        counted = _in_order(scores, self.players)
        if counted is not None and len(counted) != len(self.players):
            raise RulesError(
                f"finish(scores=…) has {len(counted)} scores for {len(self.players)} seats; write one for each, in order"
            )
        for score in counted or ():
            if not isinstance(score, int | float) or (isinstance(score, float) and isnan(score)):
                raise RulesError(
                    f"finish(scores=…) has {score!r} among its scores; a score is a number{of_python(score)}"
                )
        _check_said("finish", text, list(counted or ()))
        result = Result(tuple(dict.fromkeys(winners)), counted, text)
        self.torn = self.torn or self.result not in (None, result)
        self.result = result

    def tell(self, text: str, to: int | Iterable[int] | None, facts: Mapping[str, Any]) -> None:
        """Tell something, unless it was told when the rule ran before."""
        if not isinstance(text, str) and isinstance(to, str):
            raise RulesError('tell() says a text first, and then to whom: `self.tell("…", to=self.mover)`')
        if isinstance(to, str):
            raise RulesError(f"tell(to={to!r}) is no seat; to tell all, leave it out: `self.tell(text)`")
        seats = None if to is None else tuple(to) if isinstance(to, Iterable) else (to,)
        for seat in seats or ():
            self.check_seat(seat, "tell")
        said = {name: plain(value) for name, value in facts.items()}
        _check_said("tell", text, said)
        self.tells.append(Told(text, said, seats))

    def news(self) -> list[Told]:
        """Return what this run told that was not told before."""
        return self.tells[self.told :]

    def ask(
        self,
        kind: Kind,
        seats: Iterable[int],
        options: Any,
        prompt: str,
        default: Any = ...,
    ) -> Any:
        """Return the answer, or leave the rule until there is one."""
        if self.result is not None:
            raise RulesError(
                f"{kind.verb}() after finish(), when nobody can answer any more; ask first, and then finish"
            )
        question = self.make_question(kind, seats, options, prompt, default)
        if self.step < len(self.answers):
            answered = self.answers[self.step]
            if answered.signature != question.signature():
                raise Changed
            try:
                result = question.result(answered.given)
            except Unfit as error:
                raise Changed from error
            self.step += 1
            self.generator = None
            return result
        try:
            offered = [question.wire_options(seat) for seat in question.options]
        except TypeError as error:
            raise RulesError(f"ask() offers what cannot be sent: {error}") from error
        for options_of_one in offered:
            _check_said("ask", prompt, list(options_of_one or ()))
        self.question = question
        raise Suspended

    def make_question(self, kind: Kind, seats: Iterable[int], options: Any, prompt: str, default: Any) -> Question:
        """Make the question that a rule asks, or say what is wrong with it."""
        asked = seats if isinstance(seats, tuple) else _all_of(seats, kind)
        if not asked:
            raise RulesError(f"{kind.verb}() asks nobody; guard it: `if waiting: …`")
        for seat in asked:
            self.check_seat(seat, kind.verb)
        if not isinstance(prompt, str):
            raise RulesError(f"{kind.verb}() says {prompt!r}; the options come second, and the text third: {_ASKED}")
        if options.__class__ is str and " " in options and not prompt:
            raise RulesError(
                f"{kind.verb}() offers the letters of {options!r}; the options come before the text: {_ASKED}"
            )
        by_seat = False
        if type(options) not in _COLLECTIONS:
            options, by_seat = _unusual(kind, options, prompt)
        offered: Mapping[int, tuple[Any, ...] | Free[Any]] = (
            {seat: _offer(options(seat)) for seat in asked} if by_seat else dict.fromkeys(asked, _offer(options))
        )
        if () in offered.values():
            seat = next(seat for seat, its in offered.items() if its == ())
            raise RulesError(
                f"{kind.verb}() gives seat {seat} nothing to choose from ({prompt!r}); ask who has a choice"
            )
        if default is not ...:
            first = offered[asked[0]]
            if isinstance(first, tuple) and not any(same(default, one) for one in first):
                raise RulesError(f"{kind.verb}(default={default!r}) is none of its options; a default is one of them")
            check_sayable((default,), f"the default of {kind.verb}()")
        return Question(self.number, self.step, kind, offered, prompt, default, {})

    def check_seat(self, seat: Any, name: str) -> None:
        """Raise `RulesError` for what is no seat."""
        if type(seat) is not int or seat not in self.players:
            raise RulesError(
                f"{name}({seat!r}) is no seat; seats are numbered from 0 to {len(self.players) - 1}{_hint(seat, name)}"
            )


def _in_order(scores: Any, players: range) -> tuple[float, ...] | None:
    """Return scores in the order of the seats, whichever way they are given."""
    if scores is None:
        return None
    if not isinstance(scores, Iterable):
        raise RulesError(f"finish(scores={scores!r}) has no score for each seat; write one for each, in order")
    listed: list[Any] = [*scores]
    if isinstance(scores, Mapping):
        if {*listed} != {*players}:
            raise RulesError(f"finish(scores=…) is a dict of {listed}; write the score of each seat, from 0 on")
        listed = [scores[seat] for seat in players]
    # True, as in `[seat in winners for seat in self.players]`, is no number to those who are told.
    return tuple(int(score) if isinstance(score, bool) else score for score in listed)


def _hint(seat: Any, name: str) -> str:
    """Return what somebody who gave this for a seat may have meant."""
    if name == "finish" and seat is None:
        return "; where nobody wins it is `self.finish()`"
    if name in ("finish", "turn_to") and isinstance(seat, (list, tuple, set, frozenset, range)):
        return f"; several are `self.{name}(*…)`"
    if name == "ask" and isinstance(seat, (str, list, tuple)):
        return '; first comes who is asked: `self.ask(self.mover, […], "…")`'
    return of_python(seat)


def _check_said(where: str, text: Any, rest: Any) -> None:
    """Raise `RulesError` for what no player could be told."""
    if not isinstance(text, str):
        raise RulesError(f'{where}() says {text!r}; what it says is a text, as in f"{{…}}"')
    try:
        check_bounds(rest)
        size = len(pack([text, rest]))
    except (TypeError, ValueError, OverflowError) as error:
        raise RulesError(f"{where}() says what cannot be sent: {error}") from error
    if size > MAX_SAID:
        raise RulesError(f"{where}() says {size} bytes, and at most {MAX_SAID} are told at once; keep them in a field")


def _all_of(seats: Any, kind: Kind) -> tuple[Any, ...]:
    """Return the seats of which a rule asks, that gave them in another way than as a tuple."""
    if not isinstance(seats, _ITERABLE):
        raise RulesError(f"{kind.verb}({seats!r}) is asked of several seats: `self.{kind.verb}(self.alive, […])`")
    return tuple(seats)


def _unusual(kind: Kind, options: Any, prompt: str) -> tuple[Any, bool]:
    """Return what is offered, and whether it is a function of the seat."""
    if (values := listed_by(options)) is not None:  # first: an Enum and a NewType can be called, too
        return values, False
    if isinstance(options, (_ITERABLE, _FREE)):
        return options, False
    if isinstance(options, type) or not callable(options):
        raise RulesError(f"{kind.verb}() is given nothing to choose from ({prompt!r}); write a list: {_ASKED}")
    return options, True


def _offer(options: Any) -> tuple[Any, ...] | Free[Any]:
    if isinstance(options, Free):
        return options  # pyright: ignore[reportUnknownVariableType]
    offered = listed(options, "a question")
    if len({*map(type, offered)}) > 1:  # those of one kind are one thing only where they are equal
        check_sayable(offered, "a question")
    return offered


class DryKit(Kit):
    """The kit of a trial: it leaves the rule where it draws, asks or ends, and tells nobody anything."""

    __slots__ = ()

    def follow(self, kit: Kit, mover: int | None) -> None:
        """Stand where the live kit stands, before a rule of `mover`."""
        self.to_move, self.out, self.result, self.number = kit.to_move, kit.out, kit.result, kit.number
        self.mover, self.called = mover, None  # nothing else can have changed: it draws, asks and tells nothing
        self.demands = 0

    def random(self) -> random.Random:
        return DRY

    def finish(self, winners: tuple[int, ...], scores: Iterable[float] | Mapping[int, float] | None, text: str) -> None:
        raise Enough

    def tell(self, text: str, to: int | Iterable[int] | None, facts: Mapping[str, Any]) -> None:
        pass

    def ask(self, kind: Kind, seats: Iterable[int], options: Any, prompt: str, default: Any = ...) -> NoReturn:
        raise Enough


class ImaginedKit(Kit):
    """The kit of a game that goes on in somebody's head: what is yet to be drawn there is drawn by other dice."""

    __slots__ = ("other", "threw", "until")
    other: bytes
    threw: bool
    """Whether dice were thrown; whoever wants to know it sets this to False before."""
    until: tuple[int, int]
    """The move and answer up to which the real dice have been seen."""

    def random(self) -> random.Random:
        self.threw = True
        if self.generator is None and (self.number, self.step) > self.until:
            self.generator = dice(self.other, self.number, self.step)
        return super().random()

    def note_draw(self) -> None:
        """What is drawn here, nobody knows."""


class ViewKit(Kit):
    """The kit behind a view: it tells how things stand, and plays nothing."""

    __slots__ = ("seat", "shown")
    seat: int | None
    shown: Mapping[str, Callable[[int], Any]]

    def whose(self) -> int:
        if self.mover is not None:
            return self.mover
        return self.to_move[0] if self.to_move else 0

    def refuse(self) -> NoReturn:
        """Say what a view is not for."""
        raise TypeError("a view is for reading; play with `table.play(…)`")

    def random(self) -> random.Random:
        self.refuse()

    def turn_to(self, seats: tuple[int, ...]) -> None:
        self.refuse()

    def leave(self, seat: int) -> None:
        self.refuse()

    def finish(self, winners: tuple[int, ...], scores: Iterable[float] | Mapping[int, float] | None, text: str) -> None:
        self.refuse()

    def tell(self, text: str, to: int | Iterable[int] | None, facts: Mapping[str, Any]) -> None:
        self.refuse()

    def ask(self, kind: Kind, seats: Iterable[int], options: Any, prompt: str, default: Any = ...) -> NoReturn:
        self.refuse()


def kit_of(game: Any) -> Any:
    """Return the kit that a game uses, or a view or a trial of one: each has its own kind."""
    return game._kit


def give_kit(game: Any, kit: Kit) -> None:
    """Have a game use this kit from now on."""
    game._kit = kit
