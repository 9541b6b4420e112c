"""Terminals of tests."""

import io


class Terminal(io.StringIO):
    """A terminal at which somebody looks, or types."""

    def isatty(self) -> bool:
        return True
