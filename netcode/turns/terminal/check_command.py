"""The command that checks a game: what it has found when somebody, or a rule that never ends, interrupts it."""

import argparse
import sys

from netcode.console import is_terminal, put
from netcode.turns.check import Checker
from netcode.turns.proving import watching
from netcode.turns.terminal.arguments import options_of
from netcode.turns.terminal.game_file import load_game
from netcode.turns.terminal.screen import Screen


def check_game(arguments: argparse.Namespace, screen: Screen) -> int:
    """Play a game by itself and say what is wrong with it; return the status of the program."""
    game = load_game(arguments.game)
    checker = Checker(game, options_of(arguments.option, game), arguments.seconds)
    status, watch = 0, watching.Watch()
    try:
        with watching.watched(watch, watching.LIMIT):
            checker.run(arguments.games, arguments.seed, _progress)
    except KeyboardInterrupt as interrupt:
        _progress(0, 0)
        if watch.found is None:
            status, rule = 130, watching.running_in(interrupt.__traceback__)
            checker.report.notes.append(
                f"stopped {checker.findings.where}" + ("" if rule is None else f", in the middle of {rule}")
            )
        else:
            checker.findings.add(
                f"{watch.found}, had run for {watching.LIMIT:g} seconds when it was stopped; does it come to an end? "
                "On a server nobody could play meanwhile, at any table"
            )
            checker.report.notes.append(f"stopped after {checker.report.games} of {arguments.games} games by that rule")
    for line in str(checker.report).splitlines():
        screen.line(line)
    return status or (0 if checker.report.ok else 1)


def _progress(done: int, of: int) -> None:
    if is_terminal(sys.stderr):
        put(sys.stderr, f"\r{done} of {of} games" if done < of else "\r" + " " * 40 + "\r")
