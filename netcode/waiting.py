"""Sleeping until it is worth calling `update()`: waiters, and `wait`."""

import math
import select
import sys
from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, NoReturn, Self

from netcode.diagnostics.mistakes import HintedABC
from netcode.loop import poller
from netcode.loop.clock import earliest
from netcode.loop.poller import NAP, bits_of, clip, select_any

Descriptors = poller.Descriptors

MAX_DESCRIPTOR = 2**31 - 1
"""Largest number that a descriptor can have: systems count them in an int of C."""

_SleepFor = Callable[["Waiter", tuple["Waiter", ...], float | None], bool | None]


class Waiter(metaclass=HintedABC):
    """Something that `wait` can wait for: a `Connection`, a `ConnectionSet`, a `Listener`, a `Client`, a `Server`."""

    __slots__ = ()

    @abstractmethod
    def instantiate(self) -> Descriptors:
        """Return the descriptors to give to `select` to wait for this by yourself.

        They are valid until the next `update()`. `select` knows nothing of deadlines (a ping that is due, a
        timeout); `wait` does.
        """

    def __reduce__(self) -> NoReturn:
        """Be neither copied nor pickled."""
        name = type(self).__name__
        raise TypeError(f"a {name} can be neither copied nor pickled: make one where it is used, and pass on peer.id")

    def _descriptors(self) -> Descriptors:
        """Return the descriptors that `wait` uses; a set gives the one of its poller for all of them."""
        return self.instantiate()

    def _before_sleep(self) -> None:
        """Send what is queued: it must not wait for what the sleep waits for."""

    def _seconds_left(self) -> float | None:
        """Return in how many seconds an `update()` is due even if nothing arrives; None for never."""
        return None

    def _slept(self, seconds: float) -> None:
        """Hear that a `wait` meant to sleep `seconds`: that was no pause of ours."""

    def _is_over(self) -> bool:
        """Tell whether having nothing to wait for is for good."""
        return True

    def _sleep_for(self, everybody: "tuple[Waiter, ...]", seconds: float | None) -> bool | None:  # noqa: ARG002 - of nobody's poller
        """Do all of a `wait` for `everybody`, this one among them, in its own poller; None if it has none that can.

        The next update knows then what the poller told, and need not ask again.
        """
        return None


class ClosingWaiter(Waiter):
    """A waiter that is closed at the end of a `with` block."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """End it."""


class CustomWaiter(Waiter):
    """A waiter for descriptors of your own: ints, or objects with `fileno()`.

    Usage: `wait(server, CustomWaiter(read=[sys.stdin]), timeout=1.0)`

    Raises:
        TypeError: one of the arguments is no list of them.
        ValueError: a number is none that a descriptor can have.
    """

    __slots__ = ("_lists",)

    def __init__(
        self, read: Iterable[object] = (), write: Iterable[object] = (), exceptional: Iterable[object] = ()
    ) -> None:
        self._lists = (_numbers("read", read), _numbers("write", write), _numbers("exceptional", exceptional))

    def instantiate(self) -> Descriptors:
        read, write, exceptional = self._lists
        return [*read], [*write], [*exceptional]


class _AnyOf(Waiter):
    __slots__ = ("_waiters",)

    def __init__(self, waiters: tuple[Waiter, ...]) -> None:
        self._waiters = waiters

    def instantiate(self) -> Descriptors:
        return merge(waiter.instantiate() for waiter in self._waiters)

    def _descriptors(self) -> Descriptors:
        return merge(waiter._descriptors() for waiter in self._waiters)

    def _before_sleep(self) -> None:
        for waiter in self._waiters:
            waiter._before_sleep()

    def _seconds_left(self) -> float | None:
        return earliest(*(waiter._seconds_left() for waiter in self._waiters))

    def _slept(self, seconds: float) -> None:
        for waiter in self._waiters:
            waiter._slept(seconds)

    def _is_over(self) -> bool:
        return all(waiter._is_over() for waiter in self._waiters)

    def _sleep_for(self, everybody: tuple[Waiter, ...], seconds: float | None) -> bool | None:
        return _sleep_in_a_poller(_flat(everybody), seconds)


def any_of(*waiters: Waiter) -> Waiter:
    """Make one waiter of many: it has waited as soon as one of them has.

    Raises:
        TypeError: one of `waiters` is none.
    """
    for waiter in waiters:
        if not isinstance(waiter, Waiter):
            hint = (
                f"seconds are timeout={waiter}" if isinstance(waiter, float) else "put descriptors into a CustomWaiter"
            )
            raise TypeError(f"expected a waiter, not {waiter!r:.100}; {hint}")
    return _AnyOf(_flat(waiters))


def wait(*waiters: Waiter, timeout: float | None = None) -> bool:
    """Sleep until it is worth calling `update()` on one of `waiters`.

    First it sends what is queued, as an update would. It wakes when bytes can be read, when more can be written of what
    the network did not take, when a connection is established or fails, and when a deadline comes due. With nothing left
    to wait for, because all are over, it returns at once; also if no `timeout` is given and it could only sleep for ever.

    Args:
        timeout: seconds to sleep at most; None for as long as it takes.

    Returns:
        True if something happened, False if `timeout` seconds passed first.

    Raises:
        TypeError: one of `waiters` is none, or `timeout` is no number.
        ValueError: `timeout` is not finite. A negative one counts as 0: a tick that is late is no error.
    """
    timeout = check_wait(timeout)
    happened = _sleep_in_a_poller(waiters, timeout)
    if happened is not None:
        return happened
    waiter = any_of(*waiters)
    waiter._before_sleep()
    left = waiter._seconds_left()
    if left is not None and left <= 0:
        return True
    lists = waiter._descriptors()
    due = left is not None and (timeout is None or left <= timeout)
    seconds = clip(left if due else timeout)
    if not any(lists) and left is None and (timeout is None or waiter._is_over()):
        return True
    ready = sleep(lists, seconds, lambda: waiter._seconds_left() == 0.0)
    waiter._slept(seconds or 0.0)
    return ready or due


def check_wait(timeout: float | None) -> float | None:
    """Return the seconds to wait: `timeout`, or 0 for less. Raise `TypeError` or `ValueError` for what is no number."""
    if timeout is None:
        return None
    if isinstance(timeout, (int, float)) and -math.inf < timeout < 0:
        return 0.0
    check_timeout(timeout)
    return timeout


def check_timeout(timeout: float | None) -> None:
    """Raise `TypeError` or `ValueError` for what cannot be a number of seconds to wait."""
    if timeout is None:
        return
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise TypeError(f"timeout must be a number of seconds, or None, not {type(timeout).__name__}")
    if not 0 <= timeout <= sys.float_info.max:  # an int may be larger than any float
        raise ValueError(f"timeout must be seconds from 0 up, or None, not {timeout}")


def _sleep_in_a_poller(waiters: tuple[Waiter, ...], seconds: float | None) -> bool | None:
    """Wait for all of `waiters` in the poller of one of them; None if none has one that can."""
    for waiter in waiters:
        # What is no waiter is told later: to ask an abstract class takes long.
        sleep: _SleepFor | None = getattr(type(waiter), "_sleep_for", None)
        happened = None if sleep is None else sleep(waiter, waiters, seconds)
        if happened is not None:
            return happened
    return None


def _flat(waiters: tuple[Waiter, ...]) -> tuple[Waiter, ...]:
    """Return `waiters` with those of which one was made in its place."""
    return tuple(one for waiter in waiters for one in (waiter._waiters if isinstance(waiter, _AnyOf) else (waiter,)))


def _numbers(name: str, descriptors: Any) -> list[int]:
    """Return the descriptors of several ints and objects with `fileno()`."""
    given: Any = descriptors
    # A file is iterable: whoever gives one in place of a list would wait for lines of it.
    if not isinstance(descriptors, Iterable) or isinstance(descriptors, str) or hasattr(given, "fileno"):
        raise TypeError(f"{name} must be a list, as in {name}=[sys.stdin], not {type(given).__name__}")
    return [*map(_number, given)]


def _number(descriptor: object) -> int:
    """Return the descriptor of an int or of an object with `fileno()`."""
    fileno = None if isinstance(descriptor, int) else getattr(descriptor, "fileno", None)
    number = descriptor if fileno is None else fileno()
    if not isinstance(number, int) or isinstance(number, bool):  # True would be standard output
        raise TypeError(f"expected a descriptor or an object with fileno(), not {type(descriptor).__name__}")
    if not -1 <= number <= MAX_DESCRIPTOR:  # what is closed has -1, which its owner gets to see
        raise ValueError(f"a descriptor is a number from 0 to {MAX_DESCRIPTOR}, not {number}")
    return number


def merge(lists: Iterable[Descriptors]) -> Descriptors:
    """Return what to wait on for all of these."""
    read: list[int] = []
    write: list[int] = []
    exceptional: list[int] = []
    for r, w, e in lists:
        read += r
        write += w
        exceptional += e
    return read, write, exceptional


def sleep(lists: Descriptors, seconds: float | None, has_reason: Callable[[], bool]) -> bool:
    """Sleep until a descriptor is ready.

    Args:
        lists: what to wait on.
        seconds: to sleep at most; None for as long as it takes.
        has_reason: asked between two naps whether a signal handler has given a reason to end.

    Returns:
        False if the time passed first.
    """
    while seconds is None or seconds > NAP:
        if _poll(lists, NAP) or has_reason():
            return True
        seconds = None if seconds is None else seconds - NAP
    return _poll(lists, seconds)


def _poll(lists: Descriptors, seconds: float) -> bool:
    """Sleep until a descriptor is ready; a closed one counts as ready, so that its owner gets to see it."""
    if not hasattr(select, "poll"):  # Windows
        return _select(lists, seconds)
    poll = select.poll()
    for fd, bits in bits_of(lists):
        if fd < 0:
            return True
        poll.register(fd, bits)
    # Rounded up: a deadline that is half a millisecond off must not be polled for in a busy loop.
    return bool(poll.poll(math.ceil(seconds * 1000)))


def _select(lists: Descriptors, seconds: float) -> bool:
    try:
        return any(select_any(lists, seconds))
    except (OSError, ValueError):
        return True
