"""Messages of types of the game's own, checked by msgspec in both directions; on the wire they are plain msgpack."""

import typing
from collections.abc import Callable
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from netcode.diagnostics import log
from netcode.errors import ProtocolError
from netcode.reasons import ReasonCode, printable
from netcode.wire.codec import (
    CAREFUL_FROM,
    UNBOUNDED,
    UNSENDABLE,
    Bounds,
    Codec,
    PlainCodec,
    check_growth,
    cut_frames,
    room_of,
)
from netcode.wire.cost import EXTENSION, MARKS, is_harmless
from netcode.wire.decoding import Decoding, decode, decode_in_parts
from netcode.wire.framing import frame
from netcode.wire.unsendable import explain

E = TypeVar("E")

SMALL_STRUCT = 256
"""Bytes of a typed message up to which nobody asks by how much it grows."""

CAME = "a message came that is"
"""How the sentence begins about one of the wrong shape; nothing has come where it is about one of our own."""

_ALIASES: Any = tuple(kind for kind in (getattr(typing, "TypeAliasType", None),) if kind is not None)
"""What `type X = …` makes, where Python has it."""


class TypedCodec:
    """Messages are `msgspec.Struct` types, checked in both directions. On the wire they are plain msgpack."""

    def __init__(self, types: Any, takes: Bounds = UNBOUNDED, sends: Bounds = UNBOUNDED) -> None:
        try:
            import msgspec
        except ImportError as error:
            raise ImportError('messages= needs msgspec: python -m pip install "netcode[typed]"') from error
        self.takes, self.sends = takes, sends
        self._whole = room_of(takes, sends)
        members = _members(types)
        classes = [get_origin(member) or member for member in members]
        for member, its_class in zip(members, classes, strict=True):
            is_struct = isinstance(its_class, type) and issubclass(its_class, msgspec.Struct)
            if not is_struct or its_class is msgspec.Struct:  # which itself has no fields, and would keep none
                raise TypeError(f"messages must be msgspec.Struct types joined by |, not {member!r:.100}")
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
        except UNSENDABLE as error:
            raise explain(message, error, self._encode, what="message", fields=True) from error
        return payload

    def frame(self, message: Any, /) -> bytes | None:
        payload = self.encode(message)
        return frame(payload) if len(payload) <= CAREFUL_FROM else None

    def cut(
        self, data: memoryview, size: int, limit: int, event: type[E], sender: Any, /
    ) -> tuple[list[E], int] | None:
        return cut_frames(self.unpack, data, size, limit, event, sender)

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
            check_growth(size, self._whole)

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


def make_codec(types: Any = None, takes: Bounds = UNBOUNDED, sends: Bounds = UNBOUNDED) -> Codec:
    """Make the codec for `messages=types`: plain for None, typed for `msgspec.Struct` types."""
    return PlainCodec(takes, sends) if types is None else TypedCodec(types, takes, sends)


def _members(types: Any) -> list[Any]:
    """Return the types that are joined by |, also under the name of a `type X = …`."""
    if isinstance(types, _ALIASES):
        return _members(types.__value__)
    if get_origin(types) in (Union, UnionType):
        return [member for joined in get_args(types) for member in _members(joined)]
    return [types]
