"""The course of one game: a rule runs, then what has to run after it, until somebody is to move, asked, or all is over.

A change is whole or not at all: `attempt` makes everything as it was if the rules refuse or fail.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cached_property
from inspect import getattr_static
from typing import Any

from netcode.turns.errors import BUGS, Changed, Enough, Refusal, RulesError, Suspended, Unfit, sayable
from netcode.turns.language.definition import MoveRule, definition_of
from netcode.turns.language.fields import NOTHING, Packed, fill, filler, pack_changed
from netcode.turns.language.kit import DryKit, Kit, Told, give_kit, kit_of
from netcode.turns.language.questions import Answered
from netcode.turns.runtime import log
from netcode.turns.runtime.outcomes import Refused, TakenBack
from netcode.turns.runtime.pending import Stand, Suspension, Task, Turn
from netcode.turns.runtime.waiting_moves import WaitingMoves
from netcode.turns.values import a

MAX_ROUNDS = 1000
"""How often `round` may run on end without anybody being asked or to move."""

_KEEPS = "uses dice, or a game, that was kept beside the game when it was tried; use `self`, and keep nothing"


class Course:
    """Where a game stands, and what makes it go on. Those who change it see to it that it is whole."""

    __slots__ = (
        "_dry", "_game", "_rounds", "_task", "closely", "complaints", "definition", "kit", "packed", "rules", "supposed", "suspension", "taken_back",
        "touched", "waiting",
    )  # fmt: skip

    def __init__(self, rules: type[Any], kit: Kit) -> None:
        self.rules, self.kit, self.definition = rules, kit, definition_of(rules)
        self.complaints: dict[str, str] = {}
        """What was wrong with the rules, by place."""
        self.packed: Packed = NOTHING
        """The fields after the last change."""
        self._game: Any = None
        self.suspension: Suspension | None = None
        """The rule that waits for an answer."""
        self.waiting = WaitingMoves()
        """Of several moves at once, those that have come."""
        self.taken_back = list[TakenBack]()
        """What was taken back on the way, to be told with the change."""
        self.touched = False
        """Whether anything was drawn or asked by what ran in this attempt."""
        self.closely: Callable[[Any], object] | None = None
        """What looks at the game after each rule of its next change, before that is stored; `check` does."""
        self.supposed = False
        """Whether this may be a world that could not be: what fails in it is complained of, and not logged."""
        self._dry: DryKit | None = None
        self._rounds, self._task = 0, Task("setup")

    @property
    def game(self) -> Any:
        """The game as the rules have it."""
        if self._game is None:
            fill(self._made(), self.packed)
        return self._game

    def _made(self) -> Any:
        if self._game is None:
            self._game = object.__new__(self.rules)
            give_kit(self._game, self.kit)
        return self._game

    def rest(self) -> None:
        """Let go of the game until it is needed: all of it is in `packed`, where it takes a tenth of the memory."""
        self._game = None

    @property
    def values(self) -> dict[str, Any]:
        """The fields as the rules have them."""
        values: dict[str, Any] = self.game.__dict__
        return values

    def here(self) -> Stand:
        """Return where the game stands after the last change."""
        return Stand(self.packed, Turn.of(self.kit))

    def stand(self, stand: Stand) -> None:
        """Make the game what it was."""
        if stand.fields is self.packed:
            self._game = None
        else:
            fill(self._made(), stand.fields)
        stand.turn.give(self.kit)

    def return_to(self, stand: Stand) -> None:
        """Make the game what it was, but for the number of the rule: what that drew is known."""
        number = self.kit.number
        self.packed = stand.fields
        self.stand(stand)
        self.kit.number = number

    def scratch(self, seat: int | None) -> tuple[Any, Callable[[], None]]:
        """Return a copy of the game with a dry kit, and what makes it the same again after a trial."""
        scratch, dry = object.__new__(self.rules), self.dry_kit()
        scratch._kit = dry
        fill(scratch, self.packed)
        dry.follow(self.kit, seat)
        refill = filler(scratch, self.packed)

        def reload() -> None:
            refill()
            dry.follow(self.kit, seat)

        return scratch, reload

    def dry_kit(self) -> DryKit:
        """Return the kit for trials."""
        if self._dry is None:
            self._dry = DryKit(self.kit.names, self.kit.options, b"")
        return self._dry

    def attempt(self, run: Callable[[Stand], list[Told]], before: Stand, seat: int) -> list[Told] | Refused:
        """Run rules from where the game stands, and return what they tell; if they refuse or fail, everything is as it was `before`."""
        suspension, waiting = self.suspension, self.waiting.copy()
        self.touched = False
        try:
            news = run(before)
            packed = self._stored()
        except BaseException as error:  # noqa: BLE001 - what is not the rules' own is raised again
            self.suspension, self.waiting, self.packed = suspension, waiting, before.fields
            self.stand(before)
            self.taken_back = []
            return self.refusal(error, seat)
        self.packed, self.closely = packed, None
        return news

    def _stored(self) -> Packed:
        """Return the fields as they are stored. Raises `RulesError` for what cannot be."""
        packed = pack_changed(self.game, self.packed, lambda: self.place_of(self._task))
        self.look_closely()
        return packed

    def look_closely(self) -> None:
        """Have whoever wants to look at what a rule has made of the game."""
        if self.closely is not None:
            self.closely(self.game)

    def refusal(self, error: BaseException, seat: int | None) -> Refused:
        """Return what a seat is told of what ended its move; raise again what is not the rules' own."""
        if isinstance(error, Refusal):
            return Refused(error.text)
        if isinstance(error, Unfit):
            return Refused(sayable(error))
        if not isinstance(error, BUGS):
            raise error
        self.complaints[self.rules.__name__] = log.failure(error)
        self._log(self.rules.__name__, error, f"a move of seat {seat}")
        return Refused("the rules failed at this, which is a bug in them; the game goes on without it")

    def complain(self, name: str, error: BaseException, what: str) -> None:
        """Note that rules fail where nothing can be refused: it goes on without what they should have given."""
        where = f"{self.rules.__name__}.{name}"
        if str(error).startswith(where):  # which says where it is, and what to do
            place, _, said = str(error).partition(" ")
            self.complaints[place] = f"{said}{log.line_of(error)}"
        else:
            self.complaints[where] = log.failure(error)
        self._log(where, error, what)

    def _log(self, where: str, error: BaseException, what: str) -> None:
        if not self.supposed:
            log.bug(where, error, what)

    def go(self, task: Task, before: Stand, answers: tuple[Answered, ...] = (), told: int = 0) -> list[Told]:
        """Run a rule and whatever has to run after it; return what they tell.

        Args:
            task: which rule.
            before: where the game stands, to which it returns if the rule asks.
            answers: those to its questions so far.
            told: how much of what it tells was told before.
        """
        kit = self.kit
        news: list[Told] = []
        self._rounds = 0
        while True:
            done = self._run(task, before, answers, told)
            news += kit.news()
            if not done:
                return news
            self.suspension = None
            following = self.after(task, before.turn)
            if following is None:
                return news
            task, answers, told = following, (), 0
            before = Stand(self._stored(), Turn.of(kit))
            fill(self.game, before.fields)  # it may ask, and run again from there: it has to find the same
            kit.number += 1

    def _run(self, task: Task, before: Stand, answers: tuple[Answered, ...], told: int) -> bool:
        """Run one rule; return whether it came to its end, and did not ask."""
        kit = self.kit
        kit.begin(task.seat, answers, told)
        self._task = task
        try:
            self._call(task)
        except Suspended:
            question = kit.question
            assert question is not None
            self.suspension = Suspension(task, before, answers, len(kit.tells), question)
            kit.to_move = question.waiting
            return False
        except (Refusal, *BUGS) as error:
            if task.kind != "sealed" or task.seat is None:
                raise
            self._lapse(before, task.seat, self.refusal(error, task.seat).text)  # who moved last did nothing wrong
        finally:
            self.touched = self.touched or kit.generator is not None or bool(answers)
            kit.generator = None  # 2.5 KB, which nobody draws from between two moves
            if kit.careless and (task.kind != "setup" or answers):  # which refuses nobody
                self.complaints[self.place_of(task)] = log.CARELESS
                if not self.supposed:
                    log.careless(self.place_of(task))
            if kit.torn:
                self.complaints[self.place_of(task)] = log.TORN
        if kit.question is not None:
            raise RulesError(f"{self.place_of(task)} went on after ask(); let nothing catch what it raises")
        if kit.step < len(answers):
            raise Changed
        if len(self.game.__dict__) != len(self.definition.fields):
            _tell_attributes(self, task)
        return True

    def _call(self, task: Task) -> None:
        try:
            returned = self._returned(task)
        except (SystemExit, Enough) as error:  # of which the second one is for dry runs alone
            raise RulesError(
                f"{self.place_of(task)} {log.ENDS if isinstance(error, SystemExit) else _KEEPS}"
            ) from error
        if returned is not None:
            raise RulesError(
                f"{self.place_of(task)} returned {a(type(returned).__name__)}, which nobody would hear of; "
                "change fields, or `self.tell(…)`, and return nothing"
            )

    def _returned(self, task: Task) -> object:
        game = self.game
        if task.kind in ("move", "sealed"):
            move = self.definition.moves.get(task.name)
            if move is None:
                raise Unfit(f"the rules have changed: {self.rules.__name__} has no move {task.name} any more")
            return move.rule(game, **self.read(game, move, task.arguments or {}, self.kit.mover))
        if task.kind == "late":
            return None
        if task.kind == "out":
            assert task.seat is not None
            self.kit.leave(task.seat)
            return None
        if task.kind == "setup":
            return game.setup(**deepcopy(self.kit.options))  # a rule may write to what it is given
        return game.timeout(task.seat) if task.kind == "timeout" else game.round()

    def read(self, game: Any, move: MoveRule, arguments: Mapping[str, Any], mover: int | None) -> dict[str, Any]:
        """Return the very values that a stranger's arguments say, or raise `Unfit`; domains see `game`, and draw nothing."""
        if not isinstance(arguments, (dict, Mapping)) or arguments.keys() != move.domains.keys():
            raise Unfit(f"{move.name} takes {', '.join(move.domains) or 'no arguments'}")
        if not arguments:
            return {}
        values: dict[str, Any] = {}
        kit, dry = kit_of(game), self.dry_kit()
        dry.follow(self.kit, mover)
        give_kit(game, dry)
        try:
            for name, domain in move.domains.items():
                values[name] = domain.read(game, values, arguments[name], name)
        finally:
            give_kit(game, kit)
        return values

    def after(self, task: Task, before: Turn) -> Task | None:
        """Say who is next once a rule is done; return the rule that has to run then, if one has to."""
        kit, definition = self.kit, self.definition
        if kit.result is not None:
            kit.to_move = ()
            self.waiting.drop()
            return None
        called = kit.called
        if task.kind in ("sealed", "late"):
            self.waiting.called = called = self.waiting.called if called is None else called
            if self.waiting.queue:
                return self.waiting.next()
            self.waiting.called = None
        if called is not None:
            kit.to_move = tuple(seat for seat in called if seat not in kit.out)
            if self.waiting.drop():
                text = "the turn was given anew when the time was up, so what others had moved unseen is dropped"
                self.taken_back.append(TakenBack(task.seat, text))
        elif task.kind == "move" or (task.kind in ("sealed", "late") and not definition.has_round):
            assert task.seat is not None
            kit.to_move = (kit.after(task.seat),) if len(kit.out) < len(kit.players) else ()
        elif task.kind == "setup" and not definition.has_round:
            kit.to_move = tuple(kit.alive[:1])
        elif task.kind in ("timeout", "out"):
            return self._after_timeout(task, before)
        else:
            kit.to_move = ()
        return None if kit.to_move else self._next_round(task)

    def _next_round(self, task: Task) -> Task:
        if not self.definition.has_round:
            raise RulesError(
                f"after {self.place_of(task)} it is nobody's turn, and there is no round(); "
                "call `self.turn_to(…)` or `self.finish(…)`"
            )
        self._rounds += 1
        if self._rounds > MAX_ROUNDS:
            raise RulesError(
                f"{self.rules.__name__}.round() ran {MAX_ROUNDS} times and asked nobody; "
                "call `self.turn_to(…)` or `self.finish(…)` in it"
            )
        return Task("round")

    def _after_timeout(self, task: Task, before: Turn) -> Task | None:
        """Say who is next where a timeout has not; what others have moved unseen waits until all have, or were late."""
        kit, seat = self.kit, task.seat
        assert seat is not None
        waiting = self.waiting
        if seat in before.to_move and len(before.to_move) + len(waiting.sealed) > 1:
            waiting.note_late(seat)
        waiting.pass_over(kit.out)
        kit.to_move = tuple(other for other in before.to_move if other not in kit.out and other != seat)
        if kit.to_move:
            return None
        if waiting:
            return waiting.next()
        if waiting.called is not None:  # by the moves before one that waited too long
            kit.to_move, waiting.called = tuple(other for other in waiting.called if other not in kit.out), None
        elif kit.alive and (before.to_move or not self.definition.has_round):
            kit.to_move = (kit.after(seat),)
        return None if kit.to_move else self._next_round(task)

    def _lapse(self, before: Stand, seat: int, why: str) -> None:
        """Drop a move of several at once that another one of them has made impossible, and tell whose it was."""
        self.stand(before)
        self.kit.tells = []
        self.kit.called = None
        self.taken_back.append(
            TakenBack(seat, f"the move of {self.kit.names[seat]} could not be made: {why}", alone=True)
        )

    def abandon(self, why: str = "the question was not answered in time", without: int | None = None) -> None:
        """Drop a suspended rule: everything is as it was before it. Where that is an answer's loss, it is told.

        Where it is the game's, which goes on `without` a seat, a move that another made with several is made anew.
        """
        suspension = self.suspension
        if suspension is None:
            return
        self.suspension = None
        self.return_to(suspension.before)
        task = suspension.task
        if task.kind == "sealed" and without not in (None, task.seat):
            self.waiting.put_back(task)  # no turn comes in which its seat could make it again
        elif task.kind in ("move", "sealed"):
            self.taken_back.append(TakenBack(task.seat, f"the move is taken back: {why}"))
            return
        if suspension.question.given:
            self.taken_back.append(TakenBack(None, f"{why}, so what others had answered is dropped"))

    def place_of(self, task: Task) -> str:
        """Return how a rule is called in what its author is told."""
        return f"{self.rules.__name__}.{task.name or task.kind}"


def _tell_attributes(course: Course, task: Task) -> None:
    """Raise `RulesError` for what is no field, and for a field that was never set."""
    fields, values = course.definition.fields, course.values
    for name in values:
        if name not in fields:
            where = course.place_of(task)
            if isinstance(getattr_static(course.rules, name, None), cached_property):
                raise RulesError(
                    f"{where} kept {name} among the fields, which change; let it be a `@property`, no `@cached_property`"
                )
            raise RulesError(f"{where} assigned {name}, which is no field; annotate it in the class: `{name}: …`")
    for name in fields:
        if name not in values:
            raise RulesError(
                f"{course.rules.__name__}.{name} is annotated and never set; set it in setup(), "
                f"or give it a default: `{name}: … = …`"
            )
