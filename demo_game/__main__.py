"""The command line of Broadside."""

import argparse
import getpass
import sys
from collections.abc import Callable
from random import Random

import netcode
from demo_game.display import why_no_window
from demo_game.kept_seat import kept_seat
from demo_game.local import play_against_bot, show_two_bots
from demo_game.messages import NAME_LIMIT, plain_text
from demo_game.programs import ServerOptions, run_bot, serve, watch_in_terminal
from demo_game.session import open_session
from demo_game.settings import GRACE, PORT, TIMEOUT, VERSION

BOT_NAMES = ("Drake", "Ching Shih", "Teach", "Grace O'Malley", "Nelson", "Jean Bart", "Sayyida", "Tordenskjold")
A_DAY = 86400
MOST = 999_999
VERSION_LIMIT = 64
"""Characters of a version that `netcode` takes."""
SIGHT_PACE = 0.1
"""Seconds between the bots' shots in a terminal: a game to follow, in less than ten seconds."""


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line asks for, and give the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except KeyboardInterrupt:
        # Ctrl-C before the program began to listen for it.
        return 130


def _run(options: argparse.Namespace) -> int:
    match options.command:
        case "serve":
            return _serve(options)
        case "play":
            return _play(options)
        case "bot":
            return _bot(options)
        case "watch":
            return _watch(options)
        case _:
            return _local(options)


def host_and_port(text: str) -> tuple[str, int]:
    """Take `HOST`, `HOST:PORT`, `[IPV6]:PORT` or a bare IPv6 address apart."""
    host, colon, port = text.rpartition(":")
    if not colon or ("]" not in host and ":" in host) or text.endswith("]"):
        host, port = text, str(PORT)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not host or not host.isprintable() or "[" in host or "]" in host:
        raise argparse.ArgumentTypeError(f"{host!a} is not a host")
    return host, _port(port, least=1)


def _port(text: str, least: int = 0) -> int:
    if not text.isascii() or not text.isdigit() or not least <= int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text} is not a port")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= A_DAY:  # what is not a number is not above 0 either
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds, from 0 to {A_DAY}")
    return seconds


def _count(least: int) -> Callable[[str], int]:
    def count(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text[:9]) <= MOST:
            raise argparse.ArgumentTypeError(f"{text} is not a number from {least} to {MOST}")
        return int(text)

    return count


def _version(text: str) -> str:
    if len(text) > VERSION_LIMIT or not text.isprintable():
        raise argparse.ArgumentTypeError(f"a version has at most {VERSION_LIMIT} characters, all of them printable")
    return text


def _name(text: str) -> str:
    return plain_text(text, NAME_LIMIT)


def _serve(options: argparse.Namespace) -> int:
    server = ServerOptions(
        host=options.host,
        port=options.port,
        timeout=options.timeout,
        grace=options.grace,
        max_players=options.max_players,
        version=options.game_version,
    )
    return serve(server, leash=options.leash, quiet=options.quiet)


def _play(options: argparse.Namespace) -> int:
    reason = why_no_window()
    if reason is not None:
        netcode.say(f"No window can be opened here: {reason}. The commands bot and watch need none.")
        return 1
    from demo_game.window.run import play

    host, port = options.server
    name = _name_in(options)
    with kept_seat(f"{host}:{port}", name) as seat:
        return play(host, port, name, version=options.game_version, seat=seat)


def _bot(options: argparse.Namespace) -> int:
    host, port = options.server
    name = Random().choice(BOT_NAMES) if options.name is None else options.name
    session = open_session(host, port, name, version=options.game_version)
    return run_bot(session, pace=_pace_in(options, 1.0), games=options.games, leash=options.leash, quiet=options.quiet)


def _watch(options: argparse.Namespace) -> int:
    host, port = options.server
    if options.text or why_no_window() is not None:
        return watch_in_terminal(open_session(host, port, _name_in(options), watching=True), games=options.games)
    from demo_game.window.run import play

    return play(host, port, _name_in(options), watching=True)


def _local(options: argparse.Namespace) -> int:
    reason = why_no_window()
    if reason is not None:
        netcode.say(f"No window can be opened here: {reason}. Two bots play instead, over real sockets.")
        return show_two_bots(_pace_in(options, SIGHT_PACE))
    from demo_game.window.run import play

    return play_against_bot(
        lambda host, port, tend: play(host, port, _name_in(options), tend=tend), _pace_in(options, 1.2)
    )


def _name_in(options: argparse.Namespace) -> str:
    return plain_text(_own_name(), NAME_LIMIT) if options.name is None else str(options.name)


def _pace_in(options: argparse.Namespace, default: float) -> float:
    return default if options.pace is None else float(options.pace)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m demo_game",
        description="Broadside: hide a fleet, fire in turns. Without a command: play against a bot on a server of your own.",
    )
    # What is given before the command counts for the command: its own options have no default that would hide it.
    parser.add_argument("--name", type=_name, help="what the opponent reads (default: your login)")
    parser.add_argument("--pace", type=_seconds, help="seconds that a bot takes over a shot")
    commands = parser.add_subparsers(dest="command")
    _add_serve(commands.add_parser("serve", help="run a dedicated server"))
    _add_play(commands.add_parser("play", help="play in a window"))
    _add_bot(commands.add_parser("bot", help="let a bot play"))
    _add_watch(commands.add_parser("watch", help="look on at the newest game"))
    return parser


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="", help="address to listen on (default: every one)")
    parser.add_argument("--port", type=_port, default=PORT, help=f"port to listen on, 0 for any (default: {PORT})")
    parser.add_argument("--timeout", type=_seconds, default=TIMEOUT, help="seconds of silence that end a link")
    parser.add_argument(
        "--grace", type=_seconds, default=GRACE, help="seconds for which the seat of a lost link is kept"
    )
    parser.add_argument("--max-players", type=_count(1), default=200, help="players and spectators at once")
    _add_version(parser)
    _add_child(parser)


def _add_play(parser: argparse.ArgumentParser) -> None:
    _add_server(parser)
    parser.add_argument(
        "--name", type=_name, default=argparse.SUPPRESS, help="what the opponent reads (default: your login)"
    )
    _add_version(parser)


def _add_bot(parser: argparse.ArgumentParser) -> None:
    _add_server(parser)
    parser.add_argument("--name", type=_name, default=argparse.SUPPRESS, help="what the opponent reads")
    parser.add_argument("--pace", type=_seconds, default=argparse.SUPPRESS, help="seconds over each shot (default: 1)")
    _add_games(parser)
    _add_version(parser)
    _add_child(parser)


def _add_watch(parser: argparse.ArgumentParser) -> None:
    _add_server(parser)
    parser.add_argument("--name", type=_name, default=argparse.SUPPRESS, help="what the server reads")
    parser.add_argument("--text", action="store_true", help="in the terminal, also where a window could be opened")
    _add_games(parser)


def _add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("server", type=host_and_port, metavar="HOST[:PORT]", help=f"the server (port: {PORT})")


def _add_games(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--games", type=_count(0), default=0, help="games until it ends by itself (default: no end)")


def _add_version(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--game-version", type=_version, default=VERSION, help="claim another version, to see what becomes of it"
    )


def _add_child(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quiet", action="store_true", help="tell nothing of what happens")
    parser.add_argument("--leash", action="store_true", help="stop when standard input ends")


def _own_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        # No such user, no password database (Windows, containers).
        return "Player"


if __name__ == "__main__":
    sys.exit(main())
