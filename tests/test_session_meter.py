"""How far away the other end is, and that it cannot lie about that."""

import math

from hypothesis import given
from hypothesis import strategies as st

from netcode.session.meter import MAX_OUTSTANDING, Meter

steps = st.lists(st.tuples(st.floats(0, 100), st.none() | st.integers(-3, 60)), max_size=60)


def test_nothing_is_known_before_the_first_answer() -> None:
    meter = Meter()

    meter.ping(1.0)

    assert (meter.rtt, meter.jitter, meter.pings) == (None, None, 1)


def test_the_first_answer_counts_whole() -> None:
    meter = Meter()

    meter.pong(meter.ping(10.0), 10.5)

    assert (meter.rtt, meter.jitter) == (0.5, 0.25)


def test_later_answers_count_as_rfc_6298_says() -> None:
    meter = Meter()
    meter.pong(meter.ping(10.0), 11.0)

    meter.pong(meter.ping(20.0), 22.0)

    assert (meter.rtt, meter.jitter) == (7 / 8 * 1.0 + 1 / 8 * 2.0, 3 / 4 * 0.5 + 1 / 4 * 1.0)


def test_an_answer_counts_once_and_puts_an_end_to_earlier_pings() -> None:
    meter = Meter()
    first, second = meter.ping(0.0), meter.ping(1.0)
    meter.pong(second, 3.0)

    meter.pong(second, 100.0)
    meter.pong(first, 100.0)

    assert (meter.rtt, meter.jitter) == (2.0, 1.0)


def test_an_answer_to_an_earlier_ping_counts_and_leaves_the_later_ones() -> None:
    meter = Meter()
    first, second, third = (meter.ping(float(i)) for i in range(3))

    meter.pong(second, 4.0)
    after_second = meter.rtt
    meter.pong(first, 100.0)
    meter.pong(third, 5.0)

    assert (after_second, meter.rtt) == (3.0, 3.0)


def test_an_answer_to_an_earlier_ping_counts_once() -> None:
    meter = Meter()
    first, _ = meter.ping(0.0), meter.ping(1.0)
    meter.pong(first, 1.5)

    meter.pong(first, 100.0)

    assert (meter.rtt, meter.jitter) == (1.5, 0.75)


def test_pings_that_nobody_answers_are_forgotten() -> None:
    meter = Meter()
    numbers = [meter.ping(float(i)) for i in range(MAX_OUTSTANDING + 1)]

    meter.pong(numbers[0], 50.0)
    forgotten = meter.rtt
    meter.pong(numbers[1], 51.0)

    assert (forgotten, meter.rtt) == (None, 50.0)


@given(steps=steps)
def test_whatever_is_answered_the_estimate_is_a_time_that_passed(steps: list[tuple[float, int | None]]) -> None:
    meter = Meter()
    now = 0.0

    for elapsed, answer in steps:
        now += elapsed
        if answer is None:
            meter.ping(now)
        else:
            meter.pong(answer, now)
        for estimate in (meter.rtt, meter.jitter):
            assert estimate is None or (0.0 <= estimate <= now and math.isfinite(estimate))

    assert len(meter._earlier or ()) < MAX_OUTSTANDING
