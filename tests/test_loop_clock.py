"""Time as peers are charged for it, and deadlines."""

import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcode.loop.clock import MAX_GAP, Deadlines, Timeline, earliest, sleep_of
from netcode.testing import FakeClock

seconds = st.floats(0, 1e6)


def test_attended_time_runs_as_the_clock_does() -> None:
    clock = FakeClock()
    timeline = Timeline(clock)
    start = timeline.now

    for _ in range(60):
        clock.advance(0.5)
        timeline.tick()

    assert timeline.now == start + 30


def test_a_clock_is_a_function() -> None:
    clock: Any = 1.0
    with pytest.raises(TypeError, match=r"^clock must be a function that tells the time, not float$"):
        Timeline(clock)


def test_a_pause_of_ours_counts_for_a_moment_only() -> None:
    clock = FakeClock()
    timeline = Timeline(clock)
    start = timeline.now

    clock.advance(60)
    timeline.tick()

    assert timeline.now == start + MAX_GAP
    assert timeline.missed == 60 - MAX_GAP


def test_a_sleep_that_was_meant_counts_in_full() -> None:
    clock = FakeClock()
    timeline = Timeline(clock)
    start = timeline.now

    clock.advance(60)
    timeline.tick(asleep=59.5)

    assert timeline.now == start + 60


def test_a_clock_that_is_set_back_stands_still_for_a_moment_only() -> None:
    clock = FakeClock()
    timeline = Timeline(clock)
    timeline.tick()
    start = timeline.now

    clock.now -= 3600
    timeline.tick()
    back = timeline.now
    clock.now -= 3600
    assert (timeline.since(), timeline.until(start + 1)) == (0.0, 1.0)
    clock.now += 3600
    clock.advance(0.5)
    timeline.tick()

    assert (back, timeline.now, timeline.missed) == (start, start + 0.5, 0.0)


def test_the_time_since_the_last_tick_is_all_that_passed() -> None:
    clock = FakeClock()
    timeline = Timeline(clock)
    timeline.tick()

    clock.advance(60)

    assert timeline.since() == 60


def test_the_way_to_a_deadline_is_what_is_left_of_it() -> None:
    clock = FakeClock()
    timeline = Timeline(clock)
    deadline = timeline.now + 10

    clock.advance(0.75)
    left = timeline.until(deadline)
    clock.advance(1000)

    assert left == 9.25
    assert timeline.until(deadline) == 10 - MAX_GAP
    assert timeline.until(deadline - 9.5) == 0.0


@given(st.lists(st.tuples(seconds, seconds)))
def test_the_timeline_never_runs_back_nor_faster_than_the_clock(steps: list[tuple[float, float]]) -> None:
    clock = FakeClock()
    timeline = Timeline(clock)

    for step, asleep in steps:
        before, seen = timeline.now, clock()
        clock.advance(step)
        timeline.tick(asleep)
        assert 0 <= timeline.now - before <= (clock() - seen) * (1 + 1e-9) + 1e-6


@given(st.lists(st.floats(0, 100)), st.floats(0, 100))
def test_deadlines_come_out_when_due_and_in_order(times: list[float], now: float) -> None:
    deadlines: Deadlines[int] = Deadlines()
    for holder, when in enumerate(times):
        deadlines.push(when, holder)

    assert deadlines.next() == min(times, default=None)
    out: list[tuple[float, int]] = []
    while (entry := deadlines.pop(now)) is not None:
        when, holders = entry
        out += [(when, holder) for holder in holders]

    assert out == sorted((when, holder) for holder, when in enumerate(times) if when <= now)
    assert len(deadlines) == sum(when > now for when in times)


def test_pruned_deadlines_keep_what_is_current_in_order() -> None:
    deadlines: Deadlines[str] = Deadlines()
    for when, holder in ((3.0, "c"), (1.0, "gone"), (2.0, "b"), (0.5, "a"), (3.0, "gone"), (0.5, "d")):
        deadlines.push(when, holder)

    deadlines.prune(lambda when, holder: holder != "gone")

    assert len(deadlines) == 4
    assert [deadlines.pop(math.inf) for _ in range(4)] == [(0.5, ["a", "d"]), (2.0, ["b"]), (3.0, ["c"]), None]


def test_a_timeline_tells_which_clock_is_behind_it() -> None:
    clock = FakeClock()

    assert Timeline(clock).clock is clock


def test_nothing_is_due_before_the_earliest_deadline() -> None:
    deadlines: Deadlines[str] = Deadlines()
    assert not deadlines.is_due(1e9)

    deadlines.push(5.0, "first")

    assert [deadlines.is_due(now) for now in (4.9, 5.0, 6.0)] == [False, True, True]


def test_a_clock_may_have_a_sleep_of_its_own() -> None:
    clock = FakeClock(5.0)

    sleep_of(clock)(2.0)

    assert (clock(), sleep_of(time.monotonic)) == (7.0, time.sleep)


def test_the_earliest_of_moments_is_one_that_comes() -> None:
    assert (earliest(), earliest(None), earliest(2.0, None, 1.0)) == (None, None, 1.0)
