"""The file of a game that is read: which module came from it, and that it is not to serve or to play meanwhile."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

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


def is_read_from(origin: str | None, path: Path | str) -> bool:
    """Tell whether what a module came from is this file."""
    return origin is not None and Path(origin).resolve() == Path(path).resolve()
