"""Snapshots: what lies between two of them, and by which clock they are shown."""

import itertools
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import netcode
from netcode import blend
from netcode.snapshots import KEPT, LEAP, WINDOW, Snapshots
from netcode.testing import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(50.0)


def test_numbers_are_mixed_wherever_they_stand() -> None:
    older = {1: (0, 10.0), "score": [4], 2: {"x": 1}}
    newer = {1: (10, 0.0), "score": [8], 2: {"x": 3}}

    assert blend(older, newer, 0.25) == {1: (2.5, 7.5), "score": [5.0], 2: {"x": 1.5}}


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("left", "right"), (None, 7), (True, False), (True, 5), (1, True), ([1], [1, 2]), ((1,), {"x": 1}), (1, "x"),
        (b"a", b"b"), ({}, {1: 2}), (object, int),
    ],
)  # fmt: skip
def test_everything_else_is_as_it_was(older: Any, newer: Any) -> None:
    assert blend(older, newer, 0.9) is older or blend(older, newer, 0.9) == older


def test_who_goes_is_there_until_then_and_who_comes_is_not() -> None:
    assert blend({"gone": 1, "stays": 2}, {"stays": 4, "new": 9}, 0.5) == {"gone": 1, "stays": 3.0}


@dataclass
class Vector:
    x: float

    def lerp(self, other: "Vector", share: float) -> "Vector":
        return Vector(self.x + (other.x - self.x) * share)


def test_vectors_mix_themselves() -> None:
    assert blend([Vector(0.0)], [Vector(4.0)], 0.5) == [Vector(2.0)]
    assert blend(Vector(1.0), 7, 0.5) == Vector(1.0)


@given(
    older=st.recursive(
        st.integers(-9, 9) | st.text(max_size=2), lambda inner: st.lists(inner, max_size=3), max_leaves=8
    ),
    newer=st.recursive(
        st.integers(-9, 9) | st.text(max_size=2), lambda inner: st.lists(inner, max_size=3), max_leaves=8
    ),
)
def test_at_the_beginning_it_is_the_older_one(older: Any, newer: Any) -> None:
    assert blend(older, newer, 0.0) == older


def test_between_two_snapshots_the_world_moves_evenly(clock: FakeClock) -> None:
    snapshots = Snapshots[Any](10, clock=clock)
    snapshots.add(0, {1: (0, 0)})
    snapshots.add(1, {1: (10, 20)})

    assert [snapshots.at(time) for time in (0.0, 0.025, 0.05, 0.1)] == [
        {1: (0.0, 0.0)},
        {1: (2.5, 5.0)},
        {1: (5.0, 10.0)},
        {1: (10, 20)},
    ]


def test_before_the_first_and_after_the_last_nothing_is_made_up(clock: FakeClock) -> None:
    snapshots = Snapshots[Any](10, clock=clock)
    assert (snapshots.at(1.0), snapshots.newest, snapshots.now(), len(snapshots)) == (None, None, 0.0, 0)

    snapshots.add(10, "one")
    snapshots.add(11, "two")

    assert [snapshots.at(time) for time in (-5.0, 0.0, 1.0, 1.05, 1.1, 99.0)] == ["one"] * 4 + ["two"] * 2
    assert snapshots.newest == pytest.approx(1.1)


def test_a_game_may_blend_as_it_likes(clock: FakeClock) -> None:
    snapshots = Snapshots[str](
        1, blend=lambda older, newer, share: f"{older}-{share:g}-{newer}", max_gap=2, clock=clock
    )
    snapshots.add(0, "a")
    snapshots.add(1, "b")

    assert snapshots.at(0.5) == "a-0.5-b"


def test_the_same_tick_again_takes_the_place(clock: FakeClock) -> None:
    snapshots = Snapshots[str](1, clock=clock)
    snapshots.add(1, "wrong")
    snapshots.add(1, "right")

    assert (snapshots.at(1.0), len(snapshots)) == ("right", 1)


def play(
    snapshots: Snapshots[float], clock: FakeClock, seconds: float, delay: Callable[[], float], since: float = 0.0
) -> list[tuple[float, float]]:
    """Let snapshots of a world that moves by 1 a second come, 20 a second; return when each frame was, and its clock."""
    began, frames, coming = clock.now, list[tuple[float, float]](), list[tuple[float, int]]()
    tick = round(since * 20)
    while clock.now < began + seconds:
        clock.advance(1 / 60)
        while tick / 20 - since <= clock.now - began:
            arrival = max(began + tick / 20 - since + delay(), coming[-1][0] if coming else 0.0)
            coming.append((arrival, tick))
            tick += 1
        for arrival, number in [*coming]:
            if arrival <= clock.now:
                coming.remove((arrival, number))
                snapshots.add(number, number / 20)
        frames.append((clock.now - began + since, snapshots.now()))
    return frames


def test_the_clock_is_the_servers_but_for_the_quickest_way_from_there(clock: FakeClock) -> None:
    dice = random.Random(7)

    frames = play(Snapshots(20, clock=clock), clock, 10.0, lambda: 0.05 + dice.random() * 0.06)

    late = [real - told for real, told in frames[120:]]
    assert min(late) >= 0.05 - 1 / 60
    assert max(late) < 0.05 + 0.06


def test_the_clock_runs_smoothly_whatever_the_jitter(clock: FakeClock) -> None:
    dice = random.Random(3)

    frames = play(Snapshots(20, clock=clock), clock, 10.0, lambda: 0.02 + dice.random() * 0.1)

    steps = [later - earlier for (_, earlier), (_, later) in itertools.pairwise(frames[60:])]
    assert min(steps) >= 0.9 / 60 - 1e-9
    assert max(steps) <= 1.1 / 60 + 1e-9


def test_shown_a_little_late_the_world_never_stands_still(clock: FakeClock) -> None:
    dice, snapshots = random.Random(5), Snapshots[float](20, clock=clock)
    shown: list[float] = []
    for second in range(5):
        frames = play(snapshots, clock, 1.0, lambda: 0.05 + dice.random() * 0.03, since=float(second))
        del frames
        shown.append(snapshots.at(snapshots.now() - 0.15) or 0.0)

    assert [later - earlier for earlier, later in itertools.pairwise(shown[1:])] == pytest.approx(
        [1.0, 1.0, 1.0], abs=0.05
    )


def test_after_an_absence_it_goes_on_from_where_the_server_is(clock: FakeClock) -> None:
    snapshots = Snapshots[float](20, clock=clock)
    play(snapshots, clock, 2.0, lambda: 0.05)
    clock.advance(5.0)
    before = snapshots.at(snapshots.now() - 0.1)

    frames = play(snapshots, clock, 1.0, lambda: 0.05, since=7.0)

    assert before == pytest.approx(1.9, abs=0.1)
    assert frames[-1][1] == pytest.approx(7.95, abs=0.05)
    assert snapshots.at(frames[-1][1] - 0.1) == pytest.approx(7.85, abs=0.05)


def test_nothing_glides_over_a_gap(clock: FakeClock) -> None:
    snapshots = Snapshots[Any](10, clock=clock)
    snapshots.add(0, 0)
    snapshots.add(100, 1000)

    assert [snapshots.at(time) for time in (0.0, 5.0, 9.99, 10.0)] == [0, 0, 0, 1000]


def test_a_server_that_pauses_is_followed_within_the_window(clock: FakeClock) -> None:
    snapshots = Snapshots[float](20, clock=clock)
    play(snapshots, clock, 2.0, lambda: 0.05)
    clock.advance(3.0)  # its ticks are skipped: their numbers go on from where they were

    frames = play(snapshots, clock, WINDOW + 1.0, lambda: 0.05, since=2.0)

    assert frames[-1][1] == pytest.approx(2.0 + WINDOW + 1.0 - 0.05, abs=0.05)


def test_of_arrivals_only_those_within_the_window_tell_the_time(clock: FakeClock) -> None:
    snapshots = Snapshots[float](20, clock=clock)
    play(snapshots, clock, 1.0, lambda: 0.0)

    frames = play(snapshots, clock, WINDOW + 1.5, lambda: 0.1, since=1.0)

    time, shown = frames[-1]
    assert shown == pytest.approx(time - 0.1, abs=0.02)


def test_a_server_that_was_restarted_begins_anew(clock: FakeClock) -> None:
    snapshots = Snapshots[str](20, clock=clock)
    snapshots.add(5000, "old")
    snapshots.now()

    snapshots.add(0, "new")

    assert (len(snapshots), snapshots.now(), snapshots.at(0.0)) == (1, 0.0, "new")


def test_a_clock_that_is_far_off_leaps(clock: FakeClock) -> None:
    snapshots = Snapshots[str](1, clock=clock)
    snapshots.add(0, "late")
    snapshots.now()
    clock.advance(1.0)

    snapshots.add(1 + 2 * LEAP, "in time")

    assert snapshots.now() == pytest.approx(1 + 2 * LEAP)


def test_cleared_it_shows_nothing_until_the_next(clock: FakeClock) -> None:
    snapshots = Snapshots[str](1, clock=clock)
    snapshots.add(3, "x")
    snapshots.clear()

    assert (snapshots.at(3.0), snapshots.newest, snapshots.now()) == (None, None, 0.0)
    assert repr(snapshots) == "<Snapshots: 0, the newest of None>"


def test_no_more_are_kept_than_fit(clock: FakeClock) -> None:
    snapshots = Snapshots[int](1, clock=clock)

    for tick in range(KEPT + 10):
        snapshots.add(tick, tick)

    assert len(snapshots) == KEPT
    assert snapshots.at(0.0) == 10


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"rate": 0}, ValueError, "rate must be above 0 and finite, not 0"),
        ({"rate": "20"}, TypeError, "rate must be a number, not str"),
        (
            {"rate": 1 / 20},
            ValueError,
            "rate is ticks a second, above 0.1, not 0.05: ticks of 0.05 s are Snapshots(20)",
        ),
        ({"rate": 20, "max_gap": -1}, ValueError, "max_gap must be above 0 and finite, not -1"),
        ({"rate": 20, "blend": 3}, TypeError, "blend must be a function of two snapshots and a share, not int"),
        ({"rate": 20, "clock": 3}, TypeError, "clock must be a function that tells the time, not int"),
    ],
)
def test_what_makes_no_sense_is_said_at_once(options: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error) as raised:
        netcode.Snapshots(**options)

    assert str(raised.value) == text


def test_what_a_stranger_says_for_a_tick_is_checked(clock: FakeClock) -> None:
    snapshots = Snapshots[str](20, clock=clock)

    for tick, error in (("1", TypeError), (True, TypeError), (-1, ValueError), (float("nan"), ValueError)):
        with pytest.raises(error, match="tick must be"):
            snapshots.add(tick, "x")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="time must be a number of seconds, not str"):
        snapshots.at("1")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="time must be finite, not inf"):
        snapshots.at(float("inf"))
    slow = Snapshots[str](0.5, clock=clock)
    with pytest.raises(
        ValueError, match=r"tick 1.7e\+308 is at no time that a number can say, where 0.5 make a second"
    ):
        slow.add(1.7e308, "x")
    assert len(snapshots) == len(slow) == 0


def test_the_time_of_day_in_the_place_of_a_tick_is_told(clock: FakeClock) -> None:
    now = int(time.time()) + 0.5
    says = r"^tick is the number of a tick, of which 20 make a second, not the time 1\.\d+e\+09: .* Snapshots\(1\)"
    with pytest.raises(ValueError, match=says):
        Snapshots[int](20, clock=clock).add(now, 1)


@pytest.mark.parametrize(("rate", "scale"), [(1, 1.0), (1000, 1000.0), (20, 20.0), (20, 0.001)])
def test_seconds_that_are_said_to_be_seconds_and_large_ticks_are_taken(
    clock: FakeClock, rate: float, scale: float
) -> None:
    snapshots = Snapshots[str](rate, clock=clock)
    snapshots.add((int(time.time()) + 0.5) * scale, "now")
    whole = Snapshots[str](20, clock=clock)
    whole.add(int(time.time()), "a server that has run for years")

    assert (len(snapshots), len(whole)) == (1, 1)


@pytest.mark.parametrize("strange", [nan, inf, -inf])
def test_what_is_no_number_is_seen_when_its_time_has_come(clock: FakeClock, strange: float) -> None:
    snapshots = Snapshots[Any](20, clock=clock)
    for tick, world in enumerate(([0.5], [strange], [strange], [0.5])):
        snapshots.add(tick, world)

    seen = [snapshots.at(tick / 20) for tick in (0, 0.5, 1, 1.5, 2.5, 3)]

    assert repr(seen) == repr([[0.5], [0.5], [strange], [strange], [strange], [0.5]])
    assert blend(-1.7e308, 1.7e308, 0.5) == -1.7e308  # between which there is no distance


def test_an_int_that_is_larger_than_any_float_is_refused_or_not_mixed(clock: FakeClock) -> None:
    snapshots: Snapshots[Any] = Snapshots(20, clock=clock)

    calls: list[Callable[[int], object]] = [lambda number: snapshots.add(number, 1), snapshots.at, Snapshots]
    for call in calls:
        with pytest.raises(ValueError, match="finite, not 1000"):
            call(10**400)

    assert blend({"x": 10**400, "y": 1, "z": 0.5}, {"x": 1, "y": 10**400, "z": 10**400}, 0.5) == {
        "x": 10**400,
        "y": 1,
        "z": 0.5,
    }
    assert blend(10**400, 10**400 + 1, 1) == 10**400 + 1  # by a share that is an int, as at an end


def test_what_is_too_large_for_a_time_is_refused_wherever_one_is_given() -> None:
    huge = 10**400
    for call in (lambda: netcode.wait(timeout=huge), lambda: FakeClock().advance(huge)):
        with pytest.raises(ValueError, match=r"not .*1000"):
            call()
