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
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown
