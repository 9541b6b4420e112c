"""Messages to bytes and back: msgpack, with the bounds that a stranger's bytes need."""

import gc
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain, compress, repeat
from operator import is_
from typing import Any, NamedTuple, Protocol, TypeVar, get_args

import msgpack

from netcode.errors import ProtocolError
from netcode.loop.budget import FREE
from netcode.reasons import ReasonCode, printable
from netcode.wire.framing import HEADER, HEADER_SIZE
from netcode.wire.speed import KERNEL, Kernel
from netcode.wire.unsendable import explain

MAX_DEPTH = 32
"""How deep lists and dicts may nest in a message of a client. msgpack itself decodes 1,024 levels, and then `repr` of
the result, in somebody's log line, raises RecursionError."""

ENVELOPE = 4096
"""Bytes that a message of a server may have beyond the largest of a client, so that what came from a stranger can be
passed on in an envelope: who said it, when, to whom."""

ENVELOPE_DEPTH = 8
"""Levels that it may nest deeper, for the same reason."""

MAX_COLLISIONS = 64
"""Keys of one dict that may share a hash. 64 KiB of keys that all do cost a quarter of a second."""

CAREFUL_FROM = 4096
"""Bytes from which on payloads are decoded and looked at for what they are, instead of at a glance first."""

FEW_BYTES = 1024
"""Bytes of small messages of which it need not be asked what decoding them costs."""

FEW = 32
"""Payloads up to which each is looked at for what it costs, instead of all as one."""

PART = 4096
"""Bytes of a costly message that are decoded at a time."""

MANY = 16_384
"""Values whose nesting is looked at in one go."""

E = TypeVar("E")

Decoding = Generator[None, None, Any]
"""What decodes a message a part at a time, and returns it."""

_make: Any = vars(tuple)["__new__"]
_SCALARS = frozenset((str, bytes, int, float, bool, type(None)))
_CONTAINERS: tuple[Any, ...] = (list, dict, tuple)
_LISTS: Any = (list, tuple)
_PLAIN = _SCALARS.union(_CONTAINERS)
_is_container = frozenset(_CONTAINERS).__contains__
_DICT: Any = dict  # of unknown type to the type checkers, as what is in a message is
_LIST: Any = list

SMALL_STRUCT = 256
"""Bytes of a typed message up to which nobody asks by how much it grows."""

FLOAT_32 = b"\xca"
CONTAINER, EXTENSION = 1, 2
MARKS = bytes(
    CONTAINER
    if 0x80 <= byte <= 0x9F or 0xDC <= byte <= 0xDF
    else EXTENSION
    if 0xC7 <= byte <= 0xC9 or 0xD4 <= byte <= 0xD8
    else 0
    for byte in range(256)
)
"""What each byte of a payload may begin: a list or a dict, an extension of msgpack, or neither.

`bytes.translate` marks a whole payload without a step of Python. Most are simple by their marks alone: nothing in them
can be an extension, and there are too few containers for deep nesting."""
_NO_MAPS = bytes(byte for byte in range(256) if not 0x80 <= byte <= 0x8F and byte not in {0xDE, 0xDF})
"""The bytes that begin no dict."""


def is_simple(payload: bytes) -> bool:
    """Tell whether a payload can be seen at a glance to hold no extension and no deep nesting."""
    marks = payload.translate(MARKS)
    return EXTENSION not in marks and marks.count(CONTAINER) <= MAX_DEPTH


def is_harmless(payload: memoryview) -> bool:
    """Tell whether a payload can be seen at a glance to hold neither deep nesting nor keys that were made to collide.

    Each level of nesting takes a byte at least, and each timestamp that can be a key of a chosen hash 15.
    """
    if len(payload) <= MAX_DEPTH:
        return True
    data = payload.tobytes()
    return data.translate(MARKS).count(CONTAINER) <= MAX_DEPTH and not _has_many_stamps(data)


def cost_of(payload: memoryview) -> int:
    """Return what decoding a payload costs, seen at a glance: at least as many as the lists and dicts that are in it."""
    size, first = len(payload), payload[0]
    if 0xC4 <= first <= 0xC6:
        return 1 + (size >> 10)  # bytes, which are only copied
    cost = 1 + (size >> 3)
    return cost if not MARKS[first] else cost + _cost_of_marks(payload.tobytes().translate(MARKS))


def cost_of_frames(data: memoryview, payloads: Sequence[memoryview]) -> int:
    """Return what decoding the frames in `data` costs, in which these payloads are."""
    if len(payloads) <= FEW:
        return sum(map(cost_of, payloads))
    return 2 * len(payloads) + (len(data) >> 3) + _cost_of_marks(data.tobytes().translate(MARKS))


def carried(message: Any) -> int:
    """Return how many bytes of a message are in bytes that it just carries, which look as if they might cost a lot."""
    values: Iterable[Any] = (
        message.values() if isinstance(message, _DICT) else message if isinstance(message, _LIST) else ()
    )
    return sum([len(value) for value in values if type(value) is bytes]) if values and len(message) <= FEW else 0


def _cost_of_marks(marks: bytes) -> int:
    return marks.count(CONTAINER) + 2 * marks.count(EXTENSION)  # timestamps are made in Python


def _has_many_stamps(data: bytes) -> bool:
    # Those of 12 bytes alone have room for a number beside the one that gives the hash.
    return len(data) > 15 * MAX_COLLISIONS and data.count(b"\x0c\xff") > MAX_COLLISIONS


class Bounds(NamedTuple):
    """What messages may be at most, in one direction."""

    size: int = (1 << 32) - 1
    """Bytes of the payload."""
    depth: int = MAX_DEPTH
    """Levels of lists and dicts."""


@contextmanager
def undisturbed() -> Generator[None]:
    """Keep the collector of garbage from looking again and again at what is being decoded, which is no garbage."""
    collects = gc.isenabled()
    try:
        gc.disable()
        yield
    finally:
        if collects:
            gc.enable()


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
        return _unpack(payload)

    def encode(self, message: Any, what: str = "message") -> bytes:
        try:
            payload = self.pack(message)
        except _UNSENDABLE as error:
            raise explain(message, error, self.pack, what=what) from error
        if type(message) in _SCALARS or (is_simple(payload) and _has_plain_keys(message, payload)):
            return payload
        flaw = _flaw(message, self.sends.depth)
        if flaw == "depth":
            raise ValueError(f"a {what} that nests deeper than {self.sends.depth} levels cannot be sent")
        if flaw == "extension":
            raise TypeError("msgpack extension types are the protocol's own; send bytes or a dict instead")
        if flaw == "keys":
            raise ValueError(f"a {what} with {_COLLIDING} cannot be sent; choose other keys, or send a list of pairs")
        if flaw == "dict in a key":
            raise TypeError(f"a {what} with a dict in a key cannot be sent: no dict can be a key where it arrives")
        return payload

    def decode(self, payload: memoryview) -> Any:
        message = _decode(payload, self.takes.depth)
        self._look_at_growth(message, payload)
        return message

    def decode_in_parts(self, payload: bytes) -> Decoding:
        message = yield from _decode_in_parts(payload, self.takes.depth)
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
        self.cut: Any = partial(_cut, _unpack) if kernel is None else kernel.cut


class TypedCodec:
    """Messages are `msgspec.Struct` types, checked in both directions. On the wire they are plain msgpack."""

    def __init__(self, types: Any, takes: Bounds = UNBOUNDED, sends: Bounds = UNBOUNDED) -> None:
        try:
            import msgspec
        except ImportError as error:
            raise ImportError("messages= needs msgspec: pip install 'netcode[typed]'") from error
        self.takes, self.sends = takes, sends
        self._whole = _room(takes, sends)
        members = get_args(types) or (types,)
        for member in members:
            if not (isinstance(member, type) and issubclass(member, msgspec.Struct)):
                raise TypeError(f"messages must be msgspec.Struct types joined by |, not {member!r}")
        self._types: tuple[type[Any], ...] = members
        self._names = " | ".join(member.__name__ for member in members)
        self._encode: Callable[[Any], bytes] = msgspec.msgpack.Encoder().encode
        self._decode: Callable[[bytes], Any] = msgspec.msgpack.Decoder(types).decode
        self._invalid: type[Exception] = msgspec.ValidationError

    def encode(self, message: Any) -> bytes:
        if not isinstance(message, self._types):
            raise TypeError(f"expected a message of {self._names}, not {type(message).__name__}")
        try:
            payload = self._encode(message)
            # msgspec does not check fields as they are set; the other end would refuse them.
            self._read(memoryview(payload), self.sends.depth)
        except ProtocolError as error:
            raise ValueError(f"a message of type {type(message).__name__} cannot be sent: {error}") from error
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
        # What grows, and by how much, depends on the types: 1 becomes 1.0, and fields that are missing get defaults.
        if len(payload) > SMALL_STRUCT:
            _check_growth(len(self._encode(message)), self._whole)
        return message

    def decode(self, payload: memoryview) -> Any:
        message = self._read(payload, self.takes.depth)
        if len(payload) > SMALL_STRUCT:
            _check_growth(len(self._encode(message)), self._whole)
        return message

    def decode_in_parts(self, payload: bytes) -> Decoding:
        message, wrong = None, None
        try:
            message = self._decode(payload)
        except self._invalid as error:
            wrong = self._wrong_shape(error)
        except _UNREADABLE as error:
            raise _malformed(error) from error
        yield
        if wrong is not None or EXTENSION in payload.translate(MARKS) or not is_harmless(memoryview(payload)):
            yield from _decode_in_parts(payload, self.takes.depth)
        if wrong is not None:
            raise wrong
        if len(payload) > SMALL_STRUCT:
            _check_growth(len(self._encode(message)), self._whole)
        return message

    def _unpack(self, payload: memoryview, depth: int) -> Any:
        # A copy, because a field of type `memoryview` or `msgspec.Raw` would go on looking at the receive buffer.
        copy = payload.tobytes()
        message = self._decode(copy)
        if EXTENSION in copy.translate(MARKS):
            _decode(payload, depth)  # msgspec has types for extensions that we refuse
        return message

    def _read(self, payload: memoryview, depth: int) -> Any:
        try:
            message = self._unpack(payload, depth)
        except self._invalid as error:
            _decode(payload, depth)  # what nobody could take has another reason than what has another shape
            raise self._wrong_shape(error) from error
        except _UNREADABLE as error:
            raise _malformed(error) from error
        if not is_harmless(payload):
            # Only to look at the nesting, and only of what has the right shape: this costs more.
            _decode(payload, depth)
        return message

    def _wrong_shape(self, error: Exception) -> ProtocolError:
        text = f"a message came that is none of {self._names}: {printable(str(error), 80)}"
        return ProtocolError(ReasonCode.WRONG_SHAPE, text)


def _frame(pack: Callable[[Any], bytes], message: Any, /) -> bytes | None:
    """Do what `Codec.frame` says."""
    if type(message) is bytes and len(message) > CAREFUL_FROM:
        return None
    try:
        payload = pack(message)
    except Exception:  # noqa: BLE001 - whatever it was, `encode` knows what to say
        return None
    if len(payload) > CAREFUL_FROM or not is_simple(payload) or not _has_plain_keys(message, payload):
        return None
    return _header(len(payload)) + payload


def _cut(  # noqa: PLR0917 - what the kernel takes, too
    unpack: Callable[[memoryview], Any], data: memoryview, size: int, limit: int, event: type[E], sender: Any, /
) -> tuple[list[E], int] | None:
    """Do what `Codec.cut` says."""
    events, position, cost = list[E](), 0, 0
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


def _room(takes: Bounds, sends: Bounds) -> int:
    """Return the bytes that what is taken may have when it is passed on, without an envelope."""
    return takes.size if sends.size > takes.size else Bounds().size


def _check_growth(size: int, most: int) -> None:
    """Raise `ProtocolError` if a message that came smaller would be too large to be passed on."""
    if size > most:
        text = f"a message came that is {size} bytes once its numbers and fields are written out; max_message is {most}"
        raise ProtocolError(ReasonCode.TOO_LARGE, text)


def _decode(payload: memoryview, depth: int) -> Any:
    """Return the message of `payload`, which nests `depth` levels at most."""
    # Bytes and text, which may be large, have nothing in them to look at.
    harmless = len(payload) == 0 or MARKS[payload[0]] != CONTAINER or is_harmless(payload)
    wary = not harmless and _has_many_stamps(payload.tobytes())
    try:
        message = _with_wary_maps(payload) if wary else _unpack(payload)
    except ProtocolError:
        raise
    except TypeError:
        message = _with_wary_maps(payload)
    except (ValueError, OverflowError, RecursionError) as error:
        raise _malformed(error) from error
    if not harmless:
        for _ in _look_at_levels(message, payload, depth):
            pass
    return message


def _decode_in_parts(payload: bytes, depth: int) -> Decoding:
    """Do what `_decode` does, in parts of `PART` bytes."""
    wary: dict[str, Any] = {"object_pairs_hook": _make_dict}
    try:
        try:
            message = yield from _unpack_in_parts(payload, wary if _has_many_stamps(payload) else {})
        except TypeError:
            message = yield from _unpack_in_parts(payload, wary)
    except _UNREADABLE as error:
        raise _malformed(error) from error
    yield from _look_at_levels(message, payload, depth)
    return message


def _malformed(error: Exception) -> ProtocolError:
    what = printable(str(error), 60) or type(error).__name__
    return ProtocolError(ReasonCode.MALFORMED, f"bytes came that are no message: {what}")


def _with_wary_maps(payload: memoryview) -> Any:
    """Decode a message in which a dict has lists for keys, as `{(x, y): tile}` has, which come as tuples; or stamps."""
    hooks: Any = {"ext_hook": _refuse_extension, "object_pairs_hook": _make_dict}
    try:
        return msgpack.unpackb(payload, strict_map_key=False, **hooks)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise _malformed(error) from error


def _make_dict(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """Make a dict with tuples for keys that are lists, unless its keys were made to collide.

    Each key is compared with all before it that share its hash.
    """
    if len(pairs) > MAX_COLLISIONS:
        pairs = [(_as_key(key), value) if type(key) is _LIST else (key, value) for key, value in pairs]
        if _collide(key for key, _ in pairs):
            raise ValueError(_COLLIDING)
        return dict(pairs)
    if not pairs:
        return {}
    return {(_as_key(key) if key else ()) if type(key) is _LIST else key: value for key, value in pairs}


def _collide(keys: Iterable[Any]) -> bool:
    """Tell whether too many keys of a dict share a hash, of those that can be made to.

    That of tuples and timestamps is no secret, unlike that of a str. Honest ones collide, too: Python's hash of -1 is
    that of -2, so 128 tuples of seven of them share one.
    """
    hashes = [hash(key) for key in keys if type(key) not in _SCALARS]
    return len(hashes) > MAX_COLLISIONS and max(Counter(hashes).values()) > MAX_COLLISIONS


def _as_key(items: list[Any]) -> tuple[Any, ...]:
    return tuple([(_as_key(item) if item else ()) if type(item) is _LIST else item for item in items])


def _unpack(payload: bytes | memoryview) -> Any:
    return _unpackb(payload, strict_map_key=False, ext_hook=_refuse_extension)


def _refuse_extension(code: int, _data: bytes) -> Any:
    raise ProtocolError(ReasonCode.MALFORMED, f"msgpack extension {code} came, which is no message")


def _unpack_in_parts(payload: bytes, hooks: Any) -> Decoding:
    """Decode a payload in parts. Raises what msgpack raises."""
    size = len(payload)
    stream = msgpack.Unpacker(strict_map_key=False, ext_hook=_refuse_extension, max_buffer_size=size, **hooks)
    for begin in range(0, size, PART):
        stream.feed(payload[begin : begin + PART])
        try:
            message = stream.unpack()
        except msgpack.OutOfData:
            yield
            continue
        if stream.tell() != size:
            raise ValueError("unpack(b) received extra data.")
        return message
    raise ValueError("Unpack failed: incomplete input")


def _look_at_levels(message: Any, payload: bytes | memoryview, depth: int) -> Generator[None]:
    """See that a message nests no deeper than it may, a level at a time; raises `ProtocolError` if it does."""
    # The collector of garbage can be asked what is in all containers of a level, which takes a fifth of the time that
    # any other way does. Of what msgpack decodes, timestamps alone know more than what is in the message: their type.
    has_stamps = EXTENSION in bytes(payload).translate(MARKS)
    level: list[Any] = [message]
    seen = 0
    for _ in range(depth):
        containers = compress(level, map(_is_container, map(type, level))) if has_stamps else level
        level = gc.get_referents(*containers)
        if not level:
            return
        seen += len(level)
        if seen >= MANY:
            seen = 0
            yield
    if any(map(_is_container, map(type, level))):
        raise ProtocolError(ReasonCode.MALFORMED, f"a message came that nests deeper than {depth} levels")


def _has_plain_keys(message: Any, payload: bytes) -> bool:
    """Tell whether it can be seen at a glance that no key of a message is a dict, or has one in it.

    Only a dict of a type of its own, with a hash, can be a key. Most messages have no second dict that might be one.
    """
    if len(payload.translate(None, _NO_MAPS)) < 2:
        return True
    level: list[Any] = [message]
    while level:
        if not _PLAIN.issuperset(map(type, level)):
            return False
        level = gc.get_referents(*level)
    return True


def _flaw(message: Any, depth: int) -> str | None:
    """Say what is wrong with a message that msgpack can say and nobody should: its depth, an extension, its keys."""
    # All of a level at once, by types, and no step of Python per item: 64 KiB of empty dicts are 65,000 of them.
    level: list[Any] = [message]
    for _ in range(depth):
        kinds = {*map(type, level)}
        if any(issubclass(kind, msgpack.ExtType) for kind in kinds):
            return "extension"
        full = [*filter(None, level)]  # without what is empty, or 0
        try:
            level = [*chain.from_iterable(_inside(full, kind, len(kinds) == 1) for kind in kinds - _SCALARS)]
        except _Colliding:
            return "keys"
        except _DictInKey:
            return "dict in a key"
        if not level:
            return None
    return "depth" if any(isinstance(item, _CONTAINERS) for item in level) else None


def _inside(level: list[Any], kind: type[Any], alone: bool) -> Iterable[Any]:
    """Return what is in those items of a level that are of one type, which may be `alone` there."""
    if not issubclass(kind, _CONTAINERS):
        return ()
    containers = level if alone else compress(level, map(is_, map(type, level), repeat(kind)))
    if not issubclass(kind, _DICT):
        return chain.from_iterable(containers)
    dicts: list[dict[Any, Any]] = [*containers]
    keys: list[Any] = [*chain.from_iterable(dicts)]
    values = chain.from_iterable(map(_DICT.values, dicts))
    if {*map(type, keys)} <= _SCALARS:
        return values
    for one in dicts:
        received = [_as_received(key) for key in one if type(key) not in _SCALARS]
        if len(received) > MAX_COLLISIONS and _collide(received):
            raise _Colliding
    return chain(keys, values)


def _as_received(key: Any, room: int = MAX_DEPTH + ENVELOPE_DEPTH) -> Any:
    """Return what a key is where it arrives; what is in it deeper than a message may nest is left as it is."""
    if isinstance(key, _DICT):
        raise _DictInKey
    return tuple([_as_received(item, room - 1) for item in key]) if isinstance(key, _LISTS) and room else key


class _Colliding(Exception):
    """Too many keys of a dict share a hash."""


class _DictInKey(Exception):
    """A key of a dict is a dict, or has one in it."""


_UNREADABLE = (ValueError, TypeError, OverflowError, RecursionError)
_UNSENDABLE = (TypeError, ValueError, OverflowError, RecursionError, BufferError)
_COLLIDING = f"over {MAX_COLLISIONS} keys of a map that share a hash"
_unpackb = msgpack.unpackb
_number = int.from_bytes
_header = HEADER.pack
PLAIN = PlainValues()
"""For greetings and control messages of every end in every thread."""
