"""Random games that prove what can be proved of rules: that they end, repeat, restart, refuse cleanly, leak nothing."""

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

from netcode.diagnostics import log
from netcode.turns.language.definition import check_game
from netcode.turns.proving import outside, spelling, twin, watching
from netcode.turns.proving.elsewhere import compare
from netcode.turns.proving.hushing import Hush
from netcode.turns.proving.playtest import Job, Playtest
from netcode.turns.proving.report import Report
from netcode.turns.proving.variants import Variants, check_plan, spread
from netcode.turns.rules import Game
from netcode.turns.simulate import seed_of

THOROUGH = 10
"""So many games, and one with each value of an option, are looked at after each of their first moves."""
TWINS = 5
"""So many games are played again in another process, and one with each number of players; and so many with other options."""
SHARES = 0.6, 0.9
"""Where games are played with other options, too: how much of the time may have passed before those, and before the rest."""
LOGGED = 3
"""Of what came up again and again in the log, so much is named."""
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
        TypeError: `game` is no class of rules, or another argument not what it should be.
        ValueError: `games` is no int from 1 up, or the game has no such option.
    """
    check_game(game, "check")
    check_plan(games, seed, seconds)
    checker = Checker(game, options or {}, seconds)
    checker.run(games, seed_of(seed), progress)
    return checker.report


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
        self.playtest = Playtest(game, options, self.variants, self.report, self._is_late)
        self.concluded = False

    def run(self, games: int, seed: int, progress: Callable[[int, int], None] | None) -> None:
        """Play so many games; what is known of each is in the report before the next one begins."""
        with log.each_once() as logged:
            try:
                self._run(games, seed, progress or (lambda _done, _of: None))
            except KeyboardInterrupt as interrupt:
                self._stopped(games, interrupt)
                raise
            finally:
                self.report.notes += [note for note in (self.hush.note(), _logged_once(logged)) if note]

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
        if plan and self.playtest.unended < UNENDED:
            self.playtest.unended = 0
            jobs = [Job(seed + turn, counts[(turn + nth) % len(counts)], not turn, one) for turn, nth, one in plan]
            self._play_all(jobs, " with other options", lambda done: progress(games + done, every))
        self.share = 1.0
        self._conclude("in the time", "allow more of it")
        self.spell()
        with self.hush.on():
            self.compare_processes(seed, games)
            if not self.report.problems:
                self.playtest.note_beside()

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
                whole = self.playtest.play(job)
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
            self.report.unproved += [*self.playtest.positions.tried.unproved(), *self.variants.unproved()]
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
        return f"since {UNENDED} of them did not come to their end" if self.playtest.unended >= UNENDED else ""

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
                self.playtest.begin(seed, players, variant)

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
            jobs.append(twin.Job(seed, counts[number % len(counts)], self.playtest.options_of(one)))
        compare(self.game, jobs, self.report, self._is_late, self.playtest.beside)


def _logged_once(logged: Mapping[str, int]) -> str:
    """Return what is said of what the log has once, and came up again and again; nothing where all of it came up once."""
    often = sorted(
        ((count, cause.removeprefix("turns: ")) for cause, count in logged.items() if count > 1), reverse=True
    )
    named = ", ".join(f"{cause}, {count:,} times" for count, cause in often[:LOGGED])
    return f"the log says once what came up more often: {named}" if often else ""


_IN_SOURCE = "in the source, whether or not a game came by"
