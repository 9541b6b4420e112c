"""The file of a game that a command reads: what it begins to serve or to play meanwhile would be read without end."""

from collections.abc import Generator
from contextlib import contextmanager

from netcode.turns.errors import RulesError

_read: list[str] = []


@contextmanager
def reading(file: str) -> Generator[None]:
    """Have `refuse_while_reading` know that a file is being read."""
    _read.append(file)
    try:
        yield
    finally:
        _read.pop()


def refuse_while_reading(what: str) -> None:
    """Raise `RulesError` where a file that is being read asks for `what`, such as `serve(…)`."""
    if _read:
        raise RulesError(
            f"{_read[-1]} calls {what} while it is read for its game; put that, and what follows, below "
            '`if __name__ == "__main__":`'
        )
