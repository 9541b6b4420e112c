"""A stranger's bytes to a message, at once or in parts, with bounds for what decoding and holding it may cost."""

import gc
from collections import Counter
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from itertools import compress
from typing import Any

import msgpack

from netcode.errors import ProtocolError
from netcode.reasons import ReasonCode, printable
from netcode.wire.cost import CONTAINER, EXTENSION, MARKS, MAX_COLLISIONS, has_many_stamps, is_harmless

PART = 4096
"""Bytes of a costly message that are decoded at a time."""

AT_ONCE = 1024
"""Keys of dicts that are made, and looked at, before the next: the same list may be there 32,000 times."""

MANY = 16_384
"""Values whose nesting is looked at in one go."""

Decoding = Generator[None, None, Any]
"""What decodes a message a part at a time, and returns it."""

SCALARS = frozenset((str, bytes, int, float, bool, type(None)))
"""The types of what has nothing in it."""
CONTAINERS: tuple[Any, ...] = (list, dict, tuple)
"""Those of what has."""
UNREADABLE = (ValueError, TypeError, OverflowError, RecursionError)
"""What the decoders raise."""
COLLIDING = f"over {MAX_COLLISIONS} keys of a map that share a hash"

_is_container = frozenset(CONTAINERS).__contains__
_LIST: Any = list  # of unknown type to the type checkers, as what is in a message is
_unpackb = msgpack.unpackb


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


def decode(payload: memoryview, depth: int) -> Any:
    """Return the message of `payload`, which nests `depth` levels at most."""
    # Bytes and text, which may be large, have nothing in them to look at.
    harmless = len(payload) == 0 or MARKS[payload[0]] != CONTAINER or is_harmless(payload)
    wary = not harmless and has_many_stamps(payload.tobytes())
    try:
        try:
            message = _unpack_warily(payload) if wary else unpack(payload)
        except TypeError:
            message = _unpack_warily(payload)
    except UNREADABLE as error:
        raise malformed(error) from error
    if not harmless:
        for _ in _look_at_levels(message, payload, depth):
            pass
    return message


def decode_in_parts(payload: bytes, depth: int) -> Decoding:
    """Do what `decode` does, in parts of `PART` bytes."""
    try:
        try:
            message = yield from _unpack_in_parts(payload, _Dicts() if has_many_stamps(payload) else None)
        except TypeError:
            message = yield from _unpack_in_parts(payload, _Dicts())
    except UNREADABLE as error:
        raise malformed(error) from error
    yield from _look_at_levels(message, payload, depth)
    return message


def malformed(error: Exception) -> ProtocolError:
    """Return what is said of bytes of which a decoder said this."""
    what = printable(str(error), 60) or type(error).__name__
    return ProtocolError(ReasonCode.MALFORMED, f"bytes came that are no message: {what}")


def _unpack_warily(payload: memoryview) -> Any:
    """Decode a message in which a dict has lists for keys, as `{(x, y): tile}` has, which come as tuples; or stamps."""
    dicts = _Dicts()
    message = _unpackb(payload, strict_map_key=False, ext_hook=_refuse_extension, object_pairs_hook=dicts.make)
    for _ in dicts.fill():
        pass
    return message


class _Dicts:
    """The dicts of one message, with tuples for keys that are lists; unless keys were made to collide.

    Each key is compared with all before it that share its hash. Large dicts come empty, and are filled when the rest is
    decoded: a part at a time, in the middle of which nobody could stop msgpack.
    """

    def __init__(self) -> None:
        self._empty: list[tuple[dict[Any, Any], list[tuple[Any, Any]]]] = []

    def make(self, pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
        """Make one."""
        if len(pairs) <= MAX_COLLISIONS:
            return {(_as_key(key) if key else ()) if type(key) is _LIST else key: value for key, value in pairs}
        made: dict[Any, Any] = {}
        self._empty.append((made, pairs))
        return made

    def fill(self) -> Generator[None]:
        """Fill those that came empty. Raises `TypeError` for keys that cannot be one, `ValueError` for colliding ones."""
        seen = 0
        while self._empty:
            made, pairs = self._empty.pop()
            counts: Counter[int] = Counter()
            for begin in range(0, len(pairs), AT_ONCE):
                part = [
                    (_as_key(key), value) if type(key) is _LIST else (key, value)
                    for key, value in pairs[begin : begin + AT_ONCE]
                ]
                if _collide([key for key, _ in part], counts):
                    raise ValueError(COLLIDING)
                made.update(part)
                seen += len(part)
                if seen >= AT_ONCE:
                    seen = 0
                    yield


def collide(keys: Iterable[Any]) -> bool:
    """Tell whether too many keys of a dict share a hash, of those that can be made to.

    That of tuples and timestamps is no secret, unlike that of a str. Honest ones collide, too: Python's hash of -1 is
    that of -2, so 128 tuples of seven of them share one.
    """
    return _collide(keys, Counter())


def _collide(keys: Iterable[Any], counts: Counter[int]) -> bool:
    """Tell whether these keys bring one of the `counts` of hashes so far above what it may be."""
    hashes = [hash(key) for key in keys if type(key) not in SCALARS]
    counts.update(hashes)
    return max(map(counts.__getitem__, hashes), default=0) > MAX_COLLISIONS


def _as_key(items: list[Any]) -> tuple[Any, ...]:
    return tuple([(_as_key(item) if item else ()) if type(item) is _LIST else item for item in items])


def unpack(payload: bytes | memoryview) -> Any:
    """Decode a payload of which it is known that it is harmless. Raises what msgpack raises."""
    return _unpackb(payload, strict_map_key=False, ext_hook=_refuse_extension)


def is_whole(payload: bytes) -> bool:
    """Tell whether a payload is one value, and nothing is missing or behind it. Nothing is made of what is in it."""
    stream = msgpack.Unpacker(max_buffer_size=len(payload))
    stream.feed(payload)
    try:
        stream.skip()
    except (msgpack.UnpackException, ValueError):
        return False
    return stream.tell() == len(payload)


def _refuse_extension(code: int, _data: bytes) -> Any:
    raise ProtocolError(ReasonCode.MALFORMED, f"msgpack extension {code} came, which is no message")


def _unpack_in_parts(payload: bytes, dicts: _Dicts | None) -> Decoding:
    """Decode a payload in parts, warily where its dicts are given. Raises what msgpack raises."""
    size = len(payload)
    hooks: Any = {} if dicts is None else {"object_pairs_hook": dicts.make}
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
        yield from () if dicts is None else dicts.fill()
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
