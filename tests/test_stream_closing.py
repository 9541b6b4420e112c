"""The time of a nice close, and what is said of it."""

import errno
import math

from netcode.reasons import Reason, ReasonCode, closed_here
from netcode.stream.closing import LINGER, Closing


def test_without_a_limit_there_is_no_time_before_everything_is_sent() -> None:
    closing = Closing()
    before = closing.due()

    closing.linger(10.0)
    closing.linger(11.0)

    assert (before, closing.due()) == (math.inf, 10.0 + LINGER)
    assert closing.reason("somebody", 0) == closed_here()


def test_the_shorter_of_two_limits_counts_and_is_named() -> None:
    closing = Closing()

    closing.limit(10.0, 5.0, "timeout")
    closing.limit(11.0, 2.5, "close_timeout")
    closing.limit(12.0, 5.0, "timeout")
    closing.linger(12.0)

    assert closing.due() == 13.5
    assert closing.reason("somebody", 3) == Reason(
        ReasonCode.CLOSE_TIMEOUT,
        "gave up closing the connection to somebody nicely: 3 bytes were not sent within close_timeout = 2.5 s",
    )


def test_a_limit_may_shorten_the_moment_for_the_other_end() -> None:
    closing = Closing()
    closing.linger(10.0)

    closing.limit(10.0, LINGER / 2, "timeout")

    assert closing.due() == 10.0 + LINGER / 2
    assert "it did not finish within timeout = 1 s" in closing.reason("somebody", 0).text


def test_its_time_moves_along_with_the_line_of_time() -> None:
    closing = Closing()
    closing.limit(10.0, 5.0, "timeout")

    closing.shift(-3.0)

    assert closing.due() == 12.0


def test_what_is_said_of_the_other_end_outlives_what_breaks_behind_it() -> None:
    theirs = Reason(ReasonCode.CLOSED_BY_PEER, "somebody closed the connection")
    ours, closing = Closing(), Closing(theirs)
    error = BrokenPipeError(errno.EPIPE, "broken")

    lost = Reason(ReasonCode.CLOSED_BY_PEER, "somebody closed the connection; 3 bytes were not sent")
    assert (ours.done, closing.done) == (closed_here(), theirs)
    assert [closing.broken(error, "somebody", waiting) for waiting in (0, 3)] == [theirs, lost]
    assert ours.broken(error, "somebody", 3).code is ReasonCode.RESET
