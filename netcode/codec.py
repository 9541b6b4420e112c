"""Messages to bytes and back: msgpack, with the bounds that a stranger's bytes need."""

import re
from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any, Protocol, get_args

import msgpack

from netcode.errors import ProtocolError
from netcode.reasons import ReasonCode, printable

MAX_DEPTH = 32
"""How deep lists and dicts may nest in a message. msgpack itself decodes 1,024 levels, and then `repr` of the
result, in somebody's log line, raises RecursionError."""

CAREFUL_FROM = 4096
"""Bytes from which on payloads are looked at for what they are, instead of at a glance first."""

_SCALARS = frozenset((str, bytes, int, float, bool, type(None)))
_CONTAINERS = (list, dict, tuple)
_DICT: Any = dict  # of unknown type to the type checkers, as what is in a message is
_TUPLE: Any = tuple

# Most payloads are simple by their bytes alone: none can begin an extension, and too few can begin a list or a dict
# for deep nesting. One pass of a possessive pattern tells, without a step of Python.
_PLAIN, _CONTAINER = rb"\x00-\x7f\xa0-\xc6\xca-\xd3\xd9-\xdb\xe0-\xff", rb"\x80-\x9f\xdc-\xdf"
_SIMPLE = rb"(?:[%b]*+[%b]){0,%d}+[%b]*+" % (_PLAIN, _CONTAINER, MAX_DEPTH, _PLAIN)
is_simple: Callable[[bytes | memoryview], object] = re.compile(_SIMPLE).fullmatch
"""Whether a payload can be seen at a glance to hold no extension and no deep nesting."""
_PLAIN_BYTES = bytes(b for b in range(256) if re.match(b"[%b]" % _PLAIN, bytes((b,))))


def _is_simple(payload: bytes | memoryview) -> bool:
    return bool(is_simple(payload)) if len(payload) <= CAREFUL_FROM else are_simple(payload)


def are_simple(data: bytes | memoryview) -> bool:
    """Tell the same of several payloads at once, with their headers; quicker than `is_simple` for many bytes."""
    return bool(is_simple(bytes(data).translate(None, _PLAIN_BYTES)))


class Codec(Protocol):
    """What turns messages into payloads and back.

    The usual way is one call of a C function each way, `pack` and `unpack`. Where they raise, or the payload is not
    simple, `encode` and `decode` know what to make of it, or to say.
    """

    pack: Callable[[Any], bytes]
    """Encode a message; may raise anything."""
    unpack: Callable[[memoryview], Any]
    """Decode a payload; may raise anything."""

    def encode(self, message: Any) -> bytes:
        """Return the payload of `message`. Raises `TypeError` or `ValueError` for what cannot be sent."""
        ...

    def decode(self, payload: memoryview) -> Any:
        """Return the message of `payload`. Raises `ProtocolError`, and nothing else, for what cannot be one."""
        ...


class PlainCodec:
    """Messages are what msgpack can say: None, bool, int, float, str, bytes, list, dict.

    msgpack's own timestamps pass too, as `msgpack.Timestamp`. Tuples arrive as lists; as keys they stay tuples.
    """

    def __init__(self) -> None:
        self.pack: Callable[[Any], bytes] = msgpack.Packer().pack
        self.unpack: Callable[[memoryview], Any] = partial(msgpack.unpackb, strict_map_key=False)

    def encode(self, message: Any) -> bytes:
        try:
            payload = self.pack(message)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise _unsendable(message, error) from error
        if type(message) in _SCALARS or _is_simple(payload):
            return payload
        flaw = _flaw(message)
        if flaw == "depth":
            raise ValueError(f"a message that nests deeper than {MAX_DEPTH} levels cannot be sent")
        if flaw == "extension":
            raise TypeError("msgpack extension types are the protocol's own; send bytes or a dict instead")
        return payload

    def decode(self, payload: memoryview) -> Any:
        try:
            message = msgpack.unpackb(payload, strict_map_key=False, ext_hook=_refuse_extension)
        except ProtocolError:
            raise
        except TypeError:
            message = _with_list_keys(payload)
        except (ValueError, OverflowError, RecursionError) as error:
            raise _malformed(error) from error
        if type(message) not in _SCALARS and not _is_simple(payload) and _flaw(message) is not None:
            text = f"a message came that nests deeper than {MAX_DEPTH} levels"
            raise ProtocolError(ReasonCode.MALFORMED, text)
        return message


class TypedCodec:
    """Messages are `msgspec.Struct` types, checked in both directions. On the wire they are plain msgpack."""

    def __init__(self, types: Any) -> None:
        try:
            import msgspec
        except ImportError as error:
            raise ImportError("messages= needs msgspec: pip install 'netcode[typed]'") from error
        members = get_args(types) or (types,)
        for member in members:
            if not (isinstance(member, type) and issubclass(member, msgspec.Struct)):
                raise TypeError(f"messages must be msgspec.Struct types joined by |, not {member!r}")
        self._types: tuple[type[Any], ...] = members
        self._names = " | ".join(member.__name__ for member in members)
        self._encode: Callable[[Any], bytes] = msgspec.msgpack.Encoder().encode
        self._decode: Callable[[bytes], Any] = msgspec.msgpack.Decoder(types).decode
        self.pack: Callable[[Any], bytes] = self.encode
        self.unpack: Callable[[memoryview], Any] = self._unpack
        self._invalid: type[Exception] = msgspec.ValidationError

    def encode(self, message: Any) -> bytes:
        if not isinstance(message, self._types):
            raise TypeError(f"expected a message of {self._names}, not {type(message).__name__}")
        try:
            payload = self._encode(message)
            # msgspec does not check fields as they are set; the other end would refuse them.
            self.decode(memoryview(payload))
        except (TypeError, ValueError, OverflowError, RecursionError, ProtocolError) as error:
            raise _unsendable(message, error) from error
        return payload

    def _unpack(self, payload: memoryview) -> Any:
        # A copy, because a field of type `memoryview` or `msgspec.Raw` would go on looking at the receive buffer.
        return self._decode(bytes(payload))

    def decode(self, payload: memoryview) -> Any:
        try:
            message = self.unpack(payload)
        except self._invalid as error:
            text = f"a message came that is none of {self._names}: {printable(str(error), 80)}"
            raise ProtocolError(ReasonCode.WRONG_SHAPE, text) from error
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise _malformed(error) from error
        if not _is_simple(payload):
            PLAIN.decode(payload)  # only to look at the nesting, and only of what has the right shape: this costs more
        return message


def make_codec(types: Any = None) -> Codec:
    """Make the codec for `messages=types`: plain for None, typed for `msgspec.Struct` types."""
    return PLAIN if types is None else TypedCodec(types)


def _unsendable(message: Any, error: Exception) -> Exception:
    """Name what msgpack could not say, as the kind of error that fits the fault."""
    kind = TypeError if isinstance(error, TypeError) else ValueError
    return kind(f"a message of type {type(message).__name__} cannot be sent: {printable(str(error), 200)}")


def _malformed(error: Exception) -> ProtocolError:
    what = printable(str(error), 60) or type(error).__name__
    return ProtocolError(ReasonCode.MALFORMED, f"bytes came that are no message: {what}")


def _with_list_keys(payload: memoryview) -> Any:
    """Decode a message in which a dict has a list for a key, as `{(x, y): tile}` has: such keys come as tuples."""
    try:
        return _lists(msgpack.unpackb(payload, strict_map_key=False, ext_hook=_refuse_extension, use_list=False))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise _malformed(error) from error


def _lists(item: Any) -> Any:
    """Turn the tuples of a decoded message into lists, but for the keys of dicts."""
    if isinstance(item, _DICT):
        return {key: _lists(value) for key, value in item.items()}
    return [*map(_lists, item)] if isinstance(item, _TUPLE) else item


def _refuse_extension(code: int, _data: bytes) -> Any:
    raise ProtocolError(ReasonCode.MALFORMED, f"msgpack extension {code} came, which is no message")


def _flaw(message: Any) -> str | None:
    """Say what is wrong with a message that msgpack can say and nobody should: it nests too deep, or extends msgpack."""
    # All of a level at once, and no call per item: 64 KiB of empty dicts are 65,000 of them.
    level: list[Any] = [message]
    for _ in range(MAX_DEPTH):
        kinds: set[type[Any]] = {*map(type, level)}
        if msgpack.ExtType in kinds:
            return "extension"
        if kinds <= _SCALARS:
            return None
        full: list[Any] = [item for item in level if item and isinstance(item, _CONTAINERS)]
        values = [item.values() for item in full if isinstance(item, _DICT)]
        level = [*chain.from_iterable(full), *chain.from_iterable(values)]  # of a dict, the first gives the keys
    return "depth" if any(isinstance(item, _CONTAINERS) for item in level) else None


PLAIN = PlainCodec()
