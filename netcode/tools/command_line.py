"""Command lines whose help and usage can be printed wherever the output goes."""

import argparse
import sys
from typing import Any, NoReturn

from netcode.address import Address, read_address
from netcode.console import put

LONGEST = 1000
"""Characters of what is wrong: somebody may have pasted a whole file."""


class Parser(argparse.ArgumentParser):
    """A parser that ends as it should also where nobody reads what it says, or not every character can be written."""

    def _print_message(self, message: str, file: Any = None) -> None:
        put(sys.stderr if file is None else file, message, piped=True)

    def error(self, message: str) -> NoReturn:
        """End with what is wrong; where there are commands to choose from, below the list of them."""
        if len(message) > LONGEST:  # its end says what to write
            message = f"{message[: LONGEST // 2]} … {message[-LONGEST // 2 :]}"
        if self._subparsers is not None:
            self.print_help(sys.stderr)
            self.exit(2, f"\n{self.prog}: {message}\n")
        super().error(message)

    def parse_known_args(self, *args: Any, **namespace: Any) -> Any:
        """Refuse at once what a command does not know: else it is told below the list of all commands, without its own."""
        found, unknown = super().parse_known_args(*args, **namespace)
        if unknown and self._subparsers is None:
            self.error(f"unrecognized arguments: {' '.join(unknown)}{self._advice(found, unknown)}")
        return found, unknown

    def _advice(self, found: Any, unknown: list[str]) -> str:
        """Say where a server or a port belongs: in programs of one's own, such as those of `new`, it stands by itself."""
        word = unknown[-1]
        if any(other.startswith("-") for other in unknown):
            return ""
        if len(unknown) == 1 + word.isdecimal() and self._is_missing("--at", found):
            place = _joined(*unknown) if word.isdecimal() else word
            return f"; a server is given by --at {place}" if place else ""
        if not word.isdecimal():
            return ""
        if self._is_missing("--port", found):
            return f"; write --port {word}"
        for action in self._actions:
            if action.metavar in ("HOST[:PORT]", "TARGET"):
                server = getattr(found, action.dest)
                place = _joined(server.host if isinstance(server, Address) else "localhost", word)
                return f"; the port belongs to the address, as in {place}" if place else ""
        return ""

    def _is_missing(self, option: str, found: Any) -> bool:
        """Tell whether there is an option that was not given."""
        action = self._option_string_actions.get(option)
        return action is not None and getattr(found, action.dest) == action.default


def _joined(host: str, port: str) -> str:
    """Return an address as it is typed, with brackets where it needs them; "" for what is none."""
    try:
        return str(read_address(host, int(port)))
    except ValueError:
        return ""
