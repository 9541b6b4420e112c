"""A long sleep goes on in naps, and wakes for who no poller knows."""

import socket

import pytest

from netcode.loop.clock import Timeline
from netcode.loop.poller import NAP
from netcode.stream.sleeping import Everybody, Ready, sleep_on
from netcode.testing import FakeClock
from netcode.waiting import Descriptors, wait


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


class Few:
    """Streams of which no poller knows."""

    def __init__(self, sock: socket.socket) -> None:
        self.closed = False
        self.timeline = Timeline(FakeClock())
        self.left: float | None = None
        self._sock = sock

    def descriptors(self) -> Descriptors:
        return ([] if self.closed else [self._sock.fileno()]), [], []

    def seconds_left(self) -> float | None:
        return self.left


def test_who_no_poller_knows_wakes_by_bytes_by_a_deadline_and_once_it_is_over() -> None:
    here, there = socket.socketpair()
    with here, there:
        few = Few(here)
        everybody = Everybody(few)
        in_vain = wait(everybody, timeout=0.0)
        there.send(b"!")
        by_bytes = wait(everybody)
        here.recv(1)
        few.left = 0.0
        by_deadline = wait(everybody)
        few.left, few.closed = None, True

        assert (in_vain, by_bytes, by_deadline, wait(everybody, timeout=60.0)) == (False, True, True, True)
