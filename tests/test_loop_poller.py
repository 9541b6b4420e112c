"""Pollers: one contract, kept by each of them on every system that can run it."""

import os
import select
import selectors
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from netcode.loop import poller as module
from netcode.loop.poller import (
    BROKEN,
    MAX_SLEEP,
    READ,
    SELECT_PAUSE,
    WRITE,
    Poller,
    PollPoller,
    SelectorsPoller,
    SelectPoller,
    clip,
    make_poller,
    merged,
    select_in_parts,
)

POLLERS: dict[str, Callable[[], Poller]] = {
    "make_poller": make_poller,
    "selectors, the default one": SelectorsPoller,
    "selectors, with select": lambda: SelectorsPoller(selectors.SelectSelector()),
    "select in parts": SelectPoller,
}
if hasattr(selectors, "PollSelector"):
    POLLERS["selectors, with poll"] = lambda: SelectorsPoller(selectors.PollSelector())
if hasattr(select, "poll"):
    POLLERS["poll"] = PollPoller


@pytest.fixture(params=[*POLLERS])
def poller(request: pytest.FixtureRequest) -> Iterator[Poller]:
    made = POLLERS[request.param]()
    yield made
    made.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        one.setblocking(False)
        yield one, other


Pair = tuple[socket.socket, socket.socket]


def test_nothing_is_ready_where_nothing_is_watched(poller: Poller) -> None:
    assert poller.poll(0) == []
    assert poller.poll(0.001) == []


def test_as_many_are_told_as_are_enough_and_the_others_next_time(poller: Poller) -> None:
    pairs = [socket.socketpair() for _ in range(3)]
    for one, other in pairs:
        poller.add(one.fileno(), READ)
        other.send(b"x")

    told: set[int] = set()
    for _ in pairs:
        for fd, _ in poller.poll(0, 1):
            told.add(fd)
            poller.remove(fd)

    assert told == {one.fileno() for one, _ in pairs}
    for one, other in pairs:
        one.close()
        other.close()


def test_readiness_to_read_is_told_until_it_is_handled(poller: Poller, pair: Pair) -> None:
    one, other = pair
    poller.add(one.fileno(), READ)

    before = poller.poll(0)
    other.send(b"x")
    told = [poller.poll(1.0), poller.poll(0)]
    one.recv(1)

    assert before == []
    assert told == [[(one.fileno(), READ)]] * 2
    assert poller.poll(0) == []


def test_what_is_watched_for_can_change(poller: Poller, pair: Pair) -> None:
    one, other = pair
    other.send(b"x")
    fd = one.fileno()
    poller.add(fd, READ | WRITE)

    told = [poller.poll(0)]
    for bits in (WRITE, 0, READ):
        poller.change(fd, bits)
        told.append(poller.poll(0))

    assert told == [[(fd, READ | WRITE)], [(fd, WRITE)], [], [(fd, READ)]]


def test_watching_may_begin_with_nothing(poller: Poller, pair: Pair) -> None:
    one, other = pair
    other.send(b"x")
    poller.add(one.fileno(), 0)

    before = poller.poll(0)
    poller.change(one.fileno(), READ)

    assert before == []
    assert poller.poll(0) == [(one.fileno(), READ)]


def test_the_number_of_what_was_closed_can_be_another_one_s(poller: Poller, pair: Pair) -> None:
    lost, _ = socket.socketpair()
    number = lost.fileno()
    poller.add(number, READ)
    lost.close()
    _.close()
    os.dup2(pair[0].fileno(), number)

    poller.add(number, READ)
    pair[1].send(b"x")
    told = poller.poll(1.0)
    poller.remove(number)
    os.close(number)

    assert told == [(number, READ)]


def test_what_was_removed_is_not_told_any_more(poller: Poller, pair: Pair) -> None:
    one, other = pair
    other.send(b"x")
    poller.add(one.fileno(), READ)

    poller.remove(one.fileno())

    assert poller.poll(0) == []


def test_removing_what_is_unknown_or_closed_is_fine(poller: Poller, pair: Pair) -> None:
    one, _ = pair
    fd = one.fileno()
    poller.remove(fd)
    poller.add(fd, READ)

    poller.remove(fd)
    one.close()
    poller.remove(fd)

    assert poller.poll(0) == []


def test_an_end_is_told_as_something_to_read_or_as_broken(poller: Poller, pair: Pair) -> None:
    one, other = pair
    poller.add(one.fileno(), READ)

    other.close()
    ((fd, bits),) = poller.poll(1.0)

    assert fd == one.fileno()
    assert bits & (READ | BROKEN)


def test_a_descriptor_of_the_poller_itself_is_readable_when_something_is_ready(poller: Poller, pair: Pair) -> None:
    one, other = pair
    poller.add(one.fileno(), READ)
    other.send(b"x")

    if poller.fileno() >= 0:
        above = SelectorsPoller(selectors.SelectSelector())
        above.add(poller.fileno(), READ)
        assert above.poll(1.0) == [(poller.fileno(), READ)]
        above.close()


def test_of_what_is_told_in_parts_nothing_is_dropped() -> None:
    assert merged([(7, READ), (8, READ), (7, WRITE), (8, READ | BROKEN)]) == [(7, READ | WRITE), (8, READ | BROKEN)]


@pytest.mark.skipif(sys.platform != "linux", reason="epoll is Linux")
def test_epoll_refuses_a_plain_file_which_is_always_ready() -> None:
    poller = make_poller()
    with tempfile.TemporaryFile() as file, pytest.raises(PermissionError):
        poller.add(file.fileno(), READ)
    poller.close()


@pytest.mark.skipif(sys.platform != "linux", reason="epoll is Linux")
def test_epoll_tells_of_everything_at_once() -> None:
    poller = make_poller()
    pairs = [socket.socketpair() for _ in range(20)]
    for one, other in pairs:
        poller.add(one.fileno(), READ)
        other.send(b"x")

    told = poller.poll(0)
    poller.close()
    for one, other in pairs:
        one.close()
        other.close()

    assert len(told) == 20


@pytest.mark.skipif(sys.platform != "linux", reason="epoll is Linux")
def test_epoll_has_room_for_those_that_are_watched_and_not_for_all_that_ever_were(pair: Pair) -> None:
    poller: Any = make_poller()
    rooms: list[int] = []

    for _ in range(3):
        poller.add(pair[0].fileno(), READ)
        rooms.append(poller._watched)
        poller.remove(pair[0].fileno())
        poller.remove(pair[0].fileno())  # twice is fine
    poller.close()

    assert rooms == [2, 2, 2]


class Fakes:
    """A `select` that takes few sockets, and time that passes in sleeps only."""

    def __init__(self, ready_at: float) -> None:
        self.now = 0.0
        self.ready_at = ready_at
        self.sleeps: list[float] = []

    def select(self, read: list[int], write: list[int], exceptional: list[int], timeout: float | None) -> object:
        for fds in (read, write, exceptional):
            assert len(fds) <= 3
        assert read or write or exceptional
        ready = self.now >= self.ready_at
        return [[fd for fd in fds if ready and fd % 5 == 0] for fds in (read, write, exceptional)]

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], Fakes]:
    def make(ready_at: float) -> Fakes:
        made = Fakes(ready_at)
        monkeypatch.setattr(module, "select", made)
        monkeypatch.setattr(module, "time", made)
        return made

    return make


def test_more_sockets_than_one_select_takes_are_asked_in_parts(fakes: Callable[[float], Fakes]) -> None:
    fakes(0.0)

    ready = select_in_parts(([*range(1, 12)], [5, 6], []), 0, limit=3)

    assert ready == ([5, 10], [5], [])


def test_parts_are_asked_again_until_one_is_ready(fakes: Callable[[float], Fakes]) -> None:
    clock = fakes(0.035)

    ready = select_in_parts(([*range(1, 12)], [], [20]), None, limit=3)

    assert ready == ([5, 10], [], [20])
    assert round(clock.now, 6) == 0.04


def test_parts_are_given_up_at_the_timeout(fakes: Callable[[float], Fakes]) -> None:
    clock = fakes(100.0)

    ready = select_in_parts(([*range(1, 12)], [], []), 0.025, limit=3)

    assert ready == ([], [], [])
    assert round(clock.now, 6) == 0.025


def test_select_for_nothing_sleeps(fakes: Callable[[float], Fakes]) -> None:
    clock = fakes(0.0)

    assert select_in_parts(([], [], []), 2.5) == ([], [], [])
    assert select_in_parts(([], [], []), None) == ([], [], [])
    assert clock.sleeps == [2.5, 0.0]


def test_a_number_that_select_does_not_take_is_ready_a_moment_later(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = sorted(sock.fileno() for sock in pair)
    monkeypatch.setattr(module, "SELECT_MOST", other)
    poller = SelectPoller()
    poller.add(one, READ)
    poller.add(other, READ)
    begin = time.monotonic()

    told = [poller.poll(None), poller.poll(60.0), poller.poll(0)]

    assert told == [[(other, READ)]] * 3
    assert 2 * SELECT_PAUSE <= time.monotonic() - begin < 30.0


@pytest.mark.parametrize("make", [SelectPoller, *([PollPoller] if hasattr(select, "poll") else [])])
def test_what_somebody_else_has_closed_is_broken_and_takes_nobody_along(make: Callable[[], Poller], pair: Pair) -> None:
    one, other = pair
    lost, _ = socket.socketpair()
    poller = make()
    poller.add(lost.fileno(), READ)
    poller.add(one.fileno(), READ)
    number = lost.fileno()
    lost.close()
    _.close()
    other.send(b"x")

    told = dict(poller.poll(1.0))
    poller.remove(number)

    assert told.pop(number) & BROKEN
    assert {**told, **dict(poller.poll(1.0))} == {one.fileno(): READ}


@pytest.mark.skipif(sys.platform == "win32", reason="pipes can be selected elsewhere only")
def test_who_watches_a_pipe_for_nothing_is_told_that_it_broke_or_says_that_it_is_not(poller: Poller) -> None:
    read, write = os.pipe()
    poller.add(write, 0)

    os.close(read)
    told = poller.poll(0.01)
    poller.remove(write)
    os.close(write)

    assert bool(told and told[0][1] & BROKEN) is poller.tells_of_breaking


@pytest.mark.skipif(sys.platform == "win32", reason="pipes can be selected elsewhere only")
def test_pipes_are_watched_as_sockets_are(poller: Poller) -> None:
    read, write = os.pipe()
    poller.add(read, READ)
    poller.add(write, WRITE)

    told = poller.poll(0)
    os.write(write, b"x")
    more = poller.poll(0)
    for fd in (read, write):
        poller.remove(fd)
        os.close(fd)

    assert told == [(write, WRITE)]
    assert sorted(more) == sorted([(read, READ), (write, WRITE)])


@pytest.mark.parametrize(("seconds", "slept"), [(None, None), (0.0, 0.0), (1e12, MAX_SLEEP)])
def test_a_sleep_is_clipped_to_what_one_call_can_take(seconds: float | None, slept: float | None) -> None:
    assert clip(seconds) == slept


@pytest.mark.parametrize(
    ("taken", "kind"), [(["epoll"], PollPoller), (["epoll", "poll"], SelectPoller), (["kqueue", "poll"], None)]
)
def test_the_best_poller_is_made_of_what_is_left(
    taken: list[str], kind: type[Poller] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in taken:
        monkeypatch.delattr(select, name, raising=False)

    poller = make_poller()

    assert kind is None or not sys.platform.startswith("linux") or type(poller) is kind
    poller.close()
