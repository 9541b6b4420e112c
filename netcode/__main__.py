"""The command line: `python -m netcode` and the name of a tool."""

import sys
from collections.abc import Sequence

from netcode import SPEEDUPS, __version__
from netcode.tools import discover, lag, load, new, ping, top
from netcode.tools.command_line import Parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool that the command line names and return its status; a wrong command line exits with its usage."""
    turns = "Turn-based games are played, served and checked by `python -m netcode.turns`."
    parser = Parser(prog="python -m netcode", description="Tools for networked games.", epilog=turns)
    parser.add_argument(
        "--version", action="version", version=f"netcode {__version__}, messages in {'C' if SPEEDUPS else 'Python'}"
    )
    tools = parser.add_subparsers(title="tools", required=True, metavar="TOOL")
    for name, module, text in (
        ("new", new, "write a small game of your own"),
        ("ping", ping, "what a server plays, how full it is, and how long its answer takes"),
        ("discover", discover, "the games on the local network"),
        ("load", load, "many clients at once, for a server of your own"),
        ("top", top, "what a server on this computer does"),
        ("lag", lag, "a bad network between any two programs"),
    ):
        tool = tools.add_parser(name, help=text)
        module.add_arguments(tool)
        tool.set_defaults(run=module.run)
    chosen = parser.parse_args(arguments)
    return int(chosen.run(chosen))


if __name__ == "__main__":
    sys.exit(main())
