"""The library's log: debug lines for state changes, and warnings that a flood cannot multiply.

`logging` is imported only where there is something to say, because it pulls in `threading`, which
`import netcode` promises not to do.
"""

import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

INTERVAL = 1.0
"""Seconds between two warnings of one cause."""

_counts: ContextVar[dict[str, int] | None] = ContextVar("counts", default=None)
_next_warning: dict[str, float] = {}
_has_failed = False  # a handler, as was told


def debug(text: str, *arguments: object) -> None:
    """Log a debug line, if the program uses `logging` at all."""
    logging = sys.modules.get("logging")
    if logging is not None:
        _log(logging, "debug", text, arguments)


MAX_TRACEBACK = 10_000
"""Characters of a traceback that are logged at most: what its error says may be a stranger's words."""


def error(
    cause: str, text: str, *arguments: object, error: BaseException, clock: Callable[[], float] = time.monotonic
) -> None:
    """Log the traceback of an error in the game's own code that the library outlives, at most one a second.

    It is indented and escaped, so that what a stranger said in it is neither a line of its own nor a command.
    """
    if clock() < _next_warning.get(cause, float("-inf")):
        return
    import traceback

    said = "".join(traceback.format_exception(error))[-MAX_TRACEBACK:]
    lines = ["".join(c if c.isprintable() else ascii(c)[1:-1] for c in line) for line in said.split("\n")]
    warn(cause, f"{text}\n%s", *arguments, "\n".join(f"    {line}" for line in lines).rstrip(), clock=clock)


def warn(cause: str, text: str, *arguments: object, clock: Callable[[], float] = time.monotonic) -> None:
    """Log a warning, at most one a second for each `cause`. Never pass it the `repr` of what a stranger sent."""
    now, counts = clock(), _counts.get()
    if counts is not None:
        counts[cause] = counts.get(cause, 0) + 1
        if counts[cause] > 1:
            return
    elif now < _next_warning.get(cause, float("-inf")):
        return
    try:
        import logging
    except (ImportError, OSError):
        return  # descriptors ran out, which is what most of these warnings are about: the next one may succeed
    _next_warning[cause] = now + INTERVAL
    _log(logging, "warning", text, arguments)


@contextmanager
def each_once() -> Generator[Mapping[str, int]]:
    """Warn of each cause once in here, in this thread; what is given says how often each came up. For who tries everything."""
    counts = dict[str, int]()
    before = _counts.set(counts)
    try:
        yield counts
    finally:
        _counts.reset(before)


def _log(logging: Any, how: str, text: str, arguments: tuple[object, ...]) -> None:
    """Have the program's own logging say something. Where a handler raises, that is told once: it ends nobody's link."""
    global _has_failed  # noqa: PLW0603 - a program has one log
    try:
        getattr(logging.getLogger("netcode"), how)(text, *arguments)
    except Exception:  # noqa: BLE001 - handlers, filters and a file of the game's called logging.py may do anything
        if _has_failed or sys.stderr is None:
            return
        _has_failed = True
        import traceback

        try:
            sys.stderr.write(
                f"the log cannot be written, for a handler of this program fails:\n{traceback.format_exc()}"
            )
        except Exception:  # noqa: BLE001, S110 - a stream may be of any kind, and none of them may end a link
            pass
