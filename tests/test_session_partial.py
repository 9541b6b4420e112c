"""The message under way: what gives it its time again, and what does not."""

from netcode.session.partial import PACE, Partial


def test_a_message_has_its_time_again_for_each_further_so_many_bytes() -> None:
    partial = Partial(10.0, 3 * PACE)

    told = [partial.goes_on(11.0, 2 * PACE + 1), partial.goes_on(12.0, 2 * PACE), partial.goes_on(13.0, PACE + 1)]

    assert told == [False, True, False]
    assert (partial.since, partial.missing) == (12.0, PACE + 1)


def test_a_length_that_comes_late_gives_no_time_by_itself() -> None:
    partial = Partial(10.0, 0)

    told = [partial.goes_on(11.0, 0), partial.goes_on(12.0, 2 * PACE), partial.goes_on(13.0, PACE)]

    assert told == [False, False, True]
    assert (partial.since, partial.missing) == (13.0, PACE)


def test_what_we_did_not_listen_to_is_no_delay() -> None:
    partial = Partial(10.0, PACE)

    partial.excuse(14.0)

    assert (partial.since, partial.missing) == (14.0, PACE)
    assert not partial.goes_on(15.0, 1)
    assert partial.since == 14.0
