"""The command line: `python -m netcode.turns`, what to do, and the file with the game."""

import argparse
import contextlib
import errno
import importlib.util
import secrets
import sys
import traceback
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netcode.address import Address
from netcode.console import is_terminal, put, sentence_of
from netcode.tools.command_line import Parser
from netcode.turns.bot_play import GaveUp, run_bot
from netcode.turns.bots import Belief, RandomBot, SearchBot, TreeSearch
from netcode.turns.errors import RulesError
from netcode.turns.local_play import LocalTable, play_locally
from netcode.turns.network_play import SeatFile, play_over_network
from netcode.turns.rules import Game
from netcode.turns.screen import Keyboard, Screen
from netcode.turns.simulate import Choice
from netcode.turns.store import Lost, Unavailable
from netcode.turns.table import Table
from netcode.turns.wording import rows_of

if TYPE_CHECKING:
    from netcode.turns.server import Server

PORT = 7777
THINK = 0.08
"""Seconds that a bot thinks about a move; with what is around it, it moves within a tenth of one."""


class Trouble(Exception):
    """What keeps a command from running, as a sentence."""


def load_game(where: str) -> type[Game]:
    """Return the game of `FILE` or `FILE:Class`.

    Raises:
        Trouble: there is none, or several to choose from.
    """
    file, _, name = where.rpartition(":") if ":" in where and not Path(where).exists() else (where, "", "")
    path = Path(file)
    if not path.is_file():
        raise Trouble(f"{file} is not there; give the file with your game, such as tictactoe.py")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise Trouble(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # annotations are looked up there
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except (RulesError, SyntaxError) as error:
        raise Trouble(str(error)) from error
    except Exception as error:
        steps = traceback.extract_tb(error.__traceback__)
        lines = [f", line {step.lineno}" for step in steps if step.filename == spec.origin]
        raise Trouble(f"{file}{(lines or [''])[-1]}: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(path.parent.resolve()))
    games = {
        key: value
        for key, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Game) and value.__module__ == module.__name__
    }
    if name:
        if name not in games:
            raise Trouble(f"{file} has no game called {name}; it has {', '.join(games) or 'none'}")
        return games[name]
    leaves = {
        key: game for key, game in games.items() if not any(game in other.__mro__[1:] for other in games.values())
    }
    if len(leaves) != 1:
        what = f"several games; say which, as in {file}:{min(leaves)}" if leaves else "no game: no class made from Game"
        raise Trouble(f"{file} has {what}")
    return next(iter(leaves.values()))


def options_of(words: Sequence[str]) -> dict[str, Any]:
    """Read `name=value` words: numbers, true, false, and text.

    Raises:
        Trouble: a word is none.
    """
    options: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise Trouble(f"{word!r} is no option; write name=value")
        value: Any = text
        if text.lower() in ("true", "false"):
            value = text.lower() == "true"
        elif text.lstrip("-").isdecimal():
            value = int(text)
        options[name] = value
    return options


def address_of(text: str) -> tuple[str, int]:
    """Read `HOST` or `HOST:PORT`; an IPv6 address with a port has brackets.

    Raises:
        Trouble: it is neither.
    """
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]") or (":" in host and not host.endswith("]")):
        host, port = text, str(PORT)
    bare = host.removeprefix("[").removesuffix("]")
    if not port.isdecimal() or not 0 < int(port) < 65_536 or not bare or len(host) - len(bare) == 1:
        raise Trouble(f"{text!r} is no address; write HOST or HOST:PORT")
    return bare, int(port)


def addresses_of(words: Sequence[str]) -> list[tuple[str, int]]:
    """Read what `--at` was given: addresses with commas between them, or each with an `--at` of its own.

    Raises:
        Trouble: one of them is none.
    """
    return [*dict.fromkeys(address_of(text.strip()) for word in words for text in word.split(","))]


def _reached(arguments: argparse.Namespace, addresses: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """Return what `join` is told of how to reach the server, beside the first address."""
    wanted: dict[str, Any] = {}
    if len(addresses) > 1:
        wanted["addresses"] = addresses[1:]
    if arguments.tls:
        wanted["tls"] = True
    return wanted


def run_play(arguments: argparse.Namespace, screen: Screen) -> int:
    """Play here, or at a server."""
    game = load_game(arguments.game)
    if arguments.at is not None:
        addresses = addresses_of(arguments.at)
        seat_file = SeatFile(Path(arguments.game.partition(":")[0]), arguments.name, *addresses)
        wanted = {"room": arguments.room, "players": arguments.players, "name": arguments.name}
        wanted |= {"options": options_of(arguments.option), **_reached(arguments, addresses)}
        return 0 if play_over_network(addresses[0], game, screen, Keyboard(), seat_file, **wanted) else 1
    low, high = game.seats
    players = arguments.players or max(low, min(high, arguments.bots + 1))
    if not low <= players <= high:
        raise Trouble(f"{game.__name__} is for {low} to {high} players, not {players}")
    if arguments.bots > players:
        raise Trouble(f"{arguments.bots} bots are more than {players} players")
    people = players - arguments.bots
    names = [arguments.name if people == 1 and arguments.name else f"player {n}" for n in range(1, people + 1)]
    names += [f"bot {n}" for n in range(1, arguments.bots + 1)]
    table = LocalTable(game, names, options_of(arguments.option), secrets.token_bytes(32))

    beliefs = {seat: Belief(seat) for seat in range(people, players)}

    def think(table: Table, seat: int) -> Choice | None:
        return TreeSearch.choose(table, seat, max(0.0, arguments.think), belief=beliefs[seat])

    play_locally(table, range(people, players), screen, screen.ask, think)
    return 0


def run_serve(arguments: argparse.Namespace, screen: Screen) -> int:
    """Serve tables."""
    from netcode.turns.server import Server, serve

    game = load_game(arguments.game)
    path = Path(arguments.game.partition(":")[0])
    store = arguments.store or path.with_suffix(".db")
    numbers = None if arguments.metrics is None else _place_of(arguments.metrics)

    told = contextlib.ExitStack()

    def started(server: Server) -> None:
        if numbers is not None:
            where = told.enter_context(_numbers_of(server, numbers))
            screen.line(f"its numbers are at http://{where}/metrics")
        screen.line(
            f"{game.__name__} is served on port {server.address.port}, and kept in {_shown(store)}; Ctrl-C ends"
        )

    with told:
        options = {
            "announce": arguments.announce,
            "address": arguments.address,
            "web": arguments.web or None,
            **_limits_of(arguments),
        }
        serve(game, host=arguments.host, port=arguments.port, store=store, started=started, **options)
    screen.line("the tables are stored; start again, and the games go on")
    return 0


def _limits_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what the links of a server are told.

    Raises:
        Trouble: a certificate cannot be used.
    """
    options: dict[str, Any] = {}
    if arguments.peers is not None:  # who stands behind a proxy comes from its address
        options = {"max_peers": arguments.peers, "max_peers_per_address": arguments.peers}
    if arguments.ping is not None:
        options.update(ping_interval=arguments.ping, timeout=max(10.0, 3 * arguments.ping))
    if arguments.tls is not None:
        import ssl

        chain, key = arguments.tls
        options["tls"] = context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(chain, key)
        except OSError as error:
            raise Trouble(f"the certificate in {chain}, with the key in {key}, cannot be used: {error}") from error
    return options


def _place_of(text: str) -> tuple[str, int]:
    """Read `PORT` or `HOST:PORT`: where numbers are told, to this computer alone unless it is said otherwise.

    Raises:
        Trouble: it is neither.
    """
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65_535:
        raise Trouble(f"{text!r} is no place for numbers; write PORT or HOST:PORT")
    return host.strip("[]") or "127.0.0.1", int(port)


@contextlib.contextmanager
def _numbers_of(server: "Server", place: tuple[str, int]) -> Generator[Address]:
    """Tell the numbers of a server to Prometheus, and yield where."""
    from netcode.metrics import observe  # isort: skip # it says what to install, where that is not
    from prometheus_client import CollectorRegistry, start_http_server

    registry = CollectorRegistry()
    observe(server, registry)
    host, port = place
    try:
        web, _ = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        text = sentence_of(error)
        if error.errno == errno.EADDRINUSE:
            text = "the port is taken; is another server running on it?"
        raise Trouble(f"cannot tell numbers on {Address(host, port)}: {text}") from error
    try:
        yield Address(host, web.server_port)
    finally:
        web.shutdown()
        web.server_close()


def _shown(store: str | Path) -> str:
    """Return what a store is called: of an address neither who logs in nor what follows, since secrets are in both."""
    kind, colon, rest = str(store).partition("://")
    return f"{kind}://{rest.rpartition('@')[2].partition('?')[0]}" if colon else kind


def run_watch(arguments: argparse.Namespace, screen: Screen) -> int:
    """Look on at a server."""
    game = load_game(arguments.game)
    addresses = addresses_of(arguments.at)
    wanted: dict[str, Any] = {"room": arguments.room, "name": arguments.name, **_reached(arguments, addresses)}
    watched = play_over_network(addresses[0], game, screen, None, watch=True, **wanted)
    return 0 if watched else 1


def run_bots(arguments: argparse.Namespace, screen: Screen) -> int:
    """Play at a server by itself."""
    game = load_game(arguments.game)
    addresses = addresses_of(arguments.at)
    wanted = {"room": arguments.room, "name": arguments.name or "bot", **_reached(arguments, addresses)}
    choose = SearchBot(arguments.think) if arguments.think > 0 else RandomBot()
    for number in range(1, arguments.games + 1):
        screen.line(f"game {number} of {arguments.games}")
        try:
            result = run_bot(addresses[0], game, choose, arguments.pace, **wanted)
        except (ConnectionError, GaveUp) as error:
            raise Trouble(str(error)) from error
        screen.line(f"over: {'a draw' if result is None or not result.winners else f'seat {result.winners[0]} won'}")
    return 0


def run_replay(arguments: argparse.Namespace, screen: Screen) -> int:
    """Show a stored game, move by move."""
    from netcode.turns.replay import frames, stored_tables

    game = load_game(arguments.game)
    if arguments.table is None:
        for table, moves in stored_tables(arguments.database, game):
            screen.line(f"{table}  {moves} entries")
        return 0
    names: list[str] = []
    for number, frame in enumerate(frames(arguments.database, arguments.table, game)):
        names = frame.names
        screen.table(f"{number}: {frame.text}" if frame.text else "at the beginning", rows_of(frame.view))
    screen.line(f"that was {', '.join(names)}")
    return 0


def run_check(arguments: argparse.Namespace, screen: Screen) -> int:
    """Play the game by itself and say what is wrong with it."""
    from netcode.turns.check import check

    def progress(done: int, of: int) -> None:
        if is_terminal(sys.stderr):
            put(sys.stderr, f"\r{done} of {of} games" if done < of else "\r" + " " * 40 + "\r")

    game = load_game(arguments.game)
    wanted = options_of(arguments.option)
    report = check(game, arguments.games, seed=arguments.seed, options=wanted, progress=progress)
    for line in str(report).splitlines():
        screen.line(line)
    return 0 if report.ok else 1


COMMANDS: dict[str, tuple[Callable[[argparse.Namespace, Screen], int], str]] = {
    "play": (run_play, "play in the terminal: here with bots and friends, or at a server"),
    "serve": (run_serve, "serve tables to others"),
    "bot": (run_bots, "have a bot play at a server"),
    "watch": (run_watch, "look on at a server"),
    "check": (run_check, "play it by itself and say what is wrong: leaks, restarts, endless games"),
    "replay": (run_replay, "show a game that a server stored"),
}


DETAILS = {
    "play": "Play in the terminal: here with bots and friends, or at a server. Bots here search among the ways in which "
    "the game could go on, in worlds that might be as far as their seat can see.",
    "bot": "Have a bot play at a server. It has what a player has: the rules and what its seat is shown. Where that is "
    "enough to play the game on, because everything is open or the hidden cards can be counted, it searches among the "
    "ways in which it could go on; elsewhere, and when it is asked something in the middle of a move, it plays anything "
    "legal at random. What is free, such as a fleet, it draws as the rules do. Where the rules accept nothing that it "
    "finds, it says so and gives up its seat. It thinks in its own process, never in the server's.",
}


def make_parser() -> Parser:
    """Make the parser of the command line."""
    parser = Parser(prog="python -m netcode.turns", description="Play the game in a file.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", dest="command")
    for name, (_, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=DETAILS.get(name, text))
        command.add_argument("game", metavar="FILE[:Class]", help="the Python file with the game")
        if name in ("play", "watch", "bot"):
            required = name != "play"
            reached = f"the server; port {PORT}. With commas, all that serve the same tables: any of them will do"
            command.add_argument("--at", metavar="HOST[:PORT]", action="append", required=required, help=reached)
            command.add_argument("--tls", action="store_true", help="to a server that encrypts")
            command.add_argument("--room", help="a code that you agreed on with your friends")
            command.add_argument("--name", default="", help="what the others call you")
        if name == "play":
            command.add_argument("--players", type=int, help="how many play")
            command.add_argument("--bots", type=int, default=0, help="how many of them are bots, here")
        if name in ("play", "bot"):
            thinks = "how long a bot thinks about a move (%(default)s); 0 plays at random"
            command.add_argument("--think", type=float, default=THINK, metavar="SECONDS", help=thinks)
        if name == "check":
            command.add_argument("--games", type=int, default=200, help="how many games")
            command.add_argument("--seed", type=int, default=1, help="of the first game; the others follow")
        if name in ("play", "check"):
            command.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="of the game")
        if name == "bot":
            command.add_argument("--games", type=int, default=1, help="how many games")
            command.add_argument("--pace", type=float, default=0.0, metavar="SECONDS", help="how long it waits")
        if name == "serve":
            command.add_argument("--host", default="", help="the address to listen on; without it every one")
            command.add_argument("--port", type=int, default=PORT, help="0 for any free one")
            command.add_argument("--web", action="store_true", help="have browsers play, too: it prints the link")
            command.add_argument(
                "--store", metavar="FILE", help="the database, a file or postgresql://…; without it beside the game"
            )
            reached = "where players reach this process, where several serve one database; each has its own"
            command.add_argument("--address", metavar="HOST:PORT", help=reached)
            command.add_argument("--announce", metavar="NAME", help="what it is called on the local network")
            command.add_argument("--peers", type=int, metavar="N", help="people at most, also from one address")
            pinged = "between two signs of life on a link; 5 to 10 where many take their time"
            command.add_argument("--ping", type=float, metavar="SECONDS", help=pinged)
            pair = ("CHAIN", "KEY")
            command.add_argument(
                "--tls", nargs=2, metavar=pair, help="a certificate and its key, to encrypt everything"
            )
            numbers = "where its numbers are told to Prometheus; without HOST, to this computer alone"
            command.add_argument("--metrics", metavar="[HOST:]PORT", help=numbers)
        if name == "replay":
            command.add_argument("database", metavar="DB", help="the database of the server")
            command.add_argument("table", metavar="TABLE", nargs="?", help="its id; without it all are listed")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line says and return its status."""
    chosen = make_parser().parse_args(arguments)
    screen = Screen()
    try:
        return COMMANDS[chosen.command][0](chosen, screen)
    except (Trouble, Lost, Unavailable, RulesError, ValueError, OSError, ImportError) as error:
        screen.line(sentence_of(error))
        return 1
    except (KeyboardInterrupt, EOFError):
        screen.line()
        return 130


if __name__ == "__main__":
    sys.exit(main())
