"""A decoder of the wire, written from docs/protocol.md alone: it imports neither netcode nor msgpack."""

import ipaddress
import struct
from typing import Any, NamedTuple

LIST: Any = list  # of unknown type to the type checkers, as what is read is
TUPLE: Any = tuple
DICT: Any = dict
MAX_DEPTH = 32
DEPTH_OF_SERVERS = 40
MAX_UNGREETED = 4096


class Refused(Exception):
    """A frame breaks the standard."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Ended(Exception):
    """The bytes end before the value does."""


class Extension:
    """A msgpack extension."""

    def __init__(self, code: int, body: bytes) -> None:
        self.code = code
        self.body = body


class Timestamp(NamedTuple):
    """The only extension that may be in a message."""

    seconds: int
    nanoseconds: int


class Reader:
    """Reads msgpack values; a lenient one takes text that is not UTF-8, and any depth."""

    def __init__(self, data: bytes, depth: int, *, lenient: bool = False) -> None:
        self.depth = depth
        self.data = data
        self.position = 0
        self.lenient = lenient

    def take(self, count: int) -> bytes:
        part = self.data[self.position : self.position + count]
        if len(part) < count:
            raise Ended
        self.position += count
        return part

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    def text(self, count: int) -> str:
        return self.take(count).decode("utf-8", "backslashreplace" if self.lenient else "strict")

    def extension(self, count: int) -> Extension | Timestamp:
        code = self.number(1)
        body = self.take(count)
        return as_timestamp(body) if code == 255 else Extension(code, body)

    def array(self, count: int, depth: int) -> list[Any]:
        self.enter(count, depth)
        return [self.value(depth + 1) for _ in range(count)]

    def map(self, count: int, depth: int) -> dict[Any, Any]:
        self.enter(2 * count, depth)
        pairs: list[tuple[Any, Any]] = []
        for _ in range(count):
            key = as_key(self.value(depth + 1))
            pairs.append((key, self.value(depth + 1)))
        return dict(pairs)

    def enter(self, count: int, depth: int) -> None:
        if depth == self.depth and not self.lenient:
            raise Refused("MALFORMED")
        if count > len(self.data) - self.position:  # each item takes a byte at least
            raise Ended

    def value(self, depth: int = 0) -> Any:
        first = self.number(1)
        if first <= 0x7F:
            return first
        if first <= 0x8F:
            return self.map(first & 15, depth)
        if first <= 0x9F:
            return self.array(first & 15, depth)
        if first <= 0xBF:
            return self.text(first & 31)
        if first >= 0xE0:
            return first - 256
        if first in (0xC0, 0xC2, 0xC3):
            return {0xC0: None, 0xC2: False, 0xC3: True}[first]
        return self.sized(first, depth)

    def sized(self, first: int, depth: int) -> Any:
        match first:
            case 0xC4 | 0xC5 | 0xC6:
                return self.take(self.number(1 << (first - 0xC4)))
            case 0xC7 | 0xC8 | 0xC9:
                return self.extension(self.number(1 << (first - 0xC7)))
            case 0xCA | 0xCB:
                return struct.unpack(">f" if first == 0xCA else ">d", self.take(4 << (first - 0xCA)))[0]
            case 0xCC | 0xCD | 0xCE | 0xCF:
                return self.number(1 << (first - 0xCC))
            case 0xD0 | 0xD1 | 0xD2 | 0xD3:
                return int.from_bytes(self.take(1 << (first - 0xD0)), "big", signed=True)
            case 0xD4 | 0xD5 | 0xD6 | 0xD7 | 0xD8:
                return self.extension(1 << (first - 0xD4))
            case 0xD9 | 0xDA | 0xDB:
                return self.text(self.number(1 << (first - 0xD9)))
            case 0xDC | 0xDD:
                return self.array(self.number(2 << (first - 0xDC)), depth)
            case 0xDE | 0xDF:
                return self.map(self.number(2 << (first - 0xDE)), depth)
            case _:
                raise Refused("MALFORMED")


def as_key(value: Any) -> Any:
    """Return what can be a key in Python: a tuple for a list."""
    return tuple(map(as_key, value)) if isinstance(value, LIST) else value


def read_value(data: bytes, depth: int = MAX_DEPTH, *, lenient: bool = False) -> Any:
    """Return the only value in `data`."""
    reader = Reader(data, depth, lenient=lenient)
    try:
        value = reader.value()
    except (Ended, UnicodeDecodeError, TypeError) as error:
        raise Refused("MALFORMED") from error
    if reader.position != len(data):
        raise Refused("MALFORMED")
    return value


def read_frame(data: bytes, limit: int, depth: int = MAX_DEPTH) -> tuple[str, Any]:
    """Return what one frame is, and its meaning: «message» and a value, or «control» and a list."""
    length = int.from_bytes(data[:4], "big")
    if length == 0:
        raise Refused("MALFORMED")
    if length > limit:
        raise Refused("TOO_LARGE")
    assert len(data) == 4 + length
    value = read_value(data[4:], depth)
    if isinstance(value, Extension) and value.code == 78:
        return "control", check_control(read_body(value.body))
    check_extensions(value)
    return "message", value


def read_first(data: bytes) -> list[Any]:
    """Return the first frame of a client."""
    body = read_greeting(data)
    if body[0] != 1:
        raise Refused("MALFORMED")
    return body


def read_answer(data: bytes) -> list[Any]:
    """Return the first frame of a server, as a client without a token must read it."""
    body = read_greeting(data)
    if body[0] not in (2, 5):
        raise Refused("MALFORMED")
    if body[0] == 2 and body[5] > 0:
        raise Refused("RESUME_LOST")
    return body


def read_greeting(data: bytes) -> list[Any]:
    """Return the control message that is the first frame of an end."""
    if not 0 < int.from_bytes(data[:4], "big") <= MAX_UNGREETED:
        raise Refused("NOT_NETCODE")
    kind, body = read_frame(data, MAX_UNGREETED)
    if kind != "control":
        raise Refused("MALFORMED")
    return [*body]


def read_where(data: bytes) -> str | None:
    """Return where a BYE of MOVED sends a client; None for anywhere."""
    body = [*read_frame(data, MAX_UNGREETED)[1], None]
    where = body[3]
    if body[:2] != [5, 31] or not isinstance(where, str) or len(where) > 260:
        return None
    host, _, port = where.rpartition(":")
    if not port.isascii() or not port.isdigit() or port[0] == "0" or int(port) > 65_535:
        return None
    letters = {*"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"}
    if host[:1] == "[" and host[-1:] == "]":
        right = "%" not in host and is_ipv6(host[1:-1])
    else:
        right = host != "" and {*host} <= letters | {*"._-"}
    return where if right else None


def is_ipv6(text: str) -> bool:
    """Tell whether it is an IPv6 address."""
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def read_body(body: bytes) -> Any:
    """Return what is in a control message. A BYE is obeyed even if it is not well written."""
    try:
        value = read_value(body)
        check_extensions(value)
    except Refused:
        value = read_value(body, lenient=True)
        if not isinstance(value, LIST) or value[:1] != [5]:
            raise
    return value


def check_extensions(value: Any) -> None:
    """Refuse another extension than a timestamp in a message."""
    if isinstance(value, Extension):
        raise Refused("MALFORMED")
    if isinstance(value, DICT):
        for pair in value.items():
            check_extensions(pair)
    elif isinstance(value, (LIST, TUPLE)):
        for item in value:
            check_extensions(item)


def as_timestamp(body: bytes) -> Timestamp:
    """Read 4 bytes of seconds; or 30 bits of nanoseconds and 34 of seconds; or 4 bytes and 8."""
    number = int.from_bytes(body, "big")
    match len(body):
        case 4:
            stamp = Timestamp(number, 0)
        case 8:
            stamp = Timestamp(number & ((1 << 34) - 1), number >> 34)
        case 12:
            stamp = Timestamp(int.from_bytes(body[4:], "big", signed=True), int.from_bytes(body[:4], "big"))
        case _:
            raise Refused("MALFORMED")
    if stamp.nanoseconds >= 1_000_000_000:
        raise Refused("MALFORMED")
    return stamp


def is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def is_seconds(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < 1e9


def is_name(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 64


def is_limit(value: Any) -> bool:
    return is_count(value) and value >= 4096


def is_token(value: Any) -> bool:
    return isinstance(value, bytes) and len(value) <= 64


def is_token_or_nil(value: Any) -> bool:
    return value is None or is_token(value)


def is_text(value: Any) -> bool:
    return isinstance(value, str)


def is_anything(value: Any) -> bool:
    return True


FIELDS = {
    1: (is_text, is_count, is_name, is_name, is_limit, is_token_or_nil, is_count, is_anything),
    2: (is_count, is_count, is_limit, is_token, is_count, is_seconds, is_seconds),
    3: (is_count, is_count),
    4: (is_count, is_count),
    5: (is_count, is_text),
    6: (is_count,),
}


def check_control(body: Any) -> list[Any]:
    """Return the kind and the fields of a control message, which may be followed by others."""
    if not isinstance(body, LIST) or not body:
        raise Refused("MALFORMED")
    kind, fields = body[0], body[1:]
    if type(kind) is not int or kind not in FIELDS:
        raise Refused("MALFORMED")
    if kind == 1 and fields[:1] != ["netcode"]:
        raise Refused("NOT_NETCODE")
    protocol = fields[1:2] if kind == 1 else fields[:1]
    if kind in (1, 2) and (protocol != [1] or type(protocol[0]) is not int):
        raise Refused("WRONG_PROTOCOL")
    wanted = FIELDS[kind]
    if len(fields) < len(wanted) or not all(is_right(field) for is_right, field in zip(wanted, fields, strict=False)):
        raise Refused("MALFORMED")
    return [*body]
