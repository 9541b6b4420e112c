"""What every test relies on: a profile of hypothesis, the test file on what coverage records, programs to start."""

import contextlib
import faulthandler
import gc
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import anew
import coverage
import hypothesis
import pytest
from _pytest.faulthandler import fault_handler_stderr_fd_key
from certificates import Certificate, make_certificate
from chromium import Browser, opened
from crowd import LOOPBACK, POLLERS
from programs import ROOT, Program, Start
from scene import TICK, Scene

from netcode import Client, ConnectionSet, Listener
from netcode.diagnostics import log
from netcode.stream import watcher
from netcode.testing import FakeClock

TOO_LONG = 300.0
"""Seconds of one test by the wall clock, on a slow machine that does four things at once."""

FROZEN = 400.0
"""Seconds after which a test that does not even notice that it took too long shows where it stood, and ends the run."""

ARMED = 60.0
"""Seconds for which that is not set anew: it takes a thread each time, and its end is waited for."""

LEFT_OVER = 30.0
"""Seconds in which what a test has closed is gone."""

MEASURED = frozenset(os.environ.get("NETCODE_MEASURED", "").split())
"""The test files that coverage measures where all tests run; empty where it measures what runs."""

LAST = pytest.StashKey[str]()
"""The test file of the last test."""

MEASURED_LAST = pytest.StashKey[str]()
"""The test file on whose account coverage puts what runs."""

OPEN_DESCRIPTORS = "/proc/self/fd"
"""Where Linux lists them; elsewhere leaks show as ResourceWarnings only."""

# Time on a shared machine says nothing about a property, nor about how examples are made.
hypothesis.settings.register_profile(
    "netcode",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    derandomize="CI" in os.environ,  # what chance finds is for who can look at it: `python -m tests.fuzz` searches
)
hypothesis.settings.load_profile("netcode")


def pytest_configure(config: pytest.Config) -> None:
    """Measure anew what was measured while the machine stood still, and end what stands still for ever."""
    config.pluginmanager.register(anew, "anew")
    config.pluginmanager.register(Freezing(), "freezing")
    gc.disable()  # until all tests are found, nothing of which is garbage


class HangsError(BaseException):
    """A test hangs. No `Exception`: what it tests must not take it for an error of its own."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Tell coverage whose test runs, its fixtures included, so that each module answers for its own test file."""
    measuring, file = coverage.Coverage.current(), item.nodeid.partition("::")[0]
    if item.session.stash.get(LAST, "") != file:
        item.session.stash[LAST] = file
        freeze()  # what pytest has kept of the tests so far makes a collection ten times as dear
    if measuring is None:
        return (yield)
    if MEASURED and (file not in MEASURED or item.get_closest_marker("games") is not None):
        with unmeasured():
            return (yield)
    if item.session.stash.get(MEASURED_LAST, "") != file:  # each time, all is written down that was found
        item.session.stash[MEASURED_LAST] = file
        measuring.switch_context(file)
    return (yield)


class Freezing:
    """Ends a run that stands still in a call that takes no signals. pytest's own guard costs a thread for each test."""

    _armed_at = -math.inf

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin to count again, unless that was a moment ago."""
        now = time.monotonic()
        if now - self._armed_at > ARMED:
            self._armed_at = now
            output = item.config.stash.get(
                fault_handler_stderr_fd_key, 2
            )  # what is written there is not kept for a report
            faulthandler.dump_traceback_later(FROZEN, file=output, exit=True)

    def pytest_unconfigure(self) -> None:
        """Count no more."""
        faulthandler.cancel_dump_traceback_later()


@contextlib.contextmanager
def unmeasured() -> Generator[None]:
    """Let coverage, if it traces, see nothing of what runs meanwhile, and cost nothing."""
    here: Any = sys.gettrace()
    elsewhere: Any = threading.gettrace()
    nothing: Any = None
    sys.settrace(nothing)
    threading.settrace(nothing)
    try:
        yield
    finally:
        sys.settrace(here)
        threading.settrace(elsewhere)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Let the collector of garbage look at what the tests make, and not at all the modules again and again.

    Otherwise that costs a third of some files' time, and stops updates that are timed.
    """
    freeze()
    gc.enable()


def freeze() -> None:
    """Let the collector of garbage leave alone what is there now and no garbage, for good."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def first_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what one test was warned of silence no other: the log says each cause once a second.

    Nor is anything said twice in one test because its machine stood still for that second: it does not pass.
    """
    monkeypatch.setattr(log, "_next_warning", dict[str, float]())
    for say in (log.warn, log.error):
        monkeypatch.setitem(say.__kwdefaults__ or {}, "clock", lambda: 0.0)


def _in_use() -> set[str]:
    """Return the threads of this process, and its sockets, pipes and pollers.

    Not its files: netcode opens none, and matplotlib keeps its fonts open.
    """
    found = {thread.name for thread in threading.enumerate()}
    try:
        numbers = os.listdir(OPEN_DESCRIPTORS)  # noqa: PTH208 - twice for each test, and three times as fast
    except FileNotFoundError:
        return found
    for number in numbers:
        with contextlib.suppress(OSError):  # the descriptor that listed them is gone by now
            what = os.readlink(f"{OPEN_DESCRIPTORS}/{number}")  # noqa: PTH115 - the same
            if what.startswith(("socket:", "pipe:", "anon_inode:")):
                found.add(f"descriptor {number}: {what}")
    return found


@pytest.fixture(autouse=True)
def nothing_is_left_over() -> Iterator[None]:
    """Fail a test after which a thread or a descriptor is there that was not there before."""
    before = _in_use()

    yield

    deadline = time.monotonic() + LEFT_OVER  # a thread that was told to end needs its moment
    while (left := _in_use() - before) and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.01)
    assert left == set()


@pytest.fixture(autouse=True)
def nothing_hangs() -> Iterator[None]:
    """Fail a test that takes far too long, wherever it is, before the run as a whole is given up."""
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield  # there, the run as a whole ends
        return

    def ring(number: int, frame: object) -> None:
        raise HangsError(f"it goes on after {TOO_LONG:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, TOO_LONG, 5.0)  # again, should the first be swallowed
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start real programs: `start("examples/chat.py", "localhost", port)`."""
    with contextlib.ExitStack() as programs:

        def start_one(*arguments: object, environment: dict[str, str] | None = None, folder: Path = ROOT) -> Program:
            log = tmp_path / f"program-{len([*tmp_path.iterdir()])}.log"
            return programs.enter_context(Program(*arguments, log=log, environment=environment, folder=folder))

        yield start_one


# A set of connections, as it is on this system and on others.


@pytest.fixture
def broken_pipes() -> Iterator[list[int]]:
    """Note each SIGPIPE, which would end a program that has asked for its default."""
    noted: list[int] = []
    before = signal.signal(signal.SIGPIPE, lambda number, _: noted.append(number))
    yield noted
    signal.signal(signal.SIGPIPE, before)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def everybody(clock: FakeClock) -> Iterator[ConnectionSet[Any]]:
    made: ConnectionSet[Any] = ConnectionSet(clock=clock)
    yield made
    made.close()


@pytest.fixture(params=[*POLLERS])
def on_any_poller(
    request: pytest.FixtureRequest, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ConnectionSet[Any]]:
    """A set as it is on this system, and as it is on others."""
    monkeypatch.setattr(watcher, "make_poller", POLLERS[request.param])
    made: ConnectionSet[Any] = ConnectionSet(clock=clock)
    yield made
    made.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener(LOOPBACK, 0)
    yield made
    made.close()


@pytest.fixture
def scene() -> Any:
    """A scene that is closed in the end."""
    scene = Scene()
    yield scene
    scene.close()


@pytest.fixture
def lost(scene: Scene) -> Client:
    """A client whose link broke, and which cannot come back for now."""
    scene.serve()
    client = scene.join()
    scene.network.down = True
    scene.network.cut()
    scene.play(2 * TICK)
    return client


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Open Chromium once for the tests of a file."""
    with opened(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """Chromium, of which no page knows what was there in the last test."""
    yield chromium
    chromium.clear()
