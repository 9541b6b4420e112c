"""What a payload costs, and what is simple and harmless at a glance."""

from typing import Any

import msgpack
import pytest
from hypothesis import given
from wire_messages import EMPTY, messages

from netcode.wire.codec import PLAIN
from netcode.wire.cost import carried, cost_of, cost_of_frames, is_harmless, is_simple, least_cost
from netcode.wire.framing import frame


@pytest.mark.parametrize(
    ("first", "simple", "shallow"),
    [
        (b"\xc0", True, True),
        (b"\xc7", False, True),
        (b"\xd4", False, True),
        (b"\xd9", True, True),
        (b"\x90" * 32, True, True),
        (b"\x90" * 33, False, False),
        (b"\xdf" * 32 + b"\xc1" * 99, True, True),
        (b"\xde" * 33 + b"\xc1" * 99, False, False),
    ],
)
def test_extensions_and_many_containers_are_not_simple(first: bytes, simple: bool, shallow: bool) -> None:
    assert (is_simple(first), is_harmless(memoryview(first))) == (simple, shallow)


@given(message=messages)
def test_a_message_costs_as_many_as_it_has_lists_and_dicts_at_least(message: Any) -> None:
    payload = PLAIN.encode(message)

    assert cost_of(memoryview(payload)) >= containers_in(message)


@given(message=messages)
def test_a_message_costs_its_size_at_least_unless_it_is_bytes(message: Any) -> None:
    payload = memoryview(PLAIN.encode(message))

    assert least_cost([payload, payload]) <= 2 * cost_of(payload)
    assert least_cost([memoryview(b"\xc4\x08" + b"\x90" * 8)]) == 0
    assert least_cost([memoryview(b"\x97" + b"\x90" * 7)]) == 1


def containers_in(message: Any) -> int:
    name = type(message).__name__
    if name not in ("list", "tuple", "dict"):
        return 0
    return 1 + sum(map(containers_in, [*message, *(message.values() if name == "dict" else ())]))


def test_bytes_cost_next_to_nothing_and_text_its_length() -> None:
    values: tuple[Any, ...] = b"\x90" * 60_000, "é" * 30_000, [EMPTY] * 60_000
    carrying, text, lists = [cost_of(memoryview(msgpack.packb(value))) for value in values]

    assert carrying < 100 < text < 8_000
    assert lists > 60_000


def test_the_frames_of_many_cost_what_each_costs_or_more() -> None:
    for count in (3, 300):
        payloads = [memoryview(msgpack.packb([[number], b"x" * 50])) for number in range(count)]
        data = memoryview(b"".join(frame(bytes(payload)) for payload in payloads))

        assert 2 * count <= sum(map(cost_of, payloads)) <= cost_of_frames(data, payloads) + 10 * count


@pytest.mark.parametrize(
    ("message", "count"),
    [({"a": b"xyz", "b": 1}, 3), ([b"xy", b"z", "text"], 3), (b"xyz", 0), ([b"x"] * 100, 0), (None, 0)],
)
def test_bytes_that_are_carried_are_counted(message: Any, count: int) -> None:
    assert carried(message) == count
