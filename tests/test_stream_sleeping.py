"""A long sleep goes on in naps."""

import pytest

from netcode.loop.poller import NAP
from netcode.stream.sleeping import Ready, sleep_on


@pytest.mark.parametrize(
    ("seconds", "comes", "reason", "slept", "found"),
    [
        (2.5 * NAP, None, None, [NAP, NAP / 2], []),
        (2.5 * NAP, 1, None, [NAP], [(5, 1)]),
        (None, 3, None, [NAP] * 3, [(5, 1)]),
        (2.5 * NAP, None, 1, [NAP], None),
        (None, None, 0, [], None),
        (1.2 * NAP, None, 1, [pytest.approx(0.2 * NAP)], []),
    ],
)
def test_a_sleep_goes_on_nap_by_nap_until_somebody_comes_or_a_handler_has_a_reason(
    seconds: float | None, comes: int | None, reason: int | None, slept: list[float], found: Ready | None
) -> None:
    asked: list[float] = []

    def poll(timeout: float, most: int | None) -> Ready:
        asked.append(timeout)
        assert most == 7
        return [(5, 1)] if len(asked) == comes else []

    assert sleep_on(poll, seconds, 7, lambda: len(asked) == reason) == found
    assert asked == slept
