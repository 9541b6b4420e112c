"""A message that costs much to decode: in parts, over several updates if need be."""

from typing import Any, NamedTuple

from netcode.loop.budget import COSTLY, Budget, Waiting
from netcode.wire.codec import CAREFUL_FROM, Codec
from netcode.wire.cost import CONTAINER, MARKS, carried, cost_of
from netcode.wire.decoding import PART, undisturbed
from netcode.wire.framing import HEADER_SIZE


class Decoded(NamedTuple):
    """What became of one."""

    message: Any
    cheaper: int
    """By how much it cost less, in the last of its updates, than it looked like."""


def is_costly(payload: memoryview) -> bool:
    """Tell whether a payload is decoded in parts."""
    return len(payload) > CAREFUL_FROM and MARKS[payload[0]] == CONTAINER and cost_of(payload) >= COSTLY


class Costly:
    """Decodes one, as far as a budget lets it in each update.

    An exception that comes in the middle leaves nothing that could be gone on with: make another one then.
    """

    __slots__ = ("_cost", "_steps", "size")

    def __init__(self, codec: Codec, payload: memoryview) -> None:
        self.size = HEADER_SIZE + len(payload)
        """Bytes of its frame."""
        self._cost = min(COSTLY, cost_of(payload) * PART // len(payload) + 1)  # of a part
        self._steps = codec.decode_in_parts(bytes(payload))

    def go_on(self, budget: Budget, who: Waiting) -> Decoded | None:
        """Decode as much as `who` may have decoded now; None if that is not all. Raises `ProtocolError`."""
        spent = 0
        try:
            with undisturbed():
                while budget.allows(who, self._cost):
                    spent += self._cost
                    next(self._steps)
        except StopIteration as end:
            return Decoded(end.value, spent * carried(end.value) // self.size)
        return None
