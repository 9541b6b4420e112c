"""Messages to bytes and back: msgpack, with the bounds that a stranger's bytes need."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

import msgpack

from netcode.errors import ProtocolError
from netcode.loop.budget import FREE
from netcode.reasons import ReasonCode
from netcode.wire.cost import CONTAINER, MARKS, MAX_DEPTH, cost_of, is_harmless, is_simple
from netcode.wire.decoding import SCALARS, Decoding, decode, decode_in_parts, is_whole, unpack
from netcode.wire.flaws import check_flaws, has_plain_keys
from netcode.wire.framing import HEADER, HEADER_SIZE
from netcode.wire.speed import KERNEL, Kernel
from netcode.wire.unsendable import explain

ENVELOPE = 4096
"""Bytes that a message of a server may have beyond the largest of a client, so that what came from a stranger can be
passed on in an envelope: who said it, when, to whom."""

CAREFUL_FROM = 4096
"""Bytes from which on payloads are decoded and looked at for what they are, instead of at a glance first."""

FEW_BYTES = 1024
"""Bytes of small messages of which it need not be asked what decoding them costs."""

MOST_CUT = FREE
"""Messages that `cut` returns at most: each costs something, and what costs more it leaves to others."""

E = TypeVar("E")

Pack = Callable[[Any], bytes]

FLOAT_32 = b"\xca"

UNSENDABLE = (TypeError, ValueError, OverflowError, RuntimeError, BufferError)
"""What encoders raise; `RuntimeError` for what nests too deep, and for what changes meanwhile."""

_make: Any = vars(tuple)["__new__"]
_number = int.from_bytes
_header = HEADER.pack


class Bounds(NamedTuple):
    """What messages may be at most, in one direction."""

    size: int = (1 << 32) - 1
    """Bytes of the payload."""
    depth: int = MAX_DEPTH
    """Levels of lists and dicts."""


UNBOUNDED = Bounds()


class Codec(Protocol):
    """What turns messages into payloads and back.

    The usual way is `frame` and `cut`, which take what is small and plain. What they leave, `encode` and `decode` know what
    to make of, or to say.

    Where it sends larger messages than it takes, as a server does, it takes none that would be larger than those taken
    if they were sent: a number may come in five bytes and leave in nine.
    """

    takes: Bounds
    """What is taken from the other end. The size of a payload is looked at by whoever reads its header."""

    sends: Bounds
    """What may be sent. The size of a payload is looked at by whoever sends it."""

    def frame(self, message: Any, /) -> bytes | None:
        """Encode a small message, with its header; None where it is not small, or not plain, or cannot be sent."""
        ...

    def cut(
        self, data: memoryview, size: int, limit: int, event: type[E], sender: Any, /
    ) -> tuple[list[E], int] | None:
        """Decode the complete frames at the front of the first `size` bytes of `data`, if they are small and plain.

        Args:
            limit: bytes of the largest payload that is taken.
            event: a named tuple of who sent a message, and the message.

        Returns:
            An event for each message, `MOST_CUT` at most, and the bytes that they took; None to have them cut off and
            looked at one by one, with `decode`: what is large or costly, controls, and whatever may be wrong.
        """
        ...

    def unpack(self, payload: memoryview) -> Any:
        """Decode a payload; may raise anything."""
        ...

    def encode(self, message: Any) -> bytes:
        """Return the payload of `message`. Raises `TypeError` or `ValueError` for what cannot be sent."""
        ...

    def decode(self, payload: memoryview) -> Any:
        """Return the message of `payload`. Raises `ProtocolError`, and nothing else, for what cannot be one."""
        ...

    def decode_in_parts(self, payload: bytes) -> Decoding:
        """Do what `decode` does, in parts of `PART` bytes."""
        ...


class PlainValues:
    """What msgpack can say: None, bool, int, float, str, bytes, list, dict.

    msgpack's own timestamps pass too, as `msgpack.Timestamp`. Tuples arrive as lists; as keys they stay tuples.

    It has no state, so ends in several threads may share one.
    """

    def __init__(self, takes: Bounds = UNBOUNDED, sends: Bounds = UNBOUNDED) -> None:
        self.takes, self.sends = takes, sends
        self._whole = room_of(takes, sends)
        self.pack: Callable[[Any], bytes] = msgpack.packb

    def unpack(self, payload: memoryview) -> Any:
        return unpack(payload)

    def encode(self, message: Any, what: str = "message") -> bytes:
        try:
            payload = self._pack_whole(message)
        except UNSENDABLE as error:
            raise explain(message, error, self._pack_whole, what=what) from error
        if type(message) not in SCALARS and not (is_simple(payload) and has_plain_keys(message, payload)):
            check_flaws(message, self.sends.depth, what)
        return payload

    def decode(self, payload: memoryview) -> Any:
        message = decode(payload, self.takes.depth)
        self._look_at_growth(message, payload)
        return message

    def decode_in_parts(self, payload: bytes) -> Decoding:
        message = yield from decode_in_parts(payload, self.takes.depth)
        self._look_at_growth(message, payload)
        return message

    def _pack_whole(self, message: Any) -> bytes:
        """Pack a message. What has a type of its own may have another length than it says; that would end the link."""
        payload = self.pack(message)
        if type(message) not in SCALARS and not is_whole(payload):
            raise ValueError("it is not as long as its len() says")
        return payload

    def _look_at_growth(self, message: Any, payload: bytes | memoryview) -> None:
        """Raise `ProtocolError` if a message could not be passed on."""
        size = len(payload)
        # Only floats of 32 bits grow, from five bytes to nine, and bytes and text have none in them. Small messages
        # grow by less than an envelope.
        may_grow = size > CAREFUL_FROM and size * 9 > self._whole * 5 and MARKS[payload[0]] == CONTAINER
        if may_grow and size + 4 * bytes(payload).count(FLOAT_32) > self._whole:
            check_growth(len(self.pack(message)), self._whole)


class PlainCodec(PlainValues):
    """Messages are plain values: small ones are encoded and decoded in C, where that was built. Its packer has state."""

    def __init__(
        self,
        takes: Bounds = UNBOUNDED,
        sends: Bounds = UNBOUNDED,
        kernel: Kernel | None = KERNEL,
    ) -> None:
        super().__init__(takes, sends)
        self.pack = msgpack.Packer().pack
        self.frame: Callable[[Any], bytes | None] = partial(_frame, [_exact()]) if kernel is None else kernel.frame
        self.cut: Any = partial(cut_frames, unpack) if kernel is None else kernel.cut


def _exact() -> Pack:
    """Make what packs nothing but plain types."""
    pack: Pack = msgpack.Packer(strict_types=True, default=_as_list).pack
    return pack


def _as_list(value: Any) -> list[Any]:
    if type(value) is not tuple:
        raise TypeError  # what has a type of its own may not be as long as it says
    return [*value]


def _frame(free: list[Pack], message: Any, /) -> bytes | None:
    """Do what `Codec.frame` says, with what packs nothing but plain types.

    That is taken from `free` meanwhile: in `_as_list`, a signal handler may come that sends, too.
    """
    if type(message) is bytes and len(message) > CAREFUL_FROM:
        return None
    pack = free.pop() if free else _exact()
    try:
        payload = pack(message)
    except Exception:  # noqa: BLE001 - whatever it was, `encode` knows what to say
        return None
    finally:
        free.append(pack)
    if len(payload) > CAREFUL_FROM or not is_simple(payload) or not has_plain_keys(message, payload):
        return None
    return _header(len(payload)) + payload


def cut_frames(  # noqa: PLR0917 - what the kernel takes, too
    unpack: Callable[[memoryview], Any], data: memoryview, size: int, limit: int, event: type[E], sender: Any, /
) -> tuple[list[E], int] | None:
    """Do what `Codec.cut` says."""
    events: list[E] = []
    position = cost = 0
    if size > CAREFUL_FROM:
        return None
    try:
        while size - position > HEADER_SIZE:
            begin = position + HEADER_SIZE
            end = begin + _number(data[position:begin])
            if end == begin or end > begin + limit:
                return None
            if end > size:
                break
            payload = data[begin:end]
            if size > FEW_BYTES:
                cost += cost_of(payload)
            if cost > FREE or not is_harmless(payload):
                return None
            events.append(_make(event, (sender, unpack(payload))))
            position = end
    except Exception:  # noqa: BLE001 - whatever it was, those who look closer know what to make of it, or to say
        return None
    # A length without anything behind it may be a wrong one.
    return (events, position) if size - position != HEADER_SIZE else None


def decode_each(codec: Codec, payloads: list[memoryview]) -> tuple[list[Any], ProtocolError | None]:
    """Return the messages of `payloads`, up to the first that is none, and what is wrong with that."""
    unpack = codec.unpack
    try:
        return [unpack(one) if len(one) <= MAX_DEPTH else _decode_one(codec, one) for one in payloads], None
    except Exception:  # noqa: BLE001, S110 - whatever it was, the careful way knows what to make of it, or to say
        pass
    messages: list[Any] = []
    try:
        for payload in payloads:
            messages.append(codec.decode(payload))  # noqa: PERF401 - those before a wrong one count
    except ProtocolError as error:
        return messages, error
    return messages, None


def _decode_one(codec: Codec, payload: memoryview) -> Any:
    plainly = len(payload) <= CAREFUL_FROM and is_harmless(payload)
    return codec.unpack(payload) if plainly else codec.decode(payload)


def room_of(takes: Bounds, sends: Bounds) -> int:
    """Return the bytes that what is taken may have when it is passed on, without an envelope."""
    return takes.size if sends.size > takes.size else Bounds().size


def check_growth(size: int, most: int) -> None:
    """Raise `ProtocolError` if a message that came smaller would be too large to be passed on."""
    if size > most:
        text = f"a message came that is {size} bytes once its numbers and fields are written out; max_message is {most}"
        raise ProtocolError(ReasonCode.TOO_LARGE, text)


PLAIN = PlainValues()
"""For greetings and control messages of every end in every thread."""
