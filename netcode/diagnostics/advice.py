"""What a program is told that forgets a part of its loop: once, and where it can be read."""

import sys
from collections.abc import Callable

PATIENCE = 5.0
"""Seconds for which a call is missing before the program is told."""

OFTEN = 30
"""Updates that find the same events untaken before that counts as forgotten: a test makes a few."""

SURE = 1.0
"""Seconds for which there must have been something to do, and the longest pause within one loop."""

ASKED, WAITED, SENT = 1, 2, 4
_AGAIN = 8  # one of them a second time
_LOOK = 16
_FEW = 7 * _LOOK | WAITED  # of eight looks one is heard, and none beside a wait, which another thread may be in
_ALL = WAITED
_SLOW = SURE / 16  # eight looks of a loop that pauses for so long would take half as long as a pause may


def advise(text: str) -> None:
    """Warn with a `RuntimeWarning` that points at the program's own line, not at one of ours."""
    import warnings

    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == "netcode":
        frame, level = frame.f_back, level + 1
    warnings.warn(text, RuntimeWarning, stacklevel=level)


def advise_child(of: str) -> None:
    """Tell a program that updates what belongs to the process of which this one was forked."""
    advise(
        f"this {of} belongs to the process that made it, and this is a child of that: here it is over, and nothing is "
        f"received or sent; make a {of} in the process that uses it"
    )


class Attendance:
    """Notices that a program asks, waits, looks and sends for seconds, and has forgotten `update()`.

    Only while there is something to do: a server to whom nobody comes misses nothing. And only while the program goes
    on calling: one that pauses calls nothing.
    """

    __slots__ = ("_check_at", "_last", "_of", "_sure", "_told", "_unheard", "calls")

    def __init__(self, of: str) -> None:
        self._of = of
        self.calls = 0
        """What was called since the last update, which sets it to 0, while the first call of a kind adds its own bit."""
        self._check_at: float | None = None
        self._last = 0.0
        self._sure = False
        self._told = False
        self._unheard = _ALL  # the bits of looks that are not heard

    def look(self, clock: Callable[[], float], has_work: Callable[[], bool]) -> None:
        """Hear that the program looked at what changes in an update, as in `while not server.peers: ...`."""
        self.calls += _LOOK
        if not self.calls & self._unheard:
            self.again(clock, has_work)

    def again(self, clock: Callable[[], float], has_work: Callable[[], bool]) -> None:
        """Hear that a call came again that makes sense once an update, and tell the program if the updates are missing."""
        if not self.calls & _AGAIN:
            self.calls |= _AGAIN
            self._check_at = None
        if self._told:
            self._unheard = _FEW
            return
        now = clock()
        self._unheard = _ALL if now - self._last > _SLOW else _FEW
        if self._check_at is None or now - self._last > SURE:
            self._check_at, self._sure = now + PATIENCE - SURE, False
        self._last = now
        if now < self._check_at:
            return
        if not has_work():
            self._check_at, self._sure = now + PATIENCE, False
        elif not self._sure:
            # It may have come a moment ago, and the update be next.
            self._check_at, self._sure = now + SURE, True
        else:
            self._told = True
            advise(
                f"{self._of}.update() has not been called for {PATIENCE:.0f} seconds although there is something to do: "
                f"without it nothing is received and nothing sent; call it once a frame, before {self._of}.events()"
            )
