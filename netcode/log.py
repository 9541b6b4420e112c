"""The library's log: debug lines for state changes, and warnings that a flood cannot multiply.

`logging` is imported only where there is something to say, because it pulls in `threading`, which
`import netcode` promises not to do.
"""

import sys
import time
from collections.abc import Callable

INTERVAL = 1.0
"""Seconds between two warnings of one cause."""

_next_warning: dict[str, float] = {}


def debug(text: str, *arguments: object) -> None:
    """Log a debug line, if the program uses `logging` at all."""
    logging = sys.modules.get("logging")
    if logging is not None:
        logging.getLogger("netcode").debug(text, *arguments)


def warn(cause: str, text: str, *arguments: object, clock: Callable[[], float] = time.monotonic) -> None:
    """Log a warning, at most one a second for each `cause`. Never pass it the `repr` of what a stranger sent."""
    now = clock()
    if now < _next_warning.get(cause, float("-inf")):
        return
    try:
        import logging
    except (ImportError, OSError):
        return  # descriptors ran out, which is what most of these warnings are about: the next one may succeed
    _next_warning[cause] = now + INTERVAL
    logging.getLogger("netcode").warning(text, *arguments)
