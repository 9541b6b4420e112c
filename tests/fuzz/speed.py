"""Hold the kernel against the Python that defines it: `python -m tests.fuzz.speed --messages 10000000`.

Messages are drawn, framed by both and cut by both, whole, with bytes changed, and together with others. What the kernel
leaves to Python is counted, because leaving everything would be right, and no use. With each comes a ping.
"""

import argparse
import random
import struct
import sys
import time
from collections.abc import Callable
from typing import Any

import msgpack

from netcode import ProtocolError
from netcode.wire.codec import PLAIN, PlainCodec
from netcode.wire.framing import HEADER_SIZE, frame
from netcode.wire.protocol import BEAT_SIZE, EXTENSION, PING, PONG, beat_in_python
from netcode.wire.speed import KERNEL

from .cutting import cut

LIMIT = 65_536
EDGES = [
    sign * (1 << bits) + beside for bits in (5, 7, 8, 15, 16, 31, 32, 62) for sign in (1, -1) for beside in (-1, 0, 1)
]
SIZES = (0, 1, 5, 31, 32, 33, 255, 256, 700, 4_090, 4_095, 4_096)
PYTHON = PlainCodec(kernel=None)

Draw = Callable[[random.Random], Any]
SCALARS: tuple[Draw, ...] = (
    lambda dice: None,
    lambda dice: dice.random() < 0.5,
    lambda dice: dice.randrange(-40, 140),
    lambda dice: dice.choice(EDGES),
    lambda dice: dice.getrandbits(64) - dice.getrandbits(63),
    lambda dice: dice.random() * 10 ** dice.randrange(-300, 300),
    lambda dice: struct.unpack(">d", dice.randbytes(8))[0],
    lambda dice: dice.choice(("x", "move", "é", "日本", "\0", "\ud800")) * dice.randrange(4),
    lambda dice: "k" * dice.choice(SIZES),
    lambda dice: dice.randbytes(dice.randrange(9)),
    lambda dice: bytes(dice.choice(SIZES)),
)


def draw(dice: random.Random, depth: int = 0) -> Any:
    """Draw a message: mostly small, now and then deep."""
    kind = dice.random()
    if kind < 0.55 + depth / 10 and depth < 36:
        return dice.choice(SCALARS)(dice)
    count = dice.choice((0, 1, 1, 2, 3, 17)) if depth < 4 else 1 if depth < 36 else 0
    if kind < 0.8:
        return [draw(dice, depth + 1) for _ in range(count)]
    return {dice.choice(SCALARS)(dice): draw(dice, depth + 1) for _ in range(count)}


def changed(dice: random.Random, data: bytes) -> bytes:
    """Change some bytes of what was sent."""
    new = bytearray(data)
    for _ in range(dice.randrange(1, 4)):
        at = dice.randrange(len(new))
        if dice.random() < 0.6:
            new[at] = dice.randrange(256)
        else:
            del new[at : at + dice.randrange(1, 4)]
        if not new:
            break
    return bytes(new)


def defined(data: bytes) -> tuple[list[Any], int] | None:
    """Return what the definition makes of what came, without its bounds on what costs much."""
    messages, at = list[Any](), 0
    while len(data) - at > HEADER_SIZE:
        begin = at + HEADER_SIZE
        end = begin + int.from_bytes(data[at:begin])
        if not begin < end <= begin + LIMIT:
            return None
        if end > len(data):
            break
        try:
            messages.append(PLAIN.decode(memoryview(data)[begin:end]))
        except ProtocolError:
            return None
        at = end
    return messages, at


def compare(dice: random.Random, kernel: Any) -> tuple[int, int]:
    """Compare on a few messages; return how many were looked at, and how many the kernel left to Python."""
    looked_at = left = 0
    stream = b""
    for _ in range(dice.choice((1, 1, 1, 3, 10))):
        message = draw(dice)
        looked_at += 1
        framed = kernel.frame(message)
        try:
            expected = frame(PYTHON.encode(message))
        except (TypeError, ValueError):
            assert framed is None, message
            left += 1
            continue
        if framed is None:
            left += 1
        else:
            assert framed == expected, message
        stream += expected
    if dice.random() < 0.1:
        stream += frame(msgpack.packb(dice.random(), use_single_float=True))
    for data in (stream, stream[: dice.randrange(len(stream) + 1)], changed(dice, stream) if stream else b""):
        found = cut(kernel, data, LIMIT)
        if found is not None:
            assert repr(found) == repr(defined(data)), data
    return looked_at, left


def compare_beat(dice: random.Random, kernel: Any) -> None:
    """Compare what both take for a ping: one that is written as msgpack may, or nearly so."""
    fields = [dice.choice((PING, PONG, PING, PONG, 2, 5)), *(dice.choice((*EDGES, 0, 7, 300)) for _ in range(2))]
    packed = msgpack.packb(fields[: dice.choice((3, 3, 3, 3, 2))])
    mark = {4: b"\xd6", 8: b"\xd7", 16: b"\xd8"}.get(len(packed), b"") if dice.random() < 0.5 else b""
    whole = frame((mark or bytes((0xC7, len(packed)))) + bytes((EXTENSION,)) + packed)
    for data in (whole, whole + bytes(dice.randrange(2 * BEAT_SIZE)), changed(dice, whole)):
        size = dice.choice((len(data), dice.randrange(len(data) + 1)))
        assert kernel.beat(data, size) == beat_in_python(memoryview(data), size), (data, size)


def main() -> int:
    """Compare for as long as the command line says, and tell what was compared."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.speed", description="Hold the kernel against Python.")
    parser.add_argument("--messages", type=int, default=0, help="how many, at least")
    parser.add_argument("--seconds", type=float, default=0.0, help="how long, at least")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="what to draw from (%(default)s)")
    options = parser.parse_args()
    if KERNEL is None:
        print("the kernel was not built, or is not wanted: nothing to compare")
        return 1
    dice, end = random.Random(options.seed), time.monotonic() + options.seconds
    looked_at = left = 0
    while looked_at < options.messages or time.monotonic() < end:
        more, of_them = compare(dice, KERNEL)
        compare_beat(dice, KERNEL)
        looked_at, left = looked_at + more, left + of_them
    print(
        f"seed {options.seed}: {looked_at:,} messages compared, {left / max(1, looked_at):.0%} left to Python, no difference"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
