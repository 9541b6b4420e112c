"""Random games that prove what can be proved of rules: that they end, repeat, restart, refuse cleanly, leak nothing."""

import random
import time
from collections.abc import Callable, Mapping
from hashlib import blake2b
from itertools import chain, islice
from typing import Any

from netcode.turns.errors import BUGS, Refusal, RulesError
from netcode.turns.language.definition import definition_of
from netcode.turns.proving import spelling, twin
from netcode.turns.proving.hushing import Hush
from netcode.turns.proving.positions import RESTARTED, Positions, deadlock
from netcode.turns.proving.report import Report
from netcode.turns.proving.watching import running_in
from netcode.turns.rules import Game
from netcode.turns.runtime import log
from netcode.turns.runtime.storing import MAX_STATE
from netcode.turns.simulate import MAX_MOVES, Choice, act, choices_of, done, secret_of
from netcode.turns.table import Moved, Refused, Step, Table
from netcode.turns.values import plain

THOROUGH = 10
"""So many games are looked at after every one of their first `EVERY` moves; else it is one in `SAMPLE`."""
EVERY = 100
SAMPLE = 10
EARLY = 3
"""After so many moves of every game it is remembered what was hidden: games look the same then, and differ in that."""
TWINS = 5
"""So many games are played again in another process, and one with each number of players."""
VALUES = 100
"""Values of an option with which a game is begun; of what has more, that many."""
LARGE = 16_384
"""Bytes of a state that can be looked at after every move; one of n times as many is looked at after every n-th move."""
MAX_TOLD = 65_536
"""Bytes of one field that players can be told: it comes to them in one message, of which `max_message` is as much."""
UNENDED = 3
"""After so many games that went on for ever, or grew out of bounds, no more are begun: they take longest of all."""


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

    Raises:
        ValueError: `games` is no int from 1 up, or the game has no such option.
    """
    if type(games) is not int or games < 1:
        raise ValueError(f"games must be an int from 1 up, not {games!r}")
    checker = Checker(game, options or {}, seconds)
    checker.run(games, seed, progress)
    return checker.report


class Checker:
    """Plays the games, and notes in its report what it finds: as far as it came, should something interrupt it."""

    def __init__(self, game: type[Game], options: Mapping[str, Any], seconds: float) -> None:
        self.game, self.options, self.until = game, options, time.monotonic() + seconds
        self.report = Report(game.__name__)
        self.hush = Hush()
        self.findings = self.report.findings
        self.positions = Positions(game, self.report)
        self.unended = 0
        self.concluded = False
        self.looked = 0
        """After so many moves of this game a position was looked at last."""
        self.grown = set[str]()
        """The moves that are known to make the state too large."""
        self.wide = set[str]()
        """The fields that are known to be too large to be told."""

    def run(self, games: int, seed: int, progress: Callable[[int, int], None] | None) -> None:
        """Play so many games; what is known of each is in the report before the next one begins."""
        try:
            self._run(games, seed, progress)
        except KeyboardInterrupt:
            self._conclude("before it was stopped", "play on")
            raise
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
        self._conclude("in the time", "allow more of it")
        self.spell()
        with self.hush.on():
            self._choose_otherwise(seed)
            self.compare_processes(seed, games)

    def _conclude(self, until: str, instead: str) -> None:
        """Say what was not tried, once; where no game came to its end, that is all of it."""
        if self.concluded:
            return
        self.concluded = True
        if self.report.games:
            self.report.unproved += self.positions.tried.unproved()
        elif not self.report.problems:
            self.findings.where = self.findings.where or "at once"
            self.findings.add(f"not one game came to its end {until}, so nothing is proved; {instead}")

    def _is_late(self) -> bool:
        return time.monotonic() > self.until

    def _weary(self) -> str:
        """Return why no more games are begun, or nothing."""
        if self._is_late():
            return "for want of time"
        return f"since {UNENDED} of them did not come to their end" if self.unended >= UNENDED else ""

    def play(self, seed: int, players: int, *, thorough: bool) -> bool:
        """Play one game, and look at it on the way; return whether there was time for all of it."""
        self.findings.begin()
        game = f"with seed {seed} and {players} players"
        self.findings.where = f"{game}, at the start"
        try:
            return self._play(seed, players, game, thorough=thorough)
        except RulesError as error:
            self.findings.add(str(error), breaks=True)
        finally:
            self.findings.settle()
        return True

    def _play(self, seed: int, players: int, game: str, *, thorough: bool) -> bool:
        dice = random.Random(seed)  # noqa: S311 - the same games for the same seed
        looking = random.Random(seed)  # noqa: S311 - of its own: how it is looked changes no game
        table = self._begin(seed, players)
        taken: list[tuple[int, Choice]] = []
        states: list[bytes] = []
        self.looked = -MAX_MOVES
        differs = False
        while table.result is None:
            self.findings.where = f"{game}, after {len(taken)} moves"
            if self._is_late():
                return False
            if self._is_endless(table, taken):
                return True
            back = self._look(table, len(taken), looking, thorough=thorough)
            made = self._step(table, dice)
            if self.game.__name__ in table.complaints:  # a move failed: it would do so over and over
                self.unended += 1
                return True
            if made is None:
                self.findings.symptom(deadlock(table))
                return True
            seat, choice, step = made
            taken.append((seat, choice))
            self.positions.tried.made[choice[0]] += 1
            if back is not None and not back.frozen:
                act(back, seat, choice)
                differs = differs or back.snapshot() != table.snapshot()
            states.append(blake2b(table.snapshot(), digest_size=8).digest())
            self._listen(table, step)
        self.findings.where = f"{game}, at the end"
        self.positions.look_at_end(table, looking)
        self._find_wide(table, taken)
        self.report.moves += len(taken)
        self._again(game, (seed, players), taken, states, looking)
        if differs:
            self.findings.symptom(RESTARTED)
        return True

    def _look(self, table: Table, moves: int, dice: random.Random, *, thorough: bool) -> Table | None:
        """Look at a position, if it is one of those that are looked at; return it as it is after a restart."""
        wanted = (thorough and moves < EVERY) or dice.random() < 1 / SAMPLE
        table.course.thorough = wanted and moves >= self.looked + len(table.snapshot()) // LARGE
        if not table.course.thorough:
            if moves < EARLY:
                self.positions.remember(table)
            return None
        self.looked = moves
        back = self.positions.look(table, dice)
        self._complain(table)
        return back

    def _is_endless(self, table: Table, taken: list[tuple[int, Choice]]) -> bool:
        """Tell whether a game has become too large or too long, and note it."""
        if len(table.snapshot()) > MAX_STATE:
            self._outgrown(table, _last_of(taken))
            return True
        self._find_wide(table, taken)
        if len(taken) >= MAX_MOVES:
            self.findings.symptom(f"a game does not end within {MAX_MOVES} moves")
            self.unended += 1
            return True
        return False

    def _choose_otherwise(self, seed: int) -> None:
        """Begin with each value of each option, as a stranger may choose it; the games had those that were given."""
        for name, domain in definition_of(self.game).options.items():
            for value in islice(domain.values(None, {}) or (), VALUES):
                for players in sorted({*self.game.seats}):
                    if self._is_late():
                        return
                    self.findings.begin()
                    self.findings.where = f"with the option {name}={plain(value)!r} and {players} players, at the start"
                    try:
                        self._begin(seed, players, {name: plain(value)})
                    except RulesError as error:
                        if not isinstance(error.__cause__, Refusal):  # by which rules say what does not go together
                            self.findings.add(str(error), breaks=True)

    def _begin(self, seed: int, players: int, options: Mapping[str, Any] | None = None) -> Table:
        table = Table.create(self.game, players, {**self.options, **(options or {})}, secret=secret_of(seed))
        try:
            done(table.start(0.0))
        except RulesError:
            raise
        except BUGS as error:
            running = running_in(error.__traceback__)
            where = f"{self.game.__name__}.setup()" if running is None else f"{running.rule}()"
            log.bug(where, error, "setting up a table")
            raise RulesError(f"{where} fails: {type(error).__name__}: {error}") from error
        return table

    def _step(self, table: Table, dice: random.Random) -> tuple[int, Choice, Step] | None:
        seats = [*table.to_move]
        dice.shuffle(seats)
        for seat in seats:
            choices = choices_of(table, seat, dice, thorough=True)
            dice.shuffle(choices)
            for choice in choices:
                outcome = act(table, seat, choice)
                if isinstance(outcome, Step):
                    return seat, choice, outcome
                self._complain(table)
                listed = choice[0] not in table.legal_all(seat).unlisted
                self.findings.symptom(
                    f"{choice[0] or 'an answer'} is {'listed as legal' if listed else 'drawn'}, and refused: {outcome.text}"
                )
        return None

    def _complain(self, table: Table) -> None:
        for where, what in table.complaints.items():
            self.findings.add(f"{where} {what}", breaks=not what.startswith("calls require()"))

    def _listen(self, table: Table, step: Step) -> None:
        """Check what is told to all of a move."""
        self._complain(table)
        for happening in step.happenings:
            if (
                isinstance(happening, Moved)
                and happening.name is not None
                and happening.name not in definition_of(self.game).moves
            ):
                self.findings.add("others are told more of a move than its name")

    def _find_wide(self, table: Table, taken: list[tuple[int, Choice]]) -> None:
        """Tell of a field that no server could tell anybody, since it is more than one message takes."""
        for name, stored in table.course.packed.items():
            if len(stored) <= MAX_TOLD or name in self.wide:
                continue
            size = max(len(table.view(viewer).get(name, b"")) for viewer in (None, *range(table.players)))
            if size > MAX_TOLD:
                self.wide.add(name)
                shown = "as the end of the game opens it" if table.result is not None else "as players see it"
                self.findings.add(
                    f"{name}, {shown}, is more than the {MAX_TOLD:,} bytes of a message, so that a server sends everybody "
                    f"away: {size:,} after {_last_of(taken)}; divide it among several fields, or raise max_message there "
                    "and at each player"
                )

    def _outgrown(self, table: Table, move: str) -> None:
        """Tell that a server would freeze this table for its size, and what takes most of it."""
        self.unended += 1
        if move in self.grown:
            return
        self.grown.add(move)
        fields = table.course.packed
        largest = max(fields, key=lambda name: len(fields[name]))
        undo = "" if table.undoing.last is None else ", kept twice while the move can be taken back"
        self.findings.add(
            f"{move} makes the state {len(table.snapshot()):,} bytes, of which {largest} is "
            f"{len(fields[largest]):,}{undo}; above {MAX_STATE:,} bytes a server freezes the table: let {largest} "
            "forget what nobody needs any more, or serve with a larger max_state"
        )

    def _again(
        self,
        game: str,
        job: tuple[int, int],
        taken: list[tuple[int, Choice]],
        states: list[bytes],
        dice: random.Random,
    ) -> None:
        """Play the same moves again, and look at the position from which the game ends; all that is stored has to be the same."""
        table = self._begin(*job)
        for number, ((seat, choice), state) in enumerate(zip(taken, states, strict=True), 1):
            if number == len(taken):
                at_end, self.findings.where = self.findings.where, f"{game}, after {number - 1} moves"
                self.positions.look(table, dice, (seat, choice))
                self._complain(table)
                self.findings.where = at_end
            step = act(table, seat, choice)
            if isinstance(step, Refused) or blake2b(table.snapshot(), digest_size=8).digest() != state:
                self.findings.symptom(_OTHERWISE)
                return
        if table.result is None:
            self.findings.symptom(_OTHERWISE)

    def spell(self) -> None:
        """Look for names that mean nothing, but for those at which a game has failed already."""
        self.findings.where = "in the source, whether or not a game came by"
        found = (spelling.unknown, spelling.unheard, spelling.unplayed)
        for name, what in chain.from_iterable(find(self.game) for find in found):
            if not any(f"attribute '{name}'" in problem for problem in self.report.problems):
                self.findings.add(what)

    def compare_processes(self, seed: int, games: int) -> None:
        """Play some games in other processes, whose sets are in another order, until one of them plays otherwise."""
        counts = range(self.game.seats[0], self.game.seats[1] + 1)
        jobs = [(seed + number, counts[number % len(counts)]) for number in range(min(games, max(TWINS, len(counts))))]
        if self.report.problems:
            return  # games that fail here fail there
        if self._is_late():
            self.report.unproved.append("that other processes play the same game: there was no time left for it")
            return
        began = time.monotonic()
        try:
            ours = [twin.digest(self.game, self.options, *job) for job in jobs]
        except BUGS as error:  # in games that are other ones than those before
            self.findings.where = "in another game"
            fails = "" if isinstance(error, RulesError) else f"{self.game.__name__} fails: {type(error).__name__}: "
            self.findings.add(f"{fails}{error}")
            return
        patience = twin.PATIENCE + 10 * (time.monotonic() - began)
        self.findings.where = "when it was played in two processes"
        for hash_seed in twin.HASH_SEEDS:
            there = twin.is_there(self.game) or None
            try:
                theirs = there and twin.digests(self.game, self.options, jobs, patience, hash_seed)
            except TimeoutError as error:  # a busy machine, or a class whose module takes long to import
                self.report.unproved.append(f"that other processes play the same game: {error}")
                return
            if theirs is None:
                self.report.notes.append(
                    "not compared with another process: the class is in no module that could be imported"
                )
                return
            if theirs != ours:
                self.findings.add(
                    "the same seed gives another game in another process: does a rule go through a set, "
                    "or use `random`, time or hash()? " + (theirs[0] if len(theirs) != len(jobs) else "")
                )
                return
            if self._is_late():
                return


def _last_of(taken: list[tuple[int, Choice]]) -> str:
    """Return what was done last, in words."""
    return (taken[-1][1][0] or "an answer") if taken else "setup()"


_OTHERWISE = (
    "the same seed and moves give another game: does a rule use the module `random`, time, files, "
    "or a variable beside the game?"
)
