"""What came before a write failed: how much of it there may be, and what the reason is behind it."""

import errno

import pytest

from netcode.stream.draining import DRAIN, Draining, unsent

EPIPE, RESET = BrokenPipeError(errno.EPIPE, "broken"), ConnectionResetError(errno.ECONNRESET, "reset")


@pytest.mark.parametrize(
    ("error", "believes_ends", "outranks"),
    [(EPIPE, True, False), (RESET, True, True), (EPIPE, False, True), (RESET, False, True)],
)
def test_an_end_is_the_reason_where_the_error_says_no_more_than_that(
    error: OSError, believes_ends: bool, outranks: bool
) -> None:
    assert Draining(error, believes_ends=believes_ends).outranks_an_end is outranks


def test_it_is_over_when_more_came_than_a_system_holds() -> None:
    draining = Draining(RESET, believes_ends=True)

    assert [draining.is_over(count) for count in (1, DRAIN - 1, 1)] == [False, False, True]


def test_the_error_that_is_kept_keeps_nothing_else() -> None:
    try:
        raise RESET
    except OSError as error:
        draining = Draining(error, believes_ends=True)

    assert (draining.error, draining.error.__traceback__, draining.error.__context__) == (RESET, None, None)


def test_what_a_failed_write_has_lost_counts_with_what_waits() -> None:
    draining = Draining(RESET, believes_ends=True)
    draining.unsent += 5

    assert (unsent(3, None), unsent(0, draining), unsent(3, draining)) == (3, 5, 8)
