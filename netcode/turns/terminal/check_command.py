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
    watch = watching.Watch()
    checker, status = Checker(game, options_of(arguments.option, game), arguments.seconds, watch), 0
    try:
        _progress(0, arguments.games)  # the first one may take long
        with watching.watched(watch, watching.LIMIT):
            checker.run(arguments.games, arguments.seed, _progress)
    except KeyboardInterrupt:
        status = 130 if watch.found is None else 0
    finally:
        _progress(0, 0)  # it may have stopped before the last one
    for line in str(checker.report).splitlines():
        screen.line(line)
    return status or (0 if checker.report.ok else 1)


def _progress(done: int, of: int) -> None:
    if is_terminal(sys.stderr):
        put(sys.stderr, f"\r{done} of {of} games" if of else "\r" + " " * 40 + "\r", piped=True)
