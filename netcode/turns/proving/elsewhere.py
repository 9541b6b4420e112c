"""Games as other processes play them, beside the same games as they are played here."""

import time
from collections.abc import Callable, Sequence

from netcode.turns.errors import BUGS, RulesError
from netcode.turns.proving import outside, twin
from netcode.turns.proving.beside import Beside, differing, told_of_changed
from netcode.turns.proving.report import Report
from netcode.turns.rules import Game

PLACES = 5
"""So many lines are named, of those in which the order of a set may decide something."""
_ONE_OF_THEM = "not compared with another process: it runs in one that compares"
_UNKNOWN_THERE = "not compared with another process: the class is in no module that could be imported"


def compare(
    game: type[Game], jobs: Sequence[twin.Job], report: Report, is_late: Callable[[], bool], beside: Beside
) -> None:
    """Play games in other processes, whose sets are in another order, until one of them plays otherwise.

    The first thing that each does is to play on the first game from its middle, as a server does after a restart.

    Args:
        game: the class of the rules.
        jobs: which games.
        report: is told what is found.
        is_late: whether there is no time left.
        beside: what the rules may keep beside the fields.
    """
    findings = report.findings
    if is_late():
        report.unproved.append("that other processes play the same game: there was no time left for it")
        return
    began = time.monotonic()
    try:
        jobs = [twin.stopped_midway(game, jobs[0]), *jobs]
        ours = [twin.digest(game, job) for job in jobs]
    except BUGS as error:  # in games that are other ones than those before
        findings.where = "in another game"
        fails = "" if isinstance(error, RulesError) else f"{game.__name__} fails: {type(error).__name__}: "
        findings.add(f"{fails}{error}")
        return
    patience = twin.PATIENCE + 10 * (time.monotonic() - began)
    findings.where = "when it was played in two processes"
    for hash_seed in twin.HASH_SEEDS:
        try:
            theirs = twin.digests(game, jobs, patience, hash_seed) if twin.is_there(game) else None
        except TimeoutError as error:  # a busy machine, or a class whose module takes long to import
            report.unproved.append(f"that other processes play the same game: {error}")
            return
        if theirs is None:
            report.notes.append(_ONE_OF_THEM if twin.is_one() else _UNKNOWN_THERE)
            return
        if theirs != ours:
            findings.add(_difference(game, ours, theirs, told_of_changed(differing(beside.first, beside.marks()))))
            return
        if is_late():
            return


def _difference(game: type[Game], ours: list[str], theirs: list[str], changed: str) -> str:
    """Say in which games another process differs; the first of them is one that was stored."""
    if theirs[1:] == ours[1:]:
        failed = f" {theirs[0]}" if " " in theirs[0] else ""
        return (
            "a game that was stored goes on as another one in another process, as after a restart: what do the rules keep "
            f"beside the fields, or take out of a set?{failed}{changed or _where_to_look(game)}"
        )
    failed = f" {theirs[0]}" if len(theirs) != len(ours) else ""
    return (
        "the same seed gives another game in another process: does a rule go through a set, or use `random`, time or "
        f"hash()?{failed or _where_to_look(game) or changed}"
    )


def _where_to_look(game: type[Game]) -> str:
    places = outside.in_any_order(game)
    more = f" and {len(places) - PLACES} more" if len(places) > PLACES else ""
    return f" Look at {', '.join(places[:PLACES])}{more}: `sorted(…)` is the same everywhere" if places else ""
