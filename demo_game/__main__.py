"""The command line of Broadside."""

import argparse
import contextlib
import getpass
import signal
import sys
from functools import partial
from pathlib import Path
from random import Random

import netcode
from demo_game.bot import NAMES
from demo_game.hosting import PORT, TERMS, store_for
from demo_game.programs import run_bot, show_two_bots, watch_in_terminal
from demo_game.rules import Broadside
from demo_game.session import open_session
from demo_game.window.display import why_no_window
from demo_game.window.plan import Plan, Way
from demo_game.wording import plain_text
from netcode.turns import Invitation, Server, Unavailable, read_invitation, serve

MOST = 86_400
"""What is a day in seconds, and enough of everything else."""
PAGE = Path(__file__).parent / "page"
"""What a server shows to browsers."""
SIGHT_PACE = 0.1
"""Seconds between the bots' shots in a terminal: a game to follow, in less than ten seconds."""


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line asks for, and give the exit status."""
    options, unknown = _parser().parse_known_args(arguments)
    if unknown:
        _refuse(options, unknown)
    if "server" in options:
        options.server, room, tls = options.server
        options.code, options.tls = options.code or room or "", options.tls or tls
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        return 130


def _refuse(options: argparse.Namespace, unknown: list[str]) -> None:
    """End with what a command does not know, below its own usage and not that of all, and say where a port belongs."""
    hint = ""
    if unknown[-1].isdecimal():
        serves = options.run is _serve
        hint = f"; {'write --port ' if serves else 'the port belongs to the address, as in localhost:'}{unknown[-1]}"
    options.parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")


def _server(text: str) -> Invitation:
    try:
        return read_invitation(text, PORT)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _whole_number(text: str, least: int, most: int, what: str) -> int:
    if not text.isascii() or not text.isdigit() or not least <= int(text[:9]) <= most:
        raise argparse.ArgumentTypeError(f"{text} is not {what} from {least} to {most}")
    return int(text)


_port = partial(_whole_number, least=0, most=65535, what="a port")
_count = partial(_whole_number, least=1, most=MOST, what="a number")


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 <= (seconds := float(text)) <= MOST:
            return seconds
    raise argparse.ArgumentTypeError(f"{text} is not a number of seconds, from 0 to {MOST}")


def _serve(options: argparse.Namespace) -> int:
    Broadside.grace = options.grace
    files = {name: PAGE / name for name in ("broadside.css", "broadside.js")}
    forgets = options.store in ("memory", ":memory:")
    store = None if forgets else options.store or store_for(options.port)
    kept = f"kept in {store}" if store else "in memory alone, and end with the server"
    hint = "" if store or forgets else ": there is no place for a database; give one by --store FILE"

    def started(server: Server) -> None:
        netcode.say(f"listening on {server.address}")
        netcode.say(f"the games are {kept}{hint}")

    try:
        serve(
            Broadside,
            host=options.host,
            port=options.port,
            store=store,
            started=started,
            web=netcode.Web(page=PAGE / "broadside.html", files=files) if options.web else None,
            address=options.address,
            tls=None if options.tls is None else netcode.Certificate(*options.tls),
            **{**TERMS, "timeout": options.timeout, "max_peers": options.max_players},
        )
    except (OSError, ValueError, Unavailable) as error:
        netcode.say((isinstance(error, OSError) and error.strerror) or error)
        return 1
    return 0


def _play(options: argparse.Namespace) -> int:
    reason = why_no_window()
    if reason is None:
        plan = Plan(Way.JOIN, _name(options), options.server, options.code, options.clock, tls=options.tls)
        return _window(options, plan)
    netcode.say(f"No window can be opened here: {reason}. The commands bot and watch need none.")
    return 1


def _bot(options: argparse.Namespace) -> int:
    name = options.name or Random().choice(NAMES)
    session = open_session(options.server, name, code=options.code, tls=options.tls)
    return run_bot(session, _pace(options, 1.0), options.games)


def _watch(options: argparse.Namespace) -> int:
    if not options.text and why_no_window() is None:
        return _window(options, Plan(Way.WATCH, _name(options), options.server, options.code, tls=options.tls))
    session = open_session(options.server, _name(options), code=options.code, watching=True, tls=options.tls)
    return watch_in_terminal(session, options.games)


def _local(options: argparse.Namespace) -> int:
    reason = why_no_window()
    if reason is None:
        return _window(options, None)
    netcode.say(f"No window can be opened here: {reason}. Two bots play instead, over real sockets.")
    return show_two_bots(_pace(options, SIGHT_PACE))


def _window(options: argparse.Namespace, plan: Plan | None) -> int:
    from demo_game.window.run import play

    return play(_name(options), plan, pace=_pace(options, 1.2), sound=options.sound)


def _pace(options: argparse.Namespace, default: float) -> float:
    return default if options.pace is None else float(options.pace)


def _name(options: argparse.Namespace) -> str:
    if options.name is not None:
        return str(options.name)
    try:
        return plain_text(getpass.getuser())
    except (OSError, KeyError, ImportError):
        # No such user, no password database (Windows, containers).
        return "Player"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m demo_game",
        description="Broadside: hide a fleet, fire in turns. Without a command: a window that asks against whom and where.",
    )
    parser.set_defaults(run=_local, parser=parser)
    parser.add_argument("--name", type=plain_text, help="what the opponent reads (default: your login)")
    parser.add_argument("--pace", type=_seconds, help="seconds that a bot takes over a shot")
    parser.add_argument("--silent", dest="sound", action="store_false", help="without sounds, until F2 is pressed")
    commands = parser.add_subparsers()

    _add_serve(commands.add_parser("serve", help="run a dedicated server"))
    for command, run, text in (
        ("play", _play, "play in a window"),
        ("bot", _bot, "let a bot play"),
        ("watch", _watch, "look on at the newest game"),
    ):
        one = commands.add_parser(command, help=text)
        one.set_defaults(run=run, parser=one)
        one.add_argument("server", type=_server, metavar="HOST[:PORT]", help=f"the server, or a link (port: {PORT})")
        one.add_argument("--name", type=plain_text, default=argparse.SUPPRESS, help="what the others read")
        one.add_argument("--code", type=plain_text, default="", help="the word that you and your friend agreed on")
        one.add_argument("--tls", action="store_true", help="the server encrypts, with a certificate for HOST")
        if command == "play":
            one.add_argument("--clock", type=_seconds, default=0.0, help="seconds for each shot, if you open the table")
        else:
            one.add_argument("--games", type=_count, default=0, help="games until it ends by itself (default: no end)")
        if command == "bot":
            one.add_argument("--pace", type=_seconds, default=argparse.SUPPRESS, help="seconds over each shot (1)")
        if command == "watch":
            one.add_argument("--text", action="store_true", help="in the terminal, also where a window could be opened")
    return parser


def _add_serve(server: argparse.ArgumentParser) -> None:
    """Declare the arguments of `serve`."""
    server.set_defaults(run=_serve, parser=server)
    server.add_argument("--host", default="", help="address to listen on (default: every one)")
    server.add_argument("--port", type=_port, default=PORT, help=f"port to listen on, 0 for any (default: {PORT})")
    server.add_argument("--timeout", type=_seconds, default=10.0, help="seconds of silence that end a link")
    server.add_argument(
        "--grace", type=_seconds, default=Broadside.grace, help="seconds that a lost player may be gone"
    )
    server.add_argument("--max-players", type=_count, default=200, help="players and spectators at once")
    server.add_argument("--web", action="store_true", help="let friends play in a browser, too: it prints the link")
    kept = "database in which games outlive the server (default: one a port); memory keeps none"
    server.add_argument("--store", metavar="FILE", help=kept)
    server.add_argument("--address", metavar="HOST:PORT", help="where players reach it, for the link of --web")
    pair = ("CHAIN", "KEY")
    server.add_argument("--tls", nargs=2, metavar=pair, help="a certificate and its key, to encrypt everything")


if __name__ == "__main__":
    sys.exit(main())
