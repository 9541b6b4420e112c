"""The command line: `python -m netcode` and the name of a tool."""

import sys
from collections.abc import Sequence

from netcode import SPEEDUPS, __version__
from netcode.command_line import Parser
from netcode.tools import lag


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool that the command line names and return its status; a wrong command line exits with its usage."""
    parser = Parser(prog="python -m netcode", description="Tools for networked games.")
    parser.add_argument(
        "--version", action="version", version=f"netcode {__version__}, messages in {'C' if SPEEDUPS else 'Python'}"
    )
    tools = parser.add_subparsers(title="tools", required=True, metavar="TOOL")
    tool = tools.add_parser("lag", help="a bad network between any two programs")
    lag.add_arguments(tool)
    tool.set_defaults(run=lag.run)
    chosen = parser.parse_args(arguments)
    return int(chosen.run(chosen))


if __name__ == "__main__":
    sys.exit(main())
