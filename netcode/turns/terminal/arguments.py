"""What is typed after `python -m netcode.turns`: which commands take what, and how their words are read."""

import argparse
import contextlib
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from netcode.address import Address, read_listening
from netcode.tools.command_line import Parser
from netcode.turns.errors import BUGS
from netcode.turns.invitation import read_invitation
from netcode.turns.language.definition import definition_of
from netcode.turns.language.domains import Domain
from netcode.turns.terminal.game_file import Trouble

PORT = 7777
CHECK = 600.0
"""Seconds after which games are checked no longer: with a large state each takes long."""
THINK = 0.08
"""Seconds that a bot thinks about a move; with what is around it, it moves within a tenth of one."""

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
    added = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", dest="command")
    for name, (add, text) in COMMANDS.items():
        command = added.add_parser(name, help=text, description=DETAILS.get(name, text))
        command.add_argument("game", metavar="FILE[:Class]", help="the Python file with the game")
        add(command)
    return parser


def _whole(least: int) -> Callable[[str], int]:
    """Return what reads a whole number that is not less."""

    def read(text: str) -> int:
        if not _is_whole(text) or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text} is not a whole number from {least} on")
        return int(text)

    return read


def _is_whole(text: str) -> bool:
    return text.removeprefix("-").isdecimal()


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0.0 <= (seconds := float(text)) < float("inf"):
            return seconds
    raise argparse.ArgumentTypeError(f"{text} is not a number of seconds")


def _text(text: str) -> str:
    """Read a text; what is none in the encoding of the terminal is written out, as in what is typed there."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _add_at(command: argparse.ArgumentParser, *, required: bool) -> None:
    """Add how a server is reached."""
    reached = f"the server, or the link to its page; port {PORT}. With commas, all that serve the same tables: any of them will do"
    command.add_argument("--at", metavar="HOST[:PORT]", action="append", required=required, help=reached)
    command.add_argument("--tls", action="store_true", help="to a server that encrypts")
    command.add_argument("--room", type=_text, help="a code that you agreed on with your friends")
    command.add_argument("--name", type=_text, default="", help="what the others call you")


def _add_think(command: argparse.ArgumentParser) -> None:
    thinks = "how long a bot thinks about a move (%(default)s); 0 plays at random"
    command.add_argument("--think", type=_seconds, default=THINK, metavar="SECONDS", help=thinks)


def _add_option(command: argparse.ArgumentParser) -> None:
    what = (
        "of the game, such as size=5; what has braces or brackets is JSON. Each game has the option clock: "
        """'clock={"per_move": 20}', 'clock={"minutes": 5, "increment": 3}', or clock=none"""
    )
    command.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help=what)


def _add_players(command: argparse.ArgumentParser) -> None:
    command.add_argument("--players", type=_whole(1), help="how many play")


def _add_play(command: argparse.ArgumentParser) -> None:
    _add_at(command, required=False)
    _add_players(command)
    command.add_argument("--bots", type=_whole(0), default=0, help="how many of them are bots, here (%(default)s)")
    _add_think(command)
    _add_option(command)


def _add_watch(command: argparse.ArgumentParser) -> None:
    _add_at(command, required=True)


def _add_bot(command: argparse.ArgumentParser) -> None:
    _add_at(command, required=True)
    _add_players(command)
    _add_think(command)
    command.add_argument("--games", type=_whole(1), default=1, help="how many games (%(default)s)")
    pace = "how long it waits before each move (%(default)g)"
    command.add_argument("--pace", type=_seconds, default=0.0, metavar="SECONDS", help=pace)


def _add_check(command: argparse.ArgumentParser) -> None:
    command.add_argument("--games", type=_whole(1), default=200, help="how many games (%(default)s)")
    command.add_argument("--seed", type=int, default=1, help="of the first game; the others follow")
    bound = "after which it stops and says what it has found (%(default)g)"
    command.add_argument("--seconds", type=_seconds, default=CHECK, metavar="SECONDS", help=bound)
    _add_option(command)


def _add_serve(command: argparse.ArgumentParser) -> None:
    command.add_argument("--host", default="", help="the address to listen on; without it every one")
    command.add_argument("--port", type=int, default=PORT, help=f"{PORT} by itself; 0 for any free one")
    command.add_argument("--web", action="store_true", help="have browsers play, too: it prints the link")
    command.add_argument(
        "--store",
        metavar="FILE",
        help="the database, a file or postgresql://…; without it beside the game; memory keeps nothing",
    )
    reached = "where players reach this process, where several serve one database; each has its own"
    command.add_argument("--address", metavar="HOST:PORT", help=reached)
    command.add_argument("--announce", metavar="NAME", help="what it is called on the local network")
    command.add_argument(
        "--peers", type=int, metavar="N", help="people at most, also from one address; without it 1000, and 256"
    )
    pinged = "between two signs of life on a link: 1 by itself; 5 to 10 where many take their time"
    command.add_argument("--ping", type=float, metavar="SECONDS", help=pinged)
    pair = ("CHAIN", "KEY")
    command.add_argument("--tls", nargs=2, metavar=pair, help="a certificate and its key, to encrypt everything")
    numbers = "where its numbers are told to Prometheus; without HOST, to this computer alone"
    command.add_argument("--metrics", metavar="[HOST:]PORT", help=numbers)


def _add_replay(command: argparse.ArgumentParser) -> None:
    command.add_argument("database", metavar="DB", help="the database of the server")
    command.add_argument("table", metavar="TABLE", nargs="?", help="its id; without it all are listed")


COMMANDS: dict[str, tuple[Callable[[argparse.ArgumentParser], None], str]] = {
    "play": (_add_play, "play in the terminal: here with bots and friends, or at a server"),
    "serve": (_add_serve, "serve tables to others"),
    "bot": (_add_bot, "have a bot play at a server"),
    "watch": (_add_watch, "look on at a server"),
    "check": (_add_check, "play it by itself and say what is wrong: leaks, restarts, endless games"),
    "replay": (_add_replay, "show a game that a server stored"),
}
"""What each command is told beside the file, and what it does."""


def options_of(words: Sequence[str], game: type[Any] | None = None) -> dict[str, Any]:
    """Read `name=value` words: numbers, true, false, JSON with braces or brackets, `clock=none`, and text.

    Where the game says by its `@options` that it is a text, it stays one: `deck=10` of `("10", "32")`.

    Raises:
        Trouble: a word is none.
    """
    options: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise Trouble(f"{word!r:.100} is no option; write name=value")
        options[name] = text if _is_text(game, name, text) else _option(name, text)
    return options


def _is_text(game: type[Any] | None, name: str, text: str) -> bool:
    """Tell whether an option may be the text that was typed, and not what else this may be read as."""
    domain = None if game is None else definition_of(game).options.get(name)
    if domain is None or not _takes(domain, name, text):
        return False
    try:
        return not _takes(domain, name, _option(name, text))
    except Trouble:
        return True


def _takes(domain: Domain, name: str, value: Any) -> bool:
    """Tell whether an option may be this."""
    try:
        domain.read(None, {}, value, name)
    except BUGS:  # which is told where the table is made
        return False
    return True


def _option(name: str, text: str) -> Any:
    """Return the value of an option. Raises `Trouble` for JSON that is none."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if name == "clock" and text.lower() in ("none", "null", "nil"):
        return None
    if _is_whole(text):
        return int(text)
    if text[:1] in ("{", "["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            hint = "; in a shell it stands between single quotes" if '"' not in text else ""
            raise Trouble(f"the option {name:.100} is {text:.100}, which is no JSON{hint}") from error
    return float(text) if re.fullmatch(r"-?\d+\.\d+", text) else text


def addresses_of(arguments: argparse.Namespace) -> list[Address]:
    """Read what `--at` was given: addresses with commas between them, or each with an `--at` of its own.

    A link, as a page shows it to invite a friend, also says whether it is encrypted, and which room: `arguments` have it
    then, unless they said so themselves.

    Raises:
        Trouble: one of them is none.
    """
    try:
        invitations = [read_invitation(text, PORT) for word in arguments.at for text in word.split(",")]
    except ValueError as error:
        raise Trouble(str(error)) from error
    for one in invitations:
        arguments.tls, arguments.room = arguments.tls or one.tls, arguments.room or one.room
    return [*dict.fromkeys(one.address for one in invitations)]


def check_where(arguments: argparse.Namespace) -> None:
    """Raise `Trouble` for what `play` was told of a server without one, or of here with one: else it would not count."""
    if arguments.at is None:
        for name in ("room", "tls"):
            if getattr(arguments, name):
                raise Trouble(f"--{name} is for a table at a server; say at which, as in --at localhost")
    elif arguments.bots:
        there = f"python -m netcode.turns bot {arguments.game} --at {arguments.at[0]}"
        raise Trouble(f"--bots is for a game here; at a server a bot is a program of its own: {there}")


def reached_by(arguments: argparse.Namespace, addresses: Sequence[Address]) -> dict[str, Any]:
    """Return what `join` is told of how to reach the server, beside the first address."""
    wanted: dict[str, Any] = {}
    if len(addresses) > 1:
        wanted["addresses"] = addresses[1:]
    if arguments.tls:
        wanted["tls"] = True
    return wanted


def place_of(text: str) -> Address:
    """Read `PORT`, `HOST:PORT` or `[IPv6]:PORT`: where numbers are told, to this computer alone unless it is said otherwise.

    Raises:
        Trouble: it is none.
    """
    try:
        return read_listening(text, "127.0.0.1")
    except ValueError as error:
        raise Trouble(f"there is no place for numbers: {error}") from error
