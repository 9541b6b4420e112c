"""Messages that cost much are decoded in parts, as far as a budget goes."""

from typing import Any

import pytest

from netcode import ProtocolError
from netcode.loop.budget import Budget
from netcode.session.costly import Costly, is_costly
from netcode.wire.codec import PlainCodec

PLAIN = PlainCodec()
EMPTY: list[Any] = []
MANY: list[Any] = [EMPTY] * 40_000


class Somebody:
    reason = None


def test_what_has_many_lists_in_it_is_costly_and_bytes_are_not() -> None:
    messages = MANY, bytes(60_000), "x" * 60_000, [EMPTY] * 100

    assert [is_costly(memoryview(PLAIN.pack(message))) for message in messages] == [True, False, False, False]


def test_it_takes_several_updates_and_comes_whole() -> None:
    budget, who = Budget(), Somebody()
    costly = Costly(PLAIN, memoryview(PLAIN.pack(MANY)))

    found, updates = None, 0
    while found is None and updates < 99:
        budget.spent = 0
        found = costly.go_on(budget, who)
        updates += 1

    assert found == (MANY, 0)
    assert (costly.size, updates > 1) == (4 + 3 + 40_000, True)


def test_bytes_that_looked_costly_are_given_back() -> None:
    message = [b"\x90" * 30_000]
    costly = Costly(PLAIN, memoryview(PLAIN.pack(message)))

    found = costly.go_on(Budget(1e9), Somebody())

    assert found is not None
    assert (found.message, found.cheaper > 20_000) == (message, True)


def test_what_is_no_message_is_a_reason_after_all() -> None:
    costly = Costly(PLAIN, memoryview(PLAIN.pack(MANY)[:-1] + b"\xc1"))

    with pytest.raises(ProtocolError, match="bytes came that are no message"):
        costly.go_on(Budget(1e9), Somebody())
