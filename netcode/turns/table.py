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
from dataclasses import dataclass, replace
from typing import Any

from netcode.turns import log
from netcode.turns.clocks import Clock, Clocks, clock_from
from netcode.turns.definition import Definition, MoveRule
from netcode.turns.domains import Free
from netcode.turns.errors import Changed, Enough, Leave, Refusal, RulesError, Suspended, Unfit
from netcode.turns.kit import DryKit, ImaginedKit, Kit, Result, Told
from netcode.turns.legal import Budget, Listing, draw_arguments, list_moves
from netcode.turns.marks import Mark
from netcode.turns.pending import Packed, Stand, Suspension, Task, Turn, Undoable
from netcode.turns.questions import Answered, Kind, Question
from netcode.turns.randomness import SECRET_SIZE
from netcode.turns.values import a, check_bounds, pack, plain, same, unpack
from netcode.turns.view import mask, shown_values

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
    "read_options",
]

STATE_VERSION = 1
MAX_ROUNDS = 1000
"""How often `round` may run on end without anybody being asked or to move."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A move or an answer happened. `name` is None where others shall not learn it: while several are to move."""

    seat: int
    name: str | None


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A move was taken back: by undo, or because its rule no longer asks what it asked."""

    seat: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Over:
    """The game is over."""

    result: Result


Happening = Moved | Told | TakenBack | Over


@dataclass(frozen=True, slots=True)
class Step:
    """Something was accepted. Store `entry` (msgpack) in the log, then tell `happenings` and the changed views.

    `entry` is b"" where nothing is to be stored: a resend (`again`), or a wish that others have yet to agree to.
    """

    entry: bytes
    happenings: tuple[Happening, ...] = ()
    again: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing changed, and why: for the seat that asked, and nobody else."""

    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the asked seat sees it. `options` is plain wire data; None where the answer is free."""

    id: str
    prompt: str
    options: tuple[Any, ...] | None


@dataclass(frozen=True, slots=True)
class Status:
    """What is public beside the fields, and changes with them. Clocks are seconds left per seat."""

    started: bool
    number: int
    to_move: tuple[int, ...]
    mover: int | None
    out: tuple[int, ...]
    asked: bool
    result: Result | None
    clocks: tuple[float, ...] | None
    running: tuple[int, ...]
    present: tuple[bool, ...]
    secret: bytes | None
    """After the end of a game that reveals: the seed, with which a replay can be verified."""
    frozen: str = ""
    """Why this table takes no more moves, if it does not."""


class Table:
    """One table. Every method that changes it either does so whole, or not at all."""

    __slots__ = (
        "_absent_since", "_called", "_changed", "_clocks", "_consents", "_definition", "_dry", "_game", "_kit", "_listings",
        "_looked", "_numbers", "_packed", "_queue", "_restored", "_rounds", "_sealed", "_snapshot",
        "_suspension", "_touched", "_undoable", "_views", "_wanted", "clock",
        "complaints", "frozen", "game", "names", "options",
        "players", "started",
    )  # fmt: skip

    def __init__(
        self,
        game: type[Any],
        players: int,
        options: Mapping[str, Any],
        *,
        clock: Clock | None,
        secret: bytes,
        names: list[str],
    ) -> None:
        """Use `create` or `restore`."""
        self.game, self.players, self.options, self.clock, self.names = game, players, options, clock, names
        self.complaints: dict[str, str] = {}
        """What was wrong with the rules at this table, by place: `check` reads it, and the log was told."""
        self.frozen = ""
        """Why this table takes no more moves; "" while it does."""
        self.started = False
        self._definition: Definition = game._definition
        self._kit = Kit(players, names, options, secret)
        self._dry: DryKit | None = None
        self._game: Any = object.__new__(game)
        self._game._kit = self._kit
        self._packed: Packed = {}
        self._suspension: Suspension | None = None
        self._sealed: dict[int, Task] = {}
        self._queue: tuple[Task, ...] = ()
        self._called: tuple[int, ...] | None = None
        self._undoable: Undoable | None = None
        self._touched = False
        self._rounds = 0
        self._wanted: int | None = None
        self._consents: frozenset[int] = frozenset()
        self._numbers = [0] * players
        self._clocks = None if clock is None else Clocks(clock, players)
        self._absent_since: list[float | None] = [0.0] * players
        self._looked = float("-inf")
        self._changed: tuple[Happening, ...] = ()
        self._restored: tuple[Happening, ...] = ()
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
        return cls(game, players, chosen, clock=clock, secret=secret, names=called)

    def start(self, now: float) -> Step | Refused:
        """Set the game up and begin. Raises `RulesError` for rules that cannot begin: the game's author is told."""
        if self.started:
            return Refused("the game has begun already")
        self._absent_since = [None if since is None else now for since in self._absent_since]
        self._game = fresh = object.__new__(self.game)
        fresh._kit = self._kit
        for name, default in self._definition.defaults.items():
            shape = self._definition.shapes[name]
            flaw = shape.flaw(default, f"{self.game.__name__}.{name}")
            if flaw is not None:
                raise RulesError(flaw)
            fresh.__dict__[name] = shape.load(unpack(pack(shape.dump(default))))  # a copy for this table
        self.started = True
        try:
            news = self._go(Task("setup"), Stand(self._pack(), Turn.of(self._kit)))
        except Refusal as refusal:
            self.started = False
            raise RulesError(f"setup() refuses to begin: {refusal.text}") from refusal
        except BaseException:
            self.started = False
            raise
        self._packed = self._pack()
        self._verify()
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
        if self._suspension is not None:
            if seat in self._suspension.question.options:
                return Refused("answer the question first")
            return Refused("wait: somebody has yet to answer a question")
        if seat not in self._kit.to_move:
            return Refused(
                "you have moved already; wait for the others" if seat in self._sealed else "it is not your turn"
            )
        move = self._definition.moves.get(name) if isinstance(name, str) else None
        if move is None:
            return Refused(
                f"there is no such move; {self.game.__name__} has {', '.join(self._definition.moves) or 'none'}"
            )
        if len(self._kit.to_move) + len(self._sealed) > 1:
            return self._seal(seat, move, arguments, number, now=now, lag=lag)
        try:
            check_bounds(arguments)
        except Unfit as error:
            return Refused(str(error))
        task = Task("move", seat, name, arguments)
        before = Stand(self._packed, Turn.of(self._kit))

        def run() -> list[Told]:
            self._kit.number += 1
            return self._go(task, before)

        return self._attempt(run, ["play", seat, number, name, arguments], Moved(seat, name), now, lag)

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
    def number(self) -> int:
        """Of the rule that ran last: a move, a round, or a timeout. What it drew depends on this and the secret."""
        return self._kit.number

    @property
    def result(self) -> Result | None:
        """How the game ended, once it has."""
        return self._kit.result

    @property
    def to_move(self) -> tuple[int, ...]:
        """The seats to move; those whose answer is waited for, while a rule asks."""
        return self._kit.to_move

    @property
    def restored(self) -> tuple[Happening, ...]:
        """What `restore` had to do under changed rules, to be told to all."""
        return self._restored

    def view(self, viewer: int | None) -> Packed:
        """Return each field (and each `@shown` value) as the seat, or None for a spectator, sees it: msgpack bytes.

        The same object until something changes, and equal bytes for what did not; never write to it.
        """
        view = self._views.get(viewer)
        if view is None:
            view = self._views[viewer] = self._make_view(viewer)
        return view

    def status(self, now: float) -> Status:
        """Return what is public beside the fields."""
        kit, clocks = self._kit, self._clocks
        return Status(
            self.started,
            kit.number,
            kit.to_move,
            kit.mover if self._suspension is not None else None,
            kit.out,
            self._suspension is not None,
            kit.result,
            None if clocks is None else clocks.left(now),
            () if clocks is None else clocks.running,
            tuple(since is None for since in self._absent_since),
            kit.secret if kit.result is not None and self.game.reveal else None,
            self.frozen,
        )

    def question(self, seat: int) -> Asked | None:
        """Return what the seat is asked, or None."""
        if self._suspension is None or seat not in self._suspension.question.options:
            return None
        question = self._suspension.question
        return Asked(question.id(seat), question.prompt, question.wire_options(seat))

    def may_act(self, seat: int) -> bool:
        """Tell whether the seat is to move or asked (also if it answered already and may change that)."""
        if self._suspension is not None:
            return seat in self._suspension.question.options
        return seat in self._kit.to_move

    def legal(self, seat: int, budget: Budget | None = None) -> Listing:
        """List what the seat may do now, within the budget of 20,000 candidates and 50 ms. Cached until a change."""
        listing = self._listings.get(seat)
        if listing is None:
            listing = self._listings[seat] = self._list(seat, budget)
        return listing

    def draw(self, seat: int, name: str, dice: random.Random) -> Mapping[str, Any] | None:
        """Draw arguments, as plain wire data, for a move that is not listed; for bots and `check`.

        Args:
            seat: who is to move or asked.
            name: of the move; "" for an answer, which comes as {"answer": option}.
            dice: what to draw from.

        Returns:
            None if a domain has nothing to choose from.
        """
        if name == "":
            assert self._suspension is not None
            options = self._suspension.question.options[seat]
            return {"answer": plain(options.sample(dice) if isinstance(options, Free) else dice.choice(options))}
        scratch, reload = self._scratch(seat)
        reload()
        values = draw_arguments(self._definition.moves[name], scratch, dice)
        return None if values is None else {argument: plain(value) for argument, value in values.items()}

    def imagined(self, seat: int, dice: random.Random) -> "Table | None":
        """Return a table of its own as it might be for all that a seat knows, for bots that play it on.

        What the seat cannot see is filled in by the game's `imagine`, and what is yet to be drawn is drawn by other
        dice. None where the rules object, as they do to a world in which what happened could not have.
        """
        kit = ImaginedKit(self.players, self.names, self.options, self._kit.secret)
        kit.other = dice.randbytes(SECRET_SIZE)
        suspension = self._suspension
        kit.until = (self._kit.number, MAX_ROUNDS if suspension is None else len(suspension.answers))
        copy = type(self)(self.game, self.players, self.options, clock=None, secret=kit.secret, names=self.names)
        copy.started, copy._kit, copy._game._kit = True, kit, kit
        copy._numbers = [*self._numbers]
        copy._stand(Stand(self._packed, Turn.of(self._kit)) if suspension is None else suspension.before)
        try:
            kit.begin(seat)
            kit.generator = dice
            copy._game.imagine(seat)
            copy._packed = copy._pack()
            copy._stand_again()
            copy._sealed = {other: task for other, task in self._sealed.items() if other == seat}
            kit.to_move = tuple(
                other for other in range(self.players) if other in self._kit.to_move or self._hides(other, seat)
            )
            if suspension is not None and not copy._imagine_question(suspension, seat):
                return None
        except Exception:  # noqa: BLE001 - a world that could not be may break any rule
            return None
        except Leave:
            return None
        return copy

    def _hides(self, other: int, seat: int) -> bool:
        """Tell whether a seat has moved, unseen by another one."""
        return other != seat and other in self._sealed

    def _imagine_question(self, suspension: Suspension, seat: int) -> bool:
        """Come to the question in another world; return whether the seat is asked the same there."""
        asked = suspension.question
        before = Stand(self._packed, suspension.before.turn)
        before.turn.give(self._kit)
        self._kit.number = asked.number
        self._go(suspension.task, before, suspension.answers, suspension.told)
        there = self._suspension
        if there is None or seat not in asked.options or there.question.options.keys() != asked.options.keys():
            return False
        if there.question.id(seat) != asked.id(seat):
            return False
        given = {other: option for other, option in asked.given.items() if other == seat}
        self._suspension = replace(there, question=replace(there.question, given=given))
        self._kit.to_move = self._suspension.question.waiting
        self._packed = self._pack()
        return True

    # -- time and people

    def presence(self, seat: int, present: bool, now: float) -> tuple[Step, ...]:
        """Say that somebody sits at the seat, or left it; absence has consequences when `grace` is over."""
        if present:
            self._absent_since[seat] = None
        elif self._absent_since[seat] is None:
            self._absent_since[seat] = now
        return self.advance(now)

    def absent(self, seat: int, now: float) -> bool:
        """Tell whether the seat has been left for longer than `grace`."""
        since = self._absent_since[seat]
        return since is not None and now >= since + self.game.grace

    def stand_ins(self, now: float) -> tuple[int, ...]:
        """Return the seats to act for which a bot shall play now: absent beyond `grace` where `absent = "bot"`."""
        if self.game.absent != "bot" or not self._open():
            return ()
        return tuple(seat for seat in self._kit.to_move if self.absent(seat, now))

    def due(self) -> float | None:
        """Return when `advance` has something to do: a clock runs out, a grace ends. None for never."""
        if not self._open():
            return None
        times = [] if self._clocks is None else [self._clocks.due()]
        for seat, since in enumerate(self._absent_since):
            if since is not None and self._minds(seat) and since + self.game.grace > self._looked:
                times.append(since + self.game.grace)
        return min((time for time in times if time is not None), default=None)

    def advance(self, now: float) -> tuple[Step, ...]:
        """Do what time demands: timeouts, defaults for the absent, forfeits. One step and log entry for each."""
        steps: list[Step] = []
        for _ in range(4 * self.players):
            step = self._demanded(now) if self._open() else None
            if step is None:
                break
            steps.append(step)
        self._looked = max(self._looked, now)
        return tuple(steps)

    def forfeit(self, seat: int, now: float) -> Step | Refused:
        """End the game for a seat that leaves for good: the others have won."""
        refused = self._closed()
        if refused is not None:
            return refused
        return self._lose(seat, f"{self.names[seat]} gave up", ["forfeit", seat], now)

    # -- taking back

    def can_undo(self, seat: int) -> str:
        """Tell how the seat could take its last move back: "" for not at all, "free", or "consent"."""
        last = self._undoable
        if last is None or last.seat != seat or self._suspension is not None or not self._open() or not self.game.undo:
            return ""
        return "free" if last.free else "consent"

    def undo(self, seat: int, now: float) -> Step | Refused:
        """Take the last move back, or ask the others whether one may (a step without an entry)."""
        how = self.can_undo(seat)
        if how == "":
            return Refused("there is no move of yours to take back")
        if how == "free" or len(self._kit.alive) < 2:
            return self._take_back(seat, now)
        self._wanted, self._consents = seat, frozenset((seat,))
        return Step(b"")

    def undo_wanted_by(self) -> int | None:
        """Return the seat that waits for consent to take its move back."""
        return self._wanted

    def consent(self, seat: int, agreed: bool, now: float) -> Step | Refused:
        """Agree to the undo that another seat wants, or not. The last consent takes the move back."""
        if self._wanted is None or self.can_undo(self._wanted) == "":
            return Refused("nobody wants to take a move back")
        if not agreed:
            self._wanted = None
            return Step(b"")
        self._consents |= {seat}
        if not self._consents >= {*self._kit.alive}:
            return Step(b"")
        return self._take_back(self._wanted, now)

    # -- storing

    def snapshot(self) -> bytes:
        """Return the state (msgpack, cached until the next change): what `restore` starts from."""
        if self._snapshot is None:
            clocks = None if self._clocks is None else self._clocks.stored()
            clock = self.clock
            self._snapshot = pack(
                {
                    "version": STATE_VERSION,
                    "game": self.game.__name__,
                    "rules": self._definition.fingerprint,
                    "players": self.players,
                    "options": {name: plain(value) for name, value in self.options.items()},
                    "clock": None if clock is None else [clock.minutes, clock.increment, clock.per_move],
                    "secret": self._kit.secret,
                    "names": self.names,
                    "started": self.started,
                    "frozen": self.frozen,
                    "fields": self._packed,
                    "turn": Turn.of(self._kit).stored(),
                    "numbers": self._numbers,
                    "sealed": [task.stored() for task in self._sealed.values()],
                    "queue": [task.stored() for task in self._queue],
                    "called": self._called,
                    "suspension": self._stored_suspension(),
                    "undo": self._stored_undo(),
                    "clocks": clocks,
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
        try:
            data: dict[str, Any] = unpack(state)
            version = data["version"]
        except Exception as error:
            raise ValueError(f"this is no state of a table: {error}") from error
        if version != STATE_VERSION:
            raise ValueError(
                f"the state is of version {version}, and this netcode knows {STATE_VERSION}; update netcode"
            )
        clock = None if data["clock"] is None else Clock(*data["clock"])
        table = cls(game, data["players"], data["options"], clock=clock, secret=data["secret"], names=data["names"])
        table._absent_since = [now] * table.players
        try:
            table._load(data, now)
            for entry in entries:
                table._replay(unpack(entry), now)
        except (RulesError, Unfit, Leave) as error:
            table._freeze(data, state, str(error))
        except Exception as error:  # noqa: BLE001 - other rules than those that wrote it may do anything
            log.bug(game.__name__, error, "restoring a table")
            table._freeze(data, state, f"{type(error).__name__}: {error}")
        return table

    # -- inside: running rules

    def _open(self) -> bool:
        return self.started and self._kit.result is None and not self.frozen

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

    def _go(self, task: Task, before: Stand, answers: tuple[Answered, ...] = (), told: int = 0) -> list[Told]:
        """Run a rule, and whatever has to run after it, until somebody is to move, asked, or all is over."""
        kit, news = self._kit, list[Told]()
        self._rounds = 0
        while True:
            done = self._run(task, before, answers, told)
            news += kit.news()
            if not done:
                return news
            self._suspension = None
            following = self._after(task, before.turn)
            if following is None:
                return news
            task, answers, told = following, (), 0
            before = Stand(self._pack(), Turn.of(kit))
            kit.number += 1

    def _run(self, task: Task, before: Stand, answers: tuple[Answered, ...], told: int) -> bool:
        """Run one rule; return whether it came to its end, and did not ask."""
        kit = self._kit
        kit.begin(task.seat, answers, told)
        try:
            self._call(task)
        except Suspended:
            question = kit.question
            assert question is not None
            self._suspension = Suspension(task, before, answers, len(kit.tells), question)
            kit.to_move = question.waiting
            return False
        except Refusal:
            if task.kind != "sealed":
                raise
            self._lapse(before)
        finally:
            self._touched = self._touched or kit.generator is not None or bool(answers)
            if kit.careless:
                where = f"{self.game.__name__}.{task.name or task.kind}"
                self.complaints[where] = (
                    "calls require() after it drew, before anybody saw that: who is refused knows the dice"
                )
                log.careless(where)
        if kit.question is not None:
            raise RulesError(
                f"{self.game.__name__}.{task.name or task.kind} went on after ask(); let nothing catch what it raises"
            )
        if len(self._values) != len(self._definition.fields):
            self._tell_attributes(task)
        return True

    def _call(self, task: Task) -> None:
        game = self._game
        if task.kind in ("move", "sealed"):
            move = self._definition.moves[task.name]
            returned = move.rule(game, **self._read(move, task.arguments or {}))
        elif task.kind == "setup":
            returned = game.setup(**self.options)
        elif task.kind == "timeout":
            returned = game.timeout(task.seat)
        else:
            returned = game.round()
        if returned is not None:
            where = f"{self.game.__name__}.{task.name or task.kind}"
            raise RulesError(
                f"{where} returned {a(type(returned).__name__)}, which nobody would hear of; "
                "change fields, or `self.tell(…)`, and return nothing"
            )

    def _read(self, move: MoveRule, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the very values that a stranger's arguments say, or raise `Unfit`."""
        if not isinstance(arguments, Mapping) or arguments.keys() != move.domains.keys():
            raise Unfit(f"{move.name} takes {', '.join(move.domains) or 'no arguments'}")
        if not arguments:
            return {}
        game, values = self._game, dict[str, Any]()
        dry = self._dry_kit()
        dry.follow(self._kit, self._kit.mover)
        game._kit = dry
        try:
            for name, domain in move.domains.items():
                values[name] = domain.read(game, values, arguments[name], name)
        except Enough as error:
            raise RulesError(
                f"{self.game.__name__}.{move.name}: a domain draws, asks or ends the game; it only lists"
            ) from error
        finally:
            game._kit = self._kit
        return values

    def _dry_kit(self) -> DryKit:
        if self._dry is None:
            self._dry = DryKit(self.players, self.names, self.options, b"")
        return self._dry

    def _after(self, task: Task, before: Turn) -> Task | None:
        """Say who is next once a rule is done; return the rule that has to run then, if one has to."""
        kit, definition = self._kit, self._definition
        if kit.result is not None:
            kit.to_move, self._queue, self._called = (), (), None
            return None
        called = kit.called
        if task.kind == "sealed":
            self._called = called = self._called if called is None else called
            if self._queue:
                following, self._queue = self._queue[0], self._queue[1:]
                return following
            self._called = None
        if called is not None:
            kit.to_move = tuple(seat for seat in called if seat not in kit.out)
        elif task.kind == "move" or (task.kind == "sealed" and not definition.has_round):
            assert task.seat is not None
            kit.to_move = (kit.after(task.seat),) if kit.alive else ()
        elif task.kind == "setup" and not definition.has_round:
            kit.to_move = tuple(kit.alive[:1])
        elif task.kind == "timeout":
            kit.to_move = self._after_timeout(task, before)
        else:
            kit.to_move = ()
        if kit.to_move:
            return None
        if not definition.has_round:
            raise RulesError(
                f"after {self.game.__name__}.{task.name or task.kind} it is nobody's turn, and there is no round(); "
                "call `self.turn_to(…)` or `self.finish(…)`"
            )
        self._rounds += 1
        if self._rounds > MAX_ROUNDS:
            raise RulesError(
                f"{self.game.__name__}.round() ran {MAX_ROUNDS} times and asked nobody; "
                "call `self.turn_to(…)` or `self.finish(…)` in it"
            )
        return Task("round")

    def _after_timeout(self, task: Task, before: Turn) -> tuple[int, ...]:
        kit, seat = self._kit, task.seat
        assert seat is not None
        left = tuple(other for other in before.to_move if other not in kit.out and other != seat)
        if left or not kit.alive:
            return left
        return (kit.after(seat),)

    def _lapse(self, before: Stand) -> None:
        """Drop a move of several at once that another one of them has made impossible."""
        self._stand(before)
        self._kit.tells = []
        self._kit.called = None

    def _tell_attributes(self, task: Task) -> None:
        where = f"{self.game.__name__}.{task.name or task.kind}"
        fields, values = self._definition.fields, self._values
        for name in values:
            if name not in fields:
                raise RulesError(f"{where} assigned {name}, which is no field; annotate it in the class: `{name}: …`")
        for name in fields:
            if name not in values:
                raise RulesError(
                    f"{self.game.__name__}.{name} is annotated and never set; set it in setup(), "
                    f"or give it a default: `{name}: … = …`"
                )

    def _attempt(
        self,
        run: Callable[[], list[Told]],
        entry: list[Any],
        moved: Moved | None,
        now: float,
        lag: float,
    ) -> Step | Refused:
        """Run rules; if they refuse or fail, everything is as it was."""
        before = Stand(self._packed, Turn.of(self._kit))
        saved = (self._suspension, self._queue, self._called, dict(self._sealed))
        self._touched = False
        try:
            news = run()
            packed = self._pack()
        except BaseException as error:  # noqa: BLE001 - what is not the rules' own is raised again
            self._suspension, self._queue, self._called, self._sealed = saved
            self._stand(before)
            self._changed = ()
            return self._refusal(error, entry[1])
        self._packed = packed
        self._keep_undoable(entry, before)
        if entry[0] in ("play", "answer"):
            self._numbers[entry[1]] = entry[2]
        return self._commit(entry, news, now, moved, lag)

    def _refusal(self, error: BaseException, seat: int) -> Refused:
        if isinstance(error, Refusal):
            return Refused(error.text)
        if isinstance(error, Unfit):
            return Refused(str(error))
        if not isinstance(error, Exception):
            raise error
        self.complaints[self.game.__name__] = f"fails: {type(error).__name__}: {error}"
        log.bug(self.game.__name__, error, f"a move of seat {seat}")
        return Refused("the rules failed at this, which is a bug in them; the game goes on without it")

    def _keep_undoable(self, entry: list[Any], before: Stand) -> None:
        """Remember, or forget, where the last move can be taken back to."""
        self._wanted = None
        if entry[0] == "play" and len(before.turn.to_move) == 1 and not self._sealed:
            claimed = self._definition.moves[entry[3]].undo
            free = not self._touched and self._suspension is None and (self._definition.all_open or claimed)
            self._undoable = Undoable(entry[1], before, free)
        elif entry[0] not in ("answer", "default"):
            self._undoable = None

    def _seal(
        self, seat: int, move: MoveRule, arguments: Mapping[str, Any], number: int, *, now: float, lag: float
    ) -> Step | Refused:
        """Take a move of several at once: it is kept until the last of them has come, and then all are made."""
        try:
            check_bounds(arguments)
            self._kit.mover = seat
            scratch, reload = self._scratch(seat)
            reload()
            live, self._game = self._game, scratch
            try:
                values = self._read(move, arguments)
            finally:
                self._game = live
            scratch._kit = self._dry_kit()
            move.rule(scratch, **values)
        except Enough:
            pass
        except BaseException as error:  # noqa: BLE001 - what is no fault of the seat is raised again
            return self._refusal(error, seat)
        task = Task("sealed", seat, move.name, arguments)
        before = Stand(self._packed, Turn.of(self._kit))

        def run() -> list[Told]:
            self._sealed[seat] = task
            self._kit.to_move = tuple(other for other in self._kit.to_move if other != seat)
            if self._kit.to_move:
                return []
            first, *rest = (self._sealed[other] for other in sorted(self._sealed))
            self._sealed, self._queue = {}, tuple(rest)
            self._kit.number += 1
            return self._go(first, Stand(before.fields, Turn.of(self._kit)))

        entry = ["play", seat, number, move.name, arguments]
        return self._attempt(run, entry, Moved(seat, None), now, lag)

    def _answer(
        self, seat: int, asked: str, option: Any, number: int, *, now: float, lag: float = 0.0
    ) -> Step | Refused:
        suspension = self._suspension
        if suspension is None or seat not in suspension.question.options or suspension.question.id(seat) != asked:
            return Refused("too late: that is not asked any more")
        question = suspension.question
        try:
            question.read(seat, option)
        except Unfit as error:
            return Refused(str(error))
        given = {**question.given, seat: option} if question.kind is Kind.ALL else {seat: option}

        def run() -> list[Told]:
            if question.kind is Kind.ALL and len(given) < len(question.options):
                self._suspension = replace(suspension, question=replace(question, given=given))
                self._kit.to_move = self._suspension.question.waiting
                return []
            answers = (*suspension.answers, Answered(question.signature(), given))
            return self._resume(suspension, answers)

        kind = ["answer", seat, number] if number else ["default", seat]
        return self._attempt(run, [*kind, asked, option], Moved(seat, None), now, lag)

    def _resume(self, suspension: Suspension, answers: tuple[Answered, ...]) -> list[Told]:
        """Run a suspended rule again from its beginning, with one more answer."""
        task, before, number = suspension.task, suspension.before, suspension.question.number
        queue, called = self._queue, self._called
        self._suspension = None
        self._stand(before)
        self._kit.number = number
        try:
            return self._go(task, before, answers, suspension.told)
        except Changed:
            self._queue, self._called = queue, called
            return self._take_back_changed(suspension)

    def _take_back_changed(self, suspension: Suspension) -> list[Told]:
        """Take a rule back that no longer asks what it asked, and say so; what nobody chose begins again."""
        task, before, number = suspension.task, suspension.before, suspension.question.number
        where = f"{self.game.__name__}.{task.name or task.kind}"
        self.complaints[where] = "asks something else when it runs again with the answer; it may depend on `self` alone"
        log.changed(where)
        self._suspension = None
        self._stand(before)
        text = f"{where} asks something else than before, so it is taken back"
        self._changed = (TakenBack(task.seat, text),)
        if task.kind == "move":
            self._kit.number = number  # what it drew is known
            return []
        self._kit.number = number
        if task.kind in ("sealed", "timeout"):
            self._kit.begin(task.seat)
            following = self._after(task, before.turn)
            if following is None:
                return []
            self._kit.number += 1
            task, before = following, Stand(self._pack(), Turn.of(self._kit))
        return self._go(task, before)

    def _commit(
        self, entry: list[Any], news: list[Told], now: float, moved: Moved | None = None, lag: float = 0.0
    ) -> Step:
        """Make the change final: clocks, caches, the entry for the log, and what is to be told."""
        stored = None
        if self._clocks is not None:
            running = self._kit.to_move if self._open() else ()
            mover = None if moved is None else moved.seat
            self._clocks.switch(running, now, mover, lag)
            stored = self._clocks.stored()[0]
        self._forget()
        happenings: list[Happening] = [] if moved is None else [moved]
        happenings += self._changed
        happenings += news
        self._changed = ()
        if self._kit.result is not None:
            happenings.append(Over(self._kit.result))
        return Step(pack([*entry, stored]), tuple(happenings))

    def _forget(self) -> None:
        self._views, self._listings, self._snapshot = {}, {}, None

    # -- inside: time

    def _minds(self, seat: int) -> bool:
        """Tell whether it has consequences that nobody sits at the seat."""
        if self.game.absent == "forfeit":
            return seat in self._kit.alive
        waiting = seat in self._kit.to_move
        return waiting and (self.game.absent == "bot" or self._has_default(seat))

    def _has_default(self, seat: int) -> bool:
        suspension = self._suspension
        return suspension is not None and suspension.question.default is not ... and seat in suspension.question.waiting

    def _demanded(self, now: float) -> Step | None:
        """Do one thing that is due."""
        if self._clocks is not None:
            for seat in self._clocks.fallen(now):
                return self._default(seat, now) if self._has_default(seat) else self._time_out(seat, now)
        for seat in self._kit.alive:
            if self._minds(seat) and self.absent(seat, now):
                if self._has_default(seat):
                    return self._default(seat, now)
                if self.game.absent == "forfeit":
                    step = self.forfeit(seat, now)
                    return step if isinstance(step, Step) else None
        return None

    def _default(self, seat: int, now: float) -> Step | None:
        assert self._suspension is not None
        question = self._suspension.question
        step = self._answer(seat, question.id(seat), plain(question.default), 0, now=now)
        return step if isinstance(step, Step) else self._time_out(seat, now)

    def _time_out(self, seat: int, now: float) -> Step:
        """Let the rules say what it means that a seat's time is up."""
        self._abandon()
        before = Stand(self._packed, Turn.of(self._kit))

        def run() -> list[Told]:
            self._kit.number += 1
            return self._go(Task("timeout", seat), before)

        step = self._attempt(run, ["timeout", seat], None, now, 0.0)
        if isinstance(step, Refused) or (
            self._clocks is not None and self._open() and seat in self._clocks.fallen(now)
        ):
            # The rules fail, or leave the turn with a seat that has no time: somebody has to have lost.
            return self._lose(seat, f"{self.names[seat]} ran out of time", ["lost", seat], now)
        return step

    def _abandon(self) -> None:
        """Drop a suspended rule, and moves that wait for others: everything is as it was before them."""
        suspension = self._suspension
        if suspension is not None:
            self._suspension = None
            number = self._kit.number
            self._stand(suspension.before)
            self._kit.number = number
            self._packed = suspension.before.fields
            if suspension.task.kind == "move":
                text = "the move is taken back: the question was not answered in time"
                self._changed = (TakenBack(suspension.task.seat, text),)
        if self._sealed:
            self._kit.to_move = tuple(sorted({*self._kit.to_move, *self._sealed}))
        self._sealed, self._queue, self._called, self._undoable, self._wanted = {}, (), None, None, None

    def _lose(self, seat: int, text: str, entry: list[Any], now: float) -> Step:
        self._abandon()
        others = tuple(other for other in self._kit.alive if other != seat)
        self._kit.result = Result(others, None, text)
        self._kit.to_move = ()
        return self._commit(entry, [], now)

    def _take_back(self, seat: int, now: float) -> Step:
        last = self._undoable
        assert last is not None
        number = self._kit.number
        self._stand(last.before)
        self._kit.number = number  # what it drew is known, so it draws otherwise next time
        self._packed = last.before.fields
        self._undoable, self._wanted = None, None
        self._changed = (TakenBack(seat, f"{self.names[seat]} took a move back"),)
        return self._commit(["undo", seat], [], now)

    # -- inside: fields

    @property
    def _values(self) -> dict[str, Any]:
        values: dict[str, Any] = self._game.__dict__
        return values

    def _pack(self) -> Packed:
        """Return the fields as bytes, one by one. Raises `RulesError` for what cannot be stored, with its path."""
        packed, values = dict[str, bytes](), self._values
        for name, shape in self._definition.shapes.items():
            try:
                packed[name] = pack(shape.dump(values[name]))
            except KeyError:
                if name in values:
                    raise
            except Exception as error:
                flaw = (
                    shape.flaw(values[name], f"{self.game.__name__}.{name}") or f"{self.game.__name__}.{name}: {error}"
                )
                raise RulesError(f"{flaw}; it cannot be stored") from error
        return packed

    def _stand(self, stand: Stand) -> None:
        """Make the game what it was."""
        self._fill(self._game, stand.fields)
        stand.turn.give(self._kit)

    def _stand_again(self) -> None:
        """Make the game what `_packed` says, so that no two of its places are one value."""
        self._fill(self._game, self._packed)
        self._forget()

    def _fill(self, game: Any, packed: Packed) -> None:
        values: dict[str, Any] = game.__dict__
        shapes = self._definition.shapes
        values.clear()
        for name, data in packed.items():
            shape = shapes[name]
            values[name] = unpack(data) if shape.revives else shape.load(unpack(data))

    def _verify(self) -> None:
        """Raise `RulesError` for a field that would not come back from the store as it is, with its path."""
        values = self._values
        for name, shape in self._definition.shapes.items():
            if name not in values:
                continue
            where = f"{self.game.__name__}.{name}"
            flaw = shape.flaw(values[name], where)
            if flaw is None and not same(shape.load(unpack(pack(shape.dump(values[name])))), values[name]):
                flaw = f"{where} does not come back from the store as it was"
            if flaw is not None:
                raise RulesError(f"{flaw}; what is stored and revived must be the same value of the same type")

    def _scratch(self, seat: int | None) -> tuple[Any, Callable[[], None]]:
        """Return a copy of the game with a dry kit, and what makes it the same again after a trial."""
        scratch, dry = object.__new__(self.game), self._dry_kit()
        scratch._kit = dry
        packed = self._packed

        def reload() -> None:
            self._fill(scratch, packed)
            dry.follow(self._kit, seat)

        return scratch, reload

    def _make_view(self, viewer: int | None) -> Packed:
        definition, packed = self._definition, self._packed
        opened = self._kit.result is not None and self.game.reveal
        view: dict[str, bytes] = {}
        for name, field in definition.fields.items():
            if name not in packed or field.mark is Mark.PRIVATE:
                continue
            if field.mark is Mark.OPEN or opened:
                view[name] = packed[name]
            elif not self.frozen:
                view[name] = pack(mask(field.mark, definition.shapes[name], self._game.__dict__[name], viewer))
        if definition.shown and viewer is not None and self.started and not self.frozen:
            scratch, reload = self._scratch(viewer)
            reload()
            view.update(shown_values(scratch, definition, viewer))
        return view

    def _list(self, seat: int, budget: Budget | None) -> Listing:
        if not self._open() or not self.may_act(seat):
            return Listing()
        if self._suspension is not None:
            options = self._suspension.question.wire_options(seat)
            if options is None:
                return Listing((), ("",))
            return Listing(tuple(("", {"answer": option}) for option in options))
        scratch, reload = self._scratch(seat)
        reload()
        return list_moves(self._definition, scratch, reload, budget or Budget())

    # -- inside: storing

    def _stored_suspension(self) -> list[Any] | None:
        suspension = self._suspension
        if suspension is None:
            return None
        question = suspension.question
        return [
            suspension.task.stored(),
            suspension.before.stored(),
            [answered.stored() for answered in suspension.answers],
            suspension.told,
            question.number,
            question.given,
            question.signature(),
        ]

    def _stored_undo(self) -> list[Any] | None:
        last = self._undoable
        return None if last is None else [last.seat, last.before.stored(), last.free]

    def _load(self, data: dict[str, Any], now: float) -> None:
        kit, definition = self._kit, self._definition
        same_rules = data["rules"] == definition.fingerprint
        self.options = kit.options = self._options_again(data["options"])
        self.started, self.frozen = data["started"], data["frozen"]
        self._numbers = data["numbers"]
        if not self.started:
            return
        self._packed = self._fitted(data["fields"], same_rules)
        self._stand(Stand(self._packed, Turn.load(data["turn"])))
        for task in data["sealed"]:
            self._sealed[task[1]] = Task(*task)
        self._queue = tuple(Task(*task) for task in data["queue"])
        self._called = None if data["called"] is None else tuple(data["called"])
        if data["undo"] is not None:
            seat, before, free = data["undo"]
            stand = Stand.load(before)
            self._undoable = Undoable(seat, Stand(self._fitted(stand.fields, same_rules), stand.turn), free)
        if data["suspension"] is not None:
            self._load_suspension(data["suspension"], same_rules)
        if self._clocks is not None and data["clocks"] is not None:
            left, running = data["clocks"]
            self._clocks.resume(left, running, now=now)

    def _load_suspension(self, data: list[Any], same_rules: bool) -> None:
        task, before, answers, told, number, given, signature = data
        kit, stand = self._kit, Stand.load(before)
        stand = Stand(self._fitted(stand.fields, same_rules), stand.turn)
        answered = tuple(Answered(one, by_seat) for one, by_seat in answers)
        self._stand(stand)
        kit.number = number
        queue, called = self._queue, self._called
        question = Question(number, len(answers), Kind.ONE, {}, "")
        suspended = Suspension(Task(*task), stand, answered, told, question)
        try:
            self._go(suspended.task, stand, answered, told)
            self._suspended_as(signature)
            assert self._suspension is not None
            self._suspension = replace(
                self._suspension, told=told, question=replace(self._suspension.question, given=given)
            )
            kit.to_move = self._suspension.question.waiting
        except (Changed, Refusal, Unfit) as error:
            del error
            self._queue, self._called = queue, called
            self._take_back_changed(suspended)
            self._restored = self._changed
            self._changed = ()
        self._packed = self._pack()

    def _suspended_as(self, signature: bytes) -> None:
        if self._suspension is None or self._suspension.question.signature() != signature:
            raise Changed

    def _options_again(self, stored: Mapping[str, Any]) -> Mapping[str, Any]:
        """Find the values of stored options again; one that the rules no longer have is dropped."""
        definition = self._definition
        chosen = dict(definition.chosen)
        for name, domain in definition.options.items():
            if name in stored:
                chosen[name] = domain.read(None, {}, stored[name], name)
        return chosen

    def _fitted(self, fields: Packed, same_rules: bool) -> Packed:
        """Return stored fields as today's rules have them. Raises `Unfit` or `RulesError` where they do not fit."""
        if same_rules:
            return fields
        old = {name: unpack(data) for name, data in fields.items()}
        try:
            return self._convert(old)
        except Unfit:
            upgrade: Any = getattr(self.game, "upgrade", None)
            if not callable(upgrade) or "upgrade" in self._definition.moves:
                raise
            upgraded: Any = upgrade(old)
            return self._convert(upgraded)

    def _convert(self, old: Mapping[str, Any]) -> Packed:
        packed: dict[str, bytes] = {}
        for name, shape in self._definition.shapes.items():
            if name in old:
                value = shape.convert(old[name], name)
            elif name in self._definition.defaults:
                value = self._definition.defaults[name]
            else:
                raise Unfit(f"the rules have changed: {name} is new and has no default; write upgrade(cls, old)")
            packed[name] = pack(shape.dump(value))
        return packed

    def _freeze(self, data: Mapping[str, Any], state: bytes, reason: str) -> None:
        self.frozen = reason
        self.started = True
        self._suspension = None
        self._kit.to_move = ()
        self._packed = data["fields"]
        self._forget()
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
                done = self._lose(seat, f"{self.names[seat]} ran out of time", ["lost", seat], now)
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


def read_options(game: type[Any], given: Mapping[str, Any]) -> tuple[dict[str, Any], Clock | None]:
    """Return the options of a table as its rules take them, and its clock. Raises `ValueError` for what they are not."""
    definition: Definition = game._definition
    chosen, clock = dict(definition.chosen), game.clock
    for name, value in given.items():
        domain = definition.options.get(name)
        if name == "clock":
            clock = clock_from(value)
        elif domain is None:
            has = ", ".join([*definition.options, "clock"])
            raise ValueError(f"{game.__name__} has no option of that name; it has {has}")
        else:
            check_bounds(value)
            chosen[name] = domain.read(None, chosen, value, name)
    return chosen, clock
