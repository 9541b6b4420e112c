"""Random games that prove what can be proved of rules: that they end, repeat, restart, refuse cleanly, leak nothing."""

import itertools
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from netcode.turns.errors import RulesError
from netcode.turns.language.fields import pack_fields
from netcode.turns.language.marks import Mark
from netcode.turns.proving import twin
from netcode.turns.proving.findings import Findings
from netcode.turns.proving.flows import follow
from netcode.turns.proving.hushing import Hush
from netcode.turns.proving.worlds import Pool, clone, gather, other_world
from netcode.turns.rules import Game
from netcode.turns.runtime import log
from netcode.turns.runtime.legal import Budget
from netcode.turns.runtime.storing import MAX_STATE
from netcode.turns.simulate import MAX_MOVES, Choice, act, choices_of, done, secret_of
from netcode.turns.table import Moved, Refused, Step, Table

THOROUGH = 10
"""So many games are looked at after every one of their first `EVERY` moves; else it is one in `SAMPLE`."""
EVERY = 100
SAMPLE = 10
TWINS = 5
"""So many games are played again in another process."""
LARGE = 16_384
"""Bytes of a state that can be looked at after every move; one of n times as many is looked at after every n-th move."""
UNENDED = 3
"""After so many games that went on for ever, or grew out of bounds, no more are begun: they take longest of all."""


@dataclass(slots=True)
class Report:
    """What `check` found: problems, one for each cause; and the flows of each move."""

    game: str
    findings: Findings = field(default_factory=Findings)
    flows: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """By move, what else than its own arguments tells others of what was hidden from them."""
    notes: list[str] = field(default_factory=list[str])
    games: int = 0
    moves: int = 0
    worlds: int = 0

    @property
    def problems(self) -> dict[str, str]:
        """The problems by what they are, each with where it was seen first."""
        return self.findings.problems

    @property
    def follows(self) -> dict[str, list[str]]:
        """By problem, what was found in games in which it had come up, and may follow from it."""
        return self.findings.follows

    @property
    def ok(self) -> bool:
        """Tell whether nothing was found."""
        return not self.problems

    def flow_lines(self) -> list[str]:
        """Return the flows as lines that a test can pin: `fire: fleets, shots, sunk`."""
        return [f"{move}: {', '.join(sorted(fields))}" for move, fields in sorted(self.flows.items()) if fields]

    def __str__(self) -> str:
        lines = [f"{self.game}: {self.games} games, {self.moves} moves, {self.worlds} other worlds"]
        lines += self.findings.lines()
        lines += ["  flows, what tells others of what is hidden from them:"] if self.flow_lines() else []
        lines += [f"    {line}" for line in self.flow_lines()]
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join([*lines, f"  {self.findings.count()}"])


def check(
    game: type[Game],
    games: int = 200,
    *,
    seed: int = 1,
    options: Mapping[str, Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
    seconds: float = float("inf"),
) -> Report:
    """Play random games and report what is wrong with the rules.

    Args:
        game: the class of the rules.
        games: how many, with every number of players in turn.
        seed: of the first; the others follow.
        options: of the tables, as plain wire data.
        progress: is called with how many games are done, of how many.
        seconds: after which it stops; the report says how far it came.
    """
    checker = Checker(game, options or {}, seconds)
    checker.run(games, seed, progress)
    return checker.report


class Checker:
    """Plays the games, and notes in its report what it finds: as far as it came, should something interrupt it."""

    def __init__(self, game: type[Game], options: Mapping[str, Any], seconds: float) -> None:
        self.game, self.options, self.until = game, options, time.monotonic() + seconds
        self.report = Report(game.__name__)
        self.hush = Hush()
        self.pool: Pool = {}
        self.definition = game._definition
        self.hides = any(one.mark is not Mark.OPEN for one in self.definition.fields.values())
        self.where = ""
        self.unended = 0
        self.grown = set[str]()
        """The moves that are known to make the state too large."""

    def run(self, games: int, seed: int, progress: Callable[[int, int], None] | None) -> None:
        """Play so many games; what is known of each is in the report before the next one begins."""
        try:
            self._run(games, seed, progress)
        finally:
            self.report.notes += [note for note in (self.hush.note(),) if note]

    def _run(self, games: int, seed: int, progress: Callable[[int, int], None] | None) -> None:
        counts = range(self.game.seats[0], self.game.seats[1] + 1)
        for number in range(games):
            why = self._weary()
            if why:
                self.report.notes.append(f"stopped after {number} of {games} games, {why}")
                break
            with self.hush.on():
                whole = self.play(seed + number, counts[number % len(counts)], thorough=number < THOROUGH)
            if not whole:
                self.report.notes.append(f"stopped in game {number + 1} of {games}, for want of time")
                break
            self.report.games += 1
            if progress is not None:
                progress(number + 1, games)
        with self.hush.on():
            self.compare_processes(seed, games)

    def _is_late(self) -> bool:
        return time.monotonic() > self.until

    def _weary(self) -> str:
        """Return why no more games are begun, or nothing."""
        if self._is_late():
            return "for want of time"
        return f"since {UNENDED} of them did not come to their end" if self.unended >= UNENDED else ""

    def problem(self, what: str, *, breaks: bool = False) -> None:
        """Note what is wrong, and whether it may be why more is wrong in this game."""
        self.report.findings.add(what, self.where, breaks=breaks)

    def symptom(self, what: str) -> None:
        """Note what is wrong, though something else in this game may be why."""
        self.report.findings.symptom(what, self.where)

    def play(self, seed: int, players: int, *, thorough: bool) -> bool:
        """Play one game, and look at it on the way; return whether there was time for all of it."""
        self.where = f"with seed {seed} and {players} players, at the start"
        self.report.findings.begin()
        dice = random.Random(seed)  # noqa: S311 - the same games for the same seed
        try:
            table = self._begin(seed, players)
            taken: list[tuple[int, Choice]] = []
            states: list[bytes] = []
            looked = -MAX_MOVES  # after so many moves
            while table.result is None:
                self.where = f"with seed {seed} and {players} players, after {len(taken)} moves"
                if self._is_late():
                    return False
                if len(table.snapshot()) > MAX_STATE:
                    self._outgrown(table, (taken[-1][1][0] or "an answer") if taken else "setup()")
                    return True
                if len(taken) >= MAX_MOVES:
                    self.symptom(f"a game does not end within {MAX_MOVES} moves")
                    self.unended += 1
                    return True
                wanted = (thorough and len(taken) < EVERY) or dice.random() < 1 / SAMPLE
                table.course.thorough = wanted and len(taken) >= looked + len(table.snapshot()) // LARGE
                if table.course.thorough:
                    looked = len(taken)
                    self._look(table, dice)
                    self._complain(table)
                made = self._step(table, dice)
                if made is None:
                    self.symptom("nobody can do anything, and the game is not over: a deadlock")
                    return True
                seat, choice, step = made
                taken.append((seat, choice))
                states.append(blake2b(table.snapshot(), digest_size=8).digest())
                self._listen(table, step)
            self.where = f"with seed {seed} and {players} players, at the end"
            self._look_at_end(table, dice)
            self.report.moves += len(taken)
            self._again(seed, players, taken, states)
        except RulesError as error:
            self.problem(str(error), breaks=True)
        finally:
            self.report.findings.settle()
        return True

    def _begin(self, seed: int, players: int) -> Table:
        table = Table.create(self.game, players, self.options, secret=secret_of(seed))
        try:
            done(table.start(0.0))
        except RulesError:
            raise
        except Exception as error:
            where = f"{self.game.__name__}.setup()"
            log.bug(where, error, "setting up a table")
            raise RulesError(f"{where} fails: {type(error).__name__}: {error}") from error
        return table

    def _step(self, table: Table, dice: random.Random) -> tuple[int, Choice, Step] | None:
        seats = [*table.to_move]
        dice.shuffle(seats)
        for seat in seats:
            choices = choices_of(table, seat, dice)
            dice.shuffle(choices)
            for choice in choices:
                outcome = act(table, seat, choice)
                if isinstance(outcome, Step):
                    return seat, choice, outcome
                self._complain(table)
                listed = choice[0] not in table.legal(seat).unlisted
                self.symptom(
                    f"{choice[0] or 'an answer'} is {'listed as legal' if listed else 'drawn'}, and refused: {outcome.text}"
                )
        return None

    def _complain(self, table: Table) -> None:
        for where, what in table.complaints.items():
            self.problem(f"{where} {what}", breaks=not what.startswith("calls require()"))

    def _listen(self, table: Table, step: Step) -> None:
        """Check what is told to all of a move."""
        self._complain(table)
        for happening in step.happenings:
            if (
                isinstance(happening, Moved)
                and happening.name is not None
                and happening.name not in self.definition.moves
            ):
                self.problem("others are told more of a move than its name")

    def _outgrown(self, table: Table, move: str) -> None:
        """Tell that a server would freeze this table for its size, and what takes most of it."""
        self.unended += 1
        if move in self.grown:
            return
        self.grown.add(move)
        fields = table.course.packed
        largest = max(fields, key=lambda name: len(fields[name]))
        undo = "" if table.undoing.last is None else ", kept twice while the move can be taken back"
        self.problem(
            f"{move} makes the state {len(table.snapshot()):,} bytes, of which {largest} is "
            f"{len(fields[largest]):,}{undo}; above {MAX_STATE:,} bytes a server freezes the table: let {largest} "
            "forget what nobody needs any more, or serve with a larger max_state"
        )

    # -- one position

    def _look(self, table: Table, dice: random.Random) -> None:
        self._restart(table)
        self._refuse(table, dice)
        for seat in range(table.players):
            if not table.may_act(seat) and (table.question(seat) is not None or table.legal(seat).plays):
                self.problem("a seat that is not asked learns of a question")
        if self.hides:
            gather(table, self.pool, dice)
            for viewer in (None, *range(table.players)):
                self._leak(table, viewer, dice)
            self._flow(table, dice)

    def _restart(self, table: Table) -> None:
        back = Table.restore(self.game, table.snapshot())
        if back.frozen:
            self.symptom(f"a table cannot be restored: {back.frozen}")
        elif _seen(back) != _seen(table):
            self.symptom("after a restart the table is not what it was; does a rule depend on more than `self`?")

    def _refuse(self, table: Table, dice: random.Random) -> None:
        """Try what is not legal; nothing may change by it."""
        before = table.snapshot()
        for seat, choice in _wrong_choices(table, dice):
            trial = clone(table)
            if isinstance(act(trial, seat, choice), Refused) and (
                trial.snapshot() != before or pack_fields(trial.course.game) != trial.course.packed
            ):
                self.symptom(f"{choice[0] or 'an answer'} is refused, and changes something all the same")

    def _leak(self, table: Table, viewer: int | None, dice: random.Random) -> None:
        world = other_world(table, viewer, self.pool, dice)
        if world is None:
            return
        self.report.worlds += 1
        who = "a spectator" if viewer is None else "a seat"
        shown = self.definition.shown.keys()
        here, there = table.view(viewer), world.view(viewer)
        for name in here.keys() | there.keys():
            if here.get(name) == there.get(name):
                continue
            if name in shown:
                self.report.flows.setdefault(f"@shown {name}", set()).add("the fields that it reads")
            else:
                self.problem(f"{who} sees in {name} what is hidden from it")
        if viewer is None or table.course.suspension is not None:
            return
        try:
            legal = [one.legal(viewer, Budget(seconds=float("inf"))) for one in (table, world)]
        except Exception:  # noqa: BLE001 - rules need not bear a world that could not be
            return
        if legal[0] != legal[1]:
            self.problem(f"what {_differing(legal)} lists as legal tells of what is hidden from the seat")
        elif table.may_act(viewer):
            self._compare_refusals(table, world, viewer, dice)

    def _compare_refusals(self, table: Table, world: Table, viewer: int, dice: random.Random) -> None:
        for seat, choice in _wrong_choices(table, dice):
            if seat == viewer:
                texts = [act(clone(one), seat, choice) for one in (table, world)]
                if all(isinstance(text, Refused) for text in texts) and texts[0] != texts[1]:
                    self.problem(f"what {choice[0]} is refused with tells of what is hidden from the seat")

    def _flow(self, table: Table, dice: random.Random) -> None:
        if table.course.suspension is not None or not table.to_move:
            return
        mover = table.to_move[0]
        choices = choices_of(table, mover, dice)
        if not choices:
            return
        choice = dice.choice(choices)
        for viewer in (None, *range(table.players)):
            world = other_world(table, viewer, self.pool, dice)
            if world is None:
                continue
            self.report.worlds += 1
            differs = follow(clone(table), world, mover, choice, viewer=viewer, dice=dice)
            if viewer != mover:
                self.report.flows.setdefault(choice[0], set()).update(differs)
            elif differs and self.definition.moves[choice[0]].undo:
                self.problem(
                    f"{choice[0]} says undo=True, and its mover learns by it what was hidden: {', '.join(sorted(differs))}"
                )

    # -- a whole game

    def _look_at_end(self, table: Table, dice: random.Random) -> None:
        if self.game.reveal:
            return
        if table.status(0.0).secret is not None:
            self.problem("reveal = False, and the seed is published, which tells every hidden hand")
        if self.hides:
            for viewer in (None, *range(table.players)):
                self._leak(table, viewer, dice)

    def _again(self, seed: int, players: int, taken: list[tuple[int, Choice]], states: list[bytes]) -> None:
        """Play the same moves again: everything that is stored has to be the same."""
        table = self._begin(seed, players)
        for (seat, choice), state in zip(taken, states, strict=True):
            step = act(table, seat, choice)
            if isinstance(step, Refused) or blake2b(table.snapshot(), digest_size=8).digest() != state:
                self.symptom(_OTHERWISE)
                return
        if table.result is None:
            self.symptom(_OTHERWISE)

    def compare_processes(self, seed: int, games: int) -> None:
        """Play some games in another process, whose sets are in another order."""
        counts = range(self.game.seats[0], self.game.seats[1] + 1)
        jobs = [(seed + number, counts[number % len(counts)]) for number in range(min(games, TWINS))]
        if self.report.problems or self._is_late():
            return  # games that fail here fail there
        began = time.monotonic()
        ours = [twin.digest(self.game, self.options, *job) for job in jobs]
        theirs = twin.digests(self.game, self.options, jobs, twin.PATIENCE + 10 * (time.monotonic() - began))
        if theirs is None:
            self.report.notes.append(
                "not compared with another process: the class is in no module that could be imported"
            )
            return
        self.where = "when it was played in two processes"
        if theirs != ours:
            self.problem(
                "the same seed gives another game in another process: does a rule go through a set, "
                "or use `random`, time or hash()? " + (theirs[0] if len(theirs) != len(jobs) else "")
            )


_OTHERWISE = "the same seed and moves give another game: does a rule use the module `random`, time, or files?"


def _seen(table: Table) -> Any:
    """Return everything that anybody sees of a table."""
    seats = range(table.players)
    views = [dict(table.view(viewer)) for viewer in (None, *seats)]
    return [
        views,
        [table.legal(seat, Budget(seconds=float("inf"))) for seat in seats],
        [*map(table.question, seats)],
        table.to_move,
    ]


def _differing(legal: list[Any]) -> str:
    names = {
        name
        for one, other in (legal, legal[::-1])
        for name, arguments in one.plays
        if (name, arguments) not in other.plays
    }
    return ", ".join(sorted(names)) or "the rule"


def _wrong_choices(table: Table, dice: random.Random, most: int = 6) -> list[tuple[int, Choice]]:
    """Return some moves, of seats to move, that are not legal."""
    if table.course.suspension is not None:
        seat = table.course.suspension.question.seats[0]
        return [(seat, ("", {"answer": "no such option"}))]
    wrong: list[tuple[int, Choice]] = []
    for seat in table.to_move:
        legal = table.legal(seat, Budget(seconds=float("inf")))
        for name, move in table.course.definition.moves.items():
            if move.free or name in legal.unlisted:
                continue
            scratch, reload = table.course.scratch(seat)
            reload()
            try:
                found = itertools.islice(move.candidates(scratch), 200)
                wrong += [(seat, (name, arguments)) for arguments in found if (name, arguments) not in legal.plays]
            except Exception:  # noqa: BLE001, S112 - a domain that fails lists nothing
                continue
    dice.shuffle(wrong)
    return wrong[:most]
