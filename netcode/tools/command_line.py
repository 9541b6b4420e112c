"""Command lines whose help and usage can be printed wherever the output goes."""

import argparse
import sys
from typing import Any, NoReturn

from netcode.console import put


class Parser(argparse.ArgumentParser):
    """A parser that ends as it should also where nobody reads what it says, or not every character can be written."""

    def _print_message(self, message: str, file: Any = None) -> None:
        put(sys.stderr if file is None else file, message, piped=True)

    def error(self, message: str) -> NoReturn:
        """End with what is wrong; where there are commands to choose from, below the list of them."""
        if self._subparsers is not None:
            self.print_help(sys.stderr)
            self.exit(2, f"\n{self.prog}: {message}\n")
        super().error(message)

    def parse_known_args(self, *args: Any, **namespace: Any) -> Any:
        """Refuse at once what a command does not know: else it is told below the list of all commands, without its own."""
        found, unknown = super().parse_known_args(*args, **namespace)
        if unknown and self._subparsers is None:
            self.error(f"unrecognized arguments: {' '.join(unknown)}{self._advice(unknown)}")
        return found, unknown

    def _advice(self, unknown: list[str]) -> str:
        """Say where a server or a port belongs: in programs of one's own, such as those of `new`, it stands by itself."""
        word = unknown[-1]
        if any(other.startswith("-") for other in unknown):
            return ""
        if len(unknown) == 1 + word.isdecimal() and any("--at" in action.option_strings for action in self._actions):
            return f"; a server is given by --at {':'.join(unknown)}"
        if not word.isdecimal():
            return ""
        if any("--port" in action.option_strings for action in self._actions):
            return f"; write --port {word}"
        if any(action.metavar in ("HOST[:PORT]", "TARGET") for action in self._actions):
            return f"; the port belongs to the address, as in localhost:{word}"
        return ""
