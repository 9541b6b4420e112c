"""Why a link ended: the one vocabulary for it, and the one place that reads errno."""

import errno
import sys
from dataclasses import dataclass, field
from enum import Enum
from typing import Self

from netcode.address import Address
from netcode.diagnostics.mistakes import tell_from_names

MAX_TEXT = 128
"""Longest text of a goodbye, in bytes of UTF-8; longer ones are clipped."""

MAX_SENTENCE = 300
"""Characters of the longest text of a `Reason`: our own sentences, with an address and what somebody said in them."""


class ReasonCode(Enum):
    """What ended a link, or kept it from starting. The values travel in BYE, so they never change."""

    OTHER = 0
    CLOSED = 1
    CLOSED_BY_PEER = 2
    GOODBYE = 3
    SHUTDOWN = 4
    RESET = 5
    REFUSED = 6
    UNREACHABLE = 7
    CONNECT_TIMEOUT = 8
    NAME_NOT_FOUND = 9
    TIMEOUT = 10
    HANDSHAKE_TIMEOUT = 11
    CLOSE_TIMEOUT = 12
    STALLED = 13
    NOT_NETCODE = 14
    WRONG_PROTOCOL = 15
    WRONG_GAME = 16
    WRONG_VERSION = 17
    SERVER_FULL = 18
    TOO_MANY = 19
    DENIED = 20
    MALFORMED = 21
    TOO_LARGE = 22
    TOO_SLOW = 23
    FLOODING = 24
    WRONG_SHAPE = 25
    REPLACED = 26
    RESUME_LOST = 27
    NETWORK = 28
    NO_DESCRIPTORS = 29
    BROKEN_TLS = 30
    MOVED = 31


tell_from_names("netcode.ReasonCode", ReasonCode)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a link ended.

    Attributes:
        code: what happened, to compare in a program.
        text: one sentence for a human that says what to do next. Whatever it was made of, it is one line of at most
            300 characters that can be printed: line breaks, terminal codes and marks that turn text round are escaped.
        error: the operating system's error behind it, if there was one.
        number: the code as it travelled; differs from `code.value` only where a newer peer
            sent a number that this version does not know (`code` is then `OTHER`).
        where: with `MOVED`, where to go instead: a host and a port; None for any server of the game that is known.
    """

    code: ReasonCode
    text: str
    error: OSError | None = field(default=None, compare=False)
    number: int = -1
    where: Address | None = None

    def __post_init__(self) -> None:
        if not self.text.isprintable() or len(self.text) > MAX_SENTENCE:
            object.__setattr__(self, "text", printable(self.text, MAX_SENTENCE))
        if self.number < 0:
            object.__setattr__(self, "number", self.code.value)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ReasonCode | str):
            instead = f"code is netcode.{other}" if isinstance(other, ReasonCode) else f"text == {other!r}"
            raise TypeError(f"a reason is never equal to a {type(other).__name__}: write `reason.{instead}`")
        return self._said == other._said if isinstance(other, Reason) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._said)

    @property
    def _said(self) -> tuple[object, ...]:
        return self.code, self.text, self.number, self.where

    def __str__(self) -> str:
        """Return the text as the standard output can take it: to print a reason must not end a program."""
        encoding = getattr(sys.stdout, "encoding", None)
        if encoding is None or self.text.isascii():
            return self.text
        return self.text.encode(encoding, "backslashreplace").decode(encoding)


def reason_from_wire(number: int, text: str, where: Address | None = None) -> Reason:
    """Make the reason that a peer told us: its number kept, its text made safe to print."""
    try:
        code = ReasonCode(number)
    except ValueError:
        code = ReasonCode.OTHER
    return Reason(code, printable(text) or f"the other end said goodbye (code {number})", None, number, where)


def printable(text: str, limit: int = MAX_TEXT) -> str:
    """Escape what a terminal would obey in a stranger's text, and clip it to `limit` characters."""
    clipped = text[:limit]
    if not clipped.isprintable():
        # ascii(), not a codec: codecs are loaded from disk when first used, which fails while descriptors are short.
        clipped = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in clipped)
    return clipped if len(clipped) <= limit else clipped[: limit - 1] + "…"


def is_unicode(text: str) -> bool:
    """Tell whether a text can be sent: it has no half of a pair of surrogates, as names of files that are no UTF-8 have."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


HOW_LONG = "; how long a goodbye may take is close_timeout"
"""What who gives a goodbye a number probably has to hear."""


def check_text(text: str, hint: str = "") -> None:
    """Raise `TypeError` for what cannot be the text of a goodbye or of a refusal.

    Args:
        hint: what to say of a number in its place.
    """
    if not isinstance(text, str):
        kind = type(text).__name__
        raise TypeError(f"text must be a str, not {kind}{hint if isinstance(text, int | float) else ''}")


def clip(text: str) -> str:
    """Clip `text` to what a goodbye carries, without cutting a character in two; lone surrogates become «?»."""
    return text.encode("utf-8", "replace")[:MAX_TEXT].decode("utf-8", "ignore")


class Explained(OSError):
    """An error of a transport that knows its reason better than an errno could say it."""

    def __init__(self, code: ReasonCode, text: str) -> None:
        super().__init__(text)
        self.code = code

    def __reduce__(self) -> tuple[type[Self], tuple[ReasonCode, str]]:
        return type(self), (self.code, str(self))


class HungUp(Explained):
    """The other end hung up where it had to say how it speaks: it may be about to stop, or not have started yet."""


_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EHOSTDOWN, errno.ENETDOWN}
# macOS answers send() with EPROTOTYPE while the peer tears the connection down; retrying would spin.
_RESET = {
    errno.ECONNRESET,
    errno.EPIPE,
    errno.ENETRESET,
    errno.ECONNABORTED,
    errno.ESHUTDOWN,
    errno.ENOTCONN,
    errno.EPROTOTYPE,
}
_TAKEN, _NOT_OURS, _FORBIDDEN = {errno.EADDRINUSE}, {errno.EADDRNOTAVAIL}, {errno.EACCES, errno.EPERM}
_NO_FAMILY = {errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT}
_NO_DESCRIPTORS, _NO_MEMORY = {errno.EMFILE, errno.ENFILE}, {errno.ENOBUFS, errno.ENOMEM}


def is_shortage(error: OSError) -> bool:
    """Tell whether the operating system ran out of something that comes back: descriptors or memory."""
    return error.errno in _NO_DESCRIPTORS | _NO_MEMORY


NEEDS_ZONE = "a link-local address counts on one interface, which must be named: fe80::1%eth0"
"""What is said of a link-local address alone."""


def _lacks_zone(host: str) -> bool:
    """Tell whether this is a link-local address of IPv6 that does not say on which interface."""
    return ":" in host and "%" not in host and host.lower().startswith("fe80:")


def advice_on_listening(error: OSError, host: str, port: int) -> str:
    """Say why this program cannot listen there, and what to do instead."""
    number = error.errno
    if number in _TAKEN:
        return "the port is taken; is another server running on it?"
    if number in _NOT_OURS:
        return 'that is no address of this computer; leave the host out (""), to listen on every one that it has'
    if number in _FORBIDDEN and 0 < port < 1024:
        return "ports below 1024 need rights that this program does not have; take one from 1024 on, such as 7777"
    if number in _FORBIDDEN:
        return "this system forbids it; take another port, or ask whoever looks after this computer"
    if number in _NO_FAMILY:
        family = "IPv6" if ":" in host else "IPv4"
        return f'this computer speaks no {family}; leave the host out (""), to listen on what it speaks'
    if _lacks_zone(host):
        return NEEDS_ZONE
    if number == errno.ENFILE:
        return "the programs of this computer have too many files or connections open; close some"
    if number in _NO_DESCRIPTORS:
        return "this program has too many files or connections open; close some or raise the limit"
    if number in _NO_MEMORY:
        return "this computer has no memory left for connections; close programs that have many, or much memory"
    return printable(error.strerror or str(error) or type(error).__name__)


def without_traceback(error: OSError) -> OSError:
    """Return `error` without what would keep the frames that it came through, and the link and its buffers with them."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error


def reason_from_error(error: OSError, where: str, address: str = "") -> Reason:
    """Make the reason for an error of the operating system on the link to `where`, a name perhaps of this `address`."""
    without_traceback(error)  # a game may keep a reason for as long as it likes
    number = error.errno
    if isinstance(error, Explained):
        code, text = error.code, f"{where} {error}"
    elif number == errno.ECONNREFUSED:
        return refused(where, error)
    elif number in {errno.EINVAL, *_UNREACHABLE} and _lacks_zone(address or where.removeprefix("[")):
        code, text = ReasonCode.UNREACHABLE, f"{where} cannot be reached: {NEEDS_ZONE}"
    elif number in _UNREACHABLE:
        code = ReasonCode.UNREACHABLE
        text = f"{where} cannot be reached from this computer; is the network up and the address right?"
    elif number in _RESET:
        code = ReasonCode.RESET
        text = f"the connection to {where} broke: the other program stopped or the network cut it"
    elif number == errno.ETIMEDOUT:
        code = ReasonCode.TIMEOUT
        text = f"{where} stopped answering; the network between may be down"
    elif number == errno.ENFILE:
        code = ReasonCode.NO_DESCRIPTORS
        text = f"the programs of this computer have too many files or connections open to reach {where}; close some"
    elif number in _NO_DESCRIPTORS:
        code = ReasonCode.NO_DESCRIPTORS
        text = f"this program has too many files or connections open to reach {where}; close some or raise the limit"
    elif number in _NO_MEMORY:
        code = ReasonCode.NETWORK
        text = f"this computer has no memory left to reach {where}; close programs that have many connections, or much memory"
    elif number in _FORBIDDEN:
        code = ReasonCode.NETWORK
        text = f"this system forbids this program to reach {where}; does a firewall or a sandbox stop it?"
    elif number in _NO_FAMILY:
        code = ReasonCode.NETWORK
        text = f"{where} is no address that this computer can speak to, as where IPv6 is switched off; is there another one?"
    else:
        code = ReasonCode.NETWORK
        what = printable(error.strerror or str(error) or type(error).__name__)
        text = f"the network failed on the way to {where}: {what}"
    return Reason(code, text, error)


def refused(where: str, error: OSError | None = None) -> Reason:
    """Make the reason for a port on which nothing listens."""
    return Reason(ReasonCode.REFUSED, f"nothing is listening on {where}; is the server started?", error)


def interrupted(where: str) -> Reason:
    """Make the reason for a link on which an exception of this program came, such as Ctrl-C, in the middle of a step."""
    text = f"the link to {where} was broken off: this program was interrupted while it handled it"
    return Reason(ReasonCode.NETWORK, text)


def closed_here(text: str = "") -> Reason:
    """Make the reason for a link that this program closed."""
    return Reason(ReasonCode.CLOSED, printable(text) or "closed by this program")


if sys.platform == "win32":  # pragma: no cover - Windows has its own numbers for the same errors
    _UNREACHABLE |= {errno.WSAEHOSTUNREACH, errno.WSAENETUNREACH, errno.WSAEADDRNOTAVAIL, errno.WSAENETDOWN}
    _RESET |= {errno.WSAECONNRESET, errno.WSAENETRESET, errno.WSAECONNABORTED, errno.WSAESHUTDOWN, errno.WSAENOTCONN}
    _TAKEN |= {errno.WSAEADDRINUSE}
    _NOT_OURS |= {errno.WSAEADDRNOTAVAIL}
    _FORBIDDEN |= {errno.WSAEACCES}
    _NO_FAMILY |= {errno.WSAEAFNOSUPPORT, errno.WSAEPROTONOSUPPORT}
    _NO_DESCRIPTORS |= {errno.WSAEMFILE}
    _NO_MEMORY |= {errno.WSAENOBUFS}
