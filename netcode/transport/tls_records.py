"""TLS between a socket and memory, one record at a time.

OpenSSL is given one record at a time: so a read into room for a whole one leaves nothing hidden from the poller, and
who sends records that carry nothing, such as changes of keys, holds nobody up. Left alone with a socket, OpenSSL reads
on for as long as it gets such.
"""

import ssl
from typing import Any

from netcode.transport import connection_reset
from netcode.transport.tcp_socket import TcpTransport

HEADER = 5
"""Bytes before a record."""

MAX_BODY = 18_432
"""Bytes of a record at most, once it is encrypted (RFC 5246, section 6.2.3)."""

KINDS = frozenset(range(20, 25))
"""What a record may be."""

ALERT = b"\x15\x03\x01\x00\x02\x02\x46"
"""That no version of TLS was understood (RFC 5246, section 7.2.2), for who speaks none: OpenSSL hangs up on it in silence."""

MAX_ANSWERS = 65_536
"""Bytes that wait, mostly what TLS has said by itself, of which the other end takes none while it asks for more."""

RECORDS = 64
"""Records that are taken at once at most: a change of keys costs as much as a message."""


class Records:
    """One end of TLS, between a socket and memory.

    Raises:
        ValueError: the name of the host cannot be one.
    """

    __slots__ = ("_begun", "_has_begun", "_heard", "_missing", "_said", "_unsent", "ended", "socket", "tls")

    def __init__(self, sock: TcpTransport, context: ssl.SSLContext, host: str | None) -> None:
        self.socket = sock
        self._heard, self._said = ssl.MemoryBIO(), ssl.MemoryBIO()
        name = host and host.removesuffix(".")  # in TLS, and in certificates, no name ends in one (RFC 6066, 3)
        self.tls = context.wrap_bio(self._heard, self._said, server_side=host is None, server_hostname=name)
        self._has_begun = False
        self._begun = b""  # of a header
        self._missing = 0  # bytes of the present record
        self._unsent = b""
        self.ended = False
        """Whether the other end has ended its side."""

    @property
    def blocked(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._unsent)

    def hear(self) -> bool:
        """Take one record from the network, or the end; False if there is no whole one now."""
        if len(self._unsent) > MAX_ANSWERS:
            raise connection_reset()
        try:
            while not self.ended:
                data = self.socket.recv(self._missing or HEADER - len(self._begun))
                if not data:
                    self.ended = True
                    self._heard.write_eof()
                    break
                self._heard.write(data)
                if self._is_whole(data):
                    break
        except BlockingIOError:
            return False
        return True

    def flush(self) -> None:
        """Send what TLS has to say. Raises `BlockingIOError` if some of that is left, and what else a socket raises."""
        if self._said.pending:
            self._unsent += self._said.read()
        while self._unsent:
            self._unsent = self._unsent[self.socket.send(self._unsent) :]

    def flush_if_possible(self) -> None:
        """Send of that what can be sent now; the rest goes before what is sent next, which finds out what is wrong."""
        try:
            self.flush()
        except OSError:
            pass

    def read(self, room: memoryview) -> int:
        """Receive what the record that was heard carries; 0 for a farewell. Raises what `ssl` does."""
        tls: Any = self.tls  # whose type is told for bytearrays alone
        return int(tls.read(len(room), room))

    def shake_hands(self, most: int = RECORDS) -> bool:
        """Go on with the handshake, and tell whether it is done. Raises what `flush` and `ssl` do.

        Args:
            most: records that are taken at most.
        """
        # Then it goes on with what is heard, and with nothing else: OpenSSL is not asked about hundreds who are silent.
        done = (self.blocked or not self._has_begun) and self._agree()
        for _ in range(most):
            if done or not self.hear():
                break
            done = self._agree()
        return done

    def _agree(self) -> bool:
        """Take a step of the handshake, and tell whether it was the last."""
        self._has_begun = True
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            self.flush()
            return False
        try:
            self.flush()
        except BlockingIOError:
            raise  # the other end may wait for it before it says anything: by TLS 1.2, a server has the last word
        except OSError:
            pass  # what came before it left is read first
        return True

    def _is_whole(self, data: bytes) -> bool:
        """Hear what came of a record, and tell whether that is all of it, or nothing that would ever be one."""
        if self._missing:
            self._missing -= len(data)
            return not self._missing
        self._begun += data
        if len(self._begun) < HEADER:
            return False
        kind, major, size = self._begun[0], self._begun[1], int.from_bytes(self._begun[3:], "big")
        self._begun = b""
        if kind not in KINDS or major != 3 or size > MAX_BODY:
            if self.tls.server_side and self.tls.shared_ciphers() is None:  # not even greeted
                self._said.write(ALERT)
            return True  # which OpenSSL says better
        self._missing = size
        return not size
