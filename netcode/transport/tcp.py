"""TCP: connecting by racing addresses, listening, and the one socket of a link."""

import errno
import os
import socket
import sys

from netcode.address import Address, check_destination, check_host, check_port, from_socket
from netcode.diagnostics import log
from netcode.diagnostics.mistakes import explains_keywords
from netcode.reasons import Reason, ReasonCode, is_shortage, printable, reason_from_error
from netcode.transport import Connector, Doorway, Ready, Transport, send_each
from netcode.transport.lookup import Candidate, Lookup, Resolve, candidates, without_asking
from netcode.transport.sockets import hold, let_go, shut
from netcode.waiting import Descriptors, Waiter

ATTEMPT_DELAY = 0.25
"""Seconds between the starts of two attempts in a race of addresses (RFC 8305, section 5)."""

USER_TIMEOUT = 30.0
"""Seconds of unacknowledged bytes after which the kernel gives up. A backstop; pings notice sooner."""

NOTSENT_LOWAT = 16_384
"""Unsent bytes that the kernel keeps. Without it, it hides 2.6 to 4.3 MB behind a peer that stopped reading."""

BULK = 1_048_576
"""Bytes waiting here from which on the kernel may keep as many more, until they are gone. At `NOTSENT_LOWAT`, each
wake-up of the sender moves so little that the wake-ups cost a third of the throughput."""

PORTS = 16
"""Free ports to try for a name with several addresses, of which one may have that port taken."""

BACKLOG = 1024
"""Connects that the kernel keeps for us between two updates."""

LOOKUP_PAUSE = 0.05
"""Seconds between two looks at whether it is our turn to ask for a name, while too many others are asked for."""

SHORTAGE_PAUSE = 0.1
"""Seconds for which a listener rests when descriptors ran out; a level-triggered poller would spin on it."""

# A connect that a signal interrupts goes on (POSIX).
_CONNECTING = {0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR, getattr(errno, "WSAEWOULDBLOCK", 0)}
_DOOR_BROKEN = {errno.EBADF, errno.ENOTSOCK, errno.EINVAL, errno.EOPNOTSUPP}


def tune(sock: socket.socket) -> None:
    """Set what every socket of ours has: no blocking, no Nagle, little hidden in the kernel."""
    sock.setblocking(False)
    _set(sock, "TCP_NODELAY", 1)
    _set(sock, "TCP_NOTSENT_LOWAT", NOTSENT_LOWAT)
    _set(sock, "TCP_USER_TIMEOUT", int(USER_TIMEOUT * 1000))


def _set(sock: socket.socket, name: str, value: int) -> bool:
    """Set an option of TCP; tell whether the system has it."""
    option = getattr(socket, name, None)
    if option is None:
        return False
    try:
        sock.setsockopt(socket.IPPROTO_TCP, option, value)
    except OSError:
        return False  # a Unix socket, or a kernel that knows the name but not the option
    return True


class TcpTransport(socket.socket):
    """One established socket, taken over from `sock`.

    It is the socket itself instead of having one: what is looked up for each message is in one place in memory, which
    counts where thousands of peers take turns. And where it is forgotten, it is its own to finalise.
    """

    __slots__ = ("_in_bulk", "address", "read_fd")

    lingers = True
    grain = 0
    drains = True
    receive_into = socket.socket.recv_into

    def __init__(self, sock: socket.socket, address: Address) -> None:
        family, kind, proto, number = sock.family, sock.type, sock.proto, sock.fileno()
        try:
            socket.socket.__init__(self, family, kind, proto, number)
            sock.detach()
        except BaseException:  # Ctrl-C, say: the descriptor has one owner all the same
            if self.fileno() == number:
                sock.detach()
            raise
        self.setblocking(False)
        self._in_bulk = False
        self.address: Address | None = address
        self.read_fd = self.fileno()

    @property
    def write_fd(self) -> int:
        return self.read_fd

    def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
        if sys.platform == "win32":
            return send_each(self.send, chunks)
        size = sum(map(len, chunks))
        if size >= BULK and not self._in_bulk:
            self._in_bulk = _set(self, "TCP_NOTSENT_LOWAT", BULK)
        count = self.sendmsg(chunks)
        if count == size and self._in_bulk:
            self._in_bulk = False
            _set(self, "TCP_NOTSENT_LOWAT", NOTSENT_LOWAT)
        return count

    def probe(self) -> None:
        """TCP's own probes are the kernel's."""

    def be_readable(self) -> None:
        """Have pollers tell of it, and receive nothing more."""
        try:
            self.shutdown(socket.SHUT_RD)
        except OSError:
            pass  # it is broken, of which the kernel tells by itself

    def finish(self) -> None:
        try:
            self.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # ENOTCONN after a reset: there is no side left to end

    def __del__(self) -> None:
        if hasattr(self, "_closed"):  # else it never came to be one
            self.close()


class TcpConnector:
    """A connect in progress: a name look-up, then a race of the addresses it gave (RFC 8305)."""

    address: Address | None = None
    hint = "did not answer; is the address right, and does a firewall block the port?"

    def __init__(self, host: str, port: int, resolve: Resolve) -> None:
        self._lookup: Lookup | None = None
        self._attempts: list[socket.socket] = []
        self._failed: socket.socket | None = None  # the last that failed at once: it wakes whoever waits
        self._candidates: list[Candidate] = []
        check_destination(host, port)
        self.where = printable(str(Address(host, port)), 80)
        self._host = host
        self._lookup = Lookup(host, port, resolve)
        self._ask_again = 0.0
        self._next_attempt = 0.0
        self._error: OSError | None = None

    def start(self, now: float) -> None:
        """Begin at once where nobody has to be asked, so that there is a descriptor to wait on from the beginning."""
        assert self._lookup is not None
        answer = self._lookup.poll()
        if isinstance(answer, list) and answer:
            self._lookup.cancel()
            self._lookup = None
            self._candidates = answer
            while self._candidates and not self._attempts:
                self._start_attempt(now)

    def advance(self, now: float) -> Transport | Reason | None:
        if self._lookup is not None:
            answer = self._lookup.poll()
            if answer is None:
                self._ask_again = now + LOOKUP_PAUSE
                return None
            self._lookup.cancel()
            self._lookup = None
            if isinstance(answer, OSError):
                return self._unnamed(answer)
            if not answer:
                return self._unnamed(None)
            self._candidates = answer
        won = self._finish_attempts()
        while won is None and self._candidates and (not self._attempts or now >= self._next_attempt):
            self._start_attempt(now)
            won = self._finish_attempts()
        if won is not None:
            self.close()  # the losers of the race
            return won
        if self._attempts:
            return None
        error = self._error
        assert error is not None
        self.close()
        return reason_from_error(error, self.where)

    def descriptors(self) -> Descriptors:
        if self._lookup is not None:
            fd = self._lookup.fileno()
            return ([fd] if fd >= 0 else []), [], []
        fds = [sock.fileno() for sock in self._attempts]
        if not fds and self._failed is not None:
            return [], [self._failed.fileno()], []
        # Windows tells a failed connect through the exceptional set only. Elsewhere one urgent byte sets it too.
        return [], fds, (fds if sys.platform == "win32" else [])

    def due(self) -> float | None:
        if self._lookup is not None:
            return self._ask_again if self._lookup.fileno() < 0 else None
        if not self._attempts and self._error is not None:
            return 0.0  # all have failed at once
        return self._next_attempt if self._candidates else None

    def close(self) -> None:
        if self._lookup is not None:
            self._lookup.cancel()
        for sock in self._attempts:
            shut(sock)
        if self._failed is not None:
            shut(self._failed)
        self._failed = self._error = None
        self._attempts.clear()
        self._candidates.clear()

    def __del__(self) -> None:
        if hasattr(self, "_candidates"):
            self.close()

    def _unnamed(self, error: OSError | None) -> Reason:
        if error is not None and is_shortage(error):
            return reason_from_error(error, self.where)
        host = printable(self._host, 80)
        text = f"the name {host} has no address; is it spelled right, and is this computer online?"
        return Reason(ReasonCode.NAME_NOT_FOUND, text, error)

    def _start_attempt(self, now: float) -> None:
        family, sockaddr = self._candidates.pop(0)
        self._next_attempt = now + ATTEMPT_DELAY
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:
            self._note(error)
            return
        try:
            tune(sock)
            number = sock.connect_ex(sockaddr)
        except OSError as error:
            number = error.errno or errno.EINVAL
        if number in _CONNECTING:
            self._attempts.append(sock)  # first: what is held has to be somebody's to let go
            hold(sock)
            return
        before, self._failed = self._failed, sock
        hold(sock)
        if before is not None:
            shut(before)
        self._note(OSError(number, os.strerror(number)))

    def _finish_attempts(self) -> Transport | None:
        """Look at each attempt under way; return the first that got through."""
        for sock in [*self._attempts]:
            number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number == 0:
                try:
                    peer = sock.getpeername()
                except OSError:
                    continue  # not yet
                if peer != sock.getsockname():
                    won = TcpTransport(sock, from_socket(peer))
                    self._attempts.remove(let_go(sock))
                    return won
                # A connect to a free port of the ephemeral range can meet itself.
                number = errno.ECONNREFUSED
            shut(sock)
            self._attempts.remove(sock)
            self._note(OSError(number, os.strerror(number)))
        return None

    def _note(self, error: OSError) -> None:
        """Keep the error that says most: a refusal proves that somebody is there."""
        if self._error is None or self._error.errno != errno.ECONNREFUSED:
            self._error = error


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
        self.address = from_socket(sock.getsockname())

    def accept(self, now: float) -> Connector | None:
        if self._rest_until is not None and now < self._rest_until:
            return None
        if self._rest_until is not None:
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
        return () if self._rest_until is not None or self._socket.fileno() < 0 else (self._socket.fileno(),)

    def due(self) -> float | None:
        return self._rest_until

    def close(self) -> None:
        if self._owned:
            shut(self._socket)
        spare, self._spare = self._spare, None
        if spare is not None:
            os.close(spare)

    def __del__(self) -> None:
        if hasattr(self, "_owned"):
            self.close()

    def _rest(self, now: float, error: OSError) -> None:
        """Refuse one politely with the descriptor kept for it, then leave the door alone for a while."""
        self._rest_until = now + SHORTAGE_PAUSE
        spare, self._spare = self._spare, None
        if spare is not None:
            os.close(spare)
            try:
                self._socket.accept()[0].close()
            except OSError:
                pass  # it left, or somebody was quicker to take the descriptor
        # While that descriptor is free: the first warning has to load `logging` from disk.
        log.warn("accept", "%s: cannot accept: %s; is the limit of open files too low?", self.address, error.strerror)
        if spare is not None:
            self._spare = _open_spare()


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

    @explains_keywords("Listener")
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
        doors = [super().doors(), *(doorway.doors() for doorway in self._further)]
        return tuple(fd for fds in doors for fd in fds) if all(doors) else ()

    def due(self) -> float | None:
        if not self._further:
            return self._rest_until
        waits = [super().due(), *(doorway.due() for doorway in self._further)]
        return min((when for when in waits if when is not None), default=None)

    def close(self) -> None:
        super().close()
        for doorway in getattr(self, "_further", ()):
            doorway.close()

    def instantiate(self) -> Descriptors:
        return [*self.doors()], [], []

    def _seconds_left(self) -> float | None:
        return None if self.due() is None else SHORTAGE_PAUSE


class TcpNetwork:
    """Connecting and listening over TCP."""

    def __init__(self, resolve: Resolve = socket.getaddrinfo) -> None:
        self._resolve = resolve

    def connect(self, host: str, port: int, now: float) -> TcpConnector:
        connector = TcpConnector(host, port, self._resolve)
        connector.start(now)
        return connector

    def listen(self, host: str, port: int) -> Listener:
        return Listener(host, port)


TCP = TcpNetwork()


def _open_spare() -> int | None:
    """Open a descriptor to give up when there are no others, or None if there are none already."""
    try:
        return os.open(os.devnull, os.O_RDONLY)
    except OSError:
        return None


def _listen(host: str, port: int) -> list[socket.socket]:
    check_port(port)
    check_host(host)
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
    try:
        found = without_asking(host, port)
        if found is None:
            found = candidates(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except (socket.gaierror, UnicodeError) as error:
        number = socket.EAI_NONAME if isinstance(error, UnicodeError) else error.errno
        name = printable(host, 80)
        text = f"cannot listen on {name}:{port}: the name {name} has no address; is it spelled right?"
        raise socket.gaierror(number, text) from error
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
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
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
        sock.close()
        where = from_socket(sockaddr)
        if error.errno == errno.EADDRINUSE:
            text = f"cannot listen on {where}: the port is taken; is another server running on it?"
            raise OSError(errno.EADDRINUSE, text) from error
        raise OSError(error.errno, f"cannot listen on {where}: {error.strerror}") from error
    return sock
