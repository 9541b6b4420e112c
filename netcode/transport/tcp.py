"""TCP: connecting by racing addresses, and the network that it is."""

import errno
import os
import socket
import sys

from netcode.address import FOUR_NUMBERS, Address, check_destination, from_socket, is_mistyped
from netcode.reasons import Reason, ReasonCode, is_shortage, printable, reason_from_error
from netcode.transport import Transport
from netcode.transport.lookup import Candidate, Lookup, Resolve
from netcode.transport.sockets import hold, let_go, shut
from netcode.transport.tcp_listener import Listener
from netcode.transport.tcp_socket import TcpTransport, tune
from netcode.waiting import Descriptors

ATTEMPT_DELAY = 0.25
"""Seconds between the starts of two attempts in a race of addresses (RFC 8305, section 5)."""

LOOKUP_PAUSE = 0.05
"""Seconds between two looks at whether it is our turn to ask for a name, while too many others are asked for."""

CONNECTING = {0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR, getattr(errno, "WSAEWOULDBLOCK", 0)}
"""What is said of a connect that goes on; one that a signal interrupts does (POSIX)."""


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
        if self._lookup.poll() is None:
            self.hint = "was not found in time: no name server answered; is this computer online?"
        self._ask_again = 0.0
        self._next_attempt = 0.0
        self._error: OSError | None = None
        self._error_at = ""

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
            self.hint = TcpConnector.hint
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
        return reason_from_error(error, self.where, self._error_at)

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
        if is_mistyped(self._host):
            text = f"{host} is no address; {FOUR_NUMBERS}"
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
        if number in CONNECTING:
            self._attempts.append(sock)  # first: what is held has to be somebody's to let go
            hold(sock)
            return
        before, self._failed = self._failed, sock
        hold(sock)
        if before is not None:
            shut(before)
        self._note(OSError(number, os.strerror(number)), from_socket(sockaddr).host)

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

    def _note(self, error: OSError, address: str = "") -> None:
        """Keep the error that says most: a refusal proves that somebody is there."""
        if self._error is None or self._error.errno != errno.ECONNREFUSED:
            self._error, self._error_at = error, address


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
