"""The clock of users' tests."""

from typing import Any

import pytest

import netcode
from netcode.testing import FakeClock, MemoryNetwork, play


class Frames:
    """Notes when it is updated."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.at: list[float] = []

    def update(self) -> None:
        self.at.append(self.clock())


def test_the_clock_stands_still_until_it_is_told_to_move() -> None:
    clock = FakeClock(5.0)

    before = clock(), clock()
    clock.advance(2.5)

    assert before == (5.0, 5.0)
    assert clock() == 7.5


@pytest.mark.parametrize(
    ("now", "kind"),
    [(float("nan"), ValueError), (float("inf"), ValueError), (-1.0, ValueError), ("0", TypeError), (True, TypeError)],
)
def test_a_clock_begins_at_a_number(now: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="now must be "):
        FakeClock(now)


@pytest.mark.parametrize("seconds", [-0.1, float("nan"), float("inf")])
def test_time_goes_forward_only(seconds: float) -> None:
    with pytest.raises(ValueError, match=rf"time goes forward only, not by {seconds}"):
        FakeClock().advance(seconds)
    if not seconds < 0:
        with pytest.raises(ValueError, match=rf"time goes forward only, not by {seconds}"):
            FakeClock().sleep(seconds)


@pytest.mark.parametrize("seconds", ["1", None, True])
def test_what_passes_is_a_number(seconds: Any) -> None:
    with pytest.raises(TypeError, match=rf"^seconds must be a number, not {type(seconds).__name__}$"):
        FakeClock().advance(seconds)


def test_play_updates_each_part_every_tick_and_ends_on_time() -> None:
    clock = FakeClock(0.0)
    one, two = Frames(clock), Frames(clock)

    play(clock, 1.0, one, two, tick=0.4)

    assert one.at == two.at == [0.4, 0.8, 1.0]
    assert clock() == 1.0


@pytest.mark.parametrize("tick", [0.0, -1.0, float("nan")])
def test_play_refuses_a_tick_that_would_never_end(tick: float) -> None:
    with pytest.raises(ValueError, match="tick must be above 0"):
        play(FakeClock(), 1.0, tick=tick)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((1.0, FakeClock()), "play takes a FakeClock, the seconds, and what is updated, not float first"),
        ((FakeClock(), float("inf")), "seconds must be 0 or more and finite, not inf"),
        ((FakeClock(), -1), "seconds must be 0 or more and finite, not -1"),
        ((FakeClock(), "1"), "seconds must be a number, not str"),
        ((FakeClock(), 1.0, [1]), r"each part must have an update\(\), and what is of type list has none: play"),
    ],
)
def test_play_tells_at_once_what_cannot_be_played(arguments: Any, says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{says}"):
        play(*arguments)


def test_who_sleeps_by_it_moves_it_and_never_back() -> None:
    clock = FakeClock(5.0)

    clock.sleep(1.5)
    clock.sleep(-1.0)

    assert clock() == 6.5


def test_play_excuses_a_server_whose_events_are_taken_when_all_is_played() -> None:
    clock = FakeClock()
    network = MemoryNetwork(clock)
    with (
        netcode.Server("here", 7777, network=network, clock=clock) as server,
        netcode.Client("here", 7777, network=network, clock=clock) as client,
    ):
        play(clock, 60.0, server, client)

        assert [type(event) for event in server.events()] == [netcode.Joined]
