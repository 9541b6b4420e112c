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
from typing import Any

from netcode.turns.errors import Leave, Refusal, RulesError, Unfit
from netcode.turns.language.clocks import Clock, Clocks
from netcode.turns.language.definition import Definition
from netcode.turns.language.fields import Packed, pack_fields, set_defaults, verify
from netcode.turns.language.kit import Kit, Result, Told
from netcode.turns.language.randomness import SECRET_SIZE
from netcode.turns.language.table_options import read_options, revive_options
from netcode.turns.runtime import log
from netcode.turns.runtime.absence import Absence, Demand
from netcode.turns.runtime.course import Course
from netcode.turns.runtime.legal import Budget, Listing
from netcode.turns.runtime.looking import draw, possible, seen
from netcode.turns.runtime.outcomes import Asked, Happening, Moved, Over, Refused, Status, Step, TakenBack
from netcode.turns.runtime.pending import Stand, Task, Turn
from netcode.turns.runtime.resuming import asked, give
from netcode.turns.runtime.sealing import seal, together, tried
from netcode.turns.runtime.storing import STATE_VERSION, load_course, read_state, stored_course
from netcode.turns.runtime.supposing import suppose
from netcode.turns.runtime.undoing import Undoing
from netcode.turns.values import check_bounds, pack, plain, unpack

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


class Table:
    """One table. Every method that changes it either does so whole, or not at all."""

    __slots__ = (
        "_clocks", "_listings", "_numbers", "_snapshot", "_undoing", "_views", "absence", "clock", "course", "frozen",
        "game", "players", "restored", "started",
    )  # fmt: skip

    def __init__(self, course: Course, clock: Clock | None) -> None:
        """Use `create` or `restore`."""
        self.course = course
        """The rules as they run; for those who look into a table: `check`, other worlds."""
        self.clock, self.game, self.players = clock, course.rules, len(course.kit.players)
        self.frozen = ""
        """Why this table takes no more moves; "" while it does."""
        self.started = False
        self.restored: tuple[Happening, ...] = ()
        """What `restore` had to do under changed rules, to be told to all."""
        self._numbers = [0] * self.players
        self._clocks = None if clock is None else Clocks(clock, self.players)
        self.absence = Absence(self.players)
        self._undoing = Undoing()
        self._views: dict[int | None, Packed] = {}
        self._listings: dict[int, Listing] = {}
        self._snapshot: bytes | None = None

    # -- making one

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
        definition: Definition = game._definition
        if type(players) is not int or not definition.fewest <= players <= definition.most:
            raise ValueError(f"{game.__name__} is for {definition.fewest} to {definition.most} players, not {players}")
        if len(secret) != SECRET_SIZE:
            raise ValueError(f"secret must be {SECRET_SIZE} bytes from secrets.token_bytes, not {len(secret)}")
        if names and len(names) != players:
            raise ValueError(f"names must be one for each of the {players} seats, not {len(names)}")
        chosen, clock = read_options(game, options or {})
        called = [*names] or [f"seat {seat}" for seat in range(players)]
        return cls(Course(game, Kit(players, called, chosen, secret)), clock)

    def start(self, now: float) -> Step | Refused:
        """Set the game up and begin. Raises `RulesError` for rules that cannot begin: the game's author is told."""
        if self.started:
            return Refused("the game has begun already")
        self.absence.begin(now)
        course = self.course
        set_defaults(course.game)
        self.started = True
        try:
            news = course.go(Task("setup"), Stand(pack_fields(course.game), Turn.of(course.kit)))
        except Refusal as refusal:
            self.started = False
            raise RulesError(f"setup() refuses to begin: {refusal.text}") from refusal
        except BaseException:
            self.started = False
            raise
        course.packed = pack_fields(course.game)
        verify(course.game)
        return self._commit(["start", None], news, now)

    # -- playing

    def play(
        self, seat: int, name: str, arguments: Mapping[str, Any], number: int, *, now: float, lag: float = 0.0
    ) -> Step | Refused:
        """Play a move.

        Args:
            seat: who plays.
            name: of the move.
            arguments: plain wire data by name, as a stranger sent it.
            number: the seat counts its plays and answers together from 1; one that was accepted already is `again`.
            now: the time.
            lag: seconds to give back to the seat's clock: min(what it claims, the measured round trip). A quota holds.
        """
        if number <= self._numbers[seat]:
            return Step(b"", again=True)
        refused = self._closed() or self._too_late(seat, now)
        if refused is not None:
            return refused
        course = self.course
        if course.suspension is not None:
            if seat in course.suspension.question.options:
                return Refused("answer the question first")
            return Refused("wait: somebody has yet to answer a question")
        if seat not in course.kit.to_move:
            return Refused(
                "you have moved already; wait for the others" if seat in course.sealed else "it is not your turn"
            )
        move = course.definition.moves.get(name) if isinstance(name, str) else None
        if move is None:
            return Refused(
                f"there is no such move; {self.game.__name__} has {', '.join(course.definition.moves) or 'none'}"
            )
        entry = ["play", seat, number, name, arguments]
        if together(course):
            refused = tried(course, seat, move, arguments)
            if refused is not None:
                return refused
            task = Task("sealed", seat, name, arguments)
            return self._attempt(lambda _: seal(course, task), entry, Moved(seat, None), now, lag)
        try:
            check_bounds(arguments)
        except Unfit as error:
            return Refused(str(error))
        task = Task("move", seat, name, arguments)
        return self._attempt(lambda before: self._begin(task, before), entry, Moved(seat, name), now, lag)

    def answer(
        self, seat: int, question: str, option: Any, number: int, *, now: float, lag: float = 0.0
    ) -> Step | Refused:
        """Answer the question of this id with one of its options, as plain wire data."""
        if number <= self._numbers[seat]:
            return Step(b"", again=True)
        refused = self._closed() or self._too_late(seat, now)
        if refused is not None:
            return refused
        return self._answer(seat, question, option, number, now=now, lag=lag)

    def last_number(self, seat: int) -> int:
        """Return the number of the last play or answer that was accepted from this seat; 0 before the first."""
        return self._numbers[seat]

    # -- looking

    @property
    def names(self) -> list[str]:
        """What the players are called, by seat."""
        return self.course.kit.names

    @property
    def options(self) -> Mapping[str, Any]:
        """What was chosen for this table."""
        return self.course.kit.options

    @property
    def complaints(self) -> Mapping[str, str]:
        """What was wrong with the rules at this table, by place: `check` reads it, and the log was told."""
        return self.course.complaints

    @property
    def number(self) -> int:
        """Of the rule that ran last: a move, a round, or a timeout. What it drew depends on this and the secret."""
        return self.course.kit.number

    @property
    def result(self) -> Result | None:
        """How the game ended, once it has."""
        return self.course.kit.result

    @property
    def to_move(self) -> tuple[int, ...]:
        """The seats to move; those whose answer is waited for, while a rule asks."""
        return self.course.kit.to_move

    def view(self, viewer: int | None) -> Packed:
        """Return each field (and each `@shown` value) as the seat, or None for a spectator, sees it: msgpack bytes.

        The same object until something changes, and equal bytes for what did not; never write to it.
        """
        if self.course.definition.all_open:
            viewer = None  # and what all see is made once
        view = self._views.get(viewer)
        if view is None:
            view = seen(self.course, viewer, running=self.started and not self.frozen)
            self._views[viewer] = view
        return view

    def status(self, now: float) -> Status:
        """Return what is public beside the fields."""
        kit, clocks, suspended = self.course.kit, self._clocks, self.course.suspension is not None
        return Status(
            self.started,
            kit.number,
            kit.to_move,
            kit.mover if suspended else None,
            kit.out,
            suspended,
            kit.result,
            None if clocks is None else clocks.left(now),
            () if clocks is None else clocks.running,
            tuple([since is None for since in self.absence.since]),
            kit.secret if kit.result is not None and self.game.reveal else None,
            self.frozen,
        )

    def question(self, seat: int) -> Asked | None:
        """Return what the seat is asked, or None."""
        return asked(self.course, seat)

    def may_act(self, seat: int) -> bool:
        """Tell whether the seat is to move or asked (also if it answered already and may change that)."""
        suspension = self.course.suspension
        return seat in (self.course.kit.to_move if suspension is None else suspension.question.options)

    def legal(self, seat: int, budget: Budget | None = None) -> Listing:
        """List what the seat may do now, within the budget of 20,000 candidates and 50 ms. Cached until a change."""
        listing = self._listings.get(seat)
        if listing is None:
            able = self._open() and self.may_act(seat)
            listing = self._listings[seat] = possible(self.course, seat, budget) if able else Listing()
        return listing

    def draw(self, seat: int, name: str, dice: random.Random) -> Mapping[str, Any] | None:
        """Draw arguments, as plain wire data, for a move that is not listed; for bots and `check`.

        Args:
            seat: who is to move or asked.
            name: of the move; "" for an answer, which comes as {"answer": option}.
            dice: what to draw from.

        Returns:
            None if a domain has nothing to choose from, or the rules refuse whatever is drawn, or fail.
        """
        return draw(self.course, seat, name, dice)

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
        other = suppose(self.course, seat, dice, change)
        if other is None:
            return None
        table = type(self)(other, None)
        table.started, table._numbers = True, [*self._numbers]
        return table

    # -- time and people

    def presence(self, seat: int, present: bool, now: float) -> tuple[Step, ...]:
        """Say that somebody sits at the seat, or left it; absence has consequences when `grace` is over."""
        self.absence.note(seat, present, now)
        return self.advance(now)

    def absent(self, seat: int, now: float) -> bool:
        """Tell whether the seat has been left for longer than `grace`."""
        return self.absence.beyond(seat, now, self.game.grace)

    def stand_ins(self, now: float) -> tuple[int, ...]:
        """Return the seats to act for which a bot shall play now: absent beyond `grace` where `absent = "bot"`."""
        if self.game.absent != "bot" or not self._open():
            return ()
        return tuple(seat for seat in self.course.kit.to_move if self.absent(seat, now))

    def due(self) -> float | None:
        """Return when `advance` has something to do: a clock runs out, a grace ends. None for never."""
        return self.absence.due(self.course, self._clocks) if self._open() else None

    def clock_due(self) -> float | None:
        """Return when the first of the clocks that run is at zero; None where none runs."""
        return None if self._clocks is None or not self._open() else self._clocks.due()

    def run_out(self, due: float) -> None:
        """Let that be at `due`, or earlier: the table was asleep, and its clocks were not."""
        if self._clocks is not None:
            self._clocks.run_out(due)

    def advance(self, now: float) -> tuple[Step, ...]:
        """Do what time demands: timeouts, defaults for the absent, forfeits. One step and log entry for each."""
        steps: list[Step] = []
        for _ in range(4 * self.players):
            step = self._demanded(now) if self._open() else None
            if step is None:
                break
            steps.append(step)
        self.absence.looked = max(self.absence.looked, now)
        return tuple(steps)

    def forfeit(self, seat: int, now: float) -> Step | Refused:
        """End the game for a seat that leaves for good: the others have won."""
        refused = self._closed()
        if refused is not None:
            return refused
        return self._lose(["forfeit", seat], now)

    # -- taking back

    def can_undo(self, seat: int) -> str:
        """Tell how the seat could take its last move back: "" for not at all, "free", or "consent"."""
        last = self._undoing.by(seat)
        if last is None or self.course.suspension is not None or not self._open() or not self.game.undo:
            return ""
        return "free" if last.free else "consent"

    def undo(self, seat: int, now: float) -> Step | Refused:
        """Take the last move back, or ask the others whether one may (a step without an entry)."""
        how = self.can_undo(seat)
        if how == "":
            return Refused("there is no move of yours to take back")
        if how == "free" or len(self.course.kit.alive) < 2:
            return self._take_back(seat, now)
        self._undoing.want(seat)
        return Step(b"")

    def undo_wanted_by(self) -> int | None:
        """Return the seat that waits for consent to take its move back."""
        return self._undoing.wanted

    def consent(self, seat: int, agreed: bool, now: float) -> Step | Refused:
        """Agree to the undo that another seat wants, or not. The last consent takes the move back."""
        wanted = self._undoing.wanted
        if wanted is None or self.can_undo(wanted) == "":
            return Refused("nobody wants to take a move back")
        if not agreed:
            self._undoing.wanted = None
            return Step(b"")
        if not self._undoing.agree(seat, self.course.kit.alive):
            return Step(b"")
        return self._take_back(wanted, now)

    # -- storing

    def snapshot(self) -> bytes:
        """Return the state (msgpack, cached until the next change): what `restore` starts from."""
        if self._snapshot is None:
            clock, clocks, kit = self.clock, self._clocks, self.course.kit
            self._snapshot = pack(
                {
                    "version": STATE_VERSION,
                    "game": self.game.__name__,
                    "rules": self.course.definition.fingerprint,
                    "players": self.players,
                    "options": {name: plain(value) for name, value in kit.options.items()},
                    "clock": None if clock is None else [clock.minutes, clock.increment, clock.per_move],
                    "secret": kit.secret,
                    "names": kit.names,
                    "started": self.started,
                    "frozen": self.frozen,
                    "numbers": self._numbers,
                    **stored_course(self.course, self._undoing.last),
                    "clocks": None if clocks is None else clocks.stored(),
                }
            )
        return self._snapshot

    @classmethod
    def restore(cls, game: type[Any], state: bytes, entries: Sequence[bytes] = (), *, now: float = 0.0) -> "Table":
        """Make the table that `state` and the entries after it describe; clocks run on from `now`.

        Under changed rules it goes on from the state if that fits, else by `upgrade`, else it is `frozen`. It raises
        `ValueError` for a state that is none, or of a newer version, and for nothing else; all seats are absent until
        told otherwise.
        """
        data = read_state(state)
        clock = None if data["clock"] is None else Clock(*data["clock"])
        table = cls(Course(game, Kit(data["players"], data["names"], data["options"], data["secret"])), clock)
        table.absence.begin(now)
        try:
            table._load(data, now)
            for entry in entries:
                table._replay(unpack(entry), now)
        except (RulesError, Unfit, Leave) as error:
            table._freeze(data["fields"], state, str(error))
        except Exception as error:  # noqa: BLE001 - other rules than those that wrote it may do anything
            log.bug(game.__name__, error, "restoring a table")
            table._freeze(data["fields"], state, f"{type(error).__name__}: {error}")
        return table

    # -- inside

    def _open(self) -> bool:
        return self.started and self.course.kit.result is None and not self.frozen

    def _closed(self) -> Refused | None:
        if self._open():
            return None
        if self.frozen:
            return Refused(f"this table is frozen: {self.frozen}")
        return Refused("the game is over" if self.started else "the game has not begun")

    def _too_late(self, seat: int, now: float) -> Refused | None:
        if self._clocks is not None and seat in self._clocks.fallen(now):
            return Refused("your time is up")
        return None

    def _begin(self, task: Task, before: Stand) -> list[Told]:
        """Run a rule from where the game stands."""
        self.course.kit.number += 1
        return self.course.go(task, before)

    def _answer(
        self, seat: int, question: str, option: Any, number: int, *, now: float, lag: float = 0.0
    ) -> Step | Refused:
        course, suspension = self.course, self.course.suspension
        if suspension is None or seat not in suspension.question.options or suspension.question.id(seat) != question:
            return Refused("too late: that is not asked any more")
        try:
            suspension.question.read(seat, option)
        except Exception as error:  # noqa: BLE001 - what a rule says of a free answer may fail at what strangers send
            return course.refusal(error, seat)
        kind = ["answer", seat, number] if number else ["default", seat]
        return self._attempt(
            lambda _: give(course, suspension, seat, option), [*kind, question, option], Moved(seat, None), now, lag
        )

    def _attempt(
        self,
        run: Callable[[Stand], list[Told]],
        entry: list[Any],
        moved: Moved | None,
        now: float,
        lag: float,
    ) -> Step | Refused:
        """Run rules; if they refuse or fail, everything is as it was."""
        before = self.course.here()
        kind, seat = entry[:2]
        alone = not together(self.course)
        news = self.course.attempt(run, before, seat)
        if isinstance(news, Refused):
            return news
        if kind == "play" and alone:
            self._undoing.moved(self.course, seat, entry[3], before)
        elif kind in ("answer", "default"):
            self._undoing.wanted = None
        else:
            self._undoing.forget()
        if kind in ("play", "answer"):
            self._numbers[seat] = entry[2]
        return self._commit(entry, news, now, moved, lag)

    def _commit(
        self, entry: list[Any], news: list[Told], now: float, moved: Moved | None = None, lag: float = 0.0
    ) -> Step:
        """Make the change final: clocks, caches, the entry for the log, and what is to be told."""
        course, stored = self.course, None
        if self._clocks is not None:
            running = course.kit.to_move if self._open() else ()
            mover = None if moved is None else moved.seat
            self._clocks.switch(running, now, mover, lag)
            stored = self._clocks.stored()[0]
        self.forget()
        happenings: list[Happening] = [] if moved is None else [moved]
        if course.taken_back is not None:
            happenings.append(course.taken_back)
            course.taken_back = None
        happenings += news
        if course.kit.result is not None:
            happenings.append(Over(course.kit.result))
        return Step(pack([*entry, stored]), tuple(happenings))

    def forget(self) -> None:
        """Make views, legal moves and the state anew when they are asked for: the course was changed."""
        self.course.rest()
        self._views, self._listings, self._snapshot = {}, {}, None

    def _demanded(self, now: float) -> Step | None:
        """Do one thing that is due."""
        found = self.absence.demanded(self.course, self._clocks, now)
        if found is None:
            return None
        demand, seat = found
        if demand is Demand.DEFAULT:
            return self._default(seat, now)
        if demand is Demand.TIMEOUT:
            return self._time_out(seat, now)
        return self._lose(["forfeit", seat], now)

    def _default(self, seat: int, now: float) -> Step:
        assert self.course.suspension is not None
        question = self.course.suspension.question
        step = self._answer(seat, question.id(seat), plain(question.default), 0, now=now)
        return step if isinstance(step, Step) else self._time_out(seat, now)

    def _time_out(self, seat: int, now: float) -> Step:
        """Let the rules say what it means that a seat's time is up."""
        self._abandon()
        task = Task("timeout", seat)
        step = self._attempt(lambda before: self._begin(task, before), ["timeout", seat], None, now, 0.0)
        if isinstance(step, Refused) or (
            self._clocks is not None and self._open() and seat in self._clocks.fallen(now)
        ):
            # The rules fail, or leave the turn with a seat that has no time: somebody has to have lost.
            return self._lose(["lost", seat], now)
        return step

    def _abandon(self) -> None:
        self.course.abandon()
        self._undoing.forget()

    def _lose(self, entry: list[Any], now: float) -> Step:
        """End the game: all but this seat have won."""
        kind, seat = entry
        self._abandon()
        kit = self.course.kit
        others = tuple(other for other in kit.alive if other != seat)
        kit.result = Result(others, None, f"{kit.names[seat]} {'gave up' if kind == 'forfeit' else 'ran out of time'}")
        kit.to_move = ()
        return self._commit(entry, [], now)

    def _take_back(self, seat: int, now: float) -> Step:
        self._undoing.take_back(self.course, f"{self.names[seat]} took a move back")
        return self._commit(["undo", seat], [], now)

    # -- inside: restoring

    def _load(self, data: Mapping[str, Any], now: float) -> None:
        course = self.course
        course.kit.options = revive_options(self.game, data["options"])
        self.started, self.frozen = data["started"], data["frozen"]
        self._numbers = data["numbers"]
        if not self.started:
            return
        self._undoing.last, self.restored = load_course(course, data)
        if self._clocks is not None and data["clocks"] is not None:
            left, running = data["clocks"]
            self._clocks.resume(left, running, now=now)

    def _freeze(self, fields: Packed, state: bytes, reason: str) -> None:
        course = self.course
        self.frozen = reason
        self.started = True
        course.suspension = None
        course.kit.to_move = ()
        course.packed = fields
        self.forget()
        self._snapshot = state  # as it came: older rules may still know what to do with it

    def _replay(self, entry: list[Any], now: float) -> None:
        """Do again what a log entry says."""
        *what, left = entry
        match what:
            case ["start", _]:
                done: Step | Refused | None = self.start(now)
            case ["play", seat, number, name, arguments]:
                done = self.play(seat, name, arguments, number, now=now)
            case ["answer", seat, number, question, option]:
                done = self._answer(seat, question, option, number, now=now)
            case ["default", seat, question, option]:
                done = self._answer(seat, question, option, 0, now=now)
            case ["timeout", seat]:
                done = self._time_out(seat, now)
            case ["lost", seat]:
                done = self._lose(["lost", seat], now)
            case ["forfeit", seat]:
                done = self.forfeit(seat, now)
            case ["undo", seat]:
                done = self._take_back(seat, now)
            case _:
                raise Unfit(f"the log has an entry that is none: {what[:1]}")
        if isinstance(done, Refused):
            raise Unfit(f"the rules refuse what they once accepted: {done.text}")
        if self._clocks is not None and left is not None:
            self._clocks.resume(left, self._clocks.running, now=now)
