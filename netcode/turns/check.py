"""Random games that prove what can be proved of rules: that they end, repeat, restart, refuse cleanly, leak nothing."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from netcode.turns.errors import BUGS, Refusal, RulesError
from netcode.turns.language.definition import check_game, definition_of
from netcode.turns.proving import outside, spelling, twin, watching
from netcode.turns.proving.attempts import in_the_way
from netcode.turns.proving.elsewhere import compare
from netcode.turns.proving.growth import Growth
from netcode.turns.proving.hushing import Hush
from netcode.turns.proving.positions import RESTARTED, Positions, deadlock
from netcode.turns.proving.report import Report
from netcode.turns.proving.seen import Mark, mark_of, otherwise
from netcode.turns.proving.variants import Variant, Variants, spread
from netcode.turns.rules import Game
from netcode.turns.runtime import log
from netcode.turns.simulate import MAX_MOVES, Choice, act, choices_of, done, secret_of
from netcode.turns.table import Moved, Refused, Step, Table

THOROUGH = 10
"""So many games, and one with each value of an option, are looked at after each of `EVERY` moves; others after 1 in `SAMPLE`."""
EVERY = 100
SAMPLE = 10
EARLY = 3
"""After so many moves of every game it is remembered what was hidden: games look the same then, and differ in that."""
TWINS = 5
"""So many games are played again in another process, and one with each number of players; and so many with other options."""
SHARES = 0.6, 0.9
"""Where games are played with other options, too: how much of the time may have passed before those, and before the rest."""
LARGE = 16_384
"""Bytes of a state that can be looked at after every move; one of n times as many is, after every n-th."""
BROKEN = 300
"""Moves after which a game is not played on in which something is broken: nothing more is to be learned from it."""
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
        games: how many, with every number of players in turn. About as many follow with other options, where there are any.
        seed: of the first; the others follow.
        options: of the tables, as plain wire data. What follows has each value of each option, the others as they are here.
        progress: is called with how many games are done, of how many.
        seconds: after which it stops; the report says how far it came.

    Raises:
        TypeError: `game` is no class of rules.
        ValueError: `games` is no int from 1 up, or the game has no such option.
    """
    check_game(game, "check")
    if type(games) is not int or games < 1:
        raise ValueError(f"games must be an int from 1 up, not {games!r}")
    checker = Checker(game, options or {}, seconds)
    checker.run(games, seed, progress)
    return checker.report


class Job(NamedTuple):
    """A game to be played."""

    seed: int
    players: int
    thorough: bool = False
    variant: Variant | None = None
    """What of its options is another one than in most games."""

    def __str__(self) -> str:
        if self.variant is None:
            return f"with seed {self.seed} and {self.players} players"
        return f"with the option {self.variant}, seed {self.seed} and {self.players} players"


class Checker:
    """Plays the games, and notes in its report what it finds: as far as it came, should something interrupt it."""

    def __init__(
        self, game: type[Game], options: Mapping[str, Any], seconds: float, watch: watching.Watch | None = None
    ) -> None:
        self.game, self.options, self.watch = game, options, watch
        self.began, self.seconds, self.share = time.monotonic(), seconds, 1.0
        self.variants = Variants(game, options)
        self.report = Report(game.__name__)
        self.hush = Hush()
        self.findings = self.report.findings
        self.positions = Positions(game, self.report)
        self.growth = Growth(self.findings)
        self.unended = 0
        self.concluded = False
        self.looked = 0  # moves of this game after which a position was looked at last

    def run(self, games: int, seed: int, progress: Callable[[int, int], None] | None) -> None:
        """Play so many games; what is known of each is in the report before the next one begins."""
        try:
            self._run(games, seed, progress or (lambda _done, _of: None))
        except KeyboardInterrupt as interrupt:
            self._stopped(games, interrupt)
            raise
        finally:
            self.report.notes += [note for note in (self.hush.note(),) if note]

    def _run(self, games: int, seed: int, progress: Callable[[int, int], None]) -> None:
        counts = range(self.game.seats[0], self.game.seats[1] + 1)
        plan = self.variants.plan(games)
        every = games + len(plan)
        self.findings.where = _IN_SOURCE
        for what in outside.uses(self.game):
            self.findings.suspect(what)
        self.share = SHARES[0] if plan else 1.0
        jobs = [Job(seed + number, counts[number % len(counts)], number < THOROUGH) for number in range(games)]
        self._play_all(jobs, "", lambda done: progress(done, every))
        self.share = SHARES[1] if plan else 1.0
        with self.hush.on():
            self._choose_otherwise(seed)
        if plan and self.unended < UNENDED:
            self.unended = 0
            jobs = [Job(seed + turn, counts[(turn + nth) % len(counts)], not turn, one) for turn, nth, one in plan]
            self._play_all(jobs, " with other options", lambda done: progress(games + done, every))
        self.share = 1.0
        self._conclude("in the time", "allow more of it")
        self.spell()
        with self.hush.on():
            self.compare_processes(seed, games)

    def _play_all(self, jobs: Sequence[Job], which: str, progress: Callable[[int], None]) -> None:
        """Play games, as long as there is time and they come to an end."""
        for number, job in enumerate(jobs):
            if job.variant in self.variants.failed:
                continue
            why = self._weary()
            if why:
                self.report.notes.append(f"stopped after {number} of {len(jobs)} games{which}, {why}")
                return
            with self.hush.on():
                whole = self.play(job)
            if not whole:
                self.report.notes.append(f"stopped in game {number + 1} of {len(jobs)}{which}, for want of time")
                return
            self.report.games += job.variant is None
            progress(number + 1)

    def _conclude(self, until: str, instead: str) -> None:
        """Say what was not tried, once; where no game came to its end, that is all of it."""
        if self.concluded:
            return
        self.concluded = True
        if self.report.games:
            self.report.unproved += [*self.positions.tried.unproved(), *self.variants.unproved()]
        elif not self.report.problems:
            self.findings.where = self.findings.where or "at once"
            self.findings.add(f"not one game came to its end {until}, so nothing is proved; {instead}")

    def _stopped(self, games: int, interrupt: KeyboardInterrupt) -> None:
        """Say how far it came, and which rule never came to its end, if it was stopped for that."""
        found = None if self.watch is None else self.watch.found
        if found is not None:
            self.findings.add(
                f"{found}, had run for {watching.LIMIT:g} seconds when it was stopped; does it come to an end? "
                "On a server nobody could play meanwhile, at any table"
            )
            self.report.notes.append(f"stopped after {self.report.games} of {games} games by that rule")
        else:
            rule = watching.running_in(interrupt.__traceback__)
            inside = "" if rule is None else f", in the middle of {rule}"
            self.report.notes.append(f"stopped {self.findings.where}{inside}")
        self._conclude("before it was stopped", "play on")

    def _is_late(self) -> bool:
        """Tell whether the time for these games is over; for the first of all of them there is all of it."""
        share = self.share if self.report.games else 1.0
        return time.monotonic() > self.began + share * self.seconds

    def _weary(self) -> str:
        """Return why no more games are begun, or nothing."""
        if self._is_late():
            return "for want of time"
        return f"since {UNENDED} of them did not come to their end" if self.unended >= UNENDED else ""

    def play(self, job: Job) -> bool:
        """Play one game, and look at it on the way; return whether there was time for all of it."""
        self.findings.begin()
        self.findings.where = f"{job}, at the start"
        try:
            return self._play(job)
        except RulesError as error:
            if job.variant is None or not self._is_none(error, job.variant):
                self.findings.add(f"{error}{log.line_of(error)}", breaks=True)
        finally:
            self.findings.settle()
            if job.variant is not None and self.findings.is_broken:
                self.variants.give_up(job.variant)
        return True

    def _is_none(self, error: RulesError, variant: Variant) -> bool:
        """Tell whether an error says that an option cannot be chosen so, as rules do where some do not go together."""
        if not isinstance(error.__cause__, Refusal):
            return False
        self.variants.note(variant)
        return True

    def _play(self, job: Job) -> bool:
        dice = random.Random(job.seed)  # noqa: S311 - the same games for the same seed
        looking = random.Random(job.seed)  # noqa: S311 - of its own: how it is looked changes no game
        table = self._begin(job)
        taken: list[tuple[int, Choice]] = []
        marks = [mark_of(table)]
        self.looked = -MAX_MOVES
        differs = False
        while table.result is None:
            self.findings.where = f"{job}, after {len(taken)} moves"
            if self._is_late():
                return False
            if self._is_endless(table, taken):
                return self._give_up(job)
            back = self._look(table, len(taken), looking, thorough=job.thorough)
            made = self._step(table, dice)
            if self.game.__name__ in table.complaints:  # a move failed: it would do so over and over
                return self._give_up(job)
            if made is None:
                self._complain(table)
                self.findings.symptom(deadlock(table), in_the_way(table))
                return True
            seat, choice, step = made
            taken.append((seat, choice))
            self.positions.tried.made[choice[0]] += 1
            if back is not None and not back.frozen:
                act(back, seat, choice)
                differs = differs or back.snapshot() != table.snapshot()
            marks.append(mark_of(table))
            self._listen(table, step)
        self.findings.where = f"{job}, at the end"
        self.positions.look_at_end(table, looking)
        self.growth.look(table, _last_of(taken))
        self.report.moves += len(taken)
        self._again(job, taken, marks, looking)
        if job.variant is not None:
            self.variants.has_played(job.variant)
            self.report.others[str(job.variant)] += 1
        if differs:
            self.findings.symptom(RESTARTED)
        return True

    def _look(self, table: Table, moves: int, dice: random.Random, *, thorough: bool) -> Table | None:
        """Look at a position, if it is one of those that are looked at; return it as it is after a restart."""
        wanted = (thorough and moves < EVERY) or dice.random() < 1 / SAMPLE
        if not wanted or moves < self.looked + len(table.snapshot()) // LARGE:
            if moves < EARLY:
                self.positions.remember(table)
            return None
        self.looked, table.course.closely = moves, self.positions.look_at_change
        back = self.positions.look(table, dice)
        self._complain(table)
        return back

    def _is_endless(self, table: Table, taken: list[tuple[int, Choice]]) -> bool:
        """Tell whether a game has become too large or too long, and note it."""
        if self.growth.is_outgrown(table, _last_of(taken)):
            return True
        self.growth.look(table, _last_of(taken))
        if self.findings.is_broken and len(taken) >= BROKEN:
            return True
        if len(taken) >= MAX_MOVES:
            self.findings.symptom(f"a game does not end within {MAX_MOVES} moves")
            return True
        return False

    def _give_up(self, job: Job) -> bool:
        """Count a game that cannot come to its end; of other options, play no more with this one."""
        self.unended += 1
        if job.variant is not None:
            self.variants.give_up(job.variant)
        return True

    def _choose_otherwise(self, seed: int) -> None:
        """Begin with each value of each option, as a stranger may choose it."""
        self.findings.begin()
        self.findings.where = "before any game"
        for what in self.variants.wrong:
            self.findings.add(what)
        for variant in self.variants.all:
            for players in sorted({*self.game.seats}):
                if self._is_late():
                    return
                self.findings.begin()
                self.findings.where = f"with the option {variant} and {players} players, at the start"
                try:
                    self._begin(Job(seed, players, variant=variant))
                except RulesError as error:
                    if not self._is_none(error, variant):
                        self.findings.add(f"{error}{log.line_of(error)}", breaks=True)
                        self.variants.give_up(variant)

    def _options_of(self, variant: Variant | None) -> Mapping[str, Any]:
        return self.options if variant is None else {**self.options, variant.option: variant.value}

    def _begin(self, job: Job) -> Table:
        options = self._options_of(job.variant)
        table = Table.create(self.game, job.players, options, secret=secret_of(job.seed))
        table.course.closely = self.positions.look_at_change
        try:
            done(table.start(0.0))
        except RulesError:
            raise
        except BUGS as error:
            running = watching.running_in(error.__traceback__)
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
            if isinstance(happening, Moved) and happening.name not in (None, *definition_of(self.game).moves):
                self.findings.add("others are told more of a move than its name")

    def _again(self, job: Job, taken: list[tuple[int, Choice]], marks: list[Mark], dice: random.Random) -> None:
        """Play the same moves again, and look at the position from which the game ends; all that is stored has to be the same."""
        table = self._begin(job)
        for number, mark in enumerate(marks):
            if number == len(taken) > 0:
                at_end, self.findings.where = self.findings.where, f"{job}, after {number - 1} moves"
                self.positions.look(table, dice, taken[-1])
                self._complain(table)
                self.findings.where = at_end
            refused = number > 0 and isinstance(act(table, *taken[number - 1]), Refused)
            here = mark_of(table)
            if refused or here != mark:
                self.findings.symptom(_OTHERWISE, otherwise(table.course.packed, here, mark, _last_of(taken[:number])))
                return
        if table.result is None:
            self.findings.symptom(_OTHERWISE)

    def spell(self) -> None:
        """Look for names that mean nothing, but for those at which a game has failed already."""
        self.findings.where = _IN_SOURCE
        found = (spelling.unknown, spelling.unheard, spelling.unplayed, spelling.doubled)
        for name, what in chain.from_iterable(find(self.game) for find in found):
            if not any(f"attribute '{name}'" in problem for problem in self.report.problems):
                self.findings.add(what)

    def compare_processes(self, seed: int, games: int) -> None:
        """Play some games in other processes, unless something is wrong: games that fail here fail there."""
        if self.report.problems:
            return
        counts = range(self.game.seats[0], self.game.seats[1] + 1)
        numbers = range(min(games, max(TWINS, len(counts))))
        jobs = [twin.Job(seed + number, counts[number % len(counts)], self.options) for number in numbers]
        for number, one in enumerate(spread(self.variants.played, TWINS)):
            jobs.append(twin.Job(seed, counts[number % len(counts)], self._options_of(one)))
        compare(self.game, jobs, self.report, self._is_late)


def _last_of(taken: list[tuple[int, Choice]]) -> str:
    """Return what was done last, in words."""
    return (taken[-1][1][0] or "an answer") if taken else "setup()"


_IN_SOURCE = "in the source, whether or not a game came by"
_OTHERWISE = (
    "the same seed and moves give another game: does a rule use the module `random`, time, files, "
    "or a variable beside the game?"
)
