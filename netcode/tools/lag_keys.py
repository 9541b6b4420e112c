"""The keyboard of `lag`: which key changes what, and how a key is read without waiting for it.

A terminal is read key by key on POSIX (termios) and on Windows (msvcrt); without a terminal there are no keys, and the
tool works all the same.
"""

import os
import re
import sys
from dataclasses import replace
from typing import Protocol, TextIO

from netcode.faults import Faults

HELP = (
    "keys: l L latency, j J jitter, r R rate, s S stall (small letter less, capital more), "
    "space hold, c cut, e end, 0 no faults, o as at the start, q quit"
)

LATENCY_STEP = 0.01
STALL_STEP = 0.5
STALL_EVERY = 10.0

_SPECIAL = re.compile("[\0\xe0]." if sys.platform == "win32" else r"\x1b+(?:\[[0-?]*[ -/]*[@-~]|O?.)?", re.DOTALL)
"""What arrows, F3 and the like come as: several characters, of which none was meant (ECMA-48, 5.4)."""

RATES = tuple(float(digit * 10**power) for power in range(3, 8) for digit in (1, 2, 5))


def press(key: str, faults: Faults, original: Faults) -> Faults:
    """Return the faults after `key`; a key that changes none returns them as they are."""
    match key:
        case "l" | "L":
            faults = replace(faults, latency=_step(faults.latency, LATENCY_STEP, up=key == "L"))
        case "j" | "J":
            faults = replace(faults, jitter=_step(faults.jitter, LATENCY_STEP, up=key == "J"))
        case "r" | "R":
            faults = replace(faults, rate=_slower(faults.rate) if key == "r" else _faster(faults.rate))
        case "s" | "S":
            faults = _stall(faults, up=key == "S")
        case " ":
            faults = replace(faults, held=not faults.held)
        case "0":
            faults = Faults(cut_with=faults.cut_with)
        case "o":
            faults = original
        case _:
            pass
    return faults


def _step(value: float, step: float, *, up: bool) -> float:
    # Rounded, so that ten steps up and ten down are where they began.
    return max(0.0, round(value + (step if up else -step), 6))


def _slower(rate: float | None) -> float:
    lower = [step for step in RATES if rate is None or step < rate]
    return max(lower, default=RATES[0] if rate is None else min(rate, RATES[0]))


def _faster(rate: float | None) -> float | None:
    return None if rate is None else min((step for step in RATES if step > rate), default=None)


def _stall(faults: Faults, *, up: bool) -> Faults:
    every = faults.stall_every or STALL_EVERY
    longest = max(faults.stall, every - STALL_STEP)
    return replace(faults, stall=min(_step(faults.stall, STALL_STEP, up=up), longest), stall_every=every)


def plain(typed: str) -> str:
    """Return the keys in what was typed that have a character of their own."""
    return _SPECIAL.sub("", typed)


class Keyboard(Protocol):
    """Give the keys that were pressed."""

    def read(self) -> str:
        """Return what was typed since the last call, "" for nothing; never waits."""
        ...

    def close(self) -> None:
        """Give the terminal back as it was."""
        ...


class NoKeyboard:
    """Stand for a terminal where there is none."""

    def read(self) -> str:
        """Return that nothing was typed."""
        return ""

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""


if sys.platform == "win32":
    import msvcrt

    class Terminal:
        """Read keys from the console."""

        def __init__(self, descriptor: int) -> None:
            """Take the console of the process; the descriptor is not needed here."""

        def read(self) -> str:
            """Return what was typed since the last call, "" for nothing; never waits."""
            typed = ""
            while msvcrt.kbhit():
                typed += msvcrt.getwch()
            return plain(typed)

        def close(self) -> None:
            """Do nothing: the console was not changed."""

    def in_foreground(_: int) -> bool:
        """Tell whether keys are typed at this process: a console has no background."""
        return True
else:
    import select
    import termios
    import tty

    class Terminal:
        """Read keys from a terminal one by one, without Enter and without echo; Ctrl-C stays a signal."""

        def __init__(self, descriptor: int) -> None:
            self._descriptor = descriptor
            self._before = termios.tcgetattr(descriptor)
            tty.setcbreak(descriptor)

        def read(self) -> str:
            """Return what was typed since the last call, "" for nothing; never waits."""
            # A process in the background that reads its terminal is stopped by SIGTTIN: leave the keys to the shell.
            if not in_foreground(self._descriptor):
                return ""
            readable, _, _ = select.select([self._descriptor], [], [], 0)
            return plain(os.read(self._descriptor, 64).decode(errors="ignore")) if readable else ""

        def close(self) -> None:
            """Give the terminal back as it was."""
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)

    def in_foreground(descriptor: int) -> bool:
        """Tell whether keys typed at this terminal go to this process, and not to a shell in front of it."""
        try:
            return os.tcgetpgrp(descriptor) == os.getpgrp()
        except OSError:
            return False


def open_keyboard(stream: TextIO | None) -> Keyboard:
    """Read keys from `stream` if it is a terminal that belongs to this process, and from nowhere otherwise.

    Args:
        stream: What `sys.stdin` is; None where the process was started without one.
    """
    if stream is not None and stream.isatty() and in_foreground(stream.fileno()):
        return Terminal(stream.fileno())
    return NoKeyboard()
