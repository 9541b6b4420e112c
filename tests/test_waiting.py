"""Waiting: what wakes, what does not, and for how long it sleeps."""

import copy
import math
import os
import pickle
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from netcode import custom, waiting
from netcode.loop.poller import MAX_SLEEP
from netcode.waiting import ClosingWaiter, CustomWaiter, Descriptors, Waiter, any_of, check_timeout, wait

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


class Due(Waiter):
    """A waiter without descriptors that is due in some seconds."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self.slept: list[float] = []

    def instantiate(self) -> Descriptors:
        return [], [], []

    def _seconds_left(self) -> float | None:
        return self.seconds

    def _slept(self, seconds: float) -> None:
        self.slept.append(seconds)


class Strange:
    """Has a `fileno()` that gives whatever it was told."""

    def __init__(self, number: object) -> None:
        self.number = number

    def fileno(self) -> object:
        return self.number


class Open(Due, ClosingWaiter):
    """A waiter that can be closed."""

    closed = False

    def close(self) -> None:
        self.closed = True


class Sleeps:
    """Stands for the sleep of `wait`: notes how long it was meant to be."""

    def __init__(self, ready: bool = False) -> None:
        self.ready = ready
        self.seconds: list[float | None] = []

    def __call__(self, lists: Descriptors, seconds: float | None, has_reason: Callable[[], bool]) -> bool:
        self.seconds.append(seconds)
        return self.ready


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> Sleeps:
    made = Sleeps()
    monkeypatch.setattr(waiting, "sleep", made)
    return made


def test_bytes_to_read_wake(pair: Pair) -> None:
    one, other = pair

    before = wait(CustomWaiter(read=[one]), timeout=0.0)
    other.send(b"x")

    assert before is False
    assert wait(CustomWaiter(read=[one.fileno()])) is True


def test_room_to_write_wakes(pair: Pair) -> None:
    assert wait(CustomWaiter(write=pair), timeout=1.0) is True


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells of urgent data")
def test_an_exceptional_condition_wakes_who_asked_for_it() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as one,
        listener.accept()[0] as other,
    ):
        other.send(b"!", socket.MSG_OOB)

        assert wait(CustomWaiter(exceptional=[one]), timeout=5.0) is True
        assert wait(CustomWaiter(read=[one]), timeout=0.0) is False


def test_a_timeout_passes(pair: Pair) -> None:
    before = time.monotonic()

    assert wait(CustomWaiter(read=pair), timeout=0.02) is False
    assert time.monotonic() - before >= 0.02


class Sends(Due):
    """A waiter that is due until it has sent."""

    def __init__(self) -> None:
        super().__init__(0.0)
        self.sent = 0

    def _before_sleep(self) -> None:
        self.sent += 1
        self.seconds = None


def test_what_is_queued_is_sent_before_anybody_sleeps(sleeps: Sleeps, pair: Pair) -> None:
    one, two = Sends(), Sends()

    alone = wait(one, timeout=2.0)
    together = wait(one, any_of(two, CustomWaiter(read=pair)), timeout=3.0)

    assert (alone, together) == (True, False)
    assert (one.sent, two.sent) == (2, 1)
    assert sleeps.seconds == [3.0]


def test_a_deadline_wakes_before_the_timeout(sleeps: Sleeps) -> None:
    due = Due(0.5)

    assert wait(due, timeout=2.0) is True
    assert wait(due) is True
    assert wait(due, timeout=0.25) is False
    assert sleeps.seconds == due.slept == [0.5, 0.5, 0.25]


def test_what_is_due_already_does_not_sleep(sleeps: Sleeps) -> None:
    assert wait(Due(0.0), timeout=5.0) is True
    assert sleeps.seconds == []


def test_with_nothing_to_wait_for_it_returns_at_once(sleeps: Sleeps) -> None:
    assert wait(timeout=5.0) is True
    assert wait(Due(None)) is True
    assert sleeps.seconds == []


class Alive(Due):
    """A waiter that has nothing to wait for at present."""

    def _is_over(self) -> bool:
        return False


def test_what_lives_and_has_nothing_to_wait_for_sleeps_as_long_as_it_may(sleeps: Sleeps) -> None:
    alive, over = Alive(None), Due(None)

    assert wait(alive, timeout=5.0) is False
    assert wait(over, any_of(alive, over), timeout=5.0) is False
    assert sleeps.seconds == [5.0, 5.0]
    assert wait(alive) is True  # it would sleep for ever


def test_a_deadline_years_away_does_not_overflow(sleeps: Sleeps, pair: Pair) -> None:
    wait(Due(1e12))
    wait(CustomWaiter(read=pair), timeout=1e12)
    wait(CustomWaiter(read=pair))

    assert sleeps.seconds == [MAX_SLEEP, MAX_SLEEP, None]


def test_a_tick_that_is_late_is_no_error(sleeps: Sleeps) -> None:
    assert not wait(Due(1.0), timeout=-0.001)
    assert sleeps.seconds == [0.0]


@pytest.mark.parametrize("timeout", [-math.inf, math.inf, math.nan])
def test_a_timeout_that_is_none_is_refused(timeout: float) -> None:
    with pytest.raises(ValueError, match=f"timeout must be seconds from 0 up, or None, not {timeout}"):
        wait(Due(1.0), timeout=timeout)


@pytest.mark.parametrize("timeout", ["1", b"1", [1], True])
def test_a_timeout_that_is_no_number_is_refused(timeout: Any) -> None:
    with pytest.raises(TypeError, match=r"timeout must be a number of seconds, or None, not (str|bytes|list|bool)"):
        wait(CustomWaiter(), timeout=timeout)


@pytest.mark.parametrize("waiters", [(1.5,), (CustomWaiter(), 1.5)])
def test_what_is_no_waiter_is_refused(waiters: tuple[Any, ...]) -> None:
    for function in (wait, any_of):
        with pytest.raises(TypeError, match=r"expected a waiter, not 1.5; seconds are timeout=1.5"):
            function(*waiters)


def test_any_of_several_wakes(pair: Pair) -> None:
    one, other = pair
    waiter = any_of(CustomWaiter(read=[one]), any_of(CustomWaiter(read=[other]), Due(None)))

    before = wait(waiter, timeout=0.0)
    one.send(b"x")

    assert before is False
    assert wait(waiter, timeout=5.0) is True
    assert waiter.instantiate() == ([one.fileno(), other.fileno()], [], [])


def test_any_of_several_is_due_when_the_first_is(sleeps: Sleeps) -> None:
    waiters = Due(3.0), Due(None), Due(1.0)

    assert wait(*waiters) is True
    assert sleeps.seconds == [1.0]
    assert [waiter.slept for waiter in waiters] == [[1.0]] * 3


class Bed(Waiter):
    """Sleeps in a poller of its own, with those whom that can watch."""

    def __init__(self, answer: bool | None) -> None:
        self.answer = answer
        self.asked: list[tuple[tuple[Waiter, ...], float | None]] = []

    def instantiate(self) -> Descriptors:
        return [], [], []

    def _sleep_for(self, everybody: tuple[Waiter, ...], seconds: float | None) -> bool | None:
        self.asked.append((everybody, seconds))
        return self.answer


@pytest.mark.parametrize("answer", [True, False])
def test_who_has_a_poller_sleeps_in_it_with_the_others(sleeps: Sleeps, answer: bool) -> None:
    bed, other = Bed(answer), Due(1.0)

    assert wait(other, bed, timeout=2.0) is answer
    assert (bed.asked, sleeps.seconds) == ([((other, bed), 2.0)], [])


def test_whom_its_poller_cannot_watch_is_waited_for_beside_it(sleeps: Sleeps) -> None:
    bed, other = Bed(None), Due(1.0)

    assert wait(other, bed, timeout=2.0) is True
    assert (bed.asked, sleeps.seconds) == ([((other, bed), 2.0)], [1.0])


def test_of_two_who_have_pollers_the_one_sleeps_that_can_watch_the_other(sleeps: Sleeps) -> None:
    unable, able, other = Bed(None), Bed(True), Due(1.0)

    assert wait(any_of(unable, able), other, timeout=2.0) is True
    assert (unable.asked, able.asked, sleeps.seconds) == (
        [((unable, able, other), 2.0)],
        [((unable, able, other), 2.0)],
        [],
    )


def test_many_made_of_others_are_asked_no_more_often_than_there_are_pairs() -> None:
    beds = [Bed(None) for _ in range(12)]

    wait(*map(any_of, beds), timeout=0.0)

    assert [len(bed.asked) for bed in beds] == [len(beds)] * len(beds)


def test_a_class_is_no_waiter() -> None:
    with pytest.raises(TypeError, match=r"expected a waiter, not <class '.*Bed'>"):
        wait(Bed, timeout=0.0)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_custom_waiter_gives_its_descriptors(pair: Pair) -> None:
    one, other = pair
    waiter = CustomWaiter(read=[one], write=[one.fileno(), other], exceptional=[other])

    assert waiter.instantiate() == ([one.fileno()], [one.fileno(), other.fileno()], [other.fileno()])
    assert waiter._seconds_left() is None


def test_a_custom_waiter_refuses_what_has_no_descriptor() -> None:
    with pytest.raises(TypeError, match=r"expected a descriptor or an object with fileno\(\), not str"):
        CustomWaiter(read=["stdin"])


@pytest.mark.parametrize("name", ["read", "write", "exceptional"])
def test_one_descriptor_is_no_list_of_them(pair: Pair, name: str) -> None:
    one, other = pair
    with one.makefile("rb") as lines, pytest.raises(TypeError, match=rf"{name} must be a list, as in {name}=\[sys"):
        CustomWaiter(**{name: lines})  # nothing comes of which it could be a line
    for given in (other, other.fileno(), "stdin", None, CustomWaiter()):
        with pytest.raises(TypeError, match=rf"as in {name}=\[sys.stdin\], not {type(given).__name__}"):
            CustomWaiter(**{name: given})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("number", [2**31, 2**40, -2, -(2**40), 2**70])
def test_a_number_that_no_descriptor_has_is_refused(number: int) -> None:
    for descriptor in (number, Strange(number)):
        with pytest.raises(ValueError, match=rf"a descriptor is a number from 0 to 2147483647, not {number}"):
            CustomWaiter(read=[descriptor])


@pytest.mark.parametrize("number", [None, True, "3", 1.5])
def test_an_object_whose_fileno_gives_no_number_has_no_descriptor(number: object) -> None:
    with pytest.raises(TypeError, match=r"expected a descriptor or an object with fileno\(\), not Strange"):
        CustomWaiter(read=[Strange(number)])


def test_a_bool_is_no_descriptor() -> None:
    with pytest.raises(TypeError, match=r"expected a descriptor or an object with fileno\(\), not bool"):
        CustomWaiter(read=[True])


@pytest.mark.skipif(not hasattr(select, "poll"), reason="select elsewhere")
def test_a_closed_descriptor_wakes_so_that_its_owner_sees_it(pair: Pair) -> None:
    one, _ = pair
    gone = CustomWaiter(read=[one])
    one.close()

    assert wait(gone, timeout=5.0) is True
    assert wait(CustomWaiter(read=[-1]), timeout=5.0) is True


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_descriptors_above_1023_are_waited_for() -> None:
    script = """
import os, resource, socket, netcode
resource.setrlimit(resource.RLIMIT_NOFILE, (1200, max(1200, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
low = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
one, other = socket.socketpair()
assert one.fileno() > 1023
print(netcode.wait(netcode.CustomWaiter(read=[one]), timeout=0.0))
other.send(b"x")
print(netcode.wait(netcode.CustomWaiter(read=[one]), timeout=5.0))
connection = netcode.custom(input=one, output=one)
connection.send(b"far up")
connection.update()
print(other.recv(10), connection.receive_all())
set = netcode.ConnectionSet()
set.add(connection)
other.send(b"y")
set.update()
print(connection.receive_all())
set.close()
other.close()
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("False\nTrue\nb'far up' b'x'\nb'y'\n", "")


class SelectOnly:
    """The module `select` as Windows has it."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    def select(self, *arguments: Any) -> object:
        if self.error is not None:
            raise self.error
        return select.select(*arguments)


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> SelectOnly:
    made = SelectOnly()
    monkeypatch.setattr(waiting, "select", made)
    monkeypatch.setattr("netcode.loop.poller.select", made)
    return made


def test_without_poll_select_does_it(windows: SelectOnly, pair: Pair) -> None:
    one, other = pair

    before = wait(CustomWaiter(read=[one]), timeout=0.0)
    other.send(b"x")

    assert before is False
    assert wait(CustomWaiter(read=[one]), timeout=5.0) is True


def test_without_poll_a_closed_descriptor_wakes(windows: SelectOnly, pair: Pair) -> None:
    one, _ = pair

    for windows.error in (OSError(), ValueError()):
        assert wait(CustomWaiter(read=[one]), timeout=5.0) is True


def test_without_poll_and_descriptors_it_sleeps_until_it_is_due(windows: SelectOnly) -> None:
    before = time.monotonic()

    assert wait(Due(0.02)) is True
    assert time.monotonic() - before >= 0.02


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot wait for pipes")
def test_pipes_wake() -> None:
    read, write = os.pipe()
    os.write(write, b"x")

    woken = wait(CustomWaiter(read=[read]), timeout=5.0)
    os.close(read)
    os.close(write)

    assert woken is True


def test_a_long_sleep_looks_now_and_then_whether_it_still_has_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []
    waiter = Alive(None)

    def poll(lists: Descriptors, seconds: float) -> bool:
        naps.append(seconds)
        if len(naps) == 4:
            waiter.seconds = 0.0
        return False

    monkeypatch.setattr(waiting, "_poll", poll)

    assert wait(waiter, timeout=1.25) is False
    assert naps == [0.5, 0.5, 0.25]
    assert wait(waiter, timeout=10.0) is True
    assert len(naps) == 4


def test_no_timeout_is_a_timeout() -> None:
    check_timeout(None)
    with pytest.raises(ValueError, match="timeout must be seconds from 0 up, or None, not -1"):
        check_timeout(-1)


def test_what_can_be_closed_is_at_the_end_of_its_block() -> None:
    with Open(None) as waiter:
        told = waiter.closed

    assert (told, waiter.closed) == (False, True)


@pytest.mark.parametrize("copies", [copy.copy, copy.deepcopy, pickle.dumps])
def test_what_can_be_waited_for_is_neither_copied_nor_pickled(copies: Callable[[Any], Any]) -> None:
    connection = custom()

    with pytest.raises(TypeError, match=r"^a Connection can be neither copied nor pickled: make one where it is used"):
        copies(connection)
    connection.close()
