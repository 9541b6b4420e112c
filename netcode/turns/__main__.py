"""The command line: `python -m netcode.turns`, what to do, and the file with the game."""

import argparse
import secrets
import sys
from collections.abc import Callable, Sequence
from typing import Any

from netcode.console import sentence_of
from netcode.errors import NetcodeError
from netcode.turns.bots import Belief, RandomBot, SearchBot, TreeSearch
from netcode.turns.errors import BUGS
from netcode.turns.language.definition import definition_of
from netcode.turns.proving.watching import running_in
from netcode.turns.simulate import Choice
from netcode.turns.table import Table
from netcode.turns.terminal.arguments import addresses_of, check_where, make_parser, options_of, reached_by
from netcode.turns.terminal.bot_play import GaveUp, run_bot
from netcode.turns.terminal.game_file import Trouble, blamed, load_game, path_of
from netcode.turns.terminal.local_play import play_locally
from netcode.turns.terminal.local_table import LocalTable
from netcode.turns.terminal.network_play import play_over_network
from netcode.turns.terminal.screen import Keyboard, Screen
from netcode.turns.terminal.seat_file import SeatFile
from netcode.turns.terminal.serve_command import run_serve


def run_play(arguments: argparse.Namespace, screen: Screen) -> int:
    """Play here, or at a server."""
    game = load_game(arguments.game)
    check_where(arguments)
    if arguments.at is not None:
        addresses = addresses_of(arguments)
        seat_file = SeatFile(path_of(arguments.game), arguments.name, *addresses)
        wanted = {"room": arguments.room, "players": arguments.players, "name": arguments.name}
        wanted |= {"options": options_of(arguments.option, game), **reached_by(arguments, addresses)}
        with seat_file.held():
            return 0 if play_over_network(addresses[0], game, screen, Keyboard(), seat_file, **wanted) else 1
    low, high = game.seats
    players = arguments.players or max(low, min(high, arguments.bots + 1))
    if not low <= players <= high:
        raise Trouble(definition_of(game).not_for(players))
    if arguments.bots > players:
        raise Trouble(f"{arguments.bots} bots are more than {players} player{'s' if players > 1 else ''}")
    people = players - arguments.bots
    names = [arguments.name if people == 1 and arguments.name else f"player {n}" for n in range(1, people + 1)]
    names += [f"bot {n}" for n in range(1, arguments.bots + 1)]
    table = LocalTable(game, names, options_of(arguments.option, game), secrets.token_bytes(32))

    beliefs = {seat: Belief(seat) for seat in range(people, players)}

    def think(table: Table, seat: int) -> Choice | None:
        return TreeSearch.choose(table, seat, max(0.0, arguments.think), belief=beliefs[seat])

    play_locally(table, range(people, players), screen, screen.ask, think)
    return 0


def run_watch(arguments: argparse.Namespace, screen: Screen) -> int:
    """Look on at a server."""
    game = load_game(arguments.game)
    addresses = addresses_of(arguments)
    wanted: dict[str, Any] = {"room": arguments.room, "name": arguments.name, **reached_by(arguments, addresses)}
    watched = play_over_network(addresses[0], game, screen, None, watch=True, **wanted)
    return 0 if watched else 1


def run_bots(arguments: argparse.Namespace, screen: Screen) -> int:
    """Play at a server by itself."""
    game = load_game(arguments.game)
    addresses = addresses_of(arguments)
    wanted = {"room": arguments.room, "players": arguments.players, "name": arguments.name or "bot"}
    wanted |= reached_by(arguments, addresses)
    choose = SearchBot(arguments.think) if arguments.think > 0 else RandomBot()
    for number in range(1, arguments.games + 1):
        screen.line(f"game {number} of {arguments.games}")
        try:
            how = run_bot(addresses[0], game, choose, arguments.pace, screen.line, **wanted)
        except (ConnectionError, GaveUp) as error:
            raise Trouble(str(error)) from error
        screen.line(f"over: {how}")
    return 0


def run_replay(arguments: argparse.Namespace, screen: Screen) -> int:
    """Show a stored game, move by move."""
    from netcode.turns.terminal.replay_command import run_replay as show

    return show(arguments, screen)


def run_check(arguments: argparse.Namespace, screen: Screen) -> int:
    """Play the game by itself and say what is wrong with it."""
    from netcode.turns.terminal.check_command import check_game

    return check_game(arguments, screen)


RUN: dict[str, Callable[[argparse.Namespace, Screen], int]] = {
    "play": run_play,
    "serve": run_serve,
    "bot": run_bots,
    "watch": run_watch,
    "check": run_check,
    "replay": run_replay,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line says and return its status."""
    chosen = make_parser().parse_args(arguments)
    screen = Screen()
    try:
        return RUN[chosen.command](chosen, screen)
    except (Trouble, NetcodeError) as error:
        screen.line(str(error))
        return 1
    except (KeyboardInterrupt, EOFError) as error:
        rule = running_in(error.__traceback__)
        screen.line("" if rule is None else f"stopped in the middle of {rule}")
        return 130
    except BUGS as error:
        text = blamed(chosen.game, error)
        if not text and isinstance(error, ValueError | OSError | ImportError):
            text = sentence_of(error)
        if not text:  # that is no bug of the game
            raise
        screen.line(text)
        return 1


if __name__ == "__main__":
    sys.exit(main())
