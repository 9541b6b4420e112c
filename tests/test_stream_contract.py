"""What is said of streams before there is one: their states, and the host of those who have none."""

from typing import Any

import pytest

from netcode import State
from netcode.stream.contract import ALONE, NOTHING


def test_the_states_are_told_by_name_in_the_order_in_which_they_come() -> None:
    assert [state.value for state in State] == ["connecting", "connected", "disconnecting", "disconnected"]


def test_a_state_is_not_compared_with_its_name() -> None:
    state: Any = State.CONNECTED

    assert [state == other for other in (State.CONNECTED, State.CONNECTING, "elsewhere", None)] == [True] + [False] * 3
    with pytest.raises(TypeError, match=r"^a State is never equal to a str: write `netcode\.State\.CONNECTED`, not"):
        _ = state != "connected"


def test_who_has_no_host_may_tell_it_everything() -> None:
    stream: Any = object()

    for tell in (ALONE.output, ALONE.answer, ALONE.forget, ALONE.watch, ALONE.hold, ALONE.tell_again):
        tell(stream)
    ALONE.schedule(stream, 1.0)
    ALONE.interrupted()

    assert not hasattr(ALONE, "__dict__")  # it keeps nothing of it


def test_who_has_no_source_is_given_nothing() -> None:
    assert (NOTHING.batch, NOTHING.collect(), NOTHING.collect_apart()) == ([], b"", [])
