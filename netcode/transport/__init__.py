"""The contract of a transport: what carries a connection's bytes, whoever carries them.

Errors are `OSError`s; `BlockingIOError` means «not now». Nothing here blocks.
"""

import errno
import os
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeAlias

from netcode.address import Address
from netcode.reasons import Reason
from netcode.waiting import Descriptors

PIECE = 65_536
"""Bytes that are sent at once where each chunk would cost a call, a record or a message."""


class Heard(BlockingIOError):
    """«Not now» of an end that was heard all the same: what came carries no bytes, such as the answer to a probe."""


class ReceiveInto(Protocol):
    """Receives into a buffer, and returns the number of bytes; 0 is the end of the stream."""

    def __call__(self, buffer: memoryview, /) -> int: ...


class Send(Protocol):
    """Sends the beginning of the data, and returns how many bytes were taken.

    The rest has to be offered next, with more behind it or without; all of it where none was: TLS keeps what it was offered.
    """

    def __call__(self, data: bytes | memoryview, /) -> int: ...


class SendChunks(Protocol):
    """Sends the beginning of chunks that are not empty, and returns how many bytes were taken."""

    def __call__(self, chunks: list[bytes | memoryview], /) -> int: ...


class Transport(Protocol):
    """Carries the bytes of one established link."""

    address: Address | None
    """The other end."""

    @property
    def read_fd(self) -> int:
        """Descriptor to wait on for receiving, or -1."""
        ...

    @property
    def write_fd(self) -> int:
        """Descriptor to wait on for sending, or -1."""
        ...

    @property
    def lingers(self) -> bool:
        """Whether closing with unread input would destroy what was sent, so that the end has to be waited for."""
        ...

    @property
    def grain(self) -> int:
        """Room for less than this many bytes may leave some behind that no poller sees; 0 where that cannot be."""
        ...

    drains: bool
    """Whether a receive that leaves room has taken all there was, so that a poller need not tell of it again.

    Urgent data makes an exception, which no end of ours sends: what is behind it waits for the next bytes.
    """

    @property
    def receive_into(self) -> ReceiveInto:
        """Receive into a buffer and return the number of bytes; 0 is the end of the stream."""
        ...

    @property
    def send(self) -> Send:
        """Send the beginning of the data and return how many bytes were taken."""
        ...

    def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
        """Send the beginning of `chunks`, which are not empty, and return how many bytes were taken.

        Also for a single large one: a transport may do more for it than for a small one.
        """
        ...

    def probe(self) -> None:
        """Have the other end asked for a sign of life along with what is sent next, if it answers that by itself.

        A browser does, also for a page whose code sleeps. Where nothing of the kind is known, this does nothing.
        """
        ...

    def finish(self) -> None:
        """End our side of the stream: the other end reads what was sent, then the end."""
        ...

    def close(self) -> None:
        """Give everything back. What was not taken from us is lost.

        Where an end has to be said, it is said now if it was not yet, and if that can be done at once.
        """
        ...


class Connector(Protocol):
    """On its way to a transport."""

    where: str
    """What is being connected to, for sentences."""
    address: Address | None
    """The other end, where it is known already."""
    hint: str
    """What to say after `where` when this takes too long."""

    def advance(self, now: float) -> Transport | Reason | None:
        """Go on as far as possible: the transport, the reason why there will be none, or None for «not yet»."""
        ...

    def descriptors(self) -> Descriptors:
        """Return what to wait on until `advance` has something to do."""
        ...

    def due(self) -> float | None:
        """Return when `advance` has something to do even if no descriptor says so."""
        ...

    def close(self) -> None:
        """Give up, and give everything back."""
        ...


Encrypt: TypeAlias = Callable[[Connector], Connector]
"""What has a handshake wait for somebody."""


class Doorway(ABC):
    """Where others connect to: a listening socket, or what stands in for one."""

    address: Address
    counts_time: bool = False
    """Whether `accept` has to be tried when `due` comes also while there are descriptors to wait on."""

    @abstractmethod
    def accept(self, now: float) -> Connector | None:
        """Return the next one at the door, on its way in, or None. Raises `OSError` if the door itself broke."""

    @abstractmethod
    def doors(self) -> tuple[int, ...]:
        """Return the descriptors to wait on; none while there is nothing to wait for on them."""

    def begin_update(self) -> None:
        """Hear that another update begins, for what those who came in may cost in one."""

    def due(self) -> float | None:
        """Return when `accept` should be tried again although no descriptor says so."""
        return None

    def unwrap(self) -> "tuple[Doorway, Encrypt | None]":
        """Return the door before this one, and what is done with who comes through it; itself, and None, for nothing."""
        return self, None

    def say_when_short(self, words: bytes) -> None:
        """Have this said to somebody for whom there is no descriptor, where that can be said: as it is, in one `send`."""

    @abstractmethod
    def close(self) -> None:
        """Stop listening."""


class Network(Protocol):
    """A way to connect and to listen: TCP, or the test network in memory."""

    def connect(self, host: str, port: int, now: float) -> Connector:
        """Start to connect. Raises `TypeError` and `ValueError` for what cannot be a destination."""
        ...

    def listen(self, host: str, port: int) -> Doorway:
        """Listen. Raises `OSError` where that is not possible."""
        ...


def check_network(network: object) -> None:
    """Raise `TypeError` for what is no network."""
    if isinstance(network, type):
        raise TypeError(f"network must be a network, not a class of them: {network.__name__}()")
    if not (hasattr(network, "connect") and hasattr(network, "listen")):
        raise TypeError(f"network must be a network such as netcode.testing.MemoryNetwork(), not {network!r:.100}")


class Dice(Protocol):
    """What chance is drawn from: a `random.Random`, or the module."""

    def uniform(self, a: float, b: float, /) -> float:
        """Return a number from `a` to `b`."""
        ...

    def shuffle(self, x: list[Any], /) -> None:
        """Put a list into another order."""


def dice_of(network: Network | None) -> Dice:
    """Return what decides when somebody on `network` tries again: dice of its own, as that of a test has, or Python's."""
    dice: Dice = getattr(network, "dice", random)
    return dice


class Ready:
    """A connector for a transport that exists already.

    Args:
        since: when it came, if it had to wait before it got here; no two did at the same time.
        objection: why it is not to be let in.
    """

    __slots__ = ("_transport", "address", "objection", "since", "where")

    hint = "did not answer"

    def __init__(self, transport: Transport, since: float | None = None, objection: Reason | None = None) -> None:
        self._transport = transport
        self.address = transport.address
        self.since = since
        self.objection = objection
        self.where = str(transport.address or "the given descriptors")

    def advance(self, now: float) -> Transport:
        return self._transport

    def descriptors(self) -> Descriptors:
        read, write = self._transport.read_fd, self._transport.write_fd
        return [read] if read >= 0 else [], [write] if write >= 0 else [], []

    def due(self) -> float:
        return 0.0

    def close(self) -> None:
        self._transport.close()

    def abandon(self) -> None:
        abandon(self._transport)


class Holder(Protocol):
    """Holds what has to be given back."""

    def close(self) -> None:
        """Give everything back; once is enough, twice is fine."""


def abandon(holder: Holder) -> None:
    """Give back this process's copies of descriptors that are the parent's: what both share stays as it is."""
    getattr(holder, "abandon", holder.close)()


def connection_reset() -> ConnectionResetError:
    """Return the error of a link that the network, or the other end, has broken."""
    return ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))


def in_pieces(chunks: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """Yield what is in `chunks` in pieces of `PIECE` bytes, of which the last may be shorter.

    So the first is never less than what was left of one, wherever the network has stopped and however chunks were joined
    since.
    """
    piece: list[memoryview] = []
    room = PIECE
    for chunk in chunks:
        rest = memoryview(chunk)
        while len(rest) >= room:
            yield b"".join([*piece, rest[:room]]) if piece else rest[:room]
            piece, rest, room = [], rest[room:], PIECE
        if rest:
            piece.append(rest)
            room -= len(rest)
    if piece:
        yield b"".join(piece) if len(piece) > 1 else piece[0]


def send_each(send: Send, chunks: Iterable[bytes | memoryview]) -> int:
    """Send `chunks` piece by piece, for a transport that cannot take several at once, and fails the same way twice.

    Sockets of Linux are none such: they tell a reset once, and then only that there is nobody to send to.
    """
    total = 0
    for piece in in_pieces(chunks):
        try:
            count = send(piece)
        except OSError:
            if total:
                break  # the next call hears it again
            raise
        total += count
        if count < len(piece):
            break
    return total
