"""TLS over TCP: the handshake is part of connecting, and neither ever blocks."""

import os
import ssl
from collections.abc import Callable
from typing import Any

from netcode.address import Address
from netcode.certificate import Certificate
from netcode.reasons import Explained, HungUp, Reason, ReasonCode, printable, reason_from_error, without_traceback
from netcode.transport import Connector, Doorway, Encrypt, Network, Transport, connection_reset, send_each
from netcode.transport.tcp import TcpNetwork
from netcode.transport.tcp_socket import TcpTransport
from netcode.transport.tls_records import RECORDS, Records
from netcode.waiting import Descriptors

RECORD = 16_384
"""Bytes in a TLS record at most (RFC 8446, section 5.1)."""

HANDSHAKE_STEPS = 12
"""Steps of handshakes that a doorway takes in one update: each is an answer to a greeting or a decision, and costs up
to half a millisecond. 64 greetings at once would take 30."""

GREETING = 3
"""Records that a doorway takes in one update of a handshake, as many as a client's last word has in TLS 1.2: a greeting
may come in hundreds of one byte, and each costs as much as a message."""

OWN = 12
"""Records that are taken in any case from somebody who came in, each time: twice as many as one sends in each frame, of
sixty a second, to a server that has ten updates in one."""

SHARED = 256
"""Records that are taken beyond those in one update, from all who came in by one doorway: 256 links of 64 each would take
an eighth to a third of a second."""

MAKE_ONE = "make one by netcode.Certificate(chain, key), of the files with the certificate and its key"
_BARE = {"NO_SHARED_CIPHER", "SSLV3_ALERT_HANDSHAKE_FAILURE", "TLSV1_ALERT_HANDSHAKE_FAILURE"}
"""What OpenSSL says at the two ends where a server has no certificate."""


class Share:
    """The records that those who came in by one doorway may have taken beyond their own.

    Whoever had to leave some in one update has a part in the next that nobody else can take: else it would always be
    those who are read last.
    """

    __slots__ = ("_cut_off", "_left", "_part", "_waiting")

    def __init__(self) -> None:
        self._cut_off, self._waiting = set[TlsTransport](), set[TlsTransport]()  # in this update, and in the last
        self._left = self._part = SHARED

    def begin_update(self) -> None:
        """Hear that another update begins."""
        self._waiting, self._cut_off = self._cut_off, set[TlsTransport]()
        waiting = len(self._waiting)
        self._part = min(RECORDS - OWN, max(1, SHARED // max(1, waiting)))
        self._left = SHARED - waiting * self._part

    def own(self, who: "TlsTransport") -> int:
        """Return how many may be taken of somebody, whatever is taken of the others."""
        if who not in self._waiting:
            return OWN
        self._waiting.remove(who)
        return OWN + self._part

    def take(self, who: "TlsTransport") -> bool:
        """Take one that is kept for nobody, and tell whether it was there."""
        self._left -= 1
        if self._left < 0:
            self._cut_off.add(who)
        return self._left >= 0


class TlsTransport:
    """One socket after the handshake.

    Args:
        records: what it speaks.
        address: the other end, as far as it is known.
        share: that of its doorway; None for a client, who has one link.
    """

    __slots__ = (
        "_promised",
        "_receive_failure",
        "_records",
        "_send_failure",
        "_share",
        "_socket",
        "address",
        "read_fd",
        "write_fd",
    )

    lingers = True
    grain = RECORD
    drains = False

    def __init__(self, records: Records, address: Address | None, share: Share | None = None) -> None:
        self._records = records
        self._share = share
        self._socket = records.socket
        self.address = address
        self.read_fd = self.write_fd = records.socket.fileno()
        self._promised = 0  # bytes of a record that has not left as a whole, which are offered again
        # What ended a call that had done something before: it is told by the next one, because neither OpenSSL nor
        # the kernel says it a second time.
        self._receive_failure: OSError | None = None
        self._send_failure: OSError | None = None

    def receive_into(self, buffer: memoryview) -> int:
        """Receive as much as there is while a whole record has room, of a bounded number of records."""
        if self._receive_failure is not None:
            failure, self._receive_failure = self._receive_failure, None
            raise failure
        records, share, count = self._records, self._share, 0
        own = RECORDS if share is None else share.own(self)
        for taken in range(RECORDS):
            if taken >= own and share is not None and not share.take(self):
                break
            try:
                if not records.hear():
                    break
                got = 0 if records.ended else _translate(records.read, buffer[count:])
            except BlockingIOError:
                continue  # that record carries nothing
            except OSError as error:
                records.flush_if_possible()
                if not count:
                    raise
                self._receive_failure = without_traceback(error)
                self.be_readable()
                break
            if got == 0:
                if count:
                    self.be_readable()
                return count  # told again by the next call
            count += got
            if len(buffer) - count < RECORD:
                break
        records.flush_if_possible()  # what TLS answers by itself: its new keys, say
        if not count:
            raise BlockingIOError
        return count

    def send(self, data: bytes | memoryview) -> int:
        if self._send_failure is not None:
            failure, self._send_failure = self._send_failure, None
            raise failure
        view, count = memoryview(data), 0
        try:
            self._records.flush()
            count, self._promised = self._promised, 0
            while count < len(view):
                self._promised = _translate(self._records.tls.write, view[count : count + RECORD])
                self._records.flush()
                count += self._promised
                self._promised = 0
        except BlockingIOError:
            if not count:
                raise
        except OSError as error:
            if not count:
                raise
            self._send_failure = without_traceback(error)
        return count

    def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
        return send_each(self.send, chunks)

    def probe(self) -> None:
        """TLS has nothing of the kind that is in use."""

    def finish(self) -> None:
        # No close_notify: OpenSSL would then refuse to hand out what the other end still sends. A stream of ours
        # ends with BYE, which is encrypted and authenticated as well; without it a link counts as broken.
        self._socket.finish()

    def close(self) -> None:
        self._socket.close()

    def be_readable(self) -> None:
        """Have pollers tell of this socket: what is still to be said about it is not in the kernel."""
        self._socket.be_readable()


class Budget:
    """What the handshakes of a doorway may cost in one update, and what those who came in by it share."""

    def __init__(self) -> None:
        self.share = Share()
        self._now = 0.0
        self._left = HANDSHAKE_STEPS

    def is_left(self, now: float) -> bool:
        """Tell whether another step may be taken in the update of `now`."""
        if now != self._now:
            self._now, self._left = now, HANDSHAKE_STEPS
        return self._left > 0

    def spend(self) -> None:
        """Hear of a step that was taken."""
        self._left -= 1


class TlsConnector:
    """A connect in progress: first what it stands on, then the handshake.

    A server's handshakes share a `budget`. Bytes that complete nothing cost next to nothing and are not counted:
    whoever sends its greeting byte by byte must not use up the share of the others.
    """

    def __init__(
        self, below: Connector, context: ssl.SSLContext, host: str | None, budget: Budget | None = None
    ) -> None:
        self._below = below
        self._context = context
        self._host = host
        self._budget = budget
        self._answered = False  # the other end's greeting
        self._postponed: float | None = None  # since when, if the budget was spent
        self._records: Records | None = None
        self.where = below.where
        self.address = below.address
        self.hint = below.hint

    def advance(self, now: float) -> Transport | Reason | None:
        if self._records is None:
            transport = self._below.advance(now)
            if transport is None or isinstance(transport, Reason):
                self.hint = self._below.hint
                return transport
            self.address = transport.address
            self.hint = "did not finish the TLS handshake; does that port speak TLS?"
            assert isinstance(transport, TcpTransport)
            try:
                self._records = Records(transport, self._context, self._host)
            except (OSError, ValueError) as error:
                transport.close()
                return Reason(ReasonCode.BROKEN_TLS, f"TLS to {self.where} failed: {printable(str(error))}")
        records = self._records
        self._postponed = None
        if self._budget is not None and not self._budget.is_left(now):
            self._postponed = now
            return None
        try:
            done = records.shake_hands(RECORDS if self._budget is None else GREETING)
        except BlockingIOError:
            return None
        except OSError as error:
            self._decided()
            records.flush_if_possible()
            return reason_from_error(_explain(error), self.where)
        if not done:
            # What the client offers is known as soon as its greeting is complete.
            if self._budget is not None and not self._answered and records.tls.shared_ciphers() is not None:
                self._answered = True
                self._budget.spend()
            return None
        self._decided()
        self._records = None
        return TlsTransport(records, self.address, None if self._budget is None else self._budget.share)

    def descriptors(self) -> Descriptors:
        if self._records is None:
            return self._below.descriptors()
        fd = [self._records.socket.fileno()]
        return ([], fd, []) if self._records.blocked else (fd, [], [])

    def due(self) -> float | None:
        return self._below.due() if self._records is None else self._postponed

    def close(self) -> None:
        if self._records is not None:
            self._records.socket.close()
        else:
            self._below.close()

    def _decided(self) -> None:
        if self._budget is not None:
            self._budget.spend()


class TlsDoorway(Doorway):
    """A door behind which the handshake waits."""

    def __init__(self, below: Doorway, tls: ssl.SSLContext | Certificate) -> None:
        self._below = below
        self._tls = tls
        self._budget = Budget()
        self.address = below.address

    def accept(self, now: float) -> Connector | None:
        newcomer = self._below.accept(now)
        return None if newcomer is None else self._encrypt(newcomer)

    def unwrap(self) -> tuple[Doorway, Encrypt]:
        return self._below, self._encrypt

    def begin_update(self) -> None:
        self._budget.share.begin_update()

    def doors(self) -> tuple[int, ...]:
        return self._below.doors()

    def due(self) -> float | None:
        return self._below.due()

    def close(self) -> None:
        self._below.close()

    def _encrypt(self, newcomer: Connector) -> Connector:
        context = self._tls.context if isinstance(self._tls, Certificate) else self._tls
        return TlsConnector(newcomer, context, None, self._budget)


class TlsNetwork:
    """Connecting and listening over TLS.

    Args:
        below: what TLS runs over: TCP, and nothing else yet.
        tls: certificates and checks; a `Certificate` for a server; None for a client that checks against the system's
            authorities.

    Raises:
        TypeError: an argument cannot be what it should be.
    """

    def __init__(self, below: Network, tls: ssl.SSLContext | Certificate | None = None) -> None:
        if not isinstance(below, TcpNetwork):
            raise TypeError(f"TLS runs over TCP only, not over {type(below).__name__}")
        if tls is not None and not isinstance(tls, ssl.SSLContext | Certificate):
            hint = f": {MAKE_ONE}"
            if not isinstance(tls, bool):  # the path of a certificate, say
                hint += "; for a client, True, or ssl.create_default_context(cafile=…)"
            raise TypeError(f"tls must be a netcode.Certificate or an ssl.SSLContext, not {type(tls).__name__}{hint}")
        self._below = below
        self._tls = tls or ssl.create_default_context()
        # Without one OpenSSL reads no authorities, and does not say so: it would trust nobody for good.
        self._unread = tls is None and not _has_descriptor()

    def connect(self, host: str, port: int, now: float) -> TlsConnector:
        """Start to connect. Raises `TypeError` for a certificate, and `ValueError` for a context that can only serve."""
        if isinstance(self._tls, Certificate):
            raise TypeError("tls is a server's certificate; a client needs True, or ssl.create_default_context()")
        if self._tls.protocol == ssl.PROTOCOL_TLS_SERVER:
            raise ValueError("tls is a server's context; a client needs ssl.create_default_context()")
        if self._unread:
            self._tls, self._unread = ssl.create_default_context(), not _has_descriptor()
        return TlsConnector(self._below.connect(host, port, now), self._tls, host)

    def listen(self, host: str, port: int) -> TlsDoorway:
        """Listen. Raises `ValueError` for a context that can only connect."""
        if not isinstance(self._tls, Certificate) and self._tls.protocol == ssl.PROTOCOL_TLS_CLIENT:
            raise ValueError(
                "tls is a client's context; a server needs ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)"
            )
        return TlsDoorway(self._below.listen(host, port), self._tls)


def _has_descriptor() -> bool:
    """Tell whether this program may open another file."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return False
    return True


def _translate(call: Callable[[Any], int], argument: memoryview) -> int:
    """Call a method of an SSL socket; raise what a transport may raise."""
    try:
        return call(argument)
    except ssl.SSLWantReadError:
        raise BlockingIOError from None
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:  # the network, not TLS: the link may be resumed
        raise connection_reset() from error
    except ssl.SSLError as error:
        raise _explain(error) from error


def _explain(error: OSError) -> OSError:
    """Say what a failure of TLS means for the one who reads it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        what = printable(error.verify_message)
        return Explained(ReasonCode.BROKEN_TLS, f"has a certificate that is not trusted: {what}")
    if not isinstance(error, ssl.SSLError):
        return error
    if isinstance(error, ssl.SSLSyscallError):  # the network, not TLS
        return connection_reset()
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return HungUp(ReasonCode.BROKEN_TLS, "broke off during TLS; does it speak TLS, and trust our certificate?")
    name: str = getattr(error, "reason", None) or ""
    if name in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"):
        return Explained(ReasonCode.BROKEN_TLS, "does not speak TLS; use tls= at both ends or at none")
    hint = "; did the server's context load its certificate, by load_cert_chain()?" if name in _BARE else ""
    said = printable(name.lower().replace("_", " ") or str(error))
    return Explained(ReasonCode.BROKEN_TLS, f"and this end could not agree on TLS: {said}{hint}")
