"""Listening on TCP, at every address that a name has, through shortages of descriptors."""

import errno
import os
import socket
import sys

from netcode.address import FOUR_NUMBERS, check_host, check_port, from_socket, is_mistyped
from netcode.diagnostics import log
from netcode.diagnostics.calls import explains_arguments
from netcode.loop.clock import earliest
from netcode.reasons import advice_on_listening, is_shortage, printable
from netcode.transport import Connector, Doorway, Ready
from netcode.transport.lookup import Candidate, candidates, without_asking
from netcode.transport.sockets import hold, shut
from netcode.transport.tcp_socket import NO_SIGNAL, TcpTransport, silence, tune
from netcode.waiting import Descriptors, Waiter

PORTS = 16
"""Free ports to try for a name with several addresses, of which one may have that port taken."""

BACKLOG = 1024
"""Connects that the kernel keeps for us between two updates."""

SHORTAGE_PAUSE = 0.1
"""Seconds for which a listener rests when descriptors ran out; a level-triggered poller would spin on it."""

GREETING = 4096
"""Bytes that somebody may have said already who is refused for want of a descriptor."""

_DOOR_BROKEN = {errno.EBADF, errno.ENOTSOCK, errno.EINVAL, errno.EOPNOTSUPP}


class TcpDoorway(Doorway):
    """A listening socket that survives a shortage of descriptors.

    Args:
        sock: a listening socket, which stays its giver's to close unless `owned`.
    """

    _spare: int | None = None

    def __init__(self, sock: socket.socket, *, owned: bool = False) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._owned = owned
        if owned:
            hold(sock)
        self._spare = _open_spare()
        self._rest_until: float | None = None
        self._words = b""
        self.address = from_socket(sock.getsockname())

    def accept(self, now: float) -> Connector | None:
        if self._rest_until is not None:
            if now < self._rest_until:
                return None
            self._rest_until = None
            if self._spare is None:
                self._spare = _open_spare()
        for _ in range(BACKLOG):
            try:
                sock, address = self._socket.accept()
            except BlockingIOError:
                return None
            except OSError as error:
                if is_shortage(error):
                    self._rest(now, error)
                    return None
                if error.errno in _DOOR_BROKEN:
                    raise
                continue  # that one left before we came to the door
            try:
                tune(sock)
            except OSError:
                sock.close()
                continue
            return Ready(TcpTransport(sock, from_socket(address)))
        return None

    def doors(self) -> tuple[int, ...]:
        fd = self._socket.fileno()
        return (fd,) if fd >= 0 and self._rest_until is None else ()

    def due(self) -> float | None:
        return self._rest_until

    def say_when_short(self, words: bytes) -> None:
        self._words = words

    def close(self) -> None:
        if self._owned:
            shut(self._socket)
        self._give_up_spare()

    def __del__(self) -> None:
        if hasattr(self, "_owned"):
            self.close()

    def _rest(self, now: float, error: OSError) -> None:
        """Refuse one politely with the descriptor kept for it, then leave the door alone for a while."""
        self._rest_until = now + SHORTAGE_PAUSE
        has_spare = self._give_up_spare()
        if has_spare:
            try:
                with self._socket.accept()[0] as sock:
                    sock.setblocking(False)
                    silence(sock)
                    sock.send(self._words, NO_SIGNAL)
                    sock.recv(GREETING)  # what was not read would turn the end into a reset, and what was said be lost
            except OSError:
                pass  # it left, or somebody was quicker to take the descriptor; or it has said nothing yet
        # While that descriptor is free: the first warning has to load `logging` from disk.
        log.warn("accept", "%s: cannot accept: %s; is the limit of open files too low?", self.address, error.strerror)
        if has_spare:
            self._spare = _open_spare()

    def _give_up_spare(self) -> bool:
        """Close the descriptor that is kept for a shortage, and tell whether there was one."""
        spare, self._spare = self._spare, None
        try:
            if spare is not None:
                os.close(spare)
        except OSError:
            pass  # somebody has closed it by its number
        return spare is not None


class Listener(TcpDoorway, Waiter):
    """A listening TCP socket.

    Usage: `Listener("", 7777)`, then `ConnectionSet.accept(listener, make_data)` once an update.

    A forked child inherits it, as workers that share a port want; close it there if they do not.

    Args:
        host: what to listen on: "" for every address, IPv6 and IPv4 on one socket; an address, or a name for every
            address that it has ("localhost" has two); "0.0.0.0" is every IPv4 address, "::" every IPv6 one alone.
        port: 0 for any free one; `address` tells which.

    Raises:
        TypeError, ValueError: for what cannot be a host or a port.
        OSError: the port is taken, or the address is not one of this computer.
    """

    @explains_arguments("Listener", check=check_host)
    def __init__(self, host: str, port: int) -> None:
        first, *others = _listen(host, port)
        super().__init__(first, owned=True)
        self._further = [TcpDoorway(sock, owned=True) for sock in others]
        self._turn = 0

    def accept(self, now: float) -> Connector | None:
        newcomer = None
        for _ in range(1 + len(self._further)):
            # Another one first each time: a flood at one of them must not shut the others.
            self._turn = (self._turn + 1) % (1 + len(self._further))
            newcomer = self._further[self._turn - 1].accept(now) if self._turn else super().accept(now)
            if newcomer is not None:
                break
        return newcomer

    def doors(self) -> tuple[int, ...]:
        if not self._further:
            return TcpDoorway.doors(self)  # twice a frame, and `super` takes long
        doors = [super().doors(), *(doorway.doors() for doorway in self._further)]
        return tuple(fd for fds in doors for fd in fds) if all(doors) else ()

    def due(self) -> float | None:
        if not self._further:
            return self._rest_until
        return earliest(self._rest_until, *(doorway.due() for doorway in self._further))

    def say_when_short(self, words: bytes) -> None:
        super().say_when_short(words)
        for doorway in self._further:
            doorway.say_when_short(words)

    def close(self) -> None:
        super().close()
        for doorway in getattr(self, "_further", ()):
            doorway.close()

    def instantiate(self) -> Descriptors:
        return [*self.doors()], [], []

    def _seconds_left(self) -> float | None:
        return None if self.due() is None else SHORTAGE_PAUSE


def _open_spare() -> int | None:
    """Open a descriptor to give up when there are no others, or None if there are none already."""
    try:
        return os.open(os.devnull, os.O_RDONLY)
    except OSError:
        return None


def _listen(host: str, port: int) -> list[socket.socket]:
    check_host(host)
    check_port(port)
    if sys.platform == "emscripten":
        text = "a page in a browser cannot listen: run the server as a program, and let the page connect to it"
        raise OSError(errno.EOPNOTSUPP, text)
    if not host:
        try:
            return [_bind(socket.AF_INET6, ("::", port), True)]
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise
            return [_bind(socket.AF_INET, ("0.0.0.0", port))]  # a computer without IPv6
    found = _addresses(host, port)
    for _ in range(PORTS):
        try:
            return _bind_all(found, port)
        except OSError as error:
            if port or error.errno != errno.EADDRINUSE:
                raise
    return _bind_all(found, port)


def _addresses(host: str, port: int) -> list[Candidate]:
    """Return every address that `host` has, IPv4 first. This may block: names are asked from the network."""
    found, error = without_asking(host, port), None
    try:
        if found is None:
            found = candidates(socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM))
    except (socket.gaierror, UnicodeError) as unknown:
        error = unknown
    if not found:
        number = error.errno if isinstance(error, OSError) else socket.EAI_NONAME
        name = printable(host, 80)
        what = f"the name {name} has no address; is it spelled right?"
        if is_mistyped(host):
            what = f"that is no address; {FOUR_NUMBERS}"
        raise socket.gaierror(number, f"cannot listen on {name}:{port}: {what}") from error
    return sorted(dict.fromkeys(found), key=lambda candidate: candidate[0] != socket.AF_INET)


def _bind_all(found: list[Candidate], port: int) -> list[socket.socket]:
    """Listen on all of these addresses at one port; those that this computer does not have are left out."""
    socks: list[socket.socket] = []
    missing: OSError | None = None
    try:
        for family, (host, _, *zone) in found:
            try:
                socks.append(_bind(family, (host, port, *zone)))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    raise
                missing = missing or error
            else:
                port = socks[0].getsockname()[1]
    except BaseException:
        for sock in socks:
            sock.close()
        raise
    if not socks:
        raise missing or OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
    return socks


def _bind(family: int, sockaddr: tuple[object, ...], dual_stack: bool = False) -> socket.socket:
    sock: socket.socket | None = None
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
        if sys.platform == "win32":  # there, SO_REUSEADDR would let another program take the port over
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # restart while old links are in TIME_WAIT
        if family == socket.AF_INET6:
            mapped = str(sockaddr[0]).startswith("::ffff:")  # an IPv4 address in IPv6's clothes
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual_stack or mapped else 1)
        sock.bind(sockaddr)
        sock.listen(BACKLOG)
    except OSError as error:
        if sock is not None:
            sock.close()
        where = from_socket(sockaddr)
        raise OSError(error.errno, f"cannot listen on {where}: {advice_on_listening(error, *where)}") from error
    return sock
