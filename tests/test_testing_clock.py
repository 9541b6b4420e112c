"""The clock of users' tests."""

import pytest

from netcode.testing import FakeClock, play


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


def test_time_goes_forward_only() -> None:
    with pytest.raises(ValueError, match=r"time goes forward only, not by -0\.1"):
        FakeClock().advance(-0.1)


def test_play_updates_each_part_every_tick_and_ends_on_time() -> None:
    clock = FakeClock(0.0)
    one, two = Frames(clock), Frames(clock)

    play(clock, 1.0, one, two, tick=0.4)

    assert one.at == two.at == [0.4, 0.8, 1.0]
    assert clock() == 1.0


@pytest.mark.parametrize("tick", [0.0, -1.0, float("nan")])
def test_play_refuses_a_tick_that_would_never_end(tick: float) -> None:
    with pytest.raises(ValueError, match="tick must be seconds above 0"):
        play(FakeClock(), 1.0, tick=tick)
