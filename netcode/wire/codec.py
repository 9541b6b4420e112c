"""Messages to bytes and back: msgpack, with the bounds that a stranger's bytes need."""

import typing
from collections.abc import Callable
from functools import partial
from types import UnionType
from typing import Any, NamedTuple, Protocol, TypeVar, Union, get_args, get_origin

import msgpack

from netcode.diagnostics import log
from netcode.errors import ProtocolError
from netcode.loop.budget import FREE
from netcode.reasons import ReasonCode, printable
from netcode.wire.cost import CONTAINER, EXTENSION, MARKS, MAX_DEPTH, cost_of, is_harmless, is_simple
from netcode.wire.decoding import COLLIDING, SCALARS, Decoding, decode, decode_in_parts, unpack
from netcode.wire.flaws import flaw_of, has_plain_keys
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

E = TypeVar("E")

_make: Any = vars(tuple)["__new__"]
SMALL_STRUCT = 256
"""Bytes of a typed message up to which nobody asks by how much it grows."""

CAME = "a message came that is"
"""How the sentence begins about one of the wrong shape; nothing has come where it is about one of our own."""

FLOAT_32 = b"\xca"
_ALIASES: Any = tuple(kind for kind in (getattr(typing, "TypeAliasType", None),) if kind is not None)
"""What `type X = …` makes, where Python has it."""


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
            An event for each message, and the bytes that they took; None to have them cut off and looked at one by one,
            with `decode`: what is large or costly, controls, and whatever may be wrong.
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
        self._whole = _room(takes, sends)
        self.pack: Callable[[Any], bytes] = msgpack.packb

    def unpack(self, payload: memoryview) -> Any:
        return unpack(payload)

    def encode(self, message: Any, what: str = "message") -> bytes:
        try:
            payload = self.pack(message)
        except _UNSENDABLE as error:
            raise explain(message, error, self.pack, what=what) from error
        if type(message) in SCALARS or (is_simple(payload) and has_plain_keys(message, payload)):
            return payload
        flaw = flaw_of(message, self.sends.depth)
        if flaw == "depth":
            raise ValueError(f"a {what} that nests deeper than {self.sends.depth} levels cannot be sent")
        if flaw == "extension":
            raise TypeError("msgpack extension types are the protocol's own; send bytes or a dict instead")
        if flaw == "keys":
            raise ValueError(f"a {what} with {COLLIDING} cannot be sent; choose other keys, or send a list of pairs")
        if flaw == "dict in a key":
            raise TypeError(f"a {what} with a dict in a key cannot be sent: no dict can be a key where it arrives")
        return payload

    def decode(self, payload: memoryview) -> Any:
        message = decode(payload, self.takes.depth)
        self._look_at_growth(message, payload)
        return message

    def decode_in_parts(self, payload: bytes) -> Decoding:
        message = yield from decode_in_parts(payload, self.takes.depth)
        self._look_at_growth(message, payload)
        return message

    def _look_at_growth(self, message: Any, payload: bytes | memoryview) -> None:
        """Raise `ProtocolError` if a message could not be passed on."""
        size = len(payload)
        # Only floats of 32 bits grow, from five bytes to nine, and bytes and text have none in them. Small messages
        # grow by less than an envelope.
        may_grow = size > CAREFUL_FROM and size * 9 > self._whole * 5 and MARKS[payload[0]] == CONTAINER
        if may_grow and size + 4 * bytes(payload).count(FLOAT_32) > self._whole:
            _check_growth(len(self.pack(message)), self._whole)


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
        self.frame: Callable[[Any], bytes | None] = partial(_frame, self.pack) if kernel is None else kernel.frame
        self.cut: Any = partial(_cut, unpack) if kernel is None else kernel.cut


class TypedCodec:
    """Messages are `msgspec.Struct` types, checked in both directions. On the wire they are plain msgpack."""

    def __init__(self, types: Any, takes: Bounds = UNBOUNDED, sends: Bounds = UNBOUNDED) -> None:
        try:
            import msgspec
        except ImportError as error:
            raise ImportError("messages= needs msgspec: pip install 'netcode[typed]'") from error
        self.takes, self.sends = takes, sends
        self._whole = _room(takes, sends)
        members = _members(types)
        classes = [get_origin(member) or member for member in members]
        for member, its_class in zip(members, classes, strict=True):
            is_struct = isinstance(its_class, type) and issubclass(its_class, msgspec.Struct)
            if not is_struct or its_class is msgspec.Struct:  # which itself has no fields, and would keep none
                raise TypeError(f"messages must be msgspec.Struct types joined by |, not {member!r}")
        self._types: tuple[type[Any], ...] = tuple(classes)
        self._names = " | ".join(its_class.__name__ for its_class in classes)
        self._encode: Callable[[Any], bytes] = msgspec.msgpack.Encoder().encode
        self._decode: Callable[[bytes], Any] = msgspec.msgpack.Decoder(types).decode
        self._of_msgspec: type[Exception] = msgspec.MsgspecError

    def encode(self, message: Any) -> bytes:
        if not isinstance(message, self._types):
            raise TypeError(f"expected a message of {self._names}, not {type(message).__name__}")
        try:
            payload = self._encode(message)
            # msgspec does not check fields as they are set; the other end would refuse them.
            self._read(memoryview(payload), self.sends.depth, tell=False)
        except ProtocolError as error:
            said = str(error).replace(CAME, "it is", 1)
            raise ValueError(f"a message of type {type(message).__name__} cannot be sent: {said}") from error
        except _UNSENDABLE as error:
            raise explain(message, error, self._encode, what="message", fields=True) from error
        return payload

    def frame(self, message: Any, /) -> bytes | None:
        payload = self.encode(message)
        return _header(len(payload)) + payload if len(payload) <= CAREFUL_FROM else None

    def cut(
        self, data: memoryview, size: int, limit: int, event: type[E], sender: Any, /
    ) -> tuple[list[E], int] | None:
        return _cut(self.unpack, data, size, limit, event, sender)

    def unpack(self, payload: memoryview) -> Any:
        message = self._unpack(payload, self.takes.depth)
        self._look_at_growth(message, payload)
        return message

    def decode(self, payload: memoryview) -> Any:
        message = self._read(payload, self.takes.depth, tell=True)
        self._look_at_growth(message, payload)
        return message

    def decode_in_parts(self, payload: bytes) -> Decoding:
        message, wrong = None, None
        try:
            message = self._decode(payload)
        except Exception as error:  # noqa: BLE001 - the types are the game's own, and may do anything
            wrong = self._wrong_shape(error, tell=True)
        yield
        if wrong is not None or EXTENSION in payload.translate(MARKS) or not is_harmless(memoryview(payload)):
            yield from decode_in_parts(payload, self.takes.depth)
        if wrong is not None:
            raise wrong
        self._look_at_growth(message, payload)
        return message

    def _unpack(self, payload: memoryview, depth: int) -> Any:
        # A copy, because a field of type `memoryview` or `msgspec.Raw` would go on looking at the receive buffer.
        copy = payload.tobytes()
        message = self._decode(copy)
        if EXTENSION in copy.translate(MARKS):
            decode(payload, depth)  # msgspec has types for extensions that we refuse
        return message

    def _read(self, payload: memoryview, depth: int, *, tell: bool) -> Any:
        try:
            message = self._unpack(payload, depth)
        except ProtocolError:
            raise
        except Exception as error:  # the types are the game's own, and may do anything
            decode(payload, depth)  # what nobody could take has another reason than what has another shape
            raise self._wrong_shape(error, tell=tell) from error
        if not is_harmless(payload):
            # Only to look at the nesting, and only of what has the right shape: this costs more.
            decode(payload, depth)
        return message

    def _look_at_growth(self, message: Any, payload: bytes | memoryview) -> None:
        """Raise `ProtocolError` if a message could not be passed on."""
        # What grows, and by how much, depends on the types: 1 becomes 1.0, and fields that are missing get defaults.
        if len(payload) > SMALL_STRUCT:
            try:
                size = len(self._encode(message))
            except Exception:  # noqa: BLE001 - a type of the game's made of it what is passed on by nobody
                return
            _check_growth(size, self._whole)

    def _wrong_shape(self, error: Exception, *, tell: bool) -> ProtocolError:
        """Make what is said of a message that msgspec or its own type does not take.

        Args:
            tell: whether to tell the game of what its type raised.
        """
        if isinstance(error, self._of_msgspec):
            said = printable(str(error), 80)
        else:
            said = f"it raised {type(error).__name__}"
            if tell and not isinstance(error, RecursionError):  # which is also what msgspec says of deep nesting
                log.error(
                    "typed",
                    "a message of %s raised %s in a type of yours, and ended the link that it came over; "
                    "raise ValueError there for what a message must not say",
                    self._names,
                    type(error).__name__,
                    error=error,
                )
        return ProtocolError(ReasonCode.WRONG_SHAPE, f"{CAME} none of {self._names}: {said}")


def _members(types: Any) -> list[Any]:
    """Return the types that are joined by |, also under the name of a `type X = …`."""
    if isinstance(types, _ALIASES):
        return _members(types.__value__)
    if get_origin(types) in (Union, UnionType):
        return [member for joined in get_args(types) for member in _members(joined)]
    return [types]


def _frame(pack: Callable[[Any], bytes], message: Any, /) -> bytes | None:
    """Do what `Codec.frame` says."""
    if type(message) is bytes and len(message) > CAREFUL_FROM:
        return None
    try:
        payload = pack(message)
    except Exception:  # noqa: BLE001 - whatever it was, `encode` knows what to say
        return None
    if len(payload) > CAREFUL_FROM or not is_simple(payload) or not has_plain_keys(message, payload):
        return None
    return _header(len(payload)) + payload


def _cut(  # noqa: PLR0917 - what the kernel takes, too
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


def make_codec(types: Any = None, takes: Bounds = UNBOUNDED, sends: Bounds = UNBOUNDED) -> Codec:
    """Make the codec for `messages=types`: plain for None, typed for `msgspec.Struct` types."""
    return PlainCodec(takes, sends) if types is None else TypedCodec(types, takes, sends)


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


def _room(takes: Bounds, sends: Bounds) -> int:
    """Return the bytes that what is taken may have when it is passed on, without an envelope."""
    return takes.size if sends.size > takes.size else Bounds().size


def _check_growth(size: int, most: int) -> None:
    """Raise `ProtocolError` if a message that came smaller would be too large to be passed on."""
    if size > most:
        text = f"a message came that is {size} bytes once its numbers and fields are written out; max_message is {most}"
        raise ProtocolError(ReasonCode.TOO_LARGE, text)


_UNSENDABLE = (TypeError, ValueError, OverflowError, RecursionError, BufferError)
_number = int.from_bytes
_header = HEADER.pack
PLAIN = PlainValues()
"""For greetings and control messages of every end in every thread."""
