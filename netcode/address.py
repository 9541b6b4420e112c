"""Where the other end is: addresses, and name look-ups that never block a frame."""

import re
import socket
import sys
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from netcode.forks import keep_from_children

MAX_LOOKUPS = 16
"""Name look-ups under way at once; further ones wait their turn. Each holds a hidden thread while it lasts."""

MAX_ADDRESS = 260
"""Characters of an address that travels, with its port: as many as the longest host name needs."""

_FORM = re.compile(r"(?:([A-Za-z0-9._-]+)|\[([0-9A-Fa-f:.]+)\]):([1-9][0-9]{0,4})", re.ASCII)

_TUPLE: Any = tuple  # of unknown type to the type checkers, as what strangers give is

Candidate = tuple[int, tuple[Any, ...]]
"""An address family, and the address as the operating system's `connect` takes it."""

Resolve = Callable[..., list[tuple[Any, ...]]]
"""A function with the signature of `socket.getaddrinfo`, which may block."""


class Address(NamedTuple):
    """A host and a port. Prints as `host:port`, with brackets around IPv6."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def check_port(port: int) -> None:
    """Raise `TypeError` or `ValueError` for what cannot be a port."""
    if not isinstance(port, int) or isinstance(port, bool):
        hint = ": int(port) makes one of it" if isinstance(port, str) else ""
        raise TypeError(f"port must be an int, not {type(port).__name__}{hint}")
    if not 0 <= port <= 65_535:
        raise ValueError(f"port must be from 0 to 65535, not {port}")


def check_host(host: str) -> None:
    """Raise `TypeError` or `ValueError` for what cannot be a host, saying what was probably meant."""
    if not isinstance(host, str):
        raise TypeError(f"host must be a str, not {type(host).__name__}")
    if host != host.strip() or " " in host:
        raise ValueError(f"host must be a name or an address without blanks, not {host!r}")
    if "/" in host:
        name = (host.partition("//")[2] or host).partition("/")[0].partition(":")[0]
        raise ValueError(f"host must be a name or an address, not a URL: {name!r}, not {host!r}")
    name, colon, port = host.rpartition(":")
    if host.startswith("["):
        raise ValueError(f"host must be an IPv6 address without brackets, and the port apart, not {host!r}")
    if colon and ":" not in name:
        raise ValueError(f"host must be without the port, which is the next argument: {name!r}, {port}, not {host!r}")


def check_destination(host: str, port: int) -> None:
    """Raise `TypeError` or `ValueError` for what cannot be connected to."""
    check_port(port)
    check_host(host)
    if not host or port == 0:
        raise ValueError(f"cannot connect to host {host!r}, port {port}: both must be given")


def address_from_wire(text: Any) -> Address | None:
    """Read `host:port` as `str(address)` writes it; None for whatever else a stranger may have sent."""
    found = _FORM.fullmatch(text) if isinstance(text, str) and len(text) <= MAX_ADDRESS else None
    if found is None or int(found[3]) > 65_535 or (found[2] is not None and ":" not in found[2]):
        return None
    return Address(str(found[1] or found[2]), int(found[3]))


def check_address(address: Any, name: str) -> Address:
    """Return a public address that was given as `Address`, as `(host, port)` or as `"host:port"`.

    Raises:
        TypeError, ValueError: it is none, or one that cannot be told to others; `name` is what it was given as.
    """
    text: Any = address
    if isinstance(address, tuple) and len(_TUPLE(address)) == 2:
        host, port = _TUPLE(address)
        check_destination(host, port)
        text = str(Address(host, port))
    if not isinstance(text, str):
        raise TypeError(f'{name} must be (host, port) or "host:port", not {type(text).__name__}')
    found = address_from_wire(text)
    if found is None:
        example = '"play.example.org:7777" or "[::1]:7777"'
        raise ValueError(f"{name} must be a host and a port, such as {example}, not {text!r}")
    return found


def make_address(host: str, port: int) -> Address:
    """Look up `host`, an IPv4 or IPv6 address or a name, and return the first address it has.

    This may block for seconds: names are asked from the network. It is for tools and start-up; `connect`
    takes names by itself and never blocks.

    Raises:
        TypeError, ValueError: for what cannot be a host or a port.
        OSError: the name has no address, or nobody could be asked.
    """
    check_destination(host, port)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise socket.gaierror(socket.EAI_NONAME, f"{host!r} cannot be a host name") from error
    return from_socket(found[0][4])


def from_socket(sockaddr: Any) -> Address:
    """Make an `Address` of what the socket module calls one; an IPv4 peer of a dual-stack listener shows as IPv4."""
    if isinstance(sockaddr, str | bytes):
        return Address(str(sockaddr) or "local", 0)
    host, port, *rest = sockaddr
    if host.startswith("::ffff:") and "." in host:
        host = host.removeprefix("::ffff:")
    zone: int = rest[1] if len(rest) > 1 else 0
    return Address(host if not zone or "%" in host else f"{host}%{_zone(zone)}", port)


def _zone(number: int) -> str:
    """Return the name of the interface behind which a link-local address counts; its number if it has gone."""
    try:
        return socket.if_indextoname(number)
    except OSError:
        return str(number)


def bucket(address: Address) -> str:
    """Return what counts as one place of origin: an IPv4 address, or the /64 of an IPv6 one.

    A provider gives each customer a /64 at least, so a single IPv6 address means nothing.
    """
    host = address.host
    if ":" not in host:
        return host
    try:
        return socket.inet_pton(socket.AF_INET6, host.partition("%")[0])[:8].hex()
    except (OSError, ValueError):
        return host


def without_asking(host: str, port: int) -> list[Candidate] | None:
    """Return the candidates for `host` if they are known without asking anybody, else None."""
    if host.lower().rstrip(".") == "localhost":
        # RFC 6761, 6.3: localhost is the loopback interface; nobody needs to be asked.
        loopback: list[Candidate] = [(socket.AF_INET, ("127.0.0.1", port))]
        if socket.has_ipv6:
            loopback.insert(0, (socket.AF_INET6, ("::1", port, 0, 0)))
        return loopback
    try:
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
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
    waits for: an answer that comes after `cancel` goes nowhere. In a page of a browser there are no threads, and the
    resolver asks nobody: it makes up an address that stands for the name, and the browser looks it up when it connects.
    """

    _wake = -1
    _running: ClassVar[set[object]] = set()  # a set, because its changes are atomic between threads

    def __init__(self, host: str, port: int, resolve: Resolve = socket.getaddrinfo) -> None:
        self._host, self._port, self._resolve = host, port, resolve
        self._answer: list[Candidate] | OSError | None = without_asking(host, port)
        self._started = self._answer is not None
        self.poll()

    def poll(self) -> list[Candidate] | OSError | None:
        """Return the candidates, the error, or None while nobody has answered."""
        if not self._started and len(Lookup._running) < MAX_LOOKUPS:
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
            return candidates(self._resolve(self._host, self._port, type=socket.SOCK_STREAM))
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
