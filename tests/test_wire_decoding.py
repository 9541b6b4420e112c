"""A stranger's bytes are a message or a documented reason, at once and in parts, and cost no frame."""

import gc
import struct
import sys
import time
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_messages import Chat, Move, at_once, colliding, in_parts, messages, nested, refusal

from netcode import ReasonCode
from netcode.wire import decoding
from netcode.wire.codec import PLAIN
from netcode.wire.cost import MAX_COLLISIONS, MAX_DEPTH, is_harmless
from netcode.wire.decoding import AT_ONCE, is_whole, undisturbed
from netcode.wire.typed import make_codec


def test_a_map_of_many_tiles_comes_back_as_it_was() -> None:
    tiles = {(x, y): [x, {(y, (x, ())): "in a tile"}] for x in range(-40, 40) for y in range(-40, 40)}

    assert PLAIN.decode(memoryview(PLAIN.encode(tiles))) == tiles


def test_as_many_keys_may_share_a_hash_as_may_whatever_else_is_there() -> None:
    few: dict[Any, None] = {**colliding(MAX_COLLISIONS), (1, 2, 3): None, (4,): None}
    many: dict[Any, None] = {**colliding(MAX_COLLISIONS + 1), (1, 2, 3): None}

    assert PLAIN.decode(memoryview(PLAIN.encode(few))) == few
    assert in_parts(PLAIN, PLAIN.pack(few))[0] == few
    assert refusal(PLAIN, PLAIN.pack(many))[0] is ReasonCode.MALFORMED
    with pytest.raises(ValueError, match="share a hash"):
        PLAIN.encode(many)


@pytest.mark.fault(88, "memory")
def test_keys_that_were_made_to_collide_are_refused_before_they_cost_a_frame() -> None:
    few, many, most = colliding(MAX_COLLISIONS), colliding(MAX_COLLISIONS + 1), colliding(4500)
    payload = PLAIN.pack(most)
    refused = ReasonCode.MALFORMED, "bytes came that are no message: over 64 keys of a map that share a hash"
    seconds: list[float] = []
    otherwise: list[float] = []

    for _ in range(3):
        begin = time.thread_time()
        assert refusal(PLAIN, payload) == refused
        seconds.append(time.thread_time() - begin)
        begin = time.thread_time()
        assert len(msgpack.unpackb(payload, strict_map_key=False, use_list=False)) == len(most)
        otherwise.append(time.thread_time() - begin)

    assert len(set(map(hash, most))) == 1
    assert 60_000 < len(payload) < 65_536
    assert refusal(PLAIN, PLAIN.pack([many])) == refused
    assert PLAIN.decode(memoryview(PLAIN.encode(few))) == few
    assert min(seconds) < min(otherwise) / 5


def stamps(count: int) -> bytes:
    """Return a map whose keys are timestamps that share one hash: that of (seconds, nanoseconds), reversed again."""
    mask, one, two, five = (1 << 64) - 1, 11400714785074694791, 14029467366897019727, 2870177450012600261
    by_one, by_two = pow(one, -1, 1 << 64), pow(two, -1, 1 << 64)
    keys: list[bytes] = []
    nanoseconds = 0
    while len(keys) < count:
        wanted = 12345 * one * by_one & mask
        mixed = (wanted >> 31 | wanted << 33) - nanoseconds * two & mask
        mixed = mixed * by_one & mask
        seconds = ((mixed >> 31 | mixed << 33) - five) * by_two & mask
        seconds -= (seconds >> 63) << 64
        if seconds != -1 and abs(seconds) < 2**61 - 1:
            keys.append(b"\xc7\x0c\xff" + struct.pack(">Iq", nanoseconds, seconds) + b"\xc0")
        nanoseconds += 1
    return b"\xde" + count.to_bytes(2, "big") + b"".join(keys)


def test_of_keys_that_are_all_the_same_no_more_are_made_than_it_takes_to_see_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[list[Any]] = []

    def make(items: list[Any]) -> tuple[Any, ...]:
        made.append(items)
        return ()

    monkeypatch.setattr(decoding, "_as_key", make)

    code, _ = refusal(PLAIN, b"\xde\x7f\xff" + b"\x90\xc0" * 0x7FFF)

    assert (code, len(made)) == (ReasonCode.MALFORMED, AT_ONCE)


def test_timestamps_that_were_made_to_collide_are_refused_as_well() -> None:
    payload = stamps(MAX_COLLISIONS + 1)

    assert refusal(PLAIN, payload) == (
        ReasonCode.MALFORMED,
        "bytes came that are no message: over 64 keys of a map that share a hash",
    )
    assert is_harmless(memoryview(payload)) is False
    assert len(PLAIN.decode(memoryview(stamps(MAX_COLLISIONS)))) == MAX_COLLISIONS


def test_a_timestamp_of_msgpack_passes() -> None:
    moment = msgpack.Timestamp(1_700_000_000, 5)

    assert PLAIN.decode(memoryview(PLAIN.encode([moment]))) == [moment]


def test_a_message_may_nest_as_deep_as_is_said() -> None:
    deepest = nested(MAX_DEPTH)
    with_text = nested(MAX_DEPTH, "é" * 40)

    assert PLAIN.decode(memoryview(PLAIN.encode(deepest))) == deepest
    assert PLAIN.decode(memoryview(PLAIN.encode(with_text))) == with_text


def test_a_whole_payload_has_nothing_missing_and_nothing_behind_it() -> None:
    message = [1, {"a": "text"}, b"bytes", nested(30)]
    payload = PLAIN.encode(message)

    assert is_whole(payload)
    assert is_whole(PLAIN.encode("x" * 5000))
    assert not is_whole(payload[:-1])
    assert not is_whole(payload + b"\0")
    assert not is_whole(b"\xc1")


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"\xc1", "bytes came that are no message: FormatError"),
        (b"\xa5abc", "bytes came that are no message: Unpack failed: incomplete input"),
        (b"\x01\x02", "bytes came that are no message: unpack(b) received extra data."),
        (b"\xa1\xff", "bytes came that are no message: 'utf-8' codec can't decode byte 0xff in positi"),
        (b"\xdd\xff\xff\xff\xff", "bytes came that are no message: 4294967295 exceeds max_array_len"),
        (b"\x81\x81\x01\x02\x03", "bytes came that are no message: unhashable type: 'dict'"),
        (b"\xd4\x05x", "msgpack extension 5 came, which is no message"),
        (b"\x91\xd4\x4ex", "msgpack extension 78 came, which is no message"),
        (b"\x81\x90\xd4\x05x", "msgpack extension 5 came, which is no message"),
        (b"\xd5\xffxx", "bytes came that are no message: "),
        (b"\x90", ""),
        (b"\x91" * 33 + b"\x90", "a message came that nests deeper than 32 levels"),
        (b"\x91" * 200 + b"\x90", "a message came that nests deeper than 32 levels"),
        (b"\x91" * 3000 + b"\x90", "bytes came that are no message: "),
        ((b"\x81\x01" * 33) + b"\x90", "a message came that nests deeper than 32 levels"),
        (b"\x81" + b"\x91" * 33 + b"\x90\x01", "a message came that nests deeper than 32 levels"),
    ],
)
def test_what_cannot_be_a_message_has_a_reason(payload: bytes, text: str) -> None:
    if not text:
        assert PLAIN.decode(memoryview(payload)) == []
        return

    code, said = refusal(PLAIN, payload)

    assert code is ReasonCode.MALFORMED
    assert said.startswith(text)


def test_a_bomb_is_looked_at_a_level_at_a_time() -> None:
    bomb: list[Any] = [{}] * 65_000
    calls: list[str] = []

    def count(frame: Any, event: str, argument: Any) -> None:
        calls.append(event)

    payload = memoryview(PLAIN.pack(bomb))
    with undisturbed():  # hypothesis has something to do whenever the collector runs, which is counted as well
        sys.setprofile(count)
        try:
            PLAIN.decode(payload)
        finally:
            sys.setprofile(None)

    assert len(calls) < 1000


@pytest.fixture(scope="module")
def small_parts() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("netcode.wire.decoding.PART", 3)
        yield


@given(message=messages)
def test_what_is_decoded_in_parts_is_the_same(small_parts: None, message: Any) -> None:
    payload = PLAIN.encode(message)

    decoded, count = in_parts(PLAIN, payload)

    assert decoded == message == at_once(PLAIN, payload)
    assert count >= len(payload) / 3


@given(payload=st.binary(min_size=1, max_size=60))
def test_what_is_no_message_is_none_in_parts_either(small_parts: None, payload: bytes) -> None:
    for codec in (PLAIN, make_codec(Move | Chat)):
        whole, parts = at_once(codec, payload), in_parts(codec, payload)
        assert repr(whole) in (repr(parts), repr(parts[0]))  # NaN is unlike itself


@pytest.mark.parametrize(
    "payload",
    [
        b"\x91" * 31 + b"\x90",
        b"\x91" * 32 + b"\x90",
        b"\x91" * 32 + b"\x01",
        b"\x91" * 33 + b"\x01",
        b"\x92" + msgpack.packb(msgpack.Timestamp(1)) + b"\x91" * 31 + b"\x90",
        b"\x92" + msgpack.packb(msgpack.Timestamp(1)) + b"\x91" * 30 + b"\x90",
        b"\x93\x90\x81\x91\x01\x02\x81" + msgpack.packb(msgpack.Timestamp(1)) + b"\x00",
        b"\xdf\x7f\xff\xff\xff\x00",
        b"\xdd\xff\xff\xff\xff\x00",
        b"\x93" + b"\x90" * 40,
        b"\xdc\xff\xff" + b"\x90" * 65_534,
        b"\xdc\xff\xff" + b"\x90" * 65_535,
        b"\xdc\xff\xff" + b"\x90" * 65_536,
    ],
)
def test_the_bounds_are_the_same_in_parts(payload: bytes) -> None:
    whole, parts = at_once(PLAIN, payload), in_parts(PLAIN, payload)

    assert (parts == whole) if isinstance(whole, tuple) else (parts[0] == whole)


@pytest.mark.parametrize("message", [{(n, 0): n for n in range(5000)}, [{(n, 0): n for n in range(100)}] * 50])
def test_no_part_makes_more_keys_than_it_should(monkeypatch: pytest.MonkeyPatch, message: Any) -> None:
    made: list[int] = []
    as_key = decoding._as_key

    def make(items: list[Any]) -> tuple[Any, ...]:
        made[-1] += 1
        return as_key(items)

    monkeypatch.setattr(decoding, "_as_key", make)
    steps = PLAIN.decode_in_parts(msgpack.packb(message))
    decoded: Any = steps  # until it is
    while decoded is steps:
        made.append(0)
        try:
            next(steps)
        except StopIteration as end:
            decoded = end.value

    assert decoded == message
    assert sum(made) == 5000
    assert max(made) < AT_ONCE + 100


def test_keys_made_to_collide_are_refused_in_parts_too() -> None:
    payload = msgpack.packb(dict.fromkeys(colliding(4500)))

    assert in_parts(PLAIN, payload) == at_once(PLAIN, payload)
    assert in_parts(PLAIN, payload)[0] is ReasonCode.MALFORMED


def test_the_collector_is_as_it_was_whatever_happens() -> None:
    for enabled in (True, False):
        (gc.enable if enabled else gc.disable)()
        try:
            with undisturbed():
                during = gc.isenabled()
            assert (during, gc.isenabled()) == (False, enabled)
            with pytest.raises(ValueError, match="invalid literal"), undisturbed():
                int("x")
            assert gc.isenabled() == enabled
        finally:
            gc.enable()
