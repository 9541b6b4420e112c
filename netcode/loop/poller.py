"""Which descriptors are ready: epoll where the kernel has it, kqueue or select elsewhere."""

import math
import select
import selectors
import sys
import time
from itertools import chain
from typing import Protocol

READ = 1
"""Readable; the value of EPOLLIN, so that epoll's answers need no translation."""
WRITE = 4
"""Writable; the value of EPOLLOUT."""
BROKEN = 24
"""Error or hang-up (EPOLLERR | EPOLLHUP): reading tells which."""

URGENT = 2
"""An exceptional condition; the value of EPOLLPRI."""

EDGE = 0x80002000
"""With READ: tell of what comes, and of the other end's end, once (EPOLLET | EPOLLRDHUP). Only epoll knows this, and is
spared a second look at what was handled; the others go on telling."""

MAX_SLEEP = 86_400.0
"""Seconds of one sleep at most: the calls that sleep count milliseconds in an int."""

NAP = 0.5
"""Seconds after which a longer sleep looks whether a signal handler has given it a reason to end: what a handler does
does not end a call that sleeps (PEP 475)."""

SELECT_LIMIT = 512
"""Sockets that one `select` of Windows takes."""

SELECT_PAUSE = 0.01
"""Seconds between two looks at what one `select` does not take."""

SELECT_MOST = math.inf if sys.platform == "win32" else 1024
"""Numbers of descriptors that `select` takes; on Windows they are no numbers in a row."""

Descriptors = tuple[list[int], list[int], list[int]]
"""Descriptors to wait on: for reading, for writing, for exceptional conditions."""


def clip(seconds: float | None) -> float | None:
    """Return how much of a sleep one call can take."""
    return None if seconds is None else min(seconds, MAX_SLEEP)


class Poller(Protocol):
    """The contract of a poller. Readiness is level-triggered: what is not handled is told again, but for `EDGE`."""

    tells_of_breaking: bool
    """Whether it tells when what is watched for nothing breaks."""

    def add(self, fd: int, bits: int) -> None:
        """Watch `fd` for `bits`. Raises `OSError` for what cannot be watched, such as a plain file."""

    def change(self, fd: int, bits: int) -> None:
        """Watch `fd` for other `bits`; 0 for nothing but its breaking."""

    def remove(self, fd: int) -> None:
        """Stop watching `fd`; unknown or closed ones are ignored."""

    def poll(self, timeout: float | None, most: int | None = None) -> list[tuple[int, int]]:
        """Return (descriptor, bits) of what is ready, after at most `timeout` seconds; None for no limit.

        Args:
            most: how many are enough, where the system can be asked for so many; the others are told next time.
        """
        ...

    def fileno(self) -> int:
        """Return a descriptor that is readable when something is ready, or -1."""
        ...

    def close(self) -> None:
        """Give back the poller's own descriptor."""


class SelectorsPoller:
    """A poller on the standard library's `selectors`: kqueue on macOS and BSD."""

    tells_of_breaking = False

    def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
        self._selector = selector or selectors.DefaultSelector()

    def add(self, fd: int, bits: int) -> None:
        self.remove(fd)  # of one that others closed, whose number this is now
        if bits:  # to be watched for nothing is what selectors do not know
            self._selector.register(fd, bits & READ | (bits & WRITE) >> 1)

    def change(self, fd: int, bits: int) -> None:
        self.add(fd, bits)

    def remove(self, fd: int) -> None:
        try:
            self._selector.unregister(fd)
        except (KeyError, ValueError):
            pass  # closed already, or watched for nothing

    def poll(self, timeout: float | None, most: int | None = None) -> list[tuple[int, int]]:
        return [(key.fd, bits & READ | (bits & 2) << 1) for key, bits in self._selector.select(timeout)]

    def fileno(self) -> int:
        fileno = getattr(self._selector, "fileno", None)
        return -1 if fileno is None else fileno()

    def close(self) -> None:
        self._selector.close()


class SelectPoller:
    """A poller on `select`, for Windows: in parts, because one call takes `SELECT_LIMIT` sockets there."""

    tells_of_breaking = False

    def __init__(self) -> None:
        self._read: dict[int, None] = {}
        self._write: dict[int, None] = {}

    def add(self, fd: int, bits: int) -> None:
        self.change(fd, bits)

    def change(self, fd: int, bits: int) -> None:
        self.remove(fd)
        if bits & READ:
            self._read[fd] = None
        if bits & WRITE:
            self._write[fd] = None

    def remove(self, fd: int) -> None:
        self._read.pop(fd, None)
        self._write.pop(fd, None)

    def poll(self, timeout: float | None, most: int | None = None) -> list[tuple[int, int]]:
        try:
            return bits_of(select_any(([*self._read], [*self._write], []), timeout))
        except (OSError, ValueError):
            # One that somebody else has closed; what it is told of is that it broke, and all others are told of next time.
            return [(fd, BROKEN) for fd in {**self._read, **self._write} if not _is_open(fd)]

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        self._read.clear()
        self._write.clear()


class PollPoller:
    """A poller on `poll`, where something like gevent has taken epoll away."""

    tells_of_breaking = True

    def __init__(self) -> None:
        self._poll = select.poll()

    def add(self, fd: int, bits: int) -> None:
        self._poll.register(fd, bits & (READ | WRITE))

    def change(self, fd: int, bits: int) -> None:
        self._poll.modify(fd, bits & (READ | WRITE))

    def remove(self, fd: int) -> None:
        try:
            self._poll.unregister(fd)
        except KeyError:  # never watched
            pass

    def poll(self, timeout: float | None, most: int | None = None) -> list[tuple[int, int]]:
        told = self._poll.poll(None if timeout is None else math.ceil(timeout * 1000))
        return [(fd, bits | BROKEN if bits & select.POLLNVAL else bits) for fd, bits in told]

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        self._poll = select.poll()


def merged(told: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return one entry for each descriptor with all that was told of it: kqueue tells of reading and of writing apart."""
    ready: dict[int, int] = {}
    for fd, bits in told:
        ready[fd] = ready.get(fd, 0) | bits
    return [*ready.items()]


def bits_of(lists: Descriptors) -> list[tuple[int, int]]:
    """Return one entry for each descriptor with the bits of all the lists that it is in."""
    return merged([(fd, bit) for fds, bit in zip(lists, (READ, WRITE, URGENT), strict=True) for fd in fds])


def select_any(wanted: Descriptors, timeout: float | None) -> Descriptors:
    """Do what `select.select` does, also for nothing, for many, and for numbers that it does not take.

    Of the latter nobody knows whether they are ready: they are told as that, but for a pause between two looks.
    """
    if max(chain(*wanted), default=0) < SELECT_MOST:
        return select_in_parts(wanted, timeout)
    read, write, exceptional = ([fd for fd in fds if fd < SELECT_MOST] for fds in wanted)
    ready = select_in_parts((read, write, exceptional), min(math.inf if timeout is None else timeout, SELECT_PAUSE))
    for found, fds in zip(ready, wanted, strict=True):
        found.extend([fd for fd in fds if fd >= SELECT_MOST])
    return ready


def _is_open(fd: int) -> bool:
    """Tell whether `select` can be asked about a descriptor."""
    try:
        select_any(([fd], [], []), 0)
    except (OSError, ValueError):
        return False
    return True


def select_in_parts(wanted: Descriptors, timeout: float | None, limit: int = SELECT_LIMIT) -> Descriptors:
    """Do what `select.select` does, also for nothing and for more than `limit`, which Windows' refuses."""
    ready: Descriptors = [], [], []
    if not any(wanted):
        time.sleep(timeout or 0.0)
        return ready
    longest = max(map(len, wanted))
    if longest <= limit:
        return select.select(*wanted, timeout)
    deadline = math.inf if timeout is None else time.monotonic() + timeout
    while True:
        for start in range(0, longest, limit):
            read, write, exceptional = (fds[start : start + limit] for fds in wanted)
            for found, fds in zip(ready, select.select(read, write, exceptional, 0), strict=True):
                found.extend(fds)
        left = deadline - time.monotonic()
        if any(ready) or left <= 0:
            return ready
        time.sleep(min(SELECT_PAUSE, left))


if sys.platform == "linux":

    class EpollPoller:
        """A poller straight on epoll: what is silent costs nothing, and no objects are made per event."""

        tells_of_breaking = True

        def __init__(self) -> None:
            self._epoll = select.epoll()
            self._watched = 1

        def add(self, fd: int, bits: int) -> None:
            self._epoll.register(fd, bits)
            self._watched += 1

        def change(self, fd: int, bits: int) -> None:
            self._epoll.modify(fd, bits)

        def remove(self, fd: int) -> None:
            try:
                self._epoll.unregister(fd)
            except (OSError, ValueError):  # closed already, or never watched; or the poller itself is closed
                return
            self._watched -= 1

        def poll(self, timeout: float | None, most: int | None = None) -> list[tuple[int, int]]:
            return self._epoll.poll(timeout, most or self._watched)

        def fileno(self) -> int:
            return -1 if self._epoll.closed else self._epoll.fileno()

        def close(self) -> None:
            self._epoll.close()

    def make_poller() -> Poller:
        """Make the best poller of this system, of those that are left: gevent and eventlet take some away."""
        if hasattr(select, "epoll"):
            return EpollPoller()
        return PollPoller() if hasattr(select, "poll") else SelectPoller()

elif sys.platform == "win32":

    def make_poller() -> Poller:
        """Make the best poller of this system."""
        return SelectPoller()

else:  # pragma: no cover - macOS and the BSDs

    def make_poller() -> Poller:
        """Make the best poller of this system, of those that are left: gevent and eventlet take some away."""
        return SelectorsPoller() if hasattr(select, "kqueue") else SelectPoller()
