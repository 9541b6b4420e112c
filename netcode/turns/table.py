"""One game from its first move to its result: transactions, questions, views, legal moves, clocks, undo, absence.

Pure: no network, no disk; time is an argument, in seconds that never go back. Whoever serves a table

- makes it with `Table.create`, stores `snapshot()`, and calls `start`;
- hands it what came from a seat: `play`, `answer`, `undo`, `consent`, `presence`; each returns a `Step`, whose
  `entry` goes to the log before anybody is told, or a `Refused`, which goes to that seat alone;
- calls `advance(now)` when `due()` is reached;
- sends each viewer the fields of `view(viewer)` that differ from what it sent last, and `status()`;
- gets it back after a restart with `Table.restore(game, state, entries)`.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from netcode.turns.errors import BUGS, Leave, Refusal, RulesError, Unfit, sayable
from netcode.turns.language.clocks import Clock
from netcode.turns.language.definition import definition_of
from netcode.turns.language.fields import Packed, dropped_fields, pack_fields, set_defaults, verify
from netcode.turns.language.kit import Kit, Result, Told
from netcode.turns.language.randomness import SECRET_SIZE
from netcode.turns.language.table_options import dropped_options, read_options, revive_options
from netcode.turns.runtime import log
from netcode.turns.runtime.course import Course
from netcode.turns.runtime.legal import Listing
from netcode.turns.runtime.outcomes import Asked, Happening, Moved, Over, Refused, Status, Step, TakenBack
from netcode.turns.runtime.pending import Stand, Task, Turn
from netcode.turns.runtime.sealing import seal, together, tried
from netcode.turns.runtime.soundness import DAMAGED, check_course, check_times, readable
from netcode.turns.runtime.standing import Standing
from netcode.turns.runtime.storing import has_begun, load_course, read_state
from netcode.turns.runtime.supposing import suppose
from netcode.turns.runtime.transactions import (
    attempt,
    begin,
    commit,
    demanded,
    give_up,
    lose,
    put_out,
    take_answer,
    take_back,
    time_out,
)
from netcode.turns.values import check_bounds, unpack

__all__ = [
    "Asked",
    "Happening",
    "Listing",
    "Moved",
    "Over",
    "Refused",
    "Result",
    "Status",
    "Step",
    "Table",
    "TakenBack",
    "Told",
]


MAX_REASON = 500
"""Characters of why a table is frozen: it is told to all, and an error may quote what is stored."""
_BESIDE = "it goes on if something beside its class was changed, such as a function, and is put back; else "
_NO_TIME = "there is too little time on the clock to take a move back: what was added for it would be gone"


class _NoMore(Unfit):
    """The rules refuse what they once accepted."""


class Table(Standing):
    """One table. Every method that changes it either does so whole, or not at all. It is made by `create` or `restore`."""

    __slots__ = ()

    @classmethod
    def create(
        cls,
        game: type[Any],
        players: int,
        options: Mapping[str, Any] | None = None,
        *,
        secret: bytes,
        names: Sequence[str] = (),
    ) -> "Table":
        """Make a table that has not begun.

        Args:
            game: the class of the rules.
            players: how many seats, within `game.seats`.
            options: plain wire data, as strangers send it.
            secret: 32 bytes from `secrets.token_bytes`, the seed of everything that is drawn.
            names: one for each seat; may be written to `names` until `start`.

        Raises:
            ValueError: for a number of players or an option that the game does not have; the text may be shown.
        """
        definition = definition_of(game)
        if type(players) is not int or not definition.fewest <= players <= definition.most:
            raise ValueError(definition.not_for(players))
        if len(secret) != SECRET_SIZE:
            raise ValueError(f"secret must be {SECRET_SIZE} bytes from secrets.token_bytes, not {len(secret)}")
        if names and len(names) != players:
            raise ValueError(f"names must be one for each of the {players} seats, not {len(names)}")
        chosen, clock = read_options(game, options or {})
        called = [*names] or [f"seat {seat}" for seat in range(players)]
        return cls(Course(game, Kit(called, chosen, secret)), clock)

    def start(self, now: float) -> Step | Refused:
        """Set the game up and begin. Raises `RulesError` for rules that cannot begin: the game's author is told."""
        if self.started:
            return Refused("the game has begun already")
        self.absence.begin(now)
        course = self.course
        turn = Turn.of(course.kit)
        set_defaults(course.game)
        self.started = True
        try:
            news = course.go(Task("setup"), Stand(pack_fields(course.game), turn))
            packed = pack_fields(course.game)
            verify(course.game)
            course.look_closely()
        except BaseException as error:
            self.started, course.suspension = False, None
            turn.give(course.kit)
            if isinstance(error, Refusal):
                raise RulesError(f"setup() refuses to begin: {error.text}") from error
            raise
        course.packed, course.closely = packed, None
        return commit(self, ["start", None], news, now=now)

    def play(
        self, seat: int, name: str, arguments: Mapping[str, Any], number: int, *, now: float, lag: float = 0.0
    ) -> Step | Refused:
        """Play a move.

        Args:
            seat: who plays.
            name: of the move.
            arguments: plain wire data by name, as a stranger sent it; without those that have a default, if one likes.
            number: the seat counts its plays and answers together from 1; one that was accepted already is `again`. 0 for
                a play that is none of its own: one for whoever is absent.
            now: the time.
            lag: seconds to give back to the seat's clock: min(what it claims, the measured round trip). A quota holds.
        """
        if 0 < number <= self.numbers[seat]:
            return Step(b"", again=True)
        refused = self.closed() or self.too_late(seat, now)
        if refused is not None:
            return refused
        course = self.course
        if course.suspension is not None:
            asked = seat in course.suspension.question.options
            return Refused("answer the question first" if asked else "wait: somebody has yet to answer a question")
        if seat not in course.kit.to_move:
            return Refused(_not_now(course.waiting.sealed.get(seat)))
        move = course.definition.moves.get(name) if isinstance(name, str) else None
        if move is None:
            return Refused(
                f"there is no such move; {self.game.__name__} has {', '.join(course.definition.moves) or 'none'}"
            )
        arguments = move.completed(arguments)
        entry = ["play", seat, number, name, arguments]
        if together(course):
            if refused := tried(course, seat, move, arguments):
                return refused
            task = Task("sealed", seat, name, arguments)
            return attempt(self, lambda _: seal(course, task), entry, Moved(seat, None), now=now, lag=lag)
        try:
            check_bounds(arguments)
        except Unfit as error:
            return Refused(str(error))
        task = Task("move", seat, name, arguments)
        return attempt(self, partial(begin, self, task), entry, Moved(seat, name), now=now, lag=lag)

    def answer(
        self, seat: int, question: str, option: Any, number: int, *, now: float, lag: float = 0.0
    ) -> Step | Refused:
        """Answer the question of this id with one of its options, as plain wire data."""
        if 0 < number <= self.numbers[seat]:
            return Step(b"", again=True)
        refused = self.closed() or self.too_late(seat, now)
        if refused is not None:
            return refused
        return take_answer(self, seat, question, option, number, now=now, lag=lag)

    def presence(self, seat: int, present: bool, now: float) -> tuple[Step, ...]:
        """Say that somebody sits at the seat, or left it; absence has consequences when `grace` is over."""
        self.note_presence(seat, present, now)
        return self.advance(now)

    def note_presence(self, seat: int, present: bool, now: float) -> None:
        """Say the same, and let `advance` bring the consequences: once it was said of every seat."""
        self.absence.note(seat, present, now)

    def hold(self, began: float, now: float) -> None:
        """Let the time between not count, for clocks and for the patience with who is absent."""
        self.absence.hold(began, now)
        if self.clocks is not None:
            self.clocks.hold(began, now)

    def run_out(self, due: float) -> None:
        """Let that be at `due`, or earlier: the table was asleep, and its clocks were not."""
        if self.clocks is not None:
            self.clocks.run_out(due)

    def stand_clocks(self, now: float) -> None:
        """Count what has passed on the clocks until now."""
        if self.clocks is not None:
            self.clocks.stand(now)
            self._snapshot = None

    def set_clocks(self, left: Sequence[float], now: float) -> None:
        """Let the clocks go on from now with so much left of each. Raises `Unfit` for what cannot be."""
        if self.clocks is not None:
            check_times(left, self.players)
            self.clocks.resume(left, self.clocks.running, now=now)
            self._snapshot = None

    def advance(self, now: float) -> tuple[Step, ...]:
        """Do what time demands: timeouts, defaults for the absent, forfeits. One step and log entry for each."""
        steps: list[Step] = []
        for _ in range(4 * self.players):
            step = demanded(self, now) if self.is_open() else None
            if step is None:
                break
            steps.append(step)
        self.absence.looked = max(self.absence.looked, now)
        return tuple(steps)

    def forfeit(self, seat: int, now: float) -> Step | Refused:
        """Let a seat go for good: the others have won, or it is out of a game that says `absent = "out"`.

        Who is out has nothing to give up.
        """
        refused = self.closed() or (Refused("you are out of the game") if seat in self.course.kit.out else None)
        if refused is not None:
            return refused
        return give_up(self, seat, now)

    def undo(self, seat: int, now: float) -> Step | Refused:
        """Take the last move back, or ask the others whether one may (a step without an entry)."""
        how = self.can_undo(seat)
        if how == "":
            return Refused("there is no move of yours to take back")
        if self.clocks is not None and not self.clocks.may_take_back(seat, now):
            return Refused(_NO_TIME)
        if how == "free" or len(self.course.kit.alive) < 2:
            return take_back(self, seat, now)
        self.undoing.want(seat)
        return Step(b"")

    def consent(self, seat: int, agreed: bool, now: float) -> Step | Refused:
        """Agree to the undo that another seat wants, or not. The last consent takes the move back."""
        wanted = self.undoing.wanted
        if wanted is None or self.can_undo(wanted) == "":
            return Refused("nobody wants to take a move back")
        if seat not in self.course.kit.alive:
            return Refused("you are out of the game")
        if not agreed:
            self.undoing.wanted = None
            return Step(b"")
        if not self.undoing.agree(seat, self.course.kit.alive):
            return Step(b"")
        if self.clocks is not None and not self.clocks.may_take_back(wanted, now):
            self.undoing.wanted = None
            return Refused(_NO_TIME)
        return take_back(self, wanted, now)

    def imagined(self, seat: int, dice: random.Random) -> "Table | None":
        """Return a table of its own as it might be for all that a seat knows, for bots that play it on.

        What the seat cannot see is filled in by the game's `imagine`, and what is yet to be drawn is drawn by other
        dice. None where the rules object, as they do to a world in which what happened could not have.
        """
        return self.continued(seat, dice, lambda game: game.imagine(seat))

    def continued(self, seat: int, dice: random.Random, change: Callable[[Any], None]) -> "Table | None":
        """Return a table of its own on which `change` was made to the game, as `imagined` does.

        The change is made to what was there before a rule that waits for an answer, and the rule comes to its question
        again.
        """
        other = suppose(self.course, seat, dice, change, self.view(seat))
        if other is None:
            return None
        table = type(self)(other, None)
        table.started, table.numbers = True, [*self.numbers]
        return table

    @classmethod
    def restore(cls, game: type[Any], state: bytes, entries: Sequence[bytes] = (), *, now: float = 0.0) -> "Table":
        """Make the table that `state` and the entries after it describe; clocks run on from `now`.

        Under changed rules it goes on from the state if that fits, else by `upgrade`, else it is `frozen`, and so it is
        where the state or an entry is damaged: then `damage` says what was found. It raises `ValueError` for a state
        that is none, or of a newer version, and for nothing else; all seats are absent until told otherwise.
        """
        data = read_state(state)
        clock = None if data["clock"] is None else Clock(*data["clock"])
        table = cls(Course(game, Kit(data["names"], data["options"], data["secret"])), clock)
        table.absence.begin(now)
        same_rules, loaded = data["rules"] == table.course.definition.fingerprint, False
        try:
            table._load(data, now)
            loaded = True
            for entry in entries:
                table.replay(entry, now)
            if entries and table.started:
                check_course(unpack(table.snapshot()))
        except (Leave, *BUGS) as error:  # other rules than those that wrote it may do anything, and so may a bad disk
            said = isinstance(error, RulesError | Unfit | Leave)
            reason = str(error) if said else f"{type(error).__name__}: {error}"
            if not said or (error.__cause__ is not None and not same_rules):
                log.bug(game.__name__, error, "restoring a table")
            if same_rules:
                beside = _BESIDE if isinstance(error, _NoMore) else ""
                table.damage, table.course.kit.result = beside + sayable(reason), None
            fields = readable(game, data["fields"], same_rules=same_rules)
            table._freeze(fields, state, DAMAGED if same_rules and not (said and loaded) else reason)
        return table

    def _load(self, data: Mapping[str, Any], now: float) -> None:
        course = self.course
        course.kit.options = revive_options(self.game, data["options"])
        self.started, self.frozen = data["started"], data["frozen"]
        self.numbers = data["numbers"]
        self.dropped = dropped_options(self.game, data["options"])
        if not self.started:
            return
        self.undoing.last, self.restored = load_course(course, data)
        if has_begun(data):
            self.dropped += dropped_fields(self.game, data["fields"])
        if self.clocks is not None and data["clocks"] is not None:
            left, running = data["clocks"]
            self.clocks.resume(left, running, now=now)

    def _freeze(self, fields: Packed, state: bytes, reason: str) -> None:
        course = self.course
        self.frozen = sayable(reason)[:MAX_REASON]
        self.started = True
        course.suspension = None
        course.kit.to_move = ()
        course.packed = fields
        self.forget()
        self._snapshot = state  # as it came: older rules may still know what to do with it

    def replay(self, entry: bytes, now: float) -> tuple[Happening, ...]:
        """Do again what a log entry says, and return what came of it. Raises what changed rules do, and `Unfit`."""
        *what, left = unpack(entry)
        match what:
            case ["start", _]:
                done: Step | Refused = self.start(now)
            case ["play", seat, number, name, arguments]:
                done = self.play(seat, name, arguments, number, now=now)
            case ["answer", seat, number, question, option]:
                done = take_answer(self, seat, question, option, number, now=now)
            case ["default", seat, question, option]:
                done = take_answer(self, seat, question, option, 0, now=now)
            case ["timeout", seat]:
                done = time_out(self, seat, now)
            case ["lost" | "forfeit" as how, seat, *failed] if failed in ([], ["failed"]):
                done = lose(self, [how, seat, *failed], now)
            case ["out", seat]:
                done = put_out(self, seat, now)
            case ["undo", seat]:
                done = take_back(self, seat, now)
            case _:
                raise Unfit(f"the log has an entry that is none: {what[:1]}")
        if isinstance(done, Refused):
            raise _NoMore(f"the rules refuse what they once accepted: {done.text}")
        if self.clocks is not None and left is not None:
            check_times(left, self.players)
            self.clocks.resume(left, self.clocks.running, now=now)
        return done.happenings


def _not_now(sealed: Task | None) -> str:
    """Say why it is not a seat's turn, of which this waits for the others."""
    if sealed is None:
        return "it is not your turn"
    return (
        "you were late; wait for the others" if sealed.kind == "late" else "you have moved already; wait for the others"
    )
