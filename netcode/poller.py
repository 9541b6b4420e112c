"""Which descriptors are ready: epoll where the kernel has it, the best of `selectors` elsewhere."""

import select
import selectors
import sys
from typing import Protocol

READ = 1
"""Readable; the value of EPOLLIN, so that epoll's answers need no translation."""
WRITE = 4
"""Writable; the value of EPOLLOUT."""
BROKEN = 24
"""Error or hang-up (EPOLLERR | EPOLLHUP): reading tells which."""


class Poller(Protocol):
    """The contract of a poller. Readiness is level-triggered: what is not handled is told again."""

    def add(self, fd: int, bits: int) -> None:
        """Watch `fd` for `bits`. Raises `OSError` for what cannot be watched, such as a plain file."""

    def change(self, fd: int, bits: int) -> None:
        """Watch `fd` for other `bits`; 0 for nothing but its breaking."""

    def remove(self, fd: int) -> None:
        """Stop watching `fd`; unknown or closed ones are ignored."""

    def poll(self, timeout: float | None) -> list[tuple[int, int]]:
        """Return (descriptor, bits) of what is ready, after at most `timeout` seconds; None for no limit."""
        ...

    def fileno(self) -> int:
        """Return a descriptor that is readable when something is ready, or -1."""
        ...

    def close(self) -> None:
        """Give back the poller's own descriptor."""


class SelectorsPoller:
    """A poller on the standard library's `selectors`: kqueue on macOS and BSD, select on Windows."""

    def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
        self._selector = selector or selectors.DefaultSelector()
        self._idle: set[int] = set()  # watched for nothing, which selectors do not know

    def add(self, fd: int, bits: int) -> None:
        if bits:
            self._selector.register(fd, bits & READ | (bits & WRITE) >> 1)
        else:
            self._idle.add(fd)

    def change(self, fd: int, bits: int) -> None:
        self.remove(fd)
        self.add(fd, bits)

    def remove(self, fd: int) -> None:
        self._idle.discard(fd)
        try:
            self._selector.unregister(fd)
        except (KeyError, ValueError):
            pass

    def poll(self, timeout: float | None) -> list[tuple[int, int]]:
        if not self._selector.get_map():
            return []  # Windows' select refuses to wait for nothing
        return [(key.fd, bits & READ | (bits & 2) << 1) for key, bits in self._selector.select(timeout)]

    def fileno(self) -> int:
        fileno = getattr(self._selector, "fileno", None)
        return fileno() if fileno is not None else -1

    def close(self) -> None:
        self._selector.close()


if sys.platform == "linux":

    class EpollPoller:
        """A poller straight on epoll: what is silent costs nothing, and no objects are made per event."""

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
            except OSError:  # closed already, or never watched
                return
            self._watched -= 1

        def poll(self, timeout: float | None) -> list[tuple[int, int]]:
            return self._epoll.poll(timeout, self._watched)

        def fileno(self) -> int:
            return self._epoll.fileno()

        def close(self) -> None:
            self._epoll.close()

    def make_poller() -> Poller:
        """Make the best poller of this system."""
        return EpollPoller()

else:  # pragma: no cover - other systems

    def make_poller() -> Poller:
        """Make the best poller of this system."""
        return SelectorsPoller()
