"""Rules that never come to an end: which rule runs, seen from outside, and an interrupt for one that runs too long."""

import _thread
import contextlib
import faulthandler
import os
import signal
import sys
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, TracebackType

LIMIT = 10.0
"""Seconds that one rule may run."""
LOOKS = 10
"""So many times it is looked, in that time, whether the rule is the same: a program that was stopped meanwhile has not run."""

_KIT = f"{Path(__file__).parents[2]}{os.sep}"
_LIBRARY = f"{Path(os.__file__).parent}{os.sep}"


@dataclass(frozen=True, slots=True)
class Running:
    """A rule that runs, and the line of its file at which it is."""

    rule: str
    """`Class.method`; "" for the file itself, while it is loaded."""
    file: str
    line: int

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}"
        return f"{self.rule}, at {where}" if self.rule else where


def running_at(frame: FrameType | None) -> Running | None:
    """Return the rule in which a frame is; None where the kit runs, or whoever called it."""
    return _found(reversed([*_callers(frame)]))


def call_at(frame: FrameType | None) -> FrameType | None:
    """Return the frame of the rule in which a frame is; None where the kit runs, or whoever called it."""
    return _call_of(reversed([*_callers(frame)]))


def running_in(trace: TracebackType | None) -> Running | None:
    """Return the rule in which something was raised; None where it was elsewhere."""
    return _found(_steps(trace))


def _callers(frame: FrameType | None) -> Iterator[tuple[FrameType, int]]:
    while frame is not None:
        yield frame, frame.f_lineno or 0
        frame = frame.f_back


def _steps(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno or 0
        trace = trace.tb_next


def _call_of(steps: Iterable[tuple[FrameType, int]]) -> FrameType | None:
    """Return the call of a rule, from the outermost call on: the first that is not the kit's own where the kit has called."""
    in_kit = False
    for frame, _ in steps:
        file = frame.f_code.co_filename
        if in_kit and is_of_user(file):
            return frame
        in_kit = in_kit or file.startswith(_KIT)
    return None


def _found(steps: Iterable[tuple[FrameType, int]]) -> Running | None:
    known = [*steps]
    call = _call_of(known)
    if call is None:
        return None
    code = call.f_code
    lines = [line for frame, line in known if frame.f_code.co_filename == code.co_filename]
    return Running(_name_of(code), _shown(code.co_filename), lines[-1])


def is_of_user(file: str) -> bool:
    """Tell whether a file is neither the kit's nor one of Python's own library."""
    if file.startswith(("<", _KIT)):
        return False
    return not file.startswith(_LIBRARY) or "site-packages" in file


def _name_of(code: CodeType) -> str:
    return code.co_qualname.rpartition("<locals>.")[2].removeprefix("<module>")


def _shown(file: str) -> str:
    """Return a path as somebody types it who is where the program is."""
    with contextlib.suppress(ValueError, OSError):  # it is elsewhere, or the folder is gone
        return str(Path(file).relative_to(Path.cwd()))
    return file


class Watch:
    """Looks, again and again, whether it is still the same call of a rule that runs."""

    def __init__(self) -> None:
        self.found: Running | None = None
        """The rule that ran too long."""
        self._call: FrameType | None = None
        self._looks = 0

    def look(self, frame: FrameType | None) -> bool:
        """Look where a thread is; tell whether the rule that it runs has run too long."""
        call = call_at(frame)
        if call is None or call is not self._call:
            self._call, self._looks = call, 0
            return False
        self._looks += 1
        if self._looks < LOOKS:
            return False
        self.found = running_at(frame)
        return True


@contextlib.contextmanager
def watched(watch: Watch, limit: float = LIMIT) -> Generator[None]:
    """Interrupt a rule that runs for longer than so many seconds, as Ctrl-C does: the main thread raises `KeyboardInterrupt`.

    What no Python code runs in cannot be interrupted, such as `sum(itertools.count())`: of that, where it is goes to
    the standard error. To be used in the main thread; elsewhere it watches nothing.
    """
    import threading  # nobody who plays needs it

    over, watched = threading.Event(), threading.main_thread()

    def look() -> None:
        while not over.wait(limit / LOOKS):
            if watch.look(sys._current_frames().get(watched.ident or 0)):
                _interrupt(watched.ident or 0)
            else:
                _dump_later(limit)

    looker = threading.Thread(target=look, name="netcode watches the rules", daemon=True)
    if threading.current_thread() is not watched:
        yield
        return
    with _alarmed():
        _dump_later(limit)
        looker.start()
        try:
            yield
        finally:
            over.set()
            looker.join()
            faulthandler.cancel_dump_traceback_later()


@contextlib.contextmanager
def _alarmed() -> Generator[None]:
    """Have an alarm do what Ctrl-C does, which a program that a shell has started in the background ignores."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)


def _interrupt(thread: int) -> None:
    if hasattr(signal, "SIGALRM"):
        signal.pthread_kill(thread, signal.SIGALRM)  # also out of a sleep, or another call of the system
    else:
        _thread.interrupt_main()


def _dump_later(limit: float) -> None:
    """Have it written where all threads are, unless this is called again in time: also while no thread can run."""
    if sys.__stderr__ is not None:
        with contextlib.suppress(ValueError, OSError):  # it is closed, or there is no file behind it
            faulthandler.dump_traceback_later(3 * limit, file=sys.__stderr__)
