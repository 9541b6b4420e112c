"""What tells a process that does nothing but serve to end."""

import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager


@contextmanager
def ended_by(end: Callable[[int, object], None]) -> Generator[None]:
    """Have `end` called when this process is told to end, or the terminal is closed in which it was started.

    Whoever is to outlive that ignores SIGHUP from its start, as `nohup` has it, and goes on to.
    """
    numbers: list[signal.Signals] = [signal.SIGTERM]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        numbers.append(signal.SIGHUP)
    before = [(number, signal.signal(number, end)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
