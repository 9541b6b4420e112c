"""What is raised at a caller says which limit, and what to do."""

import copy
import pickle
from collections.abc import Callable

import pytest

from netcode import Address
from netcode.errors import MessageTooLarge, NetcodeError, ProtocolError
from netcode.reasons import Reason, ReasonCode


def test_a_breach_of_the_standard_carries_its_reason() -> None:
    error = ProtocolError(ReasonCode.MALFORMED, "a frame of nothing")

    assert isinstance(error, NetcodeError)
    assert (str(error), error.reason) == ("a frame of nothing", Reason(ReasonCode.MALFORMED, "a frame of nothing"))


def test_a_message_that_is_too_large_names_the_limit() -> None:
    error = MessageTooLarge(70_000, 65_536, 65_536)

    assert isinstance(error, NetcodeError)
    assert isinstance(error, ValueError)
    assert error.size == 70_000
    assert str(error) == (
        "a message of 70000 bytes is over the limit: max_message is 65536 here; "
        "send less at once, or raise max_message at both ends"
    )
    assert "max_message is 65536 here and 4096 for an envelope;" in str(MessageTooLarge(70_000, 69_632, 65_536))


def sent(error: NetcodeError) -> NetcodeError:
    """Return what comes out of another process in which it was raised."""
    found: NetcodeError = pickle.loads(pickle.dumps(error))
    return found


AGAIN: list[Callable[[NetcodeError], NetcodeError]] = [copy.copy, copy.deepcopy, sent]


@pytest.mark.parametrize("again", AGAIN)
@pytest.mark.parametrize(
    "error",
    [
        MessageTooLarge(70_000, 69_632, 65_536),
        ProtocolError(ReasonCode.MOVED, "it goes on elsewhere\n", Address("host", 7)),
        NetcodeError("what", 7),
    ],
)
def test_an_error_comes_whole_out_of_another_process(
    error: NetcodeError, again: Callable[[NetcodeError], NetcodeError]
) -> None:
    error.add_note("in the third worker")

    found = again(error)

    assert (type(found), str(found), vars(found)) == (type(error), str(error), vars(error))
