"""One who floods, one who stalls and one who talks nonsense, beside two hundred who play."""

import re
import socket
import time
from collections.abc import Callable

import pytest
from bounds import Patience
from programs import DEADLINE, Program, Start

from .wire import hello, message

GOOD = 200
WINDOW = 55
"""Updates that are measured at a time, a second if there is time for sixty: first in peace, then among the hostile."""
ROUNDS = 10
"""Pairs of windows, in turn and short, so that both get their share of what a busy machine does beside."""
MORE = 3
"""So often as many rounds at most: a percentile of few updates among much else is a throw of dice."""
GROWTH = 1.2
"""How much longer the 99th percentile of an update may take among the hostile."""

FLOOD = message(1) * 1_700
"""What is sent sixty times a second: 100,000 messages a second."""


class Hostile:
    """A peer that is let in, and then does what it likes; sent away, it comes again within a second."""

    def __init__(self, port: int, behave: Callable[["Hostile"], None]) -> None:
        self._port = port
        self._behave = behave
        self.socket: socket.socket | None = None
        self.times = 0
        self._next_time = 0.0

    def update(self) -> None:
        try:
            if self.socket is None:
                if time.monotonic() < self._next_time:
                    return
                self._next_time = time.monotonic() + 1.0
                self.socket = socket.create_connection(("127.0.0.1", self._port))
                self.socket.sendall(hello())
                self.socket.setblocking(False)
                self.times += 1
            self._behave(self)
        except BlockingIOError:
            pass
        except OSError:
            self.close()

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def flood(peer: Hostile) -> None:
    assert peer.socket is not None
    # What fits of a share goes, cut wherever the kernel likes; the rest of it is nonsense from then on, or nothing.
    sent = peer.socket.send(FLOOD)
    patient = Patience()
    while patient() and sent < len(FLOOD):
        sent += peer.socket.send(FLOOD[sent:])


def stall(peer: Hostile) -> None:
    assert peer.socket is not None
    peer.socket.send(message("x" * 1_000))  # and the echo is never read


def babble(peer: Hostile) -> None:
    assert peer.socket is not None
    peer.socket.send(b"\0\0\0\5\xc1\xc1\xc1\xc1\xc1")
    if not peer.socket.recv(65_536):
        peer.close()


def costs(server: Program, hostile: list[Hostile]) -> list[int]:
    """Return what each of so many updates cost among `hostile`, in microseconds."""
    begin = len(measured(server))
    deadline = time.monotonic() + DEADLINE
    found: list[int] = []
    while len(found) < WINDOW:
        assert time.monotonic() < deadline
        for peer in hostile:
            peer.update()
        time.sleep(1 / 60)
        # The first half second is not measured: who came and who went belong to both sides.
        found = [cost for half in measured(server)[begin + 1 :] for cost in half]
    for peer in hostile:
        peer.close()
    return found


def measured(server: Program) -> list[list[int]]:
    """Return what the server has told of each half second with everybody in."""
    halves = re.findall(r"half a second with 2\d\d players: (.*)\n", server.output)
    return [[int(cost) for cost in half.split()] for half in halves]


def p99(numbers: list[int]) -> int:
    return sorted(numbers)[len(numbers) * 99 // 100]


@pytest.mark.process
@pytest.mark.timed
@pytest.mark.fault(30, layer="process")
@pytest.mark.fault(35, layer="process")
@pytest.mark.fault(37, layer="process")
def test_the_hostile_cost_the_others_less_than_a_fifth_of_their_frame(start: Start) -> None:
    server = start("tests/faults/players.py", "measure")
    port = int(server.until(r"process \d+ listening on (\d+)\n")[1])
    crowd = start("tests/faults/players.py", "crowd", port)
    server.until(f"half a second with {GOOD} players")
    hostile = [Hostile(port, behave) for behave in (flood, stall, babble)]
    in_peace: list[int] = []
    among_them: list[int] = []

    before = after = 0
    for _ in range(MORE):
        for _ in range(ROUNDS):
            in_peace += costs(server, [])
            among_them += costs(server, hostile)
        before, after = p99(in_peace), p99(among_them)
        if after < GROWTH * before:
            break

    assert after < GROWTH * before, f"the 99th percentile of update() grew from {before} to {after} microseconds"
    assert "left" not in crowd.output
    assert all(peer.times for peer in hostile)
    assert "MALFORMED" in server.output
