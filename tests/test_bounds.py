"""The bounds of the tests' own loops: what never comes fails one test."""

import signal
import sys
import time

import pytest
from bounds import Patience, as_long_as, until
from conftest import TOO_LONG, HangsError
from programs import ROOT, Start


def test_a_loop_ends_when_its_condition_does() -> None:
    left = [*range(5)]

    for _ in until(lambda: len(left) == 2):
        left.pop()
    between = len(left)
    for _ in as_long_as(lambda: left):
        left.pop()

    assert (between, left) == (2, [])


def test_a_loop_that_goes_on_for_too_long_fails() -> None:
    with pytest.raises(AssertionError, match=r"it goes on after 0\.01 s and \d+ turns"):
        for _ in until(lambda: False, 0.01):
            pass
    patient = Patience(0.0)
    with pytest.raises(AssertionError, match="it goes on after 0 s and 0 turns"):
        patient()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such clock")
def test_a_test_that_hangs_is_told_so_wherever_it_is() -> None:
    def hang() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.01)  # here, for a busy machine may ring at once
        for _ in until(lambda: False):
            pass

    with pytest.raises(HangsError, match=f"it goes on after {TOO_LONG:g} s"):
        hang()


LATE = """
import time
from bounds import Patience, stalls

with stalls() as lost:
    patient = Patience()
    print("up")
    while patient() and not lost():
        time.sleep(0.01)
    print(f"late: {lost()}")
"""


@pytest.mark.process
def test_the_time_for_which_the_machine_stood_still_is_known(start: Start) -> None:
    program = start("-c", LATE, environment={"PYTHONPATH": str(ROOT / "tests")})
    program.until("up")
    with program.held():
        time.sleep(0.5)

    assert float(program.until(r"late: (\S+)\n")[1]) > 0.0
