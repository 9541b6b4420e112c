"""The way to a transport: what a connector says is said, until its time is over."""

import pytest

from netcode.address import Address
from netcode.reasons import Reason, ReasonCode
from netcode.stream.connecting import Connecting
from netcode.transport import Transport
from netcode.waiting import Descriptors

REFUSED = Reason(ReasonCode.REFUSED, "nothing is listening")


class Way:
    """A connector that does what a list says."""

    where = "game.example:7777"
    address: Address | None = None
    hint = "did not answer"

    def __init__(self, *answers: Reason | None, due: float | None = None) -> None:
        self.answers = [*answers]
        self.due_at = due
        self.calls: list[str] = []

    def advance(self, now: float) -> Transport | Reason | None:
        self.calls.append(f"advance at {now:g}")
        return self.answers.pop(0)

    def descriptors(self) -> Descriptors:
        return [], [7], []

    def due(self) -> float | None:
        return self.due_at

    def close(self) -> None:
        self.calls.append("close")

    def abandon(self) -> None:
        self.calls.append("abandon")


def test_it_is_given_up_at_its_time_and_not_before() -> None:
    way = Way(None, None)
    connecting = Connecting(way, 0.0, 10.0)

    said = [connecting.advance(9.9), connecting.advance(10.0)]

    text = "game.example:7777 did not answer"
    assert said == [None, Reason(ReasonCode.CONNECT_TIMEOUT, text)]


def test_who_is_known_by_an_address_is_called_so() -> None:
    way = Way(None)
    way.address = Address("192.0.2.7", 5555)

    said = Connecting(way, 0.0, 0.0).advance(0.0)

    assert said == Reason(ReasonCode.CONNECT_TIMEOUT, "192.0.2.7:5555 did not answer")


def test_what_it_comes_to_in_the_last_moment_counts() -> None:
    assert Connecting(Way(REFUSED), 0.0, 10.0).advance(11.0) == REFUSED


@pytest.mark.parametrize(("due", "expected"), [(None, 10.0), (3.0, 3.0), (12.0, 10.0)])
def test_it_is_looked_at_when_the_connector_wants_that_and_at_its_time(due: float | None, expected: float) -> None:
    connecting = Connecting(Way(due=due), 0.0, 10.0)

    assert connecting.due() == expected
    assert connecting.descriptors() == ([], [7], [])


def test_its_time_moves_along_with_the_line_of_time() -> None:
    connecting = Connecting(Way(None), 0.0, 10.0)

    connecting.shift(-4.0)

    assert connecting.due() == 6.0
    assert connecting.advance(6.0) is not None


def test_whoever_ends_it_ends_what_is_on_the_way() -> None:
    way = Way()

    Connecting(way, 0.0, 10.0).close()
    Connecting(way, 0.0, 10.0).abandon()

    assert way.calls == ["close", "abandon"]
