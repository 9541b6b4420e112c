"""What is said about a message that cannot be sent: the place in it, and what to send instead."""

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import io
import ipaddress
import itertools
import mmap
import pathlib
import re
import types
import uuid
from collections.abc import Iterator
from typing import Any

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcode.wire.codec import PLAIN
from netcode.wire.typed import make_codec
from netcode.wire.unsendable import MAX_STEPS, explain


@dataclasses.dataclass
class Ship:
    x: int = 1


@dataclasses.dataclass(frozen=True, slots=True)
class Port:
    name: str = "Bergen"


@dataclasses.dataclass
class Wreck:
    cause: object = dataclasses.field(default_factory=object)


class Move(msgspec.Struct):
    x: Any = 1


class Colour(enum.Enum):
    RED = 1


class Player:
    def __init__(self) -> None:
        self.name = "Ann"


class Empty:
    __slots__ = ()


class Vector2:
    """Like pygame's: it can be iterated over, and has nothing of its own in `__dict__`."""

    __slots__ = ()
    __module__ = "pygame.math"

    def __iter__(self) -> Iterator[float]:
        return iter((1.0, 2.0))


class Scalar:
    """Like numpy's."""

    shape = ()

    def tolist(self) -> float:
        return 1.0


class Array:
    """Like numpy's."""

    shape = (2,)

    def tolist(self) -> list[float]:
        return [1.0, 2.0]


class Model:
    def model_dump(self) -> dict[str, Any]:
        return {}


def said(message: Any, what: str = "message") -> str:
    """Return what is raised at whoever sends `message`."""
    with pytest.raises((TypeError, ValueError)) as caught:
        PLAIN.encode(message, what)
    return str(caught.value)


TYPES: list[tuple[Any, str, str]] = [
    (Vector2(), "pygame.math.Vector2", "list(value)"),
    (Scalar(), "test_wire_unsendable.Scalar", "value.item()"),
    (Array(), "test_wire_unsendable.Array", "value.tolist()"),
    (Model(), "test_wire_unsendable.Model", "value.model_dump()"),
    (Ship(), "test_wire_unsendable.Ship", "dataclasses.asdict(value)"),
    (Port(), "test_wire_unsendable.Port", "dataclasses.asdict(value)"),
    (Move(), "test_wire_unsendable.Move", "msgspec.to_builtins(value), or pass its type as messages= at both ends,"),
    (Colour.RED, "test_wire_unsendable.Colour", "value.value or value.name"),
    (Player(), "test_wire_unsendable.Player", "vars(value), or a dict of what the other end needs,"),
    (Empty(), "test_wire_unsendable.Empty", "a dict of what the other end needs"),
    (object(), "object", "a dict of what the other end needs"),
    (Player, "type", "a name that the other end can look up"),
    (len, "builtin_function_or_method", "a name that the other end can look up"),
    (io, "module", "a name that the other end can look up"),
    ({1, 2}, "set", "list(value)"),
    (frozenset([1]), "frozenset", "list(value)"),
    (range(3), "range", "list(value)"),
    ((number for number in range(3)), "generator", "list(value)"),
    ({}.values(), "dict_values", "list(value)"),
    (collections.deque([1]), "collections.deque", "list(value)"),
    (types.MappingProxyType({}), "mappingproxy", "dict(value)"),
    (decimal.Decimal("1.5"), "decimal.Decimal", "str(value)"),
    (fractions.Fraction(1, 3), "fractions.Fraction", "str(value)"),
    (1j, "complex", "[value.real, value.imag]"),
    (
        datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC),
        "datetime.datetime",
        "value.timestamp() or value.isoformat()",
    ),
    (datetime.date(2024, 1, 1), "datetime.date", "value.isoformat()"),
    (datetime.timedelta(1), "datetime.timedelta", "value.total_seconds()"),
    (uuid.UUID(int=1), "uuid.UUID", "str(value) or value.bytes"),
    (pathlib.PurePosixPath("x"), "pathlib.PurePosixPath", "str(value)"),
    (ipaddress.ip_address("::1"), "ipaddress.IPv6Address", "str(value)"),
    (array.array("i", [1]), "array.array", "value.tolist() or value.tobytes()"),
    (io.BytesIO(), "_io.BytesIO", "value.getvalue()"),
    (re.compile("x"), "re.Pattern", "value.pattern"),
    (OSError("x"), "OSError", "str(value)"),
]


@pytest.mark.fault(88, "memory")
@pytest.mark.parametrize(
    ("value", "name", "instead"), TYPES, ids=lambda value: value if isinstance(value, str) else type(value).__name__
)
def test_what_msgpack_has_no_form_for_is_named_with_its_place_and_what_to_send_instead(
    value: Any, name: str, instead: str
) -> None:
    name = name.replace("pathlib.Pure", f"{type(pathlib.PurePosixPath()).__module__}.Pure")
    text = f"is of type {name}, which msgpack has no form for; send {instead} instead"

    assert said({"players": [1, {"pos": value}]}) == (
        f"a message of type dict cannot be sent: message['players'][1]['pos'] {text}"
    )
    assert said(value) == f"a message of type {type(value).__name__} cannot be sent: it {text}"
    assert said([value], "credentials") == f"credentials cannot be sent: credentials[0] {text}"


PLACES: list[tuple[Any, str]] = [
    ({"n": 2**64}, "message['n'] is a number of 65 bits, and 64 is the most; send it as a str"),
    ({"n": -(2**63) - 1}, "message['n'] is a number of 65 bits, and 64 is the most; send it as a str"),
    ([10**5000], "message[0] is a number of 16610 bits, and 64 is the most; send it as a str"),
    ({10**5000: 1}, "a key of message is a number of 16610 bits, and 64 is the most; send it as a str"),
    (("\ud800",), "message[0] is text with half a character in it ('utf-8' codec can't encode character"),
    (
        {(1, frozenset()): 1},
        "(a key of message)[1] is of type frozenset, which msgpack has no form for; send tuple(",
    ),
    ({1.5: {(1,): [set()]}}, "message[1.5][(1,)][0] is of type set, which"),
    ({"\n": set()}, r"message['\n'] is of type set, which"),
    ({"x" * 99: set()}, f"message['{'x' * 38}…] is of type set, which"),
    ({None: set()}, "message[NoneType] is of type set, which"),
    ({2**64 - 1: set()}, "message[18446744073709551615] is of type set, which"),
    (
        memoryview(b"abcdef")[::-1],
        "it is a view that cannot be read in one go (memoryview: underlying buffer is not",
    ),
]


@pytest.mark.parametrize(("message", "text"), PLACES)
def test_the_place_in_the_message_is_named(message: Any, text: str) -> None:
    assert said(message).removeprefix(f"a message of type {type(message).__name__} cannot be sent: ").startswith(text)


@pytest.mark.fault(88, "memory")
def test_a_released_view_has_nothing_to_send() -> None:
    view = memoryview(b"x")
    view.release()

    assert "message[0] is a view that cannot be read in one go (operation forbidden on released" in said([view])


def test_a_file_in_memory_says_how_to_read_it() -> None:
    with mmap.mmap(-1, 8) as buffer:
        assert said(buffer).endswith("it is of type mmap.mmap, which msgpack has no form for; send value[:] instead")


@pytest.mark.fault(88, "memory")
def test_views_without_gaps_arrive_as_bytes_whatever_their_shape() -> None:
    views = [
        memoryview(b"abc"),
        memoryview(bytes(6)).cast("B", (2, 3)),
        memoryview(array.array("i", [1])),
        bytearray(b"x"),
    ]

    assert PLAIN.decode(memoryview(PLAIN.encode(views))) == [b"abc", bytes(6), array.array("i", [1]).tobytes(), b"x"]


def test_a_message_that_contains_itself_is_not_followed_for_ever() -> None:
    endless: list[Any] = []
    endless.append({"again": endless})
    deep: Any = None
    for _ in range(2_000):
        deep = [deep]

    text = "it nests too deep; does a list or a dict contain itself?"
    assert said(endless) == f"a message of type list cannot be sent: {text}"
    assert said(deep) == f"a message of type list cannot be sent: {text}"
    assert MAX_STEPS < 512  # levels at which msgpack gives up


def test_in_a_typed_message_the_field_is_named() -> None:
    message = Move([{"path": object()}])

    with pytest.raises(TypeError) as caught:
        make_codec(Move).encode(message)

    assert str(caught.value) == (
        "a message of type Move cannot be sent: message.x[0]['path'] is of type object, which msgpack has no form for; "
        "send a dict of what the other end needs instead"
    )


class Moody(dict[str, int]):
    """A dict that packs, and shows nothing of itself."""

    def items(self) -> Any:
        raise KeyError("in a bad mood")


def test_parts_that_raise_while_they_are_looked_at_leave_the_first_error() -> None:
    error = explain(Moody(a=1), TypeError("first"), msgpack.packb, what="message")

    assert isinstance(error, TypeError)
    assert str(error) == "a message of type Moody cannot be sent: first"


def test_a_message_that_packs_when_it_is_looked_at_again_says_what_was_wrong_before() -> None:
    error = explain([1], OverflowError("at first"), msgpack.packb, what="message")

    assert str(error) == (
        "a message of type list cannot be sent: it cannot be packed (at first); does it change meanwhile, or is it too large?"
    )


bad = st.sampled_from([{1}, 2**64, "\ud800", object(), memoryview(b"abc")[::2], Vector2(), 1j])
good = st.none() | st.integers(0, 9) | st.text(max_size=3)


@given(
    steps=st.lists(st.integers(0, 3) | st.text(max_size=3), max_size=8), value=bad, around=st.lists(good, max_size=3)
)
def test_the_place_leads_to_the_trouble(steps: list[int | str], value: Any, around: list[Any]) -> None:
    message, place = value, ""
    for step in reversed(steps):
        if isinstance(step, str):
            message, place = {**{str(item) + "+": item for item in around}, step: message}, f"[{step!r}]{place}"
        else:
            message, place = [*around, message], f"[{len(around)}]{place}"

    text = said(message)

    if all(step.isprintable() for step in steps if isinstance(step, str)):
        assert f"cannot be sent: {f'message{place}' if place else 'it'} is " in text
    assert text.isprintable()


def test_what_can_be_sent_is_not_looked_at_for_trouble() -> None:
    tiles = {key: {"a": (1, b"x")} for key in itertools.product(range(12), repeat=2)}

    assert PLAIN.decode(memoryview(PLAIN.encode(tiles))) == {key: {"a": [1, b"x"]} for key in tiles}


def test_the_trouble_may_be_in_a_field_of_a_field() -> None:
    trouble = explain(Move(Wreck()), TypeError(), msgspec.msgpack.encode, what="message", fields=True)

    assert "message.x.cause is of type object" in str(trouble)
