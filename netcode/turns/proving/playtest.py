"""One game of a check: played at random, looked at on the way, and played again."""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

from netcode.turns.errors import BUGS, Refusal, RulesError
from netcode.turns.language.definition import definition_of
from netcode.turns.proving import watching
from netcode.turns.proving.attempts import in_the_way
from netcode.turns.proving.beside import Beside, differing, listed, told_of_changed, told_of_changing
from netcode.turns.proving.growth import Growth
from netcode.turns.proving.positions import RESTARTED, Positions, deadlock
from netcode.turns.proving.report import Report
from netcode.turns.proving.seen import Mark, mark_of, otherwise
from netcode.turns.proving.variants import Variant, Variants
from netcode.turns.rules import Game
from netcode.turns.runtime import log
from netcode.turns.simulate import MAX_MOVES, Choice, act, choices_of, done, secret_of
from netcode.turns.table import Moved, Refused, Step, Table

EVERY = 100
"""So many of the first moves are each followed by a look where a game is looked at thoroughly; elsewhere 1 in `SAMPLE`."""
SAMPLE = 10
EARLY = 3
"""After so many moves of every game it is remembered what was hidden: games look the same then, and differ in that."""
LARGE = 16_384
"""Bytes of a state that can be looked at after every move; one of n times as many is, after every n-th."""
REPEATED = 30
"""Moves of a game that are made again to see what they change beside the fields."""
BROKEN = 300
"""Moves after which a game is not played on in which something is broken: nothing more is to be learned from it."""


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


Moves = list[tuple[int, Choice]]


class Playtest:
    """Plays games by the same rules, one after the other, and notes in a report what it finds."""

    def __init__(
        self,
        game: type[Game],
        options: Mapping[str, Any],
        variants: Variants,
        report: Report,
        is_late: Callable[[], bool],
    ) -> None:
        self.game, self.options, self.variants, self.report = game, options, variants, report
        self.findings = report.findings
        self.positions = Positions(game, report)
        self.growth = Growth(self.findings)
        self.unended = 0
        """Games that went on for ever, or grew out of bounds."""
        self._is_late = is_late
        self._looked = 0  # moves of this game after which a position was looked at last
        self._taken: Moves = []  # in this game
        self._before: tuple[Job, Moves] | None = None  # the game before this one
        self.beside = Beside(game)

    def play(self, job: Job) -> bool:
        """Play one game, and look at it on the way; return whether there was time for all of it."""
        self.findings.begin()
        self.findings.where, self._taken = f"{job}, at the start", []
        try:
            return self._play(job)
        except RulesError as error:
            self._note(error, job.variant)
        finally:
            if self.findings.is_puzzling:
                self._explain(job)
            self.findings.settle()
            if job.variant is not None and self.findings.is_broken:
                self.variants.give_up(job.variant)
        return True

    def begin(self, seed: int, players: int, variant: Variant) -> None:
        """Have a game begin with an option as a stranger may choose it, and no more."""
        self.findings.begin()
        self.findings.where = f"with the option {variant} and {players} players, at the start"
        try:
            self._begin(Job(seed, players, variant=variant))
        except RulesError as error:
            if self._note(error, variant):
                self.variants.give_up(variant)

    def options_of(self, variant: Variant | None) -> Mapping[str, Any]:
        """Return the options of a table, of which one is as a variant has it."""
        return self.options if variant is None else {**self.options, variant.option: variant.value}

    def _note(self, error: RulesError, variant: Variant | None) -> bool:
        """Note with what a game failed; not that an option cannot be chosen so, as rules say where some do not go together."""
        if variant is not None and isinstance(error.__cause__, Refusal):
            self.variants.note(variant)
            return False
        self.findings.add(f"{error}{log.line_of(error)}", breaks=True)
        return True

    def _play(self, job: Job) -> bool:
        dice = random.Random(job.seed)  # noqa: S311 - the same games for the same seed
        looking = random.Random(job.seed)  # noqa: S311 - of its own: how it is looked changes no game
        table = self._begin(job)
        taken, marks = self._taken, [mark_of(table)]
        self._looked = -MAX_MOVES
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
            self.findings.symptom(RESTARTED, beside=True)
        return True

    def _look(self, table: Table, moves: int, dice: random.Random, *, thorough: bool) -> Table | None:
        """Look at a position, if it is one of those that are looked at; return it as it is after a restart."""
        wanted = (thorough and moves < EVERY) or dice.random() < 1 / SAMPLE
        if not wanted or moves < self._looked + len(table.snapshot()) // LARGE:
            if moves < EARLY:
                self.positions.remember(table)
            return None
        self._looked, table.course.closely = moves, self.positions.look_at_change
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

    def _begin(self, job: Job) -> Table:
        options = self.options_of(job.variant)
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
                    f"{choice[0] or 'an answer'} is {'listed as legal' if listed else 'drawn'}, and refused: {outcome.text}",
                    beside=True,
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

    def _again(self, job: Job, taken: Moves, marks: list[Mark], dice: random.Random) -> None:
        """Play the same moves again, some of them while another table plays, too; all that is stored has to be the same."""
        before, self._before = self._before if job.thorough else None, (job, taken)
        theirs = iter(()) if before is None else self._moves_of(*before)
        mixing = random.Random(job.seed)  # noqa: S311 - now one of them is ahead, now the other

        def meanwhile(table: Table, number: int) -> None:
            for _ in islice(theirs, mixing.randrange(1, 3)):
                pass
            if number == len(taken) - 1:
                at_end, self.findings.where = self.findings.where, f"{job}, after {number} moves"
                self.positions.look(table, dice, taken[-1])
                self._complain(table)
                self.findings.where = at_end

        differs = self._repeat(job, taken, marks, meanwhile)
        if differs is not None:
            together = before is not None and self._repeat(job, taken, marks, lambda _table, _number: None) is None
            self.findings.symptom(_TOGETHER if together else _OTHERWISE, differs, beside=True)

    def _moves_of(self, job: Job, taken: Moves) -> Iterator[None]:
        """Begin a game again, and then make one move of it whenever that is wanted."""
        table = self._begin(job)
        yield
        for choice in taken:
            act(table, *choice)
            yield

    def _repeat(self, job: Job, taken: Moves, marks: list[Mark], meanwhile: Callable[[Table, int], None]) -> str | None:
        """Play a game again, with something else after each move; return where it differs, None where it is the same."""
        table = self._begin(job)
        for number, mark in enumerate(marks):
            refused = number > 0 and isinstance(act(table, *taken[number - 1]), Refused)
            here = mark_of(table)
            if refused or here != mark:
                return otherwise(table.course.packed, here, mark, _last_of(taken[:number]))
            meanwhile(table, number)
        return None if table.result is not None else ""

    def note_beside(self) -> None:
        """Note what the rules go on changing beside the fields, though no game was another one for it."""
        job, taken = self._before or (None, [])
        names = set[str]() if job is None else self._changing(job, taken, len(taken) // 8 | 1)
        if names:
            self.report.notes.append(
                f"the rules go on changing {listed(names)} beside the fields; nothing came of it in these games, but all "
                "tables share that, and a restart forgets it: what counts in a game is a field, and only a cache may stay"
            )

    def _explain(self, job: Job) -> None:
        """Say of this game's symptoms what the rules change beside the fields."""
        names = self._changing(job, self._taken[:REPEATED])
        if names:
            self.findings.explain(told_of_changing(names))
        else:
            self.findings.explain(told_of_changed(differing(self.beside.first, self.beside.marks())))

    def _changing(self, job: Job, taken: Moves, every: int = 1) -> set[str]:
        """Return what changes beside the fields while a game is played again, for which a cache has all.

        That is looked at after every so many moves, an odd number: two seats that take turns may set it to and fro.
        """
        before, names = self.beside.marks(), set[str]()
        with suppress(RulesError):
            for number, _ in enumerate(self._moves_of(job, taken)):
                if self._is_late():
                    break
                if number % every == 0:
                    after = self.beside.marks()
                    names |= {*differing(before, after)}
                    before = after
        return names


def _last_of(taken: list[tuple[int, Choice]]) -> str:
    """Return what was done last, in words."""
    return (taken[-1][1][0] or "an answer") if taken else "setup()"


_OTHERWISE = (
    "the same seed and moves give another game: does a rule use the module `random`, time, files, "
    "or a variable beside the game?"
)
_TOGETHER = (
    "the same seed and moves give another game while a second table plays, too: what do they share beside the fields?"
)
