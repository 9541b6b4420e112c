"""Ticks at a fixed rate: they do not drift, catch up within bounds, and take Ctrl-C as a wish to leave."""

import logging
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from scene import Scene, only

import netcode
from netcode import Client, Left, Server, State
from netcode.diagnostics import log
from netcode.testing import FakeClock
from netcode.ticks import LOOK, MAX_BEHIND, ticks


class End:
    """Stands for a server, and notes at what times it is updated."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.state = State.CONNECTED
        self.updates: list[float] = []
        self.goodbyes: list[str] = []

    def update(self) -> None:
        self.updates.append(self.clock.now)

    def close_nicely(self, text: str = "") -> None:
        self.state = State.DISCONNECTING
        self.goodbyes.append(text)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(0.0)


@pytest.fixture
def end(clock: FakeClock) -> End:
    return End(clock)


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Have Ctrl-C work as in a program that was started in a terminal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def times(end: End, rate: float, count: int, lasting: float = 0.0, first: float | None = None) -> list[float]:
    """Return when so many ticks came, of a game that takes `lasting` seconds for each, and `first` for the first."""
    came = list[float]()
    for tick in ticks(end, rate, "", end.clock):
        assert tick == len(came)
        came.append(end.clock.now)
        end.clock.advance(lasting if first is None or tick else first)
        if len(came) == count:
            break
    return came


@pytest.mark.parametrize("lasting", [0.0, 0.001, 0.04])
def test_ticks_come_at_their_rate_and_do_not_drift(end: End, lasting: float) -> None:
    assert times(end, 20, 1001, lasting) == pytest.approx([tick / 20 for tick in range(1001)])


def test_each_tick_is_behind_an_update(end: End) -> None:
    came = times(end, 60, 100, 0.01)

    assert end.updates == came


@pytest.mark.parametrize("rate", [1, 7.5, 20, 30])
def test_between_rare_ticks_it_updates_all_the_same(end: End, rate: float) -> None:
    times(end, rate, 30)

    gaps = [after - before for before, after in zip(end.updates, end.updates[1:], strict=False)]
    assert max(gaps) <= LOOK + 1e-9
    assert min(gaps) > LOOK / 3


class SetBack(End):
    """Sets its clock back by an hour in the tenth update."""

    def update(self) -> None:
        super().update()
        if len(self.updates) == 10:
            self.clock.now -= 3600


def test_a_clock_that_is_set_back_stops_no_ticks(clock: FakeClock) -> None:
    clock.now = 7200.0
    end = SetBack(clock)

    came = times(end, 100, 20)

    assert came[-1] == pytest.approx(3600.2, abs=0.03)
    assert len(end.updates) <= 22


def test_a_clock_that_is_set_back_by_the_game_stops_no_ticks(end: End) -> None:
    end.clock.now = 7200.0

    for tick in ticks(end, 100, "", end.clock):
        if tick == 10:
            end.clock.now -= 3600
        if tick == 20:
            break

    assert end.clock.now == pytest.approx(3600.2, abs=0.03)
    assert len(end.updates) <= 22


def test_a_tick_that_lasts_too_long_is_made_up_for(end: End) -> None:
    came = times(end, 20, 6, first=0.19)

    assert came == pytest.approx([0.0, 0.19, 0.19, 0.19, 0.20, 0.25])


def test_what_a_long_pause_took_is_skipped(end: End) -> None:
    came = times(end, 20, 9, first=60.0)

    assert came == pytest.approx([0.0, *[60.0] * 6, 60.05, 60.10])
    assert pytest.approx(5 / 20) == MAX_BEHIND


def test_of_rare_ticks_one_that_is_late_is_made_up_for(end: End) -> None:
    came = times(end, 1, 4, first=1.9)

    assert came == pytest.approx([0.0, 1.9, 2.0, 3.0])


def test_a_game_that_is_always_too_slow_goes_on(end: End) -> None:
    assert times(end, 20, 100, 0.08) == pytest.approx([0.08 * tick for tick in range(100)])


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    """What is warned of."""
    monkeypatch.setattr(log, "_next_warning", {})
    monkeypatch.setattr(log, "INTERVAL", 0.0)
    caplog.set_level(logging.WARNING, "netcode")
    return caplog


def test_a_game_that_is_always_too_slow_is_told_once_what_takes_the_time(
    end: End, told: pytest.LogCaptureFixture
) -> None:
    end.update = lambda: end.clock.advance(0.01)  # type: ignore[method-assign]
    times(end, 20, 200, 0.24)

    says = (
        "ticks(20) comes 4.0 times a second: of each tick the game's own code takes 240 ms and update() 10 ms, and "
        "50 ms is all there is; let the game do less in a tick, or ask for fewer"
    )
    assert told.messages == [says]


@pytest.mark.parametrize("lasting", [0.049, 0.055])
def test_a_game_that_nearly_keeps_its_rate_is_told_nothing(
    end: End, lasting: float, told: pytest.LogCaptureFixture
) -> None:
    times(end, 20, 1000, lasting)

    assert told.messages == []


def test_a_game_that_pauses_now_and_then_is_told_nothing(end: End, told: pytest.LogCaptureFixture) -> None:
    for tick in ticks(end, 20, "", end.clock):
        end.clock.advance(0.01 if tick % 20 else 60.0)
        if tick == 1000:
            break

    assert told.messages == []


def test_a_game_that_becomes_too_slow_is_told_then(end: End, told: pytest.LogCaptureFixture) -> None:
    before = None
    for tick in ticks(end, 20, "", end.clock):
        end.clock.advance(0.055 if tick < 1000 else 0.1)
        if tick == 1000:
            before = [*told.messages]
        if tick == 1200:
            break

    assert before == []
    assert len(told.messages) == 1


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
def test_a_rate_is_above_0(end: End, rate: float) -> None:
    with pytest.raises(ValueError, match="rate must be above 0 and finite"):
        ticks(end, rate, "", end.clock)


@pytest.mark.parametrize(("rate", "meant"), [(1 / 60, "60"), (1 / 30, "30"), (0.1, "10")])
def test_seconds_in_the_place_of_a_rate_are_told(end: End, rate: float, meant: str) -> None:
    says = rf"rate is ticks a second, above 0.1, not {rate:g}: ticks of {rate:g} s are ticks\({meant}\)"
    with pytest.raises(ValueError, match=f"^{says}$"):
        ticks(end, rate, "", end.clock)


def test_what_is_no_rate_and_no_goodbye_is_told_at_the_call(end: End) -> None:
    wrong: Any = "30"
    with pytest.raises(TypeError, match="rate must be a number, not str"):
        ticks(end, wrong, "", end.clock)
    with pytest.raises(TypeError, match="text must be a str, not int"):
        ticks(end, 30, 5, end.clock)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_it_ends_with_a_tick_for_what_came_last(end: End) -> None:
    came = list[int]()
    for tick in ticks(end, 30, "", end.clock):
        came.append(tick)
        if tick == 2:
            end.update = lambda: setattr(end, "state", State.DISCONNECTED)  # type: ignore[method-assign]

    assert came == [0, 1, 2, 3]


def test_what_the_game_itself_closed_has_one_last_tick(end: End) -> None:
    came = list[int]()
    for tick in ticks(end, 30, "", end.clock):
        came.append(tick)
        if tick == 1:
            end.state = State.DISCONNECTED

    assert came == [0, 1, 2]


def test_what_was_over_before_has_no_tick(end: End) -> None:
    end.state = State.DISCONNECTED

    assert [*ticks(end, 30, "", end.clock)] == []


@pytest.mark.parametrize("how", ["client.close", "client.close_nicely, connecting", "server.close"])
def test_who_ends_it_in_the_middle_of_a_tick_hears_left(how: str) -> None:
    scene = Scene()
    server = scene.serve()
    connecting = how.endswith("connecting")
    client = scene.client() if connecting else scene.join()
    end: Server | Client = server if how == "server.close" else client
    heard = list[netcode.Event]()
    for tick in end.ticks(30):
        heard += end.events()
        if tick == 0:
            end.close_nicely() if connecting else end.close()
        assert tick < 3

    assert [type(event) for event in heard][-1:] == [Left]
    scene.close()


@pytest.mark.fault(70, "memory")
def test_ctrl_c_is_a_wish_to_leave(end: End, ctrl_c: None) -> None:
    came = list[int]()
    for tick in ticks(end, 30, "closing time", end.clock):
        came.append(tick)
        if tick == 1:
            signal.raise_signal(signal.SIGINT)
        if tick == 4:
            end.update = lambda: setattr(end, "state", State.DISCONNECTED)  # type: ignore[method-assign]

    assert came == [0, 1, 2, 3, 4, 5]
    assert end.goodbyes == ["closing time"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.fault(70, "memory")
def test_a_second_ctrl_c_interrupts(end: End, ctrl_c: None) -> None:
    def press_again_and_again() -> None:
        for _ in ticks(end, 30, "", end.clock):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        press_again_and_again()

    assert len(end.goodbyes) == 1


@pytest.mark.fault(70, "memory")
def test_ctrl_c_is_as_before_when_the_loop_is_left(end: End, ctrl_c: None) -> None:
    def fail() -> None:
        for tick in ticks(end, 30, "", end.clock):
            end.clock.advance(1 / tick)

    for _ in ticks(end, 30, "", end.clock):
        break
    with pytest.raises(ZeroDivisionError):
        fail()

    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_a_programs_own_handler_is_left_alone(end: End, ctrl_c: None) -> None:
    seen = list[int]()
    signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    for tick in ticks(end, 30, "", end.clock):
        signal.raise_signal(signal.SIGINT)
        if tick == 1:
            break

    assert seen == [signal.SIGINT] * 2
    assert end.goodbyes == []


def test_a_handler_that_came_meanwhile_stays(end: End, ctrl_c: None) -> None:
    for _ in ticks(end, 30, "", end.clock):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        break

    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_another_thread_has_ticks_too(end: End, ctrl_c: None) -> None:
    came = list[int]()

    def run() -> None:
        for tick in ticks(end, 30, "", end.clock):
            came.append(tick)
            if tick == 2:
                break

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60.0)

    assert came == [0, 1, 2]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_loop_that_another_thread_drops_raises_nothing(end: End, ctrl_c: None) -> None:
    loop = ticks(end, 30, "", end.clock)
    next(loop)
    failures = list[BaseException]()

    def drop() -> None:
        try:
            loop.close()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        except ValueError as error:
            failures.append(error)

    thread = threading.Thread(target=drop)
    thread.start()
    thread.join(60.0)

    assert failures == []


@pytest.mark.parametrize("who", ["server", "client"])
@pytest.mark.fault(70, "memory")
def test_ctrl_c_says_goodbye_to_the_other_end(who: str, ctrl_c: None) -> None:
    scene = Scene()
    server, client = scene.serve(), scene.join()
    leaving: Server | Client = server if who == "server" else client
    other: Server | Client = client if who == "server" else server
    only(server)
    heard, count = scene.told[leaving], 0
    scene.frozen.add(leaving)
    for tick in leaving.ticks(30, goodbye="closing time"):
        heard += leaving.events()
        if tick == 3:
            signal.raise_signal(signal.SIGINT)
        scene.update()
        count = tick

    assert leaving.state is State.DISCONNECTED
    assert isinstance(heard[-1], Left)
    assert count < 10
    assert scene.left(other).text == "closing time"
    scene.close()


def test_a_clock_of_tests_sleeps_by_itself(clock: FakeClock) -> None:
    clock.sleep(2.5)
    clock.sleep(-1.0)

    assert clock() == 2.5
