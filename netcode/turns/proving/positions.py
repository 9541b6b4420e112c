"""One position of a game: whether it outlives a restart, refuses cleanly and leaks nothing."""

import random
from collections.abc import Iterator
from typing import Any

from netcode.turns.errors import BUGS, Refusal, RulesError, Suspended
from netcode.turns.language.definition import definition_of
from netcode.turns.language.fields import pack_fields, verify
from netcode.turns.language.kit import kit_of
from netcode.turns.proving.aliasing import shared
from netcode.turns.proving.attempts import refused_draws, wrong_choices
from netcode.turns.proving.flows import asked_apart, follow
from netcode.turns.proving.onlookers import meddling
from netcode.turns.proving.report import Report
from netcode.turns.proving.seen import seen
from netcode.turns.proving.tried import Tried
from netcode.turns.proving.watching import running_in
from netcode.turns.proving.worlds import Worlds, clone, supposed
from netcode.turns.rules import Game
from netcode.turns.runtime import log
from netcode.turns.runtime.absence import is_stuck_without
from netcode.turns.runtime.pending import Task
from netcode.turns.runtime.resuming import has_default
from netcode.turns.runtime.transactions import time_out
from netcode.turns.simulate import Choice, act, choices_of, step
from netcode.turns.table import Listing, Refused, Table

_KNOWN = "; where a seat knows that anyway, let it be an open field, or say what could be in imagine(self, seat)"
WITHOUT = 20
"""Moves and answers for which a game is played on without a seat that has left."""
RESTARTED = "after a restart the table is not what it was; does a rule depend on more than `self`?"


class Positions:
    """Looks at positions of games by the same rules, and notes in a report what it finds."""

    def __init__(self, game: type[Game], report: Report) -> None:
        self.game, self.report, self.findings = game, report, report.findings
        self.worlds = Worlds(game)
        self.tried = Tried(game)
        self.definition = definition_of(game)
        self.hides = bool(self.definition.unseen_fields)
        self.draws: list[tuple[int, Choice]] = []
        """What was drawn at the position that is looked at, and the rules refuse."""

    def look(self, table: Table, dice: random.Random, following: tuple[int, Choice] | None = None) -> Table:
        """Look at it from everybody's seat, and try what may not be done; return it as it is after a restart.

        Args:
            table: which.
            dice: of what is tried.
            following: the move that is made in other worlds as well, and by whom; if left out, any that is legal.
        """
        self.tried.positions += 1
        back = self._restart(table)
        self._refuse(table, dice)
        if self.game.timeout is not Game.timeout and table.to_move:
            self._let_time_run_out(table, dice.choice(table.to_move))
        if self.game.absent == "out" and len(table.course.kit.alive) > 2:
            self._play_without(table, dice.choice(table.course.kit.alive))
        for what in meddling(table):
            self.findings.add(what)
        for seat in range(table.players):
            if not table.may_act(seat) and (table.question(seat) is not None or table.legal(seat).plays):
                self.findings.add("a seat that is not asked learns of a question")
        if self.hides:
            self.worlds.gather(table)
            for viewer in (None, *range(table.players)):
                self._leak(table, viewer, dice)
            if table.course.suspension is None:
                self._flow(table, dice, following or _some_move(table, dice))
            else:
                self._flow_of_question(table, table.course.suspension.task, dice)
        if self.worlds.imagines:
            for seat in range(table.players):
                self._imagine(table, seat, dice)
        return back

    def remember(self, table: Table) -> None:
        """Keep what is hidden in it, for other worlds."""
        if self.hides:
            self.worlds.gather(table)

    def look_at_change(self, game: Any) -> None:
        """Look at what a rule has made of the fields, before that is stored: at what does not come back as it is there."""
        try:
            verify(game)
        except RulesError as error:
            self.findings.add(str(error), breaks=True)
        for one, other, kind in shared(game):
            note = (
                f"{one} and {other} hold one {kind} where a rule ends, and from then on each has its own: what changes one "
                "leaves the other as it is. Let one of them say which it is, by a number, or take a copy"
            )
            if note not in self.report.notes:
                self.report.notes.append(note)

    def look_at_end(self, table: Table, dice: random.Random) -> None:
        """Look at a game that is over, and may keep its secrets."""
        if self.game.reveal:
            return
        if table.status(0.0).secret is not None:
            self.findings.add("reveal = False, and the seed is published, which tells every hidden hand")
        if self.hides:
            for viewer in (None, *range(table.players)):
                self._leak(table, viewer, dice)

    def _restart(self, table: Table) -> Table:
        back = Table.restore(self.game, table.snapshot())
        if back.frozen:
            self.findings.symptom(f"a table cannot be restored: {back.frozen}")
        elif seen(back) != seen(table):
            self.findings.symptom(RESTARTED, beside=True)
        return back

    def _refuse(self, table: Table, dice: random.Random) -> None:
        """Try what is not legal; nothing may change by it."""
        before = table.snapshot()
        self.draws = refused_draws(table)
        for seat, choice in (*wrong_choices(table, dice), *self.draws):
            trial = clone(table)
            if not isinstance(act(trial, seat, choice), Refused):
                continue
            self.tried.refusals.add(choice[0])
            if trial.snapshot() != before or pack_fields(trial.course.game) != trial.course.packed:
                self.findings.symptom(f"{choice[0] or 'an answer'} is refused, and changes something all the same")

    def _let_time_run_out(self, table: Table, seat: int) -> None:
        """Let the game say what it means that the time of a seat is up, as it has to wherever there is a clock."""
        self.tried.timeouts += 1
        trial, again = clone(table), clone(table)
        if time_out(trial, seat, 0.0) != time_out(again, seat, 0.0) or trial.snapshot() != again.snapshot():
            self.findings.symptom(
                f"{self.game.__name__}.timeout() does something else when it runs again from the same position: does it "
                "use the module `random`, time, files, or a variable beside the game?",
                beside=True,
            )
        for where, what in trial.complaints.items():
            self.findings.add(f"{where} {what}, when the time of a seat is up, so that it has lost")
        self._restart(trial)
        dice = random.Random(1)  # noqa: S311 - whether there is anything to be drawn, not what
        if trial.result is None and not any(choices_of(trial, one, dice, thorough=True) for one in trial.to_move):
            self.findings.add(f"{deadlock(trial)}, after {self.game.__name__}.timeout()")

    def _play_without(self, table: Table, seat: int) -> None:
        """Have a seat leave for good, and the others play on for a while."""
        self.tried.without += 1
        trial = supposed(table)
        trial.forfeit(seat, 0.0)
        self._restart(trial)
        dice = random.Random(1)  # noqa: S311 - the same moves from the same position
        where = f"after {self.game.__name__} went on without a seat that has left"
        for _ in range(WITHOUT):
            if trial.result is not None or trial.complaints:
                break
            waits = trial.course.suspension
            if waits is not None and is_stuck_without(trial.course, seat) and not has_default(trial.course, seat):
                place = trial.course.place_of(waits.task)
                self.findings.add(
                    f"{place} asks a seat that has left, so that the game is over and the others have won: ask "
                    "`self.alive`, or give the question a default"
                )
                break
            try:
                made = step(trial, dice)
            except RulesError as error:
                self.findings.add(f"{error}, {where}")
                break
            if made is None:
                self.findings.add(f"{deadlock(trial)}, {where}")
                break
        for place, what in trial.complaints.items():
            self.findings.add(f"{place} {what}, {where}")

    def _imagine(self, table: Table, seat: int, dice: random.Random) -> None:
        """Have the game fill in what a seat cannot see, as a bot does, for which a failure is no more than a bad guess."""

        def change(game: Any) -> None:
            where, kit = f"{self.game.__name__}.imagine", kit_of(game)
            out = kit.out
            self.tried.imagined += 1
            plays = f"{where} asks, ends the game or takes a seat out of it; it only writes to fields, as they might be"
            try:
                game.imagine(seat)
                verify(game)
            except Refusal:
                self.tried.refused += 1
                raise
            except Suspended:
                self.findings.add(plays)
                raise
            except BUGS as error:
                log.bug(where, error, "imagining what a seat cannot see")
                running = running_in(error.__traceback__)
                line = "" if running is None else f", at {running.file}:{running.line}"
                self.findings.add(
                    f"{where} fails: {type(error).__name__}: {error}{line}; a bot cannot think ahead there: mend it, "
                    "and where a guess turns out impossible, `self.require(…)` drops it"
                )
                raise
            if kit.result is not None or kit.out != out:
                self.findings.add(plays)
            elif kit.called is not None or kit.tells:
                self.findings.add(
                    f"{where} tells players something or gives the turn, in a game that nobody plays; it only writes to "
                    "fields, as they might be"
                )

        table.continued(seat, dice, change)

    def _leak(self, table: Table, viewer: int | None, dice: random.Random) -> None:
        for world in (self.worlds.made_up(table, viewer, dice), self.worlds.exchanged(table, viewer, dice)):
            if world is not None:
                self.report.worlds += 1
                self._compare(table, world, viewer, dice)

    def _compare(self, table: Table, world: Table, viewer: int | None, dice: random.Random) -> None:
        who = "a spectator" if viewer is None else "a seat"
        shown = self.definition.shown.keys()
        here, there = table.view(viewer), world.view(viewer)
        if world.complaints:
            return  # rules need not bear a world that could not be
        self.tried.compared += viewer is not None
        differs = {name for name in here.keys() | there.keys() if here.get(name) != there.get(name)}
        for name in differs & shown:
            self.report.flows.setdefault(f"@shown {name}", set()).add("the fields that it reads")
        for name in differs - shown:
            self.findings.add(f"{who} sees in {name} what is hidden from it")
        if viewer is not None and table.course.suspension is None and not differs & shown:
            self._compare_legal(table, world, viewer, dice)

    def _compare_legal(self, table: Table, world: Table, viewer: int, dice: random.Random) -> None:
        try:
            legal = [one.legal_all(viewer) for one in (table, world)]
        except BUGS:  # as above
            return
        if world.complaints:
            return
        if legal[0] != legal[1]:
            what = f"what {_differing(legal)} lists as legal tells of what is hidden from the seat"
            self.findings.add(f"{what}: {self._blame(table, world, viewer)}")
        elif table.may_act(viewer):
            wrong = [choice for seat, choice in (*wrong_choices(table, dice), *self.draws) if seat == viewer]
            for choice in [*wrong, *_drawn_choices([table, world], viewer, legal[0].unlisted, dice)]:
                self._compare_refusals([table, world], viewer, choice)

    def _blame(self, table: Table, world: Table, viewer: int) -> str:
        """Say by which fields legal moves differ, and what to do where the seat knows those anyway."""
        fields = [name for name in world.course.packed if world.course.packed[name] != table.course.packed[name]]
        alone = [(name, self.worlds.with_only(table, world, name)) for name in fields]
        legal = table.legal_all(viewer)
        blamed = [name for name, one in alone if one is not None and _lists_otherwise(one, viewer, legal)]
        return f"{', '.join(blamed or fields)}{_KNOWN}"

    def _compare_refusals(self, worlds: list[Table], viewer: int, choice: Choice) -> None:
        texts: list[str | None] = []
        for one in worlds:
            trial = supposed(one)
            outcome = act(trial, viewer, choice)
            if trial.complaints:
                return
            texts.append(outcome.text if isinstance(outcome, Refused) else None)
        if None in texts and texts != [None, None]:
            self.findings.add(f"whether {choice[0]} is refused tells of what is hidden from the seat{_KNOWN}")
        elif texts[0] != texts[1]:
            self.findings.add(f"what {choice[0]} is refused with tells of what is hidden from the seat{_KNOWN}")

    def _flow(self, table: Table, dice: random.Random, following: tuple[int, Choice] | None) -> None:
        if following is None:
            return
        mover, choice = following
        for viewer in (None, *range(table.players)):
            world = self.worlds.made_up(table, viewer, dice)
            if world is None:
                continue
            self.report.worlds += 1
            here = clone(table)
            differs = follow(here, world, mover, choice, viewer=viewer, dice=dice)
            if viewer == mover:
                self.tried.taken_back.add(choice[0])
            if viewer != mover:
                self.report.flows.setdefault(choice[0], set()).update(differs)
            elif here.result is not None and world.result is not None:
                continue  # what ends the game opens everything, and is not taken back
            elif differs and self.definition.moves[choice[0]].undo:
                self.findings.add(
                    f"{choice[0]} says undo=True, and its mover learns by it what was hidden: {', '.join(sorted(differs))}"
                )

    def _flow_of_question(self, table: Table, task: Task, dice: random.Random) -> None:
        for viewer in (None, *range(table.players)):
            worlds = self.worlds.at_question(table, viewer, dice)
            thrown = self.worlds.at_other_throw(table, viewer) if viewer != task.seat else []
            for pair, following in ((worlds, dice), (thrown, self.worlds.throws)):
                if pair and viewer != task.seat:
                    self.report.worlds += 1
                    differs = asked_apart(*pair, viewer=viewer, dice=following)
                    self.report.flows.setdefault(task.name or task.kind, set()).update(differs)


def deadlock(table: Table) -> str:
    """Return the sentence for a table at which nobody has found anything to do."""
    for seat in table.to_move:
        for name in table.legal_all(seat).unlisted:
            if name and table.course.definition.moves[name].free:
                return f"the rules refuse whatever Free draws for {name}, and there is nothing else to do: a deadlock"
            if name:
                return (
                    f"nothing was found that {name} would take, of which there is too much to be listed: let what a later "
                    "argument may be depend on the earlier ones, `def targets(self, card): …`, or let Free draw what is legal"
                )
    return "nobody can do anything, and the game is not over: a deadlock"


def _lists_otherwise(world: Table, viewer: int, legal: Listing) -> bool:
    """Tell whether something else is legal in a world; where rules fail in it, it could not be."""
    try:
        return world.legal_all(viewer) != legal and not world.complaints
    except BUGS:
        return False


def _some_move(table: Table, dice: random.Random) -> tuple[int, Choice] | None:
    """Return any legal move, and whose it is; None while a rule asks, and where there is none."""
    if table.course.suspension is not None or not table.to_move:
        return None
    mover = table.to_move[0]
    choices = choices_of(table, mover, dice, thorough=True)
    return (mover, dice.choice(choices)) if choices else None


def _differing(legal: list[Listing]) -> str:
    names = {
        name
        for one, other in (legal, legal[::-1])
        for name, arguments in one.plays
        if (name, arguments) not in other.plays
    }
    return ", ".join(sorted(names)) or "the rule"


def _drawn_choices(worlds: list[Table], seat: int, unlisted: tuple[str, ...], dice: random.Random) -> Iterator[Choice]:
    """Yield some plays of moves that are not listed, such as can be made in one of the worlds."""
    for name in unlisted:
        for world in worlds:
            drawn = supposed(world).draw(seat, name, dice)
            if drawn is not None:
                yield name, drawn
