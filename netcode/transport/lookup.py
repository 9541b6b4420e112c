"""Name look-ups that never block a frame."""

import socket
import sys
from collections.abc import Callable
from typing import Any, ClassVar

from netcode.loop.forks import keep_from_children

MAX_LOOKUPS = 16
"""Name look-ups under way at once; further ones wait their turn. Each holds a hidden thread while it lasts, which is
for as long as the system's resolver likes: nobody can end it."""

MAX_LOOKUPS_OF_ONE_NAME = 8
"""How many of them are for one name: whoever asks again and again for one that nobody answers leaves room for others."""

MAX_CANDIDATES = 64
"""Addresses of one name that are tried at most. Of those that fail at once, all are tried in one frame."""

Candidate = tuple[int, tuple[Any, ...]]
"""An address family, and the address as the operating system's `connect` takes it."""

Resolve = Callable[..., list[tuple[Any, ...]]]
"""A function with the signature of `socket.getaddrinfo`, which may block."""


def without_asking(host: str, port: int) -> list[Candidate] | None:
    """Return the candidates for `host` if they are known without asking anybody, else None."""
    if "\0" in host:
        return []  # C would read the name up to there
    if host.lower().rstrip(".") == "localhost":
        # RFC 6761, 6.3: localhost is the loopback interface; nobody needs to be asked.
        loopback: list[Candidate] = [(socket.AF_INET, ("127.0.0.1", port))]
        if socket.has_ipv6:
            loopback.insert(0, (socket.AF_INET6, ("::1", port, 0, 0)))
        return loopback
    try:
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        found = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM, flags=flags)
    except (OSError, UnicodeError, ValueError):
        return None
    return candidates(found)


def candidates(found: list[tuple[Any, ...]]) -> list[Candidate]:
    """Order look-up results for racing: families take turns, the system's favourite first (RFC 8305, section 4)."""
    wanted = [(entry[0], entry[4]) for entry in found if entry[0] in (socket.AF_INET, socket.AF_INET6)]
    if not wanted:
        return []
    first = [c for c in wanted if c[0] == wanted[0][0]]
    second = [c for c in wanted if c[0] != wanted[0][0]]
    ordered: list[Candidate] = []
    for i in range(max(len(first), len(second))):
        ordered += first[i : i + 1] + second[i : i + 1]
    return ordered


@keep_from_children
class Lookup:
    """A name look-up off the frame.

    The system's resolver blocks and cannot be interrupted, so it runs in a thread of its own, which nobody
    waits for: an answer that comes after `cancel` goes nowhere. There are `MAX_LOOKUPS` of these threads at most, also
    where the resolver never comes back; how long one waits for it is the business of who connects. In a page of a
    browser there are no threads, and the resolver asks nobody: it makes up an address that stands for the name, and the
    browser looks it up when it connects.
    """

    _wake = -1
    _running: ClassVar[set["Lookup"]] = set()  # a set, because its changes are atomic between threads

    def __init__(self, host: str, port: int, resolve: Resolve = socket.getaddrinfo) -> None:
        self.host, self._resolve = host, resolve
        self._port = int(port)  # getaddrinfo takes no member of an IntEnum
        self._answer: list[Candidate] | OSError | None = without_asking(host, port)
        self._started = self._answer is not None
        self.poll()

    def poll(self) -> list[Candidate] | OSError | None:
        """Return the candidates, the error, or None while nobody has answered."""
        if not self._started and self._has_its_turn():
            self._start()
        return self._answer

    def fileno(self) -> int:
        """Return a descriptor that becomes readable with the answer, or -1 while nobody is asked."""
        return self._wake

    def cancel(self) -> None:
        """Stop caring. The thread, if one runs, ends with the resolver's own timeout."""
        self._started = True
        if self._wake >= 0:
            socket.close(self._wake)
            self._wake = -1

    __del__ = cancel

    def _has_its_turn(self) -> bool:
        running = Lookup._running.copy()
        alike = sum(one.host == self.host for one in running)
        return len(running) < MAX_LOOKUPS and alike < MAX_LOOKUPS_OF_ONE_NAME

    @classmethod
    def _abandon(cls) -> None:
        """Forget the threads of the parent, which a forked child has not."""
        cls._running.clear()

    def _start(self) -> None:
        self._started = True
        if sys.platform == "emscripten":
            self._answer = self._look_up()
            return
        import _thread  # not threading: nothing here needs it, and programs without it start faster

        try:
            wake, alarm = socket.socketpair()
        except OSError as error:
            self._answer = error
            return
        # A number, not a socket object, which could be finalised before it is closed. No call comes in between.
        number = wake.fileno()
        self._wake = number
        wake.detach()
        try:
            Lookup._running.add(self)
            _thread.start_new_thread(self._ask, (alarm,))
        except RuntimeError as error:  # the process may start no more threads
            self._answered(OSError(str(error)), alarm)
        except BaseException:  # Ctrl-C, say
            Lookup._running.discard(self)
            alarm.close()
            raise

    def _ask(self, alarm: socket.socket) -> None:
        """Ask the resolver; runs in the thread."""
        answer: list[Candidate] | OSError = OSError("the resolver failed")
        try:
            answer = self._look_up()
        finally:
            self._answered(answer, alarm)

    def _look_up(self) -> list[Candidate] | OSError:
        try:
            return candidates(self._resolve(self.host, self._port, type=socket.SOCK_STREAM))[:MAX_CANDIDATES]
        except ValueError as error:  # what cannot be a name: a label of 64 characters, a null
            return socket.gaierror(socket.EAI_NONAME, str(error))
        except OSError as error:
            return error

    def _answered(self, answer: list[Candidate] | OSError, alarm: socket.socket) -> None:
        """Keep the answer, let the next one ask, and wake whoever waits."""
        self._answer = answer
        Lookup._running.discard(self)
        try:
            alarm.send(b"!")  # a forked child may have a copy, which closing ours would have to wait for
        except OSError:
            pass  # nobody waits any more
        alarm.close()
